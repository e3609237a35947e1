#include "realtime/hub.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/metric.h"
#include "realtime/envelope.h"
#include "realtime/realtime.h"
#include "realtime/watch.h"

struct follower {
    uint32_t session; /* handle */
    uint32_t slot;    /* index in that session's follows */
};

enum { INLINE_FOLLOWERS = 2 }; /* a direct chat's stream needs no array of its own */

struct hub_stream {
    struct map_node node;
    struct id id;
    uint32_t handle, count, cap; /* cap 0: inline */
    union {
        struct follower few[INLINE_FOLLOWERS];
        struct follower *many;
    };
};

static struct follower *followers(struct hub_stream *stream)
{
    return stream->cap != 0 ? stream->many : stream->few;
}

static bool is_stream(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, const struct hub_stream, node)->id, key);
}

static struct hub_stream *find_stream(const struct hub *hub, const struct id *id)
{
    struct map_node *node = map_find(&hub->streams_by_id, hash_id(id), is_stream, id);
    return node != NULL ? CONTAINER_OF(node, struct hub_stream, node) : NULL;
}

static struct hub_stream *make_stream(struct hub *hub, const struct id *id)
{
    struct hub_stream *stream = find_stream(hub, id);
    if (stream != NULL)
        return stream;
    stream = xcalloc(1, sizeof *stream);
    stream->id = *id;
    stream->handle = handle_add(&hub->streams, stream);
    map_insert(&hub->streams_by_id, &stream->node, hash_id(id));
    return stream;
}

static void drop_stream(struct hub *hub, struct hub_stream *stream)
{
    map_remove(&hub->streams_by_id, &stream->node);
    handle_remove(&hub->streams, stream->handle);
    if (stream->cap != 0)
        free(stream->many);
    free(stream);
}

static void add_follower(struct hub_stream *stream, struct follower follower)
{
    uint32_t room = stream->cap != 0 ? stream->cap : INLINE_FOLLOWERS;
    if (stream->count == room) {
        uint32_t cap = room * 2;
        struct follower *many = xmalloc(cap * sizeof *many);
        memcpy(many, followers(stream), stream->count * sizeof *many);
        if (stream->cap != 0)
            free(stream->many);
        stream->many = many;
        stream->cap = cap;
    }
    followers(stream)[stream->count++] = follower;
}

static struct realtime_session *session_at(const struct hub *hub, uint32_t handle)
{
    return handle_get(&hub->sessions, handle);
}

/* Takes entry `slot` out of the session's follows and out of the stream; the last ones fill the
 * holes, and those who point at them are told. */
static void unfollow_slot(struct realtime_session *session, uint32_t slot)
{
    struct hub *hub = session->hub;
    struct follow gone = session->follows[slot];
    struct hub_stream *stream = handle_get(&hub->streams, gone.stream);
    struct follower *list = followers(stream);
    list[gone.slot] = list[--stream->count];
    if (gone.slot < stream->count)
        session_at(hub, list[gone.slot].session)->follows[list[gone.slot].slot].slot = gone.slot;
    session->follows[slot] = session->follows[--session->follow_count];
    if (slot < session->follow_count) {
        struct follow *moved = &session->follows[slot];
        struct hub_stream *its = handle_get(&hub->streams, moved->stream);
        followers(its)[moved->slot].slot = slot;
    }
    if (stream->count == 0)
        drop_stream(hub, stream);
}

/* By the shorter of the two lists: somebody may follow ten thousand streams, and a stream may have
 * ten thousand followers, but hardly both at once. -1: does not follow. */
static int64_t follow_slot(const struct realtime_session *session, struct hub_stream *stream)
{
    const struct follower *list = followers(stream);
    if (stream->count < session->follow_count) {
        for (uint32_t i = 0; i < stream->count; i++)
            if (list[i].session == session->handle)
                return list[i].slot;
        return -1;
    }
    for (uint32_t i = 0; i < session->follow_count; i++)
        if (session->follows[i].stream == stream->handle)
            return i;
    return -1;
}

bool hub_follows(const struct realtime_session *session, const struct id *id)
{
    struct hub_stream *stream = find_stream(session->hub, id);
    return stream != NULL && follow_slot(session, stream) >= 0;
}

void hub_reserve(struct realtime_session *session, uint32_t count)
{
    if (count <= session->follow_cap)
        return;
    session->follow_cap = count;
    session->follows = xrealloc(session->follows, count * sizeof *session->follows);
}

void hub_follow(struct realtime_session *session, const struct id *id)
{
    struct hub *hub = session->hub;
    struct hub_stream *stream = make_stream(hub, id);
    if (follow_slot(session, stream) >= 0)
        return;
    if (session->follow_count == session->follow_cap) {
        session->follow_cap =
            session->follow_cap != 0 ? session->follow_cap + session->follow_cap / 2 + 1 : 4;
        session->follows =
            xrealloc(session->follows, session->follow_cap * sizeof *session->follows);
    }
    uint32_t slot = session->follow_count++;
    session->follows[slot] = (struct follow){stream->handle, stream->count};
    add_follower(stream, (struct follower){session->handle, slot});
}

/* Slot 0 is the user's own stream: it was followed first, and nothing moves into its place while
 * the session lives. */
void hub_unfollow(struct realtime_session *session, const struct id *id)
{
    struct hub_stream *stream = find_stream(session->hub, id);
    int64_t slot = stream != NULL ? follow_slot(session, stream) : -1;
    if (slot > 0)
        unfollow_slot(session, (uint32_t)slot);
}

void hub_unfollow_all(struct realtime_session *session)
{
    while (session->follow_count > 1)
        unfollow_slot(session, session->follow_count - 1);
}

int hub_add(struct hub *hub, struct realtime_session *session, struct error *err)
{
    if (hub->draining) {
        error_set(err, FAIL_UNAVAILABLE, "going_away", "This node is shutting down.");
        err->retry_after_ms = 1000;
        return FAIL_UNAVAILABLE;
    }
    session->hub = hub;
    session->handle = handle_add(&hub->sessions, session);
    session->state = SESSION_LOADING;
    session->connected_s = realtime_seconds(hub->realtime) & 0xfffffff;
    session->through = hub->head;
    hub_follow(session, &session->principal.user);
    return 0;
}

void hub_remove(struct hub *hub, struct realtime_session *session)
{
    if (session->state != SESSION_LOADING && session->state != SESSION_LIVE)
        return;
    while (session->follow_count > 0)
        unfollow_slot(session, session->follow_count - 1);
    free(session->follows);
    session->follows = NULL;
    session->follow_cap = 0;
    watch_done(session);
    handle_remove(&hub->sessions, session->handle);
    session->state = SESSION_CLOSED;
}

/* --- delivery ----------------------------------------------------------------------------------
 */

static void send_frame(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    session->hub->delivered++;
    session->ops->send(session, frame, ephemeral);
}

void hub_send_event(struct realtime_session *session, const char *name, uint64_t pos,
                    struct slice data)
{
    if (session->ops->envelope == ENVELOPE_NONE) {
        session->ops->poke(session);
        return;
    }
    struct position position = {session->hub->realtime->epoch, pos};
    struct frame *frame = envelope_frame(session->ops->envelope, name, position, data);
    send_frame(session, frame, pos == 0);
    frame_unref(frame);
}

/* Neighbouring events of one stream: a burst reaches each follower as one frame of bytes. */
struct run {
    const struct event *events;
    unsigned count;
    const struct id *except; /* ephemeral: not to this user's own sessions */
};
enum { RUN_EVENTS_MAX = 64, RUN_BYTES_MAX = 12 << 10, LOOK_AHEAD = 8 };

static struct frame *event_frame(struct hub *hub, enum envelope envelope, const struct event *event)
{
    struct position position = {hub->realtime->epoch, event->pos};
    return envelope_frame(envelope, event->type->name, position, event->data);
}

static struct frame *run_frame(struct hub *hub, enum envelope envelope, const struct run *run)
{
    if (run->count == 1)
        return event_frame(hub, envelope, run->events);
    struct frame *parts[RUN_EVENTS_MAX];
    size_t bytes = 0;
    for (unsigned i = 0; i < run->count; i++) {
        parts[i] = event_frame(hub, envelope, &run->events[i]);
        bytes += parts[i]->len;
    }
    struct frame *joined = frame_new(bytes);
    char *at = joined->bytes;
    for (unsigned i = 0; i < run->count; i++) {
        memcpy(at, parts[i]->bytes, parts[i]->len);
        at += parts[i]->len;
        frame_unref(parts[i]);
    }
    return joined;
}

/* A session that has had a part of the run already. */
static void give_rest(struct realtime_session *session, const struct run *run)
{
    for (unsigned i = 0; i < run->count && session->state == SESSION_LIVE; i++)
        if (run->events[i].pos > session->through)
            hub_send_event(session, run->events[i].type->name, run->events[i].pos,
                           run->events[i].data);
}

static void give_run(struct realtime_session *session, const struct run *run,
                     struct frame *frames[ENVELOPE_COUNT])
{
    uint64_t first = run->events[0].pos, last = run->events[run->count - 1].pos;
    enum envelope envelope = session->ops->envelope;
    if (session->state != SESSION_LIVE || (last != 0 && last <= session->through) ||
        (run->except != NULL && id_eq(run->except, &session->principal.user)))
        return;
    if (envelope == ENVELOPE_NONE) {
        if (last != 0)
            session->ops->poke(session);
    } else if (last != 0 && first <= session->through) {
        give_rest(session, run);
    } else {
        if (frames[envelope] == NULL)
            frames[envelope] = run_frame(session->hub, envelope, run);
        session->hub->delivered += run->count - 1;
        send_frame(session, frames[envelope], last == 0);
    }
}

/* With thousands of followers none of them is in the cache. */
static void look_ahead(const struct hub *hub, struct hub_stream *stream, uint32_t i)
{
    if (i < LOOK_AHEAD)
        return;
    const struct realtime_session *session =
        session_at(hub, followers(stream)[i - LOOK_AHEAD].session);
    __builtin_prefetch(session);
    __builtin_prefetch(&session->through);
    __builtin_prefetch(session + 1);
}

/* To every live follower; each envelope is encoded at most once. A send may close the session,
 * which takes it out of the list: the walk goes backwards, so that the entry moved into the hole is
 * one already served. */
static void fan_out(struct hub *hub, struct hub_stream *stream, const struct run *run)
{
    struct frame *frames[ENVELOPE_COUNT] = {0};
    uint32_t handle = stream->handle;
    for (uint32_t i = stream->count; i-- > 0;) {
        look_ahead(hub, stream, i);
        give_run(session_at(hub, followers(stream)[i].session), run, frames);
        /* The last follower may have gone, and the stream with it. */
        if (handle_peek(&hub->streams, handle) != stream)
            break;
        if (i > stream->count)
            i = stream->count;
    }
    for (int i = 0; i < ENVELOPE_COUNT; i++)
        if (frames[i] != NULL)
            frame_unref(frames[i]);
}

/* Every session of the user on this loop follows the user's own stream, at slot 0. */
static void apply_link(struct hub *hub, const struct id *stream_id, const struct event_link *link)
{
    struct hub_stream *own = find_stream(hub, &link->user);
    for (uint32_t i = own != NULL ? own->count : 0; i-- > 0;) {
        struct realtime_session *session = session_at(hub, followers(own)[i].session);
        if (!id_eq(&session->principal.user, &link->user))
            continue;
        if (session->state == SESSION_LOADING)
            session->reload = true;
        if (link->kind == EVENT_FOLLOW)
            hub_follow(session, stream_id);
        else
            hub_unfollow(session, stream_id);
    }
}

/* A revoked session's sockets close at once (A03): the block list has it already. */
static void check_revoked(struct hub *hub, const struct id *user)
{
    struct hub_stream *own = find_stream(hub, user);
    uint32_t handle = own != NULL ? own->handle : 0;
    for (uint32_t i = own != NULL ? own->count : 0; i-- > 0;) {
        struct realtime_session *session = session_at(hub, followers(own)[i].session);
        if (!token_still_valid(hub->realtime->kit->tokens, &session->principal))
            session->ops->close(session, 4003, "session_revoked");
        if (handle_peek(&hub->streams, handle) != own)
            return;
        if (i > own->count)
            i = own->count;
    }
}

/* How many events from the first on may go out together. */
static unsigned run_length(const struct event *events, unsigned count)
{
    size_t bytes = events[0].data.len;
    unsigned length = 1;
    if (!events[0].type->client)
        return 1;
    for (; length < count && length < RUN_EVENTS_MAX; length++) {
        const struct event *event = &events[length];
        bytes += event->data.len;
        if (!event->type->client || event->link_count != 0 || bytes > RUN_BYTES_MAX ||
            !id_eq(&event->stream, &events[0].stream))
            break;
    }
    return length;
}

static void deliver_run(struct hub *hub, const struct event *events, unsigned count)
{
    for (unsigned i = 0; i < events->link_count; i++)
        apply_link(hub, &events->stream, &events->links[i]);
    if (!events->type->client) {
        /* One with links only says who follows, on streams with very many followers. */
        if (events->link_count == 0)
            check_revoked(hub, &events->stream);
        return;
    }
    struct hub_stream *stream = find_stream(hub, &events->stream);
    const struct run run = {.events = events, .count = count};
    if (stream != NULL)
        fan_out(hub, stream, &run);
}

static void keep_recent(struct hub *hub, struct event_batch *batch)
{
    size_t most = hub->realtime->recent_bytes_max;
    while (hub->recent_count == HUB_RECENT_MAX ||
           (hub->recent_count > 0 && hub->recent_bytes + batch->bytes > most)) {
        struct event_batch *old = hub->recent[hub->recent_first];
        hub->recent_first = (hub->recent_first + 1) % HUB_RECENT_MAX;
        hub->recent_count--;
        hub->recent_bytes -= old->bytes;
        event_batch_unref(old);
    }
    event_batch_ref(batch);
    hub->recent[(hub->recent_first + hub->recent_count++) % HUB_RECENT_MAX] = batch;
    hub->recent_bytes += batch->bytes;
}

void hub_deliver(struct hub *hub, struct event_batch *batch)
{
    unsigned length;
    for (unsigned i = 0; i < batch->count; i += length) {
        length = run_length(&batch->events[i], batch->count - i);
        deliver_run(hub, &batch->events[i], length);
    }
    hub->head = batch->head;
    keep_recent(hub, batch);
}

static void deliver(struct event_subscription *sub, struct event_batch *batch)
{
    hub_deliver(CONTAINER_OF(sub, struct hub, subscription), batch);
}

enum { GAP_BYTES_MAX = 512 << 10 }; /* what may be queued for one session without waiting */

/* Bytes of the gap that concern this session; with `give` they are sent. */
static size_t walk_gap(struct realtime_session *session, bool give)
{
    struct hub *hub = session->hub;
    size_t bytes = 0;
    for (unsigned b = 0; b < hub->recent_count; b++) {
        const struct event_batch *batch = hub->recent[(hub->recent_first + b) % HUB_RECENT_MAX];
        for (unsigned i = 0; batch->head > session->through && i < batch->count; i++) {
            const struct event *event = &batch->events[i];
            if (event->pos <= session->through || !event->type->client ||
                !hub_follows(session, &event->stream))
                continue;
            bytes += event->data.len;
            if (give)
                hub_send_event(session, event->type->name, event->pos, event->data);
        }
    }
    return bytes;
}

bool hub_close_gap(struct realtime_session *session)
{
    struct hub *hub = session->hub;
    if (session->through >= hub->head)
        return true;
    if (hub->recent_count == 0 || hub->recent[hub->recent_first]->prev_head > session->through)
        return false;
    if (walk_gap(session, false) > GAP_BYTES_MAX)
        return false;
    walk_gap(session, true);
    session->through = hub->head;
    return true;
}

void hub_broadcast_ephemeral(struct hub *hub, const struct id *id, const char *name,
                             struct slice data, const struct id *except)
{
    struct hub_stream *stream = find_stream(hub, id);
    const struct event_type type = {.name = name, .client = true};
    const struct event event = {.type = &type, .data = data};
    const struct run run = {&event, 1, except};
    if (stream != NULL)
        fan_out(hub, stream, &run);
}

unsigned hub_sessions_of(const struct hub *hub, const struct id *user,
                         struct realtime_session **ret_sessions, unsigned max)
{
    struct hub_stream *own = find_stream(hub, user);
    unsigned count = 0;
    for (uint32_t i = 0; own != NULL && i < own->count && count < max; i++) {
        struct realtime_session *session = session_at(hub, followers(own)[i].session);
        if (id_eq(&session->principal.user, user))
            ret_sessions[count++] = session;
    }
    return count;
}

size_t hub_drain(struct hub *hub, size_t count)
{
    hub->draining = true;
    for (uint32_t i = 0; i < hub->sessions.top && count > 0; i++) {
        struct realtime_session *session = handle_peek(&hub->sessions, i);
        if (session == NULL)
            continue;
        session->ops->close(session, 4009, "{\"retry_after\":1}");
        count--;
    }
    return hub->sessions.count;
}

int hub_new(struct realtime *realtime, struct loop *loop, struct hub **ret_hub, struct error *err)
{
    (void)err;
    struct hub *hub = xcalloc(1, sizeof *hub);
    hub->realtime = realtime;
    hub->loop = loop;
    map_init(&hub->streams_by_id);
    *ret_hub = hub;
    return 0;
}

void hub_subscribe(struct hub *hub)
{
    hub->subscription.loop = hub->loop;
    hub->subscription.deliver = deliver;
    event_log_subscribe(hub->realtime->kit->log, &hub->subscription);
    hub->head = hub->subscription.joined;
}

void hub_free(struct hub *hub)
{
    for (unsigned i = 0; i < hub->recent_count; i++)
        event_batch_unref(hub->recent[(hub->recent_first + i) % HUB_RECENT_MAX]);
    map_done(&hub->streams_by_id);
    handle_table_done(&hub->streams);
    handle_table_done(&hub->sessions);
    free(hub);
}
