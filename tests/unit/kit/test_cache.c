/* The cache: made once for all who ask at the same time, on whatever loop; never what was before an
 * invalidation; a maker that is cancelled or fails does not hold up the others. Run it under the
 * thread sanitizer too. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "kit/cache.h"

enum { LOOPS = 3, CROWD = 1000, OUT_MAX = 256 << 10, ARENA_MAX = 1 << 20 };

static struct kit kit;
static struct clock_fake fake;
static struct cache *cache;
static struct loop *loops[LOOPS];
static _Atomic int made, answered, wrong;

static void open_world(const struct clock *clock)
{
    struct error err;
    error_init(&err);
    kit = (struct kit){.clock = clock};
    made = answered = wrong = 0;
    CHECK_OK(kv_memory_open(clock, 4096, &kit.kv, &err), &err);
    cache = cache_new(&kit, "test", 300000);
}

static void close_world(void)
{
    cache_free(cache);
    kit.kv->ops->close(kit.kv);
}

static int make_text(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    (void)arena, (void)err;
    atomic_fetch_add(&made, 1);
    buf_str(out, arg);
    return 0;
}

/* One call whose answer is compared; returns what cache_get did. */
static int ask(const char *key, cache_make_fn *make, void *arg, const char *want, struct error *err)
{
    struct arena arena;
    struct buf out;
    arena_init(&arena, ARENA_MAX);
    buf_init(&out, OUT_MAX);
    error_init(err);
    int rc = cache_get(cache, slice_str(key), make, arg, &arena, &out, err);
    if (want != NULL) {
        CHECK_OK(rc, err);
        CHECK_STR(buf_view(&out), want);
    }
    buf_done(&out);
    arena_done(&arena);
    return rc;
}

TEST(a_value_is_made_once_and_kept_for_its_time)
{
    struct error err;
    clock_fake_init(&fake, 1795000000000);
    open_world(&fake.clock);
    ask("k", make_text, "one", "one", &err);
    ask("k", make_text, "two", "one", &err);
    ask("other", make_text, "three", "three", &err);
    CHECK_INT(made, 2);
    clock_fake_advance(&fake, 299999);
    ask("k", make_text, "two", "one", &err);
    clock_fake_advance(&fake, 1);
    ask("k", make_text, "two", "two", &err);
    cache_forget(cache, SLICE("k"));
    ask("k", make_text, "four", "four", &err);
    CHECK_INT(made, 4);
    close_world();
}

static int make_large(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    (void)arg, (void)arena, (void)err;
    atomic_fetch_add(&made, 1);
    for (int i = 0; i < (64 << 10) + 1; i++)
        buf_char(out, 'x');
    return 0;
}

TEST(a_value_that_the_store_does_not_take_is_answered)
{
    struct error err;
    open_world(&clock_system);
    CHECK_OK(ask("large", make_large, NULL, NULL, &err), &err);
    CHECK_OK(ask("large", make_large, NULL, NULL, &err), &err);
    CHECK_INT(made, 2);
    close_world();
}

/* --- a store that is away ----------------------------------------------------------------------
 */

static int away_get(struct kv *kv, struct slice key, struct arena *arena, struct slice *ret_value,
                    struct error *err)
{
    (void)kv, (void)key, (void)arena, (void)ret_value;
    return error_set(err, FAIL_UNAVAILABLE, "kv_away", "Away.");
}
static int away_set(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
                    struct error *err)
{
    (void)kv, (void)key, (void)value, (void)ttl_ms;
    return error_set(err, FAIL_UNAVAILABLE, "kv_away", "Away.");
}
static int away_remove(struct kv *kv, struct slice key, struct error *err)
{
    (void)kv, (void)key;
    return error_set(err, FAIL_UNAVAILABLE, "kv_away", "Away.");
}

TEST(without_the_store_everything_is_made_anew)
{
    static const struct kv_ops ops = {.get = away_get, .set = away_set, .remove = away_remove};
    struct kv away = {.ops = &ops};
    struct error err;
    open_world(&clock_system);
    struct kv *there = kit.kv;
    kit.kv = &away;
    ask("k", make_text, "one", "one", &err);
    ask("k", make_text, "two", "two", &err);
    cache_forget(cache, SLICE("k"));
    kit.kv = there;
    close_world();
}

/* --- a crowd on several loops ------------------------------------------------------------------
 */

static _Atomic int running; /* coroutines that have not ended, over all loops */

static int make_slowly(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    (void)arena;
    atomic_fetch_add(&made, 1);
    int rc = coro_sleep(50);
    if (rc < 0)
        return error_set(err, rc, "cancelled", "Told to end.");
    buf_str(out, arg);
    return 0;
}

static void one_of_the_crowd(void *arg)
{
    struct error err;
    ask("crowd", make_slowly, arg, arg, &err);
    atomic_fetch_add(&answered, 1);
    if (atomic_fetch_sub(&running, 1) == 1)
        for (int i = 0; i < LOOPS; i++)
            loop_stop(loops[i]);
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void run_crowd(void (*fn)(void *), void *arg, int crowd)
{
    pthread_t threads[LOOPS];
    struct error err;
    error_init(&err);
    atomic_store(&running, crowd);
    for (int i = 0; i < LOOPS; i++)
        CHECK_OK(loop_new(&(struct loop_config){.index = (unsigned)i}, &loops[i], &err), &err);
    for (int i = 0; i < crowd; i++)
        CHECK_OK(coro_spawn(loops[i % LOOPS], fn, arg, &err), &err);
    for (int i = 0; i < LOOPS; i++)
        CHECK(pthread_create(&threads[i], NULL, run_loop, loops[i]) == 0);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < LOOPS; i++)
        loop_free(loops[i]);
}

TEST(a_stampede_of_a_thousand_makes_once)
{
    open_world(&clock_system);
    run_crowd(one_of_the_crowd, "the value", CROWD);
    CHECK_INT(made, 1);
    CHECK_INT(answered, CROWD);
    close_world();
}

/* --- a maker that does not come to its end -----------------------------------------------------
 */

static int fail_first(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    const int *failures = arg;
    (void)arena;
    int turn = atomic_fetch_add(&made, 1);
    if (coro_sleep(20) < 0)
        return error_set(err, FAIL_CANCELLED, "cancelled", "Told to end.");
    if (turn < *failures)
        return error_set(err, FAIL_UNAVAILABLE, "away", "The test says no.");
    buf_lit(out, "late");
    return 0;
}

static _Atomic int refused;

static void ask_a_failing_one(void *arg)
{
    struct error err;
    int rc = ask("fails", fail_first, arg, NULL, &err);
    if (rc < 0) {
        atomic_fetch_add(&refused, 1);
        if (rc != FAIL_UNAVAILABLE || strcmp(err.code, "away") != 0)
            atomic_fetch_add(&wrong, 1);
    }
    atomic_fetch_add(&answered, 1);
    if (atomic_fetch_sub(&running, 1) == 1)
        for (int i = 0; i < LOOPS; i++)
            loop_stop(loops[i]);
}

TEST(after_a_failure_the_next_one_tries)
{
    int failures = 1;
    open_world(&clock_system);
    refused = 0;
    run_crowd(ask_a_failing_one, &failures, 60);
    CHECK_INT(made, 2);
    CHECK_INT(answered, 60);
    CHECK_INT(refused, 1); /* the maker itself */
    CHECK_INT(wrong, 0);
    close_world();
}

TEST(two_failures_are_the_answer_for_all)
{
    int failures = 1000;
    open_world(&clock_system);
    refused = 0;
    run_crowd(ask_a_failing_one, &failures, 60);
    CHECK_INT(answered, 60);
    CHECK_INT(refused, 60);
    CHECK(made <= 4); /* two for the crowd; who comes only after that begins anew */
    CHECK_INT(wrong, 0);
    close_world();
}

static struct coro *first;
static int first_rc;

static void be_cancelled(void *arg)
{
    struct error err;
    (void)arg;
    first = coro_current();
    first_rc = ask("slow", make_slowly, "value", NULL, &err);
}

static void wait_for_the_cancelled(void *arg)
{
    struct error err;
    (void)arg;
    coro_cancel(first);
    ask("slow", make_slowly, "value", "value", &err);
    loop_stop(loop_current());
}

TEST(a_cancelled_maker_hands_over)
{
    struct error err;
    error_init(&err);
    open_world(&clock_system);
    CHECK_OK(loop_new(&(struct loop_config){0}, &loops[0], &err), &err);
    CHECK_OK(coro_spawn(loops[0], be_cancelled, NULL, &err), &err);
    CHECK_OK(coro_spawn(loops[0], wait_for_the_cancelled, NULL, &err), &err);
    loop_run(loops[0]);
    loop_free(loops[0]);
    CHECK_INT(first_rc, FAIL_CANCELLED);
    CHECK_INT(made, 2);
    close_world();
}

static void make_first(void *arg)
{
    struct error err;
    (void)arg;
    ask("slow", make_slowly, "value", "value", &err);
    loop_stop(loop_current());
}

static void wait_in_vain(void *arg)
{
    struct error err;
    (void)arg;
    coro_cancel(coro_current());
    CHECK_INT(ask("slow", make_slowly, "value", NULL, &err), FAIL_CANCELLED);
}

TEST(a_cancelled_waiter_leaves_the_others_alone)
{
    struct error err;
    error_init(&err);
    open_world(&clock_system);
    CHECK_OK(loop_new(&(struct loop_config){0}, &loops[0], &err), &err);
    CHECK_OK(coro_spawn(loops[0], make_first, NULL, &err), &err);
    CHECK_OK(coro_spawn(loops[0], wait_in_vain, NULL, &err), &err);
    loop_run(loops[0]);
    loop_free(loops[0]);
    CHECK_INT(made, 1);
    close_world();
}

/* --- an invalidation beats a making ------------------------------------------------------------
 */

static int make_and_forget(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    (void)arena, (void)err;
    buf_str(out, arg);
    cache_forget(cache, SLICE("k")); /* the change comes after we have read */
    return 0;
}

TEST(what_was_made_before_an_invalidation_is_not_kept)
{
    struct error err;
    open_world(&clock_system);
    ask("k", make_and_forget, "old", "old", &err);
    ask("k", make_text, "new", "new", &err);
    ask("k", make_text, "newer", "new", &err);
    close_world();
}

/* A store in front of the real one, where something happens around a call. */
static struct kv *real;
static void (*after_get)(void), (*before_set)(void);

static void happen(void (**hook)(void))
{
    void (*fn)(void) = *hook;
    *hook = NULL;
    if (fn != NULL)
        fn();
}

static int hooked_get(struct kv *kv, struct slice key, struct arena *arena, struct slice *ret_value,
                      struct error *err)
{
    (void)kv;
    int rc = real->ops->get(real, key, arena, ret_value, err);
    happen(&after_get); /* the answer is on its way: what happens now is too late for it */
    return rc;
}
static int hooked_set(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
                      struct error *err)
{
    (void)kv;
    happen(&before_set);
    return real->ops->set(real, key, value, ttl_ms, err);
}
static int hooked_remove(struct kv *kv, struct slice key, struct error *err)
{
    (void)kv;
    return real->ops->remove(real, key, err);
}

static void open_hooked(struct kv *hooked)
{
    static const struct kv_ops ops = {
        .get = hooked_get, .set = hooked_set, .remove = hooked_remove};
    open_world(&clock_system);
    hooked->ops = &ops;
    real = kit.kv;
    kit.kv = hooked;
}

static void forget_it(void)
{
    cache_forget(cache, SLICE("k"));
}

static void somebody_makes_it(void)
{
    struct error err;
    ask("k", make_text, "theirs", "theirs", &err);
}

TEST(an_invalidation_while_it_is_being_stored_wins)
{
    struct kv hooked;
    struct error err;
    open_hooked(&hooked);
    before_set = forget_it;
    ask("k", make_text, "old", "old", &err);
    ask("k", make_text, "new", "new", &err);
    kit.kv = real;
    close_world();
}

TEST(who_just_missed_it_does_not_make_it_again)
{
    struct kv hooked;
    struct error err;
    open_hooked(&hooked);
    after_get = somebody_makes_it;
    ask("k", make_text, "mine", "theirs", &err);
    CHECK_INT(made, 1);
    kit.kv = real;
    close_world();
}

/* A number that a thread counts up, forgetting it in the cache each time; whoever asks afterwards
 * must not see less. */
static _Atomic long truth, acknowledged;
static _Atomic bool over;

static int make_number(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    (void)arg, (void)arena, (void)err;
    long now = atomic_load(&truth);
    if (atomic_fetch_add(&made, 1) % 4 == 0)
        coro_yield(); /* what was read grows old */
    buf_i64(out, now);
    return 0;
}

static void watch_number(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        struct arena arena;
        struct buf out;
        struct error err;
        int64_t got = -1;
        arena_init(&arena, ARENA_MAX);
        buf_init(&out, OUT_MAX);
        error_init(&err);
        long least = atomic_load(&acknowledged);
        CHECK_OK(cache_get(cache, SLICE("number"), make_number, NULL, &arena, &out, &err), &err);
        if (!slice_to_i64(buf_view(&out), &got) || got < least)
            atomic_fetch_add(&wrong, 1);
        buf_done(&out);
        arena_done(&arena);
        if (i % 8 == 0)
            coro_yield();
    }
    if (atomic_fetch_sub(&running, 1) == 1) {
        atomic_store(&over, true);
        for (int i = 0; i < LOOPS; i++)
            loop_stop(loops[i]);
    }
}

static void *count_up(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        long next = atomic_fetch_add(&truth, 1) + 1;
        cache_forget(cache, SLICE("number"));
        atomic_store(&acknowledged, next);
    }
    return NULL;
}

TEST(nobody_sees_what_was_before_an_invalidation)
{
    pthread_t thread;
    open_world(&clock_system);
    truth = acknowledged = 0;
    over = false;
    CHECK(pthread_create(&thread, NULL, count_up, NULL) == 0);
    run_crowd(watch_number, NULL, 24);
    pthread_join(thread, NULL);
    CHECK_INT(wrong, 0);
    CHECK(made > 0);
    close_world();
}
