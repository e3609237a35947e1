/* The room's tables, as functions; the only SQL of the room is in story_store.c,
 * story_store_list.c and story_store_clean.c. All run inside db_read or db_write; text is copied
 * into the arena. `now`: what has expired by then is not found. */
#ifndef PARLEY_SERVICE_STORY_STORE_H
#define PARLEY_SERVICE_STORY_STORE_H

#include "engine/db.h"
#include "service/story/story_room.h"

/* --- one story (story_store.c) ------------------------------------------------------------------
 */
int story_store_insert(struct db_tx *tx, const struct story *story, struct error *err) MUSTCHECK;
/* With viewer_count; `viewed` is false. */
int story_store_get(struct db_tx *tx, const struct id *story, int64_t now, struct arena *arena,
                    struct story *ret_story, bool *ret_found, struct error *err) MUSTCHECK;
/* How many the person has posted in the day until now, deleted ones too, counted up to max, and
 * when the oldest of those leaves the day. */
int story_store_day(struct db_tx *tx, const struct id *user, int64_t now, int64_t max,
                    int64_t *ret_count, int64_t *ret_frees_at, struct error *err) MUSTCHECK;
int story_store_delete(struct db_tx *tx, const struct story *story, int64_t now,
                       struct error *err) MUSTCHECK;
/* *ret_new: it was not seen before. */
int story_store_view(struct db_tx *tx, const struct id *story, const struct id *viewer, int64_t now,
                     bool *ret_new, struct error *err) MUSTCHECK;
int story_store_has_viewed(struct db_tx *tx, const struct id *story, const struct id *viewer,
                           bool *ret_viewed, struct error *err) MUSTCHECK;
struct id story_store_expired_id(int64_t now);
/* Nothing of the person's is found from here on; the clean-up takes the rows. What they have seen
 * is forgotten at once. */
int story_store_erase(struct db_tx *tx, const struct id *user, int64_t now,
                      struct error *err) MUSTCHECK;

/* --- several (story_store_list.c) ---------------------------------------------------------------
 */
/* Whether an author has something for the bar, as of the beginning of the walk. */
struct story_glance {
    struct id newest; /* nil: nothing is active */
    bool unseen;
};
int story_store_glance(struct db_tx *tx, const struct id *author, const struct id *viewer,
                       int64_t now, int64_t as_of, struct story_glance *ret_glance,
                       struct error *err) MUSTCHECK;

struct story_span {
    const struct id *author;
    const struct id *viewer; /* whose `viewed` it is; NULL: nobody's */
    int64_t now, until;      /* posted by `until` */
    int64_t after_created;   /* and after this story */
    struct id after;
    size_t max;
};
/* Active stories of an author, oldest first, into ret_stories[*count...]; *count grows. */
int story_store_active(struct db_tx *tx, const struct story_span *span, struct arena *arena,
                       struct story *ret_stories, size_t *count, struct error *err) MUSTCHECK;
int story_store_viewers(struct db_tx *tx, const struct id *story, const struct cursor *before,
                        size_t max, struct story_viewer *ret_viewers, size_t *ret_count,
                        struct error *err) MUSTCHECK;
/* What the person has seen of what is still there, one call each. */
int story_store_each_view(struct db_tx *tx, const struct id *viewer,
                          int (*fn)(const struct story_viewed *viewed, void *arg,
                                    struct error *err),
                          void *arg, struct error *err) MUSTCHECK;

/* --- clean-up (story_store_clean.c) -------------------------------------------------------------
 */
/* At most max rows, of stories and of their viewers together, of what has expired by now. */
int story_store_clean(struct db_tx *tx, int64_t now, unsigned max, unsigned *ret_stories,
                      unsigned *ret_views, struct error *err) MUSTCHECK;

/* A table that is kept by person, swept in that order. */
enum story_sweep_table { STORY_SWEEP_AUTHORS, STORY_SWEEP_SEEN, STORY_SWEEP_TABLES };
struct story_sweep_key {
    struct id person, story;
    int64_t expires_at; /* 0 in STORY_SWEEP_SEEN */
};
struct story_sweep {
    enum story_sweep_table table;
    int64_t now;
    struct story_sweep_key at; /* the last row looked at */
    struct story_sweep_key keys[STORY_CLEAN_CHUNK];
    unsigned count; /* of what has expired */
    bool more;
};
/* Inside db_read: looks at the next rows, until a chunk of what has expired has been found. */
int story_store_sweep_look(struct db_tx *tx, struct story_sweep *sweep,
                           struct error *err) MUSTCHECK;
/* Inside db_write: removes what has been found. */
int story_store_sweep(struct db_tx *tx, const struct story_sweep *sweep,
                      struct error *err) MUSTCHECK;

#endif
