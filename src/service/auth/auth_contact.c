/* Another e-mail address or phone number, or none (A13).
 *
 * It takes the password, because whoever can read the address can set a new one. The new address is
 * not verified, codes that went to the old one serve no more, and the old one is told when it was
 * verified: any other may be a stranger's. The profile follows by event.
 */
#include "service/auth/auth_code.h"
#include "service/auth/auth_letter.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_store_account.h"

/* Whoever changes it often writes to others with it, or asks whose addresses are taken. */
static const struct limit_rule changes = {"contact-account", LIMIT_WINDOW, 5, INT64_C(3600000),
                                          "too_many_changes"};

struct move {
    struct auth *auth;
    const struct auth_call *call;
    enum auth_channel channel;
    struct slice address, key; /* absent: none from now on */
    struct auth_account account;
};

static int read_address(struct move *m, struct slice given, struct error *err)
{
    m->address = m->key = given;
    if (given.ptr == NULL)
        return 0;
    return m->channel == AUTH_CHANNEL_EMAIL ? auth_email_key(given, m->call->arena, &m->key, err)
                                            : auth_phone(given, err);
}

/* Only the new address is asked for: the account has its other names already. */
static int refuse_taken(const struct move *m, struct db_tx *tx, struct error *err)
{
    struct auth_account wanted = {.user = m->account.user};
    if (m->channel == AUTH_CHANNEL_EMAIL)
        wanted.email_key = m->key;
    else
        wanted.phone = m->key;
    return m->key.ptr != NULL ? auth_store_refuse_taken(tx, &wanted, err) : 0;
}

static void apply(struct move *m)
{
    struct auth_account *a = &m->account;
    if (m->channel == AUTH_CHANNEL_EMAIL) {
        a->email = m->address;
        a->email_key = m->key;
        a->email_verified = false;
    } else {
        a->phone = m->address;
        a->phone_verified = false;
    }
    a->is_verified = a->email_verified || a->phone_verified;
}

static int tell_old_address(struct move *m, struct db_tx *tx, struct slice old, struct error *err)
{
    bool email = m->channel == AUTH_CHANNEL_EMAIL;
    struct auth_letter letter = {.kind = AUTH_LETTER_ADDRESS_CHANGED,
                                 .user = m->account.user,
                                 .login_kind = email ? AUTH_BY_EMAIL : AUTH_BY_PHONE,
                                 .login_key = old};
    return auth_letter_queue(m->auth, tx, letter, err);
}

static int write_move(struct move *m, struct db_tx *tx, struct error *err)
{
    const struct id *user = &m->account.user;
    bool email = m->channel == AUTH_CHANNEL_EMAIL;
    bool verified = email ? m->account.email_verified : m->account.phone_verified;
    struct slice old = email ? m->account.email : m->account.phone;
    apply(m);
    int rc = auth_store_set_contact(tx, &m->account, err);
    if (rc == 0)
        rc = auth_store_delete_code(tx, user,
                                    email ? AUTH_CODE_VERIFY_EMAIL : AUTH_CODE_VERIFY_PHONE, err);
    if (rc == 0)
        rc = auth_store_delete_code(tx, user, AUTH_CODE_RESET, err);
    if (rc == 0 && verified)
        rc = tell_old_address(m, tx, old, err);
    if (rc == 0)
        rc = auth_emit_contact(m->auth->kit, tx, &m->account, m->call->correlation_id, err);
    return rc;
}

static int move_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct move *m = arg;
    int rc = auth_read_confirmed(tx, m->call, &m->account, err);
    if (rc < 0)
        return rc;
    struct slice present = auth_address(&m->account, m->channel);
    if ((present.ptr == NULL) == (m->key.ptr == NULL) && slice_eq(present, m->key))
        return 0; /* it is the same; what was verified stays so */
    rc = refuse_taken(m, tx, err);
    return rc < 0 ? rc : write_move(m, tx, err);
}

int auth_set_contact(struct auth *auth, const struct auth_call *call, const struct id *user,
                     enum auth_channel channel, struct slice address, struct slice password,
                     struct error *err)
{
    struct move m = {.auth = auth, .call = call, .channel = channel};
    int rc = read_address(&m, address, err);
    if (rc == 0)
        rc = auth_confirm_password(auth, call, user, password, &m.account, err);
    if (rc == 0)
        rc =
            limit_take(auth->kit->kv, &changes,
                       slice_of((const char *)user->bytes, sizeof user->bytes), call->headers, err);
    if (rc == 0)
        rc = db_write(auth->db, move_tx, &m, err);
    if (rc == 0)
        auth_wait_profile(auth);
    return rc;
}
