/* From an exchange to its coroutine, at once or after waiting in the line for one (io/coro.h).
 * While it waits it is served already as far as the connection is concerned: what comes behind is
 * kept, and reading pauses. One that has waited too long is told to come back later.
 */
#include "net/http_server_private.h"

enum { LINE_MS_MAX = 10000 };

static void serve_main(void *arg)
{
    struct http_conn *hc = arg;
    struct http_work *work = hc->work;
    work->coro = coro_current();
    if (hc->state != STATE_GONE)
        hc->server->config.ops->serve(&work->x);
    /* When http_run is waiting below for the first park, it goes on by itself. */
    bool go_on = hc->present == NULL && hc->state != STATE_GONE;
    http_finish(hc);
    if (go_on && hc->state == STATE_IDLE)
        http_run(hc, (struct slice){0});
}

/* Outside of http_run the connection goes on by what is called here. */
static void refuse(struct http_conn *hc)
{
    http_refuse(hc->work);
    http_finish(hc);
    if (hc->present == NULL)
        http_run(hc, (struct slice){0});
}

static void start(struct http_conn *hc)
{
    http_deadline(hc, hc->server->config.request_timeout_ms);
    if (coro_spawn(hc->server->loop, serve_main, hc, &hc->work->x.error) != 0)
        refuse(hc);
}

static void my_turn(struct coro_ticket *ticket)
{
    start(CONTAINER_OF(ticket, struct http_work, ticket)->x.conn);
}

void http_serve(struct http_conn *hc)
{
    struct loop *loop = hc->server->loop;
    http_move(hc, STATE_SERVING);
    if (LIKELY(coro_room(loop)) || hc->work->x.at_once) {
        start(hc);
        return;
    }
    http_deadline(hc, LINE_MS_MAX);
    hc->work->in_line = true;
    coro_ticket_init(&hc->work->ticket, my_turn);
    coro_line_up(loop, &hc->work->ticket);
}

int http_wait(struct http_exchange *x, int64_t timeout_ms)
{
    struct http_work *work = CONTAINER_OF(x, struct http_work, x);
    if (!http_open(x->conn) || x->conn->eof)
        return FAIL_CLOSED;
    work->parked = true;
    int rc = coro_park(timeout_ms);
    work->parked = false;
    return rc;
}

bool http_leave_line(struct http_work *work)
{
    bool waited = work->in_line && !list_empty(&work->ticket.link);
    if (waited)
        coro_ticket_return(&work->ticket);
    return waited;
}

bool http_waited_too_long(struct http_conn *hc)
{
    struct error *err = &hc->work->x.error;
    if (!http_leave_line(hc->work))
        return false;
    (void)error_set(err, FAIL_UNAVAILABLE, "busy", "Everybody here has been busy for %d seconds.",
                    LINE_MS_MAX / 1000);
    err->retry_after_ms = 1000;
    refuse(hc);
    return true;
}
