#include "service/social/social_store.h"

#include "engine/db_one.h"

#define REPORT                                                                                     \
    "SELECT id, reporter_id, subject_kind, subject_id, reason, text, status, note, handled_by,"    \
    " handled_at, created_at FROM report "

static int read_report(const struct db_rows *rows, struct arena *arena, struct social_report *ret,
                       struct error *err)
{
    *ret = (struct social_report){
        .id = db_col_id(rows, 0),
        .reporter_id = db_col_id(rows, 1),
        .subject_kind = (int)db_col_int(rows, 2),
        .subject_id = db_col_id(rows, 3),
        .reason = (int)db_col_int(rows, 4),
        .text = db_col_copy(rows, 5, arena),
        .status = (int)db_col_int(rows, 6),
        .note = db_col_copy(rows, 7, arena),
        .handled_by = db_col_id(rows, 8),
        .handled_at = db_col_int(rows, 9),
        .created_at = db_col_int(rows, 10),
    };
    if ((ret->text.ptr == NULL && !db_col_null(rows, 5)) ||
        (ret->note.ptr == NULL && !db_col_null(rows, 7)))
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The reports do not fit.");
    return 0;
}

static const struct db_sql sql_add = {
    "INSERT INTO report (id, reporter_id, subject_kind, subject_id, reason, text, status,"
    " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};

int social_store_add_report(struct db_tx *tx, const struct social_report *r, struct error *err)
{
    return db_exec(tx, &sql_add, err, db_id(&r->id), db_id(&r->reporter_id),
                   db_int(r->subject_kind), db_id(&r->subject_id), db_int(r->reason),
                   db_text(r->text), db_int(r->status), db_int(r->created_at));
}

static const struct db_sql sql_get = {REPORT "WHERE id = ?1"};

int social_store_get_report(struct db_tx *tx, const struct id *id, struct arena *arena,
                            struct social_report *ret, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(id));
    *ret_found = rc > 0;
    if (rc > 0) {
        rc = read_report(&rows, arena, ret, err);
        db_rows_close(&rows);
    }
    return rc;
}

static const struct db_sql sql_set = {
    "UPDATE report SET status = ?2, note = ?3, handled_by = ?4, handled_at = ?5 WHERE id = ?1"};

int social_store_set_report(struct db_tx *tx, const struct social_report *r, struct error *err)
{
    return db_exec(tx, &sql_set, err, db_id(&r->id), db_int(r->status), db_text(r->note),
                   db_id(&r->handled_by), db_int(r->handled_at));
}

/* Counted only as far as it matters. */
static const struct db_sql sql_open = {
    "SELECT count(*) FROM (SELECT 1 FROM report WHERE reporter_id = ?1 AND status = 0 LIMIT ?2)"};

int social_store_open_reports(struct db_tx *tx, const struct id *reporter, int64_t most,
                              int64_t *ret_count, struct error *err)
{
    return db_one_int(tx, &sql_open, ret_count, err, db_id(reporter), db_int(most));
}

/* Ids grow with time: the index of a status is in order of them. */
static const struct db_sql sql_list_all = {REPORT "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"};
static const struct db_sql sql_list_status = {
    REPORT "WHERE id < ?1 AND status = ?3 ORDER BY id DESC LIMIT ?2"};

int social_store_list_reports(struct db_tx *tx, int status, const struct id *before, size_t limit,
                              struct arena *arena, struct social_report *ret_items,
                              size_t *ret_count, struct error *err)
{
    struct id from;
    struct db_rows rows;
    size_t count = 0;
    memset(from.bytes, 0xff, sizeof from.bytes);
    if (!id_is_nil(before))
        from = *before;
    int rc = status < 0
                 ? db_query(tx, &sql_list_all, &rows, err, db_id(&from), db_int((int64_t)limit))
                 : db_query(tx, &sql_list_status, &rows, err, db_id(&from), db_int((int64_t)limit),
                            db_int(status));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        rc = read_report(&rows, arena, &ret_items[count++], err);
        if (rc < 0)
            db_rows_close(&rows);
    }
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_forget = {
    "UPDATE report SET reporter_id = NULL, text = NULL WHERE id IN"
    " (SELECT id FROM report WHERE reporter_id = ?1 LIMIT ?2)"};

int social_store_forget_reporter(struct db_tx *tx, const struct id *reporter, size_t limit,
                                 size_t *ret_count, struct error *err)
{
    int rc = db_exec(tx, &sql_forget, err, db_id(reporter), db_int((int64_t)limit));
    *ret_count = rc == 0 ? (size_t)db_changes(tx) : 0;
    return rc;
}

static const struct db_sql sql_of = {REPORT "WHERE reporter_id = ?1 ORDER BY id"};

int social_store_reports_of(struct db_tx *tx, const struct id *reporter, struct arena *arena,
                            social_report_fn *fn, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_of, &rows, err, db_id(reporter));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        struct social_report report;
        arena_reset(arena);
        rc = read_report(&rows, arena, &report, err);
        if (rc == 0)
            rc = fn(&report, arg, err);
        if (rc < 0)
            db_rows_close(&rows);
    }
    return rc;
}
