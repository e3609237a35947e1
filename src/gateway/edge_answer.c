#include "gateway/edge_answer.h"

#include "base/log.h"
#include "base/metric.h"
#include "gateway/static.h"
#include "kit/problem.h"
#include "net/compress.h"

enum { COMPRESS_FROM_BYTES = 1024, COMPRESS_MAX_BYTES = 64 << 10 };

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
static bool write_cors(struct edge_call *call, const struct http_head *head)
{
    if (config_list_count(call->edge->kit->config, "origins") == 0)
        return false;
    buf_lit(&call->head, "vary: origin\r\n");
    struct slice origin = http_value(head, "origin");
    if (origin.ptr == NULL || !origin_allowed(call->edge, origin))
        return false;
    buf_lit(&call->head, "access-control-allow-origin: ");
    buf_slice(&call->head, origin);
    buf_lit(&call->head, "\r\naccess-control-expose-headers: etag, location, retry-after, "
                         "ratelimit, ratelimit-policy, x-correlation-id\r\n");
    return true;
}

static void start_head(struct edge_call *call, struct http_exchange *x)
{
    buf_clear(&call->head);
    buf_lit(&call->head, "x-correlation-id: ");
    buf_slice(&call->head, call->req.correlation_id);
    buf_lit(&call->head, "\r\nx-content-type-options: nosniff\r\n");
    write_cors(call, &x->head);
}

/* Only reads are compressed: answers to writes may hold tokens next to what the client sent. */
static bool compressed(struct edge_call *call, struct http_exchange *x, struct buf *out)
{
    struct slice body = buf_view(&call->req.answer);
    if (body.len < COMPRESS_FROM_BYTES || body.len > COMPRESS_MAX_BYTES ||
        x->head.method != HTTP_GET)
        return false;
    enum coding coding = coding_choose(http_value(&x->head, "accept-encoding"),
                                       1u << CODING_IDENTITY | 1u << CODING_GZIP |
                                           1u << CODING_ZSTD | 1u << CODING_BR);
    if (coding == CODING_IDENTITY || !compress_bytes(coding, body, out))
        return false;
    buf_printf(&call->head, "content-encoding: %s\r\nvary: accept-encoding\r\n",
               coding_name(coding));
    return true;
}

void edge_answer(struct edge_call *call, struct http_exchange *x)
{
    struct request *req = &call->req;
    if (x->answered)
        return;
    start_head(call, x);
    struct slice body = buf_view(&req->answer);
    struct buf smaller;
    buf_init(&smaller, body.len + 64);
    if (compressed(call, x, &smaller))
        body = buf_view(&smaller);
    if (body.len > 0) {
        buf_lit(&call->head, "content-type: ");
        buf_str(&call->head, req->content_type != NULL ? req->content_type : "application/json");
        buf_lit(&call->head, "\r\n");
    }
    buf_slice(&call->head, buf_view(&req->headers));
    http_reply(x, req->status != 0 ? req->status : 204, buf_view(&call->head), body);
    buf_done(&smaller);
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
        buf_printf(&call->head, "www-authenticate: Bearer error=\"%s\"\r\n",
                   err->code != NULL ? err->code : "invalid_token");
    buf_slice(&call->head, buf_view(&call->req.headers));
    int status = error_http_status(err->kind);
    if (status >= 500)
        log_error("request failed", LOG_S("code", err->code), LOG_S("detail", err->detail),
                  LOG_I("status", status), LOG_T("path", x->head.path),
                  LOG_T("correlation_id", call->req.correlation_id));
    http_reply(x, status, buf_view(&call->head), buf_view(&problem));
    buf_done(&problem);
}

void edge_answer_preflight(struct edge_call *call, struct http_exchange *x)
{
    start_head(call, x);
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
        log_info("request", LOG_T("method", x->head.method_text), LOG_T("path", x->head.path),
                 LOG_I("status", x->status), LOG_I("us", ns / 1000), LOG_I("bytes", x->sent_bytes),
                 LOG_T("correlation_id", call->req.correlation_id));
}
