/* The room's state; inside src/service/story only. */
#ifndef PARLEY_SERVICE_STORY_ROOM_H
#define PARLEY_SERVICE_STORY_ROOM_H

#include "contract/user.h"
#include "kit/cache.h"
#include "service/story/story.h"

struct story_room {
    struct kit *kit;
    struct db *db;
    const struct social_calls *social;
    const struct user_calls *users;
    struct cache
        *active;      /* what is active of an author, as somebody sees it who has seen nothing */
    int64_t per_day;  /* stories that one may post in a day */
    int64_t sweep_at; /* wall ms of the next sweep; the job's alone */
    struct metric *posted, *deleted, *viewed, *refused;
    struct metric *cleaned_stories, *cleaned_views, *clean_failures;
};

extern const struct config_key story_config[];
int story_start(struct kit *kit, void **ret_room, struct error *err);
void story_stop(void *room);

/* Goes on after a story in a list; story_place.c. */
struct story_place {
    int64_t as_of;    /* wall ms at which the walk through the pages began */
    bool seen;        /* the author has nothing unseen */
    struct id newest; /* the story that the author posted last, as of then */
    struct id author;
    int64_t created_at; /* of the story, and which: the last one that was shown */
    struct id story;
};
/* *ret_given false: the first page, and *ret_place is zeroed. */
int story_place_read(struct slice cursor, struct story_place *ret_place, bool *ret_given,
                     struct error *err) MUSTCHECK;
/* The cursor's bytes, in the arena; 413 when it is full. */
int story_place_write(const struct story_place *place, struct arena *arena, struct slice *ret_bytes,
                      struct error *err) MUSTCHECK;
static inline struct story_place story_place_after(const struct story *story)
{
    return (struct story_place){
        .author = story->user_id, .created_at = story->created_at, .story = story->id};
}

/* Events out; inside db_write. The author's list leaves the cache with the commit. */
int story_emit_posted(struct story_call *call, struct db_tx *tx,
                      const struct story *story) MUSTCHECK;
int story_emit_deleted(struct story_room *room, struct db_tx *tx, const struct story *story,
                       struct slice correlation_id, struct error *err) MUSTCHECK;
/* After the commit, on a loop. */
void story_tell_viewed(struct story_room *room, const struct id *author,
                       const struct story_viewed *viewed);

/* Consumer and export; see kit/module.h. */
int story_forget_person(void *room, struct db_tx *tx, const struct event *event, struct error *err);
int story_export(void *room, struct db_tx *tx, const struct id *user, export_fn *fn, void *arg,
                 struct error *err);
int story_clean_job(void *room, struct error *err);

#endif
