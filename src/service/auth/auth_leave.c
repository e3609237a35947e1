/* Leaving: for a while, or for good (A13).
 *
 * Whoever deactivates an account is found and seen by nobody until they sign in again. Whoever
 * deletes it leaves no address, name or hash here: the row goes in the transaction that tells every
 * room by user.deleted to erase what it keeps. What others have, such as the messages of a chat,
 * stays theirs. The username stays reserved, as a keyed hash.
 */
#include "kit/audit.h"
#include "service/auth/auth_admin.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_account.h"

#define RECENT_MS INT64_C(600000) /* a sign-in that counts as a proof */

struct leave {
    struct auth *auth;
    const struct auth_call *call;
    const struct principal *who;
    struct auth_account account;
    bool found;
    int64_t now_ms, began_ms, before_ms;
};

static int audit(struct leave *l, struct db_tx *tx, const char *action, struct error *err)
{
    struct audit_entry entry = {.action = action,
                                .actor = &l->who->user,
                                .subject_kind = "user",
                                .subject = &l->who->user,
                                .correlation_id = l->call->correlation_id};
    return audit_write(l->auth->kit, tx, &entry, err);
}

static int end_everything(struct leave *l, struct db_tx *tx, struct error *err)
{
    return auth_write_end_all(l->auth->kit, tx, &l->who->user, l->call->correlation_id,
                              &l->before_ms, err);
}

/* After the commit: nothing that the person held is good for anything, and nobody sees them. */
static void finish(struct leave *l)
{
    token_revoke_user(l->auth->kit->tokens, &l->who->user, l->before_ms);
    auth_wait_profile(l->auth);
}

/* --- for a while -------------------------------------------------------------------------------
 */

static int deactivate_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct leave *l = arg;
    int rc = auth_read_confirmed(tx, l->call, &l->account, err);
    if (rc == 0)
        rc = auth_keep_one_admin(tx, &l->account, err);
    l->account.is_active = false;
    if (rc == 0)
        rc = auth_store_deactivate(tx, &l->who->user, l->now_ms, err);
    if (rc == 0)
        rc = auth_emit_changed(l->auth->kit, tx, &l->account, l->call->correlation_id, err);
    if (rc == 0)
        rc = end_everything(l, tx, err);
    if (rc == 0)
        rc = audit(l, tx, "user.deactivated", err);
    return rc;
}

int auth_deactivate(struct auth *auth, const struct auth_call *call, const struct principal *who,
                    struct slice password, struct error *err)
{
    struct leave l = {.auth = auth, .call = call, .who = who, .now_ms = auth_now(auth)};
    int rc = auth_confirm_password(auth, call, &who->user, password, &l.account, err);
    if (rc == 0)
        rc = db_write(auth->db, deactivate_tx, &l, err);
    if (rc == 0)
        finish(&l);
    return rc;
}

/* --- for good ----------------------------------------------------------------------------------
 */

static int began_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct leave *l = arg;
    int rc = auth_store_session_began(tx, &l->who->session, &l->began_ms, err);
    if (rc == 0)
        rc = auth_store_get_account(tx, &l->who->user, l->call->arena, &l->account, &l->found, err);
    return rc;
}

/* A token that was left lying about does not end an account: it takes the password, or a session
 * that has just begun. */
static int prove(struct leave *l, struct slice password, struct error *err)
{
    if (password.ptr != NULL)
        return auth_confirm_password(l->auth, l->call, &l->who->user, password, &l->account, err);
    int rc = db_read(l->auth->db, began_tx, l, err);
    if (rc < 0)
        return rc;
    if (!l->found || l->began_ms == 0 || l->now_ms - l->began_ms > RECENT_MS)
        return error_set(err, FAIL_FORBIDDEN, "password_required",
                         "Give the password, or sign in again first.");
    return 0;
}

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct leave *l = arg;
    struct auth_user_deleted data = {.user_id = l->who->user, .deleted_at = l->now_ms};
    uint8_t name_hash[32];
    int rc = auth_read_confirmed(tx, l->call, &l->account, err);
    if (rc == 0)
        rc = auth_keep_one_admin(tx, &l->account, err);
    if (rc == 0)
        rc = end_everything(l, tx, err);
    if (rc == 0)
        rc = auth_name_hash(tx, l->account.username, name_hash, err);
    if (rc == 0)
        rc = auth_store_reserve_name(tx, name_hash, l->now_ms, err);
    if (rc == 0)
        rc = auth_store_erase_account(tx, &l->who->user, err);
    if (rc == 0)
        rc = auth_emit_deleted(l->auth->kit, tx, &data, l->call->correlation_id, err);
    if (rc == 0)
        rc = audit(l, tx, "user.deleted", err);
    return rc;
}

int auth_delete(struct auth *auth, const struct auth_call *call, const struct principal *who,
                struct slice password, struct error *err)
{
    struct leave l = {.auth = auth, .call = call, .who = who, .now_ms = auth_now(auth)};
    int rc = prove(&l, password, err);
    if (rc == 0)
        rc = db_write(auth->db, delete_tx, &l, err);
    if (rc == 0)
        finish(&l);
    return rc;
}
