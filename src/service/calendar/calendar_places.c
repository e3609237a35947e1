/* Places: who has one and who waits. Everything is decided here, inside the write transaction.
 *
 * Always: somebody waits only while all places are taken (but for the moment between two chunks of
 * a promotion, see places_owed); who waits is served in order of arrival; nobody overtakes, because
 * a free place goes to a newcomer only when nobody waits. */
#include "base/log.h"
#include "service/calendar/calendar_room.h"

static int64_t *count_of(struct places *p, int status)
{
    switch (status) {
    case CALENDAR_YES: return &p->yes_count;
    case CALENDAR_MAYBE: return &p->maybe_count;
    case CALENDAR_WAITING: return &p->waiting_count;
    default: return NULL; /* who does not come is not counted */
    }
}

static void count(struct places *p, int status, int64_t delta)
{
    int64_t *n = count_of(p, status);
    if (n != NULL)
        *n += delta;
}

static bool has_free(const struct places *p)
{
    return p->capacity == 0 || p->yes_count < p->capacity;
}

static bool is_open(const struct calendar_room *room, const struct places *p)
{
    return p->cancelled_at == 0 && p->ends_at > calendar_now_ms(room);
}

bool places_owed(const struct calendar_room *room, const struct places *p)
{
    return p->waiting_count > 0 && has_free(p) && is_open(room, p);
}

static int tell(struct calendar_room *room, struct db_tx *tx, const struct calendar_rsvp *rsvp,
                struct error *err)
{
    struct emit event = {
        .type = &calendar_rsvp_changed_event, .stream = &rsvp->user_id, .data = rsvp};
    return kit_emit(room->kit, tx, &event, NULL, err);
}

static int put(struct calendar_room *room, struct db_tx *tx, struct places *p, int from,
               struct calendar_rsvp *rsvp, struct error *err)
{
    rsvp->updated_at = calendar_now_ms(room);
    count(p, from, -1);
    count(p, rsvp->status, 1);
    int rc = rsvp_store_put(tx, rsvp, err);
    return rc < 0 ? rc : tell(room, tx, rsvp, err);
}

/* Free places to those who wait, in order, at most CALENDAR_CHUNK of them. */
static int promote(struct calendar_room *room, struct db_tx *tx, struct places *p,
                   struct error *err)
{
    for (int i = 0; i < CALENDAR_CHUNK && places_owed(room, p); i++) {
        struct calendar_rsvp first = {0};
        bool found;
        int rc = rsvp_store_first_waiting(tx, &p->id, &first, &found, err);
        if (rc < 0)
            return rc;
        if (should_not(!found)) {
            p->waiting_count = 0;
            return 0;
        }
        first.status = CALENDAR_YES;
        rc = put(room, tx, p, CALENDAR_WAITING, &first, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Yes again of somebody who waits keeps the place in the line. */
static bool is_same(const struct calendar_rsvp *now, enum calendar_answer answer)
{
    return now->status == (int)answer ||
           (now->status == CALENDAR_WAITING && answer == CALENDAR_YES);
}

static int position(struct db_tx *tx, const struct places *p, struct calendar_rsvp *rsvp,
                    struct error *err)
{
    if (rsvp->status != CALENDAR_WAITING)
        return 0;
    return rsvp_store_position(tx, &p->id, rsvp->place, &rsvp->position, err);
}

int places_answer(struct calendar_room *room, struct db_tx *tx, struct places *p,
                  const struct id *user, enum calendar_answer answer,
                  struct calendar_rsvp *ret_rsvp, struct error *err)
{
    struct calendar_rsvp rsvp = {.status = CALENDAR_NONE};
    bool found;
    int rc = rsvp_store_get(tx, &p->id, user, &rsvp, &found, err);
    if (rc < 0)
        return rc;
    *ret_rsvp = rsvp;
    if (found && is_same(&rsvp, answer))
        return position(tx, p, ret_rsvp, err);
    bool waits = answer == CALENDAR_YES && (p->waiting_count > 0 || !has_free(p));
    int from = rsvp.status;
    rsvp = (struct calendar_rsvp){.gathering_id = p->id,
                                  .user_id = *user,
                                  .status = waits ? CALENDAR_WAITING : (int)answer,
                                  .position = waits ? p->waiting_count + 1 : 0,
                                  .place = p->next_place++};
    rc = put(room, tx, p, from, &rsvp, err);
    *ret_rsvp = rsvp;
    return rc < 0 ? rc : promote(room, tx, p, err);
}

int places_leave(struct calendar_room *room, struct db_tx *tx, struct places *p,
                 const struct id *user, bool *ret_left, struct error *err)
{
    struct calendar_rsvp rsvp;
    int rc = rsvp_store_get(tx, &p->id, user, &rsvp, ret_left, err);
    if (rc < 0 || !*ret_left)
        return rc;
    count(p, rsvp.status, -1);
    rc = rsvp_store_remove(tx, &p->id, user, err);
    rsvp.status = CALENDAR_NONE;
    rsvp.updated_at = calendar_now_ms(room);
    if (rc == 0)
        rc = tell(room, tx, &rsvp, err);
    return rc < 0 ? rc : promote(room, tx, p, err);
}

/* --- many at once ------------------------------------------------------------------------------
 */

struct handing {
    struct calendar_room *room;
    const struct id *id;
    bool more;
};

static int hand_out_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct handing *h = arg;
    struct places p;
    bool found;
    int rc = places_store_get(tx, h->id, &p, &found, err);
    h->more = false;
    if (rc < 0 || !found || !places_owed(h->room, &p))
        return rc;
    rc = promote(h->room, tx, &p, err);
    if (rc == 0)
        rc = places_store_put(tx, &p, err);
    h->more = places_owed(h->room, &p);
    return rc;
}

void calendar_hand_out(struct calendar_room *room, const struct id *gathering)
{
    struct handing h = {.room = room, .id = gathering, .more = true};
    struct error err;
    error_init(&err);
    while (h.more && db_write(room->db, hand_out_tx, &h, &err) == 0)
        continue;
    if (err.kind != 0)
        log_warn("places not handed out yet", LOG_S("code", err.code), LOG_S("detail", err.detail));
}
