/* The WebSocket transport: frames in, frames out, closing (API.md, "WebSocket").
 *
 * A session is held by its socket, by the coroutine that opens it and by each op under way; it is
 * freed when the last of them lets go.
 *
 * A client that does not read: typing goes first, then the session is closed with 4008 and its
 * queue dropped; it comes back with its position and has everything. One that asks for more than
 * can be done at once is read from later (ws_backlog.c).
 */
#include <stdlib.h>

#include "realtime/envelope.h"
#include "realtime/ws_private.h"

enum {
    CLOSE_WAIT_MS = 3000, /* for the peer's half of the close handshake */
    CLOSE_WAITS_MAX = 2   /* in which it took nothing of what lies before our half */
};

struct ws_session *ws_of(struct realtime_session *session)
{
    return CONTAINER_OF(session, struct ws_session, base);
}

void ws_unref(struct ws_session *s)
{
    if (--s->refs > 0)
        return;
    session_done(&s->base);
    ws_reader_done(&s->reader);
    free(s);
}

/* --- closing -----------------------------------------------------------------------------------
 */

static void close_timed_out(struct timer *timer)
{
    struct ws_session *s = CONTAINER_OF(timer, struct ws_session, base.heartbeat);
    if (s->conn == NULL)
        return;
    uint32_t left = s->conn->queued_bytes;
    if (left != s->close_left) {
        s->close_waits = 0;
    } else if (left == 0 || ++s->close_waits == CLOSE_WAITS_MAX) {
        conn_abort(s->conn);
        return;
    }
    s->close_left = left;
    timer_start(s->conn->loop, timer, CLOSE_WAIT_MS);
}

static void start_close_timer(struct ws_session *s)
{
    struct loop *loop = s->conn->loop;
    timer_stop(&s->base.heartbeat);
    timer_init(&s->base.heartbeat, close_timed_out);
    timer_start(loop, &s->base.heartbeat, CLOSE_WAIT_MS);
}

static bool drop_all(const struct frame *frame, void *unused)
{
    (void)frame, (void)unused;
    return true;
}

void ws_close_with(struct ws_session *s, unsigned code, struct slice reason)
{
    if (s->closing || s->conn == NULL)
        return;
    if (code != WS_CODE_SLOW)
        ws_answers_flush(s);
    if (s->closing) /* the answers were too many */
        return;
    s->closing = true;
    if (s->base.hub != NULL)
        hub_remove(s->base.hub, &s->base);
    if (code == WS_CODE_SLOW)
        conn_drop(s->conn, drop_all, NULL);
    struct buf out;
    buf_init(&out, 256);
    ws_close_frame(&out, (uint16_t)code, reason);
    conn_send_bytes(s->conn, buf_view(&out));
    buf_done(&out);
    start_close_timer(s);
    ws_backlog_go_on(s); /* the peer's close frame may lie there */
}

static void ws_close(struct realtime_session *session, unsigned code, const char *reason)
{
    ws_close_with(ws_of(session), code, slice_str(reason));
}

/* --- sending -----------------------------------------------------------------------------------
 */

void ws_queue(struct ws_session *s, struct frame *frame, bool ephemeral)
{
    if (s->conn == NULL || s->closing)
        return;
    bool slow;
    if (session_may_queue(s->realtime, s->conn, frame, ephemeral, &slow))
        conn_send(s->conn, frame);
    else if (slow)
        ws_close_with(s, WS_CODE_SLOW, SLICE("too_slow"));
}

static void ws_send(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    struct ws_session *s = ws_of(session);
    ws_answers_flush(s);
    ws_queue(s, frame, ephemeral);
}

static size_t ws_queued(const struct realtime_session *session)
{
    const struct ws_session *s = CONTAINER_OF(session, const struct ws_session, base);
    return s->conn != NULL ? s->conn->queued_bytes : 0;
}

static void send_control(struct ws_session *s, enum ws_opcode opcode, struct slice data)
{
    struct buf out;
    buf_init(&out, 256);
    ws_frame(&out, opcode, data, 0);
    ws_answers_flush(s);
    conn_send_bytes(s->conn, buf_view(&out));
    buf_done(&out);
}

static void ws_heartbeat(struct realtime_session *session)
{
    struct ws_session *s = ws_of(session);
    if (!s->heard && !s->closing && !ws_backlog_is_ours(s)) {
        conn_abort(s->conn); /* silent since the last ping */
        return;
    }
    s->heard = false;
    send_control(s, WS_PING, (struct slice){"", 0});
}

static void no_poke(struct realtime_session *session)
{
    (void)session;
}

static bool ws_peer(const struct realtime_session *session, struct in6_addr *ret_address)
{
    *ret_address = CONTAINER_OF(session, const struct ws_session, base)->peer;
    return true;
}

const struct session_ops ws_plain_ops = {ENVELOPE_WEBSOCKET, ws_send,   no_poke,     ws_close,
                                         ws_heartbeat,       ws_queued, "websocket", ws_peer};
const struct session_ops ws_deflate_ops = {ENVELOPE_WEBSOCKET_DEFLATE,
                                           ws_send,
                                           no_poke,
                                           ws_close,
                                           ws_heartbeat,
                                           ws_queued,
                                           "websocket",
                                           ws_peer};

/* --- frames in ---------------------------------------------------------------------------------
 */

static void handle_message(struct ws_session *s, const struct ws_message *message)
{
    switch (message->opcode) {
    case WS_TEXT: ws_handle_text(s, message->data); break;
    case WS_BINARY: ws_close_with(s, 1003, SLICE("text frames only")); break;
    case WS_PING: send_control(s, WS_PONG, message->data); break;
    case WS_PONG: break;
    case WS_CLOSE:
        ws_close_with(s, message->close_code == 1005 ? 1000 : message->close_code,
                      (struct slice){"", 0});
        conn_close(s->conn);
        break;
    case WS_CONT: break;
    }
}

/* After our own close frame only the peer's is of interest. */
static void handle_closing(struct ws_session *s, const struct ws_message *message)
{
    if (message->opcode == WS_CLOSE)
        conn_close(s->conn);
}

static bool is_open(const struct ws_session *s)
{
    return s->conn != NULL && s->conn->state == CONN_OPEN;
}

/* Message by message. 0, or the refusal of what is no WebSocket. */
static int take_messages(struct ws_session *s, struct slice *in, uint16_t *ret_code,
                         struct error *err)
{
    struct ws_message message;
    int rc = 0;
    while (is_open(s) && ws_waits_for(s) == WS_WAITS_NOT &&
           (rc = ws_read(&s->reader, in, &message, ret_code, err)) > 0) {
        if (s->closing)
            handle_closing(s, &message);
        else
            handle_message(s, &message);
    }
    return rc;
}

void ws_take(struct ws_session *s, struct slice *in)
{
    struct ws_answers answers;
    uint16_t close_code = 0;
    struct error err;
    error_init(&err);
    answers.len = 0;
    arena_init_in(&answers.arena, 1 << 20, answers.memory, sizeof answers.memory);
    s->answers = &answers;
    s->refs++;
    int rc = take_messages(s, in, &close_code, &err);
    if (rc < 0) {
        in->len = 0; /* nothing behind it can be understood, also after a close frame of ours */
        if (s->conn != NULL && !s->closing)
            ws_close_with(s, close_code, slice_str(err.code));
        if (s->conn != NULL)
            conn_close(s->conn);
    }
    ws_answers_flush(s);
    s->answers = NULL;
    arena_done(&answers.arena);
    ws_unref(s);
}

static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    struct ws_session *s = conn->user;
    struct slice in = slice_of(bytes, len);
    panic_if(s->backlog != NULL, "a WebSocket was read from while it should not be");
    s->heard = true;
    ws_take(s, &in);
    if (in.len > 0 && conn->state == CONN_OPEN)
        ws_backlog_keep(s, in);
}

static void on_drained(struct conn *conn)
{
    ws_backlog_poke(conn->user, WS_WAITS_FOR_CLIENT);
}

static void on_closed(struct conn *conn, int reason)
{
    (void)reason;
    struct ws_session *s = conn->user;
    ws_backlog_drop(s);
    s->conn = NULL;
    s->closing = true;
    session_done(&s->base);
    ws_unref(s);
}

static void on_leave(struct conn *conn)
{
    ws_close_with(conn->user, 4009, SLICE("{\"retry_after\":1}"));
}

static const struct conn_ops ws_conn_ops = {
    .data = on_data, .drained = on_drained, .closed = on_closed, .leave = on_leave};

void ws_session_start(struct realtime *realtime, struct conn *conn,
                      const struct ws_session_config *config)
{
    struct ws_session *s = xcalloc(1, sizeof *s);
    s->realtime = realtime;
    s->conn = conn;
    s->refs = 1;
    s->heard = true;
    s->deflate = config->deflate_bits == 15;
    s->peer = config->peer;
    s->has_from = config->has_from;
    s->from = config->from;
    ws_reader_init(&s->reader, true, config->deflate_bits != 0, realtime->message_bytes_max);
    ws_sign_in_init(s);
    conn->ops = &ws_conn_ops;
    conn->user = s;
    ws_sign_in_first(s, config->token);
    if (config->rest.len > 0 && conn->state == CONN_OPEN)
        on_data(conn, config->rest.ptr, config->rest.len);
}
