/* The auth room's tables, as functions; the only SQL of the room is in auth_store*.c. All run
 * inside db_read or db_write; text is copied into the arena given. */
#ifndef PARLEY_SERVICE_AUTH_STORE_H
#define PARLEY_SERVICE_AUTH_STORE_H

#include "engine/db.h"
#include "kit/principal.h"
#include "service/auth/auth.h"
#include "service/auth/auth_identity.h"

struct auth_account {
    struct id user;
    struct slice username, email, email_key, phone, password_hash;
    enum role role;
    bool is_active, is_verified, email_verified, phone_verified;
    int64_t deactivated_at; /* by the person themselves; 0: not */
    int64_t last_login, created_at;
    int64_t tokens_valid_from; /* access tokens issued earlier are refused */
};

/* --- accounts -------------------------------------------------------------------------------- */
/* FAIL_CONFLICT username_taken, email_taken or phone_taken, with a field error for each. */
int auth_store_refuse_taken(struct db_tx *tx, const struct auth_account *account,
                            struct error *err) MUSTCHECK;
int auth_store_insert_account(struct db_tx *tx, const struct auth_account *account,
                              struct error *err) MUSTCHECK;
/* *ret_found false when there is none. */
int auth_store_find_account(struct db_tx *tx, enum auth_login_kind kind, struct slice key,
                            struct arena *arena, struct auth_account *ret_account, bool *ret_found,
                            struct error *err) MUSTCHECK;
int auth_store_get_account(struct db_tx *tx, const struct id *user, struct arena *arena,
                           struct auth_account *ret_account, bool *ret_found,
                           struct error *err) MUSTCHECK;
int auth_store_set_last_login(struct db_tx *tx, const struct id *user, int64_t at_ms,
                              struct error *err) MUSTCHECK;
int auth_store_set_password(struct db_tx *tx, const struct id *user, struct slice hash,
                            struct error *err) MUSTCHECK;
int auth_store_set_role(struct db_tx *tx, const struct id *user, enum role role,
                        struct error *err) MUSTCHECK;
/* What an operator says: nothing is left of what the person said about it. */
int auth_store_set_active(struct db_tx *tx, const struct id *user, bool active,
                          struct error *err) MUSTCHECK;
int auth_store_set_tokens_valid_from(struct db_tx *tx, const struct id *user, int64_t ms,
                                     struct error *err) MUSTCHECK;
/* fn(arg, user, ms) for each account whose tokens have been refused since `since_ms`. */
int auth_store_each_revoked_user(struct db_tx *tx, int64_t since_ms,
                                 void (*fn)(void *arg, const struct id *user, int64_t before_ms),
                                 void *arg, struct error *err) MUSTCHECK;

/* --- secrets and keys ------------------------------------------------------------------------ */
/* The named secret; the first call stores `fresh`. */
int auth_store_secret(struct db_tx *tx, const char *name, const uint8_t fresh[32],
                      uint8_t ret_bytes[32], struct error *err) MUSTCHECK;
struct auth_key_row {
    struct slice kid, alg, pkcs8;
    int64_t created_at, signs_from;
};
int auth_store_insert_key(struct db_tx *tx, const struct auth_key_row *key,
                          struct error *err) MUSTCHECK;
/* Latest signs_from first, at most max. */
int auth_store_keys(struct db_tx *tx, struct arena *arena, size_t max,
                    struct auth_key_row *ret_keys, size_t *ret_count, struct error *err) MUSTCHECK;
/* How many, and the latest signs_from of them. */
int auth_store_count_keys(struct db_tx *tx, int64_t *ret_count, int64_t *ret_newest_ms,
                          struct error *err) MUSTCHECK;
int auth_store_delete_key(struct db_tx *tx, struct slice kid, struct error *err) MUSTCHECK;

#endif
