/* A room tells the house what it has: one constant descriptor, at the bottom of <room>_api.c. The
 * list in app/roles.c is the whole wiring. */
#ifndef PARLEY_KIT_MODULE_H
#define PARLEY_KIT_MODULE_H

#include "kit/request.h"
#include "kit/topic.h"

/* Whether a route takes from the limit of its user or address; rooms have stricter ones too. */
enum limit_class { LIMIT_DATA, LIMIT_NONE };

enum route_flag {
    ROUTE_PUBLIC = 1 << 0,  /* no token needed; everything else needs one (G04) */
    ROUTE_NO_BODY = 1 << 1, /* POST or PUT without a body */
    ROUTE_STREAM = 1 << 2,  /* answers by itself on the exchange: upgrade, SSE, long poll */
    ROUTE_HIDDEN = 1 << 3,  /* not in the API reference */
    /* Request or answer holds secrets: kept only in memory for an Idempotency-Key; the path is not
     * logged. */
    ROUTE_SECRET = 1 << 4,
    ROUTE_OPTIONAL_BODY = 1 << 5, /* req->body is NULL when none was sent */
    /* With ROUTE_PUBLIC: the handler asks itself for a token, or for a cookie or ticket instead. */
    ROUTE_ASKS_ITSELF = 1 << 6,
    ROUTE_AT_ONCE = 1 << 7, /* never waits: answered also while all coroutines are taken */
};

/* One way in which a route refuses, as its rule says it (error_set). */
struct route_error {
    int status; /* of the answer: error_http_status of the kind */
    const char *code;
};

#define ROUTE_ERRORS(...)                                                                          \
    (const struct route_error[])                                                                   \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

struct route {
    enum http_method method;
    const char *path; /* "/api/v1/chats/{id}" */
    const char *tag, *summary, *doc;
    int (*handle)(struct request *req); /* in a coroutine; 0 after replying, else error is set */
    unsigned flags;
    unsigned scopes; /* all needed */
    enum limit_class limit;
    const struct schema *params; /* one field per {name}, by name */
    const struct schema *query, *body;
    size_t body_max;             /* bytes; 0: 64 KiB */
    const struct schema *answer; /* NULL: none, or what answer_type says */
    const char *answer_type;     /* of success, complete; NULL: application/json */
    bool answer_list;            /* the answer is {items: [answer], next_cursor} */
    bool etag;                   /* success carries an ETag; a GET takes If-None-Match */
    bool download;               /* success carries Content-Disposition: a file to be saved */
    int status;                  /* of success: 200 201 204 */
    /* Of another answer that is no problem+json, 0: none; its body is other_answer or none. */
    int other_status;
    const struct schema *other_answer;
    /* Beyond the common ones of gateway/openapi_operation.c, ended by code NULL; may be NULL. */
    const struct route_error *errors;
};

struct op {
    const char *name; /* "chat.send" */
    const char *doc;
    int (*handle)(struct request *req); /* may return REQUEST_LATER */
    const struct schema *data, *answer;
};

/* A named unit that follows the log (B09). handle runs inside a write transaction of the consumer's
 * database together with its position, so each event is handled once; on failure it is retried
 * with backoff and, after `attempts`, put aside as a dead letter, and the consumer goes on. */
struct consumer {
    const char *name;         /* "user.profiles"; key of its position */
    const char *const *types; /* NULL-terminated event names; NULL: all */
    const char *db;           /* NULL: the room's */
    int (*handle)(void *room, struct db_tx *tx, const struct event *event, struct error *err);
    unsigned attempts; /* 0: 10 */
    /* In the transaction that would put the event aside after the last attempt: a room whose event
     * is a step of a saga says here that it failed. Returns 1 when that settles it, 0 when the
     * event shall be a dead letter, negative when it could not be said. May be NULL. */
    int (*give_up)(void *room, struct db_tx *tx, const struct event *event, struct slice why,
                   struct error *err);
};

struct job {
    const char *name;
    int64_t every_ms;
    int (*run)(void *room, struct error *err); /* coroutine; one holder in the whole cluster */
    const char *every_key; /* configuration (CONFIG_DURATION) of the period; NULL: every_ms */
};

/* One stream that a user follows, from a position on. */
typedef int stream_fn(const struct id *stream, uint64_t since_pos, void *arg, struct error *err);

/* An event on its way to a client that was away. */
struct told_event {
    uint64_t pos;
    const struct event_type *type; /* NULL: not to be told any more */
    struct slice data;
};

/* One thing that a room keeps about a person, as JSON: {"kind": "post", "data": {...}} in the
 * export. */
typedef int export_fn(void *arg, const char *kind, struct slice json, struct error *err);

struct module {
    const char *name;
    const char *const *needs; /* NULL-terminated rooms; may be NULL */
    const struct route *routes;
    size_t route_count;
    const struct op *ops;
    size_t op_count;
    const struct event_type *const *events; /* NULL-terminated; may be NULL */
    const struct consumer *consumers;
    size_t consumer_count;
    const struct job *jobs;
    size_t job_count;
    const struct config_key *config; /* ended by name NULL; may be NULL */
    const struct db_schema *schema;
    /* Why its tables must be in main.db, as the rest of a sentence; NULL: database.rooms may name
     * another database. What such a room does in a transaction stays within its own tables,
     * kit_emit, audit_write and its consumers' positions. */
    const char *stays;
    const struct db_schema *search_schema; /* of its part in the search database; may be NULL */
    const struct db_schema *feed_schema;   /* of its part in the feed database; may be NULL */
    int (*start)(struct kit *kit, void **ret_room, struct error *err);
    void (*stop)(void *room);
    const void *(*calls)(void *room); /* struct <room>_calls of contract/<room>.h */
    /* Streams that this user follows because of this room; inside db_read on the room's database.
     * May be NULL. Every user follows the stream of their own id anyway. */
    int (*streams)(void *room, struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                   struct error *err);
    /* Looks at what is about to be told to somebody who was away, events of other rooms among it:
     * what it shows may have been deleted or have run out since. Sets the type of what is not told
     * any more to NULL.
     * In a coroutine, may wait; a failure ends the catching up. NULL: whoever follows the stream
     * sees its history as it was. */
    int (*review)(void *room, const struct principal *principal, struct told_event *events,
                  unsigned count, struct arena *arena, struct error *err);
    /* What clients may watch while they look at it; may be NULL. */
    const struct topic *topics;
    size_t topic_count;
    /* All that the room keeps about this person, for themselves (Z07), in the order of its making;
     * inside db_read on the room's database. May be NULL. */
    int (*export_person)(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                         void *arg, struct error *err);
};

#endif
