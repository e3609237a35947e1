/* The room's state and the steps that its rules share; inside src/service/auth only. */
#ifndef PARLEY_SERVICE_AUTH_ROOM_H
#define PARLEY_SERVICE_AUTH_ROOM_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/metric.h"
#include "kit/limit.h"
#include "kit/password.h"
#include "service/auth/auth_keys.h"
#include "service/auth/auth_refresh_token.h"
#include "service/auth/auth_store.h"

#define AUTH_SESSIONS_MAX 100       /* of one user; the oldest ends when there is one more */
#define AUTH_REFRESH_GRACE_MS 10000 /* the same refresh token gives the same answer (A02) */
#define AUTH_PROFILE_WAIT_MS 2000   /* sign-up answers "pending" after this */

enum auth_letter_result {
    AUTH_LETTER_SENT,
    AUTH_LETTER_DELAYED,
    AUTH_LETTER_GIVEN_UP,
    AUTH_LETTER_NOBODY,
    AUTH_LETTER_LIMITED,
    AUTH_LETTER_RESULTS
};
enum auth_result { AUTH_SUCCEEDED, AUTH_FAILED, AUTH_LIMITED, AUTH_RESULTS };

struct auth_expected;

struct auth {
    struct kit *kit;
    struct db *db;
    unsigned bcrypt_cost;
    int64_t access_ttl_ms, refresh_ttl_ms;
    bool limit_addresses;
    uint8_t refresh_key[SEAL_KEY_BYTES], code_key[SEAL_KEY_BYTES];
    struct auth_keys keys;
    struct auth_follower *followers; /* one per loop, see auth_events.c */
    struct list *expecting;          /* one per loop: who waits for a registration to end */
    struct metric *sign_ins[AUTH_RESULTS], *sign_ups[AUTH_RESULTS];
    struct metric *sign_in_seconds;
    _Atomic bool letters_due; /* one was queued since the job looked */
    int64_t letters_look_ms;  /* monotonic; the job's own */
    struct metric *letters[AUTH_LETTER_RESULTS];
    /* Until the profile of a user made at `pos` is there; FAIL_TIMEOUT. The kit's consumer_wait. */
    int (*wait_profile)(struct auth *auth, uint64_t pos, struct error *err);
    /* Until a registration has ended; auth_wait_registered. */
    int (*wait_registered)(struct auth *auth, struct auth_expected *expected, struct error *err);
};

static inline int64_t auth_now(const struct auth *auth)
{
    return clock_wall_ms(auth->kit->clock);
}

/* A session about to be written, with the tokens that its owner gets. */
struct auth_new_session {
    struct id id;
    struct auth_refresh_token refresh;
    int64_t now_ms, expires_ms;
};
void auth_new_session(struct auth *auth, struct auth_new_session *ret_session);
/* Inside db_write: writes it and ends the oldest above AUTH_SESSIONS_MAX. */
int auth_write_session(struct auth *auth, struct db_tx *tx, const struct auth_new_session *session,
                       const struct id *user, struct slice device_name, struct slice correlation_id,
                       struct error *err) MUSTCHECK;
/* Whether two readings of a row give the same person the same rights by the same password. A token
 * is signed before the transaction that vouches for it; there the row is read again, and the token
 * is given out only when nothing of this has changed since. Whatever changes it later takes its
 * time in a later transaction, and so refuses the token. */
bool auth_same_standing(const struct auth_account *a, const struct auth_account *b);
/* Signs the access token and fills the grant, but for the user. */
int auth_fill_tokens(struct auth *auth, const struct auth_call *call,
                     const struct auth_account *account, const struct id *session,
                     struct slice refresh_token, struct auth_grant *ret_grant,
                     struct error *err) MUSTCHECK;
/* The same and the user. 403 account_pending. */
int auth_fill_grant(struct auth *auth, const struct auth_call *call,
                    const struct auth_account *account, const struct id *session,
                    struct slice refresh_token, struct auth_grant *ret_grant,
                    struct error *err) MUSTCHECK;
/* The user's profile in the arena. 403 account_pending while there is none. */
int auth_profile(struct auth *auth, const struct auth_call *call, const struct id *user,
                 const struct user_profile **ret_profile, struct error *err) MUSTCHECK;
/* Checks the fields of a new account and hashes its password; waits. */
int auth_prepare_account(struct kit *kit, unsigned bcrypt_cost, struct arena *arena,
                         const struct auth_signup *in, enum role role,
                         struct auth_account *ret_account, struct error *err) MUSTCHECK;
/* Inside db_write: refuses what is taken, writes the account, emits user.created. */
int auth_write_account(struct kit *kit, struct db_tx *tx, const struct auth_account *account,
                       struct slice full_name, struct slice correlation_id,
                       struct error *err) MUSTCHECK;
/* Inside db_write: ends the user's living sessions but `except` (nil: all) and emits for each. At
 * most AUTH_SESSIONS_MAX, into ids[]. */
int auth_write_end_others(struct kit *kit, struct db_tx *tx, const struct id *user,
                          const struct id *except, struct slice correlation_id,
                          struct id ids[AUTH_SESSIONS_MAX], size_t *ret_count,
                          struct error *err) MUSTCHECK;
/* Inside db_write: refuses every access token issued so far. The time is that of the transaction,
 * for a token may be signed while it is queued; the caller tells token_revoke_user *ret_before_ms
 * after the commit. */
int auth_write_refuse_tokens(struct kit *kit, struct db_tx *tx, const struct id *user,
                             struct slice correlation_id, int64_t *ret_before_ms,
                             struct error *err) MUSTCHECK;
/* The same, and ends all sessions. */
int auth_write_end_all(struct kit *kit, struct db_tx *tx, const struct id *user,
                       struct slice correlation_id, int64_t *ret_before_ms,
                       struct error *err) MUSTCHECK;
/* Whether it is the user's password: 0 and the account, 403 wrong_password, 429 too_many_attempts.
 * Counts as an attempt to sign in. Waits. */
int auth_confirm_password(struct auth *auth, const struct auth_call *call, const struct id *user,
                          struct slice password, struct auth_account *ret_account,
                          struct error *err) MUSTCHECK;
/* Inside db_write, first of all: reads again the account whose password was confirmed. 503 busy
 * when it is no more what it was then: whoever tries again gets the answer that is due. */
int auth_read_confirmed(struct db_tx *tx, const struct auth_call *call,
                        struct auth_account *account, struct error *err) MUSTCHECK;
/* Until the profile has followed whatever has been committed so far, for up to two seconds. */
void auth_wait_profile(struct auth *auth);
/* Of signing in, by all its names. */
void auth_forget_attempts(struct auth *auth, const struct auth_account *account);
/* The keyed hash under which a name stays reserved; inside db_write. */
int auth_name_hash(struct db_tx *tx, struct slice username, uint8_t ret_hash[32],
                   struct error *err) MUSTCHECK;
/* One from what this client address may ask for. */
int auth_limit_address(struct auth *auth, const struct limit_rule *rule,
                       const struct auth_call *call, struct error *err) MUSTCHECK;

/* --- events ---------------------------------------------------------------------------------- */
/* Inside db_write. */
int auth_emit_created(struct kit *kit, struct db_tx *tx, const struct auth_user_created *data,
                      struct slice correlation_id, struct error *err) MUSTCHECK;
int auth_emit_revoked(struct kit *kit, struct db_tx *tx, const struct auth_session_revoked *data,
                      struct slice correlation_id, struct error *err) MUSTCHECK;
int auth_emit_changed(struct kit *kit, struct db_tx *tx, const struct auth_account *account,
                      struct slice correlation_id, struct error *err) MUSTCHECK;
int auth_emit_deleted(struct kit *kit, struct db_tx *tx, const struct auth_user_deleted *data,
                      struct slice correlation_id, struct error *err) MUSTCHECK;
int auth_emit_contact(struct kit *kit, struct db_tx *tx, const struct auth_account *account,
                      struct slice correlation_id, struct error *err) MUSTCHECK;
/* From the log, on every node: refuses the tokens of sessions that others have ended. */
void auth_follow_revocations(struct auth *auth);
/* At start: what was revoked while this process was not running. */
int auth_load_revocations(struct auth *auth, struct error *err) MUSTCHECK;
/* See export_person of kit/module.h. */
int auth_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err);
int auth_sweep(void *room, struct error *err);     /* job: old sessions and answers go */
int auth_tend_keys(void *room, struct error *err); /* job: keys whose time has come or gone */

#endif
