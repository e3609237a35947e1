/* Idempotency-Key: each request takes effect once, whatever becomes of the first one. In both
 * stores: the database, and memory for secrets. */
#include <stdio.h>

#include "harness.h"
#include "kit/consumer.h" /* kit_schema */
#include "kit/idempotency.h"

static struct clock_fake fake;
static struct kit kit;
static struct arena arena;
static const int64_t hour_ms = 3600 * 1000;

static void open_world(void)
{
    char path[512];
    struct error err;
    error_init(&err);
    clock_fake_init(&fake, INT64_C(1795000000000));
    snprintf(path, sizeof path, "%s/main.db", test_dir());
    struct db_config config = {
        .path = path, .readers = 1, .queue_max = 16, .batch_max = 16, .clock = &fake.clock};
    memset(&kit, 0, sizeof kit);
    kit.clock = &fake.clock;
    CHECK_OK(db_open(&config, &kit.main_db, &err), &err);
    CHECK_OK(db_migrate(kit.main_db, &kit_schema, 1, NULL, &err), &err);
    CHECK_OK(kv_memory_open(&fake.clock, 4096, &kit.kv, &err), &err);
    arena_init(&arena, 1 << 20);
}

static void close_world(void)
{
    arena_done(&arena);
    kit.kv->ops->close(kit.kv);
    db_close(kit.main_db);
}

struct attempt {
    struct request req;
    struct idempotency call;
};

static void prepare(struct attempt *a, const char *body, bool secret)
{
    memset(a, 0, sizeof *a);
    error_init(&a->req.error);
    a->req.kit = &kit;
    a->req.arena = &arena;
    buf_init(&a->req.answer, 1 << 20);
    buf_init(&a->req.headers, 4000);
    buf_lit(&a->req.headers, "ratelimit: now\r\n");
    a->call = (struct idempotency){.owner = {.bytes = {1}},
                                   .key = SLICE("key-1"),
                                   .request =
                                       idempotency_hash(SLICE("/path"), SLICE(""), slice_str(body)),
                                   .secret = secret};
}

static void done(struct attempt *a)
{
    buf_done(&a->req.answer);
    buf_done(&a->req.headers);
}

static int begin(struct attempt *a, const char *body, bool secret)
{
    prepare(a, body, secret);
    return idempotency_begin(&a->req, &a->call);
}

static void succeed(struct attempt *a)
{
    a->req.status = 201;
    buf_lit(&a->req.answer, "{\"made\":1}");
    buf_lit(&a->req.headers, "vary: x\r\netag: \"1-2\"\r\n");
    if (a->call.secret)
        buf_lit(&a->req.headers, "set-cookie: a=b\r\n");
    idempotency_end(&a->req, &a->call, true);
    done(a);
}

static void check_refused(const char *body, bool secret, int kind, const char *code)
{
    struct attempt a;
    CHECK_INT(begin(&a, body, secret), kind);
    CHECK_STR(slice_str(a.req.error.code), code);
    done(&a);
}

static void check_replayed(bool secret)
{
    struct attempt a;
    CHECK_INT(begin(&a, "body", secret), 1);
    CHECK_INT(a.req.status, 201);
    CHECK_STR(buf_view(&a.req.answer), "{\"made\":1}");
    CHECK_STR(buf_view(&a.req.headers),
              secret ? "ratelimit: now\r\nvary: x\r\netag: \"1-2\"\r\nset-cookie: a=b\r\n"
                     : "ratelimit: now\r\netag: \"1-2\"\r\n");
    done(&a);
}

static void once(bool secret)
{
    struct attempt first;
    open_world();
    CHECK_INT(begin(&first, "body", secret), 0);
    check_refused("body", secret, FAIL_CONFLICT, "idempotency_key_in_use");
    check_refused("other", secret, FAIL_INVALID, "idempotency_key_reused");
    succeed(&first);
    check_replayed(secret);
    check_replayed(secret);
    check_refused("other", secret, FAIL_INVALID, "idempotency_key_reused");
    clock_fake_advance(&fake, 24 * hour_ms - 1000);
    check_replayed(secret);
    clock_fake_advance(&fake, 1001);
    CHECK_INT(begin(&first, "other", secret), 0); /* after a day it is a new key */
    done(&first);
    close_world();
}

TEST(a_key_gives_the_first_answer_for_a_day)
{
    once(false);
}

TEST(a_key_of_a_secret_gives_the_first_answer_with_its_cookie)
{
    once(true);
}

static void failed(bool secret)
{
    struct attempt a;
    open_world();
    CHECK_INT(begin(&a, "body", secret), 0);
    idempotency_end(&a.req, &a.call, false);
    done(&a);
    CHECK_INT(begin(&a, "body", secret), 0); /* at once */
    idempotency_end(&a.req, &a.call, false);
    done(&a);
    CHECK_INT(begin(&a, "other", secret), 0);
    succeed(&a);
    close_world();
}

TEST(a_request_that_failed_may_be_tried_again)
{
    failed(false);
    failed(true);
}

static void stuck(bool secret)
{
    struct attempt lost, second;
    open_world();
    CHECK_INT(begin(&lost, "body", secret), 0); /* and its process dies */
    clock_fake_advance(&fake, 61 * 1000);       /* a request may take a minute */
    check_refused("body", secret, FAIL_CONFLICT, "idempotency_key_in_use");
    clock_fake_advance(&fake, 60 * 1000);
    CHECK_INT(begin(&second, "body", secret), 0);
    succeed(&second);
    check_replayed(secret);
    done(&lost);
    close_world();
}

TEST(a_claim_that_nobody_works_at_is_taken_over)
{
    stuck(false);
    stuck(true);
}

/* --- cancelled ---------------------------------------------------------------------------------
 */
static bool secret_now;

static void cancelled_main(void *arg)
{
    struct attempt a;
    (void)arg;
    CHECK_INT(begin(&a, "body", secret_now), 0);
    coro_cancel(coro_current()); /* the client has gone */
    CHECK_INT(coro_sleep(1000), FAIL_CANCELLED);
    idempotency_end(&a.req, &a.call, false);
    done(&a);
    CHECK_INT(begin(&a, "body", secret_now), 0);
    coro_cancel(coro_current());
    succeed(&a);
    check_replayed(secret_now);
    loop_stop(loop_current());
}

static void cancelled(bool secret)
{
    struct loop *loop = NULL;
    struct error err;
    error_init(&err);
    open_world();
    secret_now = secret;
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    CHECK_OK(coro_spawn(loop, cancelled_main, NULL, &err), &err);
    loop_run(loop);
    close_world(); /* its writer may still be waking the loop */
    loop_free(loop);
}

TEST(a_request_that_is_cancelled_leaves_no_claim_behind)
{
    cancelled(false);
    cancelled(true);
}

/* --- owners and cleaning -----------------------------------------------------------------------
 */
TEST(keys_of_two_owners_have_nothing_to_do_with_each_other)
{
    struct attempt a, b;
    open_world();
    CHECK_INT(begin(&a, "body", false), 0);
    prepare(&b, "body", false);
    b.call.owner.bytes[0] = 2;
    CHECK_INT(idempotency_begin(&b.req, &b.call), 0);
    succeed(&a);
    idempotency_end(&b.req, &b.call, false);
    done(&b);
    check_replayed(false);
    close_world();
}

TEST(old_keys_are_dropped_and_young_ones_kept)
{
    struct attempt a;
    struct error err;
    error_init(&err);
    open_world();
    CHECK_INT(begin(&a, "body", false), 0);
    succeed(&a);
    CHECK_OK(idempotency_clean(&kit, &err), &err);
    check_replayed(false);
    clock_fake_advance(&fake, 25 * hour_ms);
    CHECK_OK(idempotency_clean(&kit, &err), &err);
    CHECK_INT(begin(&a, "other", false), 0);
    done(&a);
    close_world();
}

TEST(hashes_tell_the_parts_apart)
{
    struct id one = idempotency_hash(SLICE("a"), SLICE("bc"), SLICE(""));
    struct id two = idempotency_hash(SLICE("ab"), SLICE("c"), SLICE(""));
    struct id three = idempotency_hash(SLICE("a"), SLICE("bc"), SLICE(""));
    CHECK(!id_eq(&one, &two));
    CHECK(id_eq(&one, &three));
}
