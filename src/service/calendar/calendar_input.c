/* What a host may say about a gathering: each field checked, each error names it. */
#include <stdio.h>

#include "service/calendar/calendar_room.h"

enum { DAY_MS = 86400000, OFFSET_LEN = 6 };
static const int64_t time_first_ms = 0;                    /* 1970-01-01T00:00:00Z */
static const int64_t time_end_ms = INT64_C(7289654400000); /* 2201-01-01T00:00:00Z */

static void offset_text(int32_t seconds, char ret_text[OFFSET_LEN + 2])
{
    int minutes = (seconds < 0 ? -seconds : seconds) / 60;
    snprintf(ret_text, OFFSET_LEN + 2, "%c%02d:%02d", seconds < 0 ? '-' : '+', minutes / 60 % 100,
             minutes % 60);
}

static int refuse_gap(const char *field, const struct zone_change *change, struct error *err)
{
    char before[OFFSET_LEN + 2], after[OFFSET_LEN + 2];
    char from[TIME_TEXT_LEN + 1], to[TIME_TEXT_LEN + 1];
    offset_text(change->before.seconds, before);
    offset_text(change->after.seconds, after);
    time_format((change->at_s + change->before.seconds) * 1000, from);
    time_format((change->at_s + change->after.seconds) * 1000, to);
    return error_field(err, field, "local_time_skipped",
                       "does not exist there: the clocks go from %.16s to %.16s (%s to %s)", from,
                       to, before, after);
}

static int refuse_twice(const char *field, const struct zone_local *local, int64_t local_s,
                        struct error *err)
{
    char first[OFFSET_LEN + 2], second[OFFSET_LEN + 2];
    offset_text((int32_t)(local_s - local->utc_s[0]), first);
    offset_text((int32_t)(local_s - local->utc_s[1]), second);
    return error_field(err, field, "local_time_ambiguous",
                       "comes twice there: add the offset that is meant, %s or %s", first, second);
}

/* "2026-03-29T20:00" or with seconds: what forms send. Read as if it were UTC. */
static bool parse_local(struct slice text, int64_t *ret_local_ms)
{
    char copy[48];
    if (text.len != 16 && (text.len < 19 || text.len > 29))
        return false;
    snprintf(copy, sizeof copy, "%.*s%s", SLICE_FMT(text), text.len == 16 ? ":00Z" : "Z");
    return time_parse(slice_str(copy), ret_local_ms);
}

static int read_local(const struct zone *zone, const char *field, int64_t local_ms, int64_t *ret_ms,
                      struct error *err)
{
    struct zone_local local;
    int64_t local_s = local_ms >= 0 ? local_ms / 1000 : -((-local_ms + 999) / 1000);
    zone_from_local(zone, local_s, &local);
    if (local.meaning == ZONE_GAP)
        return refuse_gap(field, &local.change, err);
    if (local.meaning == ZONE_TWICE)
        return refuse_twice(field, &local, local_s, err);
    *ret_ms = local.utc_s[0] * 1000 + (local_ms - local_s * 1000);
    return 0;
}

static int read_time(const struct zone *zone, const char *field, struct slice text, int64_t *ret_ms,
                     struct error *err)
{
    int64_t ms = 0;
    int rc = 0;
    if (!time_parse(text, &ms)) {
        if (!parse_local(text, &ms))
            return error_field(err, field, "invalid_time",
                               "must be an RFC 3339 time, or a local one such as "
                               "2026-03-29T20:00:00");
        if (zone == NULL)
            return err->kind; /* said already of time_zone */
        rc = read_local(zone, field, ms, &ms, err);
    }
    if (rc == 0 && (ms < time_first_ms || ms >= time_end_ms))
        rc = error_field(err, field, "out_of_range", "must lie in the years 1970 to 2200");
    if (rc == 0)
        *ret_ms = ms;
    return rc;
}

static int apply_times(struct calendar_room *room, const struct gathering_input *in,
                       struct gathering *g, struct error *err)
{
    const struct zone *zone;
    int rc = 0;
    if (schema_has(in->present, GATHERING_TIME_ZONE))
        g->time_zone = in->time_zone;
    zone = zones_find(room->zones, g->time_zone);
    if (zone == NULL && schema_has(in->present, GATHERING_TIME_ZONE))
        rc = error_field(err, "time_zone", "unknown_time_zone",
                         "must be an IANA time zone, such as Europe/Berlin or UTC");
    else if (zone == NULL)
        zone = zones_find(room->zones, SLICE("UTC"));
    if (schema_has(in->present, GATHERING_STARTS_AT))
        rc |= read_time(zone, "starts_at", in->starts_at, &g->starts_at, err);
    if (schema_has(in->present, GATHERING_ENDS_AT))
        rc |= read_time(zone, "ends_at", in->ends_at, &g->ends_at, err);
    if (rc != 0)
        return err->kind;
    if (g->ends_at <= g->starts_at)
        return error_field(err, "ends_at", "not_after_start", "must be later than starts_at");
    if (g->ends_at - g->starts_at > (int64_t)CALENDAR_DAYS_MAX * DAY_MS)
        return error_field(err, "ends_at", "too_long", "must be at most %d days after starts_at",
                           CALENDAR_DAYS_MAX);
    return 0;
}

/* Somebody's page over TLS; nothing that a browser would run. */
static bool good_link(struct slice link)
{
    for (size_t i = 0; i < link.len; i++)
        if ((unsigned char)link.ptr[i] <= 0x20 || link.ptr[i] == 0x7f || link.ptr[i] == '\\' ||
            link.ptr[i] == '"' || link.ptr[i] == '<' || link.ptr[i] == '>')
            return false;
    return slice_starts(link, SLICE("https://")) && link.len > 8 && link.ptr[8] != '/';
}

int calendar_apply(struct calendar_room *room, const struct gathering_input *in,
                   struct gathering *g, struct error *err)
{
    if (schema_has(in->present, GATHERING_TITLE))
        g->title = in->title;
    if (schema_has(in->present, GATHERING_DESCRIPTION))
        g->description = in->description.len > 0 ? in->description : (struct slice){0};
    if (schema_has(in->present, GATHERING_PLACE))
        g->place = in->place;
    if (schema_has(in->present, GATHERING_LINK))
        g->link = in->link;
    if (schema_has(in->present, GATHERING_CAPACITY))
        g->capacity = in->capacity;
    if (schema_has(in->present, GATHERING_VISIBILITY))
        g->visibility = in->visibility;
    if (g->link.ptr != NULL && !good_link(g->link))
        error_field(err, "link", "invalid_url", "must be an https address");
    int rc = apply_times(room, in, g, err);
    return rc < 0 || err->kind != 0 ? err->kind : 0;
}
