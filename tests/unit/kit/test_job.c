/* Jobs: they come again, survive a failure, leave the turn to who has it, and end when told. */
#include <stdio.h>

#include "harness.h"
#include "kit/job.h"

static struct kit kit;
static struct loop *loop;
static struct loop *loops[1];
static void *states[1];
static unsigned runs, failing_runs, foreign_runs;
static bool inside, entered;

static int count_run(void *room, struct error *err)
{
    (void)room, (void)err;
    runs++;
    return 0;
}

static int fail_run(void *room, struct error *err)
{
    (void)room;
    failing_runs++;
    return error_set(err, FAIL_INTERNAL, "no", "The test says no.");
}

static int foreign_run(void *room, struct error *err)
{
    (void)room, (void)err;
    foreign_runs++;
    return 0;
}

/* Takes its time to end, as a transaction does. */
static int long_run(void *room, struct error *err)
{
    (void)room;
    inside = entered = true;
    int rc = coro_sleep(3600000);
    for (int i = 0; i < 100; i++)
        coro_yield();
    inside = false;
    return rc < 0 ? error_set(err, rc, "cancelled", "Told to end.") : 0;
}

static const struct job jobs_table[] = {
    {"count", 2, count_run}, {"fail", 2, fail_run}, {"foreign", 2, foreign_run}};
static const struct job long_table[] = {{"long", 2, long_run}, {"never", 3600000, count_run}};
static struct module room = {.name = "room"};
static const struct module *const modules[] = {&room, NULL};

static void open_world(const struct job *jobs, size_t count)
{
    struct error err;
    error_init(&err);
    runs = failing_runs = foreign_runs = 0;
    room.jobs = jobs;
    room.job_count = count;
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    loops[0] = loop;
    kit = (struct kit){.clock = &clock_system,
                       .loops = loops,
                       .loop_count = 1,
                       .modules = modules,
                       .rooms = states};
    CHECK_OK(kv_memory_open(&clock_system, 4096, &kit.kv, &err), &err);
}

static void close_world(void)
{
    kit.kv->ops->close(kit.kv);
    loop_free(loop);
}

static void run(void (*fn)(void *))
{
    struct error err;
    error_init(&err);
    CHECK_OK(coro_spawn(loop, fn, NULL, &err), &err);
    loop_run(loop);
}

static void several_times(void *arg)
{
    (void)arg;
    struct error err;
    bool mine;
    error_init(&err);
    CHECK_OK(kit.kv->ops->add(kit.kv, SLICE("job:foreign"), SLICE("1"), 3600000, &mine, &err),
             &err);
    struct jobs *jobs = jobs_start(&kit);
    CHECK_INT(runs, 0); /* first after one period */
    while (runs < 3 || failing_runs < 3)
        CHECK_INT(coro_sleep(1), 0);
    CHECK_INT(foreign_runs, 0); /* somebody else has that turn */
    jobs_stop(jobs);
    unsigned before = runs;
    CHECK_INT(coro_sleep(20), 0);
    CHECK_INT(runs, before);
    loop_stop(loop);
}

TEST(jobs_come_again_and_survive_a_failure)
{
    open_world(jobs_table, ARRAY_LEN(jobs_table));
    run(several_times);
    close_world();
}

static void stop_a_long_one(void *arg)
{
    (void)arg;
    struct jobs *jobs = jobs_start(&kit);
    while (!entered)
        CHECK_INT(coro_sleep(1), 0);
    jobs_stop(jobs);
    CHECK(!inside); /* its room may go now */
    jobs = jobs_start(&kit);
    jobs_stop(jobs); /* before it has begun */
    jobs_stop(NULL);
    CHECK_INT(runs, 0);
    loop_stop(loop);
}

TEST(stopping_waits_for_the_job_that_runs)
{
    open_world(long_table, ARRAY_LEN(long_table));
    run(stop_a_long_one);
    close_world();
}
