#include "contract/post.h"

static const struct schema_field post_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post, id)},
    {"user_id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post, user_id)},
    {"text", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct post, text)},
    {"media_ids", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct post, media_ids),
     .element = SCHEMA_ID},
    {"mentions", "The people behind the first 20 @usernames that are somebody's.", SCHEMA_LIST,
     SCHEMA_REQUIRED, SCHEMA_AT(struct post, mentions), .element = SCHEMA_ID},
    {"tags", "The #tags of the text, lower case, in their order.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post, tags), .element = SCHEMA_STRING},
    {"visibility", "A private account's public posts are for followers.", SCHEMA_ENUM,
     SCHEMA_REQUIRED, SCHEMA_AT(struct post, visibility), .names = social_visibility_names},
    {"like_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct post, like_count)},
    {"comment_count", "On all levels, without deleted ones.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post, comment_count)},
    {"liked", "By me; false in events.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post, liked)},
    {"bookmarked", "By me; false in events.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post, bookmarked)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct post, created_at)},
    {"edited_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct post, edited_at)},
};
SCHEMA_DEF(post_schema, struct post, "Post", "What somebody has published.", post_fields);

static const struct schema_field comment_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_comment, id)},
    {"post_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_comment, post_id)},
    {"user_id", "Null when the account has been erased.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct post_comment, user_id)},
    {"text", "Empty in a tombstone.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_comment, text)},
    {"reply_to", "The comment that this one answers.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct post_comment, reply_to)},
    {"depth", "0 for an answer to the post itself.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_comment, depth)},
    {"reply_count", "Direct replies, tombstones among them.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_comment, reply_count)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct post_comment, created_at)},
    {"edited_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct post_comment, edited_at)},
    {"deleted_at", "Set in a tombstone, which keeps the thread together.", SCHEMA_TIME,
     SCHEMA_NULLABLE, SCHEMA_AT(struct post_comment, deleted_at)},
};
SCHEMA_DEF(post_comment_schema, struct post_comment, "Comment", "A comment on a post.",
           comment_fields);

static const struct schema_field deleted_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_deleted, id)},
    {"user_id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_deleted, user_id)},
};
SCHEMA_DEF(post_deleted_schema, struct post_deleted, "PostDeleted", "A post is gone.",
           deleted_fields);

static const struct schema_field liked_fields[] = {
    {"post_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_liked, post_id)},
    {"user_id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_liked, user_id)},
    {"by_user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_liked, by_user_id)},
    {"at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct post_liked, at)},
};
SCHEMA_DEF(post_liked_schema, struct post_liked, "PostLiked", "Somebody likes a post.",
           liked_fields);

static const struct schema_field commented_fields[] = {
    {"post_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_commented, post_id)},
    {"user_id", "The author of the post.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_commented, user_id)},
    {"reply_to_user_id", "Whose comment it answers.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct post_commented, reply_to_user_id)},
    {"comment", NULL, SCHEMA_OBJECT, SCHEMA_REQUIRED, SCHEMA_AT(struct post_commented, comment),
     .of = &post_comment_schema},
};
SCHEMA_DEF(post_commented_schema, struct post_commented, "PostCommented",
           "Somebody has commented on a post.", commented_fields);

static const struct schema_field mentioned_fields[] = {
    {"post_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_mentioned, post_id)},
    {"user_id", "Who was mentioned.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_mentioned, user_id)},
    {"by_user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_mentioned, by_user_id)},
    {"at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct post_mentioned, at)},
};
SCHEMA_DEF(post_mentioned_schema, struct post_mentioned, "PostMentioned",
           "Somebody was mentioned in a post.", mentioned_fields);

/* --- events ------------------------------------------------------------------------------------
 */

#define EVENT(variable, title, seen, schema, about)                                                \
    const struct event_type variable = {                                                           \
        .name = title, .client = seen, .data = &schema, .doc = about}

EVENT(post_created_event, "post.created", true, post_schema,
      "Somebody one follows has published, or has made a private post visible.");
EVENT(post_updated_event, "post.updated", true, post_schema, "A post was edited.");
EVENT(post_deleted_event, "post.deleted", true, post_deleted_schema,
      "A post was deleted, or is visible no longer.");
EVENT(post_changed_event, "post.changed", true, post_schema,
      "Counts of a watched post have moved; at most four times a second. Not kept.");
EVENT(post_comment_created_event, "comment.created", true, post_comment_schema,
      "A watched post has a new comment. Not kept.");
EVENT(post_comment_updated_event, "comment.updated", true, post_comment_schema,
      "A comment of a watched post was edited. Not kept.");
EVENT(post_comment_deleted_event, "comment.deleted", true, post_comment_schema,
      "A comment of a watched post became a tombstone. Not kept.");
EVENT(post_liked_event, "post.liked", false, post_liked_schema, "Somebody likes a post.");
EVENT(post_commented_event, "post.commented", false, post_commented_schema,
      "Somebody has commented on a post.");
EVENT(post_mentioned_event, "post.mentioned", false, post_mentioned_schema,
      "Somebody was mentioned in a post.");
