/* Stories: text or a picture for a day (T01 to T08).
 *
 * A story that has expired does not exist, from that very millisecond on: every rule looks at the
 * clock, whatever the tables and the cache still hold. Somebody who may not see a story, or whose
 * way to it is blocked, gets what an unknown one gives: FAIL_NOT_FOUND "story_not_found". Text in
 * results lives in the arena given; rules may wait.
 */
#ifndef PARLEY_SERVICE_STORY_H
#define PARLEY_SERVICE_STORY_H

#include "contract/story.h"
#include "kit/module.h"
#include "kit/paging.h"

#define STORY_DAY_MS INT64_C(86400000)

enum {
    STORY_TEXT_CHARS_MAX = 2000,
    STORY_PER_DAY_MAX = 100, /* what the configuration may allow */
    STORY_CLEAN_CHUNK = 1000,
};

struct story_room;
extern const struct module story_module;

struct story_call {
    struct story_room *room;
    struct id user; /* who asks */
    bool moderates; /* sees the stories of everybody, and may delete them */
    struct slice correlation_id;
    struct arena *arena;
    struct error *err;
};

struct story_new {
    struct slice text; /* may be absent when there is a medium */
    struct id media_id;
    int visibility;
};
/* 422 when it has neither text nor medium, 429 too_many_stories with the time at which the oldest
 * one of the day no longer counts. */
int story_post(struct story_call *call, const struct story_new *what,
               struct story *ret_story) MUSTCHECK;
/* The author's, or anybody's for a moderator, which is in the audit log; 403 not_author for
 * somebody else who may see it. */
int story_delete(struct story_call *call, const struct id *story) MUSTCHECK;
/* Seen: recorded once, and never of one's own. */
int story_view(struct story_call *call, const struct id *story) MUSTCHECK;

struct story_page {
    struct story *items;
    size_t count;
    struct slice next; /* the cursor's bytes; absent: the last page */
};
/* Active stories of those whom one follows and has not muted, and one's own. Authors with something
 * unseen first, then those with the newest story first; of an author the oldest story first. The
 * pages of one walk show what was there, and unseen, when it began. */
int story_bar(struct story_call *call, const struct page_query *query,
              struct story_page *ret_page) MUSTCHECK;
/* Active stories of one person that the asking one may see, oldest first. 404 user_not_found. */
int story_list(struct story_call *call, const struct id *author, const struct page_query *query,
               struct story_page *ret_page) MUSTCHECK;

struct story_viewer {
    struct id user_id;
    int64_t viewed_at;
};
struct story_viewers {
    struct story_viewer *items;
    size_t count;
    bool more;
    struct cursor next;
};
/* For the author, newest first, without those whom a block stands between. 403 not_author. */
int story_viewers(struct story_call *call, const struct id *story, const struct page_query *query,
                  struct story_viewers *ret_viewers) MUSTCHECK;

/* Removes what has expired, with its viewers: at most STORY_CLEAN_CHUNK rows a transaction, with
 * pauses in which others write. FAIL_CANCELLED when told to end; goes on at the next run. */
int story_clean(struct story_room *room, struct error *err) MUSTCHECK;

#endif
