/* What the two halves of the hub share: who follows what (hub.c), who is given what
 * (hub_deliver.c). */
#ifndef PARLEY_REALTIME_HUB_PRIVATE_H
#define PARLEY_REALTIME_HUB_PRIVATE_H

#include "realtime/hub.h"

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

static inline struct follower *followers(struct hub_stream *stream)
{
    return stream->cap != 0 ? stream->many : stream->few;
}

static inline struct realtime_session *session_at(const struct hub *hub, uint32_t handle)
{
    return handle_get(&hub->sessions, handle);
}

struct hub_stream *hub_find_stream(const struct hub *hub, const struct id *id);

#endif
