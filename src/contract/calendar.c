#include "contract/calendar.h"

#include "contract/social.h"

const char *const calendar_answer_names[] = {"yes", "maybe", "no", "waiting", NULL};

#define AT(member) SCHEMA_AT(struct gathering, member)
static const struct schema_field gathering_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, AT(id)},
    {"user_id", "Its host.", SCHEMA_ID, SCHEMA_REQUIRED, AT(host_id)},
    {"title", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, AT(title)},
    {"description", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(description)},
    {"starts_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(starts_at)},
    {"ends_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(ends_at)},
    {"time_zone", "IANA name of the zone that its times are said in.", SCHEMA_STRING,
     SCHEMA_REQUIRED, AT(time_zone), .example = "\"Europe/Berlin\""},
    {"starts_at_local", "What the clocks there show, without an offset.", SCHEMA_STRING,
     SCHEMA_REQUIRED, AT(starts_at_local), .example = "\"2026-03-29T03:30:00\""},
    {"ends_at_local", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, AT(ends_at_local)},
    {"place", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(place)},
    {"link", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(link), .format = "uri"},
    {"capacity", "Places; null: as many as come.", SCHEMA_INT, SCHEMA_NULLABLE, AT(capacity),
     .min = 1, .max = INT64_MAX},
    {"visibility", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, AT(visibility),
     .names = social_visibility_names},
    {"yes_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(yes_count)},
    {"maybe_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(maybe_count)},
    {"waiting_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(waiting_count)},
    {"my_status", "The reader's own answer; null in events.", SCHEMA_ENUM, SCHEMA_NULLABLE,
     AT(my_status), .names = calendar_answer_names},
    {"cancelled_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, AT(cancelled_at)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(created_at)},
    {"updated_at", "Of the last edit by the host.", SCHEMA_TIME, SCHEMA_REQUIRED, AT(updated_at)},
};
#undef AT
SCHEMA_DEF(gathering_schema, struct gathering, "Event", "Something that people can come to.",
           gathering_fields);

#define GATHERING_EVENT(variable, wire_name, about)                                                \
    const struct event_type variable = {                                                           \
        .name = wire_name, .client = true, .data = &gathering_schema, .doc = about}
GATHERING_EVENT(gathering_created_event, "event.created", "Somebody invites to an event.");
GATHERING_EVENT(gathering_updated_event, "event.updated", "An event was edited by its host.");
GATHERING_EVENT(gathering_cancelled_event, "event.cancelled", "An event will not take place.");
GATHERING_EVENT(gathering_invited_event, "event.invited",
                "You were invited to an event by its host.");
GATHERING_EVENT(gathering_changed_event, "event.changed",
                "Counts or details of an event that you look at.");

#define AT(member) SCHEMA_AT(struct calendar_rsvp, member)
static const struct schema_field rsvp_fields[] = {
    {"event_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, AT(gathering_id)},
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, AT(user_id)},
    {"status", "waiting: said yes when all places were taken; null: taken away.", SCHEMA_ENUM,
     SCHEMA_NULLABLE, AT(status), .names = calendar_answer_names},
    {"position", "In the waiting line, from 1; null outside it, and where it is not counted.",
     SCHEMA_INT, SCHEMA_NULLABLE, AT(position), .min = 1, .max = INT64_MAX},
    {"updated_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(updated_at)},
};
#undef AT
SCHEMA_DEF(calendar_rsvp_schema, struct calendar_rsvp, "Rsvp", "Somebody's answer to an event.",
           rsvp_fields);
const struct event_type calendar_rsvp_changed_event = {
    .name = "rsvp.changed",
    .client = true,
    .data = &calendar_rsvp_schema,
    .doc = "Your answer to an event has changed, also because a place came free.",
};

#define AT(member) SCHEMA_AT(struct calendar_reminder, member)
static const struct schema_field reminder_fields[] = {
    {"event_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, AT(gathering_id)},
    {"user_id", "Who is reminded.", SCHEMA_ID, SCHEMA_REQUIRED, AT(user_id)},
    {"title", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, AT(title)},
    {"place", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(place)},
    {"link", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(link)},
    {"time_zone", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, AT(time_zone)},
    {"starts_at_local", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, AT(starts_at_local)},
    {"starts_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(starts_at)},
    {"ends_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(ends_at)},
    {"before_s", "Which reminder: seconds before the start.", SCHEMA_INT, SCHEMA_REQUIRED,
     AT(before_s)},
};
#undef AT
SCHEMA_DEF(calendar_reminder_schema, struct calendar_reminder, "EventReminder",
           "An event begins soon.", reminder_fields);
const struct event_type calendar_reminder_event = {
    .name = "event.reminder",
    .client = false,
    .data = &calendar_reminder_schema,
    .doc = "An event that somebody comes to begins soon.",
};
