/* The auth routes: decode, call the rule, encode. At the bottom the room's descriptor. */
#include <stdlib.h>

#include "base/random.h"
#include "kit/consumer.h"
#include "kit/token_block.h"
#include "service/auth/auth_account_api.h"
#include "service/auth/auth_cookie.h"
#include "service/auth/auth_letter.h"
#include "service/auth/auth_registration.h"
#include "service/auth/auth_room.h"
#include "service/auth/auth_schema.h"

extern const struct db_schema auth_db_schema; /* schema/, embedded by the build */

/* The token answer; a refresh token that goes into the cookie is not shown to scripts as well. */
static int reply_grant(struct request *req, int status, struct auth_grant *grant, bool cookie)
{
    const struct auth *auth = req->room;
    if (cookie) {
        auth_cookie_set(req, grant->refresh_token, auth->refresh_ttl_ms);
        grant->refresh_token = (struct slice){0};
    }
    request_header(req, "cache-control", "no-store");
    return request_reply(req, status, &auth_grant_schema, grant);
}

static int sign_up_route(struct request *req)
{
    struct auth_call call = auth_call_of(req);
    struct auth_grant grant;
    bool pending;
    int rc = auth_sign_up(req->room, &call, req->body, &grant, &pending, &req->error);
    if (rc < 0)
        return rc;
    if (pending) {
        struct auth_pending answer = {.status = SLICE("pending")};
        return request_reply(req, 202, &auth_pending_schema, &answer);
    }
    return reply_grant(req, 201, &grant, auth_cookie_wanted(req));
}

static int sign_in_route(struct request *req)
{
    struct auth_call call = auth_call_of(req);
    struct auth_grant grant;
    int rc = auth_sign_in(req->room, &call, req->body, &grant, &req->error);
    return rc < 0 ? rc : reply_grant(req, 200, &grant, auth_cookie_wanted(req));
}

static int refresh_route(struct request *req)
{
    struct auth_call call = auth_call_of(req);
    struct slice token = ((const struct auth_refresh_body *)req->body)->refresh_token;
    bool by_cookie = token.ptr == NULL;
    struct auth_grant grant;
    int rc = by_cookie ? auth_cookie_read(req, &token) : 0;
    if (rc == 0 && token.ptr == NULL)
        rc = error_field(&req->error, "refresh_token", "required",
                         "Give the refresh token, or send its cookie.");
    if (rc == 0)
        rc = auth_refresh(req->room, &call, token, &grant, &req->error);
    return rc < 0 ? rc : reply_grant(req, 200, &grant, by_cookie || auth_cookie_wanted(req));
}

/* By access token; a web client whose access token has expired may use its cookie. */
static int sign_out_route(struct request *req)
{
    struct auth_call call = auth_call_of(req);
    struct slice token;
    int rc = auth_cookie_read(req, &token);
    if (rc == 0 && req->principal != NULL) {
        rc = auth_end_session(req->room, &call, &req->principal->user, &req->principal->session,
                              &req->error);
    } else if (rc == 0 && token.ptr != NULL) {
        rc = auth_end_by_refresh(req->room, &call, token, &req->error);
    } else if (rc == 0) {
        rc = error_set(&req->error, FAIL_UNAUTHENTICATED, "token_required",
                       "Send the access token of the session that shall end.");
    }
    if (token.ptr != NULL)
        auth_cookie_clear(req);
    return rc < 0 ? rc : request_reply_empty(req);
}

static int sign_out_all_route(struct request *req)
{
    struct auth_call call = auth_call_of(req);
    int rc = auth_end_all(req->room, &call, &req->principal->user, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

static int sessions_route(struct request *req)
{
    const struct page_query *page = req->query;
    struct auth_call call = auth_call_of(req);
    struct auth_session *sessions;
    struct cursor cursor, next = {0};
    bool given;
    size_t count;
    unsigned limit = (unsigned)page->limit;
    int rc = cursor_decode(page->cursor, &cursor, &given, &req->error);
    if (rc == 0)
        rc = auth_sessions(req->room, &call, req->principal, &cursor.id, limit, &sessions, &count,
                           &req->error);
    if (rc < 0)
        return rc;
    bool more = count > limit;
    if (more)
        next.id = sessions[limit - 1].id;
    return request_reply_page(req, &auth_session_schema, sessions, more ? limit : count,
                              more ? &next : NULL);
}

static int end_session_route(struct request *req)
{
    const struct auth_session_params *params = req->params;
    struct auth_call call = auth_call_of(req);
    int rc = auth_end_session(req->room, &call, &req->principal->user, &params->id, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

static int change_password_route(struct request *req)
{
    const struct auth_password_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    int rc = auth_change_password(req->room, &call, req->principal, body->current_password,
                                  body->new_password, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

/* A new key is published auth.key_publish_ahead before it signs: twice as long as this is kept. */
static int jwks_route(struct request *req)
{
    request_header(req, "cache-control", "public, max-age=300");
    token_write_jwks(req->kit->tokens, &req->answer);
    req->status = 200;
    request_etag(req);
    return buf_ok(&req->answer) ? 0
                                : error_set(&req->error, FAIL_TOO_LARGE, "answer_too_large",
                                            "The key set does not fit.");
}

static const struct route_error sign_up_errors[] = {
    {409, "username_taken"},   {409, "email_taken"},         {409, "phone_taken"},
    {429, "too_many_signups"}, {503, "registration_failed"}, {0}};
static const struct route_error sign_in_errors[] = {{401, "invalid_credentials"},
                                                    {403, "account_disabled"},
                                                    {403, "account_pending"},
                                                    {429, "too_many_attempts"},
                                                    {0}};
static const struct route_error refresh_errors[] = {{401, "invalid_refresh_token"},
                                                    {401, "session_ended"},
                                                    {401, "refresh_token_reused"},
                                                    {403, "account_disabled"},
                                                    {403, "account_pending"},
                                                    {403, "origin_not_allowed"},
                                                    {0}};
static const struct route_error sign_out_errors[] = {
    {403, "origin_not_allowed"}, {401, "invalid_refresh_token"}, {0}};
static const struct route_error session_errors[] = {{404, "session_not_found"}, {0}};
static const struct route_error password_errors[] = {
    {403, "wrong_password"}, {429, "too_many_attempts"}, {0}};

static const struct route auth_routes[] = {
    {HTTP_POST, "/api/v1/auth/signup", "auth", "Sign up",
     "Makes an account and signs it in. 202 when the profile takes longer than two seconds: then "
     "sign in a little later.",
     sign_up_route, ROUTE_PUBLIC | ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_signup_schema,
     .answer = &auth_grant_schema, .status = 201, .other_status = 202,
     .other_answer = &auth_pending_schema, .errors = sign_up_errors},
    {HTTP_POST, "/api/v1/auth/login", "auth", "Sign in",
     "Five attempts in 15 minutes for an address, and for an account.", sign_in_route,
     ROUTE_PUBLIC | ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_login_schema,
     .answer = &auth_grant_schema, .status = 200, .errors = sign_in_errors},
    {HTTP_POST, "/api/v1/auth/refresh", "auth", "Refresh the tokens",
     "Each refresh token serves once. The same one again within ten seconds gives the same answer; "
     "later it ends the session.",
     refresh_route, ROUTE_PUBLIC | ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_refresh_schema,
     .answer = &auth_grant_schema, .status = 200, .errors = refresh_errors},
    {HTTP_POST, "/api/v1/auth/logout", "auth", "Sign out", "Ends the session of the token.",
     sign_out_route, ROUTE_PUBLIC | ROUTE_ASKS_ITSELF | ROUTE_NO_BODY | ROUTE_SECRET,
     .limit = LIMIT_DATA, .status = 204, .errors = sign_out_errors},
    {HTTP_POST, "/api/v1/auth/logout-all", "auth", "Sign out everywhere",
     "Ends every session of the user, this one included.", sign_out_all_route, ROUTE_NO_BODY,
     .limit = LIMIT_DATA, .status = 204},
    {HTTP_GET, "/api/v1/auth/sessions", "auth", "List own sessions", NULL, sessions_route,
     .limit = LIMIT_DATA, .query = &page_query_schema, .answer = &auth_session_schema,
     .answer_list = true, .status = 200},
    {HTTP_DELETE, "/api/v1/auth/sessions/{id}", "auth", "End one of one's own sessions", NULL,
     end_session_route, .limit = LIMIT_DATA, .params = &auth_session_params_schema, .status = 204,
     .errors = session_errors},
    {HTTP_POST, "/api/v1/auth/password/change", "auth", "Change the password",
     "Ends the user's other sessions, and tells the person by e-mail or SMS.",
     change_password_route, ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_password_schema,
     .status = 204, .errors = password_errors},
    {HTTP_POST, "/api/v1/auth/password/forgot", "auth", "Have a code sent for a new password",
     "202 whether or not there is such an account: nobody learns it here. The code goes to the "
     "e-mail address, or to the phone number when that is the login or the only address.",
     auth_forgot_route, ROUTE_PUBLIC, .limit = LIMIT_DATA, .body = &auth_forgot_schema,
     .status = 202, .errors = auth_forgot_errors},
    {HTTP_POST, "/api/v1/auth/password/reset", "auth", "Set a new password by code",
     "A code serves once, within ten minutes and five tries. Ends every session of the account.",
     auth_reset_route, ROUTE_PUBLIC | ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_reset_schema,
     .status = 204, .errors = auth_reset_errors},
    {HTTP_POST, "/api/v1/auth/verify", "auth", "Verify one's e-mail address or phone number",
     "Without a code: one is sent there (202). With it: the address is verified (204).",
     auth_verify_route, ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_verify_schema,
     .status = 202, .other_status = 204, .errors = auth_verify_errors},
    {HTTP_PUT, "/api/v1/auth/email", "auth", "Have another e-mail address",
     "The new one is not verified; codes that went to the old one serve no more, and it is told.",
     auth_email_route, ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_email_schema, .status = 204,
     .errors = auth_contact_errors},
    {HTTP_PUT, "/api/v1/auth/phone", "auth", "Have another phone number",
     "As with the e-mail address.", auth_phone_route, ROUTE_SECRET, .limit = LIMIT_DATA,
     .body = &auth_phone_schema, .status = 204, .errors = auth_contact_errors},
    {HTTP_POST, "/api/v1/users/me/deactivate", "users", "Leave for a while",
     "Ends every session; nobody finds or sees the profile until the person signs in again.",
     auth_deactivate_route, ROUTE_SECRET, .limit = LIMIT_DATA, .body = &auth_confirm_schema,
     .status = 204, .errors = auth_leave_errors},
    {HTTP_DELETE, "/api/v1/users/me", "users", "Delete one's own account",
     "Takes the password, or a session that began less than ten minutes ago; the body may be left "
     "out then. The account and what it published are erased for good; messages stay in the chats "
     "of those who have them, of a deleted user. The username is never given to anybody else.",
     auth_delete_route, ROUTE_OPTIONAL_BODY, .limit = LIMIT_DATA, .body = &auth_confirm_schema,
     .status = 204, .errors = auth_leave_errors},
    {HTTP_GET, "/.well-known/jwks.json", "auth", "Public signing keys",
     "A JSON Web Key Set (RFC 7517). Empty when a shared secret signs.", jwks_route, ROUTE_PUBLIC,
     .limit = LIMIT_NONE, .answer_type = "application/json", .etag = true, .status = 200},
};

static const char *const algorithms[] = {"es256", "ed25519", "hs256", NULL};

static const struct config_key auth_config[] = {
    {"auth.access_ttl", CONFIG_DURATION, "15m", 5000, TOKEN_LIFE_MAX_MS,
     .doc = "How long an access token lives."},
    {"auth.refresh_ttl", CONFIG_DURATION, "7d", 60000, INT64_C(31536000000),
     .doc = "How long a session lives without being refreshed."},
    {"auth.bcrypt_cost", CONFIG_INT, "12", PASSWORD_COST_MIN, PASSWORD_COST_MAX,
     .doc = "Work of a password hash, as a power of two; raised, old hashes follow at sign-in."},
    {"auth.algorithm", CONFIG_ENUM, "es256", .names = algorithms,
     .doc = "What signs access tokens: es256, ed25519, or hs256 with a shared secret."},
    {"auth.secret", CONFIG_STRING, "", .secret = true,
     .doc = "The shared secret of hs256, at least 32 bytes."},
    {"auth.secret_file", CONFIG_STRING, "", .doc = "A file with the shared secret of hs256."},
    {"auth.signing_key", CONFIG_STRING, "",
     .doc = "A file with the signing key (PKCS#8, P-256 or Ed25519) instead of the server's own."},
    {"auth.key_lifetime", CONFIG_DURATION, "90d", 3600000, INT64_C(315360000000),
     .doc =
         "After this a new signing key is made; the old one verifies until its last token ends."},
    {"auth.key_publish_ahead", CONFIG_DURATION, "10m", 0, 86400000,
     .doc = "How long before it signs a new key is published."},
    {"auth.registration_timeout", CONFIG_DURATION, "60s", 1000, 86400000,
     .doc = "A sign-up that is not complete by then is undone."},
    {0},
};

static const struct event_type *const auth_events[] = {
    &auth_user_created_event,      &auth_session_revoked_event, &auth_user_changed_event,
    &auth_contact_changed_event,   &auth_user_deleted_event,    &registration_profile_created_event,
    &registration_activated_event, &registration_failed_event,  NULL};

static const char *const registration_types[] = {"user.profile_created", "user.creation_failed",
                                                 NULL};
static const struct consumer auth_consumers[] = {
    {.name = "auth.registrations",
     .types = registration_types,
     .handle = auth_follow_registrations},
};

static const struct job auth_jobs[] = {
    {"auth.registrations", 1000, auth_give_up_overdue},
    {"auth.sweep", 60 * 60 * 1000, auth_sweep},
    {"auth.keys", 30 * 1000, auth_tend_keys},
    {"auth.letters", 250, auth_send_letters},
};

static const char *const auth_needs[] = {"user", NULL};

static int wait_profile(struct auth *auth, uint64_t pos, struct error *err)
{
    return consumer_wait(auth->kit->consumers, "user.profiles", pos, AUTH_PROFILE_WAIT_MS, err);
}

void auth_wait_profile(struct auth *auth)
{
    struct error late;
    error_init(&late);
    (void)!auth->wait_profile(auth, event_log_head(auth->kit->log), &late);
}

static int load_secrets(struct db_tx *tx, void *arg, struct error *err)
{
    struct auth *auth = arg;
    uint8_t fresh[SEAL_KEY_BYTES];
    random_bytes(fresh, sizeof fresh);
    int rc = auth_store_secret(tx, "refresh", fresh, auth->refresh_key, err);
    random_bytes(fresh, sizeof fresh);
    return rc < 0 ? rc : auth_store_secret(tx, "codes", fresh, auth->code_key, err);
}

static void register_metrics(struct auth *auth)
{
    static const char *const results[AUTH_RESULTS] = {"result=\"success\"", "result=\"failure\"",
                                                      "result=\"limited\""};
    for (int i = 0; i < AUTH_RESULTS; i++) {
        auth->sign_ins[i] = metric_register(METRIC_COUNTER, "parley_auth_sign_ins_total",
                                            "Sign-ins by result.", results[i]);
        auth->sign_ups[i] = metric_register(METRIC_COUNTER, "parley_auth_sign_ups_total",
                                            "Sign-ups by result.", results[i]);
    }
    static const char *const letters[AUTH_LETTER_RESULTS] = {
        [AUTH_LETTER_SENT] = "result=\"sent\"",
        [AUTH_LETTER_DELAYED] = "result=\"delayed\"",
        [AUTH_LETTER_GIVEN_UP] = "result=\"given_up\"",
        [AUTH_LETTER_NOBODY] = "result=\"nobody\"",
        [AUTH_LETTER_LIMITED] = "result=\"limited\""};
    for (int i = 0; i < AUTH_LETTER_RESULTS; i++)
        auth->letters[i] = metric_register(METRIC_COUNTER, "parley_auth_letters_total",
                                           "E-mails and SMS of the sign-in room.", letters[i]);
    auth->sign_in_seconds = metric_register(METRIC_HISTOGRAM, "parley_auth_sign_in_seconds",
                                            "Time of a sign-in, hashing included.", NULL);
}

static int start(struct kit *kit, void **ret_room, struct error *err)
{
    struct auth *auth = xcalloc(1, sizeof *auth);
    auth->kit = kit;
    auth->db = kit_db(kit, "auth");
    auth->bcrypt_cost = (unsigned)config_int(kit->config, "auth.bcrypt_cost");
    auth->access_ttl_ms = config_int(kit->config, "auth.access_ttl");
    auth->refresh_ttl_ms = config_int(kit->config, "auth.refresh_ttl");
    auth->limit_addresses = config_bool(kit->config, "limits.per_address");
    auth->wait_profile = wait_profile;
    auth->wait_registered = auth_wait_registered;
    register_metrics(auth);
    int rc = db_write(auth->db, load_secrets, auth, err);
    if (rc == 0)
        rc = auth_keys_load(kit, auth->db, &auth->keys, err);
    if (rc == 0)
        rc = auth_load_revocations(auth, err);
    if (rc < 0) {
        free(auth);
        return rc;
    }
    auth_follow_revocations(auth);
    *ret_room = auth;
    return 0;
}

static void stop(void *room)
{
    struct auth *auth = room;
    explicit_bzero(auth->refresh_key, sizeof auth->refresh_key);
    explicit_bzero(auth->code_key, sizeof auth->code_key);
    free(auth->followers);
    free(auth->expecting);
    free(auth);
}

const struct module auth_module = {
    .name = "auth",
    .needs = auth_needs,
    .routes = auth_routes,
    .route_count = ARRAY_LEN(auth_routes),
    .events = auth_events,
    .consumers = auth_consumers,
    .consumer_count = ARRAY_LEN(auth_consumers),
    .jobs = auth_jobs,
    .job_count = ARRAY_LEN(auth_jobs),
    .config = auth_config,
    .schema = &auth_db_schema,
    .stays = "it waits for what its events do",
    .start = start,
    .stop = stop,
    .export_person = auth_export_person,
};
