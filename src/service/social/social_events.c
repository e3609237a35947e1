/* social.people: the room knows people by what the auth and user rooms say of them. */
#include "contract/auth.h"
#include "contract/user.h"
#include "kit/emit.h"
#include "service/social/social_room.h"

enum { EVENT_BYTES_MAX = 65536 };

static int on_created(struct db_tx *tx, const struct event *event, struct arena *arena,
                      struct error *err)
{
    struct auth_user_created created;
    int rc = schema_decode(&auth_user_created_schema, event->data, arena, &created, err);
    return rc < 0 ? rc : social_store_add_person(tx, &created.id, err);
}

/* Nobody is left waiting at a door that is not there any more. */
static int on_updated(struct social_room *room, struct db_tx *tx, const struct event *event,
                      struct arena *arena, struct error *err)
{
    struct user_profile profile;
    struct social_person person;
    int rc = schema_decode(&user_profile_schema, event->data, arena, &profile, err);
    if (rc == 0)
        rc = social_store_person(tx, &profile.id, &person, err);
    if (rc < 0 || !person.found || person.is_private == profile.is_private)
        return rc;
    rc = social_store_set_private(tx, &profile.id, profile.is_private, err);
    if (rc < 0)
        return rc;
    if (profile.is_private) /* strangers may be looking at something of theirs */
        return kit_recheck_watches(room->kit, tx, &(struct id){{0}}, err);
    return social_duty_add(room, tx, &profile.id, SOCIAL_DUTY_ACCEPT, err);
}

static int on_account(struct db_tx *tx, const struct event *event, struct arena *arena,
                      struct error *err)
{
    struct auth_user_changed changed;
    int rc = schema_decode(&auth_user_changed_schema, event->data, arena, &changed, err);
    return rc < 0 ? rc : social_store_set_active(tx, &changed.user_id, changed.is_active, err);
}

/* user.deleted and user.creation_failed, both on the stream of the person. They are unknown at
 * once; what mentions them goes piece by piece. */
static int on_gone(struct social_room *room, struct db_tx *tx, const struct event *event,
                   struct error *err)
{
    int rc = social_store_drop_person(tx, &event->stream, err);
    return rc < 0 ? rc : social_duty_add(room, tx, &event->stream, SOCIAL_DUTY_ERASE, err);
}

int social_follow_people(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct arena arena;
    int rc;
    arena_init(&arena, EVENT_BYTES_MAX);
    if (event->type == &auth_user_created_event)
        rc = on_created(tx, event, &arena, err);
    else if (event->type == &user_updated_event)
        rc = on_updated(room, tx, event, &arena, err);
    else if (event->type == &auth_user_changed_event)
        rc = on_account(tx, event, &arena, err);
    else
        rc = on_gone(room, tx, event, err);
    arena_done(&arena);
    return rc;
}
