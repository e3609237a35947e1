/* Rooms that run without loops and sockets, for their unit tests: real databases in the test's
 * folder, the log, keys in memory, and a clock that stands still. Everything blocks; what happens
 * by itself in the server (consumers, jobs) happens here when the test says so.
 *
 * A room's own rig (calendar/calendar_rig.h is a typical one) lists the modules that its tests
 * need, and adds what its tests say again and again. Parts: rig.c opens and closes, rig_events.c
 * brings events to consumers and looks into the tables, rig_people.c makes people.
 */
#ifndef PARLEY_TESTS_RIG_H
#define PARLEY_TESTS_RIG_H

#include "harness.h"
#include "kit/module.h"
#include "service/social/social.h"

#define NOW INT64_C(1795000000000) /* 2026-11-18T11:06:40Z, where each test's clock begins */
#define MINUTE INT64_C(60000)
#define HOUR INT64_C(3600000)

enum { RIG_MODULES_MAX = 8, RIG_CONSUMERS_MAX = 16, RIG_NUMBERS_MAX = 64 };

struct rig {
    struct kit kit;
    struct clock_fake clock;
    void *room; /* the last module's state: by custom that of the room under test */
    struct arena arena;
    struct error err;
    unsigned told; /* events sent that are not kept (typing) */
    /* The rest is the rig's own. */
    struct config *config;
    size_t tail_events_max;
    struct kit_database databases[2];
    void *states[RIG_MODULES_MAX];
    uint64_t positions[RIG_CONSUMERS_MAX];  /* in the order of the modules */
    struct db_sql numbers[RIG_NUMBERS_MAX]; /* statements are found by their address */
};

/* --- rig.c: opening and closing --------------------------------------------------------------- */

/* modules: NULL-terminated, in the order of their start; those without `start` only lend their
 * events and calls. settings: "key=value", NULL-terminated; may be NULL. tail_events_max: as in
 * event_log_config. A failure fails the test. */
void rig_open_modules(struct rig *rig, const struct module *const *modules,
                      const char *const *settings, size_t tail_events_max);
void rig_close(struct rig *rig);
/* As after a restart: memory is gone, the files are not. */
void rig_reopen(struct rig *rig);
/* Its halves, for a rig that does something to the files between them. */
void rig_stop(struct rig *rig);
void rig_start(struct rig *rig);
/* The path of a file in the test's folder: "main.db", "search.db", "feed.db". */
void rig_path(const char *name, char ret_path[512]);
/* Forgets the last error and whatever filled the arena. */
void rig_clear(struct rig *rig);

/* --- rig_events.c: events, and what stands in the tables -------------------------------------- */

/* Writes an event of a room that is not here, and pumps. */
void rig_emit(struct rig *rig, const struct event_type *type, const struct id *stream,
              const void *data);
/* Brings all consumers to the head of the log, also over what they emit themselves. */
void rig_pump(struct rig *rig);
/* The next pump gives that consumer (NULL: each) the whole log again. */
void rig_rewind(struct rig *rig, const char *consumer);
/* How many events of the type stand in the log, on that stream (NULL: any). */
unsigned rig_count_events(struct rig *rig, const struct event_type *type, const struct id *stream);
/* The single value that the statement, a literal, gives in the main database, or in that of a
 * room's part ("post.feed"); -1 for no row. */
int64_t rig_number(struct rig *rig, const char *sql);
int64_t rig_number_in(struct rig *rig, const char *part, const char *sql);

/* --- rig_people.c: people, without the auth room ---------------------------------------------- */

struct id rig_person(struct rig *rig); /* called somehow */
struct id rig_person_named(struct rig *rig, const char *username);
void rig_delete_person(struct rig *rig, const struct id *user);
/* A rule of the social room (social_follow, social_block ...); its error is in rig->err. Consumers
 * hear of it with the next pump. */
int rig_relate(struct rig *rig, social_change_fn *change, const struct id *who,
               const struct id *whom);

/* The call fails like that; afterwards the rig is clear. */
#define CHECK_CODE(rig, rc, want_kind, want_code)                                                  \
    do {                                                                                           \
        int code_rc_ = (rc);                                                                       \
        CHECK_INT(code_rc_, want_kind);                                                            \
        CHECK_STR(slice_str((rig)->err.code), want_code);                                          \
        rig_clear(rig);                                                                            \
    } while (0)

#endif
