/* Mail to a coroutine: it ends the wait, from whatever thread; a wait that ends early has taken it
 * back; a cancellation is never lost. */
#include "io/coro_mail.h"

#include <pthread.h>

#include "harness.h"
#include "in_loop.h"

/* Who has the mail: lets it be taken back, or has just posted it. */
struct holder {
    bool gives_back;
    int asked;
};

static bool withdraw(struct coro_mail *mail, void *arg)
{
    struct holder *h = arg;
    h->asked++;
    if (!h->gives_back)
        coro_mail_post(mail);
    return h->gives_back;
}

/* --- it arrives ------------------------------------------------------------------------------- */

static void *post_it(void *mail)
{
    coro_mail_post(mail);
    return NULL;
}

static void wait_for_threads(void *arg)
{
    enum { ROUNDS = 200 };
    for (int i = 0; i < ROUNDS; i++) {
        struct holder h = {.gives_back = true};
        struct coro_mail mail;
        pthread_t thread;
        coro_mail_init(&mail);
        CHECK_INT(pthread_create(&thread, NULL, post_it, &mail), 0);
        if (i % 2 == 0)
            coro_mail_await(&mail);
        else
            CHECK_INT(coro_mail_wait(&mail, CORO_FOREVER, withdraw, &h), 0);
        CHECK(mail.arrived);
        CHECK_INT(h.asked, 0);
        pthread_join(thread, NULL);
    }
    stop();
}

TEST(coro_mail_ends_the_wait_from_another_thread)
{
    run_in_loop(wait_for_threads, NULL);
}

static void wait_beside_wakes(void *arg)
{
    struct holder h = {.gives_back = true};
    struct coro_mail mail;
    coro_mail_init(&mail);
    coro_wake(coro_current(), 0); /* meant for an earlier wait */
    coro_mail_post(&mail);
    CHECK_INT(coro_mail_wait(&mail, CORO_FOREVER, withdraw, &h), 0);
    CHECK(mail.arrived);
    CHECK_INT(coro_mail_wait(&mail, 0, withdraw, &h), 0); /* it is there already */
    CHECK_INT(h.asked, 0);
    stop();
}

TEST(coro_mail_is_not_any_wake)
{
    run_in_loop(wait_beside_wakes, NULL);
}

/* --- the wait ends early ---------------------------------------------------------------------- */

static void time_out(void *arg)
{
    struct holder gives = {.gives_back = true}, posts = {.gives_back = false};
    struct coro_mail mail;
    coro_mail_init(&mail);
    CHECK_INT(coro_mail_wait(&mail, 0, withdraw, &gives), FAIL_TIMEOUT);
    CHECK_INT(gives.asked, 1);
    CHECK(!mail.arrived);
    CHECK_INT(coro_mail_wait(&mail, 0, withdraw, &posts), 0); /* too late: it comes */
    CHECK_INT(posts.asked, 1);
    CHECK(mail.arrived);
    stop();
}

TEST(coro_mail_that_is_on_its_way_is_waited_for)
{
    run_in_loop(time_out, NULL);
}

static void be_cancelled(void *arg)
{
    struct holder gives = {.gives_back = true}, posts = {.gives_back = false};
    struct coro_mail mail;
    coro_mail_init(&mail);
    coro_cancel(coro_current());
    CHECK_INT(coro_mail_wait(&mail, CORO_FOREVER, withdraw, &gives), FAIL_CANCELLED);
    CHECK_INT(coro_park(0), FAIL_TIMEOUT); /* that was it */
    coro_cancel(coro_current());
    CHECK_INT(coro_mail_wait(&mail, CORO_FOREVER, withdraw, &posts), 0);
    CHECK_INT(posts.asked, 1);
    CHECK_INT(coro_park(0), FAIL_CANCELLED); /* the next wait has it */
    CHECK_INT(coro_park(0), FAIL_TIMEOUT);
    stop();
}

TEST(coro_mail_leaves_a_cancellation_for_the_next_wait)
{
    run_in_loop(be_cancelled, NULL);
}

static void await_cancelled(void *arg)
{
    struct coro_mail mail;
    coro_mail_init(&mail);
    coro_cancel(coro_current());
    coro_mail_post(&mail);
    coro_mail_await(&mail);
    CHECK(mail.arrived);
    CHECK_INT(coro_park(0), FAIL_CANCELLED);
    CHECK_INT(coro_park(0), FAIL_TIMEOUT);
    stop();
}

TEST(coro_mail_is_awaited_whatever_happens)
{
    run_in_loop(await_cancelled, NULL);
}

/* --- both at once ----------------------------------------------------------------------------- */

struct canceller {
    struct mail mail;
    struct coro *coro;
};

static void cancel_now(struct mail *mail)
{
    coro_cancel(CONTAINER_OF(mail, struct canceller, mail)->coro);
}

/* The loop delivers both before the coroutine runs again. */
static void be_cancelled_beside_it(void *arg)
{
    struct holder h = {.gives_back = true};
    struct canceller canceller = {.mail.deliver = cancel_now, .coro = coro_current()};
    struct coro_mail mail;
    coro_mail_init(&mail);
    loop_post(loop_current(), &canceller.mail);
    coro_mail_post(&mail);
    CHECK_INT(coro_mail_wait(&mail, CORO_FOREVER, withdraw, &h), 0);
    CHECK_INT(h.asked, 0);
    CHECK_INT(coro_park(0), FAIL_CANCELLED);
    stop();
}

TEST(bug_a_cancellation_just_before_the_mail_was_lost)
{
    run_in_loop(be_cancelled_beside_it, NULL);
}
