#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t system_wall_ms(const struct clock *clock)
{
    (void)clock;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_mono_ns(const struct clock *clock)
{
    (void)clock;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

const struct clock clock_system = {system_wall_ms, system_mono_ns};

static int64_t fake_wall_ms(const struct clock *clock)
{
    return ((const struct clock_fake *)(const void *)clock)->wall_ms;
}

static int64_t fake_mono_ns(const struct clock *clock)
{
    return ((const struct clock_fake *)(const void *)clock)->mono_ns;
}

void clock_fake_init(struct clock_fake *fake, int64_t wall_ms)
{
    fake->clock = (struct clock){fake_wall_ms, fake_mono_ns};
    fake->wall_ms = wall_ms;
    fake->mono_ns = 0;
}

void clock_fake_advance(struct clock_fake *fake, int64_t ms)
{
    fake->wall_ms += ms;
    fake->mono_ns += ms * 1000000;
}

/* Years count from March, so that the leap day is the last one; 146097 days make 400 years. */
int64_t time_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t in_era = year - era * 400;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

struct date {
    int year, month, day, hour, minute, second, ms, weekday;
};

/* wall_ms within time_first..time_last, so that all of it fits 32 bits without a sign. */
static struct date date_of(int64_t wall_ms)
{
    uint64_t ms = (uint64_t)(wall_ms + 719468 * 86400000LL); /* since March 1st of year 0 */
    uint32_t z = (uint32_t)(ms / 86400000), rest = (uint32_t)(ms % 86400000);
    uint32_t era = z / 146097, in_era = z % 146097;
    uint32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t in_year = in_era - (365 * year + year / 4 - year / 100);
    uint32_t march = (5 * in_year + 2) / 153;
    uint32_t seconds = rest / 1000;
    return (struct date){
        .year = (int)(year + era * 400 + (march >= 10)),
        .month = (int)(march < 10 ? march + 3 : march - 9),
        .day = (int)(in_year - (153 * march + 2) / 5 + 1),
        .hour = (int)(seconds / 3600),
        .minute = (int)(seconds / 60 % 60),
        .second = (int)(seconds % 60),
        .ms = (int)(rest % 1000),
        .weekday = (int)((z + 3) % 7), /* 0 Sunday; z counts from a Wednesday */
    };
}

/* `value` with leading zeroes; `digits` is a constant where this is inlined. */
static inline void put(char *at, int value, int digits)
{
    unsigned rest = (unsigned)value;
    for (int i = digits - 1; i >= 0; i--, rest /= 10)
        at[i] = (char)('0' + rest % 10);
}

static const int64_t time_first = -62135596800000; /* 0001-01-01T00:00:00.000Z */
static const int64_t time_last = 253402300799999;  /* 9999-12-31T23:59:59.999Z */

void time_format(int64_t wall_ms, char ret_text[TIME_TEXT_LEN + 1])
{
    if (wall_ms < time_first)
        wall_ms = time_first;
    if (wall_ms > time_last)
        wall_ms = time_last;
    struct date d = date_of(wall_ms);
    memcpy(ret_text, "0000-00-00T00:00:00.000Z", TIME_TEXT_LEN + 1);
    put(ret_text, d.year, 4);
    put(ret_text + 5, d.month, 2);
    put(ret_text + 8, d.day, 2);
    put(ret_text + 11, d.hour, 2);
    put(ret_text + 14, d.minute, 2);
    put(ret_text + 17, d.second, 2);
    put(ret_text + 20, d.ms, 3);
}

static bool number(struct slice text, size_t at, size_t digits, int *ret_value)
{
    int value = 0;
    for (size_t i = at; i < at + digits; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (text.ptr[i] - '0');
    }
    *ret_value = value;
    return true;
}

static bool is_at(struct slice text, size_t at, char c)
{
    return at < text.len && text.ptr[at] == c;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Fraction of a second at *at, cut to milliseconds; moves *at past it. */
static bool fraction(struct slice text, size_t *at, int *ret_ms)
{
    *ret_ms = 0;
    if (!is_at(text, *at, '.'))
        return true;
    size_t digits = 0;
    int unit = 100;
    for (++*at; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; ++*at, digits++) {
        *ret_ms += unit * (text.ptr[*at] - '0');
        unit /= 10;
    }
    return digits >= 1 && digits <= 9;
}

static bool offset(struct slice text, size_t at, int *ret_minutes)
{
    if (at + 1 == text.len && (text.ptr[at] == 'Z' || text.ptr[at] == 'z')) {
        *ret_minutes = 0;
        return true;
    }
    int hours, minutes;
    if (at + 6 != text.len || (text.ptr[at] != '+' && text.ptr[at] != '-') ||
        !number(text, at + 1, 2, &hours) || text.ptr[at + 3] != ':' ||
        !number(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (hours * 60 + minutes) * (text.ptr[at] == '-' ? -1 : 1);
    return true;
}

bool time_parse(struct slice text, int64_t *ret_wall_ms)
{
    struct date d;
    int east;
    size_t at = 19;
    if (!number(text, 0, 4, &d.year) || !is_at(text, 4, '-') || !number(text, 5, 2, &d.month) ||
        !is_at(text, 7, '-') || !number(text, 8, 2, &d.day) ||
        !(is_at(text, 10, 'T') || is_at(text, 10, 't')) || !number(text, 11, 2, &d.hour) ||
        !is_at(text, 13, ':') || !number(text, 14, 2, &d.minute) || !is_at(text, 16, ':') ||
        !number(text, 17, 2, &d.second) || !fraction(text, &at, &d.ms) || !offset(text, at, &east))
        return false;
    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > days_in(d.year, d.month) || d.hour > 23 || d.minute > 59 || d.second > 60)
        return false;
    if (d.second == 60) {
        d.second = 59;
        d.ms = 999;
    }
    int64_t minutes = time_days(d.year, d.month, d.day) * 1440 + d.hour * 60 + d.minute - east;
    *ret_wall_ms = minutes * 60000 + d.second * 1000 + d.ms;
    return true;
}

void time_http_date(int64_t wall_ms, char ret_text[HTTP_DATE_LEN + 1])
{
    static const char names[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct date d = date_of(wall_ms < 0 ? 0 : wall_ms > time_last ? time_last : wall_ms);
    memcpy(ret_text, "Sun, 00 Jan 0000 00:00:00 GMT", HTTP_DATE_LEN + 1);
    memcpy(ret_text, names + 3 * d.weekday, 3);
    put(ret_text + 5, d.day, 2);
    memcpy(ret_text + 8, months + 3 * (d.month - 1), 3);
    put(ret_text + 12, d.year, 4);
    put(ret_text + 17, d.hour, 2);
    put(ret_text + 20, d.minute, 2);
    put(ret_text + 23, d.second, 2);
}
