#include "gateway/edge.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "gateway/edge_answer.h"
#include "gateway/static.h"
#include "kit/activity.h"
#include "kit/idempotency.h"
#include "kit/limit.h"

enum { BODY_DEFAULT = 64 << 10, ANSWER_MAX = 8 << 20, KEPT_CALLS = 256, KEPT_BYTES = 16 << 10 };

const struct config_key edge_config[] = {
    {"trusted_proxies", CONFIG_LIST, "",
     .doc = "Networks (CIDR) whose X-Forwarded-For header is believed."},
    {"http.head_timeout", CONFIG_DURATION, "10s", 10, 600000,
     .doc = "Time a client has to send a request head."},
    {"http.body_timeout", CONFIG_DURATION, "20s", 10, 600000,
     .doc = "Longest pause while a request body arrives."},
    {"http.idle_timeout", CONFIG_DURATION, "75s", 10, 3600000,
     .doc = "How long an idle keep-alive connection is kept."},
    {"http.connections_max", CONFIG_INT, "0", 0, 10000000,
     .doc = "Connections per loop; more are refused with 503. 0: as many as descriptors allow."},
    {"log.requests", CONFIG_BOOL, "off",
     .doc = "A log line for every request, not only for those that failed here (5xx)."},
    {0},
};

/* --- calls, pooled per thread ------------------------------------------------------------------
 */

static _Thread_local struct edge_call *unused;
static _Thread_local unsigned unused_count;

static struct edge_call *call_take(void)
{
    struct edge_call *call = unused;
    if (call != NULL) {
        unused = call->next;
        unused_count--;
        return call;
    }
    call = xcalloc(1, sizeof *call);
    buf_init(&call->req.answer, ANSWER_MAX);
    buf_init(&call->req.headers, 16 << 10);
    buf_init(&call->head, 32 << 10);
    return call;
}

static void call_give_back(struct edge_call *call)
{
    if (call->req.answer.cap > KEPT_BYTES || unused_count >= KEPT_CALLS) {
        buf_done(&call->req.answer);
        buf_done(&call->req.headers);
        buf_done(&call->head);
        free(call);
        return;
    }
    buf_clear(&call->req.answer);
    buf_clear(&call->req.headers);
    call->next = unused;
    unused = call;
    unused_count++;
}

/* --- correlation id (G17) ----------------------------------------------------------------------
 */

static bool visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static void correlate(struct edge_call *call, struct http_exchange *x)
{
    struct slice given = http_value(&x->head, "x-correlation-id");
    if (given.ptr != NULL && given.len >= 1 && given.len <= 128 && visible(given)) {
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
    req->exchange = x;
    req->head = &x->head;
    req->bearer = (struct slice){0};
    req->session = NULL;
    req->status = 0;
    req->content_type = NULL;
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

static int64_t body_max(const struct route *route)
{
    if (route->body == NULL && (route->flags & ROUTE_FORM) == 0)
        return route->flags & ROUTE_NO_BODY ? 1024 : 0;
    return route->body_max != 0 ? (int64_t)route->body_max : BODY_DEFAULT;
}

static int64_t no_route(struct edge_call *call, struct http_exchange *x, int rc)
{
    enum http_method method = x->head.method;
    if (method == HTTP_OPTIONS && http_find(&x->head, "access-control-request-method") != NULL) {
        call->is_preflight = true;
        return 0;
    }
    if (rc == FAIL_NOT_FOUND && (method == HTTP_GET || method == HTTP_HEAD) &&
        static_has(&x->head)) {
        call->is_static = true;
        return 0;
    }
    if (rc == FAIL_METHOD)
        return error_set(&x->error, FAIL_METHOD, "method_not_allowed", "This resource knows: %s.",
                         call->match.allow);
    return error_set(&x->error, FAIL_NOT_FOUND, "not_found", "There is nothing at this path.");
}

static int64_t edge_admit(struct http_exchange *x)
{
    struct edge_call *call = edge_call_of(x);
    struct slice path = versioned(x->head.path, &x->arena);
    int rc = route_find(call->edge->tree, x->head.method, path, &call->match);
    if (rc < 0)
        return no_route(call, x, rc);
    call->entry = call->match.route;
    call->req.room = call->entry->room;
    return body_max(call->entry->route);
}

/* --- stages ------------------------------------------------------------------------------------
 */

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
    enum limit_class class = call->entry->route->limit;
    if (class == LIMIT_NONE)
        return 0;
    struct limit_rule rule = {"data", LIMIT_BUCKET, edge->limits.user, 60000, "rate_limited"};
    struct slice key = slice_of((const char *)&call->principal.user, sizeof(struct id));
    if (class == LIMIT_MEDIA) {
        rule.name = "media";
        rule.count = edge->limits.media;
    }
    if (req->principal == NULL) {
        if (!edge->per_address)
            return 0;
        rule.name = "address";
        rule.count = edge->limits.anonymous;
        key = slice_of((const char *)&req->peer, sizeof req->peer);
    } else if (!edge->per_user) {
        return 0;
    }
    return limit_take(req->kit->kv, &rule, key, &req->headers, &req->error);
}

/* Path parameters go through the same decoder as a query: name=value pairs in pattern order. */
static int decode_params(struct edge_call *call)
{
    const struct route *route = call->entry->route;
    struct request *req = &call->req;
    void *params = arena_alloc(req->arena, route->params->size);
    struct buf text;
    buf_init(&text, 32 << 10);
    const char *at = route->path;
    for (unsigned i = 0; i < call->match.param_count; i++) {
        at = strchr(at, '{') + 1;
        size_t len = strcspn(at, "}.");
        if (i > 0)
            buf_char(&text, '&');
        buf_append(&text, at, len);
        buf_char(&text, '=');
        struct slice value = call->match.params[i];
        for (size_t k = 0; k < value.len; k++) {
            char c = value.ptr[k];
            if (c == '+' || c == '&' || c == '=')
                buf_printf(&text, "%%%02X", c);
            else
                buf_char(&text, c);
        }
    }
    struct slice copy = arena_copy(req->arena, buf_view(&text));
    buf_done(&text);
    if (params == NULL || copy.ptr == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The path is too long.");
    req->params = params;
    return schema_decode_query(route->params, copy, req->arena, params, &req->error);
}

static int decode_query(struct edge_call *call)
{
    const struct schema *schema = call->entry->route->query;
    struct request *req = &call->req;
    void *query = arena_alloc(req->arena, schema->size);
    if (query == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The query is too long.");
    req->query = query;
    struct slice text = req->head->query.ptr != NULL ? req->head->query : SLICE("");
    return schema_decode_query(schema, text, req->arena, query, &req->error);
}

static bool is_json(struct slice type)
{
    struct slice head, rest = type;
    slice_cut(&rest, ';', &head);
    return slice_ieq(slice_trim(head), SLICE("application/json"));
}

static int decode_body(struct edge_call *call, struct http_exchange *x)
{
    const struct schema *schema = call->entry->route->body;
    struct request *req = &call->req;
    struct slice type = http_value(&x->head, "content-type");
    if (type.ptr != NULL && !is_json(type))
        return error_set(&req->error, FAIL_MEDIA_TYPE, "media_type",
                         "Send application/json, not %.*s.", (int)(type.len < 80 ? type.len : 80),
                         type.ptr);
    void *body = arena_alloc(req->arena, schema->size);
    if (body == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The body is too large.");
    req->body = body;
    return schema_decode(schema, x->body, req->arena, body, &req->error);
}

static int decode(struct edge_call *call, struct http_exchange *x)
{
    const struct route *route = call->entry->route;
    int rc = 0;
    if (route->params != NULL)
        rc = decode_params(call);
    if (rc == 0 && route->query != NULL)
        rc = decode_query(call);
    bool left_out = (route->flags & ROUTE_OPTIONAL_BODY) != 0 && x->body.len == 0;
    if (rc == 0 && route->body != NULL && !left_out)
        rc = decode_body(call, x);
    return rc;
}

/* The key's owner: the user, or whoever shares this address. */
static int handle_once(struct edge_call *call, struct http_exchange *x, struct slice key)
{
    struct request *req = &call->req;
    if (key.len < 1 || key.len > 128 || !visible(key))
        return error_set(&req->error, FAIL_BAD_REQUEST, "invalid_idempotency_key",
                         "Idempotency-Key takes 1 to 128 visible ASCII characters.");
    struct slice peer = slice_of((const char *)&req->peer, sizeof req->peer);
    struct idempotency once = {
        .owner = req->principal != NULL ? req->principal->user
                                        : idempotency_hash(peer, SLICE("address"), SLICE("")),
        .key = key,
        .request = idempotency_hash(x->head.path, x->head.query, x->body),
        .secret = req->principal == NULL || (call->entry->route->flags & ROUTE_SECRET) != 0};
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

static int run(struct edge_call *call, struct http_exchange *x)
{
    int rc = authenticate(call);
    if (rc == 0)
        rc = authorise(call);
    if (rc == 0)
        rc = limit(call);
    if (rc == 0)
        rc = decode(call, x);
    if (rc == 0)
        rc = handle(call, x);
    return rc;
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
    find_address(call, x);
    int rc = run(call, x);
    bool streamed = (call->entry->route->flags & ROUTE_STREAM) != 0;
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

/* --- start -------------------------------------------------------------------------------------
 */

static const char *const method_names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                           "PATCH", "DELETE", "OPTIONS", "OTHER"};

static void name_metrics(struct edge_route *entry, const char *method, const char *path)
{
    char labels[256];
    snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\"", path, method);
    entry->latency = metric_register(METRIC_HISTOGRAM, "http_request_duration_seconds",
                                     "From request head to answer.", labels);
    for (int class = 1; class <= 5; class ++) {
        snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\",status=\"%dxx\"", path, method,
                 class);
        entry->answers[class] =
            metric_register(METRIC_COUNTER, "http_requests_total", "Answers.", labels);
    }
}

static void add_routes(struct edge *edge)
{
    struct kit *kit = edge->kit;
    size_t at = 0;
    for (int m = 0; kit->modules[m] != NULL; m++)
        edge->route_count += kit->modules[m]->route_count;
    edge->routes = xcalloc(edge->route_count, sizeof *edge->routes);
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->route_count; i++) {
            const struct route *route = &kit->modules[m]->routes[i];
            struct edge_route *entry = &edge->routes[at++];
            *entry = (struct edge_route){.route = route, .room = kit->rooms[m]};
            name_metrics(entry, method_names[route->method], route->path);
            route_add(edge->tree, route->method, route->path, entry);
        }
}

static int read_trusted(struct edge *edge, struct error *err)
{
    const struct config *config = edge->kit->config;
    for (size_t i = 0; i < config_list_count(config, "trusted_proxies"); i++) {
        const char *text = config_list_item(config, "trusted_proxies", i);
        if (edge->trusted_count == ARRAY_LEN(edge->trusted))
            return error_field(err, "trusted_proxies", "too_many", "At most %zu networks.",
                               ARRAY_LEN(edge->trusted));
        if (!network_parse(text, &edge->trusted[edge->trusted_count++]))
            return error_field(err, "trusted_proxies", "invalid",
                               "\"%s\" is no network such as 10.0.0.0/8.", text);
    }
    return 0;
}

int edge_new(struct kit *kit, struct edge **ret_edge, struct error *err)
{
    struct edge *edge = xcalloc(1, sizeof *edge);
    edge->kit = kit;
    edge->per_user = config_bool(kit->config, "limits.per_user");
    edge->per_address = config_bool(kit->config, "limits.per_address");
    edge->limits.user = config_int(kit->config, "limits.requests_per_minute");
    edge->limits.anonymous = config_int(kit->config, "limits.anonymous_per_minute");
    edge->limits.media = config_int(kit->config, "limits.media_per_minute");
    edge->log_requests = config_bool(kit->config, "log.requests");
    int rc = read_trusted(edge, err);
    if (rc < 0) {
        free(edge);
        return rc;
    }
    edge->tree = route_tree_new();
    name_metrics(&edge->unrouted, "ANY", "static");
    add_routes(edge);
    *ret_edge = edge;
    return 0;
}

void edge_free(struct edge *edge)
{
    route_tree_free(edge->tree);
    free(edge->routes);
    free(edge);
}

void edge_server_config(struct edge *edge, struct http_server_config *ret_config)
{
    const struct config *config = edge->kit->config;
    *ret_config = (struct http_server_config){
        .ops = &edge_server_ops,
        .arg = edge,
        .limits = http_limits_default,
        .head_timeout_ms = config_int(config, "http.head_timeout"),
        .body_timeout_ms = config_int(config, "http.body_timeout"),
        .idle_timeout_ms = config_int(config, "http.idle_timeout"),
        .request_timeout_ms = 60000,
        .connections_max = (size_t)config_int(config, "http.connections_max")};
}
