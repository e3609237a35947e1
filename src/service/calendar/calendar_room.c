/* Opening the room: configuration, time zones, other rooms. */
#include <stdlib.h>

#include "service/calendar/calendar_room.h"

enum { DAY_MS = 86400000 };

const struct config_key calendar_config[] = {
    {"calendar.zoneinfo", CONFIG_STRING, "/usr/share/zoneinfo",
     .doc = "The folder of the IANA time zone database (tzdata)."},
    {"calendar.events_per_day", CONFIG_INT, "50", 1, 1000000,
     .doc = "Events that a person may make in 24 hours; off with limits.per_user=off."},
    {"calendar.first_reminder", CONFIG_DURATION, "24h", 0, INT64_C(30) * DAY_MS,
     .doc = "How long before the start of an event those who come are reminded; 0s: not at all."},
    {"calendar.last_reminder", CONFIG_DURATION, "1h", 0, INT64_C(30) * DAY_MS,
     .doc = "The same for the second reminder."},
    {"calendar.remind_every", CONFIG_DURATION, "1m", 100, INT64_C(3600000),
     .doc = "How often it is looked whether reminders are due."},
    {0},
};

static int attendees(void *arg, const struct id *gathering, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err);

int calendar_start(struct kit *kit, void **ret_room, struct error *err)
{
    struct zones *zones;
    int rc = zones_open(config_string(kit->config, "calendar.zoneinfo"), kit->clock, &zones, err);
    if (rc < 0)
        return rc;
    struct calendar_room *room = xcalloc(1, sizeof *room);
    room->kit = kit;
    room->db = kit_db(kit, "calendar");
    room->zones = zones;
    room->social = kit_calls(kit, "social");
    room->users = kit_calls(kit, "user");
    room->create_limit =
        (struct limit_rule){.name = "events",
                            .kind = LIMIT_WINDOW,
                            .count = config_bool(kit->config, "limits.per_user")
                                         ? config_int(kit->config, "calendar.events_per_day")
                                         : 0,
                            .period_ms = DAY_MS,
                            .code = "too_many_events"};
    room->reminders_ms[0] = config_int(kit->config, "calendar.first_reminder");
    room->reminders_ms[1] = config_int(kit->config, "calendar.last_reminder");
    room->calls = (struct calendar_calls){.room = room, .attendees = attendees};
    *ret_room = room;
    return 0;
}

void calendar_stop(void *arg)
{
    struct calendar_room *room = arg;
    zones_close(room->zones);
    free(room);
}

const void *calendar_calls(void *arg)
{
    struct calendar_room *room = arg;
    return &room->calls;
}

/* --- what other rooms may ask ------------------------------------------------------------------
 */

struct asking {
    const struct id *gathering, *after;
    size_t limit;
    struct id *ids;
    size_t count;
};

static int asking_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const unsigned coming =
        1u << CALENDAR_YES | 1u << CALENDAR_MAYBE | 1u << CALENDAR_WAITING;
    struct asking *a = arg;
    return rsvp_store_users(tx, a->gathering, coming, a->after, a->limit, a->ids, &a->count, err);
}

static int attendees(void *arg, const struct id *gathering, const struct id *after, size_t limit,
                     struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct calendar_room *room = arg;
    struct asking a = {.gathering = gathering, .after = after, .limit = limit, .ids = ret_ids};
    int rc = db_read(room->db, asking_tx, &a, err);
    *ret_count = a.count;
    return rc;
}
