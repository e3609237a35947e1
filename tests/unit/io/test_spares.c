/* Records kept for next time: on a loop's thread only, up to a number, and none left behind. */
#include <stdlib.h>

#include "harness.h"
#include "io/loop.h"
#include "io/spares.h"

enum { KEPT = 3 };

static int made, freed;
static int freed_at_last; /* while the loop still ran */

static void free_record(struct spare *spare)
{
    freed++;
    free(spare);
}

static const struct spares_kind records = {SPARES_OPS, KEPT, free_record};
static const struct spares_kind others = {SPARES_EDGE, KEPT, free_record};

static struct spare *take(const struct spares_kind *kind)
{
    struct spare *spare = spares_take(kind);
    if (spare != NULL)
        return spare;
    made++;
    return xcalloc(1, sizeof *spare);
}

static void use(struct task *task)
{
    struct spare *first = take(&records), *second = take(&records);
    spares_keep(&records, first);
    CHECK(spares_take(&others) == NULL); /* each kind has its own */
    CHECK(take(&records) == first);
    CHECK_INT(made, 2);
    spares_keep(&records, first);
    spares_keep(&records, second);
    struct spare *many[KEPT + 2];
    for (int i = 0; i < KEPT + 2; i++)
        many[i] = take(&records);
    CHECK_INT(made, KEPT + 2);
    for (int i = 0; i < KEPT + 2; i++)
        spares_keep(&records, many[i]);
    CHECK_INT(freed, 2); /* only so many are kept */
    loop_stop(loop_current());
}

TEST(a_loop_keeps_some_and_frees_them_when_its_thread_leaves)
{
    struct loop *loop;
    struct error err;
    error_init(&err);
    made = freed = 0;
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    struct task task;
    task_init(&task, use);
    loop_defer(loop, &task);
    loop_run(loop);
    CHECK_INT(freed, made);
    loop_free(loop);
}

/* --- after a burst ---------------------------------------------------------------------------- */
enum { BURST = SPARES_KEPT + 50 };
static const struct spares_kind ample = {SPARES_OPS, BURST, free_record};

struct seconds {
    struct timer timer;
    struct clock_fake clock;
    int passed;
};

static void use_many(void)
{
    struct spare *many[BURST];
    for (int i = 0; i < BURST; i++)
        many[i] = take(&ample);
    for (int i = 0; i < BURST; i++)
        spares_keep(&ample, many[i]);
}

/* In use during the first two seconds, in none from then on. */
static void next_second(struct timer *timer)
{
    struct seconds *s = CONTAINER_OF(timer, struct seconds, timer);
    if (s->passed++ < 2) {
        use_many();
        CHECK_INT(freed, 0);
    }
    clock_fake_advance(&s->clock, 1100);
    if (s->passed == 8) {
        freed_at_last = freed;
        loop_stop(loop_current());
        return;
    }
    timer_start(loop_current(), timer, 1);
}

TEST(what_a_burst_needed_is_freed_when_nobody_needs_it)
{
    struct loop *loop;
    struct error err;
    struct seconds seconds = {0};
    error_init(&err);
    clock_fake_init(&seconds.clock, 0);
    made = freed = 0;
    CHECK_OK(loop_new(&(struct loop_config){.clock = &seconds.clock.clock}, &loop, &err), &err);
    timer_init(&seconds.timer, next_second);
    timer_start(loop, &seconds.timer, 0);
    loop_run(loop);
    CHECK_INT(made, BURST);
    CHECK_INT(freed_at_last, BURST - SPARES_KEPT);
    CHECK_INT(freed, BURST);
    loop_free(loop);
}

TEST(without_a_loop_nothing_is_kept)
{
    made = freed = 0;
    spares_keep(&records, take(&records));
    CHECK(spares_take(&records) == NULL);
    CHECK_INT(freed, 1);
}
