/* The post room's resources as clients and other rooms see them, and the events it emits. */
#ifndef PARLEY_CONTRACT_POST_H
#define PARLEY_CONTRACT_POST_H

#include "base/schema.h"
#include "contract/social.h"
#include "engine/event_log.h"

enum {
    POST_TEXT_CHARS_MAX = 5000,
    POST_MEDIA_MAX = 10,
    POST_MENTIONS_MAX = 20, /* resolved */
    POST_TAGS_MAX = 30,     /* distinct */
    POST_TAG_CHARS_MAX = 64,
    POST_TAG_BYTES_MAX = 4 * POST_TAG_CHARS_MAX,
    POST_COMMENT_CHARS_MAX = 2000,
};

/* The topic (kit/topic.h) of those who look at a post. */
#define POST_TOPIC "post"

struct post {
    struct id id, user_id;
    struct slice text;
    struct schema_list media_ids; /* struct id */
    struct schema_list mentions;  /* struct id */
    struct schema_list tags;      /* struct slice, lower case */
    int visibility;               /* enum social_visibility */
    int64_t like_count, comment_count;
    bool liked, bookmarked; /* by the viewer; false in events */
    int64_t created_at, edited_at;
};
extern const struct schema post_schema;

struct post_comment {
    struct id id, post_id, user_id;
    struct slice text; /* empty in a tombstone */
    struct id reply_to;
    int64_t depth; /* 0: an answer to the post itself */
    int64_t reply_count;
    int64_t created_at, edited_at, deleted_at;
};
extern const struct schema post_comment_schema;

/* Durable, client events. Stream: the author topic (SOCIAL_AUTHOR_TOPIC); of a private post the
 * author's own stream. A post that becomes visible to others is post.created for them, one that
 * becomes private post.deleted. Data: struct post, of post.deleted struct post_deleted. */
extern const struct event_type post_created_event, post_updated_event, post_deleted_event;
struct post_deleted {
    struct id id, user_id;
};
extern const struct schema post_deleted_schema;

/* Ephemeral, to those who watch the topic "post:<id>". */
extern const struct event_type post_changed_event; /* struct post: its counts have moved */
extern const struct event_type post_comment_created_event, post_comment_updated_event,
    post_comment_deleted_event; /* struct post_comment */

/* Inside only, for notifications. Nobody is told of what they did themselves. */
struct post_liked { /* stream: the author of the post */
    struct id post_id, user_id, by_user_id;
    int64_t at;
};
extern const struct schema post_liked_schema;
extern const struct event_type post_liked_event; /* "post.liked" */

struct post_commented { /* stream: the author of the post */
    struct id post_id, user_id;
    struct id reply_to_user_id; /* whose comment it answers; nil: the post itself */
    struct post_comment comment;
};
extern const struct schema post_commented_schema;
extern const struct event_type post_commented_event; /* "post.commented" */

struct post_mentioned { /* stream: who was mentioned */
    struct id post_id, user_id, by_user_id;
    int64_t at;
};
extern const struct schema post_mentioned_schema;
extern const struct event_type post_mentioned_event; /* "post.mentioned" */

#endif
