/* What administrators and operators do to other people's accounts. Each act stands in the audit log
 * by the transaction that did it. */
#ifndef PARLEY_SERVICE_AUTH_ADMIN_H
#define PARLEY_SERVICE_AUTH_ADMIN_H

#include "service/auth/auth.h"

struct auth_alteration {
    bool set_role, set_active;
    enum role role;
    bool active;
};
/* The person's tokens are refused from now on, so that the change counts at once; the sessions of a
 * disabled account end, and it cannot get another. Returns when the profile shows it. 404
 * user_not_found; 409 last_admin when nobody would be left who can do this. */
int auth_admin_alter(struct auth *auth, const struct auth_call *call, const struct id *actor,
                     const struct id *user, const struct auth_alteration *what,
                     struct error *err) MUSTCHECK;
/* Ends all sessions of the user. 404 user_not_found. */
int auth_admin_end_sessions(struct auth *auth, const struct auth_call *call, const struct id *actor,
                            const struct id *user, struct error *err) MUSTCHECK;
/* 404 user_not_found. */
int auth_admin_check(struct auth *auth, const struct auth_call *call, const struct id *user,
                     struct error *err) MUSTCHECK;
/* Whose username, e-mail address or phone number that is; nil: nobody's. */
int auth_admin_find(struct auth *auth, const struct auth_call *call, struct slice login,
                    struct id *ret_user, struct error *err) MUSTCHECK;

struct auth_account;
/* Inside db_write, before the account stops being an administrator's, by whatever way: 409
 * last_admin when nobody would be left who can undo it. */
int auth_keep_one_admin(struct db_tx *tx, const struct auth_account *account,
                        struct error *err) MUSTCHECK;
/* Inside db_write: writes what differs, revokes, emits, audits; the caller tells token_revoke_user
 * *ret_before_ms after the commit, unless it is 0: nothing differed. actor NULL: the operator. */
int auth_write_alteration(struct kit *kit, struct db_tx *tx, struct auth_account *account,
                          const struct auth_alteration *what, const struct id *actor,
                          struct slice correlation_id, int64_t *ret_before_ms,
                          struct error *err) MUSTCHECK;

#endif
