/* The story room's resource as clients see it, and the events it emits. */
#ifndef PARLEY_CONTRACT_STORY_H
#define PARLEY_CONTRACT_STORY_H

#include "base/schema.h"
#include "contract/social.h"

/* Text or a medium, or both, for a day. `viewed` and `viewer_count` depend on who looks; in events
 * they are as for somebody who has not seen it: false and null. */
struct story {
    struct id id, user_id;
    struct slice text;  /* may be absent */
    struct id media_id; /* may be nil */
    int visibility;     /* enum social_visibility, never SOCIAL_PRIVATE */
    int64_t created_at, expires_at;
    bool viewed;          /* by the asking person; one's own always are */
    int64_t viewer_count; /* for the author; else -1 */
};
extern const char *const story_visibility_names[]; /* "public" "followers" NULL */
extern const struct schema story_schema;

/* data of story.viewed. */
struct story_viewed {
    struct id story_id;
    struct id user_id; /* who has seen it */
    int64_t viewed_at;
};
extern const struct schema story_viewed_schema;

/* Durable, on the author's topic (SOCIAL_AUTHOR_TOPIC). A deleted one is without what it said. That
 * a story expires is no event: it says itself when. */
extern const struct event_type story_posted_event;  /* "story.posted" */
extern const struct event_type story_deleted_event; /* "story.deleted" */
/* Ephemeral, on the author's own stream and on the viewer's: the list of viewers says the same and
 * is kept. */
extern const struct event_type story_viewed_event; /* "story.viewed" */

#endif
