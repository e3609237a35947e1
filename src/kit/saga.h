/* Sagas (B05): something that several rooms do together, each in a transaction of its own, and that
 * ends either complete or undone.
 *
 * Nobody conducts: each room hears an event, does its part and says so by another event; this is
 * only the record that they share, written in the same transactions, so that it is never ahead of
 * what was done nor behind it. It answers three questions: whether a saga still goes on (a part
 * that comes late is not done any more), whether it is complete, and what is overdue. The admin
 * page lists it.
 *
 * Every function but the schema's runs inside db_write (saga_list and saga_overdue: db_read) on the
 * database of the rooms that take part, and is idempotent: an event that comes again changes
 * nothing. Fault points for tests: "saga.<step>" before the commit of a step, and
 * "saga.<step>.committed" after it.
 */
#ifndef PARLEY_KIT_SAGA_H
#define PARLEY_KIT_SAGA_H

#include "base/schema.h"
#include "engine/db.h"

enum saga_state { SAGA_RUNNING, SAGA_COMPLETED, SAGA_COMPENSATED };
extern const char *const saga_state_names[]; /* "running" "completed" "compensated" NULL */

/* A kind of saga, as a constant in the contract of the room that begins it. */
struct saga_kind {
    const char *name;         /* "registration" */
    const char *const *parts; /* steps that make it complete, in any order; NULL-terminated */
};

/* How a saga stands for a room that is about to do its part. */
enum saga_standing {
    SAGA_UNKNOWN,  /* there is none: nobody waits for the part, it is done all the same */
    SAGA_GOES_ON,  /* the step is recorded */
    SAGA_HAS_ENDED /* whoever comes now comes too late */
};

/* At most one of a kind and subject. `step` is the first one, done in this transaction. */
int saga_begin(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
               const char *step, int64_t timeout_ms, struct error *err) MUSTCHECK;
/* Inside db_read too. */
int saga_stands(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                enum saga_standing *ret_standing, struct error *err) MUSTCHECK;
/* Records a step while the saga goes on. */
int saga_step(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
              const char *step, enum saga_standing *ret_standing, struct error *err) MUSTCHECK;
/* Records what a room has undone of a compensated saga. */
int saga_undone(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                const char *step, struct error *err) MUSTCHECK;
/* RUNNING -> COMPLETED, when every part is there; *ret_ended false: nothing has changed. */
int saga_complete(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                  const char *step, bool *ret_ended, struct error *err) MUSTCHECK;
/* RUNNING -> COMPENSATED; `why` is for people. */
int saga_compensate(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                    const char *step, struct slice why, bool *ret_ended,
                    struct error *err) MUSTCHECK;
/* Subjects whose deadline has passed, the oldest first, at most max. */
int saga_overdue(struct db_tx *tx, const struct saga_kind *kind, unsigned max,
                 struct id *ret_subjects, unsigned *ret_count, struct error *err) MUSTCHECK;
/* Forgets those that ended before, at most max; *ret_count is how many. */
int saga_sweep(struct db_tx *tx, int64_t before_ms, unsigned max, int64_t *ret_count,
               struct error *err) MUSTCHECK;

/* --- for the admin page ------------------------------------------------------------------------
 */
struct saga_step_view {
    struct slice name;
    int64_t at;
};
struct saga_view {
    struct id id, subject;
    struct slice kind;
    int state;
    struct slice step;        /* the last one */
    struct schema_list steps; /* struct saga_step_view, in their order */
    struct slice error;       /* why it was undone; may be absent */
    int64_t started_at, deadline_at, ended_at;
};
extern const struct schema saga_schema;
/* Newest first, those with an id below `before` (nil: from the newest); state -1: any. Array in the
 * arena, at most limit. */
int saga_list(struct db_tx *tx, int state, const struct id *before, unsigned limit,
              struct arena *arena, struct saga_view **ret_sagas, size_t *ret_count,
              struct error *err) MUSTCHECK;

#endif
