/* What the chat room keeps about a person as such, apart from their memberships: a row from the day
 * they come to the day they go. Making it is the room's part of a registration
 * (contract/registration.h). */
#include "contract/auth.h"
#include "contract/registration.h"
#include "service/chat/chat_room.h"
#include "service/chat/chat_store.h"

static int follow_created(struct chat_room *room, struct db_tx *tx, const struct id *user,
                          struct error *err)
{
    bool wanted = false;
    int rc = registration_wants(tx, user, &wanted, err);
    if (rc < 0 || !wanted)
        return rc;
    rc = chat_store_insert_profile(tx, user, clock_wall_ms(room->clock), err);
    return rc < 0 ? rc : registration_did(room->kit, tx, user, REGISTRATION_CHAT_PROFILE, err);
}

static int follow_failed(struct db_tx *tx, const struct id *user, struct error *err)
{
    bool removed = false;
    int rc = chat_store_remove_profile(tx, user, &removed, err);
    if (rc < 0 || !removed)
        return rc;
    return registration_undid(tx, user, REGISTRATION_CHAT_PROFILE, err);
}

int chat_follow_people(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    if (event->type == &auth_user_created_event)
        return follow_created(room, tx, &event->stream, err);
    if (event->type == &registration_failed_event)
        return follow_failed(tx, &event->stream, err);
    bool removed;
    return chat_store_remove_profile(tx, &event->stream, &removed, err);
}

/* --- people who came before --------------------------------------------------------------------
 */

enum { PIECE = 500 };

struct acquaintance {
    struct chat_room *room;
    bool due;
    struct id after, people[PIECE];
    size_t count;
};

static int due_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct acquaintance *a = arg;
    return chat_store_acquaintance(tx, &a->due, &a->after, err);
}

static int piece_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct acquaintance *a = arg;
    int64_t now = clock_wall_ms(a->room->clock);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->count; i++)
        rc = chat_store_insert_profile(tx, &a->people[i], now, err);
    if (rc < 0)
        return rc;
    a->due = a->count == PIECE;
    return chat_store_set_acquaintance(tx, a->due ? &a->people[a->count - 1] : NULL, err);
}

int chat_profile_everybody(struct chat_room *room, const struct user_calls *users,
                           struct error *err)
{
    struct acquaintance a = {.room = room};
    int rc = db_read(room->db, due_tx, &a, err);
    while (rc == 0 && a.due) {
        rc = users->everybody(users->room, &a.after, PIECE, a.people, &a.count, err);
        if (rc == 0)
            rc = db_write(room->db, piece_tx, &a, err);
        if (rc == 0 && a.count > 0)
            a.after = a.people[a.count - 1];
    }
    return rc;
}

/* --- the end of a registration ------------------------------------------------------------------
 */

int chat_give_up_profile(void *room, struct db_tx *tx, const struct event *event, struct slice why,
                         struct error *err)
{
    if (event->type != &auth_user_created_event)
        return 0;
    return registration_fail(((struct chat_room *)room)->kit, tx, &event->stream,
                             REGISTRATION_CHAT_PROFILE, why, err);
}
