/* The calendar room with the rooms that it asks: social, user. */
#ifndef PARLEY_TESTS_CALENDAR_RIG_H
#define PARLEY_TESTS_CALENDAR_RIG_H

#include "rig.h"
#include "service/calendar/calendar_room.h"

void rig_open(struct rig *rig, const char *const *settings);
void rig_block(struct rig *rig, const struct id *who, const struct id *whom);
/* As that person; the rig is clear. */
struct calendar_call *rig_as(struct rig *rig, const struct id *user);
/* In Berlin, from 48 hours from now on, for two hours. */
struct gathering rig_gathering(struct rig *rig, const struct id *host, int64_t capacity);
struct gathering rig_get(struct rig *rig, const struct id *user, const struct id *id);
struct calendar_rsvp rig_answer(struct rig *rig, const struct id *user, const struct id *id,
                                enum calendar_answer answer);
void rig_capacity(struct rig *rig, const struct id *host, const struct id *id, int64_t capacity);
void rig_start_at(struct rig *rig, const struct id *host, const struct id *id, int64_t starts_at);

#endif
