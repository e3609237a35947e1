/* No state is kept between two polls: each reads the log after the client's position. While there
 * is nothing, a session without a socket waits in the hub to be poked. */
#include "realtime/poll.h"

#include <stdlib.h>

#include "net/http_server.h"
#include "realtime/envelope.h"
#include "realtime/session.h"

enum {
    POLL_ITEMS_MAX = 100,
    POLL_TIMEOUT_MAX_S = 55,
    POLL_TIMEOUT_S = 25,
    POLLS_OF_ONE_MAX = 16, /* under way at once on a loop: devices and windows of one person */
    POLLS_SHARE = 2        /* no more than this part of the loop's coroutines waits in polls */
};

struct poll_query {
    struct slice pos;
    int64_t timeout;
};

static const struct schema_field query_fields[] = {
    {"pos", "Position of the last event seen; without it: no items and the present position.",
     SCHEMA_STRING, 0, SCHEMA_AT(struct poll_query, pos)},
    {"timeout", "Seconds to wait for something to come.", SCHEMA_INT, 0,
     SCHEMA_AT(struct poll_query, timeout), .min = 0, .max = POLL_TIMEOUT_MAX_S,
     .fallback = POLL_TIMEOUT_S},
};
SCHEMA_DEF(poll_query_schema, struct poll_query, "UpdatesQuery", "Which updates.", query_fields);

/* Only for the description: the answer is written by hand, event data being JSON already. */
struct poll_event {
    struct slice event, pos, data;
};
static const struct schema_field event_fields[] = {
    {"event", "Name of the event.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct poll_event, event), .max = 64},
    {"pos", "Its position.", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct poll_event, pos),
     .max = 64},
    {"data", "The resource.", SCHEMA_RAW, SCHEMA_REQUIRED, SCHEMA_AT(struct poll_event, data)},
};
static SCHEMA_DEF(event_schema, struct poll_event, "StreamEvent", "An event.", event_fields);
struct poll_answer {
    struct schema_list items;
    struct slice pos;
};
static const struct schema_field answer_fields[] = {
    {"items", "Events in order, oldest first.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct poll_answer, items), .max = POLL_ITEMS_MAX, .of = &event_schema},
    {"pos", "Ask with this next time.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct poll_answer, pos), .max = 64},
};
SCHEMA_DEF(poll_answer_schema, struct poll_answer, "Updates", "What came after a position.",
           answer_fields);

/* The session that waits. It lives on the handler's stack. */
struct poll_session {
    struct realtime_session base;
    struct coro *coro;
    struct in6_addr peer;
    bool parked, poked, gone, revoked;
};

static struct poll_session *poll_of(struct realtime_session *session)
{
    return CONTAINER_OF(session, struct poll_session, base);
}

/* While it reads the log nobody may end its wait: what came is found by its flags. */
static void wake(struct poll_session *p)
{
    if (p->parked)
        coro_wake(p->coro, 0);
    p->parked = false;
}

static void poll_send(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    (void)session, (void)frame, (void)ephemeral;
}

static void poll_poke(struct realtime_session *session)
{
    struct poll_session *p = poll_of(session);
    wake(p);
    p->poked = true;
}

static void poll_close(struct realtime_session *session, unsigned code, const char *reason)
{
    (void)reason;
    struct poll_session *p = poll_of(session);
    wake(p);
    p->gone = true;
    p->revoked = code == 4003;
    hub_remove(session->hub, session);
}

static void poll_heartbeat(struct realtime_session *session)
{
    (void)session;
}

static size_t poll_queued(const struct realtime_session *session)
{
    (void)session;
    return 0;
}

static bool poll_peer(const struct realtime_session *session, struct in6_addr *ret_address)
{
    *ret_address = CONTAINER_OF(session, const struct poll_session, base)->peer;
    return true;
}

static const struct session_ops poll_ops = {ENVELOPE_NONE,  poll_send,   poll_poke,   poll_close,
                                            poll_heartbeat, poll_queued, "long-poll", poll_peer};

static int answer(struct request *req, struct realtime *rt, const struct replay *r, bool resync,
                  uint64_t pos)
{
    char text[POSITION_TEXT_MAX];
    struct position position = {rt->epoch, pos};
    struct buf *out = &req->answer;
    buf_lit(out, "{\"items\":[");
    if (resync)
        envelope_json(out, realtime_resync_event.name, position,
                      SLICE("{\"reason\":\"position_too_old\"}"));
    const char *comma = "";
    for (unsigned i = 0; r != NULL && i < r->event_count; i++) {
        if (r->events[i].type == NULL)
            continue;
        buf_str(out, comma);
        comma = ",";
        envelope_json(out, r->events[i].type->name, (struct position){rt->epoch, r->events[i].pos},
                      r->events[i].data);
    }
    buf_lit(out, "],\"pos\":\"");
    buf_append(out, text, position_format(position, text));
    buf_lit(out, "\"}");
    req->status = 200;
    return buf_ok(out) ? 0
                       : error_set(&req->error, FAIL_TOO_LARGE, "answer_too_large",
                                   "The updates do not fit into one answer.");
}

/* Reads once; 1 when it has answered. */
static int read_once(struct request *req, struct realtime *rt, struct poll_session *p,
                     uint64_t *after, bool last)
{
    struct replay r;
    replay_init(&r, rt, req->principal, *after, POLL_ITEMS_MAX);
    p->base.reload = false;
    int rc = replay_read(&r, &req->error);
    if (rc == 0 && (r.event_count > 0 || last)) {
        rc = answer(req, rt, &r, false, r.through);
        rc = rc < 0 ? rc : 1;
    } else if (rc == 0 && p->base.state == SESSION_LOADING) {
        hub_unfollow_all(&p->base);
        for (size_t i = 0; i < r.stream_count; i++)
            hub_follow(&p->base, &r.streams[i]);
    }
    *after = r.through;
    replay_done(&r);
    return rc;
}

/* Events between the read and now are still with the hub: whether there are any for this session
 * is asked by walking the gap, which pokes. */
static bool nothing_yet(struct poll_session *p, uint64_t after)
{
    p->base.through = after;
    if (p->base.reload || !hub_close_gap(&p->base) || p->poked)
        return false;
    p->base.state = SESSION_LIVE;
    return true;
}

/* FAIL_CANCELLED when the node ends, FAIL_CLOSED when the client has; else look again, whatever the
 * reason. */
static int wait(struct poll_session *p, struct http_exchange *x, int64_t timeout_ms)
{
    p->parked = true;
    int rc = http_wait(x, timeout_ms);
    p->parked = false;
    if (p->base.state == SESSION_LIVE)
        p->base.state = SESSION_LOADING;
    return rc == FAIL_CANCELLED || rc == FAIL_CLOSED ? rc : 0;
}

static int wait_and_read(struct request *req, struct realtime *rt, struct poll_session *p,
                         uint64_t after, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms(rt->kit->clock);
        p->poked = false;
        int rc = read_once(req, rt, p, &after, p->gone || left <= 0);
        if (rc != 0)
            return rc;
        if (p->gone || !nothing_yet(p, after))
            continue;
        rc = wait(p, req->exchange, left);
        if (rc == FAIL_CLOSED) /* who has only ended their side is told so */
            return answer(req, rt, NULL, false, after);
        if (rc < 0)
            return error_set(&req->error, FAIL_UNAVAILABLE, "going_away",
                             "This node is shutting down.");
    }
}

/* Each poll holds a coroutine for as long as it waits, and they are everybody's. */
static int may_poll(struct hub *hub, struct request *req)
{
    if (hub_count_of(hub, &req->principal->user, &poll_ops) >= POLLS_OF_ONE_MAX)
        return error_limited(&req->error, "too_many_polls", 1000,
                             "You are waiting for updates %d times already.", POLLS_OF_ONE_MAX);
    if (hub->polls < coro_max(hub->loop) / POLLS_SHARE)
        return 0;
    error_set(&req->error, FAIL_UNAVAILABLE, "busy", "Too many wait for updates here.");
    req->error.retry_after_ms = 1000;
    return FAIL_UNAVAILABLE;
}

static int poll(struct request *req, struct realtime *rt, uint64_t after, int64_t timeout_ms)
{
    struct hub *hub = realtime_hub(rt);
    struct poll_session p = {.coro = coro_current(), .peer = req->peer};
    session_init(&p.base, &poll_ops, req->principal);
    int rc = may_poll(hub, req);
    if (rc == 0)
        rc = hub_add(hub, &p.base, &req->error);
    if (rc < 0)
        return rc;
    hub->polls++;
    rc = wait_and_read(req, rt, &p, after, clock_mono_ms(rt->kit->clock) + timeout_ms);
    hub->polls--;
    if (rc >= 0 && p.revoked)
        rc =
            error_set(&req->error, FAIL_UNAUTHENTICATED, "token_revoked", "The session has ended.");
    session_done(&p.base);
    return rc < 0 ? rc : 0;
}

int poll_updates(struct request *req)
{
    struct realtime *rt = req->room;
    const struct poll_query *query = req->query;
    struct position from;
    uint64_t after;
    if (query->pos.ptr == NULL)
        return answer(req, rt, NULL, false, event_log_head(rt->kit->log));
    int rc = position_parse(query->pos, &from, &req->error);
    if (rc < 0)
        return rc;
    if (session_position(rt, &from, &after) > 0)
        return answer(req, rt, NULL, true, after);
    return poll(req, rt, after, query->timeout * 1000);
}
