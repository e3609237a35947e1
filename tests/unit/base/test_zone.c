/* Time zones: what a TZif file says, what its footer says, and what a clock on the wall means. */
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "harness.h"

/* --- making files ----------------------------------------------------------------------------- */

static void put_number(struct buf *out, int64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        buf_char(out, (char)(value >> (8 * i)));
}

static void put_header(struct buf *out, char version, uint32_t times, uint32_t kinds,
                       uint32_t letters)
{
    buf_lit(out, "TZif");
    buf_char(out, version);
    put_number(out, 0, 8);
    put_number(out, 0, 7); /* the rest of the unused bytes */
    const uint32_t counts[] = {0, 0, 0, times, kinds, letters};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        put_number(out, counts[i], 4);
}

/* Two offsets, one hour and two hours east, and these changes. */
static void make(struct buf *out, const int64_t *at_s, const char *kinds, uint32_t count,
                 const char *footer)
{
    buf_init(out, 65536);
    put_header(out, '2', 0, 1, 4);
    put_number(out, 0, 6);
    buf_append(out, "UTC", 4);
    put_header(out, '2', count, 2, 8);
    for (uint32_t i = 0; i < count; i++)
        put_number(out, at_s[i], 8);
    buf_append(out, kinds, count);
    put_number(out, 3600, 4);
    buf_append(out, "\0\0", 2);
    put_number(out, 7200, 4);
    buf_append(out, "\1\4", 2);
    buf_append(out, "AAA\0BBB", 8);
    buf_printf(out, "\n%s\n", footer);
}

static struct zone *parse(struct slice bytes)
{
    struct zone *zone = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(zone_parse(bytes, &zone, &err), &err);
    return zone;
}

static struct zone *with_footer(const char *footer)
{
    struct buf bytes;
    make(&bytes, NULL, "", 0, footer);
    struct zone *zone = parse(buf_view(&bytes));
    buf_done(&bytes);
    return zone;
}

static int64_t moment(const char *text)
{
    int64_t ms = 0;
    CHECK(time_parse(slice_str(text), &ms));
    return ms / 1000;
}

static void check_refused(struct slice bytes, const char *why)
{
    struct zone *zone = NULL;
    struct error err;
    error_init(&err);
    CHECK_INT(zone_parse(bytes, &zone, &err), FAIL_INVALID);
    CHECK(zone == NULL);
    if (err.detail[0] == 0 || strstr(err.detail, why) == NULL)
        test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err.detail, why);
}

/* --- changes and footers ---------------------------------------------------------------------- */

TEST(zone_listed_changes)
{
    static const int64_t at_s[] = {100, 200, 300};
    struct buf bytes;
    make(&bytes, at_s, "\1\0\1", 3, "");
    struct zone *z = parse(buf_view(&bytes));
    struct zone_change change;
    CHECK_INT(zone_at(z, 99).seconds, 3600);
    CHECK_INT(zone_at(z, 100).seconds, 7200);
    CHECK(zone_at(z, 100).daylight);
    CHECK_STR(slice_str(zone_at(z, 100).name), "BBB");
    CHECK_INT(zone_at(z, 299).seconds, 3600);
    CHECK_INT(zone_at(z, INT64_MAX / 4).seconds, 7200);
    CHECK(zone_change_after(z, 100, &change));
    CHECK_INT(change.at_s, 200);
    CHECK_INT(change.before.seconds, 7200);
    CHECK_INT(change.after.seconds, 3600);
    CHECK(!zone_change_after(z, 300, &change));
    zone_free(z);
    buf_done(&bytes);
}

TEST(zone_footer_goes_on_for_ever)
{
    struct zone *z = with_footer("CET-1CEST,M3.5.0,M10.5.0/3");
    struct zone_change change;
    CHECK_INT(zone_at(z, moment("2199-07-01T00:00:00Z")).seconds, 7200);
    CHECK_INT(zone_at(z, moment("2199-12-01T00:00:00Z")).seconds, 3600);
    CHECK(zone_change_after(z, moment("2026-01-01T00:00:00Z"), &change));
    CHECK_INT(change.at_s, moment("2026-03-29T01:00:00Z"));
    CHECK(zone_change_after(z, change.at_s, &change));
    CHECK_INT(change.at_s, moment("2026-10-25T01:00:00Z"));
    CHECK_STR(slice_str(change.after.name), "CET");
    zone_free(z);
}

TEST(zone_footer_forms)
{
    struct zone *south = with_footer("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
    CHECK_INT(zone_at(south, moment("2026-01-01T00:00:00Z")).seconds, 39600);
    CHECK_INT(zone_at(south, moment("2026-07-01T00:00:00Z")).seconds, 37800);
    zone_free(south);
    /* Ireland's standard time is in summer. */
    struct zone *irish = with_footer("IST-1GMT0,M10.5.0,M3.5.0/1");
    CHECK_INT(zone_at(irish, moment("2026-01-01T00:00:00Z")).seconds, 0);
    CHECK(zone_at(irish, moment("2026-01-01T00:00:00Z")).daylight);
    CHECK_INT(zone_at(irish, moment("2026-07-01T00:00:00Z")).seconds, 3600);
    zone_free(irish);
    /* Hours beyond a day, and before it. */
    struct zone *far = with_footer("<-02>2<-01>,M3.5.0/-1,M10.5.0/50");
    CHECK_INT(zone_at(far, moment("2026-03-29T00:59:59Z")).seconds, -7200);
    CHECK_INT(zone_at(far, moment("2026-03-29T01:00:00Z")).seconds, -3600);
    CHECK_INT(zone_at(far, moment("2026-10-27T02:59:59Z")).seconds, -3600);
    CHECK_INT(zone_at(far, moment("2026-10-27T03:00:00Z")).seconds, -7200);
    zone_free(far);
    /* Days of the year: J60 is the 1st of March in every year, 59 is the 29th of February in some.
     */
    struct zone *days = with_footer("AAA0BBB,J60/0,59/0");
    CHECK_INT(zone_at(days, moment("2024-02-28T22:59:59Z")).seconds, 3600);
    CHECK_INT(zone_at(days, moment("2024-02-28T23:00:00Z")).seconds, 0);
    CHECK_INT(zone_at(days, moment("2024-03-01T00:00:00Z")).seconds, 3600);
    zone_free(days);
    /* Daylight saving all year round never changes. */
    struct zone_change change;
    struct zone *always = with_footer("EST5EDT,0/0,J365/25");
    CHECK_INT(zone_at(always, moment("2026-12-31T23:59:59Z")).seconds, -4 * 3600);
    CHECK_INT(zone_at(always, moment("2027-01-01T05:00:00Z")).seconds, -4 * 3600);
    CHECK(!zone_change_after(always, moment("2026-01-01T12:00:00Z"), &change));
    zone_free(always);
}

TEST(zone_rule_of_every_year)
{
    struct zone_yearly rule[2];
    int64_t since_s;
    /* The spring of 2026 is as the rule says, but not the autumn before it. */
    int64_t at_s[] = {moment("2025-10-25T01:00:00Z"), moment("2026-03-29T01:00:00Z"),
                      moment("2026-10-25T01:00:00Z")};
    struct buf bytes;
    make(&bytes, at_s, "\0\1\0", 3, "AAA-1BBB,M3.5.0,M10.5.0/3");
    struct zone *z = parse(buf_view(&bytes));
    CHECK(zone_rule(z, &since_s, rule));
    CHECK_INT(since_s, at_s[1]);
    CHECK_INT(rule[0].month, 3);
    CHECK_INT(rule[0].week, 5);
    CHECK_INT(rule[0].weekday, 0);
    CHECK_INT(rule[0].after.seconds, 7200);
    CHECK_INT(rule[1].month, 10);
    zone_free(z);
    buf_done(&bytes);
    z = with_footer("AAA-1");
    CHECK(!zone_rule(z, &since_s, rule));
    zone_free(z);
    z = with_footer("AAA-1BBB,M3.5.0/-1,M10.5.0/3"); /* the evening before: no weekday of its own */
    CHECK(!zone_rule(z, &since_s, rule));
    zone_free(z);
}

TEST(zone_bad_footers)
{
    static const char *const bad[] = {"C-1",
                                      "CET",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "<AB>0",
                                      "<ABC0",
                                      "CET-1CEST,M13.1.0,J1",
                                      "CET-1CEST,M3.6.0,J1",
                                      "CET-1CEST,M3.5.7,J1",
                                      "CET-1CEST,J0,J1",
                                      "CET-1CEST,366,J1",
                                      "CET-25",
                                      "CET-1CEST,M3.5.0/168,J1",
                                      "CET-1 ",
                                      "CET-1CEST,M3.5.0,M10.5.0/3,",
                                      "CET-1:60",
                                      "ABCDEFGHIJKLMNOPQ0"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf bytes;
        make(&bytes, NULL, "", 0, bad[i]);
        check_refused(buf_view(&bytes), "footer");
        buf_done(&bytes);
    }
}

/* --- clocks on the wall ------------------------------------------------------------------------
 */

TEST(zone_local_time_that_never_comes)
{
    struct zone *z = with_footer("CET-1CEST,M3.5.0,M10.5.0/3");
    struct zone_local l;
    zone_from_local(z, moment("2026-03-29T02:30:00Z"), &l);
    CHECK_INT(l.meaning, ZONE_GAP);
    CHECK_INT(l.change.at_s, moment("2026-03-29T01:00:00Z"));
    CHECK_INT(l.change.before.seconds, 3600);
    CHECK_INT(l.change.after.seconds, 7200);
    zone_from_local(z, moment("2026-03-29T01:59:59Z"), &l);
    CHECK_INT(l.meaning, ZONE_ONCE);
    CHECK_INT(l.utc_s[0], moment("2026-03-29T00:59:59Z"));
    zone_from_local(z, moment("2026-03-29T03:00:00Z"), &l);
    CHECK_INT(l.meaning, ZONE_ONCE);
    CHECK_INT(l.utc_s[0], moment("2026-03-29T01:00:00Z"));
    zone_free(z);
}

TEST(zone_local_time_that_comes_twice)
{
    struct zone *z = with_footer("CET-1CEST,M3.5.0,M10.5.0/3");
    struct zone_local l;
    zone_from_local(z, moment("2026-10-25T02:30:00Z"), &l);
    CHECK_INT(l.meaning, ZONE_TWICE);
    CHECK_INT(l.utc_s[0], moment("2026-10-25T00:30:00Z"));
    CHECK_INT(l.utc_s[1], moment("2026-10-25T01:30:00Z"));
    zone_from_local(z, moment("2026-10-25T03:00:00Z"), &l);
    CHECK_INT(l.meaning, ZONE_ONCE);
    CHECK_INT(l.utc_s[0], moment("2026-10-25T02:00:00Z"));
    zone_free(z);
}

/* --- refusals ----------------------------------------------------------------------------------
 */

TEST(zone_every_cut_is_refused)
{
    static const int64_t at_s[] = {100, 200};
    struct buf bytes;
    make(&bytes, at_s, "\1\0", 2, "CET-1");
    struct slice whole = buf_view(&bytes);
    for (size_t len = 0; len < whole.len; len++)
        check_refused(slice_of(whole.ptr, len), "time zone file");
    buf_char(&bytes, 'x');
    check_refused(buf_view(&bytes), "after it");
    buf_done(&bytes);
}

TEST(zone_bad_files)
{
    static const int64_t ordered[] = {100, 200}, twice[] = {100, 100};
    struct buf bytes;
    make(&bytes, twice, "\1\0", 2, "");
    check_refused(buf_view(&bytes), "order");
    buf_done(&bytes);
    make(&bytes, ordered, "\1\2", 2, "");
    check_refused(buf_view(&bytes), "does not have");
    buf_done(&bytes);
    make(&bytes, ordered, "\1\0", 2, "");
    enum { FIRST_BLOCK = 44 + 10, SECOND_KINDS = FIRST_BLOCK + 44 + 2 * 9 };
    bytes.ptr[SECOND_KINDS] = 0x7f; /* an offset of decades */
    check_refused(buf_view(&bytes), "more than a day");
    bytes.ptr[SECOND_KINDS] = 0;
    bytes.ptr[SECOND_KINDS + 4] = 2;
    check_refused(buf_view(&bytes), "neither");
    bytes.ptr[SECOND_KINDS + 4] = 0;
    bytes.ptr[SECOND_KINDS + 5] = 9;
    check_refused(buf_view(&bytes), "abbreviation");
    bytes.ptr[SECOND_KINDS + 5] = 0;
    bytes.ptr[4] = 0;
    check_refused(buf_view(&bytes), "64-bit");
    bytes.ptr[4] = '2';
    bytes.ptr[FIRST_BLOCK + 20 + 8 + 3] = 1; /* a leap second */
    check_refused(buf_view(&bytes), "leap");
    buf_done(&bytes);
}
