/* What every ephemeral store must do, whichever stands behind the door (engine/kv.h). */
#include <pthread.h>
#include <stdio.h>

#include "harness.h"
#include "kv_engine.h"

static struct clock_fake fake;
static struct kv *kv;
static struct arena arena;
static struct error err;

static void open_store(size_t entries_max)
{
    clock_fake_init(&fake, 1700000000000);
    clock_fake_advance(&fake, 1000000); /* windows of 1000 ms begin here */
    arena_init(&arena, 1 << 20);
    error_init(&err);
    CHECK_OK(kv_engine_open(&fake.clock, entries_max, &kv, &err), &err);
}

static void close_store(void)
{
    kv->ops->close(kv);
    arena_done(&arena);
}

static struct slice get(const char *key)
{
    struct slice value = {0};
    CHECK_OK(kv->ops->get(kv, slice_str(key), &arena, &value, &err), &err);
    return value;
}

static void set(const char *key, const char *value, int64_t ttl_ms)
{
    CHECK_OK(kv->ops->set(kv, slice_str(key), slice_str(value), ttl_ms, &err), &err);
}

TEST(kv_set_get_remove)
{
    open_store(1000);
    CHECK(get("a").ptr == NULL);
    set("a", "one", 0);
    CHECK_STR(get("a"), "one");
    set("a", "", 0);
    CHECK(get("a").ptr != NULL && get("a").len == 0); /* empty is not absent */
    CHECK_OK(kv->ops->remove(kv, SLICE("a"), &err), &err);
    CHECK_OK(kv->ops->remove(kv, SLICE("a"), &err), &err);
    CHECK(get("a").ptr == NULL);
    close_store();
}

TEST(kv_values_end_with_their_time)
{
    open_store(1000);
    set("short", "x", 100);
    set("long", "y", 1000);
    set("forever", "z", 0);
    clock_fake_advance(&fake, 99);
    CHECK_STR(get("short"), "x");
    clock_fake_advance(&fake, 1);
    CHECK(get("short").ptr == NULL);
    set("long", "again", 1000); /* setting it again starts its time anew */
    clock_fake_advance(&fake, 999);
    CHECK_STR(get("long"), "again");
    clock_fake_advance(&fake, 365 * 86400000LL);
    CHECK(get("long").ptr == NULL);
    CHECK_STR(get("forever"), "z");
    close_store();
}

TEST(kv_add_stores_only_what_is_absent)
{
    open_store(1000);
    bool stored = false;
    CHECK_OK(kv->ops->add(kv, SLICE("lock"), SLICE("me"), 500, &stored, &err), &err);
    CHECK(stored);
    CHECK_OK(kv->ops->add(kv, SLICE("lock"), SLICE("you"), 500, &stored, &err), &err);
    CHECK(!stored);
    CHECK_STR(get("lock"), "me");
    clock_fake_advance(&fake, 500);
    CHECK_OK(kv->ops->add(kv, SLICE("lock"), SLICE("you"), 500, &stored, &err), &err);
    CHECK(stored);
    CHECK_STR(get("lock"), "you");
    close_store();
}

TEST(kv_counters)
{
    open_store(1000);
    int64_t n = 0;
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), 5, 1000, &n, &err), &err);
    CHECK_INT(n, 5);
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), -7, 1000, &n, &err), &err);
    CHECK_INT(n, -2);
    clock_fake_advance(&fake, 1000); /* the time to live is that of the creation */
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), 1, 1000, &n, &err), &err);
    CHECK_INT(n, 1);
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), INT64_MAX - 1, 1000, &n, &err), &err);
    CHECK(kv->ops->increment(kv, SLICE("n"), 1, 1000, &n, &err) < 0);
    CHECK_INT(n, INT64_MAX);
    close_store();
}

TEST(kv_counters_read_as_text_and_nothing_is_taken_for_one)
{
    open_store(1000);
    int64_t n = 0, left, retry;
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), -12, 0, &n, &err), &err);
    CHECK_STR(get("n"), "-12");
    set("n", "12345678", 0); /* as long as a counter may be inside */
    CHECK_STR(get("n"), "12345678");
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), 3, 0, &n, &err), &err);
    CHECK_INT(n, 3);
    CHECK_OK(kv->ops->take_token(kv, SLICE("n"), 5, 1000, &left, &retry, &err), &err);
    CHECK_INT(left, 4);
    CHECK(get("n").ptr == NULL); /* a limit is nobody's to read */
    CHECK_OK(kv->ops->take_window(kv, SLICE("n"), 5, 1000, &left, &retry, &err), &err);
    CHECK_INT(left, 4);
    CHECK_OK(kv->ops->increment(kv, SLICE("n"), 1, 0, &n, &err), &err);
    CHECK_INT(n, 1);
    close_store();
}

TEST(kv_refuses_long_keys_and_values)
{
    open_store(1000);
    static char bytes[(64 << 10) + 1];
    memset(bytes, 'k', sizeof bytes);
    CHECK_OK(kv->ops->set(kv, slice_of(bytes, 256), slice_of(bytes, 64 << 10), 0, &err), &err);
    CHECK(kv->ops->set(kv, slice_of(bytes, 257), SLICE("v"), 0, &err) < 0);
    error_init(&err);
    CHECK(kv->ops->set(kv, SLICE(""), SLICE("v"), 0, &err) < 0);
    error_init(&err);
    CHECK_INT(kv->ops->set(kv, SLICE("k"), slice_of(bytes, sizeof bytes), 0, &err), FAIL_TOO_LARGE);
    close_store();
}

/* --- limits ---------------------------------------------------------------------------------- */
static int64_t take(int (*how)(struct kv *, struct slice, int64_t, int64_t, int64_t *, int64_t *,
                               struct error *),
                    int64_t count, int64_t period_ms, int64_t *ret_retry_ms)
{
    int64_t left = -2;
    CHECK_OK(how(kv, SLICE("limit"), count, period_ms, &left, ret_retry_ms, &err), &err);
    return left;
}

TEST(kv_token_bucket_refills_evenly)
{
    open_store(1000);
    int64_t retry = -1;
    for (int64_t left = 9; left >= 0; left--)
        CHECK_INT(take(kv->ops->take_token, 10, 1000, &retry), left);
    CHECK_INT(take(kv->ops->take_token, 10, 1000, &retry), -1);
    CHECK_INT(retry, 100);
    clock_fake_advance(&fake, 99);
    CHECK_INT(take(kv->ops->take_token, 10, 1000, &retry), -1);
    CHECK_INT(retry, 1);
    clock_fake_advance(&fake, 1);
    CHECK_INT(take(kv->ops->take_token, 10, 1000, &retry), 0);
    clock_fake_advance(&fake, 250);
    CHECK_INT(take(kv->ops->take_token, 10, 1000, &retry), 1);
    clock_fake_advance(&fake, 100000); /* never more than full */
    CHECK_INT(take(kv->ops->take_token, 10, 1000, &retry), 9);
    close_store();
}

TEST(kv_token_bucket_with_a_rate_that_does_not_divide)
{
    open_store(1000);
    int64_t retry, granted = 0;
    for (int i = 0; i < 100000; i++) { /* 7 tokens a second for 100 s, asked every millisecond */
        granted += take(kv->ops->take_token, 7, 1000, &retry) >= 0;
        clock_fake_advance(&fake, 1);
    }
    CHECK_INT(granted, 7 + 700 - 1);
    close_store();
}

TEST(kv_window_never_lets_more_through)
{
    open_store(1000);
    int64_t retry;
    for (int64_t left = 9; left >= 0; left--)
        CHECK_INT(take(kv->ops->take_window, 10, 1000, &retry), left);
    CHECK_INT(take(kv->ops->take_window, 10, 1000, &retry), -1);
    CHECK(retry > 0 && retry <= 1000);
    int granted = 0;
    for (int ms = 0; ms < 1000; ms++) { /* a fixed window would let ten more through at its edge */
        granted += take(kv->ops->take_window, 10, 1000, &retry) >= 0;
        clock_fake_advance(&fake, 1);
    }
    CHECK(granted <= 10);
    clock_fake_advance(&fake, 5000);
    CHECK_INT(take(kv->ops->take_window, 10, 1000, &retry), 9);
    close_store();
}

/* In any span of one period at most the limit and what the weighing of two windows lets slip. */
TEST(kv_window_keeps_the_rate_and_says_when_to_come_back)
{
    open_store(1000);
    int64_t retry, granted = 0, start = fake.mono_ns;
    while (fake.mono_ns - start < 100 * 777 * INT64_C(1000000)) {
        bool free = take(kv->ops->take_window, 13, 777, &retry) >= 0;
        granted += free;
        CHECK(free || (retry > 0 && retry <= 777));
        clock_fake_advance(&fake, free ? 1 : retry);
    }
    CHECK(granted <= 13 * 101);
    CHECK(granted >= 13 * 50); /* whoever waits as told is not starved */
    close_store();
}

/* Whoever comes back as told is let in, and a millisecond earlier nobody is. */
TEST(kv_window_says_exactly_when_to_come_back)
{
    static const int64_t limits[] = {1, 2, 3, 7, 13, 100};
    static const int64_t periods[] = {1, 10, 777, 1000, 60000};
    for (size_t l = 0; l < ARRAY_LEN(limits); l++)
        for (size_t p = 0; p < ARRAY_LEN(periods); p++) {
            int64_t retry = 0;
            open_store(1000);
            for (int i = 0; i < 500; i++) {
                if (take(kv->ops->take_window, limits[l], periods[p], &retry) >= 0) {
                    clock_fake_advance(&fake, i * 7919 % (periods[p] / 3 + 1));
                    continue;
                }
                CHECK(retry > 0 && retry <= periods[p]);
                clock_fake_advance(&fake, retry - 1);
                int64_t last;
                CHECK(retry == 1 || take(kv->ops->take_window, limits[l], periods[p], &last) < 0);
                CHECK(retry == 1 || last == 1);
                clock_fake_advance(&fake, 1);
                CHECK(take(kv->ops->take_window, limits[l], periods[p], &retry) >= 0);
            }
            close_store();
        }
}

TEST(kv_a_small_store_is_small)
{
    static const size_t sizes[] = {0, 1, 10, 100, 1000};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        char key[32];
        size_t there = 0;
        open_store(sizes[s]);
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof key, "key-%d", i);
            set(key, "x", 0);
        }
        CHECK_STR(get(key), "x"); /* the newest always */
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof key, "key-%d", i);
            there += get(key).ptr != NULL;
            arena_reset(&arena);
        }
        CHECK(there >= 1 && there <= (sizes[s] > 0 ? sizes[s] : 1));
        close_store();
    }
}

TEST(kv_a_full_store_gives_up_what_expires_soonest)
{
    open_store(4096);
    char key[32];
    set("keep", "me", 0);
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "temporary-%d", i);
        set(key, "x", 1000 + i);
    }
    CHECK_STR(get("keep"), "me");
    CHECK_STR(get(key), "x");
    int there = 0;
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "temporary-%d", i);
        there += get(key).ptr != NULL;
        arena_reset(&arena);
    }
    CHECK(there > 0 && there < 4096);
    close_store();
}

static void *count_up(void *arg)
{
    struct error mine;
    error_init(&mine);
    for (int i = 0; i < 1000; i++) {
        int64_t n;
        CHECK_OK(kv->ops->increment(kv, SLICE("shared"), 1, 0, &n, &mine), &mine);
        char key[32];
        snprintf(key, sizeof key, "%p-%d", arg, i);
        CHECK_OK(kv->ops->set(kv, slice_str(key), SLICE("x"), 10, &mine), &mine);
    }
    return NULL;
}

TEST(kv_from_many_threads)
{
    open_store(500);
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count_up, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    int64_t n = 0;
    CHECK_OK(kv->ops->increment(kv, SLICE("shared"), 0, 0, &n, &err), &err);
    CHECK_INT(n, 4000);
    close_store();
}
