#include "service/auth/auth_cookie.h"

#define COOKIE "parley_refresh"
#define PATH "/api/v1/auth"

bool auth_cookie_wanted(const struct request *req)
{
    return slice_ieq(request_header_value(req, "x-parley-cookie"), SLICE("refresh"));
}

static struct slice find_cookie(struct slice header)
{
    bool more = header.ptr != NULL;
    while (more) {
        struct slice value, name;
        more = slice_cut(&header, ';', &value);
        value = slice_trim(value);
        if (slice_cut(&value, '=', &name) && slice_eq(name, SLICE(COOKIE)) && value.len > 0)
            return value;
    }
    return (struct slice){0};
}

/* Whether an Origin (RFC 6454: scheme, "://", host and port) is the host that was asked. */
static bool same_host(struct slice origin, struct slice host)
{
    static const struct slice schemes[] = {{"https://", 8}, {"http://", 7}};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (slice_starts(origin, schemes[i]))
            return slice_ieq(slice_of(origin.ptr + schemes[i].len, origin.len - schemes[i].len),
                             host);
    return false;
}

int auth_cookie_read(struct request *req, struct slice *ret_token)
{
    *ret_token = (struct slice){0};
    if (req->head == NULL)
        return 0;
    struct slice token = find_cookie(request_header_value(req, "cookie"));
    struct slice origin = request_header_value(req, "origin");
    if (token.ptr != NULL && origin.ptr != NULL && !same_host(origin, req->head->host))
        return error_set(&req->error, FAIL_FORBIDDEN, "origin_not_allowed",
                         "The cookie counts only on pages of this server.");
    *ret_token = token;
    return 0;
}

/* A page that was loaded over TLS gets a cookie that is sent over TLS only. */
static const char *secure_of(const struct request *req)
{
    return slice_starts(request_header_value(req, "origin"), SLICE("https://")) ? "; Secure" : "";
}

void auth_cookie_set(struct request *req, struct slice token, int64_t max_age_ms)
{
    request_header(req, "set-cookie",
                   COOKIE "=%.*s; Path=" PATH "; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                   SLICE_FMT(token), (long long)(max_age_ms / 1000), secure_of(req));
}

void auth_cookie_clear(struct request *req)
{
    request_header(req, "set-cookie",
                   COOKIE "=; Path=" PATH "; Max-Age=0; HttpOnly; SameSite=Strict%s",
                   secure_of(req));
}
