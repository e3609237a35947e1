/* Signs of life: marked on the loops, taken once, merged, bounded. */
#include <stdlib.h>

#include "harness.h"
#include "io/coro.h"
#include "kit/activity.h"

#define NOW INT64_C(1795000000000)

static void check_sorted(const struct activity_seen *seen, size_t count)
{
    for (size_t i = 1; i < count; i++)
        CHECK(id_cmp(&seen[i - 1].user, &seen[i].user) < 0);
}

TEST(each_user_is_taken_once_with_the_latest_time)
{
    struct clock_fake clock;
    struct activity_seen *seen;
    size_t count;
    clock_fake_init(&clock, NOW);
    int64_t mono_ms = clock_mono_ms(&clock.clock);
    struct activity *a = activity_new(&clock.clock, 2);
    struct id ada = id_new(&clock.clock), bob = id_new(&clock.clock);
    activity_note(a, 0, &bob, mono_ms);
    activity_note(a, 0, &ada, mono_ms);
    activity_note(a, 1, &ada, mono_ms + 500);
    activity_note(a, 0, &bob, mono_ms + 100);
    activity_take(a, NULL, &seen, &count);
    CHECK_INT(count, 2);
    check_sorted(seen, count);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(seen[i].at_ms, id_eq(&seen[i].user, &ada) ? NOW + 500 : NOW + 100);
    free(seen);
    activity_take(a, NULL, &seen, &count);
    CHECK(seen == NULL && count == 0);
    activity_note(a, 1, &bob, mono_ms + 900); /* in a table that was used before */
    activity_take(a, NULL, &seen, &count);
    CHECK_INT(count, 1);
    CHECK(id_eq(&seen[0].user, &bob));
    free(seen);
    activity_free(a);
}

TEST(many_users_and_a_bound)
{
    enum { MORE = 1000 };
    struct clock_fake clock;
    struct activity_seen *seen;
    size_t count;
    clock_fake_init(&clock, NOW);
    struct activity *a = activity_new(&clock.clock, 1);
    struct id *ids = malloc((ACTIVITY_USERS_MAX + MORE) * sizeof *ids);
    for (unsigned i = 0; i < ACTIVITY_USERS_MAX + MORE; i++) {
        ids[i] = id_new(&clock.clock);
        activity_note(a, 0, &ids[i], 0);
        activity_note(a, 0, &ids[i / 2], 0);
    }
    activity_take(a, NULL, &seen, &count);
    CHECK_INT(count, ACTIVITY_USERS_MAX);
    check_sorted(seen, count);
    free(seen);
    free(ids);
    activity_free(a);
}

/* --- on loops that run -------------------------------------------------------------------------
 */

struct world {
    struct clock_fake clock;
    struct activity *activity;
    struct loop *loops[1];
    struct id ada;
    size_t count;
};

static void mark_and_take(void *arg)
{
    struct world *w = arg;
    struct activity_seen *seen;
    activity_mark(w->activity, &w->ada);
    activity_mark(NULL, &w->ada); /* the command line has none */
    activity_take(w->activity, w->loops, &seen, &w->count);
    free(seen);
    loop_stop(w->loops[0]);
}

TEST(the_loops_are_visited)
{
    struct world w = {.count = 0};
    struct loop_config config = {.index = 0, .stacks_max = 16};
    struct error err;
    error_init(&err);
    clock_fake_init(&w.clock, NOW);
    w.activity = activity_new(&w.clock.clock, 1);
    w.ada = id_new(&w.clock.clock);
    CHECK_OK(loop_new(&config, &w.loops[0], &err), &err);
    CHECK_OK(coro_spawn(w.loops[0], mark_and_take, &w, &err), &err);
    loop_run(w.loops[0]);
    CHECK_INT(w.count, 1);
    loop_free(w.loops[0]);
    activity_free(w.activity);
}
