/* The calendar room with the rooms that it asks (social, user) on a real database in the test's
 * folder, under a clock that stands still. Everything blocks; what is not kept (event.changed) is
 * counted here instead of being sent. */
#ifndef PARLEY_TESTS_CALENDAR_RIG_H
#define PARLEY_TESTS_CALENDAR_RIG_H

#include "harness.h"
#include "service/calendar/calendar_room.h"
#include "service/social/social.h"
#include "service/user/user.h"

#define NOW INT64_C(1795000000000) /* 2026-11-18T11:06:40Z */
#define HOUR INT64_C(3600000)

struct calendar_rig {
    struct clock_fake clock;
    struct config *config;
    struct db *db, *search_db;
    struct event_log *log;
    struct kit kit;
    struct kit_database databases[1];
    void *states[3];
    struct calendar_room *room;
    struct arena arena;
    struct error err;
    struct calendar_call call;
    unsigned told; /* ephemeral events */
};

/* settings: "key=value", NULL-terminated; may be NULL. */
void rig_open(struct calendar_rig *rig, const char *const *settings);
void rig_close(struct calendar_rig *rig);
void rig_reopen(struct calendar_rig *rig); /* as after a restart */

struct id rig_person(struct calendar_rig *rig);
void rig_delete_person(struct calendar_rig *rig, const struct id *user);
void rig_block(struct calendar_rig *rig, const struct id *who, const struct id *whom);
/* As that person; the error record and the arena are empty. */
struct calendar_call *rig_as(struct calendar_rig *rig, const struct id *user);
/* In Berlin, from NOW + 48 h on for two hours. */
struct gathering rig_gathering(struct calendar_rig *rig, const struct id *host, int64_t capacity);
struct gathering rig_get(struct calendar_rig *rig, const struct id *user, const struct id *id);
struct calendar_rsvp rig_answer(struct calendar_rig *rig, const struct id *user,
                                const struct id *id, enum calendar_answer answer);
void rig_capacity(struct calendar_rig *rig, const struct id *host, const struct id *id,
                  int64_t capacity);
void rig_start_at(struct calendar_rig *rig, const struct id *host, const struct id *id,
                  int64_t starts_at);
unsigned rig_count_events(struct calendar_rig *rig, const struct event_type *type,
                          const struct id *stream);                     /* stream NULL: any */
int64_t rig_number(struct calendar_rig *rig, const struct db_sql *sql); /* a single value */

#define CHECK_CODE(rig, rc, want_kind, want_code)                                                  \
    do {                                                                                           \
        int code_rc_ = (rc);                                                                       \
        CHECK_INT(code_rc_, want_kind);                                                            \
        CHECK_STR(slice_str((rig)->err.code), want_code);                                          \
    } while (0)

#endif
