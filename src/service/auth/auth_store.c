#include "service/auth/auth_store.h"

#include "engine/db_one.h"
#include "kit/secret.h"

/* --- accounts -------------------------------------------------------------------------------- */

static const struct db_sql sql_taken = {
    "SELECT username = ?1, email_key = ?2, phone = ?3 FROM account"
    " WHERE username = ?1 OR email_key = ?2 OR phone = ?3"};

static void mark_taken(bool taken[3], const struct db_rows *rows)
{
    for (int i = 0; i < 3; i++)
        taken[i] = taken[i] || (!db_col_null(rows, i) && db_col_int(rows, i) != 0);
}

static int refuse_taken(const bool taken[3], struct error *err)
{
    static const struct {
        const char *field, *code, *detail;
    } names[3] = {
        {"username", "username_taken", "This username is taken."},
        {"email", "email_taken", "There is an account with this e-mail address."},
        {"phone", "phone_taken", "There is an account with this phone number."},
    };
    int rc = 0;
    for (int i = 0; i < 3; i++) {
        if (!taken[i])
            continue;
        rc = error_set(err, FAIL_CONFLICT, names[i].code, "%s", names[i].detail);
        error_field(err, names[i].field, names[i].code, "%s", names[i].detail);
    }
    return rc;
}

int auth_store_refuse_taken(struct db_tx *tx, const struct auth_account *account, struct error *err)
{
    struct db_rows rows;
    bool taken[3] = {false};
    int rc = db_query(tx, &sql_taken, &rows, err, db_text(account->username),
                      db_text(account->email_key), db_text(account->phone));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        mark_taken(taken, &rows);
    return rc < 0 ? rc : refuse_taken(taken, err);
}

static const struct db_sql sql_insert_account = {
    "INSERT INTO account (user_id, username, email, email_key, phone, password_hash, role,"
    " is_active, is_verified, last_login, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0, ?8, ?9)"};

int auth_store_insert_account(struct db_tx *tx, const struct auth_account *account,
                              struct error *err)
{
    return db_exec(tx, &sql_insert_account, err, db_id(&account->user), db_text(account->username),
                   db_text(account->email), db_text(account->email_key), db_text(account->phone),
                   db_text(account->password_hash), db_int(account->role),
                   db_int(account->last_login), db_int(account->created_at));
}

#define ACCOUNT                                                                                    \
    "SELECT user_id, username, email, email_key, phone, password_hash, role, is_active,"           \
    " is_verified, last_login, created_at, email_verified, phone_verified, deactivated_at,"        \
    " tokens_valid_from FROM account WHERE "
static const struct db_sql sql_get_account = {ACCOUNT "user_id = ?1"};
static const struct db_sql sql_find_account[] = {
    [AUTH_BY_USERNAME] = {ACCOUNT "username = ?1"},
    [AUTH_BY_EMAIL] = {ACCOUNT "email_key = ?1"},
    [AUTH_BY_PHONE] = {ACCOUNT "phone = ?1"},
};

static int one_account(struct db_tx *tx, const struct db_sql *sql, struct db_value key,
                       struct arena *arena, struct auth_account *ret_account, bool *ret_found,
                       struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, sql, &rows, err, key);
    *ret_found = rc > 0;
    if (rc > 0) {
        *ret_account = (struct auth_account){
            .user = db_col_id(&rows, 0),
            .username = db_col_copy(&rows, 1, arena),
            .email = db_col_copy(&rows, 2, arena),
            .email_key = db_col_copy(&rows, 3, arena),
            .phone = db_col_copy(&rows, 4, arena),
            .password_hash = db_col_copy(&rows, 5, arena),
            .role = (enum role)db_col_int(&rows, 6),
            .is_active = db_col_int(&rows, 7) != 0,
            .is_verified = db_col_int(&rows, 8) != 0,
            .last_login = db_col_int(&rows, 9),
            .created_at = db_col_int(&rows, 10),
            .email_verified = db_col_int(&rows, 11) != 0,
            .phone_verified = db_col_int(&rows, 12) != 0,
            .deactivated_at = db_col_int(&rows, 13),
            .tokens_valid_from = db_col_int(&rows, 14),
        };
        db_rows_close(&rows);
    }
    return rc < 0 ? rc : 0;
}

int auth_store_find_account(struct db_tx *tx, enum auth_login_kind kind, struct slice key,
                            struct arena *arena, struct auth_account *ret_account, bool *ret_found,
                            struct error *err)
{
    return one_account(tx, &sql_find_account[kind], db_text(key), arena, ret_account, ret_found,
                       err);
}

int auth_store_get_account(struct db_tx *tx, const struct id *user, struct arena *arena,
                           struct auth_account *ret_account, bool *ret_found, struct error *err)
{
    return one_account(tx, &sql_get_account, db_id(user), arena, ret_account, ret_found, err);
}

static const struct db_sql sql_set_last_login = {
    "UPDATE account SET last_login = ?2 WHERE user_id = ?1"};
static const struct db_sql sql_set_password = {
    "UPDATE account SET password_hash = ?2 WHERE user_id = ?1"};
static const struct db_sql sql_set_role = {"UPDATE account SET role = ?2 WHERE user_id = ?1"};
static const struct db_sql sql_set_active = {
    "UPDATE account SET is_active = ?2, deactivated_at = 0 WHERE user_id = ?1"};
static const struct db_sql sql_set_tokens = {
    "UPDATE account SET tokens_valid_from = ?2 WHERE user_id = ?1"};

int auth_store_set_last_login(struct db_tx *tx, const struct id *user, int64_t at_ms,
                              struct error *err)
{
    return db_exec(tx, &sql_set_last_login, err, db_id(user), db_int(at_ms));
}

int auth_store_set_password(struct db_tx *tx, const struct id *user, struct slice hash,
                            struct error *err)
{
    return db_exec(tx, &sql_set_password, err, db_id(user), db_text(hash));
}

int auth_store_set_role(struct db_tx *tx, const struct id *user, enum role role, struct error *err)
{
    return db_exec(tx, &sql_set_role, err, db_id(user), db_int(role));
}

int auth_store_set_active(struct db_tx *tx, const struct id *user, bool active, struct error *err)
{
    return db_exec(tx, &sql_set_active, err, db_id(user), db_int(active));
}

int auth_store_set_tokens_valid_from(struct db_tx *tx, const struct id *user, int64_t ms,
                                     struct error *err)
{
    return db_exec(tx, &sql_set_tokens, err, db_id(user), db_int(ms));
}

static const struct db_sql sql_revoked_users = {
    "SELECT user_id, tokens_valid_from FROM account"
    " WHERE tokens_valid_from > 0 AND tokens_valid_from > ?1"};

int auth_store_each_revoked_user(struct db_tx *tx, int64_t since_ms,
                                 void (*fn)(void *arg, const struct id *user, int64_t before_ms),
                                 void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_revoked_users, &rows, err, db_int(since_ms));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct id user = db_col_id(&rows, 0);
        fn(arg, &user, db_col_int(&rows, 1));
    }
    return rc;
}

/* --- secrets and keys ------------------------------------------------------------------------ */

static const struct secret_sql sql_secret = {
    {"INSERT INTO auth_secret (name, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    {"SELECT bytes FROM auth_secret WHERE name = ?1"}};

int auth_store_secret(struct db_tx *tx, const char *name, const uint8_t fresh[32],
                      uint8_t ret_bytes[32], struct error *err)
{
    return secret_get(tx, &sql_secret, name, fresh, ret_bytes, err);
}

static const struct db_sql sql_insert_key = {
    "INSERT INTO signing_key (kid, alg, pkcs8, created_at, signs_from)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"};
static const struct db_sql sql_keys = {
    "SELECT kid, alg, pkcs8, created_at, signs_from FROM signing_key"
    " ORDER BY signs_from DESC, kid LIMIT ?1"};
static const struct db_sql sql_count_keys = {"SELECT count(*), max(signs_from) FROM signing_key"};
static const struct db_sql sql_delete_key = {"DELETE FROM signing_key WHERE kid = ?1"};

int auth_store_insert_key(struct db_tx *tx, const struct auth_key_row *key, struct error *err)
{
    return db_exec(tx, &sql_insert_key, err, db_text(key->kid), db_text(key->alg),
                   db_text(key->pkcs8), db_int(key->created_at), db_int(key->signs_from));
}

int auth_store_keys(struct db_tx *tx, struct arena *arena, size_t max,
                    struct auth_key_row *ret_keys, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_keys, &rows, err, db_int((int64_t)max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_keys[count++] = (struct auth_key_row){
            .kid = db_col_copy(&rows, 0, arena),
            .alg = db_col_copy(&rows, 1, arena),
            .pkcs8 = db_col_copy(&rows, 2, arena),
            .created_at = db_col_int(&rows, 3),
            .signs_from = db_col_int(&rows, 4),
        };
    *ret_count = count;
    return rc;
}

int auth_store_count_keys(struct db_tx *tx, int64_t *ret_count, int64_t *ret_newest_ms,
                          struct error *err)
{
    struct db_rows rows;
    int rc = db_one_n(tx, &sql_count_keys, NULL, 0, &rows, err);
    if (rc <= 0)
        return rc;
    *ret_count = db_col_int(&rows, 0);
    *ret_newest_ms = db_col_int(&rows, 1);
    db_rows_close(&rows);
    return 0;
}

int auth_store_delete_key(struct db_tx *tx, struct slice kid, struct error *err)
{
    return db_exec(tx, &sql_delete_key, err, db_text(kid));
}
