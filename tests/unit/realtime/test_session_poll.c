/* Long polling: waiting on one's own condition, whoever else wakes the coroutine, and an answer
 * whatever ends the wait. */
#include "net/http_server_private.h"
#include "realtime_world.h"

static struct principal principal;
static struct coro *polling;
static int poll_rc;
static struct request req;
static struct arena arena;
/* What a poll sees of its client: there, or gone. */
static struct conn client = {.state = CONN_OPEN};
static struct http_conn client_http = {.conn = &client};
static struct http_work work = {.x.conn = &client_http};

static void poll(const char *query)
{
    struct error *err = &req.error;
    memset(&req, 0, sizeof req);
    error_init(err);
    arena_reset(&arena);
    principal = (struct principal){.user = user, .expires_ms = INT64_MAX};
    req.kit = &kit;
    req.room = &realtime;
    req.arena = &arena;
    req.principal = &principal;
    req.exchange = &work.x;
    buf_init(&req.answer, 16 << 20);
    void *decoded = arena_alloc(&arena, poll_query_schema.size);
    CHECK_OK(schema_decode_query(&poll_query_schema, slice_str(query), &arena, decoded, err), err);
    req.query = decoded;
    polling = coro_current();
    poll_rc = poll_updates(&req);
    polling = NULL;
}

static void check_answer(const char *items)
{
    char want[200];
    CHECK_INT(poll_rc, 0);
    CHECK_INT(req.status, 200);
    snprintf(want, sizeof want, "{\"items\":[%s],\"pos\":\"00000007-%llx\"}", items,
             (unsigned long long)event_log_head(kit.log));
    CHECK_STR(buf_view(&req.answer), want);
    buf_done(&req.answer);
}

static void nothing_comes(void)
{
    poll("");
    check_answer("");
    poll("pos=00000007-0&timeout=0");
    check_answer("");
    int64_t before = clock_mono_ms(&clock_system);
    poll("pos=00000007-0&timeout=1");
    check_answer("");
    CHECK(clock_mono_ms(&clock_system) - before >= 999);
}

TEST(a_poll_without_news_ends_in_time)
{
    open_world();
    arena_init(&arena, 1 << 20);
    run(nothing_comes);
    arena_done(&arena);
    close_world();
}

static bool emitted;

static void poke_then_emit(void *arg)
{
    (void)arg;
    for (int i = 0; i < 300; i++) { /* wakes that were meant for something else */
        if (polling != NULL)
            coro_wake(polling, i % 2);
        coro_yield();
    }
    emit(&inner, 1, 4);
    CHECK_INT(coro_sleep(20), 0);
    CHECK(polling != NULL); /* nothing that a client sees has come */
    emitted = true;
    emit(&sent, 1, 4);
}

static void news_come(void)
{
    struct error err;
    error_init(&err);
    emitted = false;
    CHECK_OK(coro_spawn(loop, poke_then_emit, NULL, &err), &err);
    poll("pos=00000007-0&timeout=55");
    CHECK(emitted);
    check_answer("{\"event\":\"message.sent\",\"pos\":\"00000007-2\",\"data\":\"xx\"}");
}

TEST(a_poll_that_is_woken_by_somebody_else_waits_on)
{
    open_world();
    arena_init(&arena, 1 << 20);
    run(news_come);
    arena_done(&arena);
    close_world();
}

/* The only session of the hub, closed in whatever state it is. */
static void close_session(unsigned code)
{
    struct realtime_session *session = handle_peek(&hubs[0]->sessions, 0);
    if (session != NULL)
        session->ops->close(session, code, "");
}

static void close_while_it_reads(void *arg)
{
    while (hubs[0]->sessions.count == 0)
        coro_yield();
    close_session(*(unsigned *)arg);
}

static void close_while_it_waits(void *arg)
{
    CHECK_INT(coro_sleep(30), 0);
    close_session(*(unsigned *)arg);
}

static void poll_and_close(void (*how)(void *), unsigned code)
{
    struct error err;
    error_init(&err);
    CHECK_OK(coro_spawn(loop, how, &code, &err), &err);
    poll("pos=00000007-0&timeout=55");
    CHECK_INT(hubs[0]->sessions.count, 0);
}

static void the_node_drains(void)
{
    poll_and_close(close_while_it_reads, 4009);
    check_answer("");
    poll_and_close(close_while_it_waits, 4009);
    check_answer("");
}

TEST(a_poll_on_a_node_that_drains_is_answered)
{
    open_world();
    arena_init(&arena, 1 << 20);
    run(the_node_drains);
    arena_done(&arena);
    close_world();
}

static void the_session_is_revoked(void)
{
    poll_and_close(close_while_it_reads, 4003);
    CHECK_INT(poll_rc, FAIL_UNAUTHENTICATED);
    buf_done(&req.answer);
    poll_and_close(close_while_it_waits, 4003);
    CHECK_INT(poll_rc, FAIL_UNAUTHENTICATED);
    CHECK_STR(slice_str(req.error.code), "token_revoked");
    buf_done(&req.answer);
}

TEST(a_poll_of_a_revoked_session_is_refused)
{
    open_world();
    arena_init(&arena, 1 << 20);
    run(the_session_is_revoked);
    arena_done(&arena);
    close_world();
}

static void cancel(void *arg)
{
    (void)arg;
    CHECK_INT(coro_sleep(30), 0);
    coro_cancel(polling);
}

static void the_client_goes(void)
{
    struct error err;
    error_init(&err);
    CHECK_OK(coro_spawn(loop, cancel, NULL, &err), &err);
    poll("pos=00000007-0&timeout=55");
    CHECK_INT(poll_rc, FAIL_UNAVAILABLE);
    CHECK_INT(hubs[0]->sessions.count, 0);
    buf_done(&req.answer);
    emit(&sent, 1, 4); /* nobody is there to be poked */
    while (served < 1)
        coro_yield();
}

TEST(a_poll_that_is_cancelled_leaves_the_hub)
{
    open_world();
    arena_init(&arena, 1 << 20);
    run(the_client_goes);
    arena_done(&arena);
    close_world();
}
