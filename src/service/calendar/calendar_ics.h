/* Writing iCalendar (RFC 5545): lines, texts, zones, gatherings. Pure: no engine, no clock.
 *
 * A file is the same bytes as long as what it shows is, so that its ETag holds: DTSTAMP is the time
 * of the last edit, which is what the RFC asks of it here (3.8.7.2).
 */
#ifndef PARLEY_SERVICE_CALENDAR_ICS_H
#define PARLEY_SERVICE_CALENDAR_ICS_H

#include "base/zone.h"
#include "contract/calendar.h"

struct ics_item {
    const struct gathering *gathering;
    const struct zone *zone; /* NULL: its times are written as UTC */
    struct slice host_name;  /* may be absent */
};
/* Appends a whole VCALENDAR; failure only through the buf's cap. name: of the calendar, may be
 * absent. */
void ics_write(struct buf *out, struct slice name, const struct ics_item *items, size_t count);

/* --- for its parts (calendar_ics_line.c) ------------------------------------------------------ */
/* A content line "NAME:value" is begun, appended to, and ended; ics_end folds it at 75 octets,
 * never inside a character. */
struct ics_line {
    struct buf *out;
    size_t start;
};
struct ics_line ics_begin(struct buf *out, const char *name_and_colon);
void ics_text(struct ics_line *line, struct slice text);      /* TEXT, escaped (3.3.11) */
void ics_parameter(struct ics_line *line, struct slice text); /* quoted parameter value (3.2) */
void ics_utc(struct ics_line *line, int64_t utc_s);           /* 20260329T010000Z */
void ics_local(struct ics_line *line, int64_t local_s);       /* 20260329T030000 */
void ics_end(struct ics_line *line);
void ics_plain(struct buf *out, const char *line); /* a line that needs none of this */

/* VTIMEZONE for those of the items whose zone is of that name (calendar_ics_zone.c). */
void ics_zone(struct buf *out, struct slice name, const struct zone *zone,
              const struct ics_item *items, size_t count);

#endif
