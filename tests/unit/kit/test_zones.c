/* The system's own time zones: the same answers as the C library gives, over 230 years. */
#include "kit/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "harness.h"

#define FOLDER "/usr/share/zoneinfo"

static struct zones *open_zones(const char *folder, const struct clock *clock)
{
    struct zones *zones = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(zones_open(folder, clock, &zones, &err), &err);
    return zones;
}

static bool agrees(const struct zone *zone, const char *name, int64_t utc_s)
{
    struct tm tm;
    time_t t = (time_t)utc_s;
    struct zone_offset offset = zone_at(zone, utc_s);
    localtime_r(&t, &tm);
    bool same = tm.tm_gmtoff == offset.seconds && strcmp(tm.tm_zone, offset.name) == 0 &&
                (tm.tm_isdst > 0) == offset.daylight;
    if (!same)
        test_fail(__FILE__, __LINE__, "%s at %lld: %d %s %d, the C library says %ld %s %d", name,
                  (long long)utc_s, offset.seconds, offset.name, offset.daylight, tm.tm_gmtoff,
                  tm.tm_zone, tm.tm_isdst);
    return same;
}

/* At both sides of every change, and once a month. */
static unsigned check_zone(const struct zone *zone, const char *name)
{
    static const int64_t from_s = 0, to_s = INT64_C(7258118400); /* 1970 to 2200 */
    struct zone_change change = {.at_s = from_s};
    unsigned changes = 0;
    setenv("TZ", name, 1);
    tzset();
    for (int64_t t = from_s; t < to_s; t += 2629746)
        if (!agrees(zone, name, t))
            return 0;
    while (zone_change_after(zone, change.at_s, &change) && change.at_s < to_s) {
        if (!agrees(zone, name, change.at_s - 1) || !agrees(zone, name, change.at_s))
            return 0;
        changes++;
    }
    return changes;
}

/* tzdata.zi lists every zone ("Z name ...") and link ("L target name"). */
static bool next_name(FILE *list, char ret_name[ZONE_ID_BYTES_MAX])
{
    char line[512], target[128];
    while (fgets(line, sizeof line, list) != NULL)
        if (sscanf(line, "Z %63s", ret_name) == 1 ||
            sscanf(line, "L %127s %63s", target, ret_name) == 2)
            return true;
    return false;
}

TEST(zones_agree_with_the_c_library)
{
    char name[ZONE_ID_BYTES_MAX];
    unsigned found = 0, changes = 0;
    FILE *list = fopen(FOLDER "/tzdata.zi", "r");
    struct zones *zones = open_zones(FOLDER, &clock_system);
    if (list == NULL) {
        test_skip("no tzdata.zi");
        return;
    }
    while (next_name(list, name)) {
        const struct zone *zone = zones_find(zones, slice_str(name));
        if (strcmp(name, "Factory") == 0) {
            CHECK(zone == NULL);
            continue;
        }
        if (zone == NULL) {
            test_fail(__FILE__, __LINE__, "%s is not there", name);
            continue;
        }
        changes += check_zone(zone, name);
        found++;
    }
    fclose(list);
    unsetenv("TZ");
    CHECK(found > 400);
    CHECK(changes > 20000);
    CHECK_INT(zones_count(zones), found);
    zones_close(zones);
}

TEST(zones_only_by_their_names)
{
    static const char *const none[] = {"",
                                       "posixrules",
                                       "localtime",
                                       "Factory",
                                       "right/Europe/Berlin",
                                       "europe/berlin",
                                       "posix/Europe/Berlin",
                                       "Europe",
                                       "Europe/",
                                       "/Europe/Berlin",
                                       "../zoneinfo/UTC",
                                       "Europe/../UTC",
                                       "Europe//Berlin",
                                       "tzdata.zi",
                                       "CEST",
                                       "GMT+5",
                                       "UTC ",
                                       "Mars/Olympus"};
    struct zones *zones = open_zones(FOLDER, &clock_system);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (zones_find(zones, slice_str(none[i])) != NULL)
            test_fail(__FILE__, __LINE__, "\"%s\" is taken for a time zone", none[i]);
    CHECK(zones_find(zones, slice_of("UTC\0x", 5)) == NULL);
    CHECK(zones_find(zones, SLICE("UTC")) != NULL);
    CHECK(zones_find(zones, SLICE("America/Argentina/Buenos_Aires")) != NULL);
    zones_close(zones);
}

static void copy_zone(const char *folder, const char *name, const char *from)
{
    char path[600], bytes[65536];
    snprintf(path, sizeof path, FOLDER "/%s", from);
    FILE *in = fopen(path, "rb");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    CHECK(in != NULL && out != NULL);
    fwrite(bytes, 1, fread(bytes, 1, sizeof bytes, in), out);
    fclose(in);
    fclose(out);
}

struct refreshing {
    struct zones *zones;
    struct offload *pool;
    struct loop *loop;
};

static void refresh_main(void *arg)
{
    struct refreshing *r = arg;
    zones_refresh(r->zones, r->pool);
    loop_stop(r->loop);
}

static void refresh_in_loop(struct zones *zones)
{
    struct error err;
    struct loop_config config = {.stacks_max = 4};
    struct offload_config threads = {.name = "test", .threads = 1, .queue_max = 4};
    struct refreshing r = {.zones = zones};
    error_init(&err);
    CHECK_OK(loop_new(&config, &r.loop, &err), &err);
    CHECK_OK(offload_new(&threads, &r.pool, &err), &err);
    CHECK_OK(coro_spawn(r.loop, refresh_main, &r, &err), &err);
    loop_run(r.loop);
    offload_free(r.pool); /* its thread may still be waking the loop */
    loop_free(r.loop);
}

TEST(zones_are_read_again_when_the_folder_changes)
{
    struct clock_fake clock;
    const char *folder = test_dir();
    clock_fake_init(&clock, INT64_C(1795000000000));
    copy_zone(folder, "First", "Europe/Berlin");
    struct zones *zones = open_zones(folder, &clock.clock);
    const struct zone *held = zones_find(zones, SLICE("First"));
    copy_zone(folder, "Second", "Asia/Kolkata");
    refresh_in_loop(zones); /* within the minute: not looked at */
    CHECK(zones_find(zones, SLICE("Second")) == NULL);
    clock_fake_advance(&clock, 61000);
    refresh_in_loop(zones);
    CHECK(zones_find(zones, SLICE("Second")) != NULL);
    CHECK_INT(zone_at(held, 0).seconds, 3600); /* what somebody held before is still good */
    clock_fake_advance(&clock, 61000);
    const struct zone *second = zones_find(zones, SLICE("Second"));
    refresh_in_loop(zones);
    CHECK(zones_find(zones, SLICE("Second")) == second); /* nothing has changed */
    zones_close(zones);
}

TEST(zones_none)
{
    struct zones *zones;
    struct error err;
    error_init(&err);
    CHECK_INT(zones_open(test_dir(), &clock_system, &zones, &err), FAIL_UNAVAILABLE);
    CHECK(strstr(err.detail, "tzdata") != NULL);
}
