/* Writing iCalendar: folding, escaping, and the zones' changes. Whole files are read by stock
 * parsers in tests/api/test_events.py. */
#include <stdio.h>

#include "base/clock.h"
#include "calendar_rig.h"
#include "kit/zones.h"
#include "service/calendar/calendar_ics.h"

/* Undoes the folding, and checks it: no line above 75 octets, none cut inside a character. */
static void unfold(struct slice folded, struct buf *out)
{
    struct slice rest = folded;
    while (rest.len > 0) {
        const char *end = memmem(rest.ptr, rest.len, "\r\n", 2);
        CHECK(end != NULL);
        if (end == NULL)
            return;
        size_t len = (size_t)(end - rest.ptr);
        CHECK(len <= 75);
        CHECK(((unsigned char)rest.ptr[rest.ptr[0] == ' '] & 0xc0) != 0x80);
        if (rest.ptr[0] == ' ')
            buf_append(out, rest.ptr + 1, len - 1);
        else
            buf_append(out, rest.ptr, len);
        rest = slice_of(end + 2, rest.len - len - 2);
    }
}

static void check_fold(struct slice text)
{
    struct buf out, plain, want;
    buf_init(&out, 65536);
    buf_init(&plain, 65536);
    buf_init(&want, 65536);
    struct ics_line line = ics_begin(&out, "SUMMARY:");
    ics_text(&line, text);
    ics_end(&line);
    unfold(buf_view(&out), &plain);
    buf_lit(&want, "SUMMARY:");
    buf_slice(&want, text);
    CHECK(slice_eq(buf_view(&plain), buf_view(&want)));
    buf_done(&out);
    buf_done(&plain);
    buf_done(&want);
}

TEST(ics_folds_whole_characters)
{
    static const char *const characters[] = {"a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t kind = 0; kind < ARRAY_LEN(characters); kind++)
        for (size_t shift = 0; shift < 4; shift++)
            for (size_t count = 0; count < 160; count++) {
                struct buf text;
                buf_init(&text, 4096);
                buf_append(&text, "xxxx", shift);
                for (size_t i = 0; i < count; i++)
                    buf_str(&text, characters[kind]);
                check_fold(buf_view(&text));
                buf_done(&text);
            }
}

TEST(ics_escapes_texts)
{
    struct buf out;
    buf_init(&out, 4096);
    struct ics_line line = ics_begin(&out, "X:");
    ics_text(&line, SLICE("a,b;c\\d\ne\r\nf\rg\th\x01i:\"j\""));
    ics_end(&line);
    CHECK_STR(buf_view(&out), "X:a\\,b\\;c\\\\d\\ne\\nf\\ng\thi:\"j\"\r\n");
    buf_clear(&out);
    line = ics_begin(&out, "O;CN=");
    ics_parameter(&line, SLICE("An \"n\"; \r\nX:y"));
    ics_end(&line);
    CHECK_STR(buf_view(&out), "O;CN=\"An 'n'; X:y\"\r\n");
    buf_done(&out);
}

static void write_one(const char *zone_name, const char *starts, const char *ends, struct buf *out)
{
    struct zones *zones = NULL;
    struct error err;
    struct gathering g = {.title = SLICE("t"), .time_zone = slice_str(zone_name)};
    error_init(&err);
    CHECK(time_parse(slice_str(starts), &g.starts_at) && time_parse(slice_str(ends), &g.ends_at));
    CHECK_OK(zones_open("/usr/share/zoneinfo", &clock_system, &zones, &err), &err);
    struct ics_item item = {.gathering = &g, .zone = zones_find(zones, g.time_zone)};
    ics_write(out, (struct slice){0}, &item, 1);
    zones_close(zones);
}

static bool has(const struct buf *out, const char *text)
{
    return memmem(out->ptr, out->len, text, strlen(text)) != NULL;
}

TEST(ics_zone_with_its_rule)
{
    struct buf out;
    buf_init(&out, 65536);
    write_one("Europe/Berlin", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z", &out);
    CHECK(has(&out, "DTSTART;TZID=Europe/Berlin:20270328T013000\r\n"));
    CHECK(has(&out, "DTEND;TZID=Europe/Berlin:20270328T033000\r\n"));
    CHECK(has(&out, "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"
                    "BEGIN:DAYLIGHT\r\nDTSTART:20260329T020000\r\n"
                    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\n"
                    "TZOFFSETTO:+0200\r\nTZNAME:CEST\r\nEND:DAYLIGHT\r\n"
                    "BEGIN:STANDARD\r\nDTSTART:20261025T030000\r\n"
                    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\n"
                    "TZOFFSETTO:+0100\r\nTZNAME:CET\r\nEND:STANDARD\r\n"
                    "END:VTIMEZONE\r\n"));
    buf_clear(&out);
    write_one("Europe/Dublin", "2027-07-01T00:30:00Z", "2027-07-01T01:30:00Z", &out);
    CHECK(has(&out, "BEGIN:DAYLIGHT\r\nDTSTART:20270328T010000\r\n"
                    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0000\r\n"
                    "TZOFFSETTO:+0100\r\nTZNAME:IST\r\n"));
    buf_done(&out);
}

TEST(ics_zone_change_by_change)
{
    struct buf out;
    buf_init(&out, 65536);
    write_one("Asia/Kolkata", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z", &out);
    CHECK(has(&out, "TZOFFSETTO:+0530\r\nTZNAME:IST\r\n"));
    CHECK(!has(&out, "RRULE"));
    buf_clear(&out);
    write_one("America/New_York", "2006-07-01T00:00:00Z", "2006-07-01T01:00:00Z", &out);
    CHECK(has(&out, "DTSTART:20060402T020000\r\nTZOFFSETFROM")); /* the rule of 2007 is another */
    CHECK(has(&out, "DTSTART:20070311T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\n"));
    buf_clear(&out);
    write_one("Europe/Berlin", "2150-07-01T00:00:00Z", "2150-07-01T01:00:00Z", &out);
    CHECK(has(&out, "DTSTART:21500329T020000\r\nTZOFFSETFROM"));
    CHECK(!has(&out, "RRULE"));
    buf_clear(&out);
    write_one("UTC", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z", &out);
    CHECK(has(&out, "DTSTART:20270328T003000Z\r\n"));
    CHECK(!has(&out, "VTIMEZONE"));
    buf_done(&out);
}

/* The first coming of a doubled hour says itself; the second has to be written as UTC. */
TEST(ics_second_coming_of_an_hour)
{
    struct buf out;
    buf_init(&out, 65536);
    write_one("Europe/Berlin", "2027-10-31T00:30:00Z", "2027-10-31T03:00:00Z", &out);
    CHECK(has(&out, "DTSTART;TZID=Europe/Berlin:20271031T023000\r\n"));
    buf_clear(&out);
    write_one("Europe/Berlin", "2027-10-31T01:30:00Z", "2027-10-31T03:00:00Z", &out);
    CHECK(has(&out, "DTSTART:20271031T013000Z\r\n"));
    CHECK(has(&out, "DTEND:20271031T030000Z\r\n"));
    CHECK(!has(&out, "VTIMEZONE"));
    buf_clear(&out);
    write_one("No/Longer", "2027-10-31T01:30:00Z", "2027-10-31T01:30:00.500Z", &out);
    CHECK(has(&out, "DTSTART:20271031T013000Z\r\nDTEND:20271031T013001Z\r\n"));
    buf_done(&out);
}
