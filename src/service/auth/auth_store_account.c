#include "service/auth/auth_store_account.h"

#include "engine/db_one.h"

static struct db_value hash_value(const uint8_t hash[32])
{
    return db_blob(slice_of((const char *)hash, 32));
}

/* --- codes -------------------------------------------------------------------------------------
 */

static const struct db_sql sql_put_code = {
    "INSERT OR REPLACE INTO auth_code (user_id, purpose, channel, code_hash, expires_at,"
    " tries_left) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
static const struct db_sql sql_get_code = {
    "SELECT channel, code_hash, expires_at, tries_left FROM auth_code"
    " WHERE user_id = ?1 AND purpose = ?2"};
static const struct db_sql sql_take_try = {
    "UPDATE auth_code SET tries_left = tries_left - 1 WHERE user_id = ?1 AND purpose = ?2"};
static const struct db_sql sql_delete_code = {
    "DELETE FROM auth_code WHERE user_id = ?1 AND purpose = ?2"};
static const struct db_sql sql_sweep_codes = {
    "DELETE FROM auth_code WHERE (user_id, purpose) IN"
    " (SELECT user_id, purpose FROM auth_code WHERE expires_at < ?1 LIMIT ?2)"};

int auth_store_put_code(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                        const struct auth_code_row *row, struct error *err)
{
    return db_exec(tx, &sql_put_code, err, db_id(user), db_int(purpose), db_int(row->channel),
                   hash_value(row->hash), db_int(row->expires_at), db_int(row->tries_left));
}

int auth_store_get_code(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                        struct auth_code_row *ret_row, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    *ret_found = false;
    int rc = db_one(tx, &sql_get_code, &rows, err, db_id(user), db_int(purpose));
    if (rc <= 0)
        return rc;
    struct slice hash = db_col_blob(&rows, 1);
    *ret_found = hash.len == sizeof ret_row->hash;
    *ret_row = (struct auth_code_row){.channel = (enum auth_channel)db_col_int(&rows, 0),
                                      .expires_at = db_col_int(&rows, 2),
                                      .tries_left = db_col_int(&rows, 3)};
    if (*ret_found)
        memcpy(ret_row->hash, hash.ptr, hash.len);
    db_rows_close(&rows);
    return 0;
}

int auth_store_take_try(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                        struct error *err)
{
    return db_exec(tx, &sql_take_try, err, db_id(user), db_int(purpose));
}

int auth_store_delete_code(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                           struct error *err)
{
    return db_exec(tx, &sql_delete_code, err, db_id(user), db_int(purpose));
}

int auth_store_sweep_codes(struct db_tx *tx, int64_t now_ms, unsigned max, int64_t *ret_count,
                           struct error *err)
{
    int rc = db_exec(tx, &sql_sweep_codes, err, db_int(now_ms), db_int(max));
    *ret_count = rc == 0 ? db_changes(tx) : 0;
    return rc;
}

/* --- letters -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_insert_letter = {
    "INSERT INTO auth_letter (id, kind, user_id, login_kind, login_key, due_at, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"};
static const struct db_sql sql_due_letter = {
    "SELECT id, kind, user_id, login_kind, login_key, attempts, created_at FROM auth_letter"
    " WHERE due_at <= ?1 ORDER BY due_at LIMIT 1"};
static const struct db_sql sql_delay_letter = {
    "UPDATE auth_letter SET attempts = attempts + 1, due_at = ?2 WHERE id = ?1"};
static const struct db_sql sql_delete_letter = {"DELETE FROM auth_letter WHERE id = ?1"};

int auth_store_insert_letter(struct db_tx *tx, const struct auth_letter *l, struct error *err)
{
    return db_exec(tx, &sql_insert_letter, err, db_id(&l->id), db_int(l->kind), db_id(&l->user),
                   db_int(l->login_kind), db_text(l->login_key), db_int(l->created_at));
}

int auth_store_due_letter(struct db_tx *tx, int64_t now_ms, struct arena *arena,
                          struct auth_letter *ret_letter, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    *ret_found = false;
    int rc = db_one(tx, &sql_due_letter, &rows, err, db_int(now_ms));
    if (rc <= 0)
        return rc;
    *ret_letter = (struct auth_letter){
        .id = db_col_id(&rows, 0),
        .kind = (enum auth_letter_kind)db_col_int(&rows, 1),
        .user = db_col_id(&rows, 2),
        .login_kind = (enum auth_login_kind)db_col_int(&rows, 3),
        .login_key = db_col_copy(&rows, 4, arena),
        .attempts = db_col_int(&rows, 5),
        .created_at = db_col_int(&rows, 6),
    };
    *ret_found = true;
    db_rows_close(&rows);
    return 0;
}

int auth_store_delay_letter(struct db_tx *tx, const struct id *letter, int64_t due_ms,
                            struct error *err)
{
    return db_exec(tx, &sql_delay_letter, err, db_id(letter), db_int(due_ms));
}

int auth_store_delete_letter(struct db_tx *tx, const struct id *letter, struct error *err)
{
    return db_exec(tx, &sql_delete_letter, err, db_id(letter));
}

/* --- the account's states ----------------------------------------------------------------------
 */

static const struct db_sql sql_set_verified[] = {
    [AUTH_CHANNEL_EMAIL] = {"UPDATE account SET email_verified = 1, is_verified = 1"
                            " WHERE user_id = ?1"},
    [AUTH_CHANNEL_PHONE] = {"UPDATE account SET phone_verified = 1, is_verified = 1"
                            " WHERE user_id = ?1"},
};
static const struct db_sql sql_deactivate = {
    "UPDATE account SET is_active = 0, deactivated_at = ?2 WHERE user_id = ?1 AND is_active = 1"};
static const struct db_sql sql_reactivate = {"UPDATE account SET is_active = 1, deactivated_at = 0"
                                             " WHERE user_id = ?1 AND deactivated_at > 0"};
static const struct db_sql sql_session_began = {
    "SELECT created_at FROM session WHERE id = ?1 AND ended_at IS NULL"};

int auth_store_set_verified(struct db_tx *tx, const struct id *user, enum auth_channel channel,
                            struct error *err)
{
    return db_exec(tx, &sql_set_verified[channel], err, db_id(user));
}

static const struct db_sql sql_set_contact = {
    "UPDATE account SET email = ?2, email_key = ?3, phone = ?4, email_verified = ?5,"
    " phone_verified = ?6, is_verified = ?7 WHERE user_id = ?1"};

int auth_store_set_contact(struct db_tx *tx, const struct auth_account *a, struct error *err)
{
    return db_exec(tx, &sql_set_contact, err, db_id(&a->user), db_text(a->email),
                   db_text(a->email_key), db_text(a->phone), db_int(a->email_verified),
                   db_int(a->phone_verified), db_int(a->is_verified));
}

int auth_store_deactivate(struct db_tx *tx, const struct id *user, int64_t now_ms,
                          struct error *err)
{
    return db_exec(tx, &sql_deactivate, err, db_id(user), db_int(now_ms));
}

int auth_store_reactivate(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_reactivate, err, db_id(user));
}

int auth_store_session_began(struct db_tx *tx, const struct id *session, int64_t *ret_at_ms,
                             struct error *err)
{
    return db_one_int(tx, &sql_session_began, ret_at_ms, err, db_id(session));
}

static const struct db_sql sql_erase[] = {
    {"DELETE FROM account WHERE user_id = ?1"},
    {"DELETE FROM auth_code WHERE user_id = ?1"},
    {"DELETE FROM auth_letter WHERE id IN (SELECT id FROM auth_letter WHERE user_id = ?1)"},
    {"UPDATE session SET device_name = NULL WHERE user_id = ?1"},
};

int auth_store_erase_account(struct db_tx *tx, const struct id *user, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(sql_erase); i++)
        rc = db_exec(tx, &sql_erase[i], err, db_id(user));
    return rc;
}

static const struct db_sql sql_reserve_name = {
    "INSERT INTO auth_reserved_name (name_hash, reserved_at) VALUES (?1, ?2)"
    " ON CONFLICT DO NOTHING"};
static const struct db_sql sql_name_reserved = {
    "SELECT 1 FROM auth_reserved_name WHERE name_hash = ?1"};

int auth_store_reserve_name(struct db_tx *tx, const uint8_t name_hash[32], int64_t now_ms,
                            struct error *err)
{
    return db_exec(tx, &sql_reserve_name, err, hash_value(name_hash), db_int(now_ms));
}

int auth_store_name_reserved(struct db_tx *tx, const uint8_t name_hash[32], bool *ret_reserved,
                             struct error *err)
{
    return db_one_exists(tx, &sql_name_reserved, ret_reserved, err, hash_value(name_hash));
}
