/* Clocks are handed in, so that a test of 24 hours takes none.
 *
 * wall_ms: milliseconds since 1970-01-01 UTC; may be set back by the operator.
 * mono_ns: never goes back; for deadlines and durations.
 */
#ifndef PARLEY_BASE_CLOCK_H
#define PARLEY_BASE_CLOCK_H

#include "base/base.h"
#include "base/buf.h"

struct clock {
    int64_t (*wall_ms)(const struct clock *clock);
    int64_t (*mono_ns)(const struct clock *clock);
};

extern const struct clock clock_system;

struct clock_fake {
    struct clock clock;               /* first member: pass &fake->clock */
    _Atomic int64_t wall_ms, mono_ns; /* other threads look while a test moves it */
};
void clock_fake_init(struct clock_fake *fake, int64_t wall_ms);
void clock_fake_advance(struct clock_fake *fake, int64_t ms); /* both clocks */

static inline int64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c);
}
static inline int64_t clock_mono_ns(const struct clock *c)
{
    return c->mono_ns(c);
}
static inline int64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_ns(c) / 1000000;
}

#define TIME_TEXT_LEN 24 /* 2026-11-20T10:48:00.123Z */
/* RFC 3339, UTC, milliseconds; years 0001..9999, else the nearest end. */
void time_format(int64_t wall_ms, char ret_text[TIME_TEXT_LEN + 1]);
/* RFC 3339 with any offset, seconds optional fraction up to 9 digits (cut to ms); leap second 60
 * accepted as 59.999. False for anything else. */
bool time_parse(struct slice text, int64_t *ret_wall_ms) MUSTCHECK;
/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar; month and day from 1. */
int64_t time_days(int64_t year, int month, int day);
/* IMF-fixdate for HTTP (RFC 9110 section 5.6.7), 29 characters. */
#define HTTP_DATE_LEN 29
void time_http_date(int64_t wall_ms, char ret_text[HTTP_DATE_LEN + 1]);

#endif
