/* Framing and connection fields: the place where request smuggling is refused.
 *
 * One look at each field; the few that matter are told apart by their length first. Anything two
 * parties could read in two ways is refused: Content-Length beside Transfer-Encoding or repeated
 * (RFC 9112 section 6.3), any coding but one final chunked (section 6.1), Host missing, repeated
 * or malformed (section 3.2).
 */
#include "net/http1_fields.h"

#include "net/http1_scan.h"
#include "net/http1_target.h"

struct seen {
    bool host, length, coding, upgrade;
    bool close, keep_alive, connection_upgrade;
};

static int refuse(struct error *err, const char *code, const char *why)
{
    return error_set(err, FAIL_BAD_REQUEST, code, "%s", why);
}

/* Takes the next element of a comma list, trimmed, possibly empty; false at the end. */
static bool next_element(struct slice *list, struct slice *ret_element)
{
    if (list->ptr == NULL)
        return false;
    if (!slice_cut(list, ',', ret_element))
        *list = (struct slice){0};
    *ret_element = slice_trim(*ret_element);
    return true;
}

static int host(struct http_head *head, struct seen *seen, struct slice value, struct error *err)
{
    if (seen->host)
        return refuse(err, "bad_host", "Host stands more than once.");
    seen->host = true;
    if (!http1_host_valid(value))
        return refuse(err, "bad_host", "Host is empty or malformed.");
    if (head->host.ptr == NULL)
        head->host = value;
    return 0;
}

static int content_length(struct http_head *head, struct seen *seen, struct slice value,
                          struct error *err)
{
    if (seen->length)
        return refuse(err, "bad_content_length", "Content-Length stands more than once.");
    seen->length = true;
    uint64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return refuse(err, "bad_content_length", "Content-Length is not a number.");
        if (__builtin_mul_overflow(length, 10u, &length) ||
            __builtin_add_overflow(length, (uint64_t)(value.ptr[i] - '0'), &length) ||
            length > INT64_MAX)
            return refuse(err, "bad_content_length", "Content-Length is too large a number.");
    }
    if (value.len == 0)
        return refuse(err, "bad_content_length", "Content-Length is empty.");
    head->has_length = true;
    head->content_length = length;
    return 0;
}

static int transfer_encoding(struct http_head *head, struct seen *seen, struct slice value,
                             struct error *err)
{
    if (seen->coding)
        return refuse(err, "bad_transfer_encoding", "Transfer-Encoding stands more than once.");
    seen->coding = true;
    struct slice coding;
    unsigned others = 0, chunked = 0;
    bool last_chunked = false;
    while (next_element(&value, &coding)) {
        last_chunked = slice_ieq(coding, SLICE("chunked"));
        chunked += last_chunked;
        others += !last_chunked;
        if (coding.len == 0 ||
            http1_scan(coding.ptr, coding.ptr + coding.len, CHAR_TOKEN) == coding.ptr)
            return refuse(err, "bad_transfer_encoding", "Transfer-Encoding is malformed.");
    }
    if (!last_chunked || chunked != 1)
        return refuse(err, "bad_transfer_encoding",
                      "The last transfer coding of a request must be chunked, once.");
    if (others != 0)
        return error_set(err, FAIL_NOT_IMPLEMENTED, "transfer_coding_not_implemented",
                         "No transfer coding but chunked is implemented.");
    head->chunked = true;
    return 0;
}

static int connection(struct seen *seen, struct slice value)
{
    struct slice option;
    while (next_element(&value, &option)) {
        seen->close |= slice_ieq(option, SLICE("close"));
        seen->keep_alive |= slice_ieq(option, SLICE("keep-alive"));
        seen->connection_upgrade |= slice_ieq(option, SLICE("upgrade"));
    }
    return 0;
}

static int expect(struct http_head *head, struct slice value, struct error *err)
{
    if (!slice_ieq(value, SLICE("100-continue")))
        return error_set(err, FAIL_EXPECTATION, "expectation_failed",
                         "No expectation but 100-continue can be met.");
    /* RFC 9110 section 10.1.1: ignored in an HTTP/1.0 request. */
    head->expect_continue = head->minor >= 1;
    return 0;
}

static int one_field(struct http_head *head, struct seen *seen, const struct http_header *h,
                     struct error *err)
{
    switch (h->name.len) {
    case 4: return slice_ieq(h->name, SLICE("host")) ? host(head, seen, h->value, err) : 0;
    case 6: return slice_ieq(h->name, SLICE("expect")) ? expect(head, h->value, err) : 0;
    case 7: seen->upgrade |= slice_ieq(h->name, SLICE("upgrade")); return 0;
    case 10: return slice_ieq(h->name, SLICE("connection")) ? connection(seen, h->value) : 0;
    case 14:
        if (!slice_ieq(h->name, SLICE("content-length")))
            return 0;
        return content_length(head, seen, h->value, err);
    case 17:
        if (!slice_ieq(h->name, SLICE("transfer-encoding")))
            return 0;
        return transfer_encoding(head, seen, h->value, err);
    default: return 0;
    }
}

int http1_fields(struct http_head *head, struct error *err)
{
    struct seen seen = {0};
    head->chunked = head->has_length = head->expect_continue = false;
    head->content_length = 0;
    for (unsigned i = 0; i < head->header_count; i++) {
        int rc = one_field(head, &seen, &head->headers[i], err);
        if (rc < 0)
            return rc;
    }
    if (seen.length && seen.coding)
        return refuse(err, "bad_framing", "Content-Length and Transfer-Encoding stand together.");
    if (seen.coding && head->minor == 0)
        return refuse(err, "bad_framing", "HTTP/1.0 has no Transfer-Encoding.");
    if (!seen.host && head->minor >= 1)
        return refuse(err, "bad_host", "Host is missing.");
    head->keep_alive = !seen.close && (head->minor >= 1 || seen.keep_alive);
    head->upgrade = seen.upgrade && seen.connection_upgrade && head->minor >= 1;
    return 0;
}
