/* The four forms of a request target (RFC 9112 section 3.2) and the host (RFC 9110 section 7.2).
 *
 * origin-form and absolute-form are served, asterisk-form belongs to OPTIONS alone, and CONNECT
 * (authority-form) is not implemented: this is no proxy for strangers. The path is checked against
 * RFC 3986 but left as it came; nobody below unescapes it before routing.
 */
#include "net/http1_target.h"

#include "net/http1_scan.h"

static int refuse(struct error *err, const char *why)
{
    return error_set(err, FAIL_BAD_REQUEST, "bad_request_target", "The request target %s.", why);
}

static bool escapes_valid(struct slice text)
{
    const char *p = text.ptr, *end = p + text.len;
    while (p < end && (p = memchr(p, '%', (size_t)(end - p))) != NULL) {
        if (end - p < 3 || http1_hex(p[1]) < 0 || http1_hex(p[2]) < 0)
            return false;
        p += 3;
    }
    return true;
}

/* rest stands at the '/', the '?' or the end of the target. */
static int path_and_query(struct slice rest, struct http_head *head, struct error *err)
{
    const char *end = rest.ptr + rest.len;
    const char *path_end = http1_scan(rest.ptr, end, CHAR_PATH);
    const char *query_end = path_end;
    struct slice query = {0};
    if (path_end < end && *path_end == '?') {
        query_end = http1_scan(path_end + 1, end, CHAR_QUERY);
        query = slice_of(path_end + 1, (size_t)(query_end - path_end - 1));
    }
    if (query_end != end)
        return refuse(err, *query_end == '#' ? "has a fragment" : "has a character it may not");
    if (!escapes_valid(rest))
        return refuse(err, "has a broken percent-escape");
    head->path = slice_of(rest.ptr, (size_t)(path_end - rest.ptr));
    head->query = query;
    return 0;
}

/* http://host[:port][/path][?query]; the host replaces the Host field (RFC 9112 section 3.2.2). */
static int absolute_form(struct slice target, size_t scheme_bytes, struct http_head *head,
                         struct error *err)
{
    const char *host = target.ptr + scheme_bytes, *end = target.ptr + target.len;
    const char *host_end = host;
    while (host_end < end && *host_end != '/' && *host_end != '?' && *host_end != '#')
        host_end++;
    head->host = slice_of(host, (size_t)(host_end - host));
    if (!http1_host_valid(head->host))
        return refuse(err, "names no valid host");
    int rc = path_and_query(slice_of(host_end, (size_t)(end - host_end)), head, err);
    if (rc == 0 && head->path.len == 0)
        head->path =
            head->method == HTTP_OPTIONS && head->query.ptr == NULL ? SLICE("*") : SLICE("/");
    return rc;
}

int http1_target(struct slice target, struct http_head *head, struct error *err)
{
    head->host = (struct slice){0};
    head->query = (struct slice){0};
    if (slice_eq(head->method_text, SLICE("CONNECT")))
        return error_set(err, FAIL_NOT_IMPLEMENTED, "method_not_implemented",
                         "This server is no proxy: CONNECT is not implemented.");
    if (LIKELY(target.len > 0 && target.ptr[0] == '/'))
        return path_and_query(target, head, err);
    if (slice_eq(target, SLICE("*"))) {
        head->path = target;
        return head->method == HTTP_OPTIONS ? 0 : refuse(err, "may be * with OPTIONS only");
    }
    if (target.len > 7 && slice_ieq(slice_of(target.ptr, 7), SLICE("http://")))
        return absolute_form(target, 7, head, err);
    if (target.len > 8 && slice_ieq(slice_of(target.ptr, 8), SLICE("https://")))
        return absolute_form(target, 8, head, err);
    return refuse(err, "is neither a path nor an http address");
}

static bool port_valid(const char *p, const char *end)
{
    /* RFC 3986 section 3.2.3 lets the digits be missing. */
    if (end - p > 5)
        return false;
    uint32_t port = 0;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9')
            return false;
        port = port * 10 + (uint32_t)(*p - '0');
    }
    return port <= 65535;
}

/* Between the brackets: an IPv6 address, loosely (nobody connects to it); IPvFuture is refused. */
static bool literal_valid(const char *p, const char *end)
{
    unsigned colons = 0;
    for (; p < end; p++) {
        colons += *p == ':';
        if (*p != ':' && *p != '.' && http1_hex(*p) < 0)
            return false;
    }
    return colons >= 2;
}

bool http1_host_valid(struct slice host)
{
    if (host.len == 0 || host.len > 261) /* a DNS name of 255 and a port */
        return false;
    const char *p = host.ptr, *end = p + host.len;
    if (*p == '[') {
        const char *close = memchr(p, ']', host.len);
        if (close == NULL || !literal_valid(p + 1, close))
            return false;
        p = close + 1;
    } else {
        p = http1_scan(p, end, CHAR_HOST);
        if (p == host.ptr || !escapes_valid(slice_of(host.ptr, (size_t)(p - host.ptr))))
            return false;
    }
    return p == end || (*p == ':' && port_valid(p + 1, end));
}
