/* Who may see a gathering, and how it looks to them. */
#include <stdlib.h>

#include "service/calendar/calendar_room.h"

int calendar_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "event_not_found", "There is no such event.");
}

bool calendar_may_see(const struct social_relation *relation, int visibility, bool known)
{
    if (relation->self)
        return true;
    return !social_blocked(relation) &&
           (known || social_may_see(relation, (enum social_visibility)visibility));
}

/* What the clocks there show; in a zone that the system knows no longer, what they show in
 * Greenwich. */
static struct slice local_text(const struct zone *zone, struct arena *arena, int64_t wall_ms)
{
    char text[TIME_TEXT_LEN + 1];
    int64_t east_s = zone != NULL ? zone_at(zone, wall_ms / 1000).seconds : 0;
    time_format(wall_ms + east_s * 1000, text);
    return arena_copy(arena, slice_of(text, CALENDAR_LOCAL_LEN));
}

int calendar_fill_local(struct calendar_room *room, struct arena *arena, struct gathering *g,
                        struct error *err)
{
    const struct zone *zone = zones_find(room->zones, g->time_zone);
    g->starts_at_local = local_text(zone, arena, g->starts_at);
    g->ends_at_local = local_text(zone, arena, g->ends_at);
    if (g->starts_at_local.ptr == NULL || g->ends_at_local.ptr == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The event does not fit.");
    return 0;
}

int calendar_load(struct calendar_room *room, struct db_tx *tx, const struct id *id,
                  struct arena *arena, struct gathering *ret_gathering, struct error *err)
{
    bool found = false;
    int rc = gathering_store_get(tx, id, arena, ret_gathering, &found, err);
    if (rc == 0 && !found)
        rc = calendar_not_found(err);
    return rc < 0 ? rc : calendar_fill_local(room, arena, ret_gathering, err);
}

int calendar_fill_answer(struct db_tx *tx, const struct id *user, struct gathering *g,
                         bool *ret_known, struct error *err)
{
    struct calendar_rsvp mine;
    bool answered = false, invited = false;
    int rc = rsvp_store_get(tx, &g->id, user, &mine, &answered, err);
    if (rc == 0 && answered)
        g->my_status = mine.status;
    if (rc == 0 && !answered)
        rc = invite_store_get(tx, &g->id, user, &invited, err);
    *ret_known = answered || invited;
    return rc;
}

struct view {
    struct calendar_call *call;
    const struct id *id;
    struct gathering gathering;
    bool known;
};

static int view_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct view *v = arg;
    int rc = calendar_load(v->call->room, tx, v->id, v->call->arena, &v->gathering, err);
    return rc < 0 ? rc : calendar_fill_answer(tx, &v->call->user, &v->gathering, &v->known, err);
}

static int see(struct calendar_call *call, const struct id *id, bool whatever,
               struct gathering *ret_gathering)
{
    const struct social_calls *social = call->room->social;
    struct view v = {.call = call, .id = id};
    struct social_relation relation;
    int rc = db_read(call->room->db, view_tx, &v, call->err);
    if (rc == 0)
        rc = social->relations(social->room, &call->user, &v.gathering.host_id, 1, &relation,
                               call->err);
    if (rc < 0)
        return rc;
    if (!whatever && !calendar_may_see(&relation, v.gathering.visibility, v.known))
        return calendar_not_found(call->err);
    *ret_gathering = v.gathering;
    return 0;
}

int calendar_see(struct calendar_call *call, const struct id *id, struct gathering *ret_gathering)
{
    return see(call, id, false, ret_gathering);
}

int calendar_see_to_judge(struct calendar_call *call, const struct id *id,
                          struct gathering *ret_gathering)
{
    return see(call, id, call->moderates, ret_gathering);
}

/* --- those who look at it ----------------------------------------------------------------------
 */

struct telling {
    struct calendar_room *room;
    const struct id *id;
    struct arena arena;
    struct gathering gathering;
};

static int telling_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct telling *t = arg;
    return calendar_load(t->room, tx, t->id, &t->arena, &t->gathering, err);
}

/* Read again after the commit: of two changes at once the later reading shows both. That nobody is
 * told when it cannot be read is what "ephemeral" means. */
void calendar_tell_watchers(struct calendar_room *room, const struct id *id)
{
    struct telling t = {.room = room, .id = id};
    struct error ignored;
    error_init(&ignored);
    arena_init(&t.arena, 64 << 10);
    if (db_read(room->db, telling_tx, &t, &ignored) == 0) {
        struct id stream = topic_stream(CALENDAR_TOPIC, id);
        kit_emit_ephemeral(room->kit, &gathering_changed_event, &stream, &t.gathering);
    }
    arena_done(&t.arena);
}
