#include "service/auth/auth_store_session.h"

#include "engine/db_one.h"

static struct db_value hash_value(const uint8_t hash[32])
{
    return db_blob(slice_of((const char *)hash, 32));
}

static const struct db_sql sql_insert = {
    "INSERT INTO session (id, user_id, device_name, created_at, last_used_at, refresh_hash,"
    " expires_at) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)"};

int auth_store_insert_session(struct db_tx *tx, const struct id *id, const struct id *user,
                              struct slice device_name, const uint8_t refresh_hash[32],
                              int64_t now_ms, int64_t expires_ms, struct error *err)
{
    return db_exec(tx, &sql_insert, err, db_id(id), db_id(user), db_text(device_name),
                   db_int(now_ms), hash_value(refresh_hash), db_int(expires_ms));
}

static const struct db_sql sql_get = {
    "SELECT user_id, refresh_hash, expires_at, ended_at FROM session WHERE id = ?1"};

int auth_store_get_session(struct db_tx *tx, const struct id *id, struct auth_session_row *ret_row,
                           bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(id));
    *ret_found = false;
    if (rc <= 0)
        return rc;
    struct slice hash = db_col_blob(&rows, 1);
    *ret_row = (struct auth_session_row){.id = *id,
                                         .user = db_col_id(&rows, 0),
                                         .expires_at = db_col_int(&rows, 2),
                                         .ended = !db_col_null(&rows, 3)};
    *ret_found = hash.len == sizeof ret_row->refresh_hash;
    if (*ret_found)
        memcpy(ret_row->refresh_hash, hash.ptr, hash.len);
    db_rows_close(&rows);
    return 0;
}

static const struct db_sql sql_rotate = {
    "UPDATE session SET refresh_hash = ?3, last_used_at = ?4, expires_at = ?5"
    " WHERE id = ?1 AND refresh_hash = ?2 AND ended_at IS NULL AND expires_at > ?4"};

int auth_store_rotate(struct db_tx *tx, const struct id *id, const uint8_t from[32],
                      const uint8_t to[32], int64_t now_ms, int64_t expires_ms, bool *ret_rotated,
                      struct error *err)
{
    int rc = db_exec(tx, &sql_rotate, err, db_id(id), hash_value(from), hash_value(to),
                     db_int(now_ms), db_int(expires_ms));
    *ret_rotated = rc == 0 && db_changes(tx) == 1;
    return rc;
}

static const struct db_sql sql_end = {
    "UPDATE session SET ended_at = ?3 WHERE id = ?1 AND user_id = ?2 AND ended_at IS NULL"};

int auth_store_end_session(struct db_tx *tx, const struct id *id, const struct id *user,
                           int64_t now_ms, bool *ret_ended, struct error *err)
{
    int rc = db_exec(tx, &sql_end, err, db_id(id), db_id(user), db_int(now_ms));
    *ret_ended = rc == 0 && db_changes(tx) == 1;
    return rc;
}

static const struct db_sql sql_list = {
    "SELECT id, device_name, created_at, last_used_at FROM session"
    " WHERE user_id = ?1 AND (?2 IS NULL OR id < ?2) AND ended_at IS NULL AND expires_at > ?3"
    " ORDER BY id DESC LIMIT ?4 OFFSET ?5"};

int auth_store_sessions(struct db_tx *tx, const struct id *user, const struct id *before,
                        int64_t now_ms, unsigned skip, unsigned max, struct arena *arena,
                        struct auth_session **ret_sessions, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    struct auth_session *sessions = arena_array(arena, max, sizeof *sessions);
    if (sessions == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The list does not fit.");
    int rc = db_query(tx, &sql_list, &rows, err, db_id(user), db_id(before), db_int(now_ms),
                      db_int(max), db_int(skip));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        sessions[count++] = (struct auth_session){
            .id = db_col_id(&rows, 0),
            .device_name = db_col_copy(&rows, 1, arena),
            .created_at = db_col_int(&rows, 2),
            .last_used_at = db_col_int(&rows, 3),
        };
    *ret_sessions = sessions;
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_ended = {
    "SELECT id FROM session WHERE ended_at IS NOT NULL AND ended_at > ?1"};

int auth_store_each_ended(struct db_tx *tx, int64_t since_ms,
                          void (*fn)(void *arg, const struct id *session), void *arg,
                          struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_ended, &rows, err, db_int(since_ms));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct id session = db_col_id(&rows, 0);
        fn(arg, &session);
    }
    return rc;
}

static const struct db_sql sql_sweep[] = {
    {"DELETE FROM session WHERE id IN (SELECT id FROM session"
     " WHERE ended_at IS NOT NULL AND ended_at < ?1 LIMIT ?2)"},
    {"DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < ?1 LIMIT ?2)"},
    {"DELETE FROM refresh_answer WHERE token_hash IN (SELECT token_hash FROM refresh_answer"
     " WHERE until < ?1 LIMIT ?2)"},
};

int auth_store_sweep(struct db_tx *tx, int64_t before_ms, int64_t now_ms, unsigned max,
                     int64_t *ret_count, struct error *err)
{
    const int64_t limits[] = {before_ms, before_ms, now_ms};
    *ret_count = 0;
    for (size_t i = 0; i < ARRAY_LEN(sql_sweep); i++) {
        int rc = db_exec(tx, &sql_sweep[i], err, db_int(limits[i]), db_int(max));
        if (rc < 0)
            return rc;
        *ret_count += db_changes(tx);
    }
    return 0;
}

static const struct db_sql sql_put_answer = {
    "INSERT INTO refresh_answer (token_hash, until, answer) VALUES (?1, ?2, ?3)"};
static const struct db_sql sql_get_answer = {
    "SELECT answer FROM refresh_answer WHERE token_hash = ?1 AND until > ?2"};

int auth_store_put_answer(struct db_tx *tx, const uint8_t token_hash[32], int64_t until_ms,
                          struct slice answer, struct error *err)
{
    return db_exec(tx, &sql_put_answer, err, hash_value(token_hash), db_int(until_ms),
                   db_blob(answer));
}

int auth_store_get_answer(struct db_tx *tx, const uint8_t token_hash[32], int64_t now_ms,
                          struct arena *arena, struct slice *ret_answer, struct error *err)
{
    struct db_rows rows;
    *ret_answer = (struct slice){0};
    int rc = db_one(tx, &sql_get_answer, &rows, err, hash_value(token_hash), db_int(now_ms));
    if (rc <= 0)
        return rc;
    *ret_answer = db_col_copy(&rows, 0, arena);
    db_rows_close(&rows);
    return 0;
}
