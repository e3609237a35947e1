#include "contract/registration.h"

#include "kit/emit.h"

static const char *const part_names[] = {"profile", "chat_profile", NULL};
static const char *const failed_names[] = {"profile_failed", "chat_profile_failed"};
static const char *const undone_names[] = {"profile_removed", "chat_profile_removed"};

const struct saga_kind registration_saga = {.name = "registration", .parts = part_names};

/* --- events ------------------------------------------------------------------------------------
 */

static const struct schema_field created_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct registration_profile_created, user_id)},
    {"part", "What has been made.", SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct registration_profile_created, part), .names = part_names},
};
static SCHEMA_DEF(created_schema, struct registration_profile_created, "UserProfileCreated",
                  "A room has done its part of a registration.", created_fields);
const struct event_type registration_profile_created_event = {
    .name = "user.profile_created",
    .data = &created_schema,
    .doc = "A room has done its part of a registration.",
};

static const struct schema_field activated_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct registration_activated, user_id)},
    {"activated_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct registration_activated, activated_at)},
};
static SCHEMA_DEF(activated_schema, struct registration_activated, "UserActivated",
                  "A new account is complete.", activated_fields);
const struct event_type registration_activated_event = {
    .name = "user.activated",
    .data = &activated_schema,
    .doc = "A new account is complete: its owner can sign in.",
};

static const struct schema_field failed_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct registration_failed, user_id)},
    {"step", "The part that failed, or deadline.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct registration_failed, step)},
    {"reason", "For people.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct registration_failed, reason)},
};
SCHEMA_DEF(registration_failed_schema, struct registration_failed, "UserCreationFailed",
           "A registration was given up.", failed_fields);
const struct event_type registration_failed_event = {
    .name = "user.creation_failed",
    .data = &registration_failed_schema,
    .doc = "A registration was given up: what was made for it is removed.",
};

static int emit(struct kit *kit, struct db_tx *tx, const struct event_type *type,
                const struct id *user, const void *data, struct error *err)
{
    struct emit event = {.type = type, .stream = user, .data = data};
    return kit_emit(kit, tx, &event, NULL, err);
}

int registration_emit_failed(struct kit *kit, struct db_tx *tx, const struct id *user,
                             struct slice step, struct slice reason, struct error *err)
{
    struct registration_failed data = {.user_id = *user, .step = step, .reason = reason};
    return emit(kit, tx, &registration_failed_event, user, &data, err);
}

int registration_emit_activated(struct kit *kit, struct db_tx *tx, const struct id *user,
                                struct error *err)
{
    struct registration_activated data = {*user, clock_wall_ms(kit->clock)};
    return emit(kit, tx, &registration_activated_event, user, &data, err);
}

/* --- parts -------------------------------------------------------------------------------------
 */

int registration_wants(struct db_tx *tx, const struct id *user, bool *ret_wanted, struct error *err)
{
    enum saga_standing standing;
    int rc = saga_stands(tx, &registration_saga, user, &standing, err);
    if (rc == 0)
        *ret_wanted = standing != SAGA_HAS_ENDED;
    return rc;
}

int registration_did(struct kit *kit, struct db_tx *tx, const struct id *user,
                     enum registration_part part, struct error *err)
{
    struct registration_profile_created data = {*user, part};
    enum saga_standing standing;
    int rc = saga_step(tx, &registration_saga, user, part_names[part], &standing, err);
    if (rc < 0 || standing != SAGA_GOES_ON)
        return rc;
    return emit(kit, tx, &registration_profile_created_event, user, &data, err);
}

int registration_fail(struct kit *kit, struct db_tx *tx, const struct id *user,
                      enum registration_part part, struct slice reason, struct error *err)
{
    enum saga_standing standing;
    int rc = saga_step(tx, &registration_saga, user, failed_names[part], &standing, err);
    if (rc == 0 && standing == SAGA_GOES_ON)
        rc = registration_emit_failed(kit, tx, user, slice_str(part_names[part]), reason, err);
    return rc < 0 ? rc : standing != SAGA_UNKNOWN;
}

int registration_undid(struct db_tx *tx, const struct id *user, enum registration_part part,
                       struct error *err)
{
    return saga_undone(tx, &registration_saga, user, undone_names[part], err);
}
