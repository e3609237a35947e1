/* Time zones: one compiled zone of the IANA database (TZif, RFC 9636), its changes and its rule for
 * the years after the last of them.
 *
 * Parsed strictly: a file that says anything doubtful is refused whole. What is parsed never
 * changes, so any thread may ask it anything; nothing here waits. Times are seconds since 1970 UTC;
 * local times are the same count of seconds as the clock on the wall reads it ("local_s": what the
 * wall says, taken for UTC). Good for the years 1900 to 2300.
 */
#ifndef PARLEY_BASE_ZONE_H
#define PARLEY_BASE_ZONE_H

#include "base/error.h"

#define ZONE_FILE_BYTES_MAX (128 << 10)
#define ZONE_NAME_MAX 15 /* of an abbreviation: "CEST", "+0530" */

struct zone;

/* How the clocks stand. */
struct zone_offset {
    int32_t seconds; /* east of Greenwich */
    bool daylight;   /* what the database calls daylight saving; Ireland's is in winter */
    char name[ZONE_NAME_MAX + 1];
};

/* The moment when the clocks change from one to the other. */
struct zone_change {
    int64_t at_s;
    struct zone_offset before, after;
};

/* FAIL_INVALID "invalid_zone" with what is wrong. */
int zone_parse(struct slice tzif, struct zone **ret_zone, struct error *err) MUSTCHECK;
void zone_free(struct zone *zone); /* may be NULL */

struct zone_offset zone_at(const struct zone *zone, int64_t utc_s);
/* The first change after the moment; false when there is none before the year 2301. */
bool zone_change_after(const struct zone *zone, int64_t utc_s, struct zone_change *ret_change);

/* A change that comes every year on a weekday: the week-th (5: last) such day of the month. */
struct zone_yearly {
    int month, week, weekday; /* 1..12, 1..5, 0 Sunday */
    struct zone_offset after;
};
/* The two changes of every year, without exception and for ever from since_s on, which is one of
 * them. False when the zone has no such rule: its clocks do not change, or on days that cannot be
 * said so. */
bool zone_rule(const struct zone *zone, int64_t *ret_since_s, struct zone_yearly ret_rule[2]);

/* What moment a clock on the wall means. */
enum zone_meaning {
    ZONE_ONCE,  /* utc_s[0] */
    ZONE_GAP,   /* never: the clocks are put forward over it at `change` */
    ZONE_TWICE, /* utc_s[0] and, after the clocks are put back, utc_s[1] */
};
struct zone_local {
    enum zone_meaning meaning;
    int64_t utc_s[2];
    struct zone_change change; /* of ZONE_GAP */
};
void zone_from_local(const struct zone *zone, int64_t local_s, struct zone_local *ret_local);

#endif
