/* One request being answered, whatever it came on: HTTP route or socket op. Handlers decode
 * nothing and encode nothing by hand: params, query and body arrive as structs by the route's
 * schemas; the answer leaves by request_reply. */
#ifndef PARLEY_KIT_REQUEST_H
#define PARLEY_KIT_REQUEST_H

#include <netinet/in.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/schema.h"
#include "kit/kit.h"
#include "kit/principal.h"
#include "net/http1.h"

struct route;
struct op;
struct http_exchange;

struct request {
    struct kit *kit;
    void *room; /* the module's own state, as its start() returned it */
    struct arena *arena;
    const struct principal *principal; /* NULL on public routes without a token */
    const void *params;                /* decoded by route->params, NULL without */
    const void *query;                 /* by route->query */
    const void *body;                  /* by route->body, or op->data */
    uint64_t list;                     /* which list a page is of (kit/paging.h) */
    struct http_exchange *exchange;    /* ROUTE_STREAM routes answer on it themselves */
    const struct http_head *head;      /* NULL for socket ops */
    struct in6_addr peer;              /* client address after trusted proxies; IPv4 mapped */
    struct slice correlation_id;
    struct slice bearer;              /* the token text, absent without */
    struct realtime_session *session; /* socket ops: who sent it; else NULL */
    /* the answer */
    int status;         /* 0 until replied */
    struct buf headers; /* complete "name: value\r\n" lines */
    struct buf answer;  /* JSON, or what route->answer_type says */
    struct slice reply; /* socket ops: instead of `answer` when there */
    void (*end)(struct request *req, int rc);
    struct error error; /* last: most of it is untouched while nothing is wrong */
};

/* Answers with a resource. Returns 0, or FAIL_TOO_LARGE when it does not fit. */
int request_reply(struct request *req, int status, const struct schema *schema, const void *value);
/* Encoded already; it stays until the request has been answered: static, or of its arena. */
int request_reply_json(struct request *req, int status, struct slice json);
int request_reply_empty(struct request *req); /* 204; op: {"data": {}} */
/* A socket op's handler may return REQUEST_LATER instead of waiting in its coroutine. Then it has
 * seen to it that request_end is called later, once, on this loop, with what it would have
 * returned; the request stays until then, and is gone when request_end returns. */
enum { REQUEST_LATER = 1 };
static inline void request_end(struct request *req, int rc)
{
    req->end(req, rc);
}
void request_header(struct request *req, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Value of a request header, absent for socket ops. */
struct slice request_header_value(const struct request *req, const char *name);
/* Before a change, with what the resource looks like now: FAIL_STALE "stale" (412) when If-Match
 * names another version. 0 without that header. */
int request_check_match(struct request *req, struct slice current_json) MUSTCHECK;
/* Strong ETag over the answer's bytes; 304 without them when If-None-Match names it. */
void request_etag(struct request *req);
/* Whether that header, a list of entity tags on one line or several, names this one; "*" names any,
 * weak tags count when `weak` (RFC 9110, 8.8.3.2). */
bool request_names_etag(const struct http_head *head, const char *header, struct slice etag,
                        bool weak);
/* The same where the tag is kept beside the encoded resource: made once, answered many times. */
#define REQUEST_ETAG_MAX 40
void request_etag_make(struct slice json, char ret_etag[REQUEST_ETAG_MAX]);
void request_etag_known(struct request *req, const char *etag);

#endif
