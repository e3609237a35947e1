/* The WebSocket transport: frames to ops, events to frames (API.md, "WebSocket").
 *
 * A session is held by its socket, by the coroutine that opens it and by each op under way; it is
 * freed when the last of them lets go. It signs in by the handshake or by a first frame `auth`; the
 * same op later brings a fresh access token to a session that is open.
 *
 * A client that does not read: typing goes first, then the session is closed with 4008 and its
 * queue dropped; it comes back with its position and has everything.
 */
#include "realtime/ws_session.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "net/websocket.h"
#include "realtime/envelope.h"
#include "realtime/ops.h"
#include "realtime/session.h"

enum {
    CALLS_MAX = 256,      /* ops under way in one session; above: 429 */
    CLOSE_WAIT_MS = 3000, /* for the peer's half of the close handshake */
    CODE_AUTH = 4001,
    CODE_SLOW = 4008,
    CODE_FLOOD = 4029,
};

struct ws_session {
    struct realtime_session base; /* first: the hub knows only this */
    struct realtime *realtime;
    struct conn *conn; /* NULL once it is gone */
    struct ws_reader reader;
    struct position from;
    struct in6_addr peer;
    uint16_t refs;
    uint16_t calls;
    uint32_t window_ops; /* ops in the present second */
    uint32_t window_s;
    bool has_from, authenticated, opening, closing, heard, deflate;
};

struct auth_data {
    struct slice access_token, pos;
};

static const struct schema_field auth_fields[] = {
    {"access_token", "The access token.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct auth_data, access_token), .min = 1, .max = 8192},
    {"pos", "Resume after this position.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_data, pos)},
};
SCHEMA_DEF(ws_auth_schema, struct auth_data, "SocketAuth", "Signs a socket in.", auth_fields);

struct envelope_in {
    struct slice id, op, data;
};

static const struct schema_field envelope_fields[] = {
    {"id", NULL, SCHEMA_RAW, 0, SCHEMA_AT(struct envelope_in, id)},
    {"op", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct envelope_in, op), .min = 1,
     .max = 64},
    {"data", NULL, SCHEMA_RAW, 0, SCHEMA_AT(struct envelope_in, data)},
};
static SCHEMA_DEF(envelope_schema, struct envelope_in, "SocketFrame", "A frame from the client.",
                  envelope_fields);

static struct ws_session *ws_of(struct realtime_session *session)
{
    return CONTAINER_OF(session, struct ws_session, base);
}

static void unref(struct ws_session *s)
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
    if (s->conn != NULL)
        conn_abort(s->conn);
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

/* Leaves the hub at once, says why, and waits a little for the peer's close frame. */
static void close_with(struct ws_session *s, unsigned code, struct slice reason)
{
    if (s->closing || s->conn == NULL)
        return;
    s->closing = true;
    if (s->base.hub != NULL)
        hub_remove(s->base.hub, &s->base);
    if (code == CODE_SLOW)
        conn_drop(s->conn, drop_all, NULL);
    struct buf out;
    buf_init(&out, 256);
    ws_close_frame(&out, (uint16_t)code, reason);
    conn_send_bytes(s->conn, buf_view(&out));
    buf_done(&out);
    start_close_timer(s);
}

static void ws_close(struct realtime_session *session, unsigned code, const char *reason)
{
    close_with(ws_of(session), code, slice_str(reason));
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void ws_send(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    struct ws_session *s = ws_of(session);
    if (s->conn == NULL || s->closing)
        return;
    bool slow;
    if (session_may_queue(s->realtime, s->conn, frame, ephemeral, &slow)) {
        conn_send(s->conn, frame);
    } else if (slow) {
        close_with(s, CODE_SLOW, SLICE("too_slow"));
    }
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
    conn_send_bytes(s->conn, buf_view(&out));
    buf_done(&out);
}

static void ws_heartbeat(struct realtime_session *session)
{
    struct ws_session *s = ws_of(session);
    if (!s->heard && !s->closing) {
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

static const struct session_ops plain_ops = {ENVELOPE_WEBSOCKET, ws_send,   no_poke,     ws_close,
                                             ws_heartbeat,       ws_queued, "websocket", ws_peer};
static const struct session_ops deflate_ops = {ENVELOPE_WEBSOCKET_DEFLATE,
                                               ws_send,
                                               no_poke,
                                               ws_close,
                                               ws_heartbeat,
                                               ws_queued,
                                               "websocket",
                                               ws_peer};

static void reply(struct ws_session *s, struct slice id, bool failed, struct slice json)
{
    if (s->conn == NULL || s->closing)
        return;
    struct frame *frame = envelope_reply(s->deflate, id, failed, json);
    ws_send(&s->base, frame, false);
    frame_unref(frame);
}

/* The end of an op: also releases the session's hold for it. */
static void op_answer(struct realtime_session *session, struct slice id, bool failed,
                      struct slice json)
{
    struct ws_session *s = ws_of(session);
    reply(s, id, failed, json);
    s->calls--;
    unref(s);
}

/* --- signing in --------------------------------------------------------------------------------
 */

static void open_main(void *arg)
{
    struct ws_session *s = arg;
    struct error err;
    error_init(&err);
    /* The socket may have gone, or said goodbye, before this coroutine had its turn. */
    int rc = s->closing ? 0
                        : session_open(&s->base, realtime_hub(s->realtime),
                                       s->has_from ? &s->from : NULL, &err);
    s->opening = false;
    if (rc < 0 && rc != FAIL_CLOSED) {
        if (err.kind == FAIL_UNAVAILABLE)
            close_with(s, 4009, SLICE("{\"retry_after\":1}"));
        else
            close_with(s, 1011, slice_str(err.code != NULL ? err.code : "internal_error"));
    }
    unref(s);
}

static void start_opening(struct ws_session *s)
{
    struct error err;
    error_init(&err);
    s->opening = true;
    s->refs++;
    if (coro_spawn(loop_current(), open_main, s, &err) < 0) {
        s->opening = false;
        close_with(s, 1013, slice_str(err.code));
        unref(s);
    }
}

/* Takes the token; false when it is refused (err says why). */
static bool sign_in(struct ws_session *s, struct slice token, struct error *err)
{
    struct principal principal;
    if (token_check(s->realtime->kit->tokens, token, &principal, err) < 0)
        return false;
    if (s->authenticated) {
        if (!id_eq(&principal.user, &s->base.principal.user)) {
            error_set(err, FAIL_FORBIDDEN, "other_user", "The token is of another user.");
            return false;
        }
        session_renew(&s->base, &principal);
        return true;
    }
    s->authenticated = true;
    timer_stop(&s->base.heartbeat);
    session_init(&s->base, s->deflate ? &deflate_ops : &plain_ops, &principal);
    return true;
}

static void refuse(struct ws_session *s, const struct op_source *source, struct slice id,
                   const struct error *err)
{
    s->calls++;
    s->refs++;
    ops_refuse(source, id, err);
}

static void auth_timed_out(struct timer *timer)
{
    struct ws_session *s = CONTAINER_OF(timer, struct ws_session, base.heartbeat);
    close_with(s, CODE_AUTH, SLICE("sign_in_required"));
}

static int decode_auth(struct ws_session *s, const struct envelope_in *in, struct arena *arena,
                       struct auth_data *auth, struct error *err)
{
    int rc = schema_decode(&ws_auth_schema, in->data.ptr != NULL ? in->data : SLICE("{}"), arena,
                           auth, err);
    if (rc == 0 && auth->pos.ptr != NULL) {
        rc = position_parse(auth->pos, &s->from, err);
        s->has_from = rc == 0;
    }
    return rc;
}

static void handle_auth(struct ws_session *s, const struct op_source *source,
                        const struct envelope_in *in, struct arena *arena)
{
    struct auth_data auth = {0};
    struct error err;
    error_init(&err);
    bool first = !s->authenticated;
    int rc = decode_auth(s, in, arena, &auth, &err);
    bool good = rc == 0 && sign_in(s, auth.access_token, &err);
    if (!good) {
        refuse(s, source, in->id, &err);
        bool keep = err.kind == FAIL_BAD_REQUEST || err.kind == FAIL_INVALID;
        if (!keep || first)
            close_with(s, CODE_AUTH, slice_str(err.code));
        return;
    }
    if (in->id.ptr != NULL)
        reply(s, in->id, false, SLICE("{}"));
    if (first)
        start_opening(s);
}

/* --- frames in ---------------------------------------------------------------------------------
 */

static bool too_many(struct ws_session *s)
{
    struct realtime *rt = s->realtime;
    if (rt->ops_per_second == 0)
        return false;
    uint32_t now_s = (uint32_t)(loop_now_ms(s->conn->loop) / 1000);
    if (now_s != s->window_s) {
        s->window_s = now_s;
        s->window_ops = 0;
    }
    return ++s->window_ops > rt->ops_per_second;
}

static void handle_op(struct ws_session *s, const struct op_source *source,
                      const struct envelope_in *in)
{
    struct error err;
    error_init(&err);
    if (slice_eq(in->op, SLICE("ping"))) {
        reply(s, in->id, false, SLICE("{}"));
        return;
    }
    const struct op_entry *entry = ops_find(s->realtime, in->op);
    if (entry == NULL)
        error_set(&err, FAIL_NOT_FOUND, "unknown_op", "There is no op called \"%.*s\".",
                  SLICE_FMT(in->op));
    else if (s->calls >= CALLS_MAX)
        error_limited(&err, "too_many_in_flight", 1000, "At most %d ops may wait for their answer.",
                      CALLS_MAX);
    if (err.kind != 0) {
        refuse(s, source, in->id, &err);
        return;
    }
    s->calls++;
    s->refs++;
    ops_call(source, entry, in->id, in->data);
}

static bool id_allowed(struct slice id)
{
    return id.ptr == NULL || (id.len <= OP_ID_MAX && id.ptr[0] != '{' && id.ptr[0] != '[');
}

static void handle_text(struct ws_session *s, struct slice text)
{
    const struct op_source source = {.realtime = s->realtime,
                                     .session = &s->base,
                                     .principal = &s->base.principal,
                                     .peer = s->peer,
                                     .answer = op_answer};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct envelope_in in;
    struct error err;
    error_init(&err);
    int rc = schema_decode(&envelope_schema, text, &arena, &in, &err);
    if (rc == 0 && !id_allowed(in.id)) {
        rc = error_field(&err, "id", "too_long", "id is a number or a text of at most %d bytes.",
                         OP_ID_MAX);
        in.id = (struct slice){0};
    }
    if (rc == 0 && too_many(s)) {
        if (s->window_ops > s->realtime->ops_per_second * 4)
            close_with(s, CODE_FLOOD, SLICE("too_many_requests"));
        rc = error_limited(&err, "too_many_requests", 1000, "At most %u ops in a second.",
                           s->realtime->ops_per_second);
    }
    if (rc < 0)
        refuse(s, &source, err.kind == FAIL_LIMITED ? in.id : (struct slice){0}, &err);
    else if (slice_eq(in.op, SLICE("auth")))
        handle_auth(s, &source, &in, &arena);
    else if (s->authenticated)
        handle_op(s, &source, &in);
    else
        close_with(s, CODE_AUTH, SLICE("sign_in_required"));
    arena_done(&arena);
}

static void handle_message(struct ws_session *s, const struct ws_message *message)
{
    switch (message->opcode) {
    case WS_TEXT: handle_text(s, message->data); break;
    case WS_BINARY: close_with(s, 1003, SLICE("text frames only")); break;
    case WS_PING: send_control(s, WS_PONG, message->data); break;
    case WS_PONG: break;
    case WS_CLOSE:
        close_with(s, message->close_code == 1005 ? 1000 : message->close_code,
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

static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    struct ws_session *s = conn->user;
    struct slice in = slice_of(bytes, len);
    struct ws_message message;
    uint16_t close_code = 0;
    struct error err;
    error_init(&err);
    s->heard = true;
    s->refs++;
    int rc;
    while ((rc = ws_read(&s->reader, &in, &message, &close_code, &err)) > 0) {
        if (s->closing)
            handle_closing(s, &message);
        else
            handle_message(s, &message);
        if (s->conn == NULL || s->conn->state != CONN_OPEN)
            break;
    }
    if (rc < 0 && s->conn != NULL && !s->closing) {
        close_with(s, close_code, slice_str(err.code));
        conn_close(s->conn);
    }
    unref(s);
}

static void on_closed(struct conn *conn, int reason)
{
    (void)reason;
    struct ws_session *s = conn->user;
    s->conn = NULL;
    s->closing = true;
    session_done(&s->base);
    unref(s);
}

static const struct conn_ops ws_conn_ops = {.data = on_data, .closed = on_closed};

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
    timer_init(&s->base.heartbeat, auth_timed_out);
    conn->ops = &ws_conn_ops;
    conn->user = s;
    struct error err;
    error_init(&err);
    if (config->token.ptr == NULL)
        timer_start(conn->loop, &s->base.heartbeat, realtime->auth_timeout_ms);
    else if (sign_in(s, config->token, &err))
        start_opening(s);
    else
        close_with(s, CODE_AUTH, slice_str(err.code));
    if (config->rest.len > 0 && s->conn != NULL)
        on_data(conn, config->rest.ptr, config->rest.len);
}
