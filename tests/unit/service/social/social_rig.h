/* The social room alone: it calls no other. */
#ifndef PARLEY_TESTS_SOCIAL_RIG_H
#define PARLEY_TESTS_SOCIAL_RIG_H

#include "rig.h"
#include "service/social/social_room.h"

void rig_open(struct rig *rig, const char *const *settings);
struct social_room *rig_room(struct rig *rig);

void rig_private(struct rig *rig, const struct id *user, bool is_private);
void rig_active(struct rig *rig, const struct id *user, bool is_active);
void rig_duties(struct rig *rig); /* the job, once */

/* As that person; the error record is clean. */
struct social_call *rig_as(struct rig *rig, const struct id *user);
struct social_relationship rig_relation(struct rig *rig, const struct id *viewer,
                                        const struct id *other);
bool rig_blocked(struct rig *rig, const struct id *a, const struct id *b);
/* A page of a list: how many, their ids in ret_ids, and whether there is more. */
size_t rig_list(struct rig *rig, enum social_list list, const struct id *viewer,
                const struct id *person, int64_t limit, struct cursor *cursor, struct id *ret_ids,
                bool *ret_more);

#endif
