#include "kit/request.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"

int request_reply(struct request *req, int status, const struct schema *schema, const void *value)
{
    req->status = status;
    schema_encode(schema, value, &req->answer);
    if (buf_ok(&req->answer))
        return 0;
    return error_set(&req->error, FAIL_TOO_LARGE, "answer_too_large",
                     "The answer is larger than %zu bytes.", req->answer.max);
}

int request_reply_json(struct request *req, int status, struct slice json)
{
    req->status = status;
    if (req->head == NULL) {
        req->reply = json; /* nobody looks at it again before it leaves */
        if (json.len <= req->answer.max)
            return 0;
    } else {
        buf_slice(&req->answer, json);
        if (buf_ok(&req->answer))
            return 0;
    }
    return error_set(&req->error, FAIL_TOO_LARGE, "answer_too_large",
                     "The answer is larger than %zu bytes.", req->answer.max);
}

int request_reply_empty(struct request *req)
{
    req->status = 204;
    return 0;
}

void request_header(struct request *req, const char *name, const char *fmt, ...)
{
    char value[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    if (should_not(len < 0 || (size_t)len >= sizeof value))
        return;
    buf_printf(&req->headers, "%s: %s\r\n", name, value);
}

struct slice request_header_value(const struct request *req, const char *name)
{
    return req->head != NULL ? http_value(req->head, name) : (struct slice){0};
}

/* Entity tags are equal on every node and in every run: the keys are constants. Nobody gains by
 * making two answers collide, so SipHash serves as a checksum here. */
void request_etag_make(struct slice json, char ret_etag[REQUEST_ETAG_MAX])
{
    static const uint8_t keys[2][16] = {"parley-etag-low", "parley-etag-top"};
    snprintf(ret_etag, REQUEST_ETAG_MAX, "\"%016llx%016llx\"",
             (unsigned long long)siphash13(keys[0], json.ptr, json.len),
             (unsigned long long)siphash13(keys[1], json.ptr, json.len));
}

/* "x" and what the edge makes of it when the answer leaves compressed: "x-gzip". */
static bool is_tag(struct slice item, struct slice etag)
{
    if (slice_eq(item, etag))
        return true;
    if (etag.len < 2 || item.len <= etag.len || item.ptr[item.len - 1] != '"' ||
        memcmp(item.ptr, etag.ptr, etag.len - 1) != 0)
        return false;
    struct slice coding = slice_of(item.ptr + etag.len - 1, item.len - etag.len);
    return slice_eq(coding, SLICE("-gzip")) || slice_eq(coding, SLICE("-zstd")) ||
           slice_eq(coding, SLICE("-br"));
}

/* A comma inside of a foreign tag cuts it in pieces, and none of them has a quote at both ends. */
static bool names_tag(struct slice list, struct slice etag, bool weak, struct slice *ret_named)
{
    bool more = true;
    while (more) {
        struct slice item;
        more = slice_cut(&list, ',', &item);
        item = slice_trim(item);
        if (weak && slice_starts(item, SLICE("W/")))
            item = slice_of(item.ptr + 2, item.len - 2);
        if (is_tag(item, etag)) {
            *ret_named = item;
            return true;
        }
    }
    return false;
}

/* *ret_named: the tag as the client has it; the given one for "*". */
static bool names_etag(const struct http_head *head, const char *header, struct slice etag,
                       bool weak, struct slice *ret_named)
{
    *ret_named = etag;
    for (unsigned i = 0; i < head->header_count; i++) {
        struct slice list = head->headers[i].value;
        if (slice_ieq(head->headers[i].name, slice_str(header)) &&
            (slice_eq(slice_trim(list), SLICE("*")) || names_tag(list, etag, weak, ret_named)))
            return true;
    }
    return false;
}

bool request_names_etag(const struct http_head *head, const char *header, struct slice etag,
                        bool weak)
{
    struct slice named;
    return names_etag(head, header, etag, weak, &named);
}

int request_check_match(struct request *req, struct slice current_json)
{
    char etag[REQUEST_ETAG_MAX];
    if (request_header_value(req, "if-match").ptr == NULL)
        return 0;
    request_etag_make(current_json, etag);
    if (request_names_etag(req->head, "if-match", slice_str(etag), false))
        return 0;
    return error_set(&req->error, FAIL_STALE, "stale",
                     "The resource has changed since it was read; read it again.");
}

void request_etag_known(struct request *req, const char *etag)
{
    if (req->head == NULL)
        return;
    struct slice named = slice_str(etag);
    bool reads = req->head->method == HTTP_GET || req->head->method == HTTP_HEAD;
    if (reads && names_etag(req->head, "if-none-match", slice_str(etag), true, &named)) {
        req->status = 304;
        buf_clear(&req->answer);
    }
    buf_lit(&req->headers, "etag: ");
    buf_slice(&req->headers, named); /* of the form that the client keeps */
    buf_lit(&req->headers, "\r\n");
}

void request_etag(struct request *req)
{
    char etag[REQUEST_ETAG_MAX];
    request_etag_make(buf_view(&req->answer), etag);
    request_etag_known(req, etag);
}
