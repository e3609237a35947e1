/* A full disk, for real: a file system of two megabytes. What was acknowledged before stays, what
 * is refused says why, and when there is room again everything goes on by itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/event_log.h"
#include "harness.h"

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type *const types[] = {&sent, NULL};
static const struct id stream = {{1, 2, 3}};
static char folder[200];

static bool mount_small(void)
{
    snprintf(folder, sizeof folder, "%s/small", test_dir());
    CHECK(mkdir(folder, 0700) == 0);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=2m") == 0)
        return true;
    test_skip("cannot mount a small file system: %s", strerror(errno));
    return false;
}

static void write_ballast(size_t bytes)
{
    char path[250], *zeros = xcalloc(1, bytes);
    snprintf(path, sizeof path, "%s/ballast", folder);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(write(fd, zeros, bytes) == (ssize_t)bytes);
    close(fd);
    free(zeros);
}

static void drop_ballast(void)
{
    char path[250];
    snprintf(path, sizeof path, "%s/ballast", folder);
    CHECK(unlink(path) == 0);
}

struct opened {
    struct db *db;
    struct event_log *log;
    uint64_t pos;
};

static void open_log(struct opened *o)
{
    char path[250];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/log.db", folder);
    struct db_config config = {.path = path, .readers = 1, .queue_max = 100, .batch_max = 100};
    CHECK_OK(db_open(&config, &o->db, &err), &err);
    CHECK_OK(db_migrate(o->db, &event_log_schema, 1, NULL, &err), &err);
    struct event_log_config log_config = {.db = o->db, .types = types, .tail_events_max = 50};
    CHECK_OK(event_log_open(&log_config, &o->log, &err), &err);
    CHECK_OK(event_log_start(o->log, &err), &err);
}

static void close_log(struct opened *o)
{
    event_log_close(o->log);
    db_close(o->db);
}

static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    static char data[4000];
    struct opened *o = arg;
    memset(data, 'x', sizeof data);
    struct event_draft draft = {
        .type = &sent, .stream = stream, .data = slice_of(data, sizeof data)};
    return event_emit(o->log, tx, &draft, &o->pos, err);
}

static int count_one(const struct event *event, void *arg, struct error *err)
{
    CHECK_INT(event->pos, *(uint64_t *)arg + 1);
    CHECK_INT(event->data.len, 4000);
    *(uint64_t *)arg = event->pos;
    return 0;
}

struct counting {
    struct opened *opened;
    uint64_t last;
};

static int count_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct counting *c = arg;
    return event_log_read(c->opened->log, tx, 0, 100000, count_one, &c->last, err);
}

static uint64_t count(struct opened *o)
{
    struct counting c = {.opened = o};
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(o->db, count_fn, &c, &err), &err);
    return c.last;
}

/* Until the disk is full; how many were acknowledged. */
static uint64_t fill(struct opened *o)
{
    struct error err;
    int rc = 0;
    uint64_t acknowledged = 0;
    for (int i = 0; rc == 0 && i < 2000; i++) {
        error_init(&err);
        rc = db_write(o->db, emit, o, &err);
        acknowledged += rc == 0;
    }
    CHECK_INT(rc, FAIL_STORAGE_FULL);
    CHECK_STR(slice_str(err.code), "storage_full");
    CHECK(strstr(err.detail, "log.db") != NULL);
    return acknowledged;
}

static void run_full(void)
{
    struct opened o;
    struct error err;
    write_ballast(600 << 10);
    open_log(&o);
    uint64_t acknowledged = fill(&o);
    CHECK(acknowledged > 10);
    CHECK_INT(count(&o), acknowledged); /* reading goes on */
    drop_ballast();
    for (int i = 0; i < 10; i++) {
        error_init(&err);
        CHECK_OK(db_write(o.db, emit, &o, &err), &err);
        acknowledged++;
        CHECK_INT(o.pos, acknowledged); /* refused positions have been given again */
    }
    fill(&o);
    close_log(&o); /* without room for the fold */
    uint64_t total = o.pos - 1;
    open_log(&o);
    CHECK_INT(count(&o), total);
    close_log(&o);
}

TEST(a_full_disk_loses_nothing_and_is_over_when_there_is_room)
{
    if (!mount_small())
        return;
    run_full();
    CHECK(umount(folder) == 0);
}
