/* A client that sends ops faster than they can be done, or than it takes the answers, is not
 * refused: it is not read from for a while. What had been read stays here, at most one read
 * (LOOP_READ_BYTES, or what came along with the handshake), and is gone on with in its order.
 *
 * Three things can be waited for (enum ws_wait): each has one place that says it has come. The
 * memory is there only while a session waits.
 */
#include <stdlib.h>

#include "realtime/ws_private.h"

struct ws_backlog {
    struct ws_session *session;
    struct task go_on;
    struct coro_ticket ticket;
    enum ws_wait reason;
    char *bytes; /* `left` lies in them */
    struct slice left;
};

/* Events may still be queued up to the whole cap; answers stop at half of it. */
static bool is_behind(const struct ws_session *s)
{
    return s->conn->queued_bytes > s->realtime->queue_bytes_max / 2;
}

enum ws_wait ws_waits_for(const struct ws_session *s)
{
    if (s->closing)
        return WS_WAITS_NOT;
    if (UNLIKELY(s->calls >= WS_CALLS_MAX))
        return WS_WAITS_FOR_CALLS;
    if (UNLIKELY(is_behind(s)))
        return WS_WAITS_FOR_CLIENT;
    return LIKELY(coro_room(s->conn->loop)) ? WS_WAITS_NOT : WS_WAITS_FOR_STACK;
}

bool ws_backlog_is_ours(const struct ws_session *s)
{
    return s->backlog != NULL && s->backlog->reason != WS_WAITS_FOR_CLIENT;
}

static void arm(struct ws_session *s, struct slice left)
{
    struct ws_backlog *b = s->backlog;
    b->left = left;
    b->reason = ws_waits_for(s);
    switch (b->reason) {
    case WS_WAITS_NOT: loop_defer(s->conn->loop, &b->go_on); break;
    case WS_WAITS_FOR_CALLS: break;
    case WS_WAITS_FOR_CLIENT: conn_want_drain(s->conn); break;
    case WS_WAITS_FOR_STACK: coro_line_up(s->conn->loop, &b->ticket); break;
    }
}

static void go_on(struct ws_session *s)
{
    struct slice in = s->backlog->left;
    size_t before = in.len;
    s->heard = true;
    ws_take(s, &in);
    /* Or this loop would do nothing else any more. */
    if (in.len == before && s->conn->state == CONN_OPEN &&
        should_not(ws_waits_for(s) == WS_WAITS_NOT)) {
        conn_abort(s->conn);
        return;
    }
    if (in.len > 0 && s->conn->state == CONN_OPEN) {
        arm(s, in);
        return;
    }
    ws_backlog_drop(s);
    conn_pause_read(s->conn, false);
}

static void go_on_now(struct task *task)
{
    go_on(CONTAINER_OF(task, struct ws_backlog, go_on)->session);
}

static void my_turn(struct coro_ticket *ticket)
{
    go_on(CONTAINER_OF(ticket, struct ws_backlog, ticket)->session);
}

void ws_backlog_keep(struct ws_session *s, struct slice left)
{
    struct ws_backlog *b = xmalloc(sizeof *b);
    *b = (struct ws_backlog){.session = s, .bytes = xmalloc(left.len)};
    memcpy(b->bytes, left.ptr, left.len);
    task_init(&b->go_on, go_on_now);
    coro_ticket_init(&b->ticket, my_turn);
    s->backlog = b;
    conn_pause_read(s->conn, true);
    arm(s, slice_of(b->bytes, left.len));
}

void ws_backlog_poke(struct ws_session *s, enum ws_wait reason)
{
    if (s->backlog != NULL && s->backlog->reason == reason)
        loop_defer(loop_current(), &s->backlog->go_on);
}

void ws_backlog_go_on(struct ws_session *s)
{
    if (s->backlog == NULL)
        return;
    coro_ticket_return(&s->backlog->ticket);
    loop_defer(loop_current(), &s->backlog->go_on);
}

void ws_backlog_drop(struct ws_session *s)
{
    struct ws_backlog *b = s->backlog;
    if (b == NULL)
        return;
    s->backlog = NULL;
    coro_ticket_return(&b->ticket);
    task_cancel(&b->go_on);
    free(b->bytes);
    free(b);
}
