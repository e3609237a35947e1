/* What the chat room keeps about a person as such, apart from their memberships: a row from the day
 * they come to the day they go. Making it is the room's part of a registration
 * (contract/registration.h). */
#include "contract/auth.h"
#include "contract/registration.h"
#include "service/chat/chat_room.h"

#include "engine/db_one.h"

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

/* --- people who came before --------------------------------------------------------------------
 */

enum { PIECE = 500 };

static const struct db_sql sql_after = {"SELECT after FROM chat_acquaintance"};
static const struct db_sql sql_set_after = {"UPDATE chat_acquaintance SET after = ?1"};
static const struct db_sql sql_end = {"DELETE FROM chat_acquaintance"};

struct acquaintance {
    struct chat_room *room;
    bool due;
    struct id after, people[PIECE];
    size_t count;
};

static int due_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct acquaintance *a = arg;
    struct db_rows rows;
    int rc = db_one(tx, &sql_after, &rows, err);
    a->due = rc > 0;
    if (rc > 0) {
        a->after = db_col_id(&rows, 0);
        db_rows_close(&rows);
    }
    return rc < 0 ? rc : 0;
}

static int piece_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct acquaintance *a = arg;
    int64_t now = clock_wall_ms(a->room->clock);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->count; i++)
        rc = db_exec(tx, &sql_insert, err, db_id(&a->people[i]), db_int(now));
    if (rc < 0)
        return rc;
    a->due = a->count == PIECE;
    return a->due ? db_exec(tx, &sql_set_after, err, db_id(&a->people[a->count - 1]))
                  : db_exec(tx, &sql_end, err);
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
