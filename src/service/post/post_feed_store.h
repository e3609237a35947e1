/* The feed database, as functions: the index of home feeds and the work on it. Inside
 * src/service/post only; all run inside db_read or db_write on kit_db(kit, "post.feed"). */
#ifndef PARLEY_SERVICE_POST_FEED_STORE_H
#define PARLEY_SERVICE_POST_FEED_STORE_H

#include "service/post/post_store.h"

/* The last two stand once for each user. */
enum feed_task_kind {
    FEED_TASK_POST = 1, /* bring a post (other) of an author (user) to the followers */
    FEED_TASK_FOLLOW,   /* bring the posts of an author (other) to a follower (user) */
    FEED_TASK_BUILD,    /* make the index of a user */
    FEED_TASK_LEAVE,    /* bring the posts of an author (user) to the followers: big no more */
};
struct feed_task {
    int64_t place;
    int kind; /* enum feed_task_kind */
    struct id user, other, after;
    bool built;   /* the user has an index */
    bool big;     /* the author is big ... */
    bool leaving; /* ... and stops being so */
};

/* --- reading ----------------------------------------------------------------------------------
 */
struct feed_user {
    bool built;
    struct id floor;
    int64_t read_at;
};
int feed_store_user(struct db_tx *tx, const struct id *user, struct feed_user *ret_user,
                    struct error *err) MUSTCHECK;
/* each: 0 to go on, 1 to stop. Below `before`, not below `floor`, newest first. */
typedef int feed_entry_fn(void *arg, const struct id *post, const struct id *author);
int feed_store_entries(struct db_tx *tx, const struct id *user, const struct id *before,
                       const struct id *floor, feed_entry_fn *each, void *arg,
                       struct error *err) MUSTCHECK;
/* Posts that are on their way, newest first, at most `max`. */
int feed_store_pending(struct db_tx *tx, size_t max, feed_entry_fn *each, void *arg,
                       struct error *err) MUSTCHECK;
/* The big ones, by id (post is nil). */
int feed_store_bigs(struct db_tx *tx, feed_entry_fn *each, void *arg, struct error *err) MUSTCHECK;

/* --- work -------------------------------------------------------------------------------------
 */
int feed_store_put_task(struct db_tx *tx, enum feed_task_kind kind, const struct id *user,
                        const struct id *other, struct error *err) MUSTCHECK;
int feed_store_tasks(struct db_tx *tx, size_t max, struct feed_task *ret_tasks, size_t *ret_count,
                     struct error *err) MUSTCHECK;
/* Takes it away; `again`: to the end of the queue, to go on after task->after. */
int feed_store_end_turn(struct db_tx *tx, const struct feed_task *task, bool again,
                        struct error *err) MUSTCHECK;
/* Only when the user has an index; once. */
int feed_store_put(struct db_tx *tx, const struct id *user, const struct id *post,
                   const struct id *author, struct error *err) MUSTCHECK;
/* What is below is not complete any more; never goes down. */
int feed_store_raise_floor(struct db_tx *tx, const struct id *user, const struct id *floor,
                           struct error *err) MUSTCHECK;
int feed_store_set_floor(struct db_tx *tx, const struct id *user, const struct id *floor,
                         struct error *err) MUSTCHECK;
/* With nothing in it: everything is still read from the authors. */
int feed_store_add_user(struct db_tx *tx, const struct id *user, int64_t now_ms,
                        struct error *err) MUSTCHECK;
int feed_store_touch(struct db_tx *tx, const struct id *user, int64_t now_ms,
                     struct error *err) MUSTCHECK;
/* Above kept + slack entries only the newest `kept` stay, and the floor is the last of them. */
int feed_store_trim(struct db_tx *tx, const struct id *user, int kept, int slack,
                    struct error *err) MUSTCHECK;
int feed_store_drop_author(struct db_tx *tx, const struct id *user, const struct id *author,
                           struct error *err) MUSTCHECK;

int feed_store_drop_user(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* Whoever has not read since, the longest first. */
int feed_store_idle(struct db_tx *tx, int64_t before_ms, size_t max, struct id *ret_users,
                    size_t *ret_count, struct error *err) MUSTCHECK;
int feed_store_big(struct db_tx *tx, const struct id *author, bool *ret_big, bool *ret_leaving,
                   struct error *err) MUSTCHECK;
int feed_store_set_big(struct db_tx *tx, const struct id *author, bool leaving,
                       struct error *err) MUSTCHECK;
/* Stays big after all: what was under way to the followers is not needed. */
int feed_store_stay_big(struct db_tx *tx, const struct id *author, struct error *err) MUSTCHECK;
int feed_store_drop_big(struct db_tx *tx, const struct id *author, struct error *err) MUSTCHECK;

#endif
