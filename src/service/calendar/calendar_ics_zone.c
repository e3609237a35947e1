/* VTIMEZONE: the changes of the clocks from before the first time in the file on.
 *
 * Where the zone has a rule for every year, its two changes are two observances with an RRULE; what
 * comes before the rule holds is listed change by change. So is everything of zones without such a
 * rule (their list ends, or the last time in the file ends it), and of years from 2037 on, where
 * widespread readers stop to follow rules. */
#include "service/calendar/calendar_ics.h"

static const int64_t rules_end_s = INT64_C(2114380800); /* 2037-01-01T00:00:00Z */

/* Clocks that stand ahead of what they were are on daylight time when one of the two is called so;
 * Ireland's standard time comes out as daylight, which is what calendars expect. */
static bool is_daylight(const struct zone_change *c)
{
    if (c->before.daylight == c->after.daylight)
        return c->after.daylight;
    return c->after.seconds > c->before.seconds;
}

static void write_offset(struct buf *out, const char *name, int32_t seconds)
{
    int32_t s = seconds < 0 ? -seconds : seconds;
    buf_printf(out, "%s:%c%02d%02d", name, seconds < 0 ? '-' : '+', s / 3600, s / 60 % 60);
    if (s % 60 != 0)
        buf_printf(out, "%02d", s % 60);
    buf_lit(out, "\r\n");
}

/* rule: it comes again every year; NULL: once. */
static void write_change(struct buf *out, const struct zone_change *c,
                         const struct zone_yearly *rule)
{
    static const char *const days[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
    const char *kind = is_daylight(c) ? "DAYLIGHT" : "STANDARD";
    buf_printf(out, "BEGIN:%s\r\n", kind);
    struct ics_line start = ics_begin(out, "DTSTART:");
    ics_local(&start, c->at_s + c->before.seconds);
    ics_end(&start);
    if (rule != NULL)
        buf_printf(out, "RRULE:FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s\r\n", rule->month,
                   rule->week == 5 ? -1 : rule->week, days[rule->weekday]);
    write_offset(out, "TZOFFSETFROM", c->before.seconds);
    write_offset(out, "TZOFFSETTO", c->after.seconds);
    buf_printf(out, "TZNAME:%s\r\nEND:%s\r\n", c->after.name, kind);
}

/* The change before the one that brought what holds at the moment: with both, standard time is
 * among them. Looked for from two years before, then further; without any, the zone's beginning. */
static struct zone_change second_last_before(const struct zone *zone, int64_t utc_s)
{
    static const int64_t years[] = {2, 20, 200};
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        struct zone_change change = {.at_s = utc_s - years[i] * 31622400}, last[2];
        unsigned found = 0;
        while (zone_change_after(zone, change.at_s, &change) && change.at_s <= utc_s) {
            last[0] = last[1];
            last[1] = change;
            found++;
        }
        if (found >= 2)
            return last[0];
    }
    struct zone_offset offset = zone_at(zone, utc_s - years[2] * 31622400);
    return (struct zone_change){-offset.seconds, offset, offset};
}

/* The rule of the change: that which has the same outcome. */
static const struct zone_yearly *rule_of(const struct zone_yearly rule[2],
                                         const struct zone_change *c)
{
    bool first =
        rule[0].after.seconds == c->after.seconds && rule[0].after.daylight == c->after.daylight;
    return &rule[first ? 0 : 1];
}

static void write_changes(struct buf *out, const struct zone *zone, int64_t from_s, int64_t to_s)
{
    struct zone_yearly rule[2];
    int64_t since_s = 0;
    struct zone_change change = second_last_before(zone, from_s);
    bool has_rule = zone_rule(zone, &since_s, rule) && from_s < rules_end_s;
    bool more = true;
    while (more && !(has_rule && change.at_s >= since_s)) {
        write_change(out, &change, NULL);
        more = zone_change_after(zone, change.at_s, &change) &&
               (change.at_s <= to_s || change.at_s < rules_end_s);
    }
    for (int i = 0; more && i < 2; i++) {
        write_change(out, &change, rule_of(rule, &change));
        more = zone_change_after(zone, change.at_s, &change);
    }
}

void ics_zone(struct buf *out, struct slice name, const struct zone *zone,
              const struct ics_item *items, size_t count)
{
    int64_t from_s = INT64_MAX, to_s = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const struct gathering *g = items[i].gathering;
        if (!slice_eq(g->time_zone, name))
            continue;
        from_s = g->starts_at / 1000 < from_s ? g->starts_at / 1000 : from_s;
        to_s = g->ends_at / 1000 + 1 > to_s ? g->ends_at / 1000 + 1 : to_s;
    }
    ics_plain(out, "BEGIN:VTIMEZONE");
    struct ics_line id = ics_begin(out, "TZID:");
    ics_text(&id, name);
    ics_end(&id);
    write_changes(out, zone, from_s, to_s);
    ics_plain(out, "END:VTIMEZONE");
}
