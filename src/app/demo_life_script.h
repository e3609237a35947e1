/* What the demo's people publish: data only. People are indexes into demo_people. */
#ifndef PARLEY_APP_DEMO_LIFE_SCRIPT_H
#define PARLEY_APP_DEMO_LIFE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

enum { DEMO_COMMENTS_MAX = 6, DEMO_ANSWERS_MAX = 12 };

struct demo_profile {
    int who;
    const char *bio;
    bool is_private;
};
extern const struct demo_profile demo_profiles[];
extern const size_t demo_profile_count;

struct demo_comment {
    int who;
    int minutes; /* after the post; 0: there is no such comment, and none after it */
    int answers; /* which of the post's comments, from 1; 0: the post */
    const char *text;
};
struct demo_post {
    int author;
    double hours_ago;
    int visibility; /* enum social_visibility */
    int warmth;     /* of ten people who may see it, how many like it */
    const char *text;
    struct demo_comment comments[DEMO_COMMENTS_MAX];
};
extern const struct demo_post demo_posts[];
extern const size_t demo_post_count;

struct demo_story {
    int author;
    double hours_ago;
    const char *text;
};
extern const struct demo_story demo_stories[];
extern const size_t demo_story_count;

struct demo_answer {
    int who, answer; /* enum calendar_answer */
};
struct demo_event {
    int host;
    int weekday;             /* the next one, 0: Sunday */
    const char *begin, *end; /* "18:30", on that day, in time_zone */
    const char *time_zone;
    int capacity; /* 0: as many as come */
    const char *title, *description, *place, *link;
    struct demo_answer answers[DEMO_ANSWERS_MAX];
    size_t answer_count;
};
extern const struct demo_event demo_events[];
extern const size_t demo_event_count;

struct demo_signal {
    int author;
    double hours_ago;
    int side, status; /* enum signal_side, enum signal_status that it ends in */
    const char *symbol, *entry, *stop, *target, *note, *reason;
};
extern const struct demo_signal demo_signals[];
extern const size_t demo_signal_count;

#endif
