/* Coroutines: starting, parking, waking, cancelling, time-outs. Built with both stack switches. */
#include <fenv.h>
#include <stdlib.h>

#include "harness.h"
#include "io/coro.h"

static struct loop *new_loop(size_t stacks_max)
{
    struct loop *loop = NULL;
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){.stacks_max = stacks_max}, &loop, &err), &err);
    return loop;
}

static void spawn(struct loop *loop, void (*fn)(void *), void *arg)
{
    struct error err = {0};
    CHECK_OK(coro_spawn(loop, fn, arg, &err), &err);
}

static void run_in_loop(void (*fn)(void *), void *arg)
{
    struct loop *loop = new_loop(0);
    spawn(loop, fn, arg);
    loop_run(loop);
    loop_free(loop);
}

static void stop(void)
{
    loop_stop(loop_current());
}

/* --- wake and park --------------------------------------------------------------------------- */

struct sleeper {
    struct coro *coro;
    int64_t timeout_ms;
    int result;
    bool returned;
};

static void sleep_in(void *arg)
{
    struct sleeper *s = arg;
    s->coro = coro_current();
    s->result = coro_park(s->timeout_ms);
    s->returned = true;
}

static void wakes(void *arg)
{
    (void)arg;
    struct sleeper s = {.timeout_ms = CORO_FOREVER};
    spawn(loop_current(), sleep_in, &s);
    CHECK(s.coro == NULL); /* from a coroutine it starts later in this turn */
    coro_yield();
    CHECK(s.coro != NULL && !s.returned);
    coro_wake(s.coro, 42);
    coro_wake(s.coro, 43);
    CHECK(!s.returned);
    coro_yield();
    CHECK(s.returned);
    CHECK_INT(s.result, 42);
    stop();
}

TEST(the_first_wake_gives_the_value)
{
    run_in_loop(wakes, NULL);
}

static void wake_before_park(void *arg)
{
    (void)arg;
    coro_wake(coro_current(), 7);
    coro_wake(coro_current(), 8);
    CHECK_INT(coro_park(CORO_FOREVER), 7);
    CHECK_INT(coro_park(0), FAIL_TIMEOUT);
    CHECK_INT(coro_park(1), FAIL_TIMEOUT);
    stop();
}

TEST(a_wake_before_the_park_is_kept)
{
    run_in_loop(wake_before_park, NULL);
}

static void cancels(void *arg)
{
    (void)arg;
    struct sleeper s = {.timeout_ms = CORO_FOREVER};
    spawn(loop_current(), sleep_in, &s);
    coro_yield();
    coro_cancel(s.coro);
    coro_yield();
    CHECK(s.returned);
    CHECK_INT(s.result, FAIL_CANCELLED);

    /* Woken first, then cancelled: the wake is not lost, the cancellation neither. */
    struct sleeper woken = {.timeout_ms = CORO_FOREVER};
    spawn(loop_current(), sleep_in, &woken);
    coro_yield();
    coro_wake(woken.coro, 5);
    coro_cancel(woken.coro);
    coro_yield();
    CHECK_INT(woken.result, 5);

    /* Itself, before it waits: the next wait says so, the one after that waits again. */
    CHECK(!coro_cancelled());
    coro_cancel(coro_current());
    CHECK(coro_cancelled());
    CHECK_INT(coro_sleep(1000000), FAIL_CANCELLED);
    CHECK_INT(coro_sleep(1), 0);
    CHECK(coro_cancelled());
    stop();
}

TEST(cancelling_ends_the_wait_once)
{
    run_in_loop(cancels, NULL);
}

static void woken_and_timed_out(void *arg)
{
    (void)arg;
    /* Many waits whose wake and time-out fall into the same turns: each returns exactly once. */
    for (int i = 0; i < 50; i++) {
        struct sleeper s = {.timeout_ms = 1};
        spawn(loop_current(), sleep_in, &s);
        coro_yield();
        int rc = coro_sleep(1);
        CHECK_INT(rc, 0);
        if (!s.returned)
            coro_wake(s.coro, 1);
        coro_yield();
        CHECK(s.returned);
        CHECK(s.result == 1 || s.result == FAIL_TIMEOUT);
    }
    stop();
}

TEST(wake_and_time_out_together_end_a_wait_once)
{
    run_in_loop(woken_and_timed_out, NULL);
}

/* --- spawning -------------------------------------------------------------------------------- */

struct counter {
    int started, finished;
    struct coro *coros[64];
};

static void count(void *arg)
{
    struct counter *c = arg;
    c->coros[c->started++] = coro_current();
    int rc = coro_park(CORO_FOREVER);
    CHECK_INT(rc, 0);
    c->finished++;
}

static void fill_the_pool(void *arg)
{
    struct counter *c = arg;
    struct error err = {0};
    for (int round = 0; round < 3; round++) {
        c->started = c->finished = 0;
        int spawned = 0;
        while (coro_spawn(loop_current(), count, c, &err) == 0)
            spawned++;
        CHECK_INT(spawned, 9); /* this one is the tenth */
        CHECK_INT(err.kind, FAIL_UNAVAILABLE);
        CHECK(err.retry_after_ms > 0);
        error_init(&err);
        coro_yield();
        CHECK_INT(c->started, 9);
        for (int i = 0; i < 9; i++)
            coro_wake(c->coros[i], 0);
        coro_yield();
        CHECK_INT(c->finished, 9);
    }
    struct loop_stats stats;
    loop_stats(loop_current(), &stats);
    CHECK_INT(stats.coroutines, 1);
    CHECK_INT(stats.coroutines_max, 10);
    CHECK_INT(stats.stacks, 10);
    stop();
}

TEST(a_full_pool_refuses_and_stacks_are_used_again)
{
    struct counter c;
    struct loop *loop = new_loop(10);
    spawn(loop, fill_the_pool, &c);
    loop_run(loop);
    loop_free(loop);
}

/* --- the line -------------------------------------------------------------------------------- */
struct waiting {
    struct coro_ticket ticket;
    unsigned turns;
    bool room;
};

static void my_turn(struct coro_ticket *ticket)
{
    struct waiting *w = CONTAINER_OF(ticket, struct waiting, ticket);
    w->turns++;
    w->room = coro_room(loop_current());
}

/* Of 16 stacks one is for the house; this coroutine has another. */
static void keep_places(void *arg)
{
    struct loop *loop = loop_current();
    struct waiting w = {0};
    (void)arg;
    for (int i = 0; i < 14; i++) {
        CHECK(coro_room(loop));
        coro_place_keep(loop);
    }
    CHECK(!coro_room(loop));
    coro_ticket_init(&w.ticket, my_turn);
    coro_line_up(loop, &w.ticket);
    coro_yield();
    CHECK_INT(w.turns, 0);
    coro_place_return(loop);
    CHECK(!coro_room(loop)); /* the line comes first */
    coro_yield();
    CHECK(w.turns == 1 && w.room && coro_room(loop));
    for (int i = 0; i < 13; i++)
        coro_place_return(loop);
    stop();
}

TEST(work_whose_coroutine_has_ended_counts_in_the_line)
{
    struct loop *loop = new_loop(16);
    spawn(loop, keep_places, NULL);
    loop_run(loop);
    loop_free(loop);
}

static void start_at_once(struct timer *timer)
{
    (void)timer;
    struct sleeper s = {.timeout_ms = 1000000};
    spawn(loop_current(), sleep_in, &s);
    CHECK(s.coro != NULL && !s.returned); /* it has run up to its wait */
    CHECK(coro_current() == NULL);
    stop();
}

TEST(outside_of_a_coroutine_it_starts_at_once)
{
    struct loop *loop = new_loop(0);
    struct timer timer;
    timer_init(&timer, start_at_once);
    timer_start(loop, &timer, 0);
    loop_run(loop);
    loop_free(loop); /* with one still parked: dropped as it stands */
}

/* --- registers and stacks -------------------------------------------------------------------- */

static void keep_values(void *arg)
{
    int *running = arg;
    volatile double seed = (double)(uintptr_t)&running;
    double a = seed * 1.5, b = seed / 3.0, c = seed - 0.25;
    long x = (long)seed ^ 1, y = (long)seed ^ 2, z = (long)seed ^ 4;
    for (int i = 0; i < 100; i++) {
        coro_yield();
        a += 1, b += 2, c += 3, x += 4, y += 5, z += 6;
    }
    CHECK(a == seed * 1.5 + 100 && b >= seed / 3.0 + 199 && c == seed - 0.25 + 300);
    CHECK(x == ((long)seed ^ 1) + 400 && y == ((long)seed ^ 2) + 500 &&
          z == ((long)seed ^ 4) + 600);
    if (--*running == 0)
        stop();
}

TEST(registers_survive_the_switch)
{
    struct loop *loop = new_loop(0);
    int running = 20;
    for (int i = 0; i < 20; i++)
        spawn(loop, keep_values, &running);
    loop_run(loop);
    loop_free(loop);
}

static void round_upward(void *arg)
{
    (void)arg;
    CHECK_INT(fegetround(), FE_TONEAREST);
    fesetround(FE_UPWARD);
    coro_yield();
    CHECK_INT(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
}

static void rounding_is_its_own(void *arg)
{
    (void)arg;
    spawn(loop_current(), round_upward, NULL);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(fegetround(), FE_TONEAREST);
        coro_yield();
    }
    stop();
}

TEST(the_rounding_mode_belongs_to_the_coroutine)
{
    run_in_loop(rounding_is_its_own, NULL);
}

static int touch(char *bytes, size_t len)
{
    int sum = 0;
    for (size_t i = 0; i < len; i += 512) {
        ((volatile char *)bytes)[i] = (char)i;
        sum += ((volatile char *)bytes)[i];
    }
    return sum;
}

static __attribute__((noinline)) void use_stack(void)
{
    char bytes[100 << 10];
    touch(bytes, sizeof bytes);
}

static void watermark(void *arg)
{
    (void)arg;
    size_t before = coro_stack_used_bytes();
    CHECK(before > 0 && before <= (64u << 10));
    use_stack();
    CHECK(coro_stack_used_bytes() >= (100u << 10));
    CHECK(coro_stack_used_bytes() <= (164u << 10));
    stop();
}

TEST(the_watermark_knows_how_deep_it_was)
{
    run_in_loop(watermark, NULL);
}

static void nap(void *arg)
{
    int *napping = arg;
    use_stack();
    int rc = coro_sleep(1);
    CHECK_INT(rc, 0);
    if (--*napping == 0)
        stop();
}

static void dry_watermark(void *arg)
{
    (void)arg;
    /* After the trim the stacks of the burst have no pages of theirs any more. */
    CHECK(coro_stack_used_bytes() < (100u << 10));
    stop();
}

TEST(stacks_of_a_burst_give_their_pages_back)
{
    struct clock_fake clock;
    clock_fake_init(&clock, 0);
    struct loop *loop = NULL;
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){.clock = &clock.clock}, &loop, &err), &err);
    int napping = 300;
    for (int i = 0; i < 300; i++)
        spawn(loop, nap, &napping);
    /* The clock moves between two runs of the loop. */
    for (int i = 0; i < 5; i++) {
        spawn(loop, (void (*)(void *))stop, NULL);
        loop_run(loop);
        clock_fake_advance(&clock, 1100);
    }
    CHECK_INT(napping, 0);
    /* 32 stay warm; the 60th of those that start together stands on a trimmed one. */
    int asleep = 60;
    for (int i = 0; i < 60; i++)
        spawn(loop, nap, &asleep);
    spawn(loop, dry_watermark, NULL);
    loop_run(loop);
    loop_free(loop);
}
