/* The record of a saga: begin, steps, end. Listing stands in saga_list.c. */
#include "kit/saga.h"

#include <stdio.h>

#include "base/fault.h"
#include "engine/db_one.h"
#include "kit/emit.h"

const char *const saga_state_names[] = {"running", "completed", "compensated", NULL};

static const struct db_sql sql_begin = {
    "INSERT INTO saga (id, kind, subject_id, state, started_at, deadline_at) "
    "VALUES (?1, ?2, ?3, 0, ?4, ?5) ON CONFLICT (subject_id, kind) DO NOTHING"};
static const struct db_sql sql_find = {
    "SELECT id, state FROM saga WHERE subject_id = ?1 AND kind = ?2"};
static const struct db_sql sql_step = {
    "INSERT INTO saga_step (saga_id, name, number, at) "
    "SELECT ?1, ?2, count(*) + 1, ?3 FROM saga_step WHERE saga_id = ?1 "
    "ON CONFLICT (saga_id, name) DO NOTHING"};
static const struct db_sql sql_has_step = {
    "SELECT 1 FROM saga_step WHERE saga_id = ?1 AND name = ?2"};
static const struct db_sql sql_end = {
    "UPDATE saga SET state = ?2, error = ?3, ended_at = ?4 WHERE id = ?1"};
static const struct db_sql sql_overdue = {
    "SELECT subject_id FROM saga INDEXED BY saga_deadline "
    "WHERE state = 0 AND deadline_at <= ?1 AND kind = ?2 ORDER BY deadline_at LIMIT ?3"};
static const struct db_sql sql_sweep_steps = {
    "DELETE FROM saga_step WHERE saga_id IN (SELECT id FROM saga INDEXED BY saga_ended "
    "WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)"};
static const struct db_sql sql_sweep = {
    "DELETE FROM saga WHERE id IN (SELECT id FROM saga INDEXED BY saga_ended "
    "WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)"};

/* --- fault points ------------------------------------------------------------------------------
 */

static void step_committed(void *step, const struct id *subject)
{
    char name[64];
    (void)subject;
    snprintf(name, sizeof name, "saga.%s.committed", (const char *)step);
    (void)fault(name);
}

static int pass_fault_points(struct db_tx *tx, const char *step, struct error *err)
{
    char name[64];
    if (!fault_any)
        return 0;
    snprintf(name, sizeof name, "saga.%s", step);
    if (fault(name))
        return error_set(err, FAIL_INTERNAL, "saga_fault", "The fault point %s was hit.", name);
    return kit_after_commit(tx, step_committed, (void *)step, &(struct id){{0}}, err);
}

/* --- the record --------------------------------------------------------------------------------
 */

struct found {
    struct id id; /* nil: there is none */
    int state;
};

static int find(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                struct found *ret_saga, struct error *err)
{
    struct db_rows rows;
    *ret_saga = (struct found){0};
    int rc = db_one(tx, &sql_find, &rows, err, db_id(subject), db_text(slice_str(kind->name)));
    if (rc <= 0)
        return rc;
    ret_saga->id = db_col_id(&rows, 0);
    ret_saga->state = (int)db_col_int(&rows, 1);
    db_rows_close(&rows);
    return 0;
}

static int record(struct db_tx *tx, const struct id *saga, const char *step, struct error *err)
{
    int rc = db_exec(tx, &sql_step, err, db_id(saga), db_text(slice_str(step)),
                     db_int(clock_wall_ms(db_clock(tx))));
    return rc < 0 ? rc : pass_fault_points(tx, step, err);
}

int saga_begin(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
               const char *step, int64_t timeout_ms, struct error *err)
{
    int64_t now_ms = clock_wall_ms(db_clock(tx));
    struct id id = id_new(db_clock(tx));
    int rc = db_exec(tx, &sql_begin, err, db_id(&id), db_text(slice_str(kind->name)),
                     db_id(subject), db_int(now_ms), db_int(now_ms + timeout_ms));
    if (rc < 0 || db_changes(tx) == 0)
        return rc;
    return record(tx, &id, step, err);
}

static enum saga_standing standing_of(const struct found *saga)
{
    if (id_is_nil(&saga->id))
        return SAGA_UNKNOWN;
    return saga->state == SAGA_RUNNING ? SAGA_GOES_ON : SAGA_HAS_ENDED;
}

int saga_stands(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                enum saga_standing *ret_standing, struct error *err)
{
    struct found saga;
    int rc = find(tx, kind, subject, &saga, err);
    if (rc == 0)
        *ret_standing = standing_of(&saga);
    return rc;
}

int saga_step(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
              const char *step, enum saga_standing *ret_standing, struct error *err)
{
    struct found saga;
    int rc = find(tx, kind, subject, &saga, err);
    if (rc < 0)
        return rc;
    *ret_standing = standing_of(&saga);
    return *ret_standing == SAGA_GOES_ON ? record(tx, &saga.id, step, err) : 0;
}

int saga_undone(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                const char *step, struct error *err)
{
    struct found saga;
    int rc = find(tx, kind, subject, &saga, err);
    if (rc < 0 || id_is_nil(&saga.id) || saga.state == SAGA_COMPLETED)
        return rc;
    return record(tx, &saga.id, step, err);
}

static int has_parts(struct db_tx *tx, const struct saga_kind *kind, const struct id *saga,
                     bool *ret_all, struct error *err)
{
    int rc = 0;
    *ret_all = true;
    for (const char *const *part = kind->parts; rc == 0 && *part != NULL && *ret_all; part++)
        rc = db_one_exists(tx, &sql_has_step, ret_all, err, db_id(saga), db_text(slice_str(*part)));
    return rc;
}

static int end(struct db_tx *tx, const struct id *saga, enum saga_state state, const char *step,
               struct slice why, struct error *err)
{
    int rc = db_exec(tx, &sql_end, err, db_id(saga), db_int(state), db_text(why),
                     db_int(clock_wall_ms(db_clock(tx))));
    return rc < 0 ? rc : record(tx, saga, step, err);
}

int saga_complete(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                  const char *step, bool *ret_ended, struct error *err)
{
    struct found saga;
    *ret_ended = false;
    int rc = find(tx, kind, subject, &saga, err);
    if (rc < 0 || id_is_nil(&saga.id) || saga.state != SAGA_RUNNING)
        return rc;
    rc = has_parts(tx, kind, &saga.id, ret_ended, err);
    if (rc < 0 || !*ret_ended)
        return rc;
    return end(tx, &saga.id, SAGA_COMPLETED, step, (struct slice){0}, err);
}

int saga_compensate(struct db_tx *tx, const struct saga_kind *kind, const struct id *subject,
                    const char *step, struct slice why, bool *ret_ended, struct error *err)
{
    struct found saga;
    *ret_ended = false;
    int rc = find(tx, kind, subject, &saga, err);
    if (rc < 0 || id_is_nil(&saga.id) || saga.state != SAGA_RUNNING)
        return rc;
    *ret_ended = true;
    return end(tx, &saga.id, SAGA_COMPENSATED, step, why, err);
}

int saga_overdue(struct db_tx *tx, const struct saga_kind *kind, unsigned max,
                 struct id *ret_subjects, unsigned *ret_count, struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc = db_query(tx, &sql_overdue, &rows, err, db_int(clock_wall_ms(db_clock(tx))),
                      db_text(slice_str(kind->name)), db_int(max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_subjects[(*ret_count)++] = db_col_id(&rows, 0);
    return rc;
}

int saga_sweep(struct db_tx *tx, int64_t before_ms, unsigned max, int64_t *ret_count,
               struct error *err)
{
    int rc = db_exec(tx, &sql_sweep_steps, err, db_int(before_ms), db_int(max));
    if (rc == 0)
        rc = db_exec(tx, &sql_sweep, err, db_int(before_ms), db_int(max));
    if (rc == 0)
        *ret_count = db_changes(tx);
    return rc;
}
