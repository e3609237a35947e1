/* What a parsed zone says about moments and about clocks on the wall. */
#include "base/zone.h"

#include <stdlib.h>

#include "base/zone_private.h"

/* No zone is further than this from Greenwich (RFC 9636: -25 to 26 hours). */
enum { REACH_S = 27 * 3600 };

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->at_s);
    free(zone->kind);
    free(zone->offsets);
    free(zone);
}

bool zone_offset_same(const struct zone_offset *a, const struct zone_offset *b)
{
    return a->seconds == b->seconds && a->daylight == b->daylight && strcmp(a->name, b->name) == 0;
}

/* How many changes lie at or before the moment. */
static uint32_t changes_until(const struct zone *z, int64_t utc_s)
{
    uint32_t low = 0, high = z->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (z->at_s[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* What holds after the first `index` changes. */
static const struct zone_offset *after_changes(const struct zone *z, uint32_t index)
{
    return &z->offsets[index == 0 ? 0 : z->kind[index - 1]];
}

struct zone_offset zone_at(const struct zone *z, int64_t utc_s)
{
    uint32_t index = changes_until(z, utc_s);
    if (index == z->count && z->footer.given)
        return zone_footer_at(&z->footer, utc_s);
    return *after_changes(z, index);
}

bool zone_change_after(const struct zone *z, int64_t utc_s, struct zone_change *ret_change)
{
    for (uint32_t i = changes_until(z, utc_s); i < z->count; i++) {
        struct zone_change change = {.at_s = z->at_s[i],
                                     .before = zone_at(z, z->at_s[i] - 1),
                                     .after = zone_at(z, z->at_s[i])};
        if (zone_offset_same(&change.before, &change.after))
            continue; /* the file notes it for another reason */
        *ret_change = change;
        return true;
    }
    int64_t last = z->count > 0 ? z->at_s[z->count - 1] : INT64_MIN;
    return z->footer.changes &&
           zone_footer_change_after(&z->footer, utc_s > last ? utc_s : last, ret_change);
}

static bool as_yearly(const struct zone_rule *rule, const struct zone_offset *after,
                      struct zone_yearly *ret)
{
    enum { DAY_S = 86400 };
    *ret = (struct zone_yearly){rule->month, rule->week, rule->day, *after};
    return rule->kind == ZONE_RULE_WEEKDAY && rule->time_s >= 0 && rule->time_s < DAY_S;
}

/* Whether the index-th listed change, and what follows it in the list, is as the footer says. */
static bool is_by_rule(const struct zone *z, uint32_t index)
{
    struct zone_change rule;
    if (!zone_footer_change_after(&z->footer, z->at_s[index] - 1, &rule) ||
        rule.at_s != z->at_s[index] || !zone_offset_same(&rule.after, after_changes(z, index + 1)))
        return false;
    return index + 1 == z->count || (zone_footer_change_after(&z->footer, rule.at_s, &rule) &&
                                     rule.at_s == z->at_s[index + 1]);
}

bool zone_rule(const struct zone *z, int64_t *ret_since_s, struct zone_yearly ret_rule[2])
{
    const struct zone_footer *f = &z->footer;
    struct zone_change first;
    uint32_t index = z->count;
    if (!f->changes || !as_yearly(&f->to_daylight, &f->daylight, &ret_rule[0]) ||
        !as_yearly(&f->to_standard, &f->standard, &ret_rule[1]))
        return false;
    while (index > 0 && is_by_rule(z, index - 1))
        index--;
    if (index < z->count) {
        *ret_since_s = z->at_s[index];
        return true;
    }
    if (!zone_change_after(z, z->count > 0 ? z->at_s[z->count - 1] : 0, &first))
        return false;
    *ret_since_s = first.at_s;
    return true;
}

static void note(struct zone_local *l, int *count, int64_t utc_s)
{
    for (int i = 0; i < *count; i++)
        if (l->utc_s[i] == utc_s)
            return;
    if (*count < 2)
        l->utc_s[(*count)++] = utc_s;
}

/* Each offset that holds near the moment is tried: the local time means what comes out of an offset
 * if that offset holds then. Offsets are met in order of time, so the earlier meaning is first. */
void zone_from_local(const struct zone *z, int64_t local_s, struct zone_local *ret_local)
{
    struct zone_local l = {0};
    struct zone_offset offset = zone_at(z, local_s - REACH_S);
    struct zone_change change = {.at_s = local_s - REACH_S};
    int count = 0;
    for (;;) {
        int64_t utc_s = local_s - offset.seconds;
        if (zone_at(z, utc_s).seconds == offset.seconds)
            note(&l, &count, utc_s);
        if (!zone_change_after(z, change.at_s, &change) || change.at_s > local_s + REACH_S)
            break;
        if (local_s >= change.at_s + change.before.seconds &&
            local_s < change.at_s + change.after.seconds)
            l.change = change;
        offset = change.after;
    }
    l.meaning = count == 0 ? ZONE_GAP : count == 1 ? ZONE_ONCE : ZONE_TWICE;
    *ret_local = l;
}
