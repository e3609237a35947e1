/* The request head in one pass, without allocation (RFC 9112 sections 2 to 5).
 *
 * A reader walks from the start; each step either takes what it needs, says "more" (the bytes end
 * inside something that is right so far), or refuses. So the verdict is the same however the bytes
 * are split, and it falls at the first wrong byte rather than at the end of the block.
 *
 * Refusals: 400 for grammar, 414 for a request line over its limit, 431 for fields over theirs,
 * 501 for CONNECT and unknown transfer codings, 505 for another major version (the HTTP/2 preface
 * among them), 417 for expectations.
 */
#include "net/http1.h"

#include "net/http1_fields.h"
#include "net/http1_scan.h"
#include "net/http1_target.h"

const struct http_limits http_limits_default = {
    .request_line_bytes = 8 << 10,
    .header_bytes = 32 << 10,
    .trailer_bytes = 8 << 10,
    .chunk_ext_bytes = 1 << 10,
};

/* Steps return one of these or a negative enum fail. */
enum { MORE = 0, DONE = 1 };

static int refuse(struct error *err, const char *code, const char *why)
{
    return error_set(err, FAIL_BAD_REQUEST, code, "%s", why);
}

/* CR LF and nothing else ends a line (RFC 9112 section 2.2). */
static int line_end(const char **p, const char *end, struct error *err)
{
    if (*p < end && **p != '\r')
        return refuse(err, "bad_line", "A line has a control character or ends with a bare LF.");
    if (end - *p < 2)
        return MORE;
    if ((*p)[1] != '\n')
        return refuse(err, "bad_line", "A CR stands without its LF.");
    *p += 2;
    return DONE;
}

static enum http_method method_of(struct slice text)
{
    static const struct {
        struct slice text;
        enum http_method method;
    } methods[] = {
        {{"GET", 3}, HTTP_GET},         {{"POST", 4}, HTTP_POST},     {{"PUT", 3}, HTTP_PUT},
        {{"PATCH", 5}, HTTP_PATCH},     {{"DELETE", 6}, HTTP_DELETE}, {{"HEAD", 4}, HTTP_HEAD},
        {{"OPTIONS", 7}, HTTP_OPTIONS},
    };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (slice_eq(text, methods[i].text))
            return methods[i].method;
    return HTTP_OTHER;
}

/* HTTP-version (section 2.3). Whatever is wrong in it is told as soon as it is seen. */
static int version(const char **p, const char *end, struct http_head *head, struct error *err)
{
    static const char pattern[8] = "HTTP/d.d";
    size_t have = (size_t)(end - *p) < sizeof pattern ? (size_t)(end - *p) : sizeof pattern;
    for (size_t i = 0; i < have; i++) {
        char c = (*p)[i];
        if (pattern[i] == 'd' ? c < '0' || c > '9' : c != pattern[i])
            return refuse(err, "bad_version", "The request line does not end with HTTP/1.1.");
    }
    if (have < sizeof pattern)
        return MORE;
    if ((*p)[5] != '1')
        return error_set(err, FAIL_HTTP_VERSION, "version_not_supported",
                         "This port speaks HTTP/1.1, not HTTP/%c.%c.", (*p)[5], (*p)[7]);
    head->minor = (unsigned)((*p)[7] - '0');
    *p += sizeof pattern;
    return DONE;
}

/* The line without its limit: method SP request-target SP HTTP-version CRLF (section 3). */
static int line_parts(const char **p, const char *end, struct http_head *head, struct error *err)
{
    const char *method_end = http1_scan(*p, end, CHAR_TOKEN);
    if (method_end == end)
        return MORE;
    if (*method_end != ' ' || method_end == *p)
        return refuse(err, "bad_method", "The request line does not begin with a method.");
    head->method_text = slice_of(*p, (size_t)(method_end - *p));
    const char *target = method_end + 1, *target_end = target;
    while (target_end<end && * target_end> ' ' && *target_end < 0x7f)
        target_end++;
    if (target_end == end)
        return MORE;
    if (*target_end != ' ' || target_end == target)
        return refuse(err, "bad_request_target",
                      "The request target is empty or has a character it may not.");
    const char *at = target_end + 1;
    int rc = version(&at, end, head, err);
    if (rc == DONE)
        rc = line_end(&at, end, err);
    if (rc != DONE)
        return rc;
    head->method = method_of(head->method_text);
    rc = http1_target(slice_of(target, (size_t)(target_end - target)), head, err);
    if (rc < 0)
        return rc;
    *p = at;
    return DONE;
}

static int request_line(const char **p, const char *end, size_t max, struct http_head *head,
                        struct error *err)
{
    /* Two more for the CRLF: the limit counts the line itself. */
    bool cut = (size_t)(end - *p) > max + 2;
    int rc = line_parts(p, cut ? *p + max + 2 : end, head, err);
    if (rc == MORE && cut)
        return error_set(err, FAIL_URI_TOO_LONG, "uri_too_long",
                         "The request line is longer than %zu bytes.", max);
    return rc;
}

/* name ":" OWS value OWS CRLF (section 5). A line that begins with a blank is obs-fold, and a blank
 * before the colon is refused with it: neither is a token. */
static int header_line(const char **p, const char *end, struct http_head *head, struct error *err)
{
    const char *name_end = http1_scan(*p, end, CHAR_TOKEN);
    if (name_end == end)
        return MORE;
    if (*name_end != ':' || name_end == *p)
        return refuse(err, "bad_header_name", "A field line has no valid name before its colon.");
    const char *value = name_end + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    const char *at = http1_scan_value(value, end), *value_end = at;
    int rc = line_end(&at, end, err);
    if (rc != DONE)
        return rc;
    while (value_end > value && (value_end[-1] == ' ' || value_end[-1] == '\t'))
        value_end--;
    if (head->header_count == HTTP_HEADERS_MAX)
        return error_set(err, FAIL_HEADERS_TOO_LARGE, "too_many_headers",
                         "More than %d header lines.", HTTP_HEADERS_MAX);
    head->headers[head->header_count++] = (struct http_header){
        slice_of(*p, (size_t)(name_end - *p)), slice_of(value, (size_t)(value_end - value))};
    *p = at;
    return DONE;
}

static int header_lines(const char **p, const char *end, size_t max, struct http_head *head,
                        struct error *err)
{
    bool cut = (size_t)(end - *p) > max + 2;
    if (cut)
        end = *p + max + 2;
    int rc = DONE;
    head->header_count = 0;
    while (rc == DONE && *p < end && **p != '\r')
        rc = header_line(p, end, head, err);
    if (rc == DONE)
        rc = line_end(p, end, err);
    if (rc == MORE && cut)
        return error_set(err, FAIL_HEADERS_TOO_LARGE, "headers_too_large",
                         "The header lines take more than %zu bytes.", max);
    return rc;
}

ptrdiff_t http1_parse_head(struct slice in, const struct http_limits *limits,
                           struct http_head *ret_head, struct error *err)
{
    if (in.len == 0)
        return MORE;
    const char *p = in.ptr, *end = p + in.len;
    int rc = DONE;
    /* One empty line before the request line is passed over (section 2.2). */
    if (*p == '\r')
        rc = line_end(&p, end, err);
    if (rc == DONE)
        rc = request_line(&p, end, limits->request_line_bytes, ret_head, err);
    if (rc == DONE)
        rc = header_lines(&p, end, limits->header_bytes, ret_head, err);
    if (rc != DONE)
        return rc; /* MORE is 0 */
    rc = http1_fields(ret_head, err);
    return rc < 0 ? rc : p - in.ptr;
}

const struct http_header *http_find(const struct http_head *head, const char *name)
{
    struct slice wanted = slice_str(name);
    for (unsigned i = 0; i < head->header_count; i++)
        if (slice_ieq(head->headers[i].name, wanted))
            return &head->headers[i];
    return NULL;
}

struct slice http_value(const struct http_head *head, const char *name)
{
    const struct http_header *h = http_find(head, name);
    return h != NULL ? h->value : (struct slice){0};
}
