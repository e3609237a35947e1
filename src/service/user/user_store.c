#include "service/user/user_store.h"

#include "engine/db_one.h"
#include "kit/secret.h"

#define PROFILE                                                                                    \
    "SELECT user_id, username, full_name, email, phone, bio, avatar_url, role, is_active,"         \
    " is_verified, last_login,"                                                                    \
    " max(last_seen, coalesce((SELECT at FROM user_seen s WHERE s.user_id = profile.user_id), "    \
    "0)),"                                                                                         \
    " created_at, updated_at, is_private,"                                                         \
    " discoverable_by_email, discoverable_by_phone FROM profile WHERE "
static const struct db_sql sql_get = {PROFILE "user_id = ?1"};
static const struct db_sql sql_get_by_name = {PROFILE "username = ?1"};

static struct user_profile read_profile(const struct db_rows *rows, struct arena *arena)
{
    return (struct user_profile){
        .id = db_col_id(rows, 0),
        .username = db_col_copy(rows, 1, arena),
        .full_name = db_col_copy(rows, 2, arena),
        .email = db_col_copy(rows, 3, arena),
        .phone = db_col_copy(rows, 4, arena),
        .bio = db_col_copy(rows, 5, arena),
        .avatar_url = db_col_copy(rows, 6, arena),
        .role = (int)db_col_int(rows, 7),
        .is_active = db_col_int(rows, 8) != 0,
        .is_verified = db_col_int(rows, 9) != 0,
        .last_login = db_col_int(rows, 10),
        .last_seen = db_col_int(rows, 11),
        .created_at = db_col_int(rows, 12),
        .updated_at = db_col_int(rows, 13),
        .is_private = db_col_int(rows, 14) != 0,
        .discoverable_by_email = db_col_int(rows, 15) != 0,
        .discoverable_by_phone = db_col_int(rows, 16) != 0,
    };
}

static int get_one(struct db_tx *tx, const struct db_sql *sql, struct db_value key,
                   struct arena *arena, struct user_profile *ret_profile, bool *ret_found,
                   struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, sql, &rows, err, key);
    *ret_found = rc > 0;
    if (rc > 0) {
        *ret_profile = read_profile(&rows, arena);
        db_rows_close(&rows);
        if (ret_profile->username.ptr == NULL)
            return error_set(err, FAIL_TOO_LARGE, "too_large", "The profile does not fit.");
    }
    return rc < 0 ? rc : 0;
}

int user_store_get(struct db_tx *tx, const struct id *user, struct arena *arena,
                   struct user_profile *ret_profile, bool *ret_found, struct error *err)
{
    return get_one(tx, &sql_get, db_id(user), arena, ret_profile, ret_found, err);
}

int user_store_get_by_name(struct db_tx *tx, struct slice username, struct arena *arena,
                           struct user_profile *ret_profile, bool *ret_found, struct error *err)
{
    return get_one(tx, &sql_get_by_name, db_text(username), arena, ret_profile, ret_found, err);
}

/* --- everybody ----------------------------------------------------------------------------------
 */

/* The nil id is a key here too: the first of all. */
static struct db_value key(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes));
}

static const struct db_sql sql_page = {PROFILE "user_id > ?1 ORDER BY user_id LIMIT ?2"};

int user_store_page(struct db_tx *tx, const struct id *after, size_t limit, struct arena *arena,
                    struct user_profile *ret_profiles, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_page, &rows, err, key(after), db_int((int64_t)limit));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        ret_profiles[count] = read_profile(&rows, arena);
        if (ret_profiles[count++].username.ptr == NULL) {
            db_rows_close(&rows);
            return error_set(err, FAIL_TOO_LARGE, "too_large", "The profiles do not fit.");
        }
    }
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_page_ids = {
    "SELECT user_id FROM profile WHERE user_id > ?1 ORDER BY user_id LIMIT ?2"};

int user_store_page_ids(struct db_tx *tx, const struct id *after, size_t limit, struct id *ret_ids,
                        size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_page_ids, &rows, err, key(after), db_int((int64_t)limit));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_ids[count++] = db_col_id(&rows, 0);
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_introduced = {"SELECT after FROM user_introduction WHERE name = ?1"};
static const struct db_sql sql_set_introduced = {
    "UPDATE user_introduction SET after = ?2 WHERE name = ?1"};
static const struct db_sql sql_end_introduction = {"DELETE FROM user_introduction WHERE name = ?1"};

int user_store_introduced(struct db_tx *tx, const char *name, struct id *ret_after, bool *ret_due,
                          struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_introduced, &rows, err, db_text(slice_str(name)));
    *ret_due = rc > 0;
    if (rc > 0) {
        *ret_after = db_col_id(&rows, 0);
        db_rows_close(&rows);
    }
    return rc < 0 ? rc : 0;
}

int user_store_set_introduced(struct db_tx *tx, const char *name, const struct id *after, bool done,
                              struct error *err)
{
    if (done)
        return db_exec(tx, &sql_end_introduction, err, db_text(slice_str(name)));
    return db_exec(tx, &sql_set_introduced, err, db_text(slice_str(name)), key(after));
}

/* --- changes ------------------------------------------------------------------------------------
 */

static const struct db_sql sql_insert = {
    "INSERT INTO profile (user_id, username, full_name, email, phone, role, is_active, last_login,"
    " created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7, ?7)"
    " ON CONFLICT (user_id) DO NOTHING"};

int user_store_insert(struct db_tx *tx, const struct auth_user_created *created, struct error *err)
{
    return db_exec(tx, &sql_insert, err, db_id(&created->id), db_text(created->username),
                   db_text(created->full_name), db_text(created->email), db_text(created->phone),
                   db_int(created->role), db_int(created->created_at));
}

static const struct db_sql sql_remove = {"DELETE FROM profile WHERE user_id = ?1"};
static const struct db_sql sql_remove_seen = {"DELETE FROM user_seen WHERE user_id = ?1"};

int user_store_remove(struct db_tx *tx, const struct id *user, bool *ret_removed, struct error *err)
{
    int rc = db_exec(tx, &sql_remove, err, db_id(user));
    *ret_removed = rc == 0 && db_changes(tx) > 0;
    return rc < 0 ? rc : db_exec(tx, &sql_remove_seen, err, db_id(user));
}

static const struct db_sql sql_update = {
    "UPDATE profile SET full_name = ?2, bio = ?3, avatar_url = ?4, updated_at = ?5,"
    " is_private = ?6, discoverable_by_email = ?7, discoverable_by_phone = ?8 WHERE user_id = ?1"};

int user_store_update(struct db_tx *tx, const struct user_profile *profile, struct error *err)
{
    return db_exec(tx, &sql_update, err, db_id(&profile->id), db_text(profile->full_name),
                   db_text(profile->bio), db_text(profile->avatar_url), db_int(profile->updated_at),
                   db_int(profile->is_private), db_int(profile->discoverable_by_email),
                   db_int(profile->discoverable_by_phone));
}

static const struct db_sql sql_set_addresses = {
    "UPDATE profile SET email = ?2, phone = ?3, is_verified = ?4 WHERE user_id = ?1"};

int user_store_set_addresses(struct db_tx *tx, const struct user_profile *profile,
                             struct error *err)
{
    return db_exec(tx, &sql_set_addresses, err, db_id(&profile->id), db_text(profile->email),
                   db_text(profile->phone), db_int(profile->is_verified));
}

static const struct db_sql sql_set_account = {
    "UPDATE profile SET role = ?2, is_active = ?3, is_verified = ?4, last_login = ?5"
    " WHERE user_id = ?1"};

int user_store_set_account(struct db_tx *tx, const struct auth_user_changed *changed,
                           struct error *err)
{
    return db_exec(tx, &sql_set_account, err, db_id(&changed->user_id), db_int(changed->role),
                   db_int(changed->is_active), db_int(changed->is_verified),
                   db_int(changed->last_login));
}

/* --- last seen ----------------------------------------------------------------------------------
 */

static const struct db_sql sql_set_seen = {
    "INSERT INTO user_seen (user_id, at)"
    " SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM profile WHERE user_id = ?1)"
    " ON CONFLICT (user_id) DO UPDATE SET at = excluded.at WHERE excluded.at > at"};

int user_store_set_seen(struct db_tx *tx, const struct id *user, int64_t at_ms, struct error *err)
{
    return db_exec(tx, &sql_set_seen, err, db_id(user), db_int(at_ms));
}

/* --- contact ------------------------------------------------------------------------------------
 */

static const struct secret_sql sql_secret = {
    {"INSERT INTO user_secret (name, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
    {"SELECT bytes FROM user_secret WHERE name = ?1"}};
static const struct db_sql sql_set_contact = {
    "UPDATE profile SET email_hash = ?2, phone_hash = ?3 WHERE user_id = ?1"};
static const struct db_sql sql_find_contact[] = {
    [USER_CONTACT_EMAIL] = {"SELECT user_id FROM profile WHERE email_hash = ?1 AND is_active = 1"
                            " ORDER BY user_id LIMIT 1"},
    [USER_CONTACT_PHONE] = {"SELECT user_id FROM profile WHERE phone_hash = ?1 AND is_active = 1"
                            " ORDER BY user_id LIMIT 1"},
};

int user_store_secret(struct db_tx *tx, const char *name, const uint8_t fresh[32],
                      uint8_t ret_bytes[32], struct error *err)
{
    return secret_get(tx, &sql_secret, name, fresh, ret_bytes, err);
}

int user_store_set_contact(struct db_tx *tx, const struct id *user, const struct slice hashes[2],
                           struct error *err)
{
    return db_exec(tx, &sql_set_contact, err, db_id(user), db_blob(hashes[USER_CONTACT_EMAIL]),
                   db_blob(hashes[USER_CONTACT_PHONE]));
}

int user_store_find_contact(struct db_tx *tx, enum user_contact kind, struct slice hash,
                            struct id *ret_user, struct error *err)
{
    return db_one_id(tx, &sql_find_contact[kind], ret_user, err, db_blob(hash));
}
