/* The story room with the rooms that it asks: social, user. */
#ifndef PARLEY_TESTS_STORY_RIG_H
#define PARLEY_TESTS_STORY_RIG_H

#include "rig.h"
#include "service/story/story_room.h"

void rig_open(struct rig *rig, const char *const *settings);
struct story_room *rig_room(struct rig *rig);
void rig_follow(struct rig *rig, const struct id *who, const struct id *whom);
/* As that person; the rig is clear. */
struct story_call *rig_as(struct rig *rig, const struct id *user);
struct story rig_post(struct rig *rig, const struct id *user, const char *text);
/* How many the viewer sees in the bar, or of the author. */
size_t rig_bar(struct rig *rig, const struct id *viewer);
size_t rig_list(struct rig *rig, const struct id *viewer, const struct id *author);

#endif
