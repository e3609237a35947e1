#include "service/post/post_schema.h"

enum { TEXT_BYTES_MAX = 4 * POST_TEXT_CHARS_MAX };

#define MEDIA_FIELD(type)                                                                          \
    {                                                                                              \
        "media_ids", "At most 10 different ones.", SCHEMA_LIST, 0, SCHEMA_AT(type, media_ids),     \
            .max = POST_MEDIA_MAX, .element = SCHEMA_ID                                            \
    }
#define VISIBILITY_FIELD(type)                                                                     \
    {                                                                                              \
        "visibility", "Who sees it; a private account's public posts are for its followers.",      \
            SCHEMA_ENUM, 0, SCHEMA_AT(type, visibility), .names = social_visibility_names          \
    }

static const struct schema_field create_fields[] = {
    {"text", "1 to 5,000 characters; may be left out with media. #tags and @usernames are found.",
     SCHEMA_STRING, 0, SCHEMA_AT(struct post_create, text), .max = TEXT_BYTES_MAX},
    MEDIA_FIELD(struct post_create),
    VISIBILITY_FIELD(struct post_create),
};
SCHEMA_DEF(post_create_schema, struct post_create, "PostCreate", "A new post.", create_fields);

/* The order is enum post_patch_field's. */
static const struct schema_field patch_fields[] = {
    [POST_PATCH_TEXT] = {"text", "At most 5,000 characters.", SCHEMA_STRING, 0,
                         SCHEMA_AT(struct post_patch, text), .max = TEXT_BYTES_MAX},
    [POST_PATCH_MEDIA] = MEDIA_FIELD(struct post_patch),
    [POST_PATCH_VISIBILITY] = VISIBILITY_FIELD(struct post_patch),
};
SCHEMA_DEF_PATCH(post_patch_schema, struct post_patch, "PostPatch",
                 "What is left out stays as it is.", patch_fields);

static const struct schema_field version_fields[] = {
    {"version", "0: as it was created.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_version, version)},
    {"text", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct post_version, text)},
    {"media_ids", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct post_version, media_ids),
     .element = SCHEMA_ID},
    {"visibility", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct post_version, visibility),
     .names = social_visibility_names},
    {"edited_at", "When another version took its place.", SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_version, edited_at)},
};
SCHEMA_DEF(post_version_schema, struct post_version, "PostVersion",
           "What a post said before an edit.", version_fields);

static const struct schema_field liker_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_liker, user_id)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct post_liker, created_at)},
};
SCHEMA_DEF(post_liker_schema, struct post_liker, "Like", "Who likes a post, and since when.",
           liker_fields);

/* --- comments ----------------------------------------------------------------------------------
 */

#define COMMENT_TEXT_FIELD(type)                                                                   \
    {                                                                                              \
        "text", "1 to 2,000 characters.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NO_BLANK,        \
            SCHEMA_AT(type, text), .min = 1, .max = POST_COMMENT_BYTES_MAX                         \
    }

static const struct schema_field comment_create_fields[] = {
    COMMENT_TEXT_FIELD(struct post_comment_create),
    {"reply_to", "The comment that it answers; null: the post.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct post_comment_create, reply_to)},
};
SCHEMA_DEF(post_comment_create_schema, struct post_comment_create, "CommentCreate",
           "A new comment.", comment_create_fields);

static const struct schema_field comment_patch_fields[] = {
    COMMENT_TEXT_FIELD(struct post_comment_patch)};
SCHEMA_DEF(post_comment_patch_schema, struct post_comment_patch, "CommentPatch",
           "The new text of a comment.", comment_patch_fields);

/* --- paths and queries -------------------------------------------------------------------------
 */

#define POST_FIELD                                                                                 \
    {                                                                                              \
        "id", "The post.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_params, id)           \
    }
static const struct schema_field post_param_fields[] = {POST_FIELD};
SCHEMA_DEF(post_params_schema, struct post_params, "PostPath", NULL, post_param_fields);

static const struct schema_field user_param_fields[] = {
    {"id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct post_params, id)},
};
SCHEMA_DEF(post_user_params_schema, struct post_params, "AuthorPath", NULL, user_param_fields);

static const struct schema_field comment_param_fields[] = {
    POST_FIELD,
    {"comment_id", "The comment.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_params, comment_id)},
};
SCHEMA_DEF(post_comment_params_schema, struct post_params, "CommentPath", NULL,
           comment_param_fields);

static const struct schema_field tag_param_fields[] = {
    {"tag", "Without the sign, in any letter case.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct post_params, tag), .min = 1, .max = POST_TAG_BYTES_MAX},
};
SCHEMA_DEF(post_tag_params_schema, struct post_params, "TagPath", NULL, tag_param_fields);

static const struct schema_field comments_fields[] = {
    {"limit", "Items in a page.", SCHEMA_INT,
     .offset = offsetof(struct post_comments_query, page.limit), .min = 1, .max = PAGE_LIMIT_MAX,
     .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     .offset = offsetof(struct post_comments_query, page.cursor), .min = 1, .max = 200},
    {"reply_to", "Those that answer this comment; without: those that answer the post.", SCHEMA_ID,
     0, SCHEMA_AT(struct post_comments_query, reply_to)},
};
SCHEMA_DEF(post_comments_query_schema, struct post_comments_query, "CommentsQuery", NULL,
           comments_fields);
