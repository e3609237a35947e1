#include "service/auth/auth_schema.h"

#include "kit/jwt.h"
#include "kit/password.h"
#include "service/auth/auth_identity.h"
#include "service/auth/auth_refresh_token.h"

enum { PASSWORD_GIVEN_MAX = 1024, NAME_CHARS_MAX = 100 };

static const struct schema_field signup_fields[] = {
    {"username", "a-z, 0-9, dot, underscore; 3 to 32; capitals are folded.", SCHEMA_STRING,
     SCHEMA_REQUIRED, SCHEMA_AT(struct auth_signup, username), AUTH_USERNAME_MIN, AUTH_USERNAME_MAX,
     .example = "\"alice\""},
    {"email", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct auth_signup, email), 3,
     AUTH_EMAIL_MAX, .format = "email", .example = "\"alice@example.com\""},
    {"phone", "E.164.", SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct auth_signup, phone), 8, 16,
     .example = "\"+4915112345678\""},
    {"password", "At least 8 characters, at most 72 bytes.", SCHEMA_STRING,
     SCHEMA_REQUIRED | SCHEMA_SECRET, SCHEMA_AT(struct auth_signup, password), PASSWORD_CHARS_MIN,
     PASSWORD_BYTES_MAX, .example = "\"correct horse battery\""},
    {"full_name", "At most 100 characters, as in the profile.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE | SCHEMA_CHARACTERS,
     SCHEMA_AT(struct auth_signup, full_name), 1, NAME_CHARS_MAX, .example = "\"Alice Example\""},
};
SCHEMA_DEF(auth_signup_schema, struct auth_signup, "SignUp", "A new account.", signup_fields);

static const struct schema_field login_fields[] = {
    {"login", "Username, e-mail address or phone number.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_login, login), 1, AUTH_LOGIN_MAX, .example = "\"alice\""},
    {"password", NULL, SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct auth_login, password), 1, PASSWORD_GIVEN_MAX,
     .example = "\"correct horse battery\""},
    {"device_name", "What the list of sessions calls it.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_ONE_LINE | SCHEMA_NO_BLANK, SCHEMA_AT(struct auth_login, device_name),
     1, 100, .example = "\"Alice's laptop\""},
};
SCHEMA_DEF(auth_login_schema, struct auth_login, "SignIn", "Who signs in, and with what.",
           login_fields);

static const struct schema_field grant_fields[] = {
    {"access_token", "A JWT (RFC 9068).", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct auth_grant, access_token)},
    {"token_type", "\"Bearer\".", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_grant, token_type), .example = "\"Bearer\""},
    {"expires_in", "Seconds.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_grant, expires_in), .example = "900"},
    {"refresh_token", "Null when it went into the cookie.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_SECRET, SCHEMA_AT(struct auth_grant, refresh_token)},
    {"user", "One's own profile.", SCHEMA_OBJECT, SCHEMA_REQUIRED | SCHEMA_POINTER,
     SCHEMA_AT(struct auth_grant, user), .of = &user_profile_schema},
};
SCHEMA_DEF(auth_grant_schema, struct auth_grant, "TokenAnswer",
           "Who has signed in, and the tokens.", grant_fields);

static const struct schema_field refresh_fields[] = {
    {"refresh_token", "Left out by a web client that has the cookie.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_SECRET, SCHEMA_AT(struct auth_refresh_body, refresh_token), 1,
     JWT_BYTES_MAX},
};
SCHEMA_DEF(auth_refresh_schema, struct auth_refresh_body, "Refresh", "The newest refresh token.",
           refresh_fields);

static const struct schema_field password_fields[] = {
    {"current_password", NULL, SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_SECRET,
     SCHEMA_AT(struct auth_password_body, current_password), 1, PASSWORD_GIVEN_MAX},
    {"new_password", "At least 8 characters, at most 72 bytes.", SCHEMA_STRING,
     SCHEMA_REQUIRED | SCHEMA_SECRET, SCHEMA_AT(struct auth_password_body, new_password),
     PASSWORD_CHARS_MIN, PASSWORD_BYTES_MAX},
};
SCHEMA_DEF(auth_password_schema, struct auth_password_body, "PasswordChange",
           "The password as it is and as it shall be.", password_fields);

static const struct schema_field pending_fields[] = {
    {"status", "\"pending\".", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_pending, status), .example = "\"pending\""},
};
SCHEMA_DEF(auth_pending_schema, struct auth_pending, "SignUpPending",
           "The account is still being made.", pending_fields);

static const struct schema_field session_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_session, id)},
    {"device_name", "As given at sign-in.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_session, device_name)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_session, created_at)},
    {"last_used_at", "When it was last refreshed.", SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_session, last_used_at)},
    {"current", "The one that asks.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_session, current)},
};
SCHEMA_DEF(auth_session_schema, struct auth_session, "Session", "A device that is signed in.",
           session_fields);

static const struct schema_field params_fields[] = {
    {"id", "The session.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_session_params, id)},
};
SCHEMA_DEF(auth_session_params_schema, struct auth_session_params, "SessionParams", NULL,
           params_fields);
