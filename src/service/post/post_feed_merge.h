/* Many lists of posts, each newest first, read as one; inside src/service/post only. Everything in
 * one snapshot of the main database, in an arena. */
#ifndef PARLEY_SERVICE_POST_FEED_MERGE_H
#define PARLEY_SERVICE_POST_FEED_MERGE_H

#include "service/post/post_store.h"

struct feed_source;

struct feed_merge {
    struct db_tx *tx;
    struct arena *arena;
    struct id before, floor;   /* ids below the one and not below the other */
    struct id last;            /* given last: what stands in two lists comes once */
    struct feed_source **heap; /* those that have something, the newest on top */
    size_t count, max;
};

/* At most `max` lists are added. */
int feed_merge_init(struct feed_merge *merge, struct db_tx *tx, struct arena *arena, size_t max,
                    struct error *err) MUSTCHECK;
/* A list that is there already; ids that are not between the bounds are the caller's fault. */
int feed_merge_add_refs(struct feed_merge *merge, const struct post_ref *refs, size_t count,
                        struct error *err) MUSTCHECK;
/* What an author has published, up to that visibility. */
int feed_merge_add_author(struct feed_merge *merge, const struct id *author, int visibility,
                          struct error *err) MUSTCHECK;
/* 1 and the newest that is left, 0 at the end. */
int feed_merge_next(struct feed_merge *merge, struct post_ref *ret_ref,
                    struct error *err) MUSTCHECK;

#endif
