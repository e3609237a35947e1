/* The edge's way in and out: from an exchange to a call, its route, and its end. The stages between
 * are in edge_stages.c, what is made once at start in edge_open.c.
 */
#include "gateway/edge.h"

#include <stdlib.h>

#include "gateway/edge_answer.h"
#include "gateway/edge_body.h"
#include "gateway/edge_stages.h"
#include "gateway/static.h"
#include "io/spares.h"

enum { ANSWER_MAX = 16 << 20, KEPT_CALLS = 256, KEPT_BYTES = 16 << 10 };

/* --- calls, used again ------------------------------------------------------------------------ */
static void call_free(struct spare *spare)
{
    struct edge_call *call = CONTAINER_OF(spare, struct edge_call, spare);
    buf_done(&call->req.answer);
    buf_done(&call->req.headers);
    buf_done(&call->head);
    free(call);
}

static const struct spares_kind edge_calls = {SPARES_EDGE, KEPT_CALLS, call_free};

static struct edge_call *call_take(void)
{
    struct spare *spare = spares_take(&edge_calls);
    if (spare != NULL)
        return CONTAINER_OF(spare, struct edge_call, spare);
    struct edge_call *call = xcalloc(1, sizeof *call);
    buf_init(&call->req.answer, ANSWER_MAX);
    buf_init(&call->req.headers, 16 << 10);
    buf_init(&call->head, 32 << 10);
    return call;
}

static void call_give_back(struct edge_call *call)
{
    if (call->req.answer.cap > KEPT_BYTES) {
        call_free(&call->spare);
        return;
    }
    buf_clear(&call->req.answer);
    buf_clear(&call->req.headers);
    spares_keep(&edge_calls, &call->spare);
}

/* --- correlation id (G17) ----------------------------------------------------------------------
 */

static void correlate(struct edge_call *call, struct http_exchange *x)
{
    struct slice given = http_value(&x->head, "x-correlation-id");
    if (given.ptr != NULL && given.len >= 1 && given.len <= 128 && edge_visible(given)) {
        call->req.correlation_id = given;
        return;
    }
    struct id id = id_new(call->edge->kit->clock);
    id_format(&id, call->correlation);
    call->req.correlation_id = slice_of(call->correlation, ID_TEXT_LEN);
}

static void prepare(struct edge_call *call, struct http_exchange *x)
{
    struct request *req = &call->req;
    call->edge = x->server_arg;
    call->entry = &call->edge->unrouted;
    call->is_static = call->is_preflight = false;
    error_init(&req->error);
    req->kit = call->edge->kit;
    req->room = NULL;
    req->arena = &x->arena;
    req->principal = NULL;
    req->params = req->query = req->body = NULL;
    req->list = 0;
    req->exchange = x;
    req->head = &x->head;
    req->bearer = (struct slice){0};
    req->session = NULL;
    req->status = 0;
    correlate(call, x);
    x->user = call;
}

struct edge_call *edge_call_of(struct http_exchange *x)
{
    if (x->user == NULL)
        prepare(call_take(), x);
    return x->user;
}

/* --- admit: which route, how much body ---------------------------------------------------------
 */

/* "/api/chats" is the same as "/api/v1/chats" (G02). */
static struct slice versioned(struct slice path, struct arena *arena)
{
    if (!slice_starts(path, SLICE("/api/")) || path.len < 6)
        return path;
    if (path.ptr[5] == 'v' && path.len > 6 && path.ptr[6] >= '0' && path.ptr[6] <= '9')
        return path;
    struct slice longer = arena_printf(arena, "/api/v1/%.*s", (int)path.len - 5, path.ptr + 5);
    return longer.ptr != NULL ? longer : path;
}

static int64_t no_route(struct edge_call *call, struct http_exchange *x, int rc)
{
    enum http_method method = x->head.method;
    bool whole_server = slice_eq(x->head.path, SLICE("*")); /* only with OPTIONS */
    if (whole_server ||
        (method == HTTP_OPTIONS && http_find(&x->head, "access-control-request-method") != NULL)) {
        call->is_preflight = true;
        return 0;
    }
    if (rc == FAIL_NOT_FOUND && static_has(&x->head)) {
        if (method == HTTP_GET || method == HTTP_HEAD) {
            call->is_static = true;
            return 0;
        }
        memcpy(call->match.allow, "GET, HEAD", sizeof "GET, HEAD");
        rc = FAIL_METHOD;
    }
    if (rc == FAIL_METHOD)
        return error_set(&x->error, FAIL_METHOD, "method_not_allowed", "This resource knows: %s.",
                         call->match.allow);
    return error_set(&x->error, FAIL_NOT_FOUND, "not_found", "There is nothing at this path.");
}

static int64_t edge_admit(struct http_exchange *x)
{
    struct edge_call *call = edge_call_of(x);
    call->path = versioned(x->head.path, &x->arena);
    int rc = route_find(call->edge->tree, x->head.method, call->path, &call->match);
    if (rc < 0)
        return no_route(call, x, rc);
    call->entry = call->match.route;
    x->at_once = (call->entry->route->flags & ROUTE_AT_ONCE) != 0;
    call->req.room = call->entry->room;
    return edge_body_max(call->entry->route);
}

static void edge_serve(struct http_exchange *x)
{
    struct edge_call *call = edge_call_of(x);
    if (call->is_preflight) {
        edge_answer_preflight(call, x);
        return;
    }
    if (call->is_static) {
        edge_answer_static(call, x);
        return;
    }
    bool streamed = (call->entry->route->flags & ROUTE_STREAM) != 0;
    if (streamed)
        edge_answer_lines(call, x);
    int rc = edge_run(call, x);
    if (rc < 0) {
        error_set(&call->req.error, rc, "internal_error", "Something went wrong here.");
        edge_answer_problem(call, x, &call->req.error);
    } else if (!streamed) {
        edge_answer(call, x);
    }
}

static void edge_refuse(struct http_exchange *x)
{
    edge_answer_problem(edge_call_of(x), x, &x->error);
}

static void edge_done(struct http_exchange *x)
{
    struct edge_call *call = x->user;
    if (call == NULL)
        return;
    edge_account(call, x);
    x->user = NULL;
    call_give_back(call);
}

const struct http_server_ops edge_server_ops = {edge_admit, edge_serve, edge_refuse, edge_done};
