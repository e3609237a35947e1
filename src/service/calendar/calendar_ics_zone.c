/* VTIMEZONE: one observance for every change of the clocks that the given times need, each with its
 * own start and no rule of repetition. That is longer than a yearly rule, and right also where the
 * rule changes, for zones without a rule, and for readers that know no rules. */
#include <stdlib.h>

#include "service/calendar/calendar_ics.h"

/* What held at a moment, as a change: one long ago when there is no other. */
struct onset {
    int64_t at_s;
    struct zone_offset before, after;
};

struct onsets {
    struct onset *list;
    size_t count, room;
};

static void add(struct onsets *o, const struct onset *onset)
{
    if (o->count == o->room) {
        o->room = o->room == 0 ? 16 : o->room * 2;
        o->list = xrealloc(o->list, o->room * sizeof *o->list);
    }
    o->list[o->count++] = *onset;
}

/* The change that brought what holds at the moment: looked for from a year before, then ten, ... */
static struct onset last_before(const struct zone *zone, int64_t utc_s)
{
    static const int64_t years[] = {1, 10, 100};
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        struct zone_change change = {.at_s = utc_s - years[i] * 31622400}, last;
        bool found = false;
        while (zone_change_after(zone, change.at_s, &change) && change.at_s <= utc_s) {
            last = change;
            found = true;
        }
        if (found)
            return (struct onset){last.at_s, last.before, last.after};
    }
    struct zone_offset offset = zone_at(zone, utc_s);
    return (struct onset){-offset.seconds, offset, offset}; /* 1970-01-01T00:00:00 there */
}

static void add_span(struct onsets *o, const struct zone *zone, int64_t from_s, int64_t to_s)
{
    struct onset first = last_before(zone, from_s);
    struct zone_change change = {.at_s = from_s};
    add(o, &first);
    while (zone_change_after(zone, change.at_s, &change) && change.at_s <= to_s) {
        struct onset next = {change.at_s, change.before, change.after};
        add(o, &next);
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct onset *)a)->at_s, y = ((const struct onset *)b)->at_s;
    return x < y ? -1 : x > y;
}

/* Clocks that stand ahead of what they were are on daylight time when one of the two is called so;
 * Ireland's standard time comes out as daylight, which is what calendars expect. */
static bool is_daylight(const struct onset *o)
{
    if (o->before.daylight == o->after.daylight)
        return o->after.daylight;
    return o->after.seconds > o->before.seconds;
}

static void write_offset(struct buf *out, const char *name, int32_t seconds)
{
    int32_t s = seconds < 0 ? -seconds : seconds;
    buf_printf(out, "%s:%c%02d%02d", name, seconds < 0 ? '-' : '+', s / 3600, s / 60 % 60);
    if (s % 60 != 0)
        buf_printf(out, "%02d", s % 60);
    buf_lit(out, "\r\n");
}

static void write_onset(struct buf *out, const struct onset *o)
{
    const char *kind = is_daylight(o) ? "DAYLIGHT" : "STANDARD";
    buf_printf(out, "BEGIN:%s\r\n", kind);
    struct ics_line start = ics_begin(out, "DTSTART:");
    ics_local(&start, o->at_s + o->before.seconds);
    ics_end(&start);
    write_offset(out, "TZOFFSETFROM", o->before.seconds);
    write_offset(out, "TZOFFSETTO", o->after.seconds);
    buf_printf(out, "TZNAME:%s\r\nEND:%s\r\n", o->after.name, kind);
}

void ics_zone(struct buf *out, struct slice name, const struct zone *zone,
              const struct ics_item *items, size_t count)
{
    struct onsets onsets = {0};
    for (size_t i = 0; i < count; i++)
        if (items[i].zone == zone && slice_eq(items[i].gathering->time_zone, name))
            add_span(&onsets, zone, items[i].gathering->starts_at / 1000,
                     items[i].gathering->ends_at / 1000 + 1);
    qsort(onsets.list, onsets.count, sizeof *onsets.list, by_time);
    ics_plain(out, "BEGIN:VTIMEZONE");
    struct ics_line id = ics_begin(out, "TZID:");
    ics_text(&id, name);
    ics_end(&id);
    for (size_t i = 0; i < onsets.count; i++)
        if (i == 0 || onsets.list[i].at_s != onsets.list[i - 1].at_s)
            write_onset(out, &onsets.list[i]);
    ics_plain(out, "END:VTIMEZONE");
    free(onsets.list);
}
