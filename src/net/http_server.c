/* Servers, connections and their life; see http_server.h for the promise.
 *
 * A connection is in one state (http_move is the one mover). Its struct is all an idle one has:
 * exchanges with their arenas are lent from the server's spare ones for the time of a request. A
 * connection whose socket has gone stays until its coroutine has ended.
 *
 * Deadlines mostly move later, request by request, so the timer is left where it is and looks at
 * the deadline when it fires.
 */
#include "net/http_server_private.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    SPARE_MAX = 256,    /* about 12 KiB each */
    OVERFLOW_MAX = 256, /* connections above the limit that are still told so */
    CANCEL_AGAIN_MS = 5000
};

_Static_assert(sizeof(struct http_conn) <= 120, "a million idle sockets pay for every byte");

/* --- states ----------------------------------------------------------------------------------- */

void http_move(struct http_conn *hc, enum http_state state)
{
    static const uint8_t allowed[] = {
        [STATE_IDLE] = 1 << STATE_HEAD | 1 << STATE_BODY | 1 << STATE_SERVING | 1 << STATE_CLOSING |
                       1 << STATE_GONE,
        [STATE_HEAD] = 1 << STATE_IDLE | 1 << STATE_BODY | 1 << STATE_SERVING | 1 << STATE_CLOSING |
                       1 << STATE_GONE,
        [STATE_BODY] = 1 << STATE_IDLE | 1 << STATE_SERVING | 1 << STATE_CLOSING | 1 << STATE_GONE,
        [STATE_SERVING] = 1 << STATE_IDLE | 1 << STATE_CLOSING | 1 << STATE_GONE,
        [STATE_CLOSING] = 1 << STATE_GONE,
    };
    if (hc->state == state)
        return;
    panic_if(hc->state >= ARRAY_LEN(allowed) || !(allowed[hc->state] & 1 << state),
             "an HTTP connection moved from state %d to %d", hc->state, state);
    hc->state = (uint8_t)state;
}

bool http_open(const struct http_conn *hc)
{
    return hc->conn != NULL && hc->conn->state == CONN_OPEN;
}

void http_deadline(struct http_conn *hc, int64_t ms)
{
    struct loop *loop = hc->server->loop;
    hc->deadline_ms = loop_now_ms(loop) + ms;
    if (!timer_active(&hc->timer) || hc->timer.due_ms > hc->deadline_ms)
        timer_start(loop, &hc->timer, ms);
}

void http_close(struct http_conn *hc)
{
    http_move(hc, STATE_CLOSING);
    timer_stop(&hc->timer);
    conn_close(hc->conn);
}

/* --- exchanges -------------------------------------------------------------------------------- */

struct http_work *http_work_take(struct http_server *server)
{
    struct http_work *work = server->spare;
    if (work != NULL) {
        server->spare = work->next;
        server->spare_count--;
    } else {
        work = xmalloc(sizeof *work);
        arena_init(&work->x.arena, 0);
        work->x.server_arg = server->config.arg;
        work->x.loop = server->loop;
    }
    struct http_exchange *x = &work->x;
    x->arena.max_bytes = server->config.arena_bytes_max;
    error_init(&x->error);
    x->body = x->lines = (struct slice){0};
    x->user = NULL;
    x->status = 0;
    x->sent_bytes = 0;
    x->answered = x->head_only = x->streaming = x->stream_body = x->at_once = false;
    work->coro = NULL;
    work->close = work->waiting = work->ended = work->refusing = work->cancelled = false;
    work->in_line = false;
    work->body_over = true;
    work->body_waiting = work->parked = false;
    work->body_taken = 0;
    work->piece = NULL;
    buf_init(&work->body, 0);
    return work;
}

void http_work_give(struct http_server *server, struct http_work *work)
{
    buf_done(&work->body);
    if (server->spare_count >= SPARE_MAX) {
        arena_done(&work->x.arena);
        free(work);
        return;
    }
    arena_reset(&work->x.arena);
    work->next = server->spare;
    server->spare = work;
    server->spare_count++;
}

static void answer_if_nobody_did(struct http_work *work)
{
    struct http_exchange *x = &work->x;
    if (x->answered)
        return;
    if (work->cancelled)
        (void)error_set(&x->error, FAIL_TIMEOUT, "request_timeout",
                        "The request took longer than it may.");
    else
        (void)error_set(&x->error, FAIL_INTERNAL, "internal", "Nothing answered this request.");
    http_refuse(work);
}

void http_finish(struct http_conn *hc)
{
    struct http_work *work = hc->work;
    struct http_server *server = hc->server;
    http_body_done(work);
    if (http_open(hc))
        answer_if_nobody_did(work);
    /* Half an answer must not look like a whole one. */
    if (work->x.streaming && !work->ended && http_open(hc))
        conn_abort(hc->conn);
    bool close = work->close;
    server->config.ops->done(&work->x);
    hc->work = NULL;
    http_work_give(server, work);
    if (hc->state == STATE_GONE) {
        http_free_if_gone(hc);
    } else if (close || !http_open(hc)) {
        http_close(hc);
    } else {
        http_move(hc, STATE_IDLE);
        http_deadline(hc, server->config.idle_timeout_ms);
    }
}

/* --- connections ------------------------------------------------------------------------------ */

static void free_server_if_done(struct http_server *server)
{
    if (!server->freed || !list_empty(&server->conns))
        return;
    while (server->spare != NULL) {
        struct http_work *work = server->spare;
        server->spare = work->next;
        arena_done(&work->x.arena);
        free(work);
    }
    free(server);
}

void http_free_if_gone(struct http_conn *hc)
{
    if (hc->state != STATE_GONE || hc->work != NULL || hc->present != NULL)
        return;
    struct http_server *server = hc->server;
    list_remove(&hc->link);
    if (hc->input != NULL)
        buf_done(hc->input);
    free(hc->input);
    free(hc->peer);
    free(hc);
    free_server_if_done(server);
}

struct conn *http_detach(struct http_conn *hc)
{
    struct conn *conn = hc->conn;
    timer_stop(&hc->timer);
    conn->want_drain = false; /* that was ours; the next owner may have no use for it */
    hc->conn = NULL;
    hc->server->connections--;
    http_move(hc, STATE_GONE);
    return conn;
}

/* The socket has gone. An exchange without a coroutine (yet) ends here, one with is told when it
 * waits for the client, and otherwise ends its work in peace. */
static void gone(struct http_conn *hc)
{
    bool serving = hc->state == STATE_SERVING && !http_leave_line(hc->work);
    http_detach(hc);
    if (hc->work != NULL && !serving)
        http_finish(hc);
    else if (hc->work != NULL && (hc->work->waiting || hc->work->body_waiting || hc->work->parked))
        coro_wake(hc->work->coro, FAIL_CLOSED);
    else
        http_free_if_gone(hc);
}

static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    struct http_conn *hc = conn->user;
    bool wanted = hc->work != NULL && hc->work->body_waiting;
    http_run(hc, slice_of(bytes, len));
    if (wanted)
        coro_wake(hc->work->coro, 0);
}

static void on_drained(struct conn *conn)
{
    struct http_conn *hc = conn->user;
    if (hc->work != NULL && hc->work->waiting)
        coro_wake(hc->work->coro, 0);
    else if (hc->state != STATE_SERVING)
        http_run(hc, (struct slice){0});
}

static void on_eof(struct conn *conn)
{
    struct http_conn *hc = conn->user;
    hc->eof = true;
    if (hc->state == STATE_SERVING) {
        if (hc->work->body_waiting)
            coro_wake(hc->work->coro, 0);
        else if (hc->work->parked)
            coro_wake(hc->work->coro, FAIL_CLOSED);
        return;
    }
    if (hc->state == STATE_BODY)
        conn_abort(conn); /* nobody waits for the rest of it, nor for an answer */
    else
        http_run(hc, (struct slice){0});
}

static void on_closed(struct conn *conn, int reason)
{
    gone(conn->user);
}

static const struct conn_ops http_ops = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .closed = on_closed,
};

static void too_slow(struct http_conn *hc)
{
    if (hc->state == STATE_HEAD)
        hc->work = http_work_take(hc->server);
    struct http_work *work = hc->work;
    work->x.conn = hc;
    if (hc->state == STATE_HEAD) {
        work->x.head = (struct http_head){.method = HTTP_OTHER, .minor = 1};
        work->x.started_ns = clock_mono_ns(loop_clock(hc->server->loop));
    }
    (void)error_set(&work->x.error, FAIL_REQUEST_TIMEOUT, "request_timeout",
                    "The request did not come within its time.");
    work->close = true;
    http_refuse(work);
    http_finish(hc);
}

static void serving_too_long(struct http_conn *hc)
{
    struct http_work *work = hc->work;
    if (http_waited_too_long(hc))
        return;
    if (work->body_waiting) {
        coro_wake(work->coro, FAIL_REQUEST_TIMEOUT);
    } else if (work->x.streaming) {
        conn_abort(hc->conn);
    } else {
        work->cancelled = true;
        if (work->coro != NULL)
            coro_cancel(work->coro);
        http_deadline(hc, CANCEL_AGAIN_MS);
    }
}

static void timer_fired(struct timer *timer)
{
    struct http_conn *hc = CONTAINER_OF(timer, struct http_conn, timer);
    struct http_server *server = hc->server;
    int64_t left = hc->deadline_ms - loop_now_ms(server->loop);
    if (left > 0) {
        timer_start(server->loop, timer, left);
        return;
    }
    switch (hc->state) {
    case STATE_IDLE: http_close(hc); break;
    case STATE_HEAD:
    case STATE_BODY: too_slow(hc); break;
    case STATE_SERVING: serving_too_long(hc); break;
    default: break;
    }
}

/* --- servers ---------------------------------------------------------------------------------- */

static void default_size(size_t *value, size_t usual)
{
    *value = *value != 0 ? *value : usual;
}

static void default_ms(int64_t *value, int64_t usual)
{
    *value = *value != 0 ? *value : usual;
}

int http_server_new(struct loop *loop, const struct http_server_config *config,
                    struct http_server **ret_server, struct error *err)
{
    if (config->limits.header_bytes > 128 << 10 || config->limits.request_line_bytes > 128 << 10)
        return error_set(err, FAIL_INVALID, "invalid_config", "HTTP head limits over 128 KiB.");
    struct http_server *server = xcalloc(1, sizeof *server);
    struct http_server_config *c = &server->config;
    server->loop = loop;
    server->date_second = INT64_MIN;
    list_init(&server->conns);
    list_init(&server->upgraded);
    *c = *config;
    const struct http_limits *usual = &http_limits_default;
    default_size(&c->limits.request_line_bytes, usual->request_line_bytes);
    default_size(&c->limits.header_bytes, usual->header_bytes);
    default_size(&c->limits.trailer_bytes, usual->trailer_bytes);
    default_size(&c->limits.chunk_ext_bytes, usual->chunk_ext_bytes);
    default_size(&c->arena_bytes_max, 4 << 20);
    default_size(&c->answer_bytes_max, 16 << 20);
    default_size(&c->send_queue_max, 256 << 10);
    default_ms(&c->head_timeout_ms, 10000);
    default_ms(&c->body_timeout_ms, 20000);
    default_ms(&c->idle_timeout_ms, 75000);
    default_ms(&c->request_timeout_ms, 60000);
    *ret_server = server;
    return 0;
}

static struct http_conn *connect_http(struct http_server *server, int fd)
{
    struct http_conn *hc = xcalloc(1, sizeof *hc);
    *hc = (struct http_conn){.server = server, .state = STATE_IDLE};
    if (conn_new(server->loop, fd, &http_ops, hc, &hc->conn, NULL) != 0) {
        free(hc);
        return NULL;
    }
    list_add_tail(&server->conns, &hc->link);
    timer_init(&hc->timer, timer_fired);
    server->connections++;
    return hc;
}

static void refuse_connection(struct http_conn *hc)
{
    struct http_work *work = http_work_take(hc->server);
    hc->work = work;
    work->x.conn = hc;
    work->x.head = (struct http_head){.method = HTTP_OTHER, .minor = 1};
    work->x.started_ns = clock_mono_ns(loop_clock(hc->server->loop));
    (void)error_set(&work->x.error, FAIL_UNAVAILABLE, "too_many_connections",
                    "This server has as many connections as it may.");
    work->x.error.retry_after_ms = 1000;
    work->close = true;
    http_refuse(work);
    http_finish(hc);
}

void http_server_accept(struct http_server *server, int fd)
{
    size_t max = server->config.connections_max;
    bool full = max != 0 && server->connections >= max;
    struct http_conn *hc = NULL;
    if (!server->draining && (!full || server->connections < max + OVERFLOW_MAX))
        hc = connect_http(server, fd);
    if (hc == NULL)
        close(fd);
    else if (full)
        refuse_connection(hc);
    else
        http_deadline(hc, server->config.head_timeout_ms);
}

void http_server_drain(struct http_server *server)
{
    server->draining = true;
    for (struct list *l = server->conns.next, *next; l != &server->conns; l = next) {
        struct http_conn *hc = CONTAINER_OF(l, struct http_conn, link);
        next = l->next;
        if (hc->state == STATE_IDLE)
            http_close(hc);
    }
    for (struct list *l = server->upgraded.next; l != &server->upgraded; l = l->next) {
        struct conn *conn = CONTAINER_OF(l, struct conn, link);
        if (conn->ops->leave != NULL)
            conn->ops->leave(conn);
        else
            conn_close(conn);
    }
}

bool http_server_has_upgraded(const struct http_server *server)
{
    return !list_empty(&server->upgraded);
}

void http_server_abort_upgraded(struct http_server *server)
{
    for (struct list *l = server->upgraded.next; l != &server->upgraded; l = l->next)
        conn_abort(CONTAINER_OF(l, struct conn, link));
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections;
}

static void forget(struct conn *conn, int reason)
{
}

static void forget_data(struct conn *conn, const char *bytes, size_t len)
{
}

static const struct conn_ops forgotten_ops = {.data = forget_data, .closed = forget};

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    server->draining = true;
    for (struct list *l = server->conns.next, *next; l != &server->conns; l = next) {
        struct http_conn *hc = CONTAINER_OF(l, struct http_conn, link);
        next = l->next;
        if (hc->work != NULL && hc->work->coro != NULL)
            coro_cancel(hc->work->coro);
        if (hc->conn == NULL)
            continue;
        hc->conn->ops = &forgotten_ops;
        conn_abort(hc->conn);
        gone(hc);
    }
    http_server_abort_upgraded(server);
    list_remove(&server->upgraded); /* those in it leave it by themselves, at the end of the turn */
    server->freed = true;
    free_server_if_done(server);
}
