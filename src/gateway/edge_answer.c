#include "gateway/edge_answer.h"

#include "base/log.h"
#include "base/metric.h"
#include "gateway/static.h"
#include "io/offload.h"
#include "kit/problem.h"
#include "net/compress.h"

enum { COMPRESS_FROM_BYTES = 1024, COMPRESS_HERE_BYTES = 64 << 10, COMPRESS_WAIT_MS = 2000 };

static bool origin_allowed(const struct edge *edge, struct slice origin)
{
    const struct config *config = edge->kit->config;
    for (size_t i = 0; i < config_list_count(config, "origins"); i++) {
        const char *allowed = config_list_item(config, "origins", i);
        if (strcmp(allowed, "*") == 0 || slice_eq(origin, slice_str(allowed)))
            return true;
    }
    return false;
}

/* CORS by the Fetch standard, section 3.2: only for origins that configuration lists. */
static void write_cors(struct edge_call *call, const struct http_head *head)
{
    if (config_list_count(call->edge->kit->config, "origins") == 0)
        return;
    buf_lit(&call->head, "vary: origin\r\n");
    struct slice origin = http_value(head, "origin");
    if (origin.ptr == NULL || !origin_allowed(call->edge, origin))
        return;
    buf_lit(&call->head, "access-control-allow-origin: ");
    buf_slice(&call->head, origin);
    buf_lit(&call->head, "\r\naccess-control-expose-headers: etag, location, retry-after, "
                         "content-disposition, ratelimit, ratelimit-policy, x-correlation-id\r\n");
}

static void start_head(struct edge_call *call, struct http_exchange *x)
{
    buf_clear(&call->head);
    buf_lit(&call->head, "x-correlation-id: ");
    buf_slice(&call->head, call->req.correlation_id);
    buf_lit(&call->head, "\r\nx-content-type-options: nosniff\r\n");
    write_cors(call, &x->head);
}

/* Only reads are compressed: answers to writes may hold tokens next to what the client sent. HEAD
 * does the work as well, since it says the length and the tag that GET would (RFC 9110, 8.6). A
 * cache has to know that another client may get the other form, so `vary` stands on both, and on a
 * 304. */
static bool compressible(const struct edge_call *call, const struct http_exchange *x)
{
    if (x->head.method != HTTP_GET && x->head.method != HTTP_HEAD)
        return false;
    return call->req.status == 304 || call->req.answer.len >= COMPRESS_FROM_BYTES;
}

struct compression {
    enum coding coding;
    struct slice plain;
    struct buf *out;
    bool smaller;
};

static void compress_now(void *arg)
{
    struct compression *c = arg;
    c->smaller = compress_bytes(c->coding, c->plain, c->out);
}

/* A large answer would hold up its loop, so a thread packs it; one for which none is free in time
 * leaves as it is. */
static bool pack(const struct edge_call *call, struct compression *c)
{
    struct error busy;
    error_init(&busy);
    if (c->plain.len <= COMPRESS_HERE_BYTES)
        compress_now(c);
    else if (offload_run(call->edge->kit->packing, compress_now, c, COMPRESS_WAIT_MS, &busy) < 0)
        return false;
    return c->smaller;
}

static enum coding compress(struct edge_call *call, struct http_exchange *x, struct buf *out)
{
    if (!compressible(call, x))
        return CODING_IDENTITY;
    buf_lit(&call->head, "vary: accept-encoding\r\n");
    if (call->req.answer.len == 0)
        return CODING_IDENTITY;
    enum coding coding = coding_choose(http_value(&x->head, "accept-encoding"),
                                       1u << CODING_IDENTITY | 1u << CODING_GZIP |
                                           1u << CODING_ZSTD | 1u << CODING_BR);
    struct compression c = {.coding = coding, .plain = buf_view(&call->req.answer), .out = out};
    if (coding == CODING_IDENTITY || !pack(call, &c))
        return CODING_IDENTITY;
    buf_printf(&call->head, "content-encoding: %s\r\n", coding_name(coding));
    return coding;
}

/* A strong tag names bytes, so the compressed form has one of its own, "x-gzip"; see
 * request_etag_known, which takes either. */
static void write_headers(struct edge_call *call, enum coding coding)
{
    struct slice headers = buf_view(&call->req.headers);
    const char *at = coding == CODING_IDENTITY || headers.len == 0
                         ? NULL
                         : memmem(headers.ptr, headers.len, "etag: \"", 7);
    const char *end =
        at != NULL ? memchr(at + 7, '"', headers.len - (size_t)(at + 7 - headers.ptr)) : NULL;
    if (end != NULL) {
        size_t before = (size_t)(end - headers.ptr);
        buf_append(&call->head, headers.ptr, before);
        buf_printf(&call->head, "-%s", coding_name(coding));
        headers = slice_of(end, headers.len - before);
    }
    buf_slice(&call->head, headers);
}

void edge_answer(struct edge_call *call, struct http_exchange *x)
{
    struct request *req = &call->req;
    if (x->answered)
        return;
    start_head(call, x);
    struct slice body = buf_view(&req->answer);
    struct buf smaller;
    buf_init(&smaller, body.len);
    enum coding coding = compress(call, x, &smaller);
    if (coding != CODING_IDENTITY)
        body = buf_view(&smaller);
    const char *type = call->entry->route->answer_type;
    if (body.len > 0) {
        buf_lit(&call->head, "content-type: ");
        buf_str(&call->head, type != NULL ? type : "application/json");
        buf_lit(&call->head, "\r\n");
    }
    write_headers(call, coding);
    http_reply(x, req->status != 0 ? req->status : 204, buf_view(&call->head), body);
    buf_done(&smaller);
}

/* What could not be parsed has neither a method nor a path. */
static struct slice text_for_log(struct slice text)
{
    return text.ptr != NULL ? text : SLICE("");
}

/* A path that is a secret itself is not written down; the route's pattern stands for it. */
static struct slice path_for_log(const struct edge_call *call, const struct http_exchange *x)
{
    const struct route *route = call->entry->route;
    bool secret = route != NULL && (route->flags & ROUTE_SECRET) != 0;
    return secret ? slice_str(route->path) : text_for_log(x->head.path);
}

/* What went wrong here. That we do not speak HTTP/2 or a transfer coding is the client's mistake,
 * although its status is a 5xx. */
static bool our_failure(const struct error *err)
{
    return error_http_status(err->kind) >= 500 && err->kind != FAIL_NOT_IMPLEMENTED &&
           err->kind != FAIL_HTTP_VERSION;
}

/* RFC 6750, section 3.1: only a token that was shown and does not hold is an error of the Bearer
 * scheme; who shows none, or a wrong password, is just told the scheme. */
static void write_challenge(struct buf *head, const struct error *err)
{
    static const char *const bad_token[] = {"invalid_token", "token_expired", "token_not_yet_valid",
                                            "token_revoked"};
    buf_lit(head, "www-authenticate: Bearer realm=\"parley\"");
    for (size_t i = 0; i < ARRAY_LEN(bad_token); i++)
        if (err->code != NULL && strcmp(err->code, bad_token[i]) == 0)
            buf_lit(head, ", error=\"invalid_token\"");
    buf_lit(head, "\r\n");
}

void edge_answer_problem(struct edge_call *call, struct http_exchange *x, const struct error *err)
{
    if (x->answered)
        return;
    struct buf problem;
    buf_init(&problem, 64 << 10);
    problem_write(err, call->req.correlation_id, &problem);
    start_head(call, x);
    buf_lit(&call->head, "content-type: application/problem+json\r\n");
    int64_t retry_s = problem_retry_after_s(err);
    if (retry_s > 0)
        buf_printf(&call->head, "retry-after: %lld\r\n", (long long)retry_s);
    if (err->kind == FAIL_METHOD)
        buf_printf(&call->head, "allow: %s\r\n", call->match.allow);
    if (err->kind == FAIL_UNAUTHENTICATED)
        write_challenge(&call->head, err);
    buf_slice(&call->head, buf_view(&call->req.headers));
    int status = error_http_status(err->kind);
    if (our_failure(err))
        log_error("request failed", LOG_S("code", err->code), LOG_S("detail", err->detail),
                  LOG_I("status", status), LOG_T("path", path_for_log(call, x)),
                  LOG_T("correlation_id", call->req.correlation_id));
    http_reply(x, status, buf_view(&call->head), buf_view(&problem));
    buf_done(&problem);
}

void edge_answer_lines(struct edge_call *call, struct http_exchange *x)
{
    start_head(call, x);
    x->lines = buf_view(&call->head);
}

void edge_answer_preflight(struct edge_call *call, struct http_exchange *x)
{
    start_head(call, x);
    if (slice_eq(x->head.path, SLICE("*"))) /* of the server as a whole (RFC 9110, 9.3.7) */
        buf_lit(&call->head, "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    buf_lit(&call->head,
            "access-control-allow-methods: GET, POST, PUT, PATCH, DELETE\r\n"
            "access-control-allow-headers: authorization, content-type, idempotency-key, if-match, "
            "if-none-match, last-event-id, x-correlation-id, x-parley-cookie\r\n"
            "access-control-max-age: 600\r\n");
    http_reply(x, 204, buf_view(&call->head), (struct slice){"", 0});
}

void edge_answer_static(struct edge_call *call, struct http_exchange *x)
{
    start_head(call, x);
    static_serve(x, buf_view(&call->head));
}

void edge_account(struct edge_call *call, struct http_exchange *x)
{
    int64_t ns = clock_mono_ns(call->edge->kit->clock) - x->started_ns;
    int class = x->status / 100;
    if (x->started_ns != 0)
        metric_observe_ns(call->entry->latency, ns);
    if (class >= 1 && class <= 5)
        metric_add(call->entry->answers[class], 1);
    if (call->edge->log_requests)
        log_info("request", LOG_T("method", text_for_log(x->head.method_text)),
                 LOG_T("path", path_for_log(call, x)), LOG_I("status", x->status),
                 LOG_I("us", ns / 1000), LOG_I("bytes", x->sent_bytes),
                 LOG_T("correlation_id", call->req.correlation_id));
}
