/* The room's state, and what its files share; inside src/service/calendar only. */
#ifndef PARLEY_SERVICE_CALENDAR_ROOM_H
#define PARLEY_SERVICE_CALENDAR_ROOM_H

#include "contract/user.h"
#include "kit/emit.h"
#include "kit/limit.h"
#include "kit/zones.h"
#include "service/calendar/calendar_store.h"

enum { CALENDAR_REMINDERS_MAX = 2, CALENDAR_CHUNK = 500 };

struct calendar_room {
    struct kit *kit;
    struct db *db;
    struct zones *zones;
    const struct social_calls *social;
    const struct user_calls *users;
    struct limit_rule create_limit;               /* count 0: none */
    int64_t reminders_ms[CALENDAR_REMINDERS_MAX]; /* before the start; 0: none */
    struct calendar_calls calls;
};

static inline int64_t calendar_now_ms(const struct calendar_room *room)
{
    return clock_wall_ms(room->kit->clock);
}

/* --- opening (calendar_room.c); see kit/module.h ------------------------------------------------
 */
extern const struct config_key calendar_config[];
int calendar_start(struct kit *kit, void **ret_room, struct error *err) MUSTCHECK;
void calendar_stop(void *room);
const void *calendar_calls(void *room);

/* --- seeing (calendar_view.c) ----------------------------------------------------------------- */
/* The gathering as call->user sees it. FAIL_NOT_FOUND "event_not_found" when there is none or they
 * may not. */
int calendar_see(struct calendar_call *call, const struct id *id,
                 struct gathering *ret_gathering) MUSTCHECK;
/* The same, but a moderator sees it whatever its visibility. */
int calendar_see_to_judge(struct calendar_call *call, const struct id *id,
                          struct gathering *ret_gathering) MUSTCHECK;
/* relation: of the reader to the host. known: answered or invited. */
bool calendar_may_see(const struct social_relation *relation, int visibility, bool known);
int calendar_not_found(struct error *err);
/* Inside a transaction: with local times; without my_status. FAIL_NOT_FOUND. */
int calendar_load(struct calendar_room *room, struct db_tx *tx, const struct id *id,
                  struct arena *arena, struct gathering *ret_gathering,
                  struct error *err) MUSTCHECK;
int calendar_fill_local(struct calendar_room *room, struct arena *arena, struct gathering *g,
                        struct error *err) MUSTCHECK;
/* Inside a transaction: my_status of that person. */
int calendar_fill_answer(struct db_tx *tx, const struct id *user, struct gathering *g,
                         bool *ret_known, struct error *err) MUSTCHECK;
/* For those who look at it, as it is now. After the commit, never inside. */
void calendar_tell_watchers(struct calendar_room *room, const struct id *id);

/* --- input (calendar_input.c) ----------------------------------------------------------------- */
/* Puts what is present into the gathering, and checks all of it. Field errors. */
int calendar_apply(struct calendar_room *room, const struct gathering_input *in,
                   struct gathering *g, struct error *err) MUSTCHECK;

/* --- places (calendar_places.c) --------------------------------------------------------------- */
/* Inside db_write. Each writes the answers that change and emits rsvp.changed for them; the caller
 * then writes the counts (places_store_put). */
int places_answer(struct calendar_room *room, struct db_tx *tx, struct places *p,
                  const struct id *user, enum calendar_answer answer,
                  struct calendar_rsvp *ret_rsvp, struct error *err) MUSTCHECK;
/* The person is no longer among those who answered. *ret_left false when they were not. */
int places_leave(struct calendar_room *room, struct db_tx *tx, struct places *p,
                 const struct id *user, bool *ret_left, struct error *err) MUSTCHECK;
/* Whether there is somebody for a free place. */
bool places_owed(const struct calendar_room *room, const struct places *p);
/* After a commit: goes on promoting until nobody is owed a place. What fails is logged and left to
 * calendar_sweep. */
void calendar_hand_out(struct calendar_room *room, const struct id *gathering);

/* --- the log and duties (calendar_events.c, calendar_remind.c, calendar_leave.c) ---------------
 */
/* On the stream where those hear of it who may see it. */
int calendar_emit(struct calendar_room *room, struct db_tx *tx, const struct event_type *type,
                  const struct gathering *g, struct slice correlation_id,
                  struct error *err) MUSTCHECK;
/* Inside db_write: the reminders of a gathering whose start is new. */
int calendar_plan_reminders(struct calendar_room *room, struct db_tx *tx, const struct gathering *g,
                            struct error *err) MUSTCHECK;
/* Jobs and consumers; see kit/module.h. */
int calendar_remind(void *room, struct error *err);
int calendar_sweep(void *room, struct error *err);
int calendar_follow_people(void *room, struct db_tx *tx, const struct event *event,
                           struct error *err);
int calendar_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                           void *arg, struct error *err);
/* Inside db_write: the gathering is cancelled, and everybody hears of it. */
int calendar_cancel_in(struct calendar_room *room, struct db_tx *tx, struct gathering *g,
                       struct slice correlation_id, struct error *err) MUSTCHECK;

#endif
