/* Reminders to come, and the secret addresses of calendars. */
#include "service/calendar/calendar_store.h"

#include "engine/db_one.h"

static const struct db_sql sql_add = {
    "INSERT INTO reminder (due_at, gathering_id, before_ms) VALUES (?1, ?2, ?3)"};
static const struct db_sql sql_clear = {"DELETE FROM reminder WHERE gathering_id = ?1"};
static const struct db_sql sql_next = {
    "SELECT due_at, gathering_id, before_ms, after_user FROM reminder WHERE due_at <= ?1"
    " ORDER BY due_at, gathering_id, before_ms LIMIT 1"};
static const struct db_sql sql_progress = {
    "UPDATE reminder SET after_user = ?4 WHERE due_at = ?1 AND gathering_id = ?2 AND before_ms = "
    "?3"};
static const struct db_sql sql_end = {
    "DELETE FROM reminder WHERE due_at = ?1 AND gathering_id = ?2 AND before_ms = ?3"};

int reminder_store_add(struct db_tx *tx, const struct id *gathering, int64_t due_at,
                       int64_t before_ms, struct error *err)
{
    return db_exec(tx, &sql_add, err, db_int(due_at), db_id(gathering), db_int(before_ms));
}

int reminder_store_clear(struct db_tx *tx, const struct id *gathering, struct error *err)
{
    return db_exec(tx, &sql_clear, err, db_id(gathering));
}

int reminder_store_next(struct db_tx *tx, int64_t now_ms, struct reminder_row *ret_row,
                        bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_next, &rows, err, db_int(now_ms));
    *ret_found = rc > 0;
    if (rc <= 0)
        return rc;
    *ret_row = (struct reminder_row){.due_at = db_col_int(&rows, 0),
                                     .gathering_id = db_col_id(&rows, 1),
                                     .before_ms = db_col_int(&rows, 2),
                                     .after_user = db_col_id(&rows, 3)};
    db_rows_close(&rows);
    return 0;
}

int reminder_store_progress(struct db_tx *tx, const struct reminder_row *row, struct error *err)
{
    return db_exec(tx, &sql_progress, err, db_int(row->due_at), db_id(&row->gathering_id),
                   db_int(row->before_ms), db_id(&row->after_user));
}

int reminder_store_end(struct db_tx *tx, const struct reminder_row *row, struct error *err)
{
    return db_exec(tx, &sql_end, err, db_int(row->due_at), db_id(&row->gathering_id),
                   db_int(row->before_ms));
}

/* --- links -------------------------------------------------------------------------------------
 */

static struct db_value hash_value(const uint8_t hash[32])
{
    return db_blob(slice_of((const char *)hash, 32));
}

static const struct db_sql sql_link_put = {
    "INSERT INTO calendar_link (user_id, token_hash, created_at) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash,"
    " created_at = excluded.created_at"};
static const struct db_sql sql_link_find = {
    "SELECT user_id FROM calendar_link WHERE token_hash = ?1"};
static const struct db_sql sql_link_get = {
    "SELECT created_at FROM calendar_link WHERE user_id = ?1"};
static const struct db_sql sql_link_remove = {"DELETE FROM calendar_link WHERE user_id = ?1"};

int link_store_put(struct db_tx *tx, const struct id *user, const uint8_t hash[32], int64_t now_ms,
                   struct error *err)
{
    return db_exec(tx, &sql_link_put, err, db_id(user), hash_value(hash), db_int(now_ms));
}

int link_store_find(struct db_tx *tx, const uint8_t hash[32], struct id *ret_user, bool *ret_found,
                    struct error *err)
{
    int rc = db_one_id(tx, &sql_link_find, ret_user, err, hash_value(hash));
    *ret_found = rc == 0 && !id_is_nil(ret_user);
    return rc;
}

int link_store_get(struct db_tx *tx, const struct id *user, int64_t *ret_created_at,
                   bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_link_get, &rows, err, db_id(user));
    *ret_found = rc > 0;
    if (rc <= 0)
        return rc;
    *ret_created_at = db_col_int(&rows, 0);
    db_rows_close(&rows);
    return 0;
}

int link_store_remove(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_link_remove, err, db_id(user));
}
