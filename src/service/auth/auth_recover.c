/* What proves an address, and what a forgotten password is replaced with (A13).
 *
 * Nobody learns from here who has an account: asking for a reset writes one row for whatever was
 * asked, and the job finds out whom it concerns; resetting hashes the new password before it looks
 * whether there is anybody, and has one refusal for everything that may be wrong.
 */
#include "service/auth/auth_code.h"
#include "service/auth/auth_letter.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_account.h"

#define MINUTE_MS INT64_C(60000)

/* Codes that go out, and guesses. An account's five codes take five tries each, twenty a day: one
 * in ten thousand to guess one in a day. */
static const struct limit_rule codes_account = {"code-account", LIMIT_WINDOW, 5, 15 * MINUTE_MS,
                                                "too_many_codes"};
static const struct limit_rule codes_day = {"code-account-day", LIMIT_WINDOW, 20,
                                            24 * 60 * MINUTE_MS, "too_many_codes"};
static const struct limit_rule codes_address = {"code-address", LIMIT_WINDOW, 20, 15 * MINUTE_MS,
                                                "too_many_codes"};
static const struct limit_rule guesses_account = {"reset-account", LIMIT_WINDOW, 30, 15 * MINUTE_MS,
                                                  "too_many_attempts"};
static const struct limit_rule guesses_address = {"reset-address", LIMIT_WINDOW, 30, 15 * MINUTE_MS,
                                                  "too_many_attempts"};

static int limit_codes(struct auth *auth, struct slice key, const struct auth_call *call,
                       struct error *err)
{
    int rc = auth_limit_address(auth, &codes_address, call, err);
    if (rc == 0)
        rc = limit_take(auth->kit->kv, &codes_account, key, call->headers, err);
    if (rc == 0) /* last: what is refused by the others does not count here */
        rc = limit_take(auth->kit->kv, &codes_day, key, NULL, err);
    return rc;
}

static int wrong_code(struct error *err)
{
    return error_set(err, FAIL_FORBIDDEN, "invalid_code",
                     "The code is not right, or serves no longer; ask for a new one.");
}

/* --- verification ------------------------------------------------------------------------------
 */

struct verify {
    struct auth *auth;
    const struct auth_call *call;
    const struct id *user;
    enum auth_channel channel;
    struct slice code;
    struct auth_account account;
    bool good;
};

static int load_unverified(struct verify *v, struct db_tx *tx, struct error *err)
{
    bool found = false;
    bool email = v->channel == AUTH_CHANNEL_EMAIL;
    int rc = auth_store_get_account(tx, v->user, v->call->arena, &v->account, &found, err);
    if (rc < 0)
        return rc;
    if (!found || auth_address(&v->account, v->channel).ptr == NULL)
        return error_set(err, FAIL_CONFLICT, email ? "no_email" : "no_phone",
                         "The account has no %s.", email ? "e-mail address" : "phone number");
    if (email ? v->account.email_verified : v->account.phone_verified)
        return error_set(err, FAIL_CONFLICT, "already_verified", "This is verified already.");
    return 0;
}

static int ask_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct verify *v = arg;
    struct auth_letter letter = {.user = *v->user,
                                 .kind = v->channel == AUTH_CHANNEL_EMAIL
                                             ? AUTH_LETTER_VERIFY_EMAIL
                                             : AUTH_LETTER_VERIFY_PHONE};
    int rc = load_unverified(v, tx, err);
    return rc < 0 ? rc : auth_letter_queue(v->auth, tx, letter, err);
}

int auth_ask_verification(struct auth *auth, const struct auth_call *call, const struct id *user,
                          enum auth_channel channel, struct error *err)
{
    struct verify v = {.auth = auth, .call = call, .user = user, .channel = channel};
    int rc = limit_codes(auth, slice_of((const char *)user->bytes, sizeof user->bytes), call, err);
    return rc < 0 ? rc : db_write(auth->db, ask_tx, &v, err);
}

static int verify_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct verify *v = arg;
    int rc = load_unverified(v, tx, err);
    if (rc == 0)
        rc = auth_code_use(tx, v->auth->code_key, &v->account,
                           v->channel == AUTH_CHANNEL_EMAIL ? AUTH_CODE_VERIFY_EMAIL
                                                            : AUTH_CODE_VERIFY_PHONE,
                           v->code, auth_now(v->auth), &v->good, err);
    if (rc < 0 || !v->good)
        return rc;
    v->account.is_verified = true;
    rc = auth_store_set_verified(tx, v->user, v->channel, err);
    if (rc == 0)
        rc = auth_emit_changed(v->auth->kit, tx, &v->account, v->call->correlation_id, err);
    return rc;
}

int auth_verify(struct auth *auth, const struct auth_call *call, const struct id *user,
                enum auth_channel channel, struct slice code, struct error *err)
{
    struct verify v = {.auth = auth, .call = call, .user = user, .channel = channel, .code = code};
    int rc = db_write(auth->db, verify_tx, &v, err);
    if (rc < 0)
        return rc;
    if (!v.good)
        return wrong_code(err);
    auth_wait_profile(auth);
    return 0;
}

/* --- a forgotten password ----------------------------------------------------------------------
 */

static int forgot_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct auth_letter *letter = arg;
    struct auth *auth = letter->auth;
    return auth_letter_queue(auth, tx, *letter, err);
}

int auth_forgot_password(struct auth *auth, const struct auth_call *call, struct slice login,
                         struct error *err)
{
    struct auth_letter letter = {.auth = auth, .kind = AUTH_LETTER_RESET};
    bool possible = auth_login_key(login, call->arena, &letter.login_kind, &letter.login_key);
    int rc = limit_codes(auth, possible ? letter.login_key : login, call, err);
    return rc < 0 || !possible ? rc : db_write(auth->db, forgot_tx, &letter, err);
}

struct reset {
    struct auth *auth;
    const struct auth_call *call;
    enum auth_login_kind kind;
    struct slice key, code;
    char hash[PASSWORD_HASH_MAX];
    struct auth_account account;
    bool good;
    int64_t now_ms, before_ms;
};

static int write_reset(struct reset *r, struct db_tx *tx, struct error *err)
{
    const struct id *user = &r->account.user;
    struct auth_letter letter = {.kind = AUTH_LETTER_PASSWORD_CHANGED, .user = *user};
    int rc = auth_store_set_password(tx, user, slice_str(r->hash), err);
    if (rc == 0)
        rc =
            auth_write_end_all(r->auth->kit, tx, user, r->call->correlation_id, &r->before_ms, err);
    if (rc == 0)
        rc = auth_letter_queue(r->auth, tx, letter, err);
    return rc;
}

static int reset_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct reset *r = arg;
    bool found = false;
    int rc = auth_store_find_account(tx, r->kind, r->key, r->call->arena, &r->account, &found, err);
    if (rc < 0 || !found)
        return rc;
    rc = auth_code_use(tx, r->auth->code_key, &r->account, AUTH_CODE_RESET, r->code, r->now_ms,
                       &r->good, err);
    return rc < 0 || !r->good ? rc : write_reset(r, tx, err);
}

int auth_reset_password(struct auth *auth, const struct auth_call *call, struct slice login,
                        struct slice code, struct slice fresh, struct error *err)
{
    struct reset r = {.auth = auth, .call = call, .code = code, .now_ms = auth_now(auth)};
    bool possible = auth_login_key(login, call->arena, &r.kind, &r.key);
    int rc = password_check_new(fresh, "new_password", err);
    if (rc == 0)
        rc = auth_limit_address(auth, &guesses_address, call, err);
    if (rc == 0)
        rc = limit_take(auth->kit->kv, &guesses_account, possible ? r.key : login, call->headers,
                        err);
    if (rc == 0)
        rc = password_hash(auth->kit->crypto, fresh, auth->bcrypt_cost, r.hash, err);
    if (rc == 0 && possible)
        rc = db_write(auth->db, reset_tx, &r, err);
    if (rc < 0)
        return rc;
    if (!r.good)
        return wrong_code(err);
    token_revoke_user(auth->kit->tokens, &r.account.user, r.before_ms);
    auth_forget_attempts(auth, &r.account);
    return 0;
}
