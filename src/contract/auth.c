#include "contract/auth.h"

static const struct schema_field created_fields[] = {
    {"id", "The new user.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_user_created, id)},
    {"username", "Lower case.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_user_created, username)},
    {"full_name", "As given at sign-up.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_user_created, full_name)},
    {"email", "As given at sign-up.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_user_created, email), .format = "email"},
    {"phone", "E.164.", SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct auth_user_created, phone)},
    {"role", "What the user may do.", SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_user_created, role), .names = role_names},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_user_created, created_at)},
};
SCHEMA_DEF(auth_user_created_schema, struct auth_user_created, "UserCreated",
           "Somebody has signed up.", created_fields);
const struct event_type auth_user_created_event = {
    .name = "user.created",
    .client = true,
    .data = &auth_user_created_schema,
    .doc = "Somebody has signed up; only they themselves see it.",
};

static const struct schema_field revoked_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_session_revoked, user_id)},
    {"session_id", "Null: all sessions of the user.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_session_revoked, session_id)},
    {"before", "For all: tokens issued earlier are refused.", SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_session_revoked, before)},
};
SCHEMA_DEF(auth_session_revoked_schema, struct auth_session_revoked, "SessionRevoked",
           "A session, or every session of a user, has ended.", revoked_fields);
const struct event_type auth_session_revoked_event = {
    .name = "session.revoked",
    .data = &auth_session_revoked_schema,
    .doc = "Every node refuses the tokens of the session from here on.",
};

static const struct schema_field changed_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_user_changed, user_id)},
    {"role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_user_changed, role),
     .names = role_names},
    {"is_active", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_user_changed, is_active)},
    {"is_verified", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_user_changed, is_verified)},
    {"last_login", NULL, SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_user_changed, last_login)},
};
SCHEMA_DEF(auth_user_changed_schema, struct auth_user_changed, "UserAccountChanged",
           "Role, state or last sign-in of an account has changed.", changed_fields);
const struct event_type auth_user_changed_event = {
    .name = "user.account_changed",
    .data = &auth_user_changed_schema,
    .doc = "Role, state or last sign-in of an account has changed.",
};

static const struct schema_field contact_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_contact_changed, user_id)},
    {"email", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct auth_contact_changed, email),
     .format = "email"},
    {"phone", "E.164.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct auth_contact_changed, phone)},
    {"is_verified", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_contact_changed, is_verified)},
};
SCHEMA_DEF(auth_contact_changed_schema, struct auth_contact_changed, "UserContactChanged",
           "How an account can be reached now.", contact_fields);
const struct event_type auth_contact_changed_event = {
    .name = "user.contact_changed",
    .data = &auth_contact_changed_schema,
    .doc = "The account has another e-mail address or phone number, or none.",
};

static const struct schema_field deleted_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct auth_user_deleted, user_id)},
    {"deleted_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct auth_user_deleted, deleted_at)},
};
SCHEMA_DEF(auth_user_deleted_schema, struct auth_user_deleted, "UserDeleted",
           "Somebody has deleted their account.", deleted_fields);
const struct event_type auth_user_deleted_event = {
    .name = "user.deleted",
    .data = &auth_user_deleted_schema,
    .doc = "Somebody has deleted their account: what is kept of them is erased.",
};
