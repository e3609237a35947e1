#include "realtime/session.h"

#include <stdio.h>

#include "base/log.h"
#include "base/metric.h"
#include "kit/activity.h"
#include "realtime/envelope.h"
#include "realtime/watch.h"

enum {
    REPLAY_EVENTS = 500,            /* in one read */
    REPLAY_QUEUE_BYTES = 256 << 10, /* wait for the reader above this */
    REPLAY_STALL_MS = 30000,        /* without a byte taken */
    DRAIN_LOOK_MS = 5,
};

struct opening {
    uint64_t pos; /* where the stream continues from */
    bool resync;  /* and not from where the client asked */
};

/* One timer does for both: an idle session is counted in bytes. */
static void start_timer(struct realtime_session *s, int64_t beat_ms)
{
    int64_t left_ms = s->principal.expires_ms - clock_wall_ms(s->hub->realtime->kit->clock);
    s->until_expiry = left_ms < beat_ms;
    timer_start(s->hub->loop, &s->heartbeat,
                !s->until_expiry ? beat_ms
                : left_ms > 0    ? left_ms
                                 : 0);
}

/* Whoever stays connected is here all the time; writing that down for each of a million every few
 * seconds would be a good part of all writing. */
static void mark_now_and_then(struct realtime_session *s)
{
    enum { EVERY_MS = 300000 };
    struct realtime *rt = s->hub->realtime;
    int64_t beats = EVERY_MS / rt->heartbeat_ms > 0 ? EVERY_MS / rt->heartbeat_ms : 1;
    int64_t turn = loop_now_ms(s->hub->loop) / rt->heartbeat_ms + (int64_t)s->handle;
    if (turn % beats == 0)
        activity_mark(rt->kit->activity, &s->principal.user);
}

/* Whether it was closed because its token holds no more. */
static bool close_if_over(struct realtime_session *s)
{
    struct kit *kit = s->hub->realtime->kit;
    if (!token_still_valid(kit->tokens, &s->principal))
        s->ops->close(s, 4003, "session_revoked");
    else if (clock_wall_ms(kit->clock) >= s->principal.expires_ms)
        s->ops->close(s, 4001, "token_expired");
    else
        return false;
    return true;
}

static void beat(struct timer *timer)
{
    struct realtime_session *s = CONTAINER_OF(timer, struct realtime_session, heartbeat);
    struct realtime *rt = s->hub->realtime;
    /* A fresh token came while the timer stood at the old one's end: too early for a ping, which
     * the peer must have answered by the next one. */
    bool early = s->until_expiry;
    start_timer(s, rt->heartbeat_ms);
    if (!close_if_over(s) && !early) {
        mark_now_and_then(s);
        s->ops->heartbeat(s);
    }
}

void session_init(struct realtime_session *session, const struct session_ops *ops,
                  const struct principal *principal)
{
    session->ops = ops;
    session->principal = *principal;
    session->state = SESSION_OPENING;
    timer_init(&session->heartbeat, beat);
}

void session_renew(struct realtime_session *session, const struct principal *principal)
{
    session->principal = *principal;
    if (session->state != SESSION_LIVE)
        return; /* the timer does not run yet */
    bool early = session->until_expiry;
    int64_t left_ms = session->heartbeat.due_ms - loop_now_ms(session->hub->loop);
    start_timer(session, left_ms > 0 ? left_ms : 0);
    session->until_expiry |= early;
}

bool session_may_queue(struct realtime *realtime, struct conn *conn, const struct frame *frame,
                       bool ephemeral, bool *ret_slow)
{
    size_t most = realtime->queue_bytes_max;
    *ret_slow = false;
    if (LIKELY(conn->queued_bytes + frame->len <= most))
        return true;
    conn_drop(conn, envelope_is_ephemeral, NULL);
    if (conn->queued_bytes + frame->len <= most)
        return true;
    *ret_slow = !ephemeral;
    if (*ret_slow)
        metric_add(realtime->sessions_slow, 1);
    return false;
}

void session_done(struct realtime_session *session)
{
    timer_stop(&session->heartbeat);
    if (session->hub != NULL && session->state == SESSION_LIVE)
        activity_mark(session->hub->realtime->kit->activity, &session->principal.user);
    if (session->hub != NULL)
        hub_remove(session->hub, session);
    watch_done(session);
}

static void send_ready(struct realtime_session *s, const struct opening *o)
{
    uint64_t pos = o->pos;
    char user[ID_TEXT_LEN + 1], login[ID_TEXT_LEN + 1], data[200];
    id_format(&s->principal.user, user);
    id_format(&s->principal.session, login);
    int len =
        snprintf(data, sizeof data, "{\"user_id\":\"%s\",\"session_id\":\"%s\",\"heartbeat\":%lld}",
                 user, login, (long long)(s->hub->realtime->heartbeat_ms / 1000));
    hub_send_event(s, realtime_ready_event.name, pos, slice_of(data, (size_t)len));
    if (o->resync)
        hub_send_event(s, realtime_resync_event.name, pos,
                       SLICE("{\"reason\":\"position_too_old\"}"));
}

static void take_streams(struct realtime_session *s, const struct replay *r)
{
    hub_unfollow_all(s);
    hub_reserve(s, (uint32_t)r->stream_count);
    for (size_t i = 0; i < r->stream_count; i++)
        hub_follow(s, &r->streams[i]);
    watch_follow_again(s);
}

/* A returning client is given what it missed as fast as it reads, and no faster: the queue never
 * holds more than a little of it, and nothing else is held while it is waited for. One that stops
 * reading altogether is let go. */
static int wait_for_reader(struct realtime_session *s)
{
    size_t seen = SIZE_MAX;
    for (int64_t idle_ms = 0; s->state == SESSION_LOADING; idle_ms += DRAIN_LOOK_MS) {
        size_t queued = s->ops->queued(s);
        if (queued <= REPLAY_QUEUE_BYTES)
            return 0;
        if (close_if_over(s)) /* its timer does not run before it is live */
            break;
        if (queued < seen)
            idle_ms = 0;
        seen = queued;
        if (idle_ms > REPLAY_STALL_MS) {
            s->ops->close(s, 4008, "too_slow");
            break;
        }
        if (coro_sleep(DRAIN_LOOK_MS) < 0)
            return FAIL_CANCELLED;
    }
    return s->state == SESSION_LOADING ? 0 : FAIL_CLOSED;
}

/* One read and what it gave. *ret_more: the log holds more than one read gives. `ready` goes out
 * when the first read is there: a client that has it, and has missed nothing, is live. */
static int replay_step(struct realtime_session *s, const struct opening *first, bool *ret_more,
                       struct error *err)
{
    struct replay r;
    replay_init(&r, s->hub->realtime, &s->principal, s->through, REPLAY_EVENTS);
    bool load = first != NULL || s->reload;
    s->reload = false;
    int rc = replay_read(&r, err);
    if (rc == 0 && s->state != SESSION_LOADING)
        rc = FAIL_CLOSED;
    if (rc == 0 && load)
        take_streams(s, &r);
    if (rc == 0 && first != NULL)
        send_ready(s, first);
    unsigned told = 0;
    for (bool behind = false; rc == 0 && told < r.event_count && !behind; told++) {
        const struct told_event *event = &r.events[told];
        if (event->type != NULL)
            hub_send_event(s, event->type->name, event->pos, event->data);
        behind = s->ops->queued(s) > REPLAY_QUEUE_BYTES;
    }
    if (rc == 0) { /* what a slow reader has no room for is read again when it has */
        *ret_more = told < r.event_count || r.event_count == REPLAY_EVENTS || r.cut;
        s->through = told < r.event_count ? r.events[told - 1].pos : r.through;
    }
    replay_done(&r);
    return rc;
}

static int catch_up(struct realtime_session *s, const struct opening *first, struct error *err)
{
    for (bool more = true;; first = NULL) {
        int rc = replay_step(s, first, &more, err);
        if (rc == 0)
            rc = wait_for_reader(s);
        if (rc < 0)
            return rc;
        if (!more && !s->reload && hub_close_gap(s))
            return s->state == SESSION_LOADING ? 0 : FAIL_CLOSED;
    }
}

/* The client is only told to come back later; why, stands in the log. */
static void count_failure(const struct realtime_session *s, const struct error *err)
{
    metric_add(s->hub->realtime->sessions_failed, 1);
    log_error("session not opened", LOG_S("transport", s->ops->transport), LOG_S("code", err->code),
              LOG_S("detail", err->detail));
}

int session_open(struct realtime_session *session, struct hub *hub, const struct position *from,
                 struct error *err)
{
    int rc = hub_add(hub, session, err);
    if (rc < 0)
        return rc;
    struct realtime *rt = hub->realtime;
    struct opening opening = {.resync = false};
    if (from != NULL) {
        opening.resync = session_position(rt, from, &session->through) > 0;
        metric_add(opening.resync ? rt->resyncs : rt->resumed, 1);
    }
    opening.pos = session->through;
    metric_add(rt->sessions_opened, 1);
    rc = catch_up(session, &opening, err);
    if (rc < 0 && rc != FAIL_CLOSED && rc != FAIL_CANCELLED)
        count_failure(session, err);
    if (rc < 0)
        return rc;
    session->state = SESSION_LIVE;
    activity_mark(rt->kit->activity, &session->principal.user);
    /* Spread over the period, so that a crowd that came together is not pinged together. */
    start_timer(session,
                rt->heartbeat_ms / 2 + (int64_t)(session->handle % 1000) * rt->heartbeat_ms / 2000);
    return 0;
}
