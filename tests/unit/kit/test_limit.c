/* Limits: what is allowed, what the answer says, and that a store that fails lets everybody in. */
#include <arpa/inet.h>

#include "harness.h"
#include "kit/limit.h"

static struct clock_fake fake;
static struct kv *kv;
static struct buf headers;
static struct error err;

static const struct limit_rule bucket = {"data", LIMIT_BUCKET, 3, 60000, "rate_limited"};
static const struct limit_rule window = {"login", LIMIT_WINDOW, 2, 60000, "too_many_attempts"};

static void open_world(void)
{
    error_init(&err);
    clock_fake_init(&fake, INT64_C(1795000000000));
    CHECK_OK(kv_memory_open(&fake.clock, 4096, &kv, &err), &err);
    buf_init(&headers, 4000);
}

static void close_world(void)
{
    buf_done(&headers);
    kv->ops->close(kv);
}

static int take(const struct limit_rule *rule, const char *key)
{
    error_init(&err);
    buf_clear(&headers);
    return limit_take(kv, rule, slice_str(key), &headers, &err);
}

static struct slice key_of(const char *text, struct in6_addr *ret_address)
{
    CHECK_INT(inet_pton(AF_INET6, text, ret_address), 1);
    return limit_address(ret_address);
}

TEST(bug_a_network_of_ipv6_had_as_many_allowances_as_addresses)
{
    struct in6_addr a, b;
    CHECK(slice_eq(key_of("2001:db8:1:2::1", &a), key_of("2001:db8:1:2:ffff:1:2:3", &b)));
    CHECK(!slice_eq(key_of("2001:db8:1:2::1", &a), key_of("2001:db8:1:3::1", &b)));
    CHECK(!slice_eq(key_of("::ffff:192.0.2.1", &a), key_of("::ffff:192.0.2.2", &b)));
    CHECK(slice_eq(key_of("::ffff:192.0.2.1", &a), key_of("::ffff:192.0.2.1", &b)));
}

TEST(a_bucket_refuses_says_when_and_fills_again)
{
    open_world();
    CHECK_INT(take(&bucket, "me"), 0);
    CHECK_STR(buf_view(&headers),
              "ratelimit-policy: \"data\";q=3;w=60\r\nratelimit: \"data\";r=2;t=20\r\n");
    CHECK_INT(take(&bucket, "me"), 0);
    CHECK_INT(take(&bucket, "me"), 0);
    CHECK_STR(buf_view(&headers),
              "ratelimit-policy: \"data\";q=3;w=60\r\nratelimit: \"data\";r=0;t=20\r\n");
    CHECK_INT(take(&bucket, "me"), FAIL_LIMITED);
    CHECK_STR(slice_str(err.code), "rate_limited");
    CHECK_INT(err.retry_after_ms, 20000);
    CHECK_STR(buf_view(&headers),
              "ratelimit-policy: \"data\";q=3;w=60\r\nratelimit: \"data\";r=0;t=20\r\n");
    CHECK_INT(take(&bucket, "you"), 0); /* everybody has their own */
    clock_fake_advance(&fake, err.retry_after_ms + 20000);
    CHECK_INT(take(&bucket, "me"), 0);
    close_world();
}

TEST(a_window_lets_in_who_comes_back_as_told)
{
    open_world();
    CHECK_INT(take(&window, "me"), 0);
    CHECK_INT(take(&window, "me"), 0);
    CHECK_INT(take(&window, "me"), FAIL_LIMITED);
    CHECK_STR(slice_str(err.code), "too_many_attempts");
    clock_fake_advance(&fake, err.retry_after_ms - 1);
    CHECK_INT(take(&window, "me"), FAIL_LIMITED);
    clock_fake_advance(&fake, 1);
    CHECK_INT(take(&window, "me"), 0);
    close_world();
}

/* However they lie in the two fixed windows that the store reckons with. */
TEST(bug_retry_after_longer_than_the_window)
{
    static const struct limit_rule once = {"daily", LIMIT_WINDOW, 1, 60000, "too_many"};
    for (int64_t at = 0; at < 60000; at += 7500) {
        open_world();
        CHECK_INT(take(&once, "me"), 0);
        clock_fake_advance(&fake, 60000 + at); /* the next is somewhere in a fixed window */
        CHECK_INT(take(&once, "me"), 0);
        CHECK_INT(take(&once, "me"), FAIL_LIMITED);
        CHECK_INT(err.retry_after_ms, 60000);
        CHECK_STR(buf_view(&headers),
                  "ratelimit-policy: \"daily\";q=1;w=60\r\nratelimit: \"daily\";r=0;t=60\r\n");
        clock_fake_advance(&fake, 59999);
        CHECK_INT(take(&once, "me"), FAIL_LIMITED);
        CHECK_INT(err.retry_after_ms, 1);
        clock_fake_advance(&fake, 1);
        CHECK_INT(take(&once, "me"), 0);
        close_world();
    }
}

TEST(a_limit_that_is_reset_begins_anew)
{
    open_world();
    CHECK_INT(take(&window, "me"), 0);
    CHECK_INT(take(&window, "me"), 0);
    limit_reset(kv, &window, SLICE("me"));
    CHECK_INT(take(&window, "me"), 0);
    CHECK_INT(take(&bucket, "me"), 0); /* rules do not share */
    close_world();
}

static int fail_take(struct kv *store, struct slice key, int64_t count, int64_t period_ms,
                     int64_t *ret_left, int64_t *ret_retry_ms, struct error *error)
{
    (void)store, (void)key, (void)count, (void)period_ms, (void)ret_left, (void)ret_retry_ms;
    return error_set(error, FAIL_UNAVAILABLE, "away", "The store is away.");
}

TEST(a_store_that_is_away_lets_everybody_in)
{
    static const struct kv_ops away = {.take_token = fail_take, .take_window = fail_take};
    struct kv broken = {&away};
    buf_init(&headers, 4000);
    error_init(&err);
    CHECK_INT(limit_take(&broken, &bucket, SLICE("me"), &headers, &err), 0);
    CHECK_INT(limit_take(&broken, &window, SLICE("me"), NULL, &err), 0);
    CHECK_INT(headers.len, 0);
    CHECK(err.kind == 0);
    buf_done(&headers);
}
