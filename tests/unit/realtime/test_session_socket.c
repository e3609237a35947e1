/* Sockets that go while something is under way for them: the coroutine that opens the session, or
 * ops. Run it under the address sanitizer. */
#include <sys/socket.h>
#include <unistd.h>

#include "net/websocket.h"
#include "realtime/ops.h"
#include "realtime/sse_session.h"
#include "realtime/ws_session.h"
#include "realtime_world.h"

enum { OPS = 3 };
static unsigned begun, ended;
static bool released; /* the ops may end */
static struct jwk *key;
static struct buf token;
static struct principal principal;

static int slow_op(struct request *req)
{
    int rc = 0;
    begun++;
    while (rc == 0 && !released)
        rc = coro_sleep(1);
    ended++;
    return rc < 0 ? error_set(&req->error, rc, "cancelled", "Told to end.")
                  : request_reply_json(req, 200, SLICE("{}"));
}

static const struct op ops[] = {{"slow", "Takes a while.", slow_op, NULL, NULL}};
static const struct module slow_module = {.name = "slow", .ops = ops, .op_count = ARRAY_LEN(ops)};
static const struct module *const socket_modules[] = {&slow_module, NULL};
static void *states[1];

static void open_sockets(void)
{
    struct error err;
    error_init(&err);
    open_world();
    kit.modules = socket_modules;
    kit.rooms = states;
    begun = ended = 0;
    released = false;
    realtime.ops_total = realtime.ops_failed = realtime.sessions_slow = realtime.resyncs;
    realtime.message_bytes_max = 65536;
    realtime.auth_timeout_ms = 60000;
    ops_collect(&realtime);
    CHECK_OK(jwk_from_secret(SLICE("0123456789abcdef0123456789abcdef"), &key, &err), &err);
    token_set_keys(kit.tokens, &key, 1);
    principal = (struct principal){.user = user, .session = id_new(&clock_system)};
    buf_init(&token, JWT_BYTES_MAX);
    CHECK_OK(token_issue(kit.tokens, &principal, &token, &err), &err);
}

static void close_sockets(void)
{
    buf_done(&token);
    close_world();
    ops_free(&realtime);
    jwk_unref(key);
}

/* A socket of the server; *ret_peer is the client's end. */
static struct conn *connect_pair(int *ret_peer)
{
    static const struct conn_ops none;
    struct conn *conn = NULL;
    struct error err;
    int fds[2];
    error_init(&err);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    CHECK_OK(conn_new(loop, fds[0], &none, NULL, &conn, &err), &err);
    *ret_peer = fds[1];
    return conn;
}

/* What the client is sent until the server ends the connection. */
static size_t read_to_end(int peer, char *bytes, size_t size)
{
    size_t len = 0;
    for (;;) {
        ssize_t n = read(peer, bytes + len, size - len);
        if (n == 0)
            break;
        if (n > 0)
            len += (size_t)n;
        else
            CHECK_INT(coro_sleep(1), 0);
    }
    close(peer);
    return len;
}

static void until_nobody(void)
{
    while (hubs[0]->sessions.count > 0)
        CHECK_INT(coro_sleep(1), 0);
}

static void start_socket(struct conn *conn, struct slice rest)
{
    struct ws_session_config config = {
        .token = buf_view(&token), .rest = rest, .from = {7, 0}, .has_from = true};
    ws_session_start(&realtime, conn, &config);
}

/* --- the opening coroutine ---------------------------------------------------------------------
 */
static void gone_while_opening(void)
{
    emit(&sent, 400, 2000);
    for (int turns = 0; turns < 12; turns++) {
        int peer;
        struct conn *conn = connect_pair(&peer);
        if (turns % 2 == 0)
            start_socket(conn, (struct slice){"", 0});
        else
            sse_session_start(&realtime, conn, &principal, &(struct position){7, 0}, NULL, 0);
        for (int i = 0; i < turns / 2; i++)
            coro_yield();
        close(peer);
        coro_yield();
        until_nobody();
    }
    CHECK_INT(coro_sleep(20), 0); /* whatever still runs ends */
    CHECK_INT(hubs[0]->sessions.count, 0);
}

TEST(a_socket_may_go_while_its_session_opens)
{
    open_sockets();
    run(gone_while_opening);
    close_sockets();
}

static void goodbye_before_opening(void)
{
    char binary[] = {(char)0x82, (char)0x80, 0, 0, 0, 0}, answer[4096];
    int peer;
    struct conn *conn = connect_pair(&peer);
    start_socket(conn, slice_of(binary, sizeof binary));
    coro_yield(); /* the coroutine has had its turn */
    coro_yield();
    CHECK_INT(hubs[0]->sessions.count, 0);
    CHECK(shutdown(peer, SHUT_WR) == 0);
    size_t len = read_to_end(peer, answer, sizeof answer);
    CHECK(len >= 4 && (uint8_t)answer[0] == 0x88); /* nothing but a close frame: 1003 */
    CHECK_INT((uint8_t)answer[2] << 8 | (uint8_t)answer[3], 1003);
}

TEST(a_socket_that_is_refused_before_its_session_opens_stays_out_of_the_hub)
{
    open_sockets();
    run(goodbye_before_opening);
    close_sockets();
}

/* --- ops ---------------------------------------------------------------------------------------
 */
static void send_ops(int peer)
{
    static const char text[] = "{\"id\":1,\"op\":\"slow\"}";
    char frame[100] = {(char)0x81, (char)(0x80 | (sizeof text - 1))}; /* mask 0 */
    memcpy(frame + 6, text, sizeof text - 1);
    for (int i = 0; i < OPS; i++)
        CHECK_INT(write(peer, frame, 6 + sizeof text - 1), 6 + sizeof text - 1);
}

static void gone_while_ops_run(void)
{
    int peer;
    struct conn *conn = connect_pair(&peer);
    start_socket(conn, (struct slice){"", 0});
    send_ops(peer);
    while (begun < OPS)
        CHECK_INT(coro_sleep(1), 0);
    close(peer);
    until_nobody();
    released = true;
    while (ended < OPS)
        CHECK_INT(coro_sleep(1), 0);
    coro_yield(); /* the last op has answered to nobody, and let go */
    coro_yield();
}

TEST(a_socket_may_go_while_its_ops_run)
{
    open_sockets();
    run(gone_while_ops_run);
    close_sockets();
}

static void revoked_while_ops_run(void)
{
    static char answer[64 << 10];
    int peer;
    struct conn *conn = connect_pair(&peer);
    start_socket(conn, (struct slice){"", 0});
    send_ops(peer);
    while (begun < OPS)
        CHECK_INT(coro_sleep(1), 0);
    token_revoke_session(kit.tokens, &principal.session);
    emit(&inner, 1, 4); /* session.revoked */
    until_nobody();
    released = true;
    while (ended < OPS)
        CHECK_INT(coro_sleep(1), 0);
    CHECK(shutdown(peer, SHUT_WR) == 0);
    size_t len = read_to_end(peer, answer, sizeof answer);
    CHECK(memmem(answer, len, "session_revoked", 15) != NULL);
    CHECK(memmem(answer, len, "\"id\":1", 6) == NULL); /* no answer behind the close frame */
}

TEST(a_revoked_socket_closes_at_once_and_gets_no_more_answers)
{
    open_sockets();
    run(revoked_while_ops_run);
    close_sockets();
}

/* --- the goodbye of one that reads slowly ------------------------------------------------------
 */
static void read_late(void)
{
    static char bytes[1 << 20], filling[512 << 10];
    int peer;
    struct conn *conn = connect_pair(&peer);
    start_socket(conn, (struct slice){"", 0});
    while (hubs[0]->sessions.count == 0)
        CHECK_INT(coro_sleep(1), 0);
    conn_send_bytes(conn, slice_of(filling, sizeof filling));
    hub_drain(hubs[0], 1);
    CHECK_INT(coro_sleep(3500), 0);
    size_t len = 0;
    ssize_t n = 1;
    while (n != 0 && memmem(bytes, len, "retry_after", 11) == NULL) {
        n = read(peer, bytes + len, sizeof bytes - len);
        len += n > 0 ? (size_t)n : 0;
        if (n < 0)
            CHECK_INT(coro_sleep(1), 0);
    }
    CHECK(n != 0);
    close(peer);
}

/* It had three seconds for all that lay before the close frame. */
TEST(bug_a_slow_reader_was_cut_off_before_the_goodbye)
{
    open_sockets();
    run(read_late);
    close_sockets();
}
