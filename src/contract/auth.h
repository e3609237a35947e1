/* Events of the auth room. user.created makes the profile (user room) and the chat profile (chat
 * room): contract/registration.h. */
#ifndef PARLEY_CONTRACT_AUTH_H
#define PARLEY_CONTRACT_AUTH_H

#include "base/schema.h"
#include "engine/event_log.h"
#include "kit/principal.h"

/* data of user.created, on the stream of the new user. */
struct auth_user_created {
    struct id id;
    struct slice username, full_name, email, phone;
    int role;
    int64_t created_at;
};
extern const struct schema auth_user_created_schema;
extern const struct event_type auth_user_created_event; /* "user.created", client event */

/* Inside only: a session (or all sessions of a user) has ended. Stream: the user. */
struct auth_session_revoked {
    struct id user_id;
    struct id session_id; /* nil: all */
    int64_t before;       /* wall ms: tokens issued before this, for all */
};
extern const struct schema auth_session_revoked_schema;
extern const struct event_type auth_session_revoked_event; /* "session.revoked" */

/* Inside only: role, is_active, is_verified or last_login has changed. Stream: the user. */
struct auth_user_changed {
    struct id user_id;
    int role;
    bool is_active, is_verified;
    int64_t last_login;
};
extern const struct schema auth_user_changed_schema;
extern const struct event_type auth_user_changed_event; /* "user.account_changed" */

/* Inside only: the account has another e-mail address or phone number, or none. Stream: the user.
 */
struct auth_contact_changed {
    struct id user_id;
    struct slice email, phone;
    bool is_verified;
};
extern const struct schema auth_contact_changed_schema;
extern const struct event_type auth_contact_changed_event; /* "user.contact_changed" */

/* Inside only: somebody has deleted their account. Whoever keeps things of theirs erases them, or
 * makes them nobody's. Stream: the user. */
struct auth_user_deleted {
    struct id user_id;
    int64_t deleted_at;
};
extern const struct schema auth_user_deleted_schema;
extern const struct event_type auth_user_deleted_event; /* "user.deleted" */

#endif
