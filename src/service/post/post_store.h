/* The room's tables in the main database, as functions; the only SQL of the room is in
 * post_store*.c and post_feed_store.c. All run inside db_read or db_write; what they give lies in
 * the arena. */
#ifndef PARLEY_SERVICE_POST_STORE_H
#define PARLEY_SERVICE_POST_STORE_H

#include "engine/db.h"
#include "service/post/post.h"

/* Above every id: where a list begins that goes down by id. */
extern const struct id post_id_last;

/* --- posts (post_store.c) ---------------------------------------------------------------------
 */
/* What rights are decided by. */
struct post_head {
    struct id id, user_id;
    int visibility;
    int64_t version, deleted_at;
    bool found;
};
int post_store_head(struct db_tx *tx, const struct id *post, struct post_head *ret_head,
                    struct error *err) MUSTCHECK;
/* As the viewer sees it (nil: nobody's marks). *ret_found false when there is none, or it is
 * deleted. */
int post_store_get(struct db_tx *tx, const struct id *post, const struct id *viewer,
                   struct arena *arena, struct post *ret_post, bool *ret_found,
                   struct error *err) MUSTCHECK;
int post_store_insert(struct db_tx *tx, const struct post *post, struct arena *arena,
                      struct error *err) MUSTCHECK;
/* Keeps what it said before as a version, and writes text, media, mentions, tags, visibility,
 * edited_at; version: the one that is replaced. */
int post_store_update(struct db_tx *tx, const struct post *post, int64_t version,
                      struct arena *arena, struct error *err) MUSTCHECK;
int post_store_set_deleted(struct db_tx *tx, const struct id *post, int64_t at,
                           struct error *err) MUSTCHECK;
/* Versions below `before`, newest first. */
int post_store_versions(struct db_tx *tx, const struct id *post, int64_t before, size_t max,
                        struct arena *arena, struct post_version *ret_versions, size_t *ret_count,
                        struct error *err) MUSTCHECK;
/* Tags of the post in the index of tags; private posts are not in it. */
int post_store_put_tags(struct db_tx *tx, const struct post *post, struct error *err) MUSTCHECK;
int post_store_drop_tags(struct db_tx *tx, const struct id *post, const struct schema_list *tags,
                         struct error *err) MUSTCHECK;

/* --- lists (post_store_list.c) ----------------------------------------------------------------
 */
struct post_ref {
    struct id id, user_id;
    int visibility;
    int64_t at; /* the key of the list, where it is not the id */
};
/* Of one author, with an id below `before` and not below `floor`, newest first; up to that
 * visibility. */
int post_store_by_user(struct db_tx *tx, const struct id *user, const struct id *before,
                       const struct id *floor, int visibility, size_t max, struct post_ref *ret,
                       size_t *ret_count, struct error *err) MUSTCHECK;
int post_store_by_tag(struct db_tx *tx, struct slice tag, const struct id *before, size_t max,
                      struct post_ref *ret, size_t *ret_count, struct error *err) MUSTCHECK;
int post_store_bookmarks(struct db_tx *tx, const struct id *user, const struct cursor *before,
                         size_t max, struct post_ref *ret, size_t *ret_count,
                         struct error *err) MUSTCHECK;
struct post_activity {
    struct post_ref ref;
    int64_t likes, comments, created_at;
};
/* Public posts with likes or comments, below `before` and not below `from`, newest first. */
typedef void post_activity_fn(void *arg, const struct post_activity *activity);
int post_store_active(struct db_tx *tx, const struct id *from, const struct id *before, size_t max,
                      post_activity_fn *each, void *arg, struct error *err) MUSTCHECK;

/* --- likes and bookmarks (post_store_mark.c) --------------------------------------------------
 */
/* *ret_changed false when it was so before; the count moves with it. */
int post_store_like(struct db_tx *tx, const struct id *post, const struct id *user, bool on,
                    int64_t at, bool *ret_changed, struct error *err) MUSTCHECK;
int post_store_bookmark(struct db_tx *tx, const struct id *user, const struct id *post, bool on,
                        int64_t at, struct error *err) MUSTCHECK;
int post_store_likers(struct db_tx *tx, const struct id *post, const struct cursor *before,
                      size_t max, struct post_liker *ret, size_t *ret_count,
                      struct error *err) MUSTCHECK;

/* --- comments (post_store_comment.c) ----------------------------------------------------------
 */
int post_store_comment(struct db_tx *tx, const struct id *post, const struct id *comment,
                       struct arena *arena, struct post_comment *ret_comment, bool *ret_found,
                       struct error *err) MUSTCHECK;
/* The counts of the post and of the comment that it answers move with these two. */
int post_store_comment_insert(struct db_tx *tx, const struct post_comment *comment,
                              struct error *err) MUSTCHECK;
int post_store_comment_bury(struct db_tx *tx, const struct post_comment *comment, int64_t at,
                            struct error *err) MUSTCHECK;
int post_store_comment_update(struct db_tx *tx, const struct post_comment *comment,
                              struct error *err) MUSTCHECK;
/* Ids above `after`, oldest first; a nil reply_to: those that answer the post. */
int post_store_comments(struct db_tx *tx, const struct id *post, const struct id *reply_to,
                        const struct id *after, size_t max, struct arena *arena,
                        struct post_comment *ret, size_t *ret_count, struct error *err) MUSTCHECK;

/* --- what is kept about somebody (post_store_erase.c) -----------------------------------------
 */
enum post_kept_kind { POST_KEPT_POSTS, POST_KEPT_COMMENTS, POST_KEPT_LIKES, POST_KEPT_BOOKMARKS };
struct post_kept {
    struct id post, comment; /* comment: of comments only */
    int64_t at;              /* of marks */
};
typedef int post_kept_fn(void *arg, const struct post_kept *kept, struct error *err);
/* Everything of the kind that is not deleted, in the order of its making. */
int post_store_kept(struct db_tx *tx, enum post_kept_kind kind, const struct id *user,
                    post_kept_fn *each, void *arg, struct error *err) MUSTCHECK;

/* --- people who go (post_store_erase.c) -------------------------------------------------------
 */
int post_store_erasure_add(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* Nil when nobody waits. */
int post_store_erasure_next(struct db_tx *tx, struct id *ret_user, struct error *err) MUSTCHECK;
int post_store_erasure_done(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* Erases some of what is kept of or about the user, at most about `rows` rows; *ret_more: there is
 * more to do. */
int post_store_erase(struct db_tx *tx, const struct id *user, unsigned rows, int64_t at,
                     bool *ret_more, struct error *err) MUSTCHECK;

#endif
