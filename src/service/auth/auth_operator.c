/* What operators do to accounts: from the command line, with the server running or not. The rules
 * are those of the room; only sign-up's limits and answers are left out. */
#include "kit/audit.h"
#include "service/auth/auth_admin.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_session.h"

enum { ARENA_BYTES_MAX = 1 << 20 };

struct create {
    struct kit *kit;
    const struct auth_signup *in;
    struct auth_account account;
};

static int create_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct create *c = arg;
    struct audit_entry entry = {
        .action = "user.created", .subject_kind = "user", .subject = &c->account.user};
    int rc = auth_write_account(c->kit, tx, &c->account, c->in->full_name, (struct slice){0}, err);
    return rc < 0 ? rc : audit_write(c->kit, tx, &entry, err);
}

int auth_user_create(struct kit *kit, const struct auth_signup *in, enum role role,
                     struct id *ret_user, struct error *err)
{
    struct create c = {.kit = kit, .in = in};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    int rc = auth_prepare_account(kit, (unsigned)config_int(kit->config, "auth.bcrypt_cost"),
                                  &arena, in, role, &c.account, err);
    if (rc == 0)
        rc = db_write(kit_db(kit, "auth"), create_tx, &c, err);
    if (rc == 0)
        *ret_user = c.account.user;
    arena_done(&arena);
    return rc;
}

struct alter {
    struct kit *kit;
    struct arena *arena;
    enum auth_login_kind kind;
    struct slice key;
    enum role role;
    bool set_role, active;
    struct auth_account account;
    int64_t before_ms; /* as in auth_write_alteration */
};

static int find(struct alter *a, struct db_tx *tx, struct error *err)
{
    bool found = false;
    int rc = auth_store_find_account(tx, a->kind, a->key, a->arena, &a->account, &found, err);
    if (rc == 0 && !found)
        rc = error_set(err, FAIL_NOT_FOUND, "user_not_found", "There is no such account.");
    return rc;
}

static int alter_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct alter *a = arg;
    struct auth_alteration what = {
        .set_role = a->set_role, .role = a->role, .set_active = !a->set_role, .active = a->active};
    int rc = find(a, tx, err);
    return rc < 0 ? rc
                  : auth_write_alteration(a->kit, tx, &a->account, &what, NULL, (struct slice){0},
                                          &a->before_ms, err);
}

static int alter(struct alter *a, struct slice login, struct error *err)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    a->arena = &arena;
    int rc = auth_login_key(login, &arena, &a->kind, &a->key)
                 ? db_write(kit_db(a->kit, "auth"), alter_tx, a, err)
                 : error_set(err, FAIL_NOT_FOUND, "user_not_found", "There is no such account.");
    if (rc == 0 && a->before_ms != 0 && a->kit->tokens != NULL)
        token_revoke_user(a->kit->tokens, &a->account.user, a->before_ms);
    arena_done(&arena);
    return rc;
}

int auth_user_set_role(struct kit *kit, struct slice login, enum role role, struct error *err)
{
    struct alter a = {.kit = kit, .role = role, .set_role = true};
    return alter(&a, login, err);
}

int auth_user_set_active(struct kit *kit, struct slice login, bool active, struct error *err)
{
    struct alter a = {.kit = kit, .active = active};
    return alter(&a, login, err);
}

int auth_keys_rotate(struct kit *kit, struct error *err)
{
    struct db *db = kit_db(kit, "auth");
    struct auth *auth = kit->rooms != NULL ? kit_room(kit, "auth") : NULL;
    int rc = auth != NULL ? auth_tend_keys(auth, err) : 0; /* those that are over do not count */
    if (rc == 0)
        rc = auth_keys_add(kit, db, err);
    if (rc == 0 && auth != NULL)
        rc = auth_tend_keys(auth, err);
    return rc;
}
