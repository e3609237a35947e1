/* The rule for the years after a zone's last listed change: a POSIX TZ string with the extensions
 * of RFC 9636 (hours -167 to 167, names in angle brackets). "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "base/clock.h"
#include "base/zone_private.h"

enum { DAY_S = 86400, YEAR_FIRST = 1800, YEAR_LAST = 2300 };

/* --- reading ---------------------------------------------------------------------------------- */

/* One to `digits_max` digits, at most `max`. */
static bool take_number(struct slice *s, size_t digits_max, int max, int *ret_value)
{
    int value = 0;
    size_t digits = 0;
    while (digits < s->len && digits < digits_max && s->ptr[digits] >= '0' && s->ptr[digits] <= '9')
        value = value * 10 + (s->ptr[digits++] - '0');
    if (digits == 0 || value > max)
        return false;
    *s = slice_of(s->ptr + digits, s->len - digits);
    *ret_value = value;
    return true;
}

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = slice_of(s->ptr + 1, s->len - 1);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_quoted(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-';
}

/* Three letters or more; in angle brackets also digits and signs. */
static bool take_name(struct slice *s, char ret_name[ZONE_NAME_MAX + 1])
{
    bool quoted = take_char(s, '<');
    size_t len = 0;
    while (len < s->len && (quoted ? is_quoted(s->ptr[len]) : is_letter(s->ptr[len])))
        len++;
    if (len < 3 || len > ZONE_NAME_MAX)
        return false;
    memcpy(ret_name, s->ptr, len);
    ret_name[len] = 0;
    *s = slice_of(s->ptr + len, s->len - len);
    return !quoted || take_char(s, '>');
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct slice *s, int hours_max, int32_t *ret_seconds)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = take_char(s, '-');
    if (!negative)
        take_char(s, '+');
    if (!take_number(s, 3, hours_max, &hours))
        return false;
    if (take_char(s, ':')) {
        if (!take_number(s, 2, 59, &minutes))
            return false;
        if (take_char(s, ':') && !take_number(s, 2, 59, &seconds))
            return false;
    }
    int32_t value = hours * 3600 + minutes * 60 + seconds;
    *ret_seconds = negative ? -value : value;
    return true;
}

static bool take_weekday(struct slice *s, struct zone_rule *rule)
{
    rule->kind = ZONE_RULE_WEEKDAY;
    return take_number(s, 2, 12, &rule->month) && rule->month >= 1 && take_char(s, '.') &&
           take_number(s, 1, 5, &rule->week) && rule->week >= 1 && take_char(s, '.') &&
           take_number(s, 1, 6, &rule->day);
}

static bool take_rule(struct slice *s, struct zone_rule *rule)
{
    bool good;
    *rule = (struct zone_rule){.time_s = 2 * 3600};
    if (take_char(s, 'M')) {
        good = take_weekday(s, rule);
    } else if (take_char(s, 'J')) {
        rule->kind = ZONE_RULE_JULIAN;
        good = take_number(s, 3, 365, &rule->day) && rule->day >= 1;
    } else {
        rule->kind = ZONE_RULE_DAY;
        good = take_number(s, 3, 365, &rule->day);
    }
    return good && (!take_char(s, '/') || take_time(s, 167, &rule->time_s));
}

/* Signs are the other way round there: "CET-1" is one hour east. */
static bool take_offset(struct slice *s, struct zone_offset *offset)
{
    int32_t west;
    if (!take_time(s, 24, &west))
        return false;
    offset->seconds = -west;
    return true;
}

bool zone_footer_parse(struct slice text, struct zone_footer *ret_footer)
{
    struct zone_footer f = {.given = text.len > 0};
    if (!f.given) {
        *ret_footer = f;
        return true;
    }
    if (!take_name(&text, f.standard.name) || !take_offset(&text, &f.standard))
        return false;
    if (text.len > 0) {
        f.changes = f.daylight.daylight = true;
        if (!take_name(&text, f.daylight.name))
            return false;
        f.daylight.seconds = f.standard.seconds + 3600;
        if (text.len > 0 && text.ptr[0] != ',' && !take_offset(&text, &f.daylight))
            return false;
        if (!take_char(&text, ',') || !take_rule(&text, &f.to_daylight) || !take_char(&text, ',') ||
            !take_rule(&text, &f.to_standard))
            return false;
    }
    if (text.len != 0)
        return false;
    *ret_footer = f;
    return true;
}

/* --- reckoning -------------------------------------------------------------------------------- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t weekday_of(int64_t days) /* 0 Sunday; 1970 began on a Thursday */
{
    return ((days + 4) % 7 + 7) % 7;
}

static int64_t rule_day(const struct zone_rule *rule, int64_t year)
{
    if (rule->kind == ZONE_RULE_DAY)
        return time_days(year, 1, 1) + rule->day;
    if (rule->kind == ZONE_RULE_JULIAN)
        return time_days(year, 1, 1) + rule->day - 1 + (is_leap(year) && rule->day >= 60);
    int64_t first = time_days(year, rule->month, 1);
    int64_t next =
        rule->month == 12 ? time_days(year + 1, 1, 1) : time_days(year, rule->month + 1, 1);
    int64_t day = first + (rule->day - weekday_of(first) + 7) % 7 + 7 * (rule->week - 1);
    return day < next ? day : day - 7;
}

/* The two changes of a year, the earlier one first. Where they fall together (daylight saving all
 * year round) the end stands before the next beginning, so that it lasts no time. */
static void changes_of(const struct zone_footer *f, int64_t year, struct zone_change ret[2])
{
    struct zone_change begin = {.before = f->standard, .after = f->daylight};
    struct zone_change end = {.before = f->daylight, .after = f->standard};
    begin.at_s =
        rule_day(&f->to_daylight, year) * DAY_S + f->to_daylight.time_s - f->standard.seconds;
    end.at_s =
        rule_day(&f->to_standard, year) * DAY_S + f->to_standard.time_s - f->daylight.seconds;
    bool begin_first = begin.at_s < end.at_s;
    ret[0] = begin_first ? begin : end;
    ret[1] = begin_first ? end : begin;
}

/* A year whose changes, and those of the next, are all near the moment; within the years that this
 * is good for, so that nothing overflows whatever the moment is. */
static int64_t year_about(int64_t utc_s)
{
    int64_t year = 1970 + utc_s / 31556952 - (utc_s < 0);
    return year < YEAR_FIRST ? YEAR_FIRST : year > YEAR_LAST ? YEAR_LAST : year;
}

struct zone_offset zone_footer_at(const struct zone_footer *f, int64_t utc_s)
{
    struct zone_offset now = f->standard;
    int64_t year = year_about(utc_s), latest = INT64_MIN;
    for (int64_t y = year - 1; f->changes && y <= year + 1; y++) {
        struct zone_change change[2];
        changes_of(f, y, change);
        for (int i = 0; i < 2; i++)
            if (change[i].at_s <= utc_s && change[i].at_s >= latest) {
                latest = change[i].at_s;
                now = change[i].after;
            }
    }
    return now;
}

bool zone_footer_change_after(const struct zone_footer *f, int64_t utc_s,
                              struct zone_change *ret_change)
{
    int64_t year = year_about(utc_s);
    for (int64_t y = year - 1; f->changes && y <= YEAR_LAST; y++) {
        struct zone_change change[2];
        changes_of(f, y, change);
        for (int i = 0; i < 2; i++) {
            if (change[i].at_s <= utc_s)
                continue;
            /* Two at one moment undo each other; what holds around it tells. */
            change[i].before = zone_footer_at(f, change[i].at_s - 1);
            change[i].after = zone_footer_at(f, change[i].at_s);
            if (zone_offset_same(&change[i].before, &change[i].after))
                continue;
            *ret_change = change[i];
            return true;
        }
    }
    return false;
}
