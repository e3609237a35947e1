/* The story room with the rooms that it asks (social, user) on a real database in the test's
 * folder, under a clock that stands still. Everything blocks; what is not kept (story.viewed) is
 * counted here instead of being sent. */
#ifndef PARLEY_TESTS_STORY_RIG_H
#define PARLEY_TESTS_STORY_RIG_H

#include "harness.h"
#include "service/social/social.h"
#include "service/story/story_room.h"
#include "service/user/user.h"

#define NOW INT64_C(1795000000000)
#define HOUR INT64_C(3600000)

struct story_rig {
    struct clock_fake clock;
    struct config *config;
    struct db *db, *search_db;
    struct event_log *log;
    struct kit kit;
    struct kit_database databases[1];
    void *states[3];
    struct story_room *room;
    struct social_room *social;
    struct arena arena;
    struct error err;
    struct story_call call;
    unsigned told; /* ephemeral events */
};

void rig_open(struct story_rig *rig, const char *const *settings);
void rig_close(struct story_rig *rig);

struct id rig_person(struct story_rig *rig);
void rig_delete_person(struct story_rig *rig, const struct id *user);
void rig_follow(struct story_rig *rig, const struct id *who, const struct id *whom);
/* As that person; the error record and the arena are empty. */
struct story_call *rig_as(struct story_rig *rig, const struct id *user);
struct story rig_post(struct story_rig *rig, const struct id *user, const char *text);
/* How many the viewer sees in the bar, or of the author. */
size_t rig_bar(struct story_rig *rig, const struct id *viewer);
size_t rig_list(struct story_rig *rig, const struct id *viewer, const struct id *author);
int64_t rig_number(struct story_rig *rig, const struct db_sql *sql); /* a single value */

#define CHECK_CODE(rig, rc, want_kind, want_code)                                                  \
    do {                                                                                           \
        int code_rc_ = (rc);                                                                       \
        CHECK_INT(code_rc_, want_kind);                                                            \
        CHECK_STR(slice_str((rig)->err.code), want_code);                                          \
    } while (0)

#endif
