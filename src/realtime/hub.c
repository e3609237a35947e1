/* Who follows what: streams, their followers, and the sessions of one loop. */
#include <stdlib.h>

#include "base/hash.h"
#include "realtime/hub_private.h"
#include "realtime/realtime.h"
#include "realtime/watch.h"

static bool is_stream(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, const struct hub_stream, node)->id, key);
}

struct hub_stream *hub_find_stream(const struct hub *hub, const struct id *id)
{
    struct map_node *node = map_find(&hub->streams_by_id, hash_id(id), is_stream, id);
    return node != NULL ? CONTAINER_OF(node, struct hub_stream, node) : NULL;
}

static struct hub_stream *make_stream(struct hub *hub, const struct id *id)
{
    struct hub_stream *stream = hub_find_stream(hub, id);
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
    struct hub_stream *stream = hub_find_stream(session->hub, id);
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
    struct hub_stream *stream = hub_find_stream(session->hub, id);
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

unsigned hub_sessions_of(const struct hub *hub, const struct id *user,
                         struct realtime_session **ret_sessions, unsigned max)
{
    struct hub_stream *own = hub_find_stream(hub, user);
    unsigned count = 0;
    for (uint32_t i = 0; own != NULL && i < own->count && count < max; i++) {
        struct realtime_session *session = session_at(hub, followers(own)[i].session);
        if (id_eq(&session->principal.user, user))
            ret_sessions[count++] = session;
    }
    return count;
}

unsigned hub_count_of(const struct hub *hub, const struct id *user, const struct session_ops *ops)
{
    struct hub_stream *own = hub_find_stream(hub, user);
    unsigned count = 0;
    for (uint32_t i = 0; own != NULL && i < own->count; i++) {
        const struct realtime_session *session = session_at(hub, followers(own)[i].session);
        count += session->ops == ops && id_eq(&session->principal.user, user);
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

struct hub *hub_new(struct realtime *realtime, struct loop *loop)
{
    struct hub *hub = xcalloc(1, sizeof *hub);
    hub->realtime = realtime;
    hub->loop = loop;
    map_init(&hub->streams_by_id);
    return hub;
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
