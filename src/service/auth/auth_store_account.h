/* What an account proves, owes and leaves behind: codes, letters, reserved names; see
 * auth_store.h. */
#ifndef PARLEY_SERVICE_AUTH_STORE_ACCOUNT_H
#define PARLEY_SERVICE_AUTH_STORE_ACCOUNT_H

#include "service/auth/auth_code.h"
#include "service/auth/auth_letter.h"

/* --- codes ------------------------------------------------------------------------------------ */
struct auth_code_row {
    enum auth_channel channel;
    uint8_t hash[32];
    int64_t expires_at, tries_left;
};
int auth_store_put_code(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                        const struct auth_code_row *row, struct error *err) MUSTCHECK;
int auth_store_get_code(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                        struct auth_code_row *ret_row, bool *ret_found,
                        struct error *err) MUSTCHECK;
int auth_store_take_try(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                        struct error *err) MUSTCHECK;
int auth_store_delete_code(struct db_tx *tx, const struct id *user, enum auth_code_purpose purpose,
                           struct error *err) MUSTCHECK;
/* At most `max` of those that have expired; *ret_count is how many. */
int auth_store_sweep_codes(struct db_tx *tx, int64_t now_ms, unsigned max, int64_t *ret_count,
                           struct error *err) MUSTCHECK;

/* --- letters ---------------------------------------------------------------------------------- */
int auth_store_insert_letter(struct db_tx *tx, const struct auth_letter *letter,
                             struct error *err) MUSTCHECK;
/* The one that has been due longest; *ret_found false when none is. */
int auth_store_due_letter(struct db_tx *tx, int64_t now_ms, struct arena *arena,
                          struct auth_letter *ret_letter, bool *ret_found,
                          struct error *err) MUSTCHECK;
int auth_store_delay_letter(struct db_tx *tx, const struct id *letter, int64_t due_ms,
                            struct error *err) MUSTCHECK;
int auth_store_delete_letter(struct db_tx *tx, const struct id *letter,
                             struct error *err) MUSTCHECK;

/* --- the account's states --------------------------------------------------------------------- */
int auth_store_set_verified(struct db_tx *tx, const struct id *user, enum auth_channel channel,
                            struct error *err) MUSTCHECK;
/* Addresses and what is verified of them, as the account says. */
int auth_store_set_contact(struct db_tx *tx, const struct auth_account *account,
                           struct error *err) MUSTCHECK;
int auth_store_deactivate(struct db_tx *tx, const struct id *user, int64_t now_ms,
                          struct error *err) MUSTCHECK;
/* Only an account that its owner has left; one that an operator has disabled stays so. */
int auth_store_reactivate(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* When the session began; 0 when it does not live. */
int auth_store_session_began(struct db_tx *tx, const struct id *session, int64_t *ret_at_ms,
                             struct error *err) MUSTCHECK;
/* The account with all that names the person. Its ended sessions stay for a day, without their
 * names, because access tokens may still name them. */
int auth_store_erase_account(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
int auth_store_reserve_name(struct db_tx *tx, const uint8_t name_hash[32], int64_t now_ms,
                            struct error *err) MUSTCHECK;
int auth_store_name_reserved(struct db_tx *tx, const uint8_t name_hash[32], bool *ret_reserved,
                             struct error *err) MUSTCHECK;

#endif
