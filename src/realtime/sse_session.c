#include "realtime/sse_session.h"

#include <stdlib.h>

#include "base/metric.h"
#include "realtime/envelope.h"
#include "realtime/session.h"
#include "realtime/watch.h"

struct sse_session {
    struct realtime_session base;
    struct realtime *realtime;
    struct conn *conn;
    struct position from;
    bool has_from, closing;
    uint8_t refs;
};

static struct sse_session *sse_of(struct realtime_session *session)
{
    return CONTAINER_OF(session, struct sse_session, base);
}

static void unref(struct sse_session *s)
{
    if (--s->refs > 0)
        return;
    session_done(&s->base);
    free(s);
}

/* An event stream has no close codes: the end of the connection says "come back", and the browser
 * does, with Last-Event-ID. One that must not come back is refused when it does. */
static void sse_close(struct realtime_session *session, unsigned code, const char *reason)
{
    (void)code, (void)reason;
    struct sse_session *s = sse_of(session);
    if (s->closing || s->conn == NULL)
        return;
    s->closing = true;
    timer_stop(&session->heartbeat);
    if (session->hub != NULL)
        hub_remove(session->hub, session);
    conn_close(s->conn);
}

static void sse_send(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    struct sse_session *s = sse_of(session);
    if (s->conn == NULL || s->closing)
        return;
    bool slow;
    if (session_may_queue(s->realtime, s->conn, frame, ephemeral, &slow)) {
        conn_send(s->conn, frame);
    } else if (slow) {
        s->closing = true;
        timer_stop(&session->heartbeat);
        hub_remove(session->hub, session);
        conn_abort(s->conn);
    }
}

static void sse_poke(struct realtime_session *session)
{
    (void)session;
}

static void sse_heartbeat(struct realtime_session *session)
{
    struct sse_session *s = sse_of(session);
    if (s->conn != NULL)
        conn_send_bytes(s->conn, SLICE(":\n\n"));
}

static size_t sse_queued(const struct realtime_session *session)
{
    const struct sse_session *s = CONTAINER_OF(session, const struct sse_session, base);
    return s->conn != NULL ? s->conn->queued_bytes : 0;
}

static bool sse_peer(const struct realtime_session *session, struct in6_addr *ret_address)
{
    const struct sse_session *s = CONTAINER_OF(session, const struct sse_session, base);
    uint16_t port;
    return s->conn != NULL && conn_peer(s->conn, ret_address, &port);
}

static const struct session_ops sse_ops = {ENVELOPE_SSE,  sse_send,   sse_poke,       sse_close,
                                           sse_heartbeat, sse_queued, "event-stream", sse_peer};

/* A client has nothing to say on an event stream. */
static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    (void)conn, (void)bytes, (void)len;
}

static void on_closed(struct conn *conn, int reason)
{
    (void)reason;
    struct sse_session *s = conn->user;
    s->conn = NULL;
    s->closing = true;
    session_done(&s->base);
    unref(s);
}

static void on_leave(struct conn *conn)
{
    struct sse_session *s = conn->user;
    sse_close(&s->base, 0, "");
}

static const struct conn_ops sse_conn_ops = {
    .data = on_data, .closed = on_closed, .leave = on_leave};

static void open_main(void *arg)
{
    struct sse_session *s = arg;
    struct error err;
    error_init(&err);
    /* The socket may have gone before this coroutine had its turn. */
    int rc = s->closing ? 0
                        : session_open(&s->base, realtime_hub(s->realtime),
                                       s->has_from ? &s->from : NULL, &err);
    if (rc < 0)
        sse_close(&s->base, 0, "");
    unref(s);
}

void sse_session_start(struct realtime *realtime, struct conn *conn,
                       const struct principal *principal, const struct position *from,
                       const struct watched_topic *watched, unsigned watched_count)
{
    struct sse_session *s = xcalloc(1, sizeof *s);
    s->realtime = realtime;
    s->conn = conn;
    s->refs = 2; /* the socket's and the opening coroutine's */
    s->has_from = from != NULL;
    if (from != NULL)
        s->from = *from;
    session_init(&s->base, &sse_ops, principal);
    watch_set(&s->base, watched, watched_count);
    conn->ops = &sse_conn_ops;
    conn->user = s;
    struct error err;
    error_init(&err);
    if (coro_spawn(conn->loop, open_main, s, &err) < 0) {
        sse_close(&s->base, 0, "");
        unref(s);
    }
}
