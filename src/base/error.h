/* The error record: how any layer says what went wrong, once.
 *
 * Functions that can fail return 0 or a negative enum fail and fill the record they were given;
 * their outputs stay untouched. The record is turned into problem+json (RFC 9457) at one place,
 * kit/problem.c. `code` is stable and listed in the API reference; `detail` is for people.
 */
#ifndef PARLEY_BASE_ERROR_H
#define PARLEY_BASE_ERROR_H

#include "base/base.h"

enum fail {
    FAIL_BAD_REQUEST = -1,     /* 400 malformed */
    FAIL_UNAUTHENTICATED = -2, /* 401 */
    FAIL_FORBIDDEN = -3,       /* 403 */
    FAIL_NOT_FOUND = -4,       /* 404 */
    FAIL_METHOD = -5,          /* 405 */
    FAIL_CONFLICT = -6,        /* 409 */
    FAIL_GONE = -7,            /* 410 */
    FAIL_STALE = -8,           /* 412 */
    FAIL_TOO_LARGE = -9,       /* 413 */
    FAIL_MEDIA_TYPE = -10,     /* 415 */
    FAIL_INVALID = -11,        /* 422 well-formed, but fields are wrong */
    FAIL_LIMITED = -12,        /* 429, retry_after_ms set */
    FAIL_INTERNAL = -13,       /* 500 */
    FAIL_UNAVAILABLE = -14,    /* 503, retry_after_ms set */
    FAIL_TIMEOUT = -15,        /* 504 */
    FAIL_STORAGE_FULL = -16,   /* 507 */
    FAIL_CANCELLED = -17,      /* the waiting coroutine was told to end */
    FAIL_CLOSED = -18,         /* the peer or the queue is gone */
    /* What only the HTTP edge says. */
    FAIL_REQUEST_TIMEOUT = -19,   /* 408 the client was too slow */
    FAIL_URI_TOO_LONG = -20,      /* 414 */
    FAIL_EXPECTATION = -21,       /* 417 */
    FAIL_UPGRADE_REQUIRED = -22,  /* 426 */
    FAIL_HEADERS_TOO_LARGE = -23, /* 431 */
    FAIL_NOT_IMPLEMENTED = -24,   /* 501 */
    FAIL_HTTP_VERSION = -25,      /* 505 */
};

#define ERROR_FIELDS_MAX 16

struct error_field {
    char field[96];   /* JSON path without '$': "member_ids[3]", "title" */
    const char *code; /* static text: "too_long", "required", "invalid_id" */
    char detail[128];
};

struct error {
    int kind;         /* enum fail, 0 while nothing is wrong */
    const char *code; /* static text, e.g. "chat_not_found" */
    char detail[240];
    int64_t retry_after_ms; /* 0: no Retry-After */
    int cause_errno;        /* errno of the failed system call, 0 if none */
    unsigned field_count;
    bool fields_cut; /* more than ERROR_FIELDS_MAX fields were wrong */
    struct error_field fields[ERROR_FIELDS_MAX];
};

/* Cheap: does not clear the field array. */
static inline void error_init(struct error *err)
{
    err->kind = 0;
    err->code = NULL;
    err->detail[0] = 0;
    err->retry_after_ms = 0;
    err->cause_errno = 0;
    err->field_count = 0;
    err->fields_cut = false;
}

/* Sets the record and returns kind, so that `return error_set(...)` reads well. The first error
 * stays: a later call on a record that is set keeps it and returns its kind. err may be NULL. */
int error_set(struct error *err, enum fail kind, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* As error_set, with the name of errno's value appended and kept in cause_errno; ENOSPC and
 * EDQUOT become FAIL_STORAGE_FULL. */
int error_errno(struct error *err, int errno_value, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Adds one wrong field and makes the record FAIL_INVALID, code "invalid_fields". Always returns
 * FAIL_INVALID. */
int error_field(struct error *err, const char *field, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
int error_limited(struct error *err, const char *code, int64_t retry_after_ms, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

int error_http_status(int kind);          /* enum fail -> 400..507; anything else 500 */
const char *error_http_title(int status); /* RFC 9110 reason phrase, "" if unknown */

#endif
