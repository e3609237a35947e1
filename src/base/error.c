#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void set_detail(struct error *err, const char *fmt, va_list args)
{
    vsnprintf(err->detail, sizeof err->detail, fmt, args);
}

static void start(struct error *err, int kind, const char *code)
{
    error_init(err);
    err->kind = kind;
    err->code = code;
}

int error_set(struct error *err, enum fail kind, const char *code, const char *fmt, ...)
{
    if (err == NULL)
        return kind;
    if (err->kind != 0)
        return err->kind;
    start(err, kind, code);
    va_list args;
    va_start(args, fmt);
    set_detail(err, fmt, args);
    va_end(args);
    return kind;
}

int error_errno(struct error *err, int errno_value, const char *code, const char *fmt, ...)
{
    enum fail kind = FAIL_INTERNAL;
    if (errno_value == ENOSPC || errno_value == EDQUOT)
        kind = FAIL_STORAGE_FULL;
    if (err == NULL)
        return kind;
    if (err->kind != 0)
        return err->kind;
    start(err, kind, kind == FAIL_STORAGE_FULL ? "storage_full" : code);
    err->cause_errno = errno_value;
    va_list args;
    va_start(args, fmt);
    set_detail(err, fmt, args);
    va_end(args);
    size_t at = strlen(err->detail);
    snprintf(err->detail + at, sizeof err->detail - at, ": %s", strerror(errno_value));
    return kind;
}

int error_field(struct error *err, const char *field, const char *code, const char *fmt, ...)
{
    if (err == NULL)
        return FAIL_INVALID;
    if (err->kind == 0) {
        start(err, FAIL_INVALID, "invalid_fields");
        snprintf(err->detail, sizeof err->detail, "Some fields are not valid.");
    }
    if (err->field_count == ERROR_FIELDS_MAX) {
        err->fields_cut = true;
        return FAIL_INVALID;
    }
    struct error_field *f = &err->fields[err->field_count++];
    snprintf(f->field, sizeof f->field, "%s", field);
    f->code = code;
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->detail, sizeof f->detail, fmt, args);
    va_end(args);
    return FAIL_INVALID;
}

int error_limited(struct error *err, const char *code, int64_t retry_after_ms, const char *fmt, ...)
{
    if (err == NULL)
        return FAIL_LIMITED;
    if (err->kind != 0)
        return err->kind;
    start(err, FAIL_LIMITED, code);
    err->retry_after_ms = retry_after_ms > 0 ? retry_after_ms : 1000;
    va_list args;
    va_start(args, fmt);
    set_detail(err, fmt, args);
    va_end(args);
    return FAIL_LIMITED;
}

int error_http_status(int kind)
{
    static const short status[] = {
        [-FAIL_BAD_REQUEST] = 400,
        [-FAIL_UNAUTHENTICATED] = 401,
        [-FAIL_FORBIDDEN] = 403,
        [-FAIL_NOT_FOUND] = 404,
        [-FAIL_METHOD] = 405,
        [-FAIL_CONFLICT] = 409,
        [-FAIL_GONE] = 410,
        [-FAIL_STALE] = 412,
        [-FAIL_TOO_LARGE] = 413,
        [-FAIL_MEDIA_TYPE] = 415,
        [-FAIL_INVALID] = 422,
        [-FAIL_LIMITED] = 429,
        [-FAIL_INTERNAL] = 500,
        [-FAIL_UNAVAILABLE] = 503,
        [-FAIL_TIMEOUT] = 504,
        [-FAIL_STORAGE_FULL] = 507,
        [-FAIL_CANCELLED] = 503,
        [-FAIL_CLOSED] = 503,
        [-FAIL_REQUEST_TIMEOUT] = 408,
        [-FAIL_URI_TOO_LONG] = 414,
        [-FAIL_EXPECTATION] = 417,
        [-FAIL_UPGRADE_REQUIRED] = 426,
        [-FAIL_HEADERS_TOO_LARGE] = 431,
        [-FAIL_NOT_IMPLEMENTED] = 501,
        [-FAIL_HTTP_VERSION] = 505,
    };
    if (kind >= 0 || (size_t)-kind >= ARRAY_LEN(status))
        return 500;
    return status[-kind];
}

const char *error_http_title(int status)
{
    switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "";
    }
}
