/* What the files of the HTTP server share; inside src/net only.
 *
 *   http_server.c   servers, connections, their states and deadlines
 *   http_input.c    from bytes to exchanges
 *   http_serving.c  from exchanges to coroutines
 *   http_body.c     bodies taken piece by piece
 *   http_answer.c   answers
 */
#ifndef PARLEY_NET_HTTP_SERVER_PRIVATE_H
#define PARLEY_NET_HTTP_SERVER_PRIVATE_H

#include <stdatomic.h>

#include "net/http_server.h"

enum http_state {
    STATE_IDLE,    /* between requests; holds nothing but its struct */
    STATE_HEAD,    /* a part of a head has come */
    STATE_BODY,    /* admitted; the body is coming */
    STATE_SERVING, /* a coroutine answers; what comes meanwhile is kept */
    STATE_CLOSING, /* conn_close has been called */
    STATE_GONE     /* the socket has ended or was handed over; only a coroutine keeps the struct */
};

struct http_peer {
    struct in6_addr address;
    uint16_t port;
};

struct http_conn {
    struct conn *conn; /* NULL when gone */
    struct http_server *server;
    struct list link;       /* server->conns */
    struct timer timer;     /* fires at deadline_ms or before, then is set again */
    int64_t deadline_ms;    /* moving it later costs nothing */
    struct http_work *work; /* the exchange under way; NULL in IDLE and HEAD */
    struct buf *input;      /* bytes that wait; NULL while there are none */
    struct slice *present;  /* while http_run is on the stack: what it has not taken yet */
    uint32_t looked_at;     /* bytes of an unfinished head that need no second look */
    uint8_t state;          /* enum http_state; changed by http_move alone */
    bool eof;               /* the client will send no more */
    bool paused;            /* reading is paused */
    struct http_peer *peer; /* never changes, so it is asked once; NULL: not yet */
};

/* An exchange with what only the server needs; kept for reuse, arena chunk included. */
struct http_work {
    struct http_exchange x;
    struct http_work *next;    /* in server->spare */
    struct coro *coro;         /* runs serve */
    struct coro_ticket ticket; /* when in_line: waits for a coroutine, or did */
    struct buf body;           /* while it comes in pieces */
    struct http1_chunked chunked;
    uint64_t body_max, body_left;
    uint64_t body_taken;     /* of a streamed body */
    struct buf *piece;       /* input that http_body_read took over; NULL while there is none */
    struct slice piece_left; /* what of it has not been looked at */
    bool body_waiting;       /* in http_body_read, for the client */
    bool body_over;          /* the end of a streamed body was seen */
    bool close;              /* after the answer */
    bool waiting;            /* in http_stream_write, for the queue to drain */
    bool parked;             /* in http_wait */
    bool ended;              /* a streamed answer was ended */
    bool refusing;           /* ops->refuse is on the stack */
    bool cancelled;          /* request time-out */
    bool in_line;            /* had to line up for its coroutine */
};

struct http_server {
    struct loop *loop;
    struct http_server_config config;
    struct list conns;
    struct list upgraded;       /* sockets that others took over, until they have closed */
    _Atomic size_t connections; /* with a socket of ours; read by any thread */
    struct http_work *spare;    /* at most SPARE_MAX */
    size_t spare_count;
    int64_t date_second;
    char date_line[6 + HTTP_DATE_LEN + 2 + 1]; /* "Date: ...\r\n" */
    bool draining, freed;
};

/* --- http_server.c ---------------------------------------------------------------------------- */
void http_move(struct http_conn *hc, enum http_state state);
/* Time allowed from now on; the timer follows lazily. */
void http_deadline(struct http_conn *hc, int64_t ms);
void http_close(struct http_conn *hc); /* after what is queued has been sent */
bool http_open(const struct http_conn *hc);
struct http_work *http_work_take(struct http_server *server);
void http_work_give(struct http_server *server, struct http_work *work);
/* The exchange is over: answers if nobody did, calls done, goes on to IDLE or closes. hc may be
 * gone after that, unless http_run is on the stack. */
void http_finish(struct http_conn *hc);
/* Lets go of the socket without closing it. */
struct conn *http_detach(struct http_conn *hc);
void http_free_if_gone(struct http_conn *hc);

/* --- http_input.c ----------------------------------------------------------------------------- */
/* Takes new bytes (may be empty) together with those kept, as far as it goes now. */
void http_run(struct http_conn *hc, struct slice fresh);

void http_body_deadline(struct http_conn *hc, uint64_t taken_bytes);
/* Pauses reading while more is kept than may be, resumes it after. */
void http_pause_if_ahead(struct http_conn *hc);

/* --- http_serving.c --------------------------------------------------------------------------- */
void http_serve(struct http_conn *hc);
/* Takes an exchange out of the line for a coroutine; whether it stood there. */
bool http_leave_line(struct http_work *work);
/* Refuses one that still stands in the line; false when it has been served. */
bool http_waited_too_long(struct http_conn *hc);

/* --- http_body.c ------------------------------------------------------------------------------ */
void http_body_done(struct http_work *work);

/* --- http_answer.c ---------------------------------------------------------------------------- */
/* Has ops->refuse answer x->error, with a bare answer should it not. */
void http_refuse(struct http_work *work);

#endif
