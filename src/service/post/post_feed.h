/* The home feed's index; inside src/service/post only. See docs/design/feed.md. */
#ifndef PARLEY_SERVICE_POST_FEED_H
#define PARLEY_SERVICE_POST_FEED_H

#include <stdatomic.h>

#include "io/loop.h"
#include "service/post/post_feed_merge.h"
#include "service/post/post_feed_store.h"
#include "service/post/post_room.h"

/* How many posts the index takes at a time; see post_feed_room.c. */
struct feed_sizes {
    int kept;        /* newest entries of a user that stay ... */
    int slack;       /* ... when there are so many more */
    int trim_one_in; /* how often that is looked at */
    size_t follow;   /* of an author, for a new follower */
    size_t built;    /* of all, when a feed gets its index */
    size_t leave;    /* of an author who is big no more, for each follower */
    size_t followers_per_turn, leavers_per_turn;
    size_t spare; /* entries read at a time beyond a page: some are of deleted posts */
};

struct post_feed {
    struct post_room *room;
    struct db *db;
    int64_t fanout_max; /* authors with more followers are read, not brought */
    int64_t direct_max; /* who follows no more than this needs no index */
    struct feed_sizes sizes;
    struct metric *from_index, *from_authors; /* pages */
    struct metric *turns, *entries;
    /* Waking the worker: a job on the first loop. */
    struct mail ring;
    _Atomic bool ringing;
    bool rung;
    struct coro *worker; /* while it waits */
};

/* There is work. Any thread. */
void post_feed_ring(struct post_feed *feed);

struct post_feed *post_feed_new(struct post_room *room);
void post_feed_free(struct post_feed *feed);

/* Whom the viewer follows and has not muted, and the viewer, by id; waits. */
int post_feed_authors(struct post_room *room, const struct id *viewer, struct arena *arena,
                      struct id **ret_authors, size_t *ret_count, struct error *err) MUSTCHECK;
/* Adds all of them to the merge: the viewer's own posts with the private ones. */
int post_feed_add_authors(struct feed_merge *merge, const struct id *viewer,
                          const struct id *authors, size_t count, struct error *err) MUSTCHECK;

/* The consumer "post.feed": notes what is to be done. */
int post_follow_feed(void *room, struct db_tx *tx, const struct event *event, struct error *err);
/* The job "post.feed": does it; returns when told to end. */
int post_feed_job(void *room, struct error *err);
/* One step of it; *ret_did: there was something to do. *ret_more: it goes on at once. */
int post_feed_step(struct post_feed *feed, bool *ret_did, bool *ret_more,
                   struct error *err) MUSTCHECK;
/* The job "post.feed_idle": whoever has not read for a month loses the index. */
int post_feed_idle_job(void *room, struct error *err);

#endif
