/* A set is a sorted array that never changes once it is published. Sets that were replaced stay on
 * a list: tzdata is updated a few times a year, and each of them is 0.7 MB. */
#include "kit/zones.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { DEPTH_MAX = 3, ZONES_MAX = 4096, LOOK_EVERY_MS = 60000 };

struct named_zone {
    char name[ZONE_ID_BYTES_MAX];
    struct zone *zone;
};

struct zone_set {
    struct zone_set *older;
    struct named_zone *list;
    size_t count, room;
    uint64_t stamp; /* of the folder, when it was read */
};

struct zones {
    char *folder;
    const struct clock *clock;
    struct zone_set *_Atomic set;
    _Atomic int64_t look_ms; /* not looked again before */
    pthread_mutex_t reading;
};

/* --- reading the folder ------------------------------------------------------------------------
 */

/* What is in the folder beside zones: other countings of the same zones (with leap seconds, with
 * the same rules twice), and names that stand for whatever the machine is set to. */
static bool is_excluded(const char *name)
{
    static const char *const others[] = {"posix", "right", "posixrules", "localtime", "Factory"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(name, others[i]) == 0)
            return true;
    for (const char *c = name; *c != 0; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              *c == '_' || *c == '-' || *c == '+'))
            return true;
    return false;
}

static bool read_file(int fd, struct buf *out)
{
    ssize_t n;
    do {
        if (!buf_reserve(out, 4096))
            return false;
        n = read(fd, out->ptr + out->len, 4096);
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n == 0;
}

/* Files that are no zones (zone.tab, tzdata.zi) do not begin as one and are passed over. */
static void read_zone(struct zone_set *set, int fd, const char *name)
{
    struct buf bytes;
    struct zone *zone = NULL;
    struct error err;
    error_init(&err);
    buf_init(&bytes, ZONE_FILE_BYTES_MAX);
    if (read_file(fd, &bytes) && slice_starts(buf_view(&bytes), SLICE("TZif")) &&
        zone_parse(buf_view(&bytes), &zone, &err) < 0)
        log_warn("time zone left out", LOG_S("zone", name), LOG_S("detail", err.detail));
    buf_done(&bytes);
    if (zone == NULL)
        return;
    if (set->count == set->room) {
        set->room = set->room == 0 ? 1024 : set->room * 2;
        set->list = xrealloc(set->list, set->room * sizeof *set->list);
    }
    struct named_zone *n = &set->list[set->count++];
    n->zone = zone;
    panic_if(!copy_str(n->name, sizeof n->name, slice_str(name)), "the name has been measured");
}

static void read_folder(struct zone_set *set, int parent, const char *path, const char *prefix,
                        int depth);

static void read_entry(struct zone_set *set, int folder, const char *entry, const char *prefix,
                       int depth)
{
    char name[ZONE_ID_BYTES_MAX];
    struct stat st;
    int len = snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] != 0 ? "/" : "", entry);
    if (is_excluded(entry) || len >= (int)sizeof name || set->count >= ZONES_MAX ||
        fstatat(folder, entry, &st, 0) != 0)
        return;
    if (S_ISDIR(st.st_mode)) {
        if (depth < DEPTH_MAX)
            read_folder(set, folder, entry, name, depth + 1);
        return;
    }
    int fd = S_ISREG(st.st_mode) ? openat(folder, entry, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    read_zone(set, fd, name);
    close(fd);
}

static void read_folder(struct zone_set *set, int parent, const char *path, const char *prefix,
                        int depth)
{
    int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        read_entry(set, dirfd(dir), e->d_name, prefix, depth);
    closedir(dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named_zone *)a)->name, ((const struct named_zone *)b)->name);
}

/* Packages are unpacked by renaming files into place, which changes the folders' times. */
static uint64_t stamp_of(const char *folder)
{
    static const char *const witnesses[] = {".", "Europe", "tzdata.zi", "zone1970.tab", "Etc/UTC"};
    uint64_t stamp = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < ARRAY_LEN(witnesses); i++) {
        struct stat st;
        if (fstatat(fd, witnesses[i], &st, 0) == 0)
            stamp = (stamp ^ (uint64_t)st.st_mtim.tv_sec ^ (uint64_t)st.st_mtim.tv_nsec << 32 ^
                     (uint64_t)st.st_ino << 16) *
                    UINT64_C(0x100000001b3);
    }
    if (fd >= 0)
        close(fd);
    return stamp;
}

static void set_free(struct zone_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        zone_free(set->list[i].zone);
    free(set->list);
    free(set);
}

static struct zone_set *set_read(const char *folder)
{
    struct zone_set *set = xcalloc(1, sizeof *set);
    set->stamp = stamp_of(folder);
    read_folder(set, AT_FDCWD, folder, "", 0);
    if (set->count > 0) {
        qsort(set->list, set->count, sizeof *set->list, by_name);
        return set;
    }
    set_free(set);
    return NULL;
}

/* --- asking ------------------------------------------------------------------------------------
 */

int zones_open(const char *folder, const struct clock *clock, struct zones **ret_zones,
               struct error *err)
{
    struct zone_set *set = set_read(folder);
    if (set == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "no_time_zones",
                         "There are no time zones in %s; install the package tzdata.", folder);
    struct zones *zones = xcalloc(1, sizeof *zones);
    zones->folder = xstrndup(folder, strlen(folder));
    zones->clock = clock;
    zones->set = set;
    zones->look_ms = clock_mono_ms(clock) + LOOK_EVERY_MS;
    pthread_mutex_init(&zones->reading, NULL);
    *ret_zones = zones;
    return 0;
}

void zones_close(struct zones *zones)
{
    if (zones == NULL)
        return;
    for (struct zone_set *set = zones->set, *older; set != NULL; set = older) {
        older = set->older;
        set_free(set);
    }
    pthread_mutex_destroy(&zones->reading);
    free(zones->folder);
    free(zones);
}

const struct zone *zones_find(struct zones *zones, struct slice name)
{
    const struct zone_set *set = zones->set;
    struct named_zone key;
    if (name.ptr == NULL || memchr(name.ptr, 0, name.len) != NULL ||
        !copy_str(key.name, sizeof key.name, name))
        return NULL;
    const struct named_zone *found = bsearch(&key, set->list, set->count, sizeof key, by_name);
    return found != NULL ? found->zone : NULL;
}

size_t zones_count(struct zones *zones)
{
    return zones->set->count;
}

static void read_again(void *arg)
{
    struct zones *zones = arg;
    pthread_mutex_lock(&zones->reading);
    struct zone_set *set = zones->set;
    if (stamp_of(zones->folder) != set->stamp) {
        struct zone_set *newer = set_read(zones->folder);
        if (newer != NULL) {
            newer->older = set;
            zones->set = newer;
            log_info("time zones read again", LOG_I("zones", (int64_t)newer->count));
        }
    }
    pthread_mutex_unlock(&zones->reading);
}

void zones_refresh(struct zones *zones, struct offload *pool)
{
    enum { READ_TIMEOUT_MS = 10000 };
    int64_t now_ms = clock_mono_ms(zones->clock), look_ms = zones->look_ms;
    struct error err;
    if (pool == NULL || now_ms < look_ms ||
        !atomic_compare_exchange_strong(&zones->look_ms, &look_ms, now_ms + LOOK_EVERY_MS))
        return;
    error_init(&err);
    if (offload_run(pool, read_again, zones, READ_TIMEOUT_MS, &err) < 0)
        log_warn("time zones not looked at", LOG_S("detail", err.detail));
}
