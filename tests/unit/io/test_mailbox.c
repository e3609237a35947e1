/* Mail from many threads: all of it arrives, once, in each sender's order, and a sleeping loop is
 * woken. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "harness.h"
#include "io/loop.h"

enum { SENDERS = 4, LETTERS = 20000 };

struct letter {
    struct mail mail;
    struct receiver *receiver;
    int sender, number;
};

struct receiver {
    struct loop *loop;
    int next[SENDERS];
    int received, expected, out_of_order;
};

static void receive(struct mail *mail)
{
    struct letter *letter = CONTAINER_OF(mail, struct letter, mail);
    struct receiver *receiver = letter->receiver;
    if (receiver->next[letter->sender]++ != letter->number)
        receiver->out_of_order++;
    if (++receiver->received == receiver->expected)
        loop_stop(receiver->loop);
    free(letter);
}

struct sender {
    struct receiver *receiver;
    int number, letters;
};

static void *send_letters(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < sender->letters; i++) {
        struct letter *letter = malloc(sizeof *letter);
        *letter = (struct letter){{.deliver = receive}, sender->receiver, sender->number, i};
        loop_post(sender->receiver->loop, &letter->mail);
    }
    return NULL;
}

static void *run(void *arg)
{
    loop_run(arg);
    return NULL;
}

TEST(mail_of_many_threads_arrives_once_and_in_order)
{
    struct receiver receiver = {.expected = SENDERS * LETTERS};
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){0}, &receiver.loop, &err), &err);
    pthread_t loop_thread, threads[SENDERS];
    struct sender senders[SENDERS];
    pthread_create(&loop_thread, NULL, run, receiver.loop);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){&receiver, i, LETTERS};
        pthread_create(&threads[i], NULL, send_letters, &senders[i]);
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(loop_thread, NULL);
    CHECK_INT(receiver.received, SENDERS * LETTERS);
    CHECK_INT(receiver.out_of_order, 0);
    struct loop_stats stats;
    loop_stats(receiver.loop, &stats);
    CHECK_INT(stats.mails, SENDERS * LETTERS);
    loop_free(receiver.loop);
}

/* Two loops throw one letter to and fro: each lands in a loop that is asleep or just about to be.
 * One lost wake-up and the game stands still (the test run's time limit then says so). */
enum { THROWS = 20000 };

struct ball {
    struct mail mail;
    struct loop *loops[2];
    int throws;
};

static void throw_back(struct mail *mail)
{
    struct ball *ball = CONTAINER_OF(mail, struct ball, mail);
    if (++ball->throws == THROWS) {
        loop_stop(ball->loops[0]);
        loop_stop(ball->loops[1]);
        return;
    }
    loop_post(ball->loops[ball->throws % 2], mail);
}

TEST(no_wake_up_is_lost_between_two_loops)
{
    struct ball ball = {.mail = {.deliver = throw_back}};
    struct error err = {0};
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++)
        CHECK_OK(loop_new(&(struct loop_config){.index = i}, &ball.loops[i], &err), &err);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, run, ball.loops[i]);
    loop_post(ball.loops[0], &ball.mail);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(ball.throws, THROWS);
    for (int i = 0; i < 2; i++)
        loop_free(ball.loops[i]);
}

/* Mail posted from within deliver, on the loop's own thread, comes too. */
static void post_again(struct mail *mail)
{
    struct ball *ball = CONTAINER_OF(mail, struct ball, mail);
    if (++ball->throws == 5000)
        loop_stop(ball->loops[0]);
    else
        loop_post(ball->loops[0], mail);
}

TEST(a_loop_may_post_to_itself)
{
    struct ball ball = {.mail = {.deliver = post_again}};
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){0}, &ball.loops[0], &err), &err);
    loop_post(ball.loops[0], &ball.mail);
    loop_run(ball.loops[0]);
    CHECK_INT(ball.throws, 5000);
    loop_free(ball.loops[0]);
}
