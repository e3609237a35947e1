/* The stages of the edge between the route and the answer, each one thing: address, who, may they,
 * how often, what do they say, not twice, and then the room's handler.
 */
#include "gateway/edge_stages.h"

#include <stdio.h>

#include "gateway/edge_body.h"
#include "kit/activity.h"
#include "kit/idempotency.h"
#include "kit/limit.h"

/* Printable ASCII without spaces. */
bool edge_visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static void find_address(struct edge_call *call, struct http_exchange *x)
{
    const struct edge *edge = call->edge;
    uint16_t port;
    if (!http_peer(x, &call->req.peer, &port))
        memset(&call->req.peer, 0, sizeof call->req.peer);
    if (edge->trusted_count > 0)
        call->req.peer =
            address_client(edge->trusted, edge->trusted_count, &call->req.peer, &x->head);
}

static struct slice bearer_of(const struct http_head *head)
{
    struct slice value = http_value(head, "authorization");
    if (value.len <= 7 || !slice_ieq(slice_of(value.ptr, 7), SLICE("bearer ")))
        return (struct slice){0};
    return slice_trim(slice_of(value.ptr + 7, value.len - 7));
}

static int authenticate(struct edge_call *call)
{
    struct request *req = &call->req;
    bool is_public = (call->entry->route->flags & ROUTE_PUBLIC) != 0;
    req->bearer = bearer_of(req->head);
    if (req->bearer.ptr == NULL)
        return is_public ? 0
                         : error_set(&req->error, FAIL_UNAUTHENTICATED, "token_required",
                                     "Send an access token: Authorization: Bearer <token>.");
    struct error ignored;
    error_init(&ignored);
    int rc = token_check(req->kit->tokens, req->bearer, &call->principal,
                         is_public ? &ignored : &req->error);
    if (rc == 0) {
        req->principal = &call->principal;
        activity_mark(req->kit->activity, &call->principal.user);
    }
    return is_public ? 0 : rc;
}

static int authorise(struct edge_call *call)
{
    unsigned needed = call->entry->route->scopes;
    if (needed == 0 ||
        (call->req.principal != NULL && (call->req.principal->scopes & needed) == needed))
        return 0;
    return error_set(&call->req.error, FAIL_FORBIDDEN, "forbidden", "Your role may not do this.");
}

static int limit(struct edge_call *call)
{
    const struct edge *edge = call->edge;
    struct request *req = &call->req;
    if (call->entry->route->limit == LIMIT_NONE)
        return 0;
    struct limit_rule rule = {"data", LIMIT_BUCKET, edge->limits.user, 60000, "rate_limited"};
    struct slice key = slice_of((const char *)&call->principal.user, sizeof(struct id));
    if (req->principal == NULL) {
        if (!edge->per_address)
            return 0;
        rule.name = "address";
        rule.count = edge->limits.anonymous;
        key = limit_address(&req->peer);
    } else if (!edge->per_user) {
        return 0;
    }
    return limit_take(req->kit->kv, &rule, key, &req->headers, &req->error);
}

/* The key's owner: the user. Where an answer is a secret, or nobody's, whoever shows the same
 * credentials from the same place: what one person was given must not be given to the next one who
 * shares the address, or to another page that the browser sends the same cookie for. */
static struct id owner_of(const struct edge_call *call, bool secret)
{
    const struct request *req = &call->req;
    if (req->principal != NULL && !secret)
        return req->principal->user;
    struct slice cookie = http_value(req->head, "cookie");
    if (req->principal == NULL) {
        struct slice peer = slice_of((const char *)&req->peer, sizeof req->peer);
        struct id shown = idempotency_hash(cookie, req->bearer, http_value(req->head, "origin"));
        return idempotency_hash(peer, slice_of((const char *)shown.bytes, sizeof shown.bytes),
                                SLICE("address"));
    }
    /* A token is renewed, its session stays. */
    const struct id *session = &req->principal->session;
    return idempotency_hash(slice_of((const char *)session->bytes, sizeof session->bytes), cookie,
                            SLICE("session"));
}

static int handle_once(struct edge_call *call, struct http_exchange *x, struct slice key)
{
    struct request *req = &call->req;
    if (key.len < 1 || key.len > 128 || !edge_visible(key))
        return error_set(&req->error, FAIL_BAD_REQUEST, "invalid_idempotency_key",
                         "Idempotency-Key takes 1 to 128 visible ASCII characters.");
    bool secret = req->principal == NULL || (call->entry->route->flags & ROUTE_SECRET) != 0;
    struct idempotency once = {.owner = owner_of(call, secret),
                               .key = key,
                               .request = idempotency_hash(call->path, x->head.query, x->body),
                               .secret = secret};
    int rc = idempotency_begin(req, &once);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = call->entry->route->handle(req);
    idempotency_end(req, &once, rc >= 0);
    return rc;
}

static int handle(struct edge_call *call, struct http_exchange *x)
{
    struct slice key = http_value(&x->head, "idempotency-key");
    if (key.ptr != NULL && x->head.method == HTTP_POST &&
        (call->entry->route->flags & ROUTE_STREAM) == 0)
        return handle_once(call, x, key);
    return call->entry->route->handle(&call->req);
}

int edge_run(struct edge_call *call, struct http_exchange *x)
{
    find_address(call, x);
    int rc = authenticate(call);
    if (rc == 0)
        rc = authorise(call);
    if (rc == 0)
        rc = limit(call);
    if (rc == 0)
        rc = edge_decode(call, x);
    if (rc == 0)
        rc = handle(call, x);
    return rc;
}
