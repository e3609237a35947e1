/* Chunked bodies: each row is fed at once, byte by byte, and cut in two at every point. */
#include "harness.h"

#include "net/http1.h"

static const struct http_limits limits = {.trailer_bytes = 40, .chunk_ext_bytes = 20};

struct result {
    int rc; /* the last return */
    size_t rest;
    size_t len;
    char body[256];
};

/* Feeds pieces of the given sizes; the last size repeats. */
static struct result feed(struct slice text, size_t first, size_t then)
{
    struct result r = {0};
    struct http1_chunked c;
    size_t at = 0;
    http1_chunked_init(&c);
    for (size_t step = first; r.rc == 0 && at < text.len; step = then) {
        size_t len = step < text.len - at ? step : text.len - at;
        struct slice in = slice_of(text.ptr + at, len), piece;
        struct error err;
        error_init(&err);
        while ((r.rc = http1_chunked_next(&c, &in, &limits, &piece, &err)) == 1) {
            panic_if(r.len + piece.len > sizeof r.body, "test body too long");
            memcpy(r.body + r.len, piece.ptr, piece.len);
            r.len += piece.len;
        }
        if (r.rc < 0)
            CHECK(err.kind == r.rc && err.detail[0] != 0);
        at += len;
        r.rest = in.len + (text.len - at);
    }
    return r;
}

static void check(struct slice text, int rc, const char *body, size_t rest)
{
    struct result whole = feed(text, text.len, 1);
    if (whole.rc != rc || whole.rest * (rc == 2) != rest)
        test_fail(__FILE__, __LINE__, "%.*s gave %d with %zu left", SLICE_FMT(text), whole.rc,
                  whole.rest);
    if (body != NULL)
        CHECK_STR(slice_of(whole.body, whole.len), body);
    for (size_t cut = 1; cut <= text.len; cut++) {
        struct result split = feed(text, cut, cut == 1 ? 1 : text.len);
        CHECK_INT(split.rc, rc);
        CHECK(split.len == whole.len && memcmp(split.body, whole.body, whole.len) == 0);
        if (rc == 2)
            CHECK_INT(split.rest, rest);
    }
}
#define GOOD(text, body) check(SLICE(text), 2, body, 0)
#define BAD(text) check(SLICE(text), FAIL_BAD_REQUEST, NULL, 0)

TEST(bodies_that_end)
{
    GOOD("0\r\n\r\n", "");
    GOOD("5\r\nhello\r\n0\r\n\r\n", "hello");
    GOOD("5\r\nhello\r\n06\r\n world\r\n000\r\n\r\n", "hello world");
    GOOD("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789");
    GOOD("0000000000000001\r\nx\r\n0\r\n\r\n", "x");
    GOOD("2\r\n\r\n\r\n0\r\n\r\n", "\r\n");
    check(SLICE("1\r\nx\r\n0\r\n\r\nGET /"), 2, "x", 5);
}

TEST(extensions)
{
    GOOD("1;a\r\nx\r\n0\r\n\r\n", "x");
    GOOD("1;a=b;c=\"d e\"\r\nx\r\n0;z\r\n\r\n", "x");
    GOOD("1 ; a = b ; c\r\nx\r\n0\r\n\r\n", "x");
    GOOD("1;a=\"\\\"\\\\\"\r\nx\r\n0\r\n\r\n", "x");
    GOOD("1;a=\"34567890123456\"\r\nx\r\n0\r\n\r\n", "x");
    BAD("1;a=\"3456789012345678901\"\r\nx\r\n0\r\n\r\n");
    BAD("1;\r\n");
    BAD("1;;a\r\n");
    BAD("1;a=\r\n");
    BAD("1;a=\"b\r\n");
    BAD("1;a=\"b\"c\r\n");
    BAD("1;a b\r\n");
    BAD("1;a \r\n");
    BAD("1 \r\n");
    BAD("1;a\nx");
    BAD("1;a=\"\n\"");
    BAD("1;a\rx");
    BAD("1;a=\x01");
}

TEST(sizes_that_are_none)
{
    BAD("\r\n");
    BAD("g\r\n");
    BAD("-1\r\n");
    BAD("+1\r\n");
    BAD("0x1\r\n");
    BAD(" 1\r\n");
    BAD("1\n");
    BAD("1\rx");
    BAD("00000000000000001\r\n");
    BAD("fffffffffffffffff\r\n");
    BAD(";a\r\n");
    check(SLICE("ffffffffffffffff\r\nabc"), 0, "abc", 0);
}

TEST(data_longer_than_its_size)
{
    BAD("1\r\nxy\r\n0\r\n\r\n");
    BAD("1\r\nx\n0\r\n\r\n");
    BAD("1\r\nx\rx");
    BAD("1\r\nx0\r\n\r\n");
}

TEST(trailers)
{
    GOOD("0\r\nA: b\r\n\r\n", "");
    GOOD("0\r\nA:\r\nB: c\td\r\n\r\n", "");
    BAD("0\r\nA\r\n\r\n");
    BAD("0\r\n A: b\r\n");
    BAD("0\r\nA : b\r\n");
    BAD("0\r\nA: b\n");
    BAD("0\r\nA: b\rc");
    BAD("0\r\nA: \x02");
    BAD("0\r\n\rx");
    BAD("0\r\n\n");
    check(SLICE("0\r\nA: 4567890123456789012345678901234567890\r\n\r\n"), FAIL_HEADERS_TOO_LARGE,
          NULL, 0);
}
