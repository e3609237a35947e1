#include "contract/user.h"

static const struct schema_field profile_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct user_profile, id)},
    {"username", "Unique, lower case.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct user_profile, username), .example = "\"alice\""},
    {"full_name", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct user_profile, full_name)},
    {"email", "Only in one's own profile.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct user_profile, email), .format = "email"},
    {"phone", "E.164; only in one's own profile.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct user_profile, phone)},
    {"bio", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct user_profile, bio)},
    {"avatar_url", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct user_profile, avatar_url),
     .format = "uri-reference"},
    {"role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct user_profile, role),
     .names = role_names},
    {"is_active", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED, SCHEMA_AT(struct user_profile, is_active)},
    {"is_verified", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct user_profile, is_verified)},
    {"is_private", "What they publish is for those whom they let follow.", SCHEMA_BOOL,
     SCHEMA_ADDED, SCHEMA_AT(struct user_profile, is_private)},
    {"discoverable_by_email",
     "Whether searching for exactly their e-mail address finds them; told only to themselves, "
     "false in others' profiles.",
     SCHEMA_BOOL, SCHEMA_ADDED, SCHEMA_AT(struct user_profile, discoverable_by_email)},
    {"discoverable_by_phone",
     "Whether searching for exactly their phone number finds them; told only to themselves, "
     "false in others' profiles.",
     SCHEMA_BOOL, SCHEMA_ADDED, SCHEMA_AT(struct user_profile, discoverable_by_phone)},
    {"last_login", "Only in one's own profile.", SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct user_profile, last_login)},
    {"last_seen", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct user_profile, last_seen)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct user_profile, created_at)},
    {"updated_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct user_profile, updated_at)},
};
SCHEMA_DEF(user_profile_schema, struct user_profile, "User", "A person's profile.", profile_fields);

void user_profile_hide(struct user_profile *profile)
{
    profile->email = profile->phone = (struct slice){0};
    profile->last_login = 0;
    profile->discoverable_by_email = profile->discoverable_by_phone = false;
}

const struct event_type user_updated_event = {
    .name = "user.updated",
    .client = true,
    .data = &user_profile_schema,
    .doc = "A profile has been edited; data is the profile as others see it.",
};
