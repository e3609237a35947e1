/* The calendar and its gatherings. */
#include "service/calendar/calendar_ics.h"

/* A local time that comes twice means its first coming (RFC 5545, 3.3.5); one of the second coming
 * has to be written as UTC. */
static bool says_itself(const struct zone *zone, int64_t utc_s)
{
    struct zone_local local;
    zone_from_local(zone, utc_s + zone_at(zone, utc_s).seconds, &local);
    return local.utc_s[0] == utc_s;
}

/* Whole seconds: a start is cut, an end is rounded up, so that there is time between them. */
static int64_t start_s(const struct gathering *g)
{
    return g->starts_at / 1000;
}
static int64_t end_s(const struct gathering *g)
{
    return (g->ends_at + 999) / 1000;
}

static bool is_local(const struct ics_item *item)
{
    return item->zone != NULL && !slice_eq(item->gathering->time_zone, SLICE("UTC")) &&
           says_itself(item->zone, start_s(item->gathering)) &&
           says_itself(item->zone, end_s(item->gathering));
}

static void write_time(struct buf *out, const char *name, const struct ics_item *item,
                       int64_t utc_s)
{
    struct ics_line line = ics_begin(out, name);
    if (is_local(item)) {
        buf_lit(out, ";TZID=");
        buf_slice(out, item->gathering->time_zone);
        buf_char(out, ':');
        ics_local(&line, utc_s + zone_at(item->zone, utc_s).seconds);
    } else {
        buf_char(out, ':');
        ics_utc(&line, utc_s);
    }
    ics_end(&line);
}

static void write_stamp(struct buf *out, const char *name, int64_t wall_ms)
{
    struct ics_line line = ics_begin(out, name);
    ics_utc(&line, wall_ms / 1000);
    ics_end(&line);
}

static void write_text(struct buf *out, const char *name, struct slice text)
{
    if (text.ptr == NULL)
        return;
    struct ics_line line = ics_begin(out, name);
    ics_text(&line, text);
    ics_end(&line);
}

static void write_uuid(struct buf *out, const char *name, struct slice host_name,
                       const struct id *id)
{
    char text[ID_TEXT_LEN + 1];
    struct ics_line line = ics_begin(out, name);
    if (host_name.ptr != NULL) {
        buf_lit(out, ";CN=");
        ics_parameter(&line, host_name);
    }
    id_format(id, text);
    buf_printf(out, ":urn:uuid:%s", text);
    ics_end(&line);
}

static void write_item(struct buf *out, const struct ics_item *item)
{
    const struct gathering *g = item->gathering;
    ics_plain(out, "BEGIN:VEVENT");
    write_uuid(out, "UID", (struct slice){0}, &g->id);
    write_stamp(out, "DTSTAMP:", g->updated_at);
    write_stamp(out, "CREATED:", g->created_at);
    write_stamp(out, "LAST-MODIFIED:", g->updated_at);
    buf_printf(out, "SEQUENCE:%lld\r\n", (long long)g->sequence);
    write_time(out, "DTSTART", item, start_s(g));
    write_time(out, "DTEND", item, end_s(g));
    write_text(out, "SUMMARY:", g->title);
    write_text(out, "DESCRIPTION:", g->description);
    write_text(out, "LOCATION:", g->place);
    if (g->link.ptr != NULL) {
        struct ics_line line = ics_begin(out, "URL:");
        buf_slice(out, g->link); /* no control character, space or quote is in it */
        ics_end(&line);
    }
    write_uuid(out, "ORGANIZER", item->host_name, &g->host_id);
    ics_plain(out, g->cancelled_at != 0 ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
    ics_plain(out, "TRANSP:OPAQUE");
    ics_plain(out, "END:VEVENT");
}

/* Each zone once: before the first item that needs it. */
static bool is_first_of_zone(const struct ics_item *items, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_local(&items[i]) &&
            slice_eq(items[i].gathering->time_zone, items[at].gathering->time_zone))
            return false;
    return is_local(&items[at]);
}

void ics_write(struct buf *out, struct slice name, const struct ics_item *items, size_t count)
{
    ics_plain(out, "BEGIN:VCALENDAR");
    ics_plain(out, "VERSION:2.0");
    ics_plain(out, "PRODID:-//Parley//Parley//EN");
    ics_plain(out, "CALSCALE:GREGORIAN");
    write_text(out, "X-WR-CALNAME:", name);
    for (size_t i = 0; i < count; i++)
        if (is_first_of_zone(items, i))
            ics_zone(out, items[i].gathering->time_zone, items[i].zone, items, count);
    for (size_t i = 0; i < count; i++)
        write_item(out, &items[i]);
    ics_plain(out, "END:VCALENDAR");
}
