/* What the calendar room answers to other rooms, and the events it emits.
 *
 * In code an "event" is always an event of the log; what people go to is a gathering. On the wire
 * it is Event, as people say.
 */
#ifndef PARLEY_CONTRACT_CALENDAR_H
#define PARLEY_CONTRACT_CALENDAR_H

#include "base/error.h"
#include "base/id.h"
#include "base/schema.h"
#include "engine/event_log.h"

enum calendar_answer {
    CALENDAR_NONE = -1,
    CALENDAR_YES,
    CALENDAR_MAYBE,
    CALENDAR_NO,
    CALENDAR_WAITING, /* said yes when all places were taken */
};
extern const char *const calendar_answer_names[]; /* "yes" "maybe" "no" "waiting" NULL */

#define CALENDAR_LOCAL_LEN 19 /* 2026-03-29T03:30:00 */

/* Event on the wire; what depends on who looks (my_status) is CALENDAR_NONE in events. */
struct gathering {
    struct id id, host_id;
    struct slice title, description, place, link, time_zone;
    int64_t starts_at, ends_at; /* wall ms */
    struct slice starts_at_local, ends_at_local;
    int64_t capacity; /* 0: as many as come */
    int visibility;   /* enum social_visibility */
    int64_t yes_count, maybe_count, waiting_count;
    int my_status; /* enum calendar_answer */
    int64_t cancelled_at, created_at, updated_at;
    int64_t sequence; /* of its iCalendar file; not on the wire */
};
extern const struct schema gathering_schema;

/* Event types "event.created", "event.updated", "event.cancelled": durable, client, on the host's
 * author topic (private ones on the host's own stream). "event.invited": durable, client, on the
 * stream of who was invited. "event.changed": ephemeral, on the topic "event" of the gathering.
 * Data: the gathering as anybody would see it. */
extern const struct event_type gathering_created_event, gathering_updated_event,
    gathering_cancelled_event, gathering_invited_event, gathering_changed_event;

/* One person's answer: the answer of PUT rsvp, an item of the attendees, and the data of
 * "rsvp.changed" (durable, client, on the person's own stream; also when a place has come free for
 * them; my answer taken away: status null). */
struct calendar_rsvp {
    struct id gathering_id, user_id;
    int status;       /* enum calendar_answer */
    int64_t position; /* in the waiting line, from 1; 0: not in it, or (in events) not counted */
    int64_t updated_at;
    int64_t place; /* order of arrival; not on the wire */
};
extern const struct schema calendar_rsvp_schema;
extern const struct event_type calendar_rsvp_changed_event;

/* "event.reminder": durable, inside only, on the stream of one who comes or may come: once for each
 * of the configured times before the start. */
struct calendar_reminder {
    struct id gathering_id, user_id;
    struct slice title, place, link, time_zone, starts_at_local;
    int64_t starts_at, ends_at;
    int64_t before_s; /* which reminder: seconds before the start */
};
extern const struct schema calendar_reminder_schema;
extern const struct event_type calendar_reminder_event;

/* The topic that people watch while they look at a gathering: "event:<id>". */
#define CALENDAR_TOPIC "event"

struct calendar_calls {
    void *room;
    /* Those who come, may come or wait, by id, after *after (nil: from the first); at most limit.
     * For telling them what has changed. May wait. */
    int (*attendees)(void *room, const struct id *gathering, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err);
};

#endif
