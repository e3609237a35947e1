/* The social room alone on a real database in the test's folder: people come and go by the events
 * that the test makes. Everything blocks. */
#ifndef PARLEY_TESTS_SOCIAL_RIG_H
#define PARLEY_TESTS_SOCIAL_RIG_H

#include "harness.h"
#include "service/social/social_room.h"

#define NOW INT64_C(1795000000000)

struct social_rig {
    struct clock_fake clock;
    struct config *config;
    struct db *db;
    struct event_log *log;
    struct kit kit;
    struct social_room *room;
    struct error err;
    struct social_call call;
};

/* settings: "key=value", NULL-terminated; may be NULL. */
void rig_open(struct social_rig *rig, const char *const *settings);
void rig_close(struct social_rig *rig);
/* As after a restart: memory is gone, the files are not. */
void rig_reopen(struct social_rig *rig);

struct id rig_person(struct social_rig *rig);
void rig_private(struct social_rig *rig, const struct id *user, bool is_private);
void rig_active(struct social_rig *rig, const struct id *user, bool is_active);
void rig_delete(struct social_rig *rig, const struct id *user);
void rig_duties(struct social_rig *rig); /* the job, once */

/* As that person; the error record is clean. */
struct social_call *rig_as(struct social_rig *rig, const struct id *user);
struct social_relationship rig_relation(struct social_rig *rig, const struct id *viewer,
                                        const struct id *other);
bool rig_blocked(struct social_rig *rig, const struct id *a, const struct id *b);
/* A page of a list as text of how many and whether there is more; ids in ret_ids. */
size_t rig_list(struct social_rig *rig, enum social_list list, const struct id *viewer,
                const struct id *person, int64_t limit, struct cursor *cursor, struct id *ret_ids,
                bool *ret_more);
unsigned rig_count_events(struct social_rig *rig, const struct event_type *type,
                          const struct id *stream);
int64_t rig_number(struct social_rig *rig, const char *sql); /* a single value */

#define CHECK_CODE(rig, rc, want_kind, want_code)                                                  \
    do {                                                                                           \
        int code_rc_ = (rc);                                                                       \
        CHECK_INT(code_rc_, want_kind);                                                            \
        CHECK_STR(slice_str((rig)->err.code), want_code);                                          \
    } while (0)

#endif
