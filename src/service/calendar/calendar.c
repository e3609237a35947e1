/* The rules of gatherings: check, load, decide, write in one transaction, emit, return. */
#include "service/calendar/calendar.h"

#include "kit/audit.h"
#include "kit/emit.h"
#include "service/calendar/calendar_room.h"

enum { GATHERING_JSON_MAX = 256 << 10 };

int gathering_get(struct calendar_call *call, const struct id *id, struct gathering *ret_gathering)
{
    return calendar_see_to_judge(call, id, ret_gathering);
}

/* --- making ------------------------------------------------------------------------------------
 */

struct creation {
    struct calendar_call *call;
    struct gathering gathering;
};

static int create_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct creation *c = arg;
    struct calendar_room *room = c->call->room;
    int rc = gathering_store_insert(tx, &c->gathering, err);
    if (rc == 0)
        rc = calendar_plan_reminders(room, tx, &c->gathering, err);
    if (rc == 0)
        rc = calendar_emit(room, tx, &gathering_created_event, &c->gathering,
                           c->call->correlation_id, err);
    return rc;
}

static int take_allowance(struct calendar_call *call)
{
    struct calendar_room *room = call->room;
    if (room->create_limit.count == 0)
        return 0;
    return limit_take(room->kit->kv, &room->create_limit,
                      slice_of((const char *)call->user.bytes, sizeof call->user.bytes),
                      call->headers, call->err);
}

int gathering_create(struct calendar_call *call, const struct gathering_input *in,
                     struct gathering *ret_gathering)
{
    struct calendar_room *room = call->room;
    int64_t now_ms = calendar_now_ms(room);
    struct creation c = {.call = call,
                         .gathering = {.id = id_new(room->kit->clock),
                                       .host_id = call->user,
                                       .created_at = now_ms,
                                       .updated_at = now_ms,
                                       .my_status = CALENDAR_NONE}};
    zones_refresh(room->zones, room->kit->blocking);
    int rc = calendar_apply(room, in, &c.gathering, call->err);
    if (rc == 0)
        rc = calendar_fill_local(room, call->arena, &c.gathering, call->err);
    if (rc == 0)
        rc = take_allowance(call);
    if (rc == 0)
        rc = db_write(room->db, create_tx, &c, call->err);
    if (rc == 0)
        *ret_gathering = c.gathering;
    return rc;
}

/* --- changing ----------------------------------------------------------------------------------
 */

struct change {
    struct calendar_call *call;
    const struct id *id;
    const struct gathering_input *in; /* of an edit */
    struct gathering gathering;
    bool owed; /* places for those who wait */
    bool gone;
};

/* If-Match is about what the host saw, their own answer included. */
static int check_match(struct change *c, struct error *err)
{
    struct buf json;
    if (c->call->unchanged == NULL)
        return 0;
    buf_init(&json, GATHERING_JSON_MAX);
    schema_encode(&gathering_schema, &c->gathering, &json);
    int rc = buf_ok(&json) ? c->call->unchanged(c->call, buf_view(&json))
                           : error_set(err, FAIL_TOO_LARGE, "too_large", "The event does not fit.");
    buf_done(&json);
    return rc;
}

/* The host's own, as it is now. */
static int load_own(struct change *c, struct db_tx *tx, struct error *err)
{
    bool known;
    int rc = calendar_load(c->call->room, tx, c->id, c->call->arena, &c->gathering, err);
    if (rc == 0)
        rc = calendar_fill_answer(tx, &c->call->user, &c->gathering, &known, err);
    return rc < 0 ? rc : check_match(c, err);
}

/* Grows at each edit, also within a millisecond. */
static void touch(struct calendar_room *room, struct gathering *g)
{
    int64_t now_ms = calendar_now_ms(room);
    g->updated_at = now_ms > g->updated_at ? now_ms : g->updated_at + 1;
    g->sequence++;
}

static int recheck_watchers(const struct change *c, struct db_tx *tx, struct error *err)
{
    struct id watched = topic_stream(CALENDAR_TOPIC, c->id);
    return kit_recheck_watches(c->call->room->kit, tx, &watched, err);
}

static int edit_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    struct calendar_room *room = c->call->room;
    int rc = load_own(c, tx, err);
    if (rc == 0 && c->gathering.cancelled_at != 0)
        rc = error_set(err, FAIL_CONFLICT, "event_cancelled", "The event has been cancelled.");
    int64_t starts_at = c->gathering.starts_at;
    int visibility = c->gathering.visibility;
    if (rc == 0)
        rc = calendar_apply(room, c->in, &c->gathering, err);
    if (rc == 0)
        rc = calendar_fill_local(room, c->call->arena, &c->gathering, err);
    if (rc < 0)
        return rc;
    touch(room, &c->gathering);
    rc = gathering_store_update(tx, &c->gathering, err);
    if (rc == 0 && c->gathering.starts_at != starts_at)
        rc = calendar_plan_reminders(room, tx, &c->gathering, err);
    if (rc == 0)
        rc = calendar_emit(room, tx, &gathering_updated_event, &c->gathering,
                           c->call->correlation_id, err);
    if (rc == 0 && c->gathering.visibility > visibility) /* for fewer people than before */
        rc = recheck_watchers(c, tx, err);
    c->owed = c->gathering.waiting_count > 0;
    return rc;
}

/* Only the host comes further than this; to others it is 404 or 403. */
static int check_host(struct calendar_call *call, const struct id *id)
{
    struct gathering g;
    int rc = calendar_see(call, id, &g);
    if (rc == 0 && !id_eq(&g.host_id, &call->user))
        rc = error_set(call->err, FAIL_FORBIDDEN, "host_only", "Only its host may do that.");
    return rc;
}

int gathering_edit(struct calendar_call *call, const struct id *id,
                   const struct gathering_input *in, struct gathering *ret_gathering)
{
    struct calendar_room *room = call->room;
    struct change c = {.call = call, .id = id, .in = in};
    int rc = check_host(call, id);
    if (rc == 0 && in->present == 0)
        return calendar_see(call, id, ret_gathering);
    zones_refresh(room->zones, room->kit->blocking);
    if (rc == 0)
        rc = db_write(room->db, edit_tx, &c, call->err);
    if (rc < 0)
        return rc;
    if (c.owed)
        calendar_hand_out(room, id);
    calendar_tell_watchers(room, id);
    return calendar_see(call, id, ret_gathering);
}

/* --- ending ------------------------------------------------------------------------------------
 */

int calendar_cancel_in(struct calendar_room *room, struct db_tx *tx, struct gathering *g,
                       struct slice correlation_id, struct error *err)
{
    if (g->cancelled_at != 0)
        return 0;
    touch(room, g);
    g->cancelled_at = g->updated_at;
    int rc = gathering_store_update(tx, g, err);
    if (rc == 0)
        rc = reminder_store_clear(tx, &g->id, err);
    if (rc == 0)
        rc = calendar_emit(room, tx, &gathering_cancelled_event, g, correlation_id, err);
    return rc;
}

static int cancel_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    struct calendar_room *room = c->call->room;
    int rc = load_own(c, tx, err);
    if (rc == 0 && c->gathering.cancelled_at == 0 && c->gathering.ends_at <= calendar_now_ms(room))
        rc = error_set(err, FAIL_CONFLICT, "event_over", "The event is over.");
    return rc < 0 ? rc : calendar_cancel_in(room, tx, &c->gathering, c->call->correlation_id, err);
}

int gathering_cancel(struct calendar_call *call, const struct id *id,
                     struct gathering *ret_gathering)
{
    struct change c = {.call = call, .id = id};
    int rc = check_host(call, id);
    if (rc == 0)
        rc = db_write(call->room->db, cancel_tx, &c, call->err);
    if (rc < 0)
        return rc;
    calendar_tell_watchers(call->room, id);
    *ret_gathering = c.gathering;
    return 0;
}

/* Whether somebody else counts on it. */
static int others_come(struct change *c, struct db_tx *tx, bool *ret_others, struct error *err)
{
    static const unsigned coming =
        1u << CALENDAR_YES | 1u << CALENDAR_MAYBE | 1u << CALENDAR_WAITING;
    struct id users[2];
    size_t count;
    const struct id first = {{0}};
    int rc = rsvp_store_users(tx, c->id, coming, &first, 2, users, &count, err);
    *ret_others = false;
    for (size_t i = 0; rc == 0 && i < count; i++)
        *ret_others |= !id_eq(&users[i], &c->call->user);
    return rc;
}

static int audit(const struct change *c, struct db_tx *tx, struct error *err)
{
    struct audit_entry entry = {.action = "event.deleted",
                                .actor = &c->call->user,
                                .subject_kind = "event",
                                .subject = c->id,
                                .correlation_id = c->call->correlation_id};
    return audit_write(c->call->room->kit, tx, &entry, err);
}

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    struct calendar_room *room = c->call->room;
    int64_t now_ms = calendar_now_ms(room);
    bool others = false;
    int rc = load_own(c, tx, err);
    if (rc == 0)
        rc = others_come(c, tx, &others, err);
    if (rc < 0)
        return rc;
    bool to_come = c->gathering.ends_at > now_ms && c->gathering.cancelled_at == 0;
    bool judged = !id_eq(&c->gathering.host_id, &c->call->user);
    c->gone = judged || !(to_come && others);
    if (to_come)
        rc = calendar_cancel_in(room, tx, &c->gathering, c->call->correlation_id, err);
    if (rc == 0 && c->gone)
        rc = reminder_store_clear(tx, c->id, err);
    if (rc == 0 && c->gone)
        rc = gathering_store_delete(tx, c->id, now_ms, err);
    if (rc == 0 && judged)
        rc = audit(c, tx, err);
    return rc;
}

int gathering_delete(struct calendar_call *call, const struct id *id)
{
    struct change c = {.call = call, .id = id};
    struct gathering judged;
    int rc = call->moderates ? calendar_see_to_judge(call, id, &judged) : check_host(call, id);
    if (rc == 0)
        rc = db_write(call->room->db, delete_tx, &c, call->err);
    if (rc == 0 && !c.gone)
        calendar_tell_watchers(call->room, id);
    return rc;
}
