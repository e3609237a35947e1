/* Percent-decoding (RFC 3986 section 2.1; '+' for a blank by the WHATWG URL standard's form
 * encoding). What comes out is text: no NUL, valid UTF-8. */
#include "base/json.h"
#include "net/http1.h"
#include "net/http1_scan.h"

static int refuse(struct error *err, const char *why)
{
    return error_set(err, FAIL_BAD_REQUEST, "bad_url", "The address has %s.", why);
}

/* Writes at most text.len bytes; returns how many, or -1 on a broken escape. */
static ptrdiff_t decode(struct slice text, bool plus_is_space, char *out)
{
    char *to = out;
    for (const char *p = text.ptr, *end = p + text.len; p < end; p++) {
        if (*p == '%') {
            int high = end - p > 2 ? http1_hex(p[1]) : -1;
            int low = high >= 0 ? http1_hex(p[2]) : -1;
            if (low < 0)
                return -1;
            *to++ = (char)(high << 4 | low);
            p += 2;
        } else {
            *to++ = plus_is_space && *p == '+' ? ' ' : *p;
        }
    }
    return to - out;
}

int url_decode(struct slice text, bool plus_is_space, struct arena *arena, struct slice *ret_text,
               struct error *err)
{
    if (text.ptr == NULL)
        text = SLICE("");
    char *out = arena_alloc(arena, text.len + 1);
    if (out == NULL)
        return error_set(err, FAIL_TOO_LARGE, "request_too_large",
                         "The request takes more memory than one may.");
    ptrdiff_t len = decode(text, plus_is_space, out);
    if (len < 0)
        return refuse(err, "a broken percent-escape");
    out[len] = 0;
    if (memchr(out, 0, (size_t)len) != NULL)
        return refuse(err, "a NUL in it");
    if (!utf8_valid(slice_of(out, (size_t)len)))
        return refuse(err, "bytes that are no UTF-8");
    *ret_text = slice_of(out, (size_t)len);
    return 0;
}
