/* What the chat room keeps about a person as such, apart from their memberships: a row from the day
 * they come to the day they go. Making it is the room's part of a registration
 * (contract/registration.h). */
#include "contract/auth.h"
#include "contract/registration.h"
#include "service/chat/chat_room.h"

static const struct db_sql sql_insert = {
    "INSERT INTO chat_profile (user_id, created_at) VALUES (?1, ?2) "
    "ON CONFLICT (user_id) DO NOTHING"};
static const struct db_sql sql_remove = {"DELETE FROM chat_profile WHERE user_id = ?1"};

static int follow_created(struct chat_room *room, struct db_tx *tx, const struct id *user,
                          struct error *err)
{
    bool wanted = false;
    int rc = registration_wants(tx, user, &wanted, err);
    if (rc < 0 || !wanted)
        return rc;
    rc = db_exec(tx, &sql_insert, err, db_id(user), db_int(clock_wall_ms(room->clock)));
    return rc < 0 ? rc : registration_did(room->kit, tx, user, REGISTRATION_CHAT_PROFILE, err);
}

static int follow_failed(struct db_tx *tx, const struct id *user, struct error *err)
{
    int rc = db_exec(tx, &sql_remove, err, db_id(user));
    if (rc < 0 || db_changes(tx) == 0)
        return rc;
    return registration_undid(tx, user, REGISTRATION_CHAT_PROFILE, err);
}

int chat_follow_people(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    if (event->type == &auth_user_created_event)
        return follow_created(room, tx, &event->stream, err);
    if (event->type == &registration_failed_event)
        return follow_failed(tx, &event->stream, err);
    return db_exec(tx, &sql_remove, err, db_id(&event->stream));
}

int chat_give_up_profile(void *room, struct db_tx *tx, const struct event *event, struct slice why,
                         struct error *err)
{
    if (event->type != &auth_user_created_event)
        return 0;
    return registration_fail(((struct chat_room *)room)->kit, tx, &event->stream,
                             REGISTRATION_CHAT_PROFILE, why, err);
}
