/* What the social room answers to other rooms: who follows, blocks and mutes whom.
 *
 * The room stands below all others with people in them: it calls none, and knows accounts by
 * events. A block or an unfollow takes effect with its acknowledgement: every call that begins
 * afterwards sees it. Calls may wait (for a reader of the database) unless they say otherwise, so
 * they are made before a transaction, never inside one.
 */
#ifndef PARLEY_CONTRACT_SOCIAL_H
#define PARLEY_CONTRACT_SOCIAL_H

#include "base/error.h"
#include "base/id.h"
#include "base/schema.h"
#include "engine/event_log.h"
#include "kit/paging.h"

/* How one person (the viewer) stands to another. */
struct social_relation {
    bool self;
    bool following;   /* the viewer follows them, and was accepted */
    bool requested;   /* the viewer has asked to */
    bool followed_by; /* they follow the viewer */
    bool blocking;    /* the viewer has blocked them */
    bool blocked_by;  /* they have blocked the viewer */
    bool muting;      /* the viewer does not want to see their posts and stories in lists */
    bool is_private;  /* their account is: what they publish is for followers */
    bool absent;      /* their account is switched off or gone: nothing of theirs is shown */
};
static inline bool social_blocked(const struct social_relation *r)
{
    return r->blocking || r->blocked_by;
}
/* Whether the viewer may see what that person publishes for followers (and, when the account is
 * private, for everybody). */
static inline bool social_may_follow_along(const struct social_relation *r)
{
    return r->self || (r->following && !social_blocked(r) && !r->absent);
}

enum social_visibility { SOCIAL_PUBLIC, SOCIAL_FOLLOWERS, SOCIAL_PRIVATE };
extern const char *const social_visibility_names[]; /* "public" "followers" "private" NULL */
/* Whether the viewer may see a thing of that visibility. */
static inline bool social_may_see(const struct social_relation *r, enum social_visibility v)
{
    if (r->self)
        return true;
    if (social_blocked(r) || r->absent || v == SOCIAL_PRIVATE)
        return false;
    return (v == SOCIAL_PUBLIC && !r->is_private) || r->following;
}

/* The topic (kit/topic.h) that a person's followers, and they themselves, follow: posts, stories
 * and events of theirs. */
#define SOCIAL_AUTHOR_TOPIC "author"

/* Beside follow.changed there is "follow.linked", inside only and with the same data, on the topic
 * of the author: whether their posts reach the follower, which a mute ends and its end begins.
 * Indexes of what somebody follows go by it. */

/* A follow stands or stands no longer, was asked for or refused. Streams: both people's own.
 * Client event. */
enum social_follow_status { SOCIAL_FOLLOW_NONE, SOCIAL_FOLLOW_REQUESTED, SOCIAL_FOLLOWING };
extern const char *const social_follow_status_names[]; /* "none" "requested" "following" NULL */
struct social_follow_changed {
    struct id user_id;   /* who follows */
    struct id target_id; /* whom */
    int status;
};
extern const struct schema social_follow_changed_schema;
extern const struct event_type social_follow_changed_event; /* "follow.changed" */

/* Somebody has blocked or unblocked somebody. Stream: the one who did; not for the other. Client
 * event. */
struct social_block_changed {
    struct id user_id, target_id;
    bool blocked;
};
extern const struct schema social_block_changed_schema;
extern const struct event_type social_block_changed_event; /* "block.changed" */

/* Lists of people, newest relation first. Only the person themselves gets the last three. */
enum social_list {
    SOCIAL_LIST_FOLLOWERS,
    SOCIAL_LIST_FOLLOWING,
    SOCIAL_LIST_REQUESTS, /* who asks to follow the person */
    SOCIAL_LIST_BLOCKED,
    SOCIAL_LIST_MUTED,
};

/* Somebody of whom the log may say nothing any more. */
struct social_acquaintance {
    struct id user_id;
    bool is_private, is_active;
};

struct social_calls {
    void *room;
    /* Makes people known, those who are stay as they are. Only while rooms start: events about them
     * are handled afterwards. */
    int (*introduce)(void *room, const struct social_acquaintance *people, size_t count,
                     struct error *err);
    /* How `viewer` stands to each of the others, in their order. A nil viewer is nobody, and to
     * somebody unknown (a nil id, an account that is gone) nobody stands in any way: they are
     * absent. */
    int (*relations)(void *room, const struct id *viewer, const struct id *others, size_t count,
                     struct social_relation *ret_relations, struct error *err);
    /* Whether either has blocked the other. From memory, never waits, any thread. */
    bool (*blocked)(void *room, const struct id *a, const struct id *b);
    /* Those who follow the person and have not muted them, by id, after *after (nil: from the
     * first); at most limit. For fan-out. */
    int (*followers)(void *room, const struct id *person, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err);
    /* Whom the person follows and has not muted, by id, the same way. */
    int (*following)(void *room, const struct id *person, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err);
    int (*follower_count)(void *room, const struct id *person, int64_t *ret_count,
                          struct error *err);
    /* A page of a list, for people to read: without those who are blocked between them and the
     * viewer. ids and next as for request_reply_page; *ret_more says whether next is one.
     * FAIL_FORBIDDEN "private_account", or "blocking" when the viewer has blocked the person;
     * FAIL_NOT_FOUND "user_not_found". */
    int (*page)(void *room, enum social_list list, const struct id *viewer, const struct id *person,
                const struct page_query *query, struct id *ret_ids, size_t *ret_count,
                struct cursor *ret_next, bool *ret_more, struct error *err);
};

#endif
