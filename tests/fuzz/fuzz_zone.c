/* Any bytes as a time zone file; what is taken for one answers every question, and in order. */
#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct zone *zone, int64_t at_s)
{
    struct zone_local local;
    struct zone_change change;
    struct zone_yearly rule[2];
    int64_t since_s;
    struct zone_offset offset = zone_at(zone, at_s);
    panic_if(zone_rule(zone, &since_s, rule) &&
                 (!zone_change_after(zone, since_s - 1, &change) || change.at_s != since_s),
             "a rule that begins with no change");
    panic_if(offset.seconds < -26 * 3600 || offset.seconds > 27 * 3600, "an offset out of bounds");
    zone_from_local(zone, at_s, &local);
    for (int i = 0; local.meaning != ZONE_GAP && i <= (local.meaning == ZONE_TWICE); i++)
        panic_if(local.utc_s[i] + zone_at(zone, local.utc_s[i]).seconds != at_s,
                 "the clock on the wall does not say so then");
    panic_if(zone_change_after(zone, at_s, &change) && change.at_s <= at_s, "a change in the past");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *zone;
    struct error err;
    error_init(&err);
    int rc = zone_parse(slice_of((const char *)data, size), &zone, &err);
    panic_if(rc != err.kind, "the record says otherwise");
    if (rc == 0) {
        static const int64_t moments[] = {INT64_MIN / 2, -4000000000, 0,
                                          1795000000,    7258118400,  INT64_MAX / 2};
        for (size_t i = 0; i < ARRAY_LEN(moments); i++)
            ask(zone, moments[i]);
        zone_free(zone);
    }
    return 0;
}
