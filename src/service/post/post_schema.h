/* What the routes of the room take and give; inside src/service/post only. */
#ifndef PARLEY_SERVICE_POST_SCHEMA_H
#define PARLEY_SERVICE_POST_SCHEMA_H

#include "service/post/post.h"

struct post_params {
    struct id id, comment_id;
    struct slice tag;
};
struct post_comments_query {
    struct page_query page;
    struct id reply_to;
};
struct post_comment_patch {
    struct slice text;
};

extern const struct schema post_create_schema, post_patch_schema, post_version_schema,
    post_liker_schema, post_comment_create_schema, post_comment_patch_schema,
    post_comments_query_schema, post_params_schema, post_user_params_schema,
    post_comment_params_schema, post_tag_params_schema;

#endif
