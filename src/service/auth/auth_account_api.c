#include "service/auth/auth_account_api.h"

#include "kit/password.h"
#include "service/auth/auth_code.h"
#include "service/auth/auth_cookie.h"
#include "service/auth/auth_identity.h"
#include "service/auth/auth_room.h"

enum { CODE_GIVEN_MAX = 32, PASSWORD_GIVEN_MAX = 1024 };

/* --- bodies ------------------------------------------------------------------------------------
 */

static const char *const channels[] = {"email", "phone", NULL};

struct verify_body {
    int channel; /* enum auth_channel */
    struct slice code;
};
static const struct schema_field verify_fields[] = {
    {"channel", "Which address.", SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct verify_body, channel), .names = channels},
    {"code", "What came there; left out to have a code sent.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_SECRET, SCHEMA_AT(struct verify_body, code), 1, CODE_GIVEN_MAX,
     .example = "\"123456\""},
};
SCHEMA_DEF(auth_verify_schema, struct verify_body, "Verify", "An address, and the code for it.",
           verify_fields);

struct forgot_body {
    struct slice login;
};
static const struct schema_field forgot_fields[] = {
    {"login", "Username, e-mail address or phone number.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct forgot_body, login), 1, AUTH_LOGIN_MAX, .example = "\"alice\""},
};
SCHEMA_DEF(auth_forgot_schema, struct forgot_body, "PasswordForgotten", "Whose password.",
           forgot_fields);

struct reset_body {
    struct slice login, code, new_password;
};
static const struct schema_field reset_fields[] = {
    {"login", "The same as was asked for.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct reset_body, login), 1, AUTH_LOGIN_MAX, .example = "\"alice\""},
    {"code", "What came by e-mail or SMS.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct reset_body, code), 1, CODE_GIVEN_MAX, .example = "\"123456\""},
    {"new_password", "At least 8 characters, at most 72 bytes.", SCHEMA_STRING,
     SCHEMA_REQUIRED | SCHEMA_SECRET, SCHEMA_AT(struct reset_body, new_password),
     PASSWORD_CHARS_MIN, PASSWORD_BYTES_MAX},
};
SCHEMA_DEF(auth_reset_schema, struct reset_body, "PasswordReset", "A new password, by code.",
           reset_fields);

struct confirm_body {
    struct slice password;
};
static const struct schema_field confirm_fields[] = {
    {"password", "The present one.", SCHEMA_STRING, SCHEMA_NULLABLE | SCHEMA_SECRET,
     SCHEMA_AT(struct confirm_body, password), 1, PASSWORD_GIVEN_MAX},
};
SCHEMA_DEF(auth_confirm_schema, struct confirm_body, "Confirmation", "That it is really oneself.",
           confirm_fields);

struct contact_body {
    struct slice address, password;
};
static const struct schema_field email_fields[] = {
    {"email", "Null: none from now on.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NULLABLE,
     SCHEMA_AT(struct contact_body, address), 3, AUTH_EMAIL_MAX, .format = "email",
     .example = "\"alice@example.com\""},
    {"password", "The present one.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct contact_body, password), 1, PASSWORD_GIVEN_MAX},
};
SCHEMA_DEF(auth_email_schema, struct contact_body, "EmailChange", "Another e-mail address.",
           email_fields);
static const struct schema_field phone_fields[] = {
    {"phone", "E.164; null: none from now on.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NULLABLE,
     SCHEMA_AT(struct contact_body, address), 8, 16, .example = "\"+4915112345678\""},
    {"password", "The present one.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct contact_body, password), 1, PASSWORD_GIVEN_MAX},
};
SCHEMA_DEF(auth_phone_schema, struct contact_body, "PhoneChange", "Another phone number.",
           phone_fields);

const struct route_error auth_contact_errors[] = {
    {403, "wrong_password"},    {409, "email_taken"},      {409, "phone_taken"},
    {429, "too_many_attempts"}, {429, "too_many_changes"}, {0}};
const struct route_error auth_verify_errors[] = {{409, "no_email"},         {409, "no_phone"},
                                                 {409, "already_verified"}, {403, "invalid_code"},
                                                 {429, "too_many_codes"},   {0}};
const struct route_error auth_forgot_errors[] = {{429, "too_many_codes"}, {0}};
const struct route_error auth_reset_errors[] = {
    {403, "invalid_code"}, {429, "too_many_attempts"}, {0}};
const struct route_error auth_leave_errors[] = {{403, "password_required"},
                                                {403, "wrong_password"},
                                                {429, "too_many_attempts"},
                                                {409, "last_admin"},
                                                {0}};

/* --- handlers ----------------------------------------------------------------------------------
 */

struct auth_call auth_call_of(struct request *req)
{
    return (struct auth_call){.arena = req->arena,
                              .address = req->head != NULL ? &req->peer : NULL,
                              .headers = &req->headers,
                              .correlation_id = req->correlation_id};
}

/* 202: it will be done, or there is nothing to do; which of them is not told. */
static int accepted(struct request *req)
{
    req->status = 202;
    return 0;
}

int auth_verify_route(struct request *req)
{
    const struct verify_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    const struct id *user = &req->principal->user;
    enum auth_channel channel = (enum auth_channel)body->channel;
    int rc = body->code.ptr == NULL
                 ? auth_ask_verification(req->room, &call, user, channel, &req->error)
                 : auth_verify(req->room, &call, user, channel, body->code, &req->error);
    if (rc < 0)
        return rc;
    return body->code.ptr == NULL ? accepted(req) : request_reply_empty(req);
}

int auth_forgot_route(struct request *req)
{
    const struct forgot_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    int rc = auth_forgot_password(req->room, &call, body->login, &req->error);
    return rc < 0 ? rc : accepted(req);
}

int auth_reset_route(struct request *req)
{
    const struct reset_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    int rc = auth_reset_password(req->room, &call, body->login, body->code, body->new_password,
                                 &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

static int set_contact(struct request *req, enum auth_channel channel)
{
    const struct contact_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    int rc = auth_set_contact(req->room, &call, &req->principal->user, channel, body->address,
                              body->password, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

int auth_email_route(struct request *req)
{
    return set_contact(req, AUTH_CHANNEL_EMAIL);
}

int auth_phone_route(struct request *req)
{
    return set_contact(req, AUTH_CHANNEL_PHONE);
}

int auth_deactivate_route(struct request *req)
{
    const struct confirm_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    if (body->password.ptr == NULL)
        return error_field(&req->error, "password", "required", "Give the password.");
    int rc = auth_deactivate(req->room, &call, req->principal, body->password, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}

int auth_delete_route(struct request *req)
{
    const struct confirm_body *body = req->body;
    struct auth_call call = auth_call_of(req);
    struct slice password = body != NULL ? body->password : (struct slice){0};
    int rc = auth_delete(req->room, &call, req->principal, password, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}
