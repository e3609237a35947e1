/* What every transport's session does alike: joining the hub with a resume position, the heartbeat,
 * and the end of the access token's life. */
#ifndef PARLEY_REALTIME_SESSION_H
#define PARLEY_REALTIME_SESSION_H

#include "realtime/realtime.h"

void session_init(struct realtime_session *session, const struct session_ops *ops,
                  const struct principal *principal);
/* From a coroutine, on the session's loop: reads which streams the user follows, sends `ready`,
 * gives what was missed since *from (NULL: nothing), and goes live. Waits for the database and for
 * slow readers. FAIL_CLOSED when the session was closed meanwhile. */
int session_open(struct realtime_session *session, struct hub *hub, const struct position *from,
                 struct error *err) MUSTCHECK;
/* A new access token for the same user and session came in: moves the end of its life. */
void session_renew(struct realtime_session *session, const struct principal *principal);
/* The slow-client policy: false when the frame must not be queued. Above the cap typing goes first;
 * when that is not enough an ephemeral frame is let go, and for a durable one *ret_slow says that
 * the socket has to close (counted). */
bool session_may_queue(struct realtime *realtime, struct conn *conn, const struct frame *frame,
                       bool ephemeral, bool *ret_slow);
/* Leaves the hub, stops the heartbeat. The memory is the transport's. */
void session_done(struct realtime_session *session);

/* What a position means to this log now: 0 and *ret_after, or 1 when it is too old or of another
 * log (resync). */
int session_position(struct realtime *realtime, const struct position *from, uint64_t *ret_after);

/* Streams and missed events, as of one position; arena-allocated. */
struct replay {
    struct realtime *realtime;
    struct principal principal;
    uint64_t after;
    unsigned limit;
    struct arena arena;
    struct id *streams;
    uint64_t *since;
    size_t stream_count, stream_cap;
    struct told_event *events;
    unsigned event_count;
    uint64_t last; /* position of the last event taken */
    bool cut;      /* the next one did not fit */
    size_t bytes;  /* of the events taken */
    /* Where rooms with streams live in databases of their own: nothing above it is given. */
    uint64_t through_max;
    bool apart, capped; /* there are such rooms; there is more above it */
    uint64_t through;
    struct error error;
};
/* No more than REPLAY_BYTES at once, unless a single event is larger. */
enum { REPLAY_BYTES = 512 << 10, REPLAY_BYTES_MAX = 8 << 20 };
void replay_init(struct replay *replay, struct realtime *realtime,
                 const struct principal *principal, uint64_t after, unsigned limit);
int replay_read(struct replay *replay, struct error *err) MUSTCHECK; /* waits for the database */
void replay_done(struct replay *replay);

#endif
