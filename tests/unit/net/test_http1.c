/* The request parser: every row is parsed at once and again after each further byte, which must
 * give the same verdict: nothing before the end when it is right, the same refusal when not. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/http1.h"

/* Parses a copy that ends exactly at the last byte, so that the sanitizer sees an overread. */
static ptrdiff_t parse_exact(struct slice text, const struct http_limits *limits,
                             struct http_head *head, struct error *err, char **ret_copy)
{
    char *copy = malloc(text.len != 0 ? text.len : 1);
    memcpy(copy, text.ptr, text.len);
    error_init(err);
    *ret_copy = copy;
    return http1_parse_head(slice_of(copy, text.len), limits, head, err);
}

static void check_kind(struct slice text, const struct http_limits *limits, int kind)
{
    static struct http_head head;
    static struct error err;
    char *copy;
    ptrdiff_t whole = parse_exact(text, limits, &head, &err, &copy);
    const char *code = err.code;
    free(copy);
    if ((kind == 0 && whole != (ptrdiff_t)text.len) || (kind != 0 && whole != kind))
        test_fail(__FILE__, __LINE__, "%.*s gave %td (%s), not %d", SLICE_FMT(text), whole,
                  code != NULL ? code : "", kind);
    for (size_t len = 0; len < text.len; len++) {
        ptrdiff_t part = parse_exact(slice_of(text.ptr, len), limits, &head, &err, &copy);
        free(copy);
        if (part != 0 && (part != whole || err.code != code)) {
            test_fail(__FILE__, __LINE__, "%.*s cut at %zu gave %td", SLICE_FMT(text), len, part);
            return;
        }
    }
}

struct row {
    int kind;
    struct slice text;
};
#define ROW(kind, literal)                                                                         \
    {                                                                                              \
        (kind),                                                                                    \
        {                                                                                          \
            "" literal, sizeof(literal) - 1                                                        \
        }                                                                                          \
    }
#define GET(fields) "GET / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_kind(rows[i].text, &http_limits_default, rows[i].kind);
}

TEST(accepts_what_the_grammar_allows)
{
    static const struct row rows[] = {
        ROW(0, GET("")),
        ROW(0, "\r\n" GET("")), /* RFC 9112 section 2.2: one empty line before */
        ROW(0, "GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n"),
        ROW(0, "GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1\r\nHost: x\r\n\r\n"),
        ROW(0, "OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"),
        ROW(0,
            "OPTIONS http://www.example.org:8001 HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"),
        ROW(0, "GET / HTTP/1.0\r\n\r\n"),
        ROW(0, "GET / HTTP/1.7\r\nHost: a\r\n\r\n"),
        ROW(0, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(0, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(0, "GET /%7Ea/b;c=1,2/$&'()*+=:@!?a[]=1|2&b={x}^`\\/? HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(0, "GET // HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(0, "GET / HTTP/1.1\r\nhOsT:a\r\n\r\n"),
        ROW(0, "GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n"),
        ROW(0, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
        ROW(0, "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"),
        ROW(0, "GET / HTTP/1.1\r\nHost: xn--bcher-kva.example:65535\r\n\r\n"),
        ROW(0, GET("Empty:\r\nBlank: \t\r\n")),
        ROW(0, GET("X: tab\there, \"quoted\", {json}, \x80\xff\r\n")),
        ROW(0, GET("!#$%&'*+-.^_`|~09: every tchar\r\n")),
        ROW(0, POST("Content-Length: 0\r\n")),
        ROW(0, POST("Content-Length: 007\r\n")),
        ROW(0, POST("Content-Length: 9223372036854775807\r\n")),
        ROW(0, POST("Transfer-Encoding: chunked\r\n")),
        ROW(0, POST("Transfer-Encoding: \t CHUNKED \r\n")),
        ROW(0, POST("Expect: 100-Continue\r\n")),
    };
    check_rows(rows, ARRAY_LEN(rows));
}

TEST(refuses_bad_request_lines)
{
    static const struct row rows[] = {
        ROW(FAIL_BAD_REQUEST, "\r\n\r\n" GET("")),
        ROW(FAIL_BAD_REQUEST, "\n" GET("")),
        ROW(FAIL_BAD_REQUEST, " " GET("")),
        ROW(FAIL_BAD_REQUEST, "\x16\x03\x01\x02"), /* a TLS hello on the plain port */
        ROW(FAIL_BAD_REQUEST, "GET /\r\n"),        /* HTTP/0.9 */
        ROW(FAIL_BAD_REQUEST, "GET\r\n"),
        ROW(FAIL_BAD_REQUEST, "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / http/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1,1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/01.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTPS/1.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_HTTP_VERSION, "GET / HTTP/0.9\r\n\r\n"),
        ROW(FAIL_HTTP_VERSION, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        ROW(FAIL_HTTP_VERSION, "GET / HTTP/3.1\r\nHost: a\r\n\r\n"),
        ROW(FAIL_HTTP_VERSION, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ROW(FAIL_NOT_IMPLEMENTED, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    };
    check_rows(rows, ARRAY_LEN(rows));
}

TEST(refuses_bad_targets)
{
    static const char *const targets[] = {
        "path",
        "?q",
        "/a#frag",
        "/?a#frag",
        "/a\"b",
        "/a<b",
        "/a>b",
        "/a{b",
        "/a^b",
        "/a[b",
        "/a\\b",
        "/a|b",
        "/a`b",
        "/\x7f",
        "/\xc3\xa4",
        "/?\xc3\xa4",
        "/?a\"b",
        "/?<",
        "/%",
        "/%4",
        "/%zz",
        "/%4g",
        "/?%",
        "/?%f",
        "*",
        "*/",
        "a:80",
        "http://",
        "http:///x",
        "http://u@h/",
        "http://h:99999/",
        "http://[::1/",
        "http://h#f",
        "ftp://h/",
        "http:/h/",
        "//\x01",
    };
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        char text[200];
        int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i]);
        check_kind(slice_of(text, (size_t)len), &http_limits_default, FAIL_BAD_REQUEST);
    }
}

TEST(refuses_bad_fields)
{
    static const struct row rows[] = {
        ROW(FAIL_BAD_REQUEST, GET("A : b\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A\t: b\r\n")),
        ROW(FAIL_BAD_REQUEST, GET(" A: b\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\r\n folded\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\r\n\tfolded\r\n")),
        ROW(FAIL_BAD_REQUEST, GET(": b\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("no colon\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("nocolon\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A(b): c\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("\xc3\xa4: c\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\r")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\rc\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\0c\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\x01\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\x0b\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: b\x7f\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: sixteen bytes and then \x1f more of them here\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("A: sixteen bytes and then \x7f more of them here\r\n")),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a\r\n\rX"),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.1\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, "GET http://a/ HTTP/1.1\r\n\r\n"),
        ROW(FAIL_BAD_REQUEST, GET("Host: a\r\n")),
        ROW(FAIL_BAD_REQUEST, GET("host: b\r\n")),
        ROW(FAIL_BAD_REQUEST, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        ROW(FAIL_EXPECTATION, GET("Expect: 200-ok\r\n")),
        ROW(FAIL_EXPECTATION, GET("Expect: \r\n")),
    };
    static const char *const hosts[] = {"",        "a b",     "a/b",  "a,\tb", "u@h",   "a:b",
                                        "a:80:90", "a:99999", "[::1", "[]",    "[g::]", "[::1]x",
                                        ":80",     "a\"",     "a%z",  "a?"};
    check_rows(rows, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        char text[200];
        int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
        check_kind(slice_of(text, (size_t)len), &http_limits_default, FAIL_BAD_REQUEST);
    }
}

TEST(refuses_ambiguous_framing)
{
    static const struct row rows[] = {
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 1\r\nContent-Length: 1\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 1\r\nContent-Length: 2\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 1, 1\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: +1\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: -1\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 0x10\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 1 2\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 1.0\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: \r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 9223372036854775808\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 18446744073709551616\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 99999999999999999999999999999999\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked, chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked, gzip\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked, identity\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: identity\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: gzip\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: xchunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked;q=1\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: \"chunked\"\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: chunked,\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: ,chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: \r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding: \x0b"
                                   "chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, POST("Transfer-Encoding : chunked\r\n")),
        ROW(FAIL_BAD_REQUEST, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ROW(FAIL_NOT_IMPLEMENTED, POST("Transfer-Encoding: gzip, chunked\r\n")),
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static struct http_head *parsed(const char *text)
{
    static struct http_head head;
    struct error err;
    error_init(&err);
    ptrdiff_t len = http1_parse_head(slice_str(text), &http_limits_default, &head, &err);
    if (len != (ptrdiff_t)strlen(text))
        test_fail(__FILE__, __LINE__, "%s gave %td %s", text, len, err.detail);
    return &head;
}

TEST(parts_of_a_head)
{
    struct http_head *h = parsed("POST /a/b?c=d&e HTTP/1.1\r\nHost: example.org:80\r\n"
                                 "Content-Length: 12\r\nX-Two:  words here \t\r\nx-two: second\r\n"
                                 "Expect: 100-continue\r\n\r\n");
    CHECK_INT(h->method, HTTP_POST);
    CHECK_STR(h->method_text, "POST");
    CHECK_STR(h->path, "/a/b");
    CHECK_STR(h->query, "c=d&e");
    CHECK_STR(h->host, "example.org:80");
    CHECK_INT(h->minor, 1);
    CHECK_INT(h->header_count, 5);
    CHECK(h->keep_alive && h->has_length && !h->chunked && h->expect_continue && !h->upgrade);
    CHECK_INT(h->content_length, 12);
    CHECK_STR(http_value(h, "X-TWO"), "words here");
    CHECK(http_find(h, "x-three") == NULL && http_value(h, "x-three").ptr == NULL);
    h = parsed("GET /? HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(h->query.ptr != NULL && h->query.len == 0);
    CHECK(parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n")->query.ptr == NULL);
}

TEST(absolute_form_names_the_host)
{
    struct http_head *h = parsed("GET HTTP://real.example:81?x HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK_STR(h->host, "real.example:81");
    CHECK_STR(h->path, "/");
    CHECK_STR(h->query, "x");
    h = parsed("GET https://real.example/p HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK_STR(h->host, "real.example");
    CHECK_STR(h->path, "/p");
    CHECK_STR(parsed("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n")->path, "*");
}

TEST(keep_alive_and_upgrade)
{
    CHECK(parsed(GET(""))->keep_alive);
    CHECK(!parsed(GET("Connection: close\r\n"))->keep_alive);
    CHECK(!parsed(GET("Connection: keep-alive, Close\r\n"))->keep_alive);
    CHECK(!parsed(GET("Connection: x\r\nConnection: close\r\n"))->keep_alive);
    CHECK(parsed(GET("Connection: closed\r\n"))->keep_alive);
    CHECK(!parsed("GET / HTTP/1.0\r\n\r\n")->keep_alive);
    CHECK(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
    CHECK(parsed(GET("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"))->upgrade);
    CHECK(!parsed(GET("Upgrade: websocket\r\n"))->upgrade);
    CHECK(!parsed(GET("Connection: upgrade\r\n"))->upgrade);
    CHECK(!parsed("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->expect_continue);
}

TEST(limits_are_exact)
{
    struct http_limits limits = {.request_line_bytes = 20, .header_bytes = 30};
    check_kind(SLICE("GET /5678 HTTP/1.123"), &limits, FAIL_BAD_REQUEST);
    check_kind(SLICE("GET /567890 HTTP/1.1\r\nHost: a\r\n\r\n"), &limits, 0);
    check_kind(SLICE("GET /5678901 HTTP/1.1\r\nHost: a\r\n\r\n"), &limits, FAIL_URI_TOO_LONG);
    check_kind(SLICE("GET /567890123456789012345678"), &limits, FAIL_URI_TOO_LONG);
    check_kind(SLICE("GET / HTTP/1.1\r\nHost: a\r\nA: 2345678901234567\r\n\r\n"), &limits, 0);
    check_kind(SLICE("GET / HTTP/1.1\r\nHost: a\r\nA: 23456789012345678\r\n\r\n"), &limits,
               FAIL_HEADERS_TOO_LARGE);
    check_kind(SLICE("GET / HTTP/1.1\r\nHost: a\r\nA: 234567890123456789012345678"), &limits,
               FAIL_HEADERS_TOO_LARGE);
}

TEST(at_most_a_hundred_lines)
{
    for (int extra = 99; extra <= 100; extra++) {
        static char text[4096];
        size_t len = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 0; i < extra; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "A: %d\r\n", i);
        len += (size_t)snprintf(text + len, sizeof text - len, "\r\n");
        check_kind(slice_of(text, len), &http_limits_default,
                   extra == 99 ? 0 : FAIL_HEADERS_TOO_LARGE);
    }
}

TEST(pipelined_requests_are_told_apart)
{
    struct slice in = SLICE("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    static struct http_head head;
    ptrdiff_t first = http1_parse_head(in, &http_limits_default, &head, NULL);
    CHECK_INT(first, 28);
    CHECK_STR(head.path, "/1");
    in = slice_of(in.ptr + first, in.len - (size_t)first);
    CHECK_INT(http1_parse_head(in, &http_limits_default, &head, NULL), 28);
    CHECK_STR(head.path, "/2");
}

static const char *decoded(const char *text, bool plus)
{
    static struct arena arena;
    static struct error err;
    struct slice out;
    arena_done(&arena);
    arena_init(&arena, 1 << 16);
    error_init(&err);
    return url_decode(slice_str(text), plus, &arena, &out, &err) == 0 ? out.ptr : NULL;
}

TEST(url_decoding)
{
    CHECK_STR(slice_str(decoded("a%20b%2Fc", false)), "a b/c");
    CHECK_STR(slice_str(decoded("a+b", false)), "a+b");
    CHECK_STR(slice_str(decoded("a+b%2b", true)), "a b+");
    CHECK_STR(slice_str(decoded("%C3%a4", false)), "\xc3\xa4");
    CHECK_STR(slice_str(decoded("%2525", false)), "%25");
    CHECK_STR(slice_str(decoded("", false)), "");
    static const char *const bad[] = {"%",   "%4",  "a%",     "%zz",       "%00",         "a%00b",
                                      "%ff", "%c3", "%c0%80", "%ed%a0%80", "%f4%90%80%80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(decoded(bad[i], false) == NULL);
    decoded("", false);
}
