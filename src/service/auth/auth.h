/* Sign-in: accounts, sessions, tokens, signing keys (A01 to A13).
 *
 * An account belongs to a user id; the profile with that id is the user room's. A session is one
 * device; its refresh token changes at every use, and using an old one again ends the session.
 * Rules fill a struct error and may wait, unless they say otherwise; text in results lives in the
 * arena of the call.
 */
#ifndef PARLEY_SERVICE_AUTH_H
#define PARLEY_SERVICE_AUTH_H

#include <netinet/in.h>

#include "base/arena.h"
#include "contract/auth.h"
#include "contract/user.h"
#include "kit/module.h"
#include "kit/paging.h"

struct auth;
extern const struct module auth_module;
/* What auth.signing_key, auth.secret and auth.secret_file give can sign; else a field error under
 * the one that counts. Blocks. */
int auth_check_key(const struct config *config, struct error *err) MUSTCHECK;

/* Who calls, whatever the way in. */
struct auth_call {
    struct arena *arena;
    const struct in6_addr *address; /* NULL: no limit per address (command line) */
    struct buf *headers;            /* RateLimit lines go here; may be NULL */
    struct slice correlation_id;
};

struct auth_signup {
    struct slice username, email, phone, password, full_name; /* absent when not given */
};
struct auth_login {
    struct slice login; /* username, e-mail or phone */
    struct slice password, device_name;
};
/* The token answer. */
struct auth_grant {
    struct slice access_token, token_type;
    int64_t expires_in; /* seconds */
    struct slice refresh_token;
    const struct user_profile *user;
};

/* 409 username_taken, email_taken, phone_taken; 422; 429 too_many_signups; 503 busy,
 * registration_failed (nothing is left of it). When the profile is not there within two seconds
 * *ret_pending is true and there is no grant. */
int auth_sign_up(struct auth *auth, const struct auth_call *call, const struct auth_signup *in,
                 struct auth_grant *ret_grant, bool *ret_pending, struct error *err) MUSTCHECK;
/* 401 invalid_credentials, also when the account has had its attempts by another of its names; 403
 * account_disabled, account_pending; 429 too_many_attempts; 503 busy. */
int auth_sign_in(struct auth *auth, const struct auth_call *call, const struct auth_login *in,
                 struct auth_grant *ret_grant, struct error *err) MUSTCHECK;
/* The same token within ten seconds gives the same answer. 401 invalid_refresh_token,
 * session_ended, refresh_token_reused (which ends the session); 403 account_disabled,
 * account_pending; 503 busy. */
int auth_refresh(struct auth *auth, const struct auth_call *call, struct slice refresh_token,
                 struct auth_grant *ret_grant, struct error *err) MUSTCHECK;
/* Ends one session of the user. 404 session_not_found, also when it has ended before. */
int auth_end_session(struct auth *auth, const struct auth_call *call, const struct id *user,
                     const struct id *session, struct error *err) MUSTCHECK;
/* By refresh token, for a web client whose access token has expired. 401 invalid_refresh_token. */
int auth_end_by_refresh(struct auth *auth, const struct auth_call *call, struct slice refresh_token,
                        struct error *err) MUSTCHECK;
int auth_end_all(struct auth *auth, const struct auth_call *call, const struct id *user,
                 struct error *err) MUSTCHECK;
/* Ends the user's other sessions. 403 wrong_password; 422; 429 too_many_attempts; 503 busy. */
int auth_change_password(struct auth *auth, const struct auth_call *call,
                         const struct principal *who, struct slice current, struct slice fresh,
                         struct error *err) MUSTCHECK;

/* --- addresses and codes; channel: enum auth_channel ------------------------------------------
 */
enum auth_channel { AUTH_CHANNEL_EMAIL, AUTH_CHANNEL_PHONE };
/* A code is on its way. 409 no_email, no_phone, already_verified; 429 too_many_codes. */
int auth_ask_verification(struct auth *auth, const struct auth_call *call, const struct id *user,
                          enum auth_channel channel, struct error *err) MUSTCHECK;
/* 403 invalid_code; 409 as above. */
int auth_verify(struct auth *auth, const struct auth_call *call, const struct id *user,
                enum auth_channel channel, struct slice code, struct error *err) MUSTCHECK;
/* Does the same for everybody, account or not. 429 too_many_codes. */
int auth_forgot_password(struct auth *auth, const struct auth_call *call, struct slice login,
                         struct error *err) MUSTCHECK;
/* Ends all sessions. 403 invalid_code, whatever is wrong; 422; 429 too_many_attempts; 503 busy. */
int auth_reset_password(struct auth *auth, const struct auth_call *call, struct slice login,
                        struct slice code, struct slice fresh, struct error *err) MUSTCHECK;

/* An absent address: none from now on. The new one is not verified, the old one is told when it
 * was. 403 wrong_password; 409 email_taken, phone_taken; 422; 429 too_many_attempts,
 * too_many_changes; 503 busy. */
int auth_set_contact(struct auth *auth, const struct auth_call *call, const struct id *user,
                     enum auth_channel channel, struct slice address, struct slice password,
                     struct error *err) MUSTCHECK;

/* --- leaving ---------------------------------------------------------------------------------- */
/* Until the next sign-in. 403 wrong_password; 409 last_admin; 429 too_many_attempts; 503 busy. */
int auth_deactivate(struct auth *auth, const struct auth_call *call, const struct principal *who,
                    struct slice password, struct error *err) MUSTCHECK;
/* For good. An absent password serves in a session younger than ten minutes. 403 wrong_password,
 * password_required; 409 last_admin; 429 too_many_attempts; 503 busy. */
int auth_delete(struct auth *auth, const struct auth_call *call, const struct principal *who,
                struct slice password, struct error *err) MUSTCHECK;

struct auth_session {
    struct id id;
    struct slice device_name;
    int64_t created_at, last_used_at;
    bool current;
};
/* Newest first, those that live; up to limit + 1 of them when there are more. Array in the
 * arena. */
int auth_sessions(struct auth *auth, const struct auth_call *call, const struct principal *who,
                  const struct id *before, unsigned limit, struct auth_session **ret_sessions,
                  size_t *ret_count, struct error *err) MUSTCHECK;

/* --- for operators: the room may be running or not; blocks outside a coroutine -----------------
 */
int auth_user_create(struct kit *kit, const struct auth_signup *in, enum role role,
                     struct id *ret_user, struct error *err) MUSTCHECK;
/* login: username, e-mail or phone; 404 user_not_found. The user's tokens are refused from now on,
 * so that the new role counts at once; the sessions go on. */
int auth_user_set_role(struct kit *kit, struct slice login, enum role role,
                       struct error *err) MUSTCHECK;
/* The sessions of a disabled account end, and it cannot get another. */
int auth_user_set_active(struct kit *kit, struct slice login, bool active,
                         struct error *err) MUSTCHECK;
/* Publishes a new signing key, which starts to sign when every cache of the key set has seen it;
 * the present one verifies until its last token has expired. 409 key_pending until then,
 * too_many_keys. */
int auth_keys_rotate(struct kit *kit, struct error *err) MUSTCHECK;

#endif
