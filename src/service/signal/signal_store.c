#include "service/signal/signal_store.h"

#define COLUMNS                                                                                    \
    "signal_id, user_id, symbol, side, entry_price, stop_loss, take_profit, note, status, reason," \
    " decided_by, decided_at, created_at, updated_at"

static int read_signal(const struct db_rows *rows, struct arena *arena,
                       struct trade_signal *ret_signal, struct error *err)
{
    *ret_signal = (struct trade_signal){
        .id = db_col_id(rows, 0),
        .user_id = db_col_id(rows, 1),
        .symbol = db_col_copy(rows, 2, arena),
        .side = (int)db_col_int(rows, 3),
        .entry_price = db_col_copy(rows, 4, arena),
        .stop_loss = db_col_copy(rows, 5, arena),
        .take_profit = db_col_copy(rows, 6, arena),
        .note = db_col_copy(rows, 7, arena),
        .status = (int)db_col_int(rows, 8),
        .reason = db_col_copy(rows, 9, arena),
        .decided_by = db_col_id(rows, 10),
        .decided_at = db_col_int(rows, 11),
        .created_at = db_col_int(rows, 12),
        .updated_at = db_col_int(rows, 13),
    };
    const struct slice texts[] = {ret_signal->symbol,    ret_signal->entry_price,
                                  ret_signal->stop_loss, ret_signal->take_profit,
                                  ret_signal->note,      ret_signal->reason};
    static const int columns[] = {2, 4, 5, 6, 7, 9};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].ptr == NULL && !db_col_null(rows, columns[i]))
            return error_set(err, FAIL_TOO_LARGE, "too_large", "Too many signals at once.");
    return 0;
}

static int read_all(struct db_rows *rows, struct arena *arena, struct trade_signal *ret_signals,
                    size_t *ret_count, struct error *err)
{
    size_t count = 0;
    int rc;
    while ((rc = db_next(rows, err)) > 0) {
        rc = read_signal(rows, arena, &ret_signals[count++], err);
        if (rc < 0) {
            db_rows_close(rows);
            return rc;
        }
    }
    *ret_count = count;
    return rc;
}

/* --- one signal --------------------------------------------------------------------------------
 */

static const struct db_sql sql_get = {"SELECT " COLUMNS " FROM trade_signal WHERE signal_id = ?1"};

int signal_store_get(struct db_tx *tx, const struct id *signal, struct arena *arena,
                     struct trade_signal *ret_signal, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_get, &rows, err, db_id(signal));
    if (rc == 0)
        rc = read_all(&rows, arena, ret_signal, &count, err);
    *ret_found = count > 0;
    return rc;
}

static const struct db_sql sql_insert = {
    "INSERT INTO trade_signal (" COLUMNS ") VALUES"
    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"};

int signal_store_insert(struct db_tx *tx, const struct trade_signal *s, struct error *err)
{
    return db_exec(tx, &sql_insert, err, db_id(&s->id), db_id(&s->user_id), db_text(s->symbol),
                   db_int(s->side), db_text(s->entry_price), db_text(s->stop_loss),
                   db_text(s->take_profit), db_text(s->note), db_int(s->status), db_text(s->reason),
                   db_id(&s->decided_by), db_int(s->decided_at), db_int(s->created_at),
                   db_int(s->updated_at));
}

static const struct db_sql sql_update = {
    "UPDATE trade_signal SET symbol = ?2, side = ?3, entry_price = ?4, stop_loss = ?5,"
    " take_profit = ?6, note = ?7, status = ?8, reason = ?9, decided_by = ?10, decided_at = ?11,"
    " updated_at = ?12 WHERE signal_id = ?1"};

int signal_store_update(struct db_tx *tx, const struct trade_signal *s, struct error *err)
{
    return db_exec(tx, &sql_update, err, db_id(&s->id), db_text(s->symbol), db_int(s->side),
                   db_text(s->entry_price), db_text(s->stop_loss), db_text(s->take_profit),
                   db_text(s->note), db_int(s->status), db_text(s->reason), db_id(&s->decided_by),
                   db_int(s->decided_at), db_int(s->updated_at));
}

static const struct db_sql sql_delete = {"DELETE FROM trade_signal WHERE signal_id = ?1"};
static const struct db_sql sql_delete_history = {
    "DELETE FROM trade_signal_history WHERE signal_id = ?1"};

int signal_store_delete(struct db_tx *tx, const struct id *signal, struct error *err)
{
    int rc = db_exec(tx, &sql_delete, err, db_id(signal));
    return rc == 0 ? db_exec(tx, &sql_delete_history, err, db_id(signal)) : rc;
}

/* --- lists -------------------------------------------------------------------------------------
 */

#define BEFORE(key) "(" key ", signal_id) < (?1, ?2) ORDER BY " key " DESC, signal_id DESC LIMIT ?3"
#define FROM_SIGNALS "SELECT " COLUMNS " FROM trade_signal WHERE "
/* The planner would take the index by status and sort the whole board for each page. */
#define FROM_BOARD                                                                                 \
    "SELECT " COLUMNS " FROM trade_signal INDEXED BY trade_signal_approved WHERE status = 1 AND "
static const struct db_sql sql_list[] = {
    [SIGNAL_LIST_OWN] = {FROM_SIGNALS "user_id = ?4 AND " BEFORE("created_at")},
    [SIGNAL_LIST_ALL] = {FROM_SIGNALS BEFORE("created_at")},
    [SIGNAL_LIST_STATUS] = {FROM_SIGNALS "status = ?4 AND " BEFORE("created_at")},
    [SIGNAL_LIST_APPROVED] = {FROM_BOARD BEFORE("decided_at")},
};
_Static_assert(SIGNAL_APPROVED == 1, "the index trade_signal_approved says so");

int signal_store_list(struct db_tx *tx, const struct signal_span *span, struct arena *arena,
                      struct trade_signal *ret_signals, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    const uint8_t *before = span->before.id.bytes;
    struct db_value args[] = {db_int(span->before.number),
                              db_blob(slice_of((const char *)before, sizeof(struct id))),
                              db_int((int64_t)span->max), db_null()};
    size_t count = 3;
    if (span->list == SIGNAL_LIST_OWN)
        args[count++] = db_id(&span->user);
    else if (span->list == SIGNAL_LIST_STATUS)
        args[count++] = db_int(span->status);
    int rc = db_query_n(tx, &sql_list[span->list], args, count, &rows, err);
    return rc == 0 ? read_all(&rows, arena, ret_signals, ret_count, err) : rc;
}

/* --- history -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_add_step = {
    "INSERT INTO trade_signal_history (signal_id, step, status, reason, by_user_id, at) VALUES (?1,"
    " (SELECT coalesce(max(step), 0) + 1 FROM trade_signal_history WHERE signal_id = ?1),"
    " ?2, ?3, ?4, ?5)"};

int signal_store_add_step(struct db_tx *tx, const struct trade_signal *signal, const struct id *by,
                          struct error *err)
{
    return db_exec(tx, &sql_add_step, err, db_id(&signal->id), db_int(signal->status),
                   db_text(signal->reason), db_id(by), db_int(signal->updated_at));
}

static const struct db_sql sql_history = {
    "SELECT step, status, reason, by_user_id, at FROM trade_signal_history"
    " WHERE signal_id = ?1 AND step > ?2 ORDER BY step LIMIT ?3"};

int signal_store_history(struct db_tx *tx, const struct id *signal, int64_t after, size_t max,
                         struct arena *arena, struct signal_step *ret_steps, size_t *ret_count,
                         struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc =
        db_query(tx, &sql_history, &rows, err, db_id(signal), db_int(after), db_int((int64_t)max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct signal_step *step = &ret_steps[count++];
        *step = (struct signal_step){.step = db_col_int(&rows, 0),
                                     .status = (int)db_col_int(&rows, 1),
                                     .reason = db_col_copy(&rows, 2, arena),
                                     .by_user_id = db_col_id(&rows, 3),
                                     .at = db_col_int(&rows, 4)};
        if (step->reason.ptr != NULL || db_col_null(&rows, 2))
            continue;
        db_rows_close(&rows);
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The history is too long.");
    }
    *ret_count = count;
    return rc;
}

/* --- a person who goes -------------------------------------------------------------------------
 */

static const struct db_sql sql_decided_by = {
    FROM_SIGNALS "decided_by = ?1 AND signal_id > ?2 ORDER BY signal_id LIMIT ?3"};
static const struct db_sql sql_anonymise = {
    "UPDATE trade_signal SET decided_by = NULL WHERE decided_by = ?1"};
static const struct db_sql sql_anonymise_history = {
    "UPDATE trade_signal_history SET by_user_id = NULL WHERE by_user_id = ?1"};

int signal_store_decided_by(struct db_tx *tx, const struct id *user, const struct id *after,
                            size_t max, struct arena *arena, struct trade_signal *ret_signals,
                            size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    struct slice from = slice_of((const char *)after->bytes, sizeof after->bytes);
    int rc =
        db_query(tx, &sql_decided_by, &rows, err, db_id(user), db_blob(from), db_int((int64_t)max));
    return rc == 0 ? read_all(&rows, arena, ret_signals, ret_count, err) : rc;
}

int signal_store_anonymise(struct db_tx *tx, const struct id *user, struct error *err)
{
    int rc = db_exec(tx, &sql_anonymise, err, db_id(user));
    return rc == 0 ? db_exec(tx, &sql_anonymise_history, err, db_id(user)) : rc;
}
