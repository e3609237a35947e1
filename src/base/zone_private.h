/* How a zone is kept; inside src/base/zone*.c only. */
#ifndef PARLEY_BASE_ZONE_PRIVATE_H
#define PARLEY_BASE_ZONE_PRIVATE_H

#include "base/zone.h"

/* The day and time of a change that comes every year (POSIX TZ, RFC 9636 section 3.3.2). */
enum zone_rule_kind {
    ZONE_RULE_WEEKDAY, /* Mm.w.d: the w-th (5: last) day d of month m */
    ZONE_RULE_JULIAN,  /* Jn: day 1..365, the 29th of February never counted */
    ZONE_RULE_DAY,     /* n: day 0..365 */
};
struct zone_rule {
    enum zone_rule_kind kind;
    int month, week, day;
    int32_t time_s; /* after midnight, -167..167 hours */
};

/* What holds after the last change that the file lists. */
struct zone_footer {
    bool given;
    bool changes; /* between standard and daylight, every year */
    struct zone_offset standard, daylight;
    struct zone_rule to_daylight, to_standard;
};

struct zone {
    struct zone_footer footer;
    uint32_t count; /* of changes */
    uint32_t kinds;
    int64_t *at_s;               /* strictly increasing */
    uint8_t *kind;               /* which of `offsets` holds from at_s on */
    struct zone_offset *offsets; /* offsets[0] holds before the first change */
};

/* text: without the line feeds around it; empty: no footer. False when it is not one. */
bool zone_footer_parse(struct slice text, struct zone_footer *ret_footer);
struct zone_offset zone_footer_at(const struct zone_footer *footer, int64_t utc_s);
/* Of a footer that changes: the first change after the moment. */
bool zone_footer_change_after(const struct zone_footer *footer, int64_t utc_s,
                              struct zone_change *ret_change);
bool zone_offset_same(const struct zone_offset *a, const struct zone_offset *b);

#endif
