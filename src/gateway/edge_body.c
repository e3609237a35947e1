#include "gateway/edge_body.h"

#include "kit/paging.h"
#include "net/compress.h"

/* What is sent where nothing is wanted is read, up to a size, to say so. */
enum { BODY_DEFAULT = 64 << 10, BODY_UNWANTED = 1024 };

int64_t edge_body_max(const struct route *route)
{
    if (route->body == NULL)
        return (route->flags & ROUTE_NO_BODY) != 0 || route->method == HTTP_DELETE ? BODY_UNWANTED
                                                                                   : 0;
    return route->body_max != 0 ? (int64_t)route->body_max : BODY_DEFAULT;
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
    int rc = schema_decode_query(schema, text, req->arena, query, &req->error);
    return rc < 0 ? rc : page_open(req, call->entry->route, req->params, query);
}

bool edge_ignores_query(const struct route *route)
{
    return route->query == NULL && route->method == HTTP_GET && (route->flags & ROUTE_PUBLIC) != 0;
}

/* Where no query is taken every field of one is unknown. */
static int check_no_query(struct request *req)
{
    static const struct schema none = {.name = "NoQuery", .present_offset = -1};
    char nothing;
    return schema_decode_query(&none, req->head->query, req->arena, &nothing, &req->error);
}

/* Names another character set than the one that JSON has (RFC 8259, 8.1). */
static bool is_foreign_charset(struct slice parameter)
{
    struct slice name, value = parameter;
    if (!slice_cut(&value, '=', &name) || !slice_ieq(slice_trim(name), SLICE("charset")))
        return false;
    value = slice_trim(value);
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = slice_of(value.ptr + 1, value.len - 2);
    return !slice_ieq(value, SLICE("utf-8")) && !slice_ieq(value, SLICE("utf8"));
}

static bool is_json(struct slice type)
{
    struct slice part, rest = type;
    bool more = slice_cut(&rest, ';', &part);
    if (!slice_ieq(slice_trim(part), SLICE("application/json")))
        return false;
    while (more) {
        more = slice_cut(&rest, ';', &part);
        if (is_foreign_charset(part))
            return false;
    }
    return true;
}

/* Every one that is sent: two readers could believe in different ones. */
static int check_type(const struct http_head *head, struct error *err)
{
    for (unsigned i = 0; i < head->header_count; i++) {
        struct slice type = head->headers[i].value;
        if (slice_ieq(head->headers[i].name, SLICE("content-type")) && !is_json(type))
            return error_set(err, FAIL_MEDIA_TYPE, "media_type",
                             "Send application/json in UTF-8, not %.*s.",
                             (int)(type.len < 80 ? type.len : 80), type.ptr);
    }
    return 0;
}

static int decode_body(struct edge_call *call, struct http_exchange *x)
{
    const struct schema *schema = call->entry->route->body;
    struct request *req = &call->req;
    int rc = check_type(&x->head, &req->error);
    if (rc < 0)
        return rc;
    void *body = arena_alloc(req->arena, schema->size);
    if (body == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The body is too large.");
    req->body = body;
    return schema_decode(schema, x->body, req->arena, body, &req->error);
}

/* RFC 9110, 8.4. A body that serve takes piece by piece is stored as it comes, so it may not be
 * coded. */
static int unpack(struct edge_call *call, struct http_exchange *x)
{
    struct request *req = &call->req;
    struct slice value = http_value(&x->head, "content-encoding");
    enum coding coding;
    if (value.ptr == NULL)
        return 0;
    if (!coding_parse(slice_trim(value), &coding) || (x->stream_body && coding != CODING_IDENTITY))
        return error_set(&req->error, FAIL_MEDIA_TYPE, "content_coding", "%s",
                         x->stream_body ? "This body may not be compressed."
                                        : "Bodies may be coded with gzip or zstd only.");
    if (coding == CODING_IDENTITY || x->body.len == 0)
        return 0;
    struct buf plain;
    buf_init(&plain, (size_t)edge_body_max(call->entry->route));
    int rc = decompress_bytes(coding, x->body, &plain, &req->error);
    if (rc == 0) {
        x->body = arena_copy(req->arena, buf_view(&plain));
        if (x->body.ptr == NULL)
            rc = error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The body is too large.");
    }
    buf_done(&plain);
    return rc;
}

/* Clients commonly send {} with a PUT or a POST that has nothing to say. */
static bool is_nothing(struct slice body)
{
    char said[2];
    size_t count = 0;
    for (size_t i = 0; i < body.len; i++) {
        if (memchr(" \t\r\n", body.ptr[i], 4) != NULL)
            continue;
        if (count == sizeof said)
            return false;
        said[count++] = body.ptr[i];
    }
    return count == 0 || (count == 2 && said[0] == '{' && said[1] == '}');
}

/* Whoever sends something believes that it counts. */
static int check_unwanted(const struct route *route, const struct http_exchange *x,
                          struct error *err)
{
    if (route->body != NULL || is_nothing(x->body))
        return 0;
    return error_set(err, FAIL_BAD_REQUEST, "unexpected_body",
                     "This operation takes no body, or {} at most.");
}

int edge_decode(struct edge_call *call, struct http_exchange *x)
{
    const struct route *route = call->entry->route;
    int rc = unpack(call, x);
    if (rc == FAIL_MEDIA_TYPE) /* RFC 9110, 15.5.16 */
        request_header(&call->req, "accept-encoding", "%s",
                       x->stream_body ? "identity" : "gzip, zstd");
    if (rc == 0)
        rc = check_unwanted(route, x, &call->req.error);
    if (rc == 0 && route->params != NULL)
        rc = decode_params(call);
    if (rc == 0 && route->query != NULL)
        rc = decode_query(call);
    else if (rc == 0 && x->head.query.len != 0 && !edge_ignores_query(route))
        rc = check_no_query(&call->req);
    bool left_out = (route->flags & ROUTE_OPTIONAL_BODY) != 0 && x->body.len == 0;
    if (rc == 0 && route->body != NULL && !left_out)
        rc = decode_body(call, x);
    return rc;
}
