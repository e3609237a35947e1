/* Coroutines and mail: what a switch, a start, a post cost. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/coro.h"
#include "measure.h"

static void print_ns(const char *name, int64_t ns, int64_t count)
{
    printf("{\"name\": \"%s\", \"ns\": %.1f}\n", name, (double)ns / (double)count);
}

enum { SWITCHES = 4000000, SPAWNS = 2000000, LETTERS = 2000000 };

static struct coro *pair[2];

/* Two coroutines that wake each other: a wake, a park, a resume each. */
static void ping(void *arg)
{
    int me = *(int *)arg;
    pair[me] = coro_current();
    for (int i = 0; i < SWITCHES / 4; i++) {
        if (pair[1 - me] != NULL)
            coro_wake(pair[1 - me], 0);
        if (coro_park(CORO_FOREVER) != 0)
            break;
    }
    if (me == 1)
        loop_stop(loop_current());
    else
        coro_wake(pair[1], 0);
}

static void nothing(void *arg)
{
    ++*(int *)arg;
}

static void spawn_many(struct timer *timer)
{
    (void)timer;
    int runs = 0;
    int64_t start = now_ns();
    for (int i = 0; i < SPAWNS; i++)
        panic_if(coro_spawn(loop_current(), nothing, &runs, NULL) != 0, "no coroutine");
    print_ns("coro_spawn_and_finish", now_ns() - start, runs);
    loop_stop(loop_current());
}

static struct loop *new_loop(void)
{
    struct loop *loop = NULL;
    struct error err = {0};
    panic_if(loop_new(&(struct loop_config){0}, &loop, &err) != 0, "%s", err.detail);
    return loop;
}

void measure_coroutines(void)
{
    struct loop *loop = new_loop();
    struct timer timer;
    timer_init(&timer, spawn_many);
    timer_start(loop, &timer, 0);
    loop_run(loop);

    int names[2] = {0, 1};
    panic_if(coro_spawn(loop, ping, &names[0], NULL) != 0 ||
                 coro_spawn(loop, ping, &names[1], NULL) != 0,
             "no coroutine");
    int64_t start = now_ns();
    loop_run(loop);
    print_ns("coro_wake_park_switch", now_ns() - start, SWITCHES);
    loop_free(loop);
}

struct letter {
    struct mail mail;
    _Atomic int64_t *received;
    struct loop *loop;
};

static void receive(struct mail *mail)
{
    struct letter *letter = CONTAINER_OF(mail, struct letter, mail);
    if (atomic_fetch_add_explicit(letter->received, 1, memory_order_relaxed) + 1 == LETTERS)
        loop_stop(letter->loop);
}

static void *run(void *loop)
{
    loop_run(loop);
    return NULL;
}

void measure_mail(void)
{
    struct loop *loop = new_loop();
    struct letter *letters = calloc(LETTERS, sizeof *letters);
    _Atomic int64_t received = 0;
    for (int i = 0; i < LETTERS; i++)
        letters[i] = (struct letter){{.deliver = receive}, &received, loop};
    pthread_t thread;
    pthread_create(&thread, NULL, run, loop);
    int64_t start = now_ns();
    for (int i = 0; i < LETTERS; i++)
        loop_post(loop, &letters[i].mail);
    print_ns("mail_post", now_ns() - start, LETTERS);
    pthread_join(thread, NULL);
    print_ns("mail_post_to_delivery_rate", now_ns() - start, LETTERS);
    struct loop_stats stats;
    loop_stats(loop, &stats);
    printf("{\"name\": \"mail_wakeups\", \"count\": %llu}\n", (unsigned long long)stats.wakeups);
    loop_free(loop);
    free(letters);
}
