/* Offload pools: work is done elsewhere, the queue is bounded, a queued job can be taken back, a
 * started one is always waited for. A gate in the pool's thread makes the order certain. */
#include <pthread.h>
#include <stdatomic.h>

#include "harness.h"
#include "in_loop.h"
#include "io/offload.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open, reached;
};

static void gate_init(struct gate *gate)
{
    *gate = (struct gate){.open = false};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

static void pass_gate(void *arg)
{
    struct gate *gate = arg;
    pthread_mutex_lock(&gate->lock);
    gate->reached = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void wait_until_reached(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->reached)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

struct caller {
    struct offload *pool;
    struct coro *coro;
    void (*fn)(void *);
    void *arg;
    int64_t timeout_ms;
    int result;
    bool ended, cancelled_after;
    struct error err;
};

static void call(void *arg)
{
    struct caller *c = arg;
    c->coro = coro_current();
    c->result = offload_run(c->pool, c->fn, c->arg, c->timeout_ms, &c->err);
    c->cancelled_after = coro_park(0) == FAIL_CANCELLED;
    c->ended = true;
}

static void start(struct caller *c)
{
    struct error err = {0};
    CHECK_OK(coro_spawn(loop_current(), call, c, &err), &err);
    coro_yield();
}

static void count_up(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static struct offload *new_pool(unsigned threads, unsigned queue_max)
{
    struct offload *pool = NULL;
    struct error err = {0};
    struct offload_config config = {"test", threads, queue_max, 5};
    CHECK_OK(offload_new(&config, &pool, &err), &err);
    return pool;
}

static void finish(struct caller *c)
{
    while (!c->ended)
        CHECK_INT(coro_sleep(1), 0);
}

static void many_jobs(void *arg)
{
    (void)arg;
    enum { CALLERS = 200 };
    static struct caller callers[CALLERS];
    _Atomic int total = 0;
    struct offload *pool = new_pool(3, CALLERS);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){
            .pool = pool, .fn = count_up, .arg = &total, .timeout_ms = CORO_FOREVER};
        start(&callers[i]);
    }
    for (int i = 0; i < CALLERS; i++) {
        finish(&callers[i]);
        CHECK_INT(callers[i].result, 0);
    }
    CHECK_INT(total, CALLERS);
    CHECK_INT(offload_queued(pool), 0);
    offload_free(pool);
    stop();
}

TEST(every_job_is_run_once)
{
    run_in_loop(many_jobs, NULL);
}

static void bounded(void *arg)
{
    (void)arg;
    struct gate gate;
    gate_init(&gate);
    _Atomic int total = 0;
    struct offload *pool = new_pool(1, 2);
    struct caller busy = {.pool = pool, .fn = pass_gate, .arg = &gate, .timeout_ms = CORO_FOREVER};
    start(&busy);
    wait_until_reached(&gate);
    struct caller queued[2], refused;
    for (int i = 0; i < 2; i++) {
        queued[i] = (struct caller){
            .pool = pool, .fn = count_up, .arg = &total, .timeout_ms = CORO_FOREVER};
        start(&queued[i]);
    }
    CHECK_INT(offload_queued(pool), 2);
    refused = queued[0];
    refused.ended = false;
    start(&refused);
    CHECK(refused.ended);
    CHECK_INT(refused.result, FAIL_UNAVAILABLE);
    CHECK_STR(slice_str(refused.err.code), "busy");
    CHECK(refused.err.retry_after_ms > 0);

    /* Cancelled while queued: taken back, its place is free again. */
    coro_cancel(queued[0].coro);
    coro_yield();
    CHECK(queued[0].ended);
    CHECK_INT(queued[0].result, FAIL_CANCELLED);
    CHECK(!queued[0].cancelled_after);
    CHECK_INT(offload_queued(pool), 1);

    /* Timed out while queued. */
    struct caller late = {.pool = pool, .fn = count_up, .arg = &total, .timeout_ms = 1};
    start(&late);
    finish(&late);
    CHECK_INT(late.result, FAIL_TIMEOUT);

    /* Cancelled after its start: waited for, done, and the cancellation is there afterwards. */
    coro_cancel(busy.coro);
    for (int i = 0; i < 10; i++)
        coro_yield();
    CHECK(!busy.ended);
    open_gate(&gate);
    finish(&busy);
    CHECK_INT(busy.result, 0);
    CHECK(busy.cancelled_after);
    finish(&queued[1]);
    CHECK_INT(total, 1);
    offload_free(pool);
    stop();
}

TEST(the_queue_is_bounded_and_jobs_can_be_taken_back)
{
    run_in_loop(bounded, NULL);
}

static void started_job_outlives_its_timeout(void *arg)
{
    struct clock_fake *clock = arg;
    struct gate gate;
    gate_init(&gate);
    struct offload *pool = new_pool(1, 1);
    struct caller c = {.pool = pool, .fn = pass_gate, .arg = &gate, .timeout_ms = 1000};
    start(&c);
    wait_until_reached(&gate);
    clock_fake_advance(clock, 5000);
    for (int i = 0; i < 5; i++)
        coro_yield();
    CHECK(!c.ended);
    open_gate(&gate);
    while (!c.ended)
        coro_yield();
    CHECK_INT(c.result, 0);
    offload_free(pool);
    stop();
}

TEST(a_started_job_is_waited_for_past_its_time)
{
    struct clock_fake clock;
    clock_fake_init(&clock, 0);
    struct loop *loop = NULL;
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){.clock = &clock.clock}, &loop, &err), &err);
    CHECK_OK(coro_spawn(loop, started_job_outlives_its_timeout, &clock, &err), &err);
    loop_run(loop);
    loop_free(loop);
}

TEST(bad_pools_are_refused)
{
    static const struct offload_config bad[] = {{"none", 0, 1, 0},
                                                {"no queue", 1, 0, 0},
                                                {"a name too long", 1, 1, 0},
                                                {"many", 1025, 1, 0},
                                                {"eager", 1, 1, -1}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct offload *pool = NULL;
        struct error err = {0};
        CHECK_INT(offload_new(&bad[i], &pool, &err), FAIL_INVALID);
        CHECK(pool == NULL);
    }
}
