#include "service/auth/auth_admin.h"

#include "kit/audit.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_admin.h"

/* --- writing a change --------------------------------------------------------------------------
 */

static int audit_user(struct kit *kit, struct db_tx *tx, const char *action, const struct id *actor,
                      const struct id *user, struct slice detail, struct slice correlation_id,
                      struct error *err)
{
    struct audit_entry entry = {.action = action,
                                .actor = actor,
                                .subject_kind = "user",
                                .subject = user,
                                .detail = detail,
                                .correlation_id = correlation_id};
    return audit_write(kit, tx, &entry, err);
}

struct change {
    struct kit *kit;
    struct db_tx *tx;
    struct auth_account *account;
    const struct id *actor;
    struct slice correlation_id;
};

static int write_role(const struct change *c, enum role role, struct error *err)
{
    struct buf text;
    buf_init(&text, 64);
    buf_printf(&text, "{\"from\":\"%s\",\"to\":\"%s\"}", role_names[c->account->role],
               role_names[role]);
    c->account->role = role;
    int rc = auth_store_set_role(c->tx, &c->account->user, role, err);
    if (rc == 0)
        rc = audit_user(c->kit, c->tx, "user.role_changed", c->actor, &c->account->user,
                        buf_view(&text), c->correlation_id, err);
    buf_done(&text);
    return rc;
}

static int write_active(const struct change *c, bool active, struct error *err)
{
    c->account->is_active = active;
    int rc = auth_store_set_active(c->tx, &c->account->user, active, err);
    return rc < 0 ? rc
                  : audit_user(c->kit, c->tx, active ? "user.enabled" : "user.disabled", c->actor,
                               &c->account->user, (struct slice){0}, c->correlation_id, err);
}

/* A session goes on with another role; it does not come back with an account that is enabled. */
static int revoke(const struct change *c, int64_t *ret_before_ms, struct error *err)
{
    const struct id *user = &c->account->user;
    int rc = auth_emit_changed(c->kit, c->tx, c->account, c->correlation_id, err);
    if (rc < 0)
        return rc;
    return c->account->is_active
               ? auth_write_refuse_tokens(c->kit, c->tx, user, c->correlation_id, ret_before_ms,
                                          err)
               : auth_write_end_all(c->kit, c->tx, user, c->correlation_id, ret_before_ms, err);
}

int auth_write_alteration(struct kit *kit, struct db_tx *tx, struct auth_account *account,
                          const struct auth_alteration *what, const struct id *actor,
                          struct slice correlation_id, int64_t *ret_before_ms, struct error *err)
{
    struct change c = {kit, tx, account, actor, correlation_id};
    bool role = what->set_role && what->role != account->role;
    /* Who has left by themselves and is disabled as well cannot come back by signing in. */
    bool active = what->set_active && (what->active != account->is_active ||
                                       (!what->active && account->deactivated_at != 0));
    int rc = role ? write_role(&c, what->role, err) : 0;
    if (rc == 0 && active)
        rc = write_active(&c, what->active, err);
    *ret_before_ms = 0;
    return rc < 0 || (!role && !active) ? rc : revoke(&c, ret_before_ms, err);
}

/* --- rules -------------------------------------------------------------------------------------
 */

struct admin {
    struct auth *auth;
    const struct auth_call *call;
    const struct id *actor, *user;
    const struct auth_alteration *what;
    struct auth_account account;
    int64_t before_ms; /* tokens issued earlier are refused; 0: nothing was changed */
};

static int load(struct admin *a, struct db_tx *tx, struct error *err)
{
    bool found = false;
    int rc = auth_store_get_account(tx, a->user, a->call->arena, &a->account, &found, err);
    if (rc == 0 && !found)
        rc = error_set(err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
    return rc;
}

int auth_keep_one_admin(struct db_tx *tx, const struct auth_account *account, struct error *err)
{
    bool other = false;
    if (account->role != ROLE_ADMIN || !account->is_active)
        return 0;
    int rc = auth_store_other_admin(tx, &account->user, &other, err);
    if (rc < 0 || other)
        return rc;
    return error_set(err, FAIL_CONFLICT, "last_admin",
                     "This is the last active administrator; make another one first.");
}

static bool stays_admin(const struct auth_alteration *what)
{
    return (!what->set_role || what->role == ROLE_ADMIN) && (!what->set_active || what->active);
}

static int alter_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct admin *a = arg;
    int rc = load(a, tx, err);
    if (rc == 0 && !stays_admin(a->what))
        rc = auth_keep_one_admin(tx, &a->account, err);
    return rc < 0 ? rc
                  : auth_write_alteration(a->auth->kit, tx, &a->account, a->what, a->actor,
                                          a->call->correlation_id, &a->before_ms, err);
}

int auth_admin_alter(struct auth *auth, const struct auth_call *call, const struct id *actor,
                     const struct id *user, const struct auth_alteration *what, struct error *err)
{
    struct admin a = {.auth = auth, .call = call, .actor = actor, .user = user, .what = what};
    int rc = db_write(auth->db, alter_tx, &a, err);
    if (rc < 0 || a.before_ms == 0)
        return rc;
    token_revoke_user(auth->kit->tokens, user, a.before_ms);
    auth_wait_profile(auth);
    return 0;
}

static int end_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct admin *a = arg;
    int rc = load(a, tx, err);
    if (rc == 0)
        rc = auth_write_end_all(a->auth->kit, tx, a->user, a->call->correlation_id, &a->before_ms,
                                err);
    return rc < 0 ? rc
                  : audit_user(a->auth->kit, tx, "user.sessions_ended", a->actor, a->user,
                               (struct slice){0}, a->call->correlation_id, err);
}

int auth_admin_end_sessions(struct auth *auth, const struct auth_call *call, const struct id *actor,
                            const struct id *user, struct error *err)
{
    struct admin a = {.auth = auth, .call = call, .actor = actor, .user = user};
    int rc = db_write(auth->db, end_tx, &a, err);
    if (rc == 0)
        token_revoke_user(auth->kit->tokens, user, a.before_ms);
    return rc;
}

static int check_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return load(arg, tx, err);
}

int auth_admin_check(struct auth *auth, const struct auth_call *call, const struct id *user,
                     struct error *err)
{
    struct admin a = {.auth = auth, .call = call, .user = user};
    return db_read(auth->db, check_tx, &a, err);
}

struct finding {
    const struct auth_call *call;
    enum auth_login_kind kind;
    struct slice key;
    struct auth_account account;
    bool found;
};

static int find_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct finding *f = arg;
    return auth_store_find_account(tx, f->kind, f->key, f->call->arena, &f->account, &f->found,
                                   err);
}

int auth_admin_find(struct auth *auth, const struct auth_call *call, struct slice login,
                    struct id *ret_user, struct error *err)
{
    struct finding f = {.call = call};
    *ret_user = (struct id){{0}};
    if (!auth_login_key(login, call->arena, &f.kind, &f.key))
        return 0;
    int rc = db_read(auth->db, find_tx, &f, err);
    if (rc == 0 && f.found)
        *ret_user = f.account.user;
    return rc;
}
