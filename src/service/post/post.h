/* Posts, comments, likes, bookmarks, popular posts and the home feed (S02 to S05).
 *
 * Every rule is called from a coroutine and may wait; outputs lie in the call's arena and stay as
 * they were on failure. What the asking person may not see does not exist for them: 404
 * post_not_found, comment_not_found or user_not_found.
 */
#ifndef PARLEY_SERVICE_POST_H
#define PARLEY_SERVICE_POST_H

#include "contract/post.h"
#include "kit/module.h"
#include "kit/paging.h"

enum { POST_EDITS_MAX = 200, POST_COMMENT_BYTES_MAX = 4 * POST_COMMENT_CHARS_MAX };

struct post_room;
extern const struct module post_module;

struct post_call {
    struct post_room *room;
    struct principal who;
    struct arena *arena;
    struct slice correlation_id; /* may be absent */
    struct buf *headers;         /* of the answer: RateLimit; may be NULL */
    struct error *err;
};

/* --- posts (post.c, post_edit.c) --------------------------------------------------------------
 */
struct post_create {
    struct slice text;
    struct schema_list media_ids; /* struct id */
    int visibility;               /* enum social_visibility */
};
/* 422: text, media_ids; 429 too_many_posts. */
int post_create(struct post_call *call, const struct post_create *what,
                struct post *ret_post) MUSTCHECK;
/* *ret_version grows with each edit. */
int post_get(struct post_call *call, const struct id *id, struct post *ret_post,
             int64_t *ret_version) MUSTCHECK;

enum post_patch_field { POST_PATCH_TEXT, POST_PATCH_MEDIA, POST_PATCH_VISIBILITY };
struct post_patch {
    uint64_t present; /* bits of enum post_patch_field */
    struct slice text;
    struct schema_list media_ids;
    int visibility;
};
/* match(arg, version): negative, with the error set, when the caller insists on another version
 * (If-Match); NULL: any. Called on the writer's thread. 403 not_your_post, 409 too_many_edits. */
typedef int post_match_fn(void *arg, int64_t version, struct error *err);
int post_update(struct post_call *call, const struct id *id, const struct post_patch *what,
                post_match_fn *match, void *match_arg, struct post *ret_post,
                int64_t *ret_version) MUSTCHECK;
/* By the author or a moderator; 403 not_your_post. */
int post_delete(struct post_call *call, const struct id *id, post_match_fn *match,
                void *match_arg) MUSTCHECK;

struct post_version {
    int64_t version; /* 0: as it was created */
    struct slice text;
    struct schema_list media_ids;
    int visibility;
    int64_t edited_at; /* when another version took its place */
};
struct post_versions {
    struct post_version *items;
    size_t count;
    bool more;
    struct cursor next;
};
/* What a post said before, newest first; for the author and moderators, also of a deleted post. */
int post_history(struct post_call *call, const struct id *id, const struct page_query *query,
                 struct post_versions *ret_versions) MUSTCHECK;

/* --- marks (post_mark.c) ----------------------------------------------------------------------
 */
/* Twice is once. *ret_post as it is afterwards; *ret_changed: not as it was before. */
int post_like(struct post_call *call, const struct id *id, bool on, struct post *ret_post,
              bool *ret_changed) MUSTCHECK;
int post_bookmark(struct post_call *call, const struct id *id, bool on,
                  struct post *ret_post) MUSTCHECK;

struct post_liker {
    struct id user_id;
    int64_t created_at;
};
struct post_likers {
    struct post_liker *items;
    size_t count;
    bool more;
    struct cursor next;
};
/* Newest first, without those who are blocked between them and the viewer or are switched off; the
 * post's like_count counts them. */
int post_likes(struct post_call *call, const struct id *id, const struct page_query *query,
               struct post_likers *ret_likers) MUSTCHECK;

/* --- lists (post_list.c, post_popular.c, post_feed.c) -----------------------------------------
 */
struct post_page {
    struct post *items;
    size_t count;
    bool more; /* there may be more after `next` */
    struct cursor next;
};
/* Newest first. 403 private_account. */
int post_list_user(struct post_call *call, const struct id *user, const struct page_query *query,
                   struct post_page *ret_page) MUSTCHECK;
/* Of the tag that the viewer may see, newest first, without muted authors. 422 tag. */
int post_list_tag(struct post_call *call, struct slice tag, const struct page_query *query,
                  struct post_page *ret_page) MUSTCHECK;
/* The viewer's bookmarks, last set first; what they may see no longer is left out. */
int post_list_bookmarks(struct post_call *call, const struct page_query *query,
                        struct post_page *ret_page) MUSTCHECK;
int post_list_popular(struct post_call *call, const struct page_query *query,
                      struct post_page *ret_page) MUSTCHECK;
/* One's own posts and those of the people one follows and has not muted, newest first. */
int post_feed(struct post_call *call, const struct page_query *query,
              struct post_page *ret_page) MUSTCHECK;

/* --- comments (post_comment.c) ----------------------------------------------------------------
 */
struct post_comment_create {
    struct slice text;
    struct id reply_to; /* nil: the post itself */
};
/* 404 comment_not_found: the comment that it answers; 409 comment_deleted (also while its author is
 * switched off), thread_too_deep; 422 text; 429 too_many_comments. *ret_post: the post afterwards,
 * as anybody sees it. */
int post_comment_create(struct post_call *call, const struct id *post,
                        const struct post_comment_create *what, struct post_comment *ret_comment,
                        struct post *ret_post) MUSTCHECK;
struct post_comments {
    struct post_comment *items;
    size_t count;
    bool more;
    struct cursor next;
};
/* Oldest first: those that answer `reply_to`, nil: the post. What people who are switched off have
 * said is left out, or stands as a tombstone without a name where others answered it. */
int post_comment_list(struct post_call *call, const struct id *post, const struct id *reply_to,
                      const struct page_query *query, struct post_comments *ret_comments) MUSTCHECK;
/* Its author alone; 403 not_your_comment, 409 comment_deleted. The version that is matched is
 * edited_at, 0 before the first edit. */
int post_comment_update(struct post_call *call, const struct id *post, const struct id *comment,
                        struct slice text, post_match_fn *match, void *match_arg,
                        struct post_comment *ret_comment) MUSTCHECK;
/* Its author, the post's author, or a moderator: a tombstone stays. */
int post_comment_delete(struct post_call *call, const struct id *post, const struct id *comment,
                        post_match_fn *match, void *match_arg, struct post_comment *ret_comment,
                        struct post *ret_post) MUSTCHECK;

#endif
