/* HTTP/1.1 server connections: from bytes to exchanges and back.
 *
 * For each request: the head is parsed on the loop, `admit` decides (without waiting) whether and
 * how much body may come, the body is collected up to that limit (or taken piece by piece, see
 * http_body_read), then `serve` runs in a coroutine and answers exactly once; when clients have as
 * many coroutines as they may it waits for one, 10 s at most (503). Pipelined requests are served
 * one after the other, in order; what comes meanwhile is kept up to 64 KiB and one read, then not
 * read. An idle connection holds no buffer, no arena, no
 * coroutine. Time-outs: head 10 s, body progress 20 s, idle 75 s, whole request 60 s (all from
 * limits). What cannot be parsed is answered by the server itself through `refuse` (so that
 * problem+json is made in one place above) and the connection is closed.
 */
#ifndef PARLEY_NET_HTTP_SERVER_H
#define PARLEY_NET_HTTP_SERVER_H

#include "base/arena.h"
#include "io/conn.h"
#include "io/coro.h"
#include "net/http1.h"

struct http_exchange;
struct http_conn; /* one client connection; net/http_server.c */

struct http_server_ops {
    /* On the loop, may not wait. Returns the largest body to accept in bytes (0: none), or a
     * negative enum fail with x->error set: refused (417/413/404/...). */
    int64_t (*admit)(struct http_exchange *x);
    /* In a coroutine; answers by http_reply/http_stream_*, http_upgrade, or not at all: then
     * x->error is answered through refuse, 500 when it is not set. */
    void (*serve)(struct http_exchange *x);
    /* Makes the answer for x->error; must not wait. Called on the loop. x->head may be empty. */
    void (*refuse)(struct http_exchange *x);
    /* The exchange is over and its arena about to be reset: metrics, access log. */
    void (*done)(struct http_exchange *x);
};

struct http_server_config { /* 0 in any number: the usual value */
    const struct http_server_ops *ops;
    void *arg;
    struct http_limits limits;
    int64_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, request_timeout_ms;
    size_t arena_bytes_max;  /* per request; 0: 4 MiB */
    size_t answer_bytes_max; /* 0: 16 MiB */
    size_t connections_max;  /* per server (one per loop); 0: no limit here; above: 503 and close */
    size_t send_queue_max;   /* a pipelining client that does not read is not read from above this;
                                0: 256 KiB */
};

struct http_exchange {
    struct http_head head; /* slices live in the arena */
    struct slice body;     /* whole body; arena */
    struct slice lines;    /* "name: value\r\n..." of every streamed answer and upgrade; by serve */
    struct arena arena;
    struct error error;
    struct loop *loop;
    void *server_arg; /* config.arg */
    void *user;       /* the edge's own, set in admit */
    struct http_conn *conn;
    int64_t started_ns; /* monotonic, when the head was complete */
    int status;         /* what was answered, for `done` */
    uint64_t sent_bytes;
    bool answered, head_only, streaming;
    bool at_once; /* set by admit: not behind those who stand in line for a coroutine, but with what
                     is left for the house; for what hardly waits */
    bool stream_body; /* set by admit: serve starts at once and takes the body by http_body_read */
};

struct http_server;
int http_server_new(struct loop *loop, const struct http_server_config *config,
                    struct http_server **ret_server, struct error *err) MUSTCHECK;
/* Takes an accepted descriptor. */
void http_server_accept(struct http_server *server, int fd);
/* Stops keep-alive: every answer from now on says Connection: close; idle connections are closed,
 * sockets that were upgraded are told to leave. May be called again, for those that came since. */
void http_server_drain(struct http_server *server);
size_t http_server_connections(const struct http_server *server); /* any thread; none upgraded */
/* Whether upgraded sockets are left that have not closed. */
bool http_server_has_upgraded(const struct http_server *server);
/* Cuts off those; they close at the end of the turn. */
void http_server_abort_upgraded(struct http_server *server);
void http_server_free(struct http_server *server); /* aborts what is left, upgraded or not */

/* The next piece of a streamed body: 1 with a piece that is valid until the next call, 0 at the
 * end, or a negative enum fail with x->error set (413 over what admit allowed, 400, 408, or the
 * client has gone). Waits for the client; what is not read holds the client back, and what is left
 * unread when serve returns ends the connection. In serve only. */
int http_body_read(struct http_exchange *x, struct slice *ret_piece) MUSTCHECK;

/* In serve: parks for the client's sake until coro_wake, as coro_park does. FAIL_CLOSED, also at
 * once, when the client has gone or ended its side: then nobody waits for an answer any more, or
 * at least for nothing that comes later. */
int http_wait(struct http_exchange *x, int64_t timeout_ms) MUSTCHECK;

/* One whole answer. `headers` is text of complete lines ("name: value\r\n..."), without
 * Content-Length, Date and Connection, which are added here. HEAD sends no body, 204 and 304 none
 * either. Body is copied. */
void http_reply(struct http_exchange *x, int status, struct slice headers, struct slice body);
/* The same where the body is shared text that outlives the connection (embedded files). */
void http_reply_static(struct http_exchange *x, int status, struct slice headers,
                       struct slice body);
/* Streamed answer: chunked on 1.1, close-delimited on 1.0. http_stream_write waits while more than
 * 256 KiB are queued; negative when the client has gone. */
void http_stream_start(struct http_exchange *x, int status, struct slice headers);
int http_stream_write(struct http_exchange *x, struct slice bytes) MUSTCHECK;
void http_stream_end(struct http_exchange *x);
/* Sends `head` (a complete 101 or 200 answer head) and hands the socket over: the http connection
 * is gone when this returns, *ret_rest (in x->arena) is what the client has already sent beyond
 * the request. Date and x->lines are put in behind the status line. NULL when the client has gone.
 * The caller sets conn->ops and conn->user at once.
 * Used by WebSocket and SSE. */
struct conn *http_upgrade(struct http_exchange *x, struct slice head,
                          struct slice *ret_rest) MUSTCHECK;
bool http_peer(const struct http_exchange *x, struct in6_addr *ret_addr, uint16_t *ret_port);

#endif
