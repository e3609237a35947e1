/* Who is given what: each commit's events to the live followers of their streams, encoded once for
 * each transport, a burst as one piece; and the last commits again to a session that joins.
 */
#include "base/hash.h"
#include "realtime/envelope.h"
#include "realtime/hub_private.h"
#include "realtime/realtime.h"

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
    struct frame *frame = envelope_frame(session->ops->envelope, name, &position, data);
    send_frame(session, frame, false);
    frame_unref(frame);
}

/* Neighbouring events of one stream: a burst reaches each follower as one frame of bytes. */
struct run {
    const struct event *events;
    unsigned count;
    const struct audience *audience; /* of an ephemeral one; NULL: everybody */
};
enum { RUN_BYTES_MAX = 12 << 10, LOOK_AHEAD = 8 };

/* A session that has had a part of the run already. */
static void give_rest(struct realtime_session *session, const struct run *run)
{
    for (unsigned i = 0; i < run->count && session->state == SESSION_LIVE; i++)
        if (run->events[i].pos > session->through)
            hub_send_event(session, run->events[i].type->name, run->events[i].pos,
                           run->events[i].data);
}

static bool is_left_out(const struct realtime_session *session, const struct audience *audience)
{
    const struct id *user = &session->principal.user;
    const struct kit *kit = session->hub->realtime->kit;
    if (audience->except != NULL && id_eq(audience->except, user))
        return true;
    return audience->by != NULL && kit->blocked != NULL &&
           kit->blocked(kit->blocked_room, audience->by, user);
}

static void give_run(struct realtime_session *session, const struct run *run,
                     struct frame *frames[ENVELOPE_COUNT])
{
    uint64_t first = run->events[0].pos, last = run->events[run->count - 1].pos;
    enum envelope envelope = session->ops->envelope;
    if (session->state != SESSION_LIVE || (last != 0 && last <= session->through) ||
        (run->audience != NULL && is_left_out(session, run->audience)))
        return;
    if (envelope == ENVELOPE_NONE) {
        if (last != 0)
            session->ops->poke(session);
    } else if (last != 0 && first <= session->through) {
        give_rest(session, run);
    } else {
        if (frames[envelope] == NULL)
            frames[envelope] =
                envelope_run(envelope, run->events, run->count, session->hub->realtime->epoch);
        session->hub->delivered += run->count - 1;
        send_frame(session, frames[envelope], last == 0);
    }
}

static void prefetch_session(const struct realtime_session *session)
{
    __builtin_prefetch(session);
    __builtin_prefetch(&session->through);
    __builtin_prefetch(session + 1);
}

/* With thousands of followers none of them is in the cache. */
static void look_ahead(const struct hub *hub, struct hub_stream *stream, uint32_t i)
{
    if (i < LOOK_AHEAD)
        return;
    prefetch_session(session_at(hub, followers(stream)[i - LOOK_AHEAD].session));
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
    struct hub_stream *own = hub_find_stream(hub, &link->user);
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
    struct hub_stream *own = hub_find_stream(hub, user);
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
    for (; length < count && length < ENVELOPE_RUN_MAX; length++) {
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
    struct hub_stream *stream = hub_find_stream(hub, &events->stream);
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

/* The event's stream, and who follows it, are on their way into the cache some events before: each
 * step needs what the one before it has brought. */
static void fetch_ahead(const struct hub *hub, const struct event_batch *batch, unsigned i)
{
    enum { SLOT = 12, STREAM = 8, FOLLOWERS = 4 };
    const struct map *map = &hub->streams_by_id;
    if (i + SLOT < batch->count)
        map_prefetch(map, hash_id(&batch->events[i + SLOT].stream));
    if (i + STREAM < batch->count)
        map_prefetch_node(map, hash_id(&batch->events[i + STREAM].stream));
    if (i + FOLLOWERS >= batch->count)
        return;
    struct hub_stream *stream = hub_find_stream(hub, &batch->events[i + FOLLOWERS].stream);
    if (stream == NULL || stream->cap != 0) /* fan_out looks ahead among many */
        return;
    for (uint32_t k = 0; k < stream->count; k++)
        prefetch_session(session_at(hub, stream->few[k].session));
}

void hub_deliver(struct hub *hub, struct event_batch *batch)
{
    unsigned length, fetched = 0;
    for (unsigned i = 0; i < batch->count; i += length) {
        length = run_length(&batch->events[i], batch->count - i);
        for (; fetched < i + length; fetched++)
            fetch_ahead(hub, batch, fetched);
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
                             struct slice data, const struct audience *audience)
{
    struct hub_stream *stream = hub_find_stream(hub, id);
    const struct event_type type = {.name = name, .client = true};
    const struct event event = {.type = &type, .data = data};
    const struct run run = {&event, 1, audience};
    if (stream != NULL)
        fan_out(hub, stream, &run);
}

void hub_subscribe(struct hub *hub)
{
    hub->subscription.loop = hub->loop;
    hub->subscription.deliver = deliver;
    event_log_subscribe(hub->realtime->kit->log, &hub->subscription);
    hub->head = hub->subscription.joined;
}
