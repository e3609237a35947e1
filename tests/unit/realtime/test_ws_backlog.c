/* A client that sends more than can be done at once, or than it takes the answers of: every op is
 * answered, in order where order is promised, and what is kept meanwhile is bounded. */
#include <sys/socket.h>
#include <unistd.h>

#include "net/websocket.h"
#include "realtime/ops.h"
#include "realtime/ws_private.h"
#include "realtime/ws_session.h"
#include "realtime_world.h"

static struct jwk *key;
static struct buf token;
static struct principal principal;
static unsigned under_way, most_under_way, done;

static int slow_op(struct request *req)
{
    under_way++;
    most_under_way = under_way > most_under_way ? under_way : most_under_way;
    int rc = coro_sleep(1);
    under_way--;
    done++;
    return rc < 0 ? error_set(&req->error, rc, "cancelled", "Told to end.")
                  : request_reply_json(req, 200, SLICE("{}"));
}

/* Waits until the test says so. */
static bool gate_open;
static int gate_op(struct request *req)
{
    while (!gate_open)
        if (coro_sleep(1) < 0)
            return error_set(&req->error, FAIL_CANCELLED, "cancelled", "Told to end.");
    return request_reply_json(req, 200, SLICE("{}"));
}

static const struct op ops[] = {{"slow", "Takes a while.", slow_op, NULL, NULL},
                                {"gate", "Waits.", gate_op, NULL, NULL}};
static const struct module slow_module = {.name = "slow", .ops = ops, .op_count = ARRAY_LEN(ops)};
static const struct module *const socket_modules[] = {&slow_module, NULL};
static void *states[1];

static void open_sockets(size_t stacks_max)
{
    struct error err;
    error_init(&err);
    loop_stacks = stacks_max;
    open_world();
    loop_stacks = 0;
    kit.modules = socket_modules;
    kit.rooms = states;
    under_way = most_under_way = done = 0;
    gate_open = false;
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

/* --- the client --------------------------------------------------------------------------------
 */
struct client {
    int fd;
    struct conn *conn; /* the server's end */
    struct ws_reader reader;
    unsigned sent, answered;
    bool in_order; /* answers must come in the order of the ops */
    bool busy;     /* something was refused */
    unsigned last_id;
    size_t out_at, out_len; /* of `out`: what the socket has not taken yet */
    char out[16 << 10];
};

static void connect_client(struct client *c, struct slice rest)
{
    static const struct conn_ops none;
    struct error err;
    int fds[2];
    error_init(&err);
    memset(c, 0, sizeof *c);
    c->in_order = true;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    CHECK_OK(conn_new(loop, fds[0], &none, NULL, &c->conn, &err), &err);
    c->fd = fds[1];
    ws_reader_init(&c->reader, false, false, 1 << 20);
    struct ws_session_config config = {
        .token = buf_view(&token), .rest = rest, .from = {7, 0}, .has_from = true};
    ws_session_start(&realtime, c->conn, &config);
}

static size_t op_frame(char *frame, const char *op, unsigned id)
{
    int len = snprintf(frame + 6, 90, "{\"id\":%u,\"op\":\"%s\"}", id, op);
    frame[0] = (char)0x81;
    frame[1] = (char)(0x80 | len);
    memset(frame + 2, 0, 4); /* mask 0 */
    return (size_t)len + 6;
}

/* Sends ops as far as the socket takes them; false when it takes nothing. */
static bool send_some(struct client *c, const char *op, unsigned until)
{
    if (c->out_at == c->out_len)
        c->out_at = c->out_len = 0;
    while (c->out_at == 0 && c->sent < until && c->out_len + 100 < sizeof c->out)
        c->out_len += op_frame(c->out + c->out_len, op, ++c->sent);
    ssize_t n = write(c->fd, c->out + c->out_at, c->out_len - c->out_at);
    c->out_at += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void take_answer(struct client *c, struct slice text)
{
    unsigned id;
    if (!slice_starts(text, SLICE("{\"id\":")))
        return; /* ready */
    CHECK_INT(sscanf(text.ptr, "{\"id\":%u", &id), 1);
    if (c->in_order)
        CHECK_INT(id, c->last_id + 1);
    c->last_id = id;
    c->answered++;
    c->busy |= memmem(text.ptr, text.len, "error", 5) != NULL;
}

static void hear(struct client *c)
{
    static char bytes[64 << 10];
    struct ws_message message;
    struct error err;
    uint16_t code;
    ssize_t n = read(c->fd, bytes, sizeof bytes);
    struct slice in = slice_of(bytes, n > 0 ? (size_t)n : 0);
    while (in.len > 0 && ws_read(&c->reader, &in, &message, &code, &err) > 0) {
        CHECK_INT(message.opcode, WS_TEXT);
        take_answer(c, message.data);
    }
}

static void leave(struct client *c)
{
    close(c->fd);
    ws_reader_done(&c->reader);
    while (hubs[0]->sessions.count > 0)
        CHECK_INT(coro_sleep(1), 0);
}

static struct ws_session *session_of(const struct client *c)
{
    return c->conn->user;
}

/* --- floods ------------------------------------------------------------------------------------
 */
static const char *flood_op;
enum { FLOOD = 100000, FEW = 20000 };
static unsigned flood_count;

static void flood(void)
{
    struct client c;
    connect_client(&c, (struct slice){"", 0});
    c.in_order = flood_op[0] == 'p';
    uint32_t most = 0;
    while (c.answered < flood_count) {
        send_some(&c, flood_op, flood_count);
        hear(&c);
        most = c.conn->queued_bytes > most ? c.conn->queued_bytes : most;
        coro_yield();
    }
    CHECK_INT(c.answered, flood_count);
    CHECK(!c.busy);
    CHECK(most <= realtime.queue_bytes_max);
    leave(&c);
}

TEST(a_hundred_thousand_pipelined_pings_are_answered_in_order)
{
    open_sockets(0);
    flood_op = "ping";
    flood_count = FLOOD;
    run(flood);
    close_sockets();
}

TEST(ops_above_what_one_session_may_have_under_way_wait_in_the_socket)
{
    open_sockets(0);
    flood_op = "slow";
    flood_count = FLOOD;
    run(flood);
    CHECK_INT(done, FLOOD);
    CHECK_INT(most_under_way, WS_CALLS_MAX);
    close_sockets();
}

TEST(ops_above_the_number_of_coroutines_wait_in_the_socket)
{
    open_sockets(32); /* two of them for the house */
    flood_op = "slow";
    flood_count = FEW; /* thirty in a millisecond */
    run(flood);
    CHECK_INT(done, FEW);
    CHECK(most_under_way >= 20 && most_under_way <= 30);
    close_sockets();
}

/* --- others are served -------------------------------------------------------------------------
 */
static void another_in_the_line(void)
{
    struct client greedy, polite;
    connect_client(&greedy, (struct slice){"", 0});
    connect_client(&polite, (struct slice){"", 0});
    greedy.in_order = false;
    unsigned rounds = 0;
    while (polite.answered < 50 && ++rounds < 5000) {
        send_some(&greedy, "slow", UINT32_MAX);
        hear(&greedy);
        if (polite.sent == polite.answered)
            send_some(&polite, "slow", polite.sent + 1);
        hear(&polite);
        CHECK_INT(coro_sleep(1), 0);
    }
    CHECK_INT(polite.answered, 50);
    CHECK(!polite.busy && !greedy.busy);
    close(polite.fd);
    ws_reader_done(&polite.reader);
    leave(&greedy);
    while (under_way > 0)
        CHECK_INT(coro_sleep(1), 0);
}

TEST(a_flood_does_not_keep_coroutines_from_another_client)
{
    open_sockets(8);
    run(another_in_the_line);
    close_sockets();
}

/* --- what is kept ------------------------------------------------------------------------------
 */
static void who_never_reads(void)
{
    struct client c;
    connect_client(&c, (struct slice){"", 0});
    for (unsigned idle = 0; idle < 50; idle = send_some(&c, "ping", UINT32_MAX) ? 0 : idle + 1)
        CHECK_INT(coro_sleep(1), 0);
    CHECK(session_of(&c)->backlog != NULL);
    CHECK_INT(ws_waits_for(session_of(&c)), WS_WAITS_FOR_CLIENT);
    CHECK(!ws_backlog_is_ours(session_of(&c))); /* the heartbeat may end it */
    CHECK(c.conn->queued_bytes <= realtime.queue_bytes_max / 2 + WS_ANSWERS_BYTES);
    unsigned total = c.sent;
    while (c.answered < total) { /* it reads after all: nothing is missing */
        if (c.out_at < c.out_len)
            send_some(&c, "ping", total);
        hear(&c);
        coro_yield();
    }
    CHECK(session_of(&c)->backlog == NULL);
    leave(&c);
}

TEST(who_sends_and_never_reads_is_not_read_from)
{
    open_sockets(0);
    run(who_never_reads);
    close_sockets();
}

static void gone_while_kept(void)
{
    for (int turns = 0; turns < 2; turns++) {
        struct client c;
        connect_client(&c, (struct slice){"", 0});
        gate_open = false;
        send_some(&c, "gate", WS_CALLS_MAX + 20);
        while (session_of(&c)->backlog == NULL)
            CHECK_INT(coro_sleep(1), 0);
        CHECK_INT(session_of(&c)->calls, WS_CALLS_MAX);
        CHECK(ws_backlog_is_ours(session_of(&c))); /* not its silence but ours */
        leave(&c);
        gate_open = true;
        CHECK_INT(coro_sleep(20), 0);
    }
}

TEST(a_client_may_go_while_its_ops_are_kept)
{
    open_sockets(0);
    run(gone_while_kept);
    close_sockets();
}

static void closed_while_kept(void)
{
    struct client c;
    char goodbye[] = {(char)0x88, (char)0x82, 0, 0, 0, 0, 3, (char)0xe8};
    connect_client(&c, (struct slice){"", 0});
    send_some(&c, "gate", WS_CALLS_MAX + 20);
    CHECK_INT(write(c.fd, goodbye, sizeof goodbye), sizeof goodbye);
    while (session_of(&c)->backlog == NULL)
        CHECK_INT(coro_sleep(1), 0);
    session_of(&c)->base.ops->close(&session_of(&c)->base, 4003, "session_revoked");
    /* Found: the connection ends at once, and not after the wait for the peer's close frame. */
    char end[4096];
    ssize_t n = -1;
    for (int ms = 0; ms < 1000 && n != 0; ms++) {
        CHECK_INT(coro_sleep(1), 0);
        n = read(c.fd, end, sizeof end);
    }
    CHECK_INT(n, 0);
    leave(&c);
    gate_open = true;
    CHECK_INT(coro_sleep(20), 0);
}

TEST(a_goodbye_behind_kept_ops_is_found_when_the_session_closes)
{
    open_sockets(0);
    run(closed_while_kept);
    close_sockets();
}

static void behind_the_handshake(void)
{
    static char rest[(WS_CALLS_MAX + 100) * 40];
    struct client c;
    size_t len = 0;
    for (unsigned id = 1; id <= WS_CALLS_MAX + 100; id++)
        len += op_frame(rest + len, "slow", id);
    connect_client(&c, slice_of(rest, len));
    c.in_order = false;
    CHECK(session_of(&c)->backlog != NULL);
    while (c.answered < WS_CALLS_MAX + 100) {
        hear(&c);
        CHECK_INT(coro_sleep(1), 0);
    }
    CHECK(!c.busy);
    leave(&c);
}

TEST(ops_that_came_with_the_handshake_wait_like_others)
{
    open_sockets(0);
    run(behind_the_handshake);
    close_sockets();
}
