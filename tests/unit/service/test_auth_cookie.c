/* The refresh token as a cookie: found among others, refused from other sites, never readable. */
#include "harness.h"
#include "service/auth/auth_cookie.h"

struct fixture {
    struct http_head head;
    struct request req;
};

static void setup(struct fixture *f, const char *cookie, const char *origin)
{
    *f = (struct fixture){.head = {.host = SLICE("chat.example:8443")}};
    f->req.head = &f->head;
    error_init(&f->req.error);
    buf_init(&f->req.headers, 4096);
    if (cookie != NULL)
        f->head.headers[f->head.header_count++] =
            (struct http_header){SLICE("Cookie"), slice_str(cookie)};
    if (origin != NULL)
        f->head.headers[f->head.header_count++] =
            (struct http_header){SLICE("Origin"), slice_str(origin)};
}

static void check_token(const char *cookie, const char *origin, const char *want)
{
    struct fixture f;
    struct slice token;
    setup(&f, cookie, origin);
    CHECK_OK(auth_cookie_read(&f.req, &token), &f.req.error);
    CHECK_STR(token, want);
    buf_done(&f.req.headers);
}

TEST(the_cookie_among_others)
{
    check_token("parley_refresh=abc", NULL, "abc");
    check_token("a=b; parley_refresh=abc; c=d", NULL, "abc");
    check_token("a=b;parley_refresh=abc", "https://chat.example:8443", "abc");
    check_token("parley_refresh=abc", "http://Chat.Example:8443", "abc");
    check_token("xparley_refresh=abc; parley_refresh2=d", NULL, "");
    check_token("parley_refresh=", NULL, "");
    check_token("parley_refresh", NULL, "");
    check_token("", NULL, "");
    check_token(NULL, "https://evil.example", ""); /* nothing to refuse */
}

TEST(other_origins)
{
    static const char *const origins[] = {"https://evil.example",
                                          "https://chat.example",
                                          "https://chat.example:8443.evil.example",
                                          "null",
                                          "",
                                          "chat.example:8443",
                                          "ftp://chat.example:8443",
                                          "https://",
                                          "https://x@chat.example:8443"};
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        struct fixture f;
        struct slice token;
        setup(&f, "parley_refresh=abc", origins[i]);
        CHECK_INT(auth_cookie_read(&f.req, &token), FAIL_FORBIDDEN);
        CHECK_STR(slice_str(f.req.error.code), "origin_not_allowed");
        buf_done(&f.req.headers);
    }
}

TEST(the_cookie_is_strict_and_over_tls_secure)
{
    struct fixture f;
    setup(&f, NULL, "https://chat.example:8443");
    auth_cookie_set(&f.req, SLICE("abc"), 7000);
    CHECK_STR(buf_view(&f.req.headers),
              "set-cookie: parley_refresh=abc; Path=/api/v1/auth; Max-Age=7; HttpOnly; "
              "SameSite=Strict; Secure\r\n");
    buf_done(&f.req.headers);
    setup(&f, NULL, "http://chat.example:8443");
    auth_cookie_clear(&f.req);
    CHECK_STR(buf_view(&f.req.headers), "set-cookie: parley_refresh=; Path=/api/v1/auth; "
                                        "Max-Age=0; HttpOnly; SameSite=Strict\r\n");
    buf_done(&f.req.headers);
}
