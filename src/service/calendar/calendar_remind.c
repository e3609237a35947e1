/* Duties by the clock: reminders, and cleaning up.
 *
 * A reminder is a row from the moment its gathering is made until the transaction that sends the
 * last of it: who has had it is known by how far the row has come (by user id), in the transaction
 * that emits, so nobody gets it twice, whatever stops or sets the clock back. */
#include "base/log.h"
#include "service/calendar/calendar_room.h"

int calendar_plan_reminders(struct calendar_room *room, struct db_tx *tx, const struct gathering *g,
                            struct error *err)
{
    int64_t now_ms = calendar_now_ms(room);
    int rc = reminder_store_clear(tx, &g->id, err);
    for (size_t i = 0; rc == 0 && i < CALENDAR_REMINDERS_MAX; i++) {
        int64_t due_ms = g->starts_at - room->reminders_ms[i];
        bool again = i > 0 && room->reminders_ms[i] == room->reminders_ms[0];
        if (room->reminders_ms[i] > 0 && due_ms > now_ms && !again)
            rc = reminder_store_add(tx, &g->id, due_ms, room->reminders_ms[i], err);
    }
    return rc;
}

struct reminding {
    struct calendar_room *room;
    bool more;
};

static int remind_one(struct calendar_room *room, struct db_tx *tx, const struct gathering *g,
                      const struct reminder_row *row, const struct id *user, struct error *err)
{
    struct calendar_reminder data = {.gathering_id = g->id,
                                     .user_id = *user,
                                     .title = g->title,
                                     .place = g->place,
                                     .link = g->link,
                                     .time_zone = g->time_zone,
                                     .starts_at_local = g->starts_at_local,
                                     .starts_at = g->starts_at,
                                     .ends_at = g->ends_at,
                                     .before_s = row->before_ms / 1000};
    struct emit event = {.type = &calendar_reminder_event, .stream = user, .data = &data};
    return kit_emit(room->kit, tx, &event, NULL, err);
}

static int remind_chunk(struct calendar_room *room, struct db_tx *tx, const struct gathering *g,
                        struct reminder_row *row, struct error *err)
{
    struct id users[CALENDAR_CHUNK];
    size_t count;
    int rc = rsvp_store_users(tx, &g->id, 1u << CALENDAR_YES | 1u << CALENDAR_MAYBE,
                              &row->after_user, CALENDAR_CHUNK, users, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = remind_one(room, tx, g, row, &users[i], err);
    if (rc < 0)
        return rc;
    if (count < CALENDAR_CHUNK)
        return reminder_store_end(tx, row, err);
    row->after_user = users[count - 1];
    return reminder_store_progress(tx, row, err);
}

/* One chunk of the reminder that is due longest. One that comes too late, because nothing ran when
 * it was due and it has begun by now, is dropped. */
static int remind_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct reminding *r = arg;
    struct reminder_row row;
    struct gathering g;
    struct arena arena;
    bool found = false;
    int64_t now_ms = calendar_now_ms(r->room);
    int rc = reminder_store_next(tx, now_ms, &row, &r->more, err);
    if (rc < 0 || !r->more)
        return rc;
    arena_init(&arena, 64 << 10);
    rc = gathering_store_get(tx, &row.gathering_id, &arena, &g, &found, err);
    if (rc == 0 && found)
        rc = calendar_fill_local(r->room, &arena, &g, err);
    if (rc == 0 && found && g.cancelled_at == 0 && g.starts_at > now_ms)
        rc = remind_chunk(r->room, tx, &g, &row, err);
    else if (rc == 0)
        rc = reminder_store_end(tx, &row, err);
    arena_done(&arena);
    return rc;
}

int calendar_remind(void *room, struct error *err)
{
    struct reminding r = {.room = room, .more = true};
    int rc = 0;
    while (rc == 0 && r.more)
        rc = db_write(r.room->db, remind_tx, &r, err);
    return rc;
}

/* --- cleaning up -------------------------------------------------------------------------------
 */

struct sweeping {
    struct calendar_room *room;
    struct id ids[100];
    size_t count;
    bool more;
};

static int owed_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sweeping *s = arg;
    return gathering_store_with_free_places(tx, calendar_now_ms(s->room), ARRAY_LEN(s->ids), s->ids,
                                            &s->count, err);
}

static int clean_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct sweeping *s = arg;
    return gathering_store_clean(tx, calendar_now_ms(s->room), CALENDAR_CHUNK, &s->more, err);
}

/* Places that a crash left unassigned, and rows of what was deleted. */
int calendar_sweep(void *room, struct error *err)
{
    struct sweeping s = {.room = room, .more = true};
    int rc = db_read(s.room->db, owed_tx, &s, err);
    for (size_t i = 0; rc == 0 && i < s.count; i++)
        calendar_hand_out(s.room, &s.ids[i]);
    while (rc == 0 && s.more)
        rc = db_write(s.room->db, clean_tx, &s, err);
    return rc;
}
