/* Answers and invitations: who may, then one transaction (calendar_places.c decides in it). */
#include "kit/emit.h"
#include "service/calendar/calendar_room.h"

struct answering {
    struct calendar_call *call;
    const struct id *id;
    enum calendar_answer answer;
    struct calendar_rsvp rsvp;
    bool owed;
};

static int load_places(struct db_tx *tx, const struct id *id, struct places *ret_places,
                       struct error *err)
{
    bool found;
    int rc = places_store_get(tx, id, ret_places, &found, err);
    return rc < 0 || found ? rc : calendar_not_found(err);
}

static int answer_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct answering *a = arg;
    struct calendar_room *room = a->call->room;
    struct places p;
    int rc = load_places(tx, a->id, &p, err);
    if (rc < 0)
        return rc;
    if (p.cancelled_at != 0)
        return error_set(err, FAIL_CONFLICT, "event_cancelled", "The event has been cancelled.");
    if (p.ends_at <= calendar_now_ms(room))
        return error_set(err, FAIL_CONFLICT, "event_over", "The event is over.");
    int64_t next_place = p.next_place;
    rc = places_answer(room, tx, &p, &a->call->user, a->answer, &a->rsvp, err);
    if (rc == 0 && p.next_place != next_place)
        rc = places_store_put(tx, &p, err);
    a->owed = places_owed(room, &p);
    return rc;
}

int calendar_answer(struct calendar_call *call, const struct id *id, enum calendar_answer answer,
                    struct calendar_rsvp *ret_rsvp)
{
    struct answering a = {.call = call, .id = id, .answer = answer};
    struct gathering seen;
    int rc = calendar_see(call, id, &seen);
    if (rc == 0)
        rc = db_write(call->room->db, answer_tx, &a, call->err);
    if (rc < 0)
        return rc;
    if (a.owed)
        calendar_hand_out(call->room, id);
    calendar_tell_watchers(call->room, id);
    *ret_rsvp = a.rsvp;
    return 0;
}

/* --- attendees ---------------------------------------------------------------------------------
 */

struct listing {
    struct calendar_call *call;
    const struct id *id;
    int status;
    bool with_no;
    int64_t after;
    size_t limit;
    struct calendar_rsvp *items;
    size_t count;
};

/* In order of arrival those who wait stand as in their line, so the first one's position gives the
 * others'. */
static int number_line(struct db_tx *tx, struct listing *l, struct error *err)
{
    int64_t position = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct calendar_rsvp *item = &l->items[i];
        if (item->status != CALENDAR_WAITING)
            continue;
        int rc = position > 0 ? 0 : rsvp_store_position(tx, l->id, item->place - 1, &position, err);
        if (rc < 0)
            return rc;
        item->position = ++position;
    }
    return 0;
}

static int listing_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    int rc = rsvp_store_page(tx, l->id, l->status, l->with_no, l->after, l->limit + 1, l->items,
                             &l->count, err);
    return rc < 0 ? rc : number_line(tx, l, err);
}

/* Those who stand in a block with the reader are left out, and those who are switched off. */
static int keep_visible(const struct calendar_call *call, struct rsvp_list *page, size_t count)
{
    const struct social_calls *social = call->room->social;
    struct id users[PAGE_LIMIT_MAX];
    struct social_relation relations[PAGE_LIMIT_MAX];
    page->count = 0;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        users[i] = page->items[i].user_id;
    int rc = social->relations(social->room, &call->user, users, count, relations, call->err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (relations[i].self || (!social_blocked(&relations[i]) && !relations[i].absent))
            page->items[page->count++] = page->items[i];
    return rc;
}

int calendar_attendees(struct calendar_call *call, const struct id *id,
                       const struct rsvp_query *query, struct rsvp_list *ret_list)
{
    struct gathering g;
    struct cursor after;
    bool given;
    int rc = cursor_decode(query->page.cursor, &after, &given, call->err);
    if (rc == 0)
        rc = calendar_see(call, id, &g);
    if (rc < 0)
        return rc;
    struct listing l = {.call = call,
                        .id = id,
                        .status = schema_has(query->present, RSVP_QUERY_STATUS) ? query->status
                                                                                : CALENDAR_NONE,
                        .with_no = id_eq(&g.host_id, &call->user),
                        .after = after.number,
                        .limit = (size_t)query->page.limit};
    if (l.status == CALENDAR_NO && !l.with_no)
        return error_set(call->err, FAIL_FORBIDDEN, "host_only",
                         "Only the host sees who does not come.");
    l.items = arena_array(call->arena, l.limit + 1, sizeof *l.items);
    if (l.items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
    rc = db_read(call->room->db, listing_tx, &l, call->err);
    if (rc < 0)
        return rc;
    struct rsvp_list page = {.items = l.items, .more = l.count > l.limit};
    if (page.more)
        page.next = (struct cursor){.number = l.items[--l.count - 1].place};
    rc = keep_visible(call, &page, l.count);
    if (rc == 0)
        *ret_list = page;
    return rc;
}

/* --- invitations -------------------------------------------------------------------------------
 */

struct inviting {
    struct calendar_call *call;
    const struct id *id, *user;
    struct gathering gathering;
    bool left, owed;
};

static int invite_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct inviting *i = arg;
    struct calendar_room *room = i->call->room;
    int64_t count;
    bool there;
    int rc = calendar_load(room, tx, i->id, i->call->arena, &i->gathering, err);
    if (rc == 0)
        rc = invite_store_get(tx, i->id, i->user, &there, err);
    if (rc == 0 && !there)
        rc = invite_store_count(tx, i->id, &count, err);
    if (rc < 0 || there)
        return rc;
    if (count >= CALENDAR_INVITES_MAX)
        return error_set(err, FAIL_CONFLICT, "too_many_invites", "At most %d people.",
                         CALENDAR_INVITES_MAX);
    rc = invite_store_put(tx, i->id, i->user, calendar_now_ms(room), err);
    struct emit event = {.type = &gathering_invited_event,
                         .stream = i->user,
                         .data = &i->gathering,
                         .correlation_id = i->call->correlation_id};
    return rc < 0 ? rc : kit_emit(room->kit, tx, &event, NULL, err);
}

static int check_host(struct calendar_call *call, const struct id *id)
{
    struct gathering g;
    int rc = calendar_see(call, id, &g);
    if (rc == 0 && !id_eq(&g.host_id, &call->user))
        rc = error_set(call->err, FAIL_FORBIDDEN, "host_only", "Only its host may do that.");
    return rc;
}

int calendar_invite(struct calendar_call *call, const struct id *id, const struct id *user)
{
    struct calendar_room *room = call->room;
    struct inviting i = {.call = call, .id = id, .user = user};
    int rc = check_host(call, id);
    if (rc == 0 && room->social->blocked(room->social->room, &call->user, user))
        rc = error_set(call->err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
    if (rc == 0)
        rc = room->users->check_all(room->users->room, user, 1, NULL, call->err);
    return rc < 0 ? rc : db_write(room->db, invite_tx, &i, call->err);
}

static int uninvite_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct inviting *i = arg;
    struct calendar_room *room = i->call->room;
    struct places p;
    int rc = load_places(tx, i->id, &p, err);
    if (rc == 0)
        rc = invite_store_remove(tx, i->id, i->user, err);
    if (rc == 0)
        rc = places_leave(room, tx, &p, i->user, &i->left, err);
    if (rc == 0 && i->left)
        rc = places_store_put(tx, &p, err);
    if (rc == 0) /* a private one is not theirs to see any more */
        rc = kit_recheck_watches(room->kit, tx, i->user, err);
    i->owed = rc == 0 && places_owed(room, &p);
    return rc;
}

int calendar_uninvite(struct calendar_call *call, const struct id *id, const struct id *user)
{
    struct inviting i = {.call = call, .id = id, .user = user};
    int rc = check_host(call, id);
    if (rc == 0)
        rc = db_write(call->room->db, uninvite_tx, &i, call->err);
    if (rc < 0)
        return rc;
    if (i.owed)
        calendar_hand_out(call->room, id);
    if (i.left)
        calendar_tell_watchers(call->room, id);
    return 0;
}
