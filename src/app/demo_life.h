/* What the demo's people do beside their chats: follow, publish, like, comment, meet, trade. What
 * they say is data (demo_life_script.c); this plans when each thing is done and does it through the
 * rooms' own rules. */
#ifndef PARLEY_APP_DEMO_LIFE_H
#define PARLEY_APP_DEMO_LIFE_H

#include "base/id.h"
#include "kit/module.h"

struct demo_life; /* whose posts, comments, stories there are; made and freed by the caller */

struct demo_deed {
    int64_t at_ms;
    int kind;      /* of demo_life.c */
    size_t item;   /* which post, story, event, signal */
    size_t detail; /* which person, or which comment */
};

/* people: their ids, in the order of demo_people; lives as long as the life. */
struct demo_life *demo_life_new(struct kit *kit, const struct id *people, int64_t now_ms);
void demo_life_free(struct demo_life *life);
/* The deeds, in no order; *ret_count of them, to be freed. */
struct demo_deed *demo_life_plan(const struct demo_life *life, size_t *ret_count);
/* From a coroutine, with the clock at the deed's time; a deed that stands on another one (a like on
 * a post) comes after it. */
int demo_life_do(struct demo_life *life, const struct demo_deed *deed, struct error *err) MUSTCHECK;
/* For the last line that the demo prints. */
unsigned demo_life_posts(void);

#endif
