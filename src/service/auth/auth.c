/* Signing up and in (A04 to A06, A13, A15).
 *
 * Each rule: check, load, decide, write in one transaction, emit, return. Hashing stands between
 * loading and writing, on the crypto pool: no transaction ever waits for it. Whether an account
 * exists cannot be told from a refused sign-in, neither by its code nor by the time it took.
 */
#include "service/auth/auth.h"

#include "base/random.h"
#include "kit/consumer.h"
#include "service/auth/auth_letter.h"
#include "service/auth/auth_registration.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_account.h"
#include "service/auth/auth_store_session.h"

#define MINUTE_MS INT64_C(60000)
enum { SIGN_IN_ROUNDS = 3 }; /* an account that changes while it is checked is checked again */

static const struct limit_rule per_address = {"login-address", LIMIT_WINDOW, 5, 15 * MINUTE_MS,
                                              "too_many_attempts"};
/* What somebody who signs in is told is counted by the login, whether it is anybody's or not; that
 * another login is the same person's must not show. */
static const struct limit_rule per_login = {"login-name", LIMIT_WINDOW, 5, 15 * MINUTE_MS,
                                            "too_many_attempts"};
static const struct limit_rule per_account = {"login-account", LIMIT_WINDOW, 5, 15 * MINUTE_MS,
                                              "too_many_attempts"};
static const struct limit_rule sign_ups = {"signup-address", LIMIT_WINDOW, 10, 60 * MINUTE_MS,
                                           "too_many_signups"};

int auth_limit_address(struct auth *auth, const struct limit_rule *rule,
                       const struct auth_call *call, struct error *err)
{
    if (!auth->limit_addresses || call->address == NULL)
        return 0;
    return limit_take(auth->kit->kv, rule, limit_address(call->address), call->headers, err);
}

static struct slice account_key(const struct id *user)
{
    return slice_of((const char *)user->bytes, sizeof user->bytes);
}

void auth_forget_attempts(struct auth *auth, const struct auth_account *account)
{
    struct kv *kv = auth->kit->kv;
    const struct slice names[] = {account->username, account->email_key, account->phone};
    limit_reset(kv, &per_account, account_key(&account->user));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].ptr != NULL)
            limit_reset(kv, &per_login, names[i]);
}

static int changed_meanwhile(struct error *err)
{
    return error_set(err, FAIL_UNAVAILABLE, "busy",
                     "The account was changed meanwhile; try again.");
}

static int counted(struct metric *const metrics[AUTH_RESULTS], int rc)
{
    metric_add(metrics[rc == 0              ? AUTH_SUCCEEDED
                       : rc == FAIL_LIMITED ? AUTH_LIMITED
                                            : AUTH_FAILED],
               1);
    return rc;
}

/* --- sign-up -----------------------------------------------------------------------------------
 */

int auth_prepare_account(struct kit *kit, unsigned bcrypt_cost, struct arena *arena,
                         const struct auth_signup *in, enum role role,
                         struct auth_account *ret_account, struct error *err)
{
    char hash[PASSWORD_HASH_MAX];
    struct auth_account account = {.user = id_new(kit->clock),
                                   .email = in->email,
                                   .phone = in->phone,
                                   .role = role,
                                   .is_active = true};
    int rc = auth_username(in->username, arena, &account.username, err);
    if (in->email.ptr != NULL)
        rc |= auth_email_key(in->email, arena, &account.email_key, err);
    if (in->phone.ptr != NULL)
        rc |= auth_phone(in->phone, err);
    rc |= password_check_new(in->password, "password", err);
    if (rc != 0)
        return err->kind;
    rc = password_hash(kit->crypto, in->password, bcrypt_cost, hash, err);
    if (rc < 0)
        return rc;
    account.password_hash = arena_copy(arena, slice_str(hash));
    account.created_at = account.last_login = clock_wall_ms(kit->clock);
    *ret_account = account;
    return account.password_hash.ptr != NULL
               ? 0
               : error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
}

int auth_name_hash(struct db_tx *tx, struct slice username, uint8_t ret_hash[32], struct error *err)
{
    uint8_t fresh[SEAL_KEY_BYTES], key[SEAL_KEY_BYTES];
    random_bytes(fresh, sizeof fresh);
    int rc = auth_store_secret(tx, "names", fresh, key, err);
    if (rc == 0)
        seal_mac(key, username, ret_hash);
    return rc;
}

/* The name of somebody who has left is nobody else's: whoever had it would pass for them. */
static int refuse_left(struct db_tx *tx, struct slice username, struct error *err)
{
    uint8_t hash[32];
    bool reserved = false;
    int rc = auth_name_hash(tx, username, hash, err);
    if (rc == 0)
        rc = auth_store_name_reserved(tx, hash, &reserved, err);
    if (rc < 0 || !reserved)
        return rc;
    rc = error_set(err, FAIL_CONFLICT, "username_taken", "This username is taken.");
    error_field(err, "username", "username_taken", "This username is taken.");
    return rc;
}

int auth_write_account(struct kit *kit, struct db_tx *tx, const struct auth_account *account,
                       struct slice full_name, struct slice correlation_id, struct error *err)
{
    struct auth_user_created created = {.id = account->user,
                                        .username = account->username,
                                        .full_name = full_name,
                                        .email = account->email,
                                        .phone = account->phone,
                                        .role = (int)account->role,
                                        .created_at = account->created_at};
    int rc = auth_store_refuse_taken(tx, account, err);
    if (rc == 0)
        rc = refuse_left(tx, account->username, err);
    if (rc == 0)
        rc = auth_store_insert_account(tx, account, err);
    if (rc == 0)
        rc = auth_emit_created(kit, tx, &created, correlation_id, err);
    return rc;
}

struct sign_up {
    struct auth *auth;
    const struct auth_call *call;
    const struct auth_signup *in;
    struct auth_account account;
    struct auth_new_session session;
    struct auth_expected expected;
};

static int sign_up_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sign_up *s = arg;
    struct slice correlation_id = s->call->correlation_id;
    int rc =
        auth_write_account(s->auth->kit, tx, &s->account, s->in->full_name, correlation_id, err);
    if (rc == 0)
        rc = auth_begin_registration(s->auth, tx, &s->account.user, err);
    if (rc == 0)
        rc = auth_write_session(s->auth, tx, &s->session, &s->account.user, (struct slice){0},
                                correlation_id, err);
    return rc;
}

/* The account is there and pending; what the other rooms make of it follows by event. Until then
 * nobody is signed in. */
static int finish_sign_up(struct sign_up *s, struct auth_grant *ret_grant, bool *ret_pending,
                          struct error *err)
{
    struct error waited;
    error_init(&waited);
    int rc = s->auth->wait_registered(s->auth, &s->expected, &waited);
    *ret_pending = rc == FAIL_TIMEOUT;
    if (*ret_pending)
        return auth_end_session(s->auth, s->call, &s->account.user, &s->session.id, err);
    if (rc < 0)
        return error_set(err, (enum fail)rc, waited.code, "%s", waited.detail);
    return auth_fill_grant(s->auth, s->call, &s->account, &s->session.id,
                           slice_str(s->session.refresh.text), ret_grant, err);
}

static int sign_up(struct auth *auth, const struct auth_call *call, const struct auth_signup *in,
                   struct auth_grant *ret_grant, bool *ret_pending, struct error *err)
{
    struct sign_up s = {.auth = auth, .call = call, .in = in};
    *ret_pending = false;
    int rc = auth_limit_address(auth, &sign_ups, call, err);
    if (rc == 0)
        rc = auth_prepare_account(auth->kit, auth->bcrypt_cost, call->arena, in, ROLE_USER,
                                  &s.account, err);
    if (rc < 0)
        return rc;
    auth_new_session(auth, &s.session);
    auth_expect(auth, &s.expected, &s.account.user);
    rc = db_write(auth->db, sign_up_tx, &s, err);
    if (rc == 0)
        rc = finish_sign_up(&s, ret_grant, ret_pending, err);
    auth_unexpect(&s.expected);
    return rc;
}

int auth_sign_up(struct auth *auth, const struct auth_call *call, const struct auth_signup *in,
                 struct auth_grant *ret_grant, bool *ret_pending, struct error *err)
{
    return counted(auth->sign_ups, sign_up(auth, call, in, ret_grant, ret_pending, err));
}

/* --- sign-in -----------------------------------------------------------------------------------
 */

struct sign_in {
    struct auth *auth;
    const struct auth_call *call;
    struct slice device_name;
    enum auth_login_kind kind;
    struct slice key; /* absent: no account can have that name */
    struct auth_account account;
    bool found, pending;
    bool locked;                    /* the account has had its attempts, by whichever login */
    bool returning;                 /* the owner had left, and is back with this */
    bool written;                   /* false: the account is no more what was checked */
    char rehash[PASSWORD_HASH_MAX]; /* "" when the stored one is good enough */
    struct auth_new_session session;
};

static int find_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sign_in *s = arg;
    int rc =
        auth_store_find_account(tx, s->kind, s->key, s->call->arena, &s->account, &s->found, err);
    return rc == 0 && s->found ? auth_is_pending(tx, &s->account.user, &s->pending, err) : rc;
}

static int find_account(struct sign_in *s, struct slice login, struct error *err)
{
    s->found = false;
    if (!auth_login_key(login, s->call->arena, &s->kind, &s->key)) {
        s->key = login;
        return 0;
    }
    return db_read(s->auth->db, find_tx, s, err);
}

/* An account is counted too, whichever of its names was used; whoever is refused by that must not
 * learn it, for they may not have tried this name before. */
static int limit_attempts(struct sign_in *s, struct error *err)
{
    struct kv *kv = s->auth->kit->kv;
    struct error untold;
    error_init(&untold);
    int rc = limit_take(kv, &per_login, s->key, s->call->headers, err);
    s->locked = rc == 0 && s->found &&
                limit_take(kv, &per_account, account_key(&s->account.user), NULL, &untold) < 0;
    return rc;
}

static int check_password(struct sign_in *s, struct slice password, struct error *err)
{
    bool match = false;
    struct slice stored = s->found && !s->locked ? s->account.password_hash : (struct slice){0};
    int rc =
        password_verify(s->auth->kit->crypto, password, stored, s->auth->bcrypt_cost, &match, err);
    if (rc < 0)
        return rc;
    if (!match)
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_credentials",
                         "The login or the password is not right.");
    s->returning = !s->account.is_active && s->account.deactivated_at > 0;
    if (!s->account.is_active && !s->returning)
        return error_set(err, FAIL_FORBIDDEN, "account_disabled", "This account is disabled.");
    s->rehash[0] = 0;
    if (password_hash_is_weak(stored, s->auth->bcrypt_cost))
        return password_hash(s->auth->kit->crypto, password, s->auth->bcrypt_cost, s->rehash, err);
    return 0;
}

static int write_sign_in(struct sign_in *s, struct db_tx *tx, struct error *err)
{
    const struct id *user = &s->account.user;
    s->account.is_active = true;
    s->account.last_login = s->session.now_ms;
    int rc = auth_store_set_last_login(tx, user, s->account.last_login, err);
    if (rc == 0 && s->rehash[0] != 0)
        rc = auth_store_set_password(tx, user, slice_str(s->rehash), err);
    if (rc == 0 && s->returning)
        rc = auth_store_reactivate(tx, user, err);
    if (rc == 0)
        rc = auth_write_session(s->auth, tx, &s->session, user, s->device_name,
                                s->call->correlation_id, err);
    if (rc == 0)
        rc = auth_emit_changed(s->auth->kit, tx, &s->account, s->call->correlation_id, err);
    return rc;
}

/* Hashing took its time: nothing is written for an account that is no more what was checked. */
static int sign_in_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sign_in *s = arg;
    struct auth_account checked = s->account;
    int rc = auth_store_get_account(tx, &checked.user, s->call->arena, &s->account, &s->found, err);
    s->written = rc == 0 && s->found && auth_same_standing(&checked, &s->account);
    return s->written ? write_sign_in(s, tx, err) : rc;
}

/* Checks what has been read, and writes when that has not changed meanwhile. */
static int try_sign_in(struct sign_in *s, struct slice password, struct auth_grant *ret_grant,
                       struct error *err)
{
    const struct user_profile *profile;
    int rc = check_password(s, password, err);
    if (rc == 0 && s->pending)
        rc = auth_wait_pending(s->auth, &s->account.user, err);
    if (rc == 0)
        rc = auth_profile(s->auth, s->call, &s->account.user, &profile, err);
    if (rc < 0)
        return rc;
    auth_new_session(s->auth, &s->session);
    rc = auth_fill_tokens(s->auth, s->call, &s->account, &s->session.id,
                          slice_str(s->session.refresh.text), ret_grant, err);
    return rc < 0 ? rc : db_write(s->auth->db, sign_in_tx, s, err);
}

static int sign_in(struct auth *auth, const struct auth_call *call, const struct auth_login *in,
                   struct auth_grant *ret_grant, struct error *err)
{
    struct sign_in s = {.auth = auth, .call = call, .device_name = in->device_name};
    int rc = auth_limit_address(auth, &per_address, call, err);
    if (rc == 0)
        rc = find_account(&s, in->login, err);
    if (rc == 0)
        rc = limit_attempts(&s, err);
    for (int round = 0; rc == 0 && !s.written && round < SIGN_IN_ROUNDS; round++)
        rc = try_sign_in(&s, in->password, ret_grant, err);
    if (rc == 0 && !s.written)
        rc = changed_meanwhile(err);
    if (rc < 0)
        return rc;
    auth_forget_attempts(auth, &s.account);
    if (s.returning)
        auth_wait_profile(auth);
    return auth_profile(auth, call, &s.account.user, &ret_grant->user, err);
}

int auth_sign_in(struct auth *auth, const struct auth_call *call, const struct auth_login *in,
                 struct auth_grant *ret_grant, struct error *err)
{
    int64_t started_ns = clock_mono_ns(auth->kit->clock);
    int rc = counted(auth->sign_ins, sign_in(auth, call, in, ret_grant, err));
    metric_observe_ns(auth->sign_in_seconds, clock_mono_ns(auth->kit->clock) - started_ns);
    return rc;
}

/* --- password ----------------------------------------------------------------------------------
 */

struct confirm {
    const struct auth_call *call;
    const struct id *user;
    struct auth_account account;
    bool found;
};

static int get_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct confirm *c = arg;
    return auth_store_get_account(tx, c->user, c->call->arena, &c->account, &c->found, err);
}

int auth_confirm_password(struct auth *auth, const struct auth_call *call, const struct id *user,
                          struct slice password, struct auth_account *ret_account,
                          struct error *err)
{
    struct confirm c = {.call = call, .user = user};
    bool match = false;
    int rc = limit_take(auth->kit->kv, &per_account, account_key(user), call->headers, err);
    if (rc == 0)
        rc = db_read(auth->db, get_tx, &c, err);
    if (rc < 0)
        return rc;
    struct slice stored = c.found ? c.account.password_hash : (struct slice){0};
    rc = password_verify(auth->kit->crypto, password, stored, auth->bcrypt_cost, &match, err);
    if (rc == 0 && !match)
        rc = error_set(err, FAIL_FORBIDDEN, "wrong_password", "The current password is not right.");
    if (rc < 0)
        return rc;
    auth_forget_attempts(auth, &c.account);
    *ret_account = c.account;
    return 0;
}

int auth_read_confirmed(struct db_tx *tx, const struct auth_call *call,
                        struct auth_account *account, struct error *err)
{
    struct auth_account confirmed = *account;
    bool found = false;
    int rc = auth_store_get_account(tx, &confirmed.user, call->arena, account, &found, err);
    if (rc < 0)
        return rc;
    return found && auth_same_standing(&confirmed, account) ? 0 : changed_meanwhile(err);
}

struct change {
    struct auth *auth;
    const struct auth_call *call;
    const struct principal *who;
    struct auth_account account;
    char hash[PASSWORD_HASH_MAX];
    struct id ended[AUTH_SESSIONS_MAX];
    size_t ended_count;
};

static int change_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    struct auth_letter letter = {.kind = AUTH_LETTER_PASSWORD_CHANGED, .user = c->who->user};
    int rc = auth_read_confirmed(tx, c->call, &c->account, err);
    if (rc == 0)
        rc = auth_store_set_password(tx, &c->who->user, slice_str(c->hash), err);
    if (rc == 0)
        rc = auth_write_end_others(c->auth->kit, tx, &c->who->user, &c->who->session,
                                   c->call->correlation_id, c->ended, &c->ended_count, err);
    if (rc == 0)
        rc = auth_letter_queue(c->auth, tx, letter, err);
    return rc;
}

int auth_change_password(struct auth *auth, const struct auth_call *call,
                         const struct principal *who, struct slice current, struct slice fresh,
                         struct error *err)
{
    struct change c = {.auth = auth, .call = call, .who = who};
    int rc = password_check_new(fresh, "new_password", err);
    if (rc == 0)
        rc = auth_confirm_password(auth, call, &who->user, current, &c.account, err);
    if (rc == 0)
        rc = password_hash(auth->kit->crypto, fresh, auth->bcrypt_cost, c.hash, err);
    if (rc == 0)
        rc = db_write(auth->db, change_tx, &c, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < c.ended_count; i++)
        token_revoke_session(auth->kit->tokens, &c.ended[i]);
    return 0;
}
