/* The hub: which sessions of this loop follow which streams, and delivery of committed events.
 *
 * One hub per loop, touched only on its thread; no lock. It sees every committed batch in order
 * (event_log's relay). For each event that clients may see: look the stream up, encode the event
 * once per transport, append the frame to every follower's queue; the sockets flush at the end of
 * the turn. Events with links change who follows before they are delivered.
 *
 * Memory is counted in bytes per idle session: a follow is 8 bytes on each side, sessions and
 * streams are named by 32-bit handles.
 */
#ifndef PARLEY_REALTIME_HUB_H
#define PARLEY_REALTIME_HUB_H

#include "base/map.h"
#include "engine/event_log.h"
#include "io/conn.h"
#include "kit/kit.h"
#include "realtime/handle_table.h"
#include "realtime/position.h"

struct realtime;
struct realtime_session;
struct watched;

enum envelope { ENVELOPE_WEBSOCKET, ENVELOPE_WEBSOCKET_DEFLATE, ENVELOPE_SSE, ENVELOPE_NONE };
enum { ENVELOPE_COUNT = ENVELOPE_NONE };

/* What a transport does for a session. */
struct session_ops {
    enum envelope envelope;
    /* Queue the encoded frame; the session may be closed inside (too slow), not freed. */
    void (*send)(struct realtime_session *session, struct frame *frame, bool ephemeral);
    /* ENVELOPE_NONE: something has come for this session. */
    void (*poke)(struct realtime_session *session);
    /* Ends it with a close code of API.md; the session may be freed inside. */
    void (*close)(struct realtime_session *session, unsigned code, const char *reason);
    /* Shows the peer that the server is there; closes it when it has been silent too long. */
    void (*heartbeat)(struct realtime_session *session);
    /* Bytes that wait in the send queue. */
    size_t (*queued)(const struct realtime_session *session);
    /* For the admin page; both may be NULL. */
    const char *transport;
    bool (*peer)(const struct realtime_session *session, struct in6_addr *ret_address);
};

enum session_state {
    SESSION_OPENING, /* not in the hub yet (before sign-in) */
    SESSION_LOADING, /* reads which streams it follows, and replays; live events pass it by */
    SESSION_LIVE,
    SESSION_CLOSED, /* out of the hub; freed when its coroutine has ended */
};

struct follow {
    uint32_t stream; /* handle in hub->streams */
    uint32_t slot;   /* index in that stream's follower array */
};

struct realtime_session {
    const struct session_ops *ops;
    struct hub *hub;
    struct principal principal;
    struct follow *follows;
    uint32_t follow_count, follow_cap;
    struct watched *watched; /* what the client looks at (watch.h); mostly NULL */
    uint32_t handle;         /* in hub->sessions; valid from LOADING on */
    /* Seconds after the start of realtime; one word with the three below. */
    uint32_t connected_s : 28;
    uint32_t state : 2;    /* enum session_state */
    bool reload : 1;       /* follows changed while they were being read: read again */
    bool until_expiry : 1; /* the heartbeat timer stands at the end of the token's life */
    uint64_t through;      /* events up to here have been given (or precede the session) */
    struct timer heartbeat;
};

/* Newest committed batches, kept so that a session that was reading the log can join without a
 * hole between what it read and what is delivered. */
enum { HUB_RECENT_MAX = 1024 };

struct hub {
    struct realtime *realtime;
    struct loop *loop;
    struct event_subscription subscription;
    uint64_t head; /* everything up to here has been delivered on this loop */
    struct map streams_by_id;
    struct handle_table streams, sessions;
    struct event_batch *recent[HUB_RECENT_MAX]; /* ring */
    unsigned recent_first, recent_count;
    size_t recent_bytes;
    uint64_t delivered, dropped; /* frames queued; ephemeral frames dropped */
    unsigned polls;              /* long polls under way */
    bool draining;
};

struct hub *hub_new(struct realtime *realtime, struct loop *loop);
void hub_subscribe(struct hub *hub); /* on its loop */
/* One committed batch, as the relay brings it: links, fan-out, memory for late joiners. */
void hub_deliver(struct hub *hub, struct event_batch *batch);
void hub_free(struct hub *hub);

/* SESSION_OPENING -> SESSION_LOADING: takes a handle and follows the user's own stream.
 * FAIL_UNAVAILABLE "going_away" while draining. */
int hub_add(struct hub *hub, struct realtime_session *session, struct error *err) MUSTCHECK;
void hub_remove(struct hub *hub, struct realtime_session *session); /* -> SESSION_CLOSED */
/* Room for `count` follows at once, so that an idle session holds no spare memory. */
void hub_reserve(struct realtime_session *session, uint32_t count);
void hub_follow(struct realtime_session *session, const struct id *stream);
void hub_unfollow(struct realtime_session *session, const struct id *stream); /* not their own */
void hub_unfollow_all(struct realtime_session *session); /* except the user's own stream */
bool hub_follows(const struct realtime_session *session, const struct id *stream);
/* Gives the events of (session->through, hub->head] from memory; false when memory does not reach
 * back that far, or when it is more than a session may be given at once. Does not wait; afterwards
 * the session may go live. */
bool hub_close_gap(struct realtime_session *session);
/* Sends one event to one session in its envelope; pos also when it is 0, the log's beginning. */
void hub_send_event(struct realtime_session *session, const char *name, uint64_t pos,
                    struct slice data);
/* Followers of the stream on this loop who are of the audience (NULL: all). */
void hub_broadcast_ephemeral(struct hub *hub, const struct id *stream, const char *name,
                             struct slice data, const struct audience *audience);
/* The sessions of one user on this loop, at most max. */
unsigned hub_sessions_of(const struct hub *hub, const struct id *user,
                         struct realtime_session **ret_sessions, unsigned max);
/* How many of them are of that kind. */
unsigned hub_count_of(const struct hub *hub, const struct id *user, const struct session_ops *ops);
/* Asks every session to close with 4009, `count` of them at a time; returns how many are left. */
size_t hub_drain(struct hub *hub, size_t count);

#endif
