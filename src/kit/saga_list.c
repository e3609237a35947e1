/* Sagas as the admin page reads them: a page with the steps of each, in one statement. */
#include "kit/saga.h"

enum { STEPS_MAX = 16 }; /* of one saga */

#define PAGE                                                                                       \
    "SELECT s.id, s.kind, s.subject_id, s.state, s.error, s.started_at, s.deadline_at, "           \
    "s.ended_at, t.name, t.at FROM (SELECT * FROM saga WHERE "
#define STEPS                                                                                      \
    "(?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3) s "                                        \
    "LEFT JOIN saga_step t ON t.saga_id = s.id ORDER BY s.id DESC, t.number"
static const struct db_sql sql_page_of_state = {PAGE "state = ?1 AND " STEPS};
static const struct db_sql sql_page = {PAGE "?1 IS NULL AND " STEPS};

static const struct schema_field step_fields[] = {
    {"name", NULL, SCHEMA_STRING, SCHEMA_AT(struct saga_step_view, name)},
    {"at", NULL, SCHEMA_TIME, SCHEMA_AT(struct saga_step_view, at)},
};
static SCHEMA_DEF(step_schema, struct saga_step_view, "SagaStep", "What was done, and when.",
                  step_fields);

static const struct schema_field fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_AT(struct saga_view, id)},
    {"kind", "Such as registration.", SCHEMA_STRING, SCHEMA_AT(struct saga_view, kind)},
    {"subject_id", "Whom or what it is about: for registration the user.", SCHEMA_ID,
     SCHEMA_AT(struct saga_view, subject)},
    {"state", "compensated: it was given up, and what had been done is undone.", SCHEMA_ENUM,
     SCHEMA_AT(struct saga_view, state), .names = saga_state_names},
    {"step", "The last one.", SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct saga_view, step)},
    {"steps", "In their order.", SCHEMA_LIST, SCHEMA_AT(struct saga_view, steps),
     .of = &step_schema},
    {"error", "Why it was given up.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct saga_view, error)},
    {"started_at", NULL, SCHEMA_TIME, SCHEMA_AT(struct saga_view, started_at)},
    {"deadline_at", "It is given up when it still runs by then.", SCHEMA_TIME,
     SCHEMA_AT(struct saga_view, deadline_at)},
    {"ended_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct saga_view, ended_at)},
};
SCHEMA_DEF(saga_schema, struct saga_view, "Saga",
           "Something that several rooms do together, and that ends complete or undone.", fields);

static int take_saga(const struct db_rows *rows, struct arena *arena, struct saga_view *saga,
                     struct error *err)
{
    *saga = (struct saga_view){
        .id = db_col_id(rows, 0),
        .kind = db_col_copy(rows, 1, arena),
        .subject = db_col_id(rows, 2),
        .state = (int)db_col_int(rows, 3),
        .error = db_col_copy(rows, 4, arena),
        .started_at = db_col_int(rows, 5),
        .deadline_at = db_col_int(rows, 6),
        .ended_at = db_col_int(rows, 7),
        .steps = {arena_array(arena, STEPS_MAX, sizeof(struct saga_step_view)), 0}};
    if (saga->kind.ptr == NULL || saga->steps.items == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
    return 0;
}

static void take_step(const struct db_rows *rows, struct arena *arena, struct saga_view *saga)
{
    struct saga_step_view *steps = saga->steps.items;
    if (db_col_null(rows, 8) || should_not(saga->steps.count == STEPS_MAX))
        return;
    saga->step = db_col_copy(rows, 8, arena);
    steps[saga->steps.count++] = (struct saga_step_view){saga->step, db_col_int(rows, 9)};
}

int saga_list(struct db_tx *tx, int state, const struct id *before, unsigned limit,
              struct arena *arena, struct saga_view **ret_sagas, size_t *ret_count,
              struct error *err)
{
    struct saga_view *list = arena_array(arena, limit, sizeof *list);
    struct db_rows rows;
    size_t count = 0;
    if (list == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
    int rc = db_query(tx, state >= 0 ? &sql_page_of_state : &sql_page, &rows, err,
                      state >= 0 ? db_int(state) : db_null(), db_id(before), db_int(limit));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct id id = db_col_id(&rows, 0);
        if (count == 0 || !id_eq(&list[count - 1].id, &id)) {
            rc = take_saga(&rows, arena, &list[count], err);
            if (rc < 0) {
                db_rows_close(&rows);
                return rc;
            }
            count++;
        }
        take_step(&rows, arena, &list[count - 1]);
    }
    if (rc < 0)
        return rc;
    *ret_sagas = list;
    *ret_count = count;
    return 0;
}
