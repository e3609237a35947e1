/* Registration as a saga (A15, B05; docs/design/saga.md): what the rooms that take part say to each
 * other.
 *
 *     auth  signs somebody up: the account is pending     -> user.created
 *     user  makes the profile                             -> user.profile_created
 *     chat  makes the chat profile                        -> user.profile_created
 *     auth  has both: the account is active               -> user.activated
 *     any   cannot do its part, or time is up             -> user.creation_failed:
 *           auth removes the account, user and chat what they made; the names are free again
 *
 * An account that an operator makes is active at once: there is no saga, the parts are made all the
 * same. Whoever keeps something from user.created on removes it at user.creation_failed.
 */
#ifndef PARLEY_CONTRACT_REGISTRATION_H
#define PARLEY_CONTRACT_REGISTRATION_H

#include "kit/kit.h"
#include "kit/saga.h"

extern const struct saga_kind registration_saga; /* subject: the user */

enum registration_part { REGISTRATION_PROFILE, REGISTRATION_CHAT_PROFILE };

/* Inside only: a room has done its part. Stream: the user. */
struct registration_profile_created {
    struct id user_id;
    int part; /* enum registration_part */
};
extern const struct event_type registration_profile_created_event; /* "user.profile_created" */

/* Inside only: a new account is complete; its owner can sign in. Stream: the user. */
struct registration_activated {
    struct id user_id;
    int64_t activated_at;
};
extern const struct event_type registration_activated_event; /* "user.activated" */

/* Inside only: the registration was given up. Stream: the user. */
struct registration_failed {
    struct id user_id;
    struct slice step;   /* the part that failed, or "deadline" */
    struct slice reason; /* for people */
};
extern const struct schema registration_failed_schema;
extern const struct event_type registration_failed_event; /* "user.creation_failed" */

/* --- for the rooms that do a part, inside the transaction of the part --------------------------
 */

/* Whether the part is still to be done; false when the registration has been given up. */
int registration_wants(struct db_tx *tx, const struct id *user, bool *ret_wanted,
                       struct error *err) MUSTCHECK;
/* Records the part, and emits user.profile_created. */
int registration_did(struct kit *kit, struct db_tx *tx, const struct id *user,
                     enum registration_part part, struct error *err) MUSTCHECK;
/* The part cannot be done: emits user.creation_failed. 1: the registration is given up (or was);
 * 0: there is none, nothing was said. */
int registration_fail(struct kit *kit, struct db_tx *tx, const struct id *user,
                      enum registration_part part, struct slice reason,
                      struct error *err) MUSTCHECK;
/* Records that the part has been undone. */
int registration_undid(struct db_tx *tx, const struct id *user, enum registration_part part,
                       struct error *err) MUSTCHECK;
/* What the auth room says when time is up. */
int registration_emit_failed(struct kit *kit, struct db_tx *tx, const struct id *user,
                             struct slice step, struct slice reason, struct error *err) MUSTCHECK;
int registration_emit_activated(struct kit *kit, struct db_tx *tx, const struct id *user,
                                struct error *err) MUSTCHECK;

#endif
