/* Segments: what a file holds after any cut and any altered byte, what is refused at opening, what
 * a backup takes along, and readers beside a writer that rolls over and drops. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/random.h"
#include "engine/event_log.h"
#include "engine/event_log_segment.h"
#include "harness.h"

/* --- the bytes -------------------------------------------------------------------------------- */
static const uint8_t salt[16] = "0123456789abcdef";

/* A head and three batches of 1, 2 and 3 records; ret_ends: where each begins, and the end. */
static void make_file(struct buf *file, uint64_t ret_ends[4])
{
    char head[LOG_SEGMENT_HEAD];
    static const char room[LOG_BATCH_HEAD];
    buf_init(file, 1 << 20);
    log_segment_put_head(head, salt, 10, (struct log_segment_before){3, 7});
    buf_append(file, head, sizeof head);
    uint64_t pos = 10;
    for (uint32_t b = 0; b < 3; b++) {
        struct buf batch;
        buf_init(&batch, 1 << 16);
        buf_append(&batch, room, sizeof room);
        uint64_t first = pos;
        for (uint32_t i = 0; i <= b; i++, pos++) {
            struct log_row row = {.pos = pos,
                                  .at_ms = 1000 + b,
                                  .type_number = 3,
                                  .data = SLICE("{\"text\":\"hello\"}"),
                                  .meta = i == 1 ? SLICE("links") : (struct slice){0}};
            row.stream.bytes[0] = (uint8_t)pos;
            log_segment_put_record(&batch, &row);
        }
        log_segment_seal_batch(&batch, salt, first, b + 1);
        ret_ends[b] = file->len;
        buf_slice(file, buf_view(&batch));
        buf_done(&batch);
    }
    ret_ends[3] = file->len;
}

struct found {
    struct log_segment_extent extent;
    bool broken, more;
};

static struct found scan(struct slice file, uint64_t void_at)
{
    struct found f;
    log_segment_scan(file, salt, 10, void_at, &f.extent, &f.broken, &f.more);
    free(f.extent.marks);
    return f;
}

static const uint64_t last_after[4] = {9, 10, 12, 15}; /* batches that are whole */

TEST(segment_cut_anywhere_holds_its_whole_batches)
{
    struct buf file;
    uint64_t ends[4];
    make_file(&file, ends);
    for (size_t len = LOG_SEGMENT_HEAD; len <= file.len; len++) {
        unsigned whole = 0;
        while (whole < 3 && ends[whole + 1] <= len)
            whole++;
        struct found f = scan(slice_of(file.ptr, len), UINT64_MAX);
        CHECK_INT(f.extent.last, last_after[whole]);
        CHECK_INT(f.extent.bytes, ends[whole]);
        CHECK(f.broken == (len != ends[whole]) && !f.more);
    }
    buf_done(&file);
}

TEST(segment_with_an_altered_byte_is_cut_at_its_end_or_called_damaged)
{
    struct buf file;
    uint64_t ends[4];
    make_file(&file, ends);
    for (size_t at = LOG_SEGMENT_HEAD; at < file.len; at++) {
        unsigned in = 0;
        while (ends[in + 1] <= at)
            in++;
        file.ptr[at] = (char)(file.ptr[at] ^ (1 << random_below(8)));
        char kept = file.ptr[at];
        struct found f = scan(buf_view(&file), UINT64_MAX);
        CHECK(f.broken && f.extent.last == last_after[in] && f.extent.bytes == ends[in]);
        CHECK(f.more == (in < 2));
        file.ptr[at] = kept;
        buf_done(&file);
        make_file(&file, ends);
    }
    buf_done(&file);
}

TEST(segment_ends_where_the_next_one_begins)
{
    struct buf file;
    uint64_t ends[4];
    make_file(&file, ends);
    struct found f = scan(buf_view(&file), 13); /* the third batch could not be removed */
    CHECK(f.extent.last == 12 && f.extent.bytes == ends[2] && !f.broken);
    f = scan(buf_view(&file), 16);
    CHECK_INT(f.extent.last, 15);
    buf_done(&file);
}

TEST(segment_of_another_log_is_none)
{
    static const uint8_t other[16] = "fedcba9876543210";
    struct buf file;
    uint64_t ends[4], first;
    struct log_segment_before before;
    make_file(&file, ends);
    CHECK(log_segment_get_head(file.ptr, salt, &first, &before));
    CHECK(first == 10 && before.first == 3 && before.last == 7);
    CHECK(!log_segment_get_head(file.ptr, other, &first, &before));
    for (unsigned at = 0; at < 56; at++) {
        file.ptr[at] ^= 1;
        CHECK(!log_segment_get_head(file.ptr, salt, &first, &before));
        file.ptr[at] ^= 1;
    }
    buf_done(&file);
}

/* --- a log with segments ---------------------------------------------------------------------- */
static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type *const types[] = {&sent, NULL};
static const struct db_migration tables[] = {{1, "rows", "CREATE TABLE change (number INTEGER)"}};
static const struct db_schema schema = {"tables", tables, 1};
static const struct db_sql put_change = {"INSERT INTO change (number) VALUES (?1)"};
static const struct db_sql count_rows = {"SELECT count(*) FROM log"};

enum { STREAMS = 5 };
static struct id streams[STREAMS];

struct opened {
    struct db *db;
    struct event_log *log;
};

static int try_open(struct opened *o, const char *path, struct event_log_config config,
                    struct error *err)
{
    struct db_config db_config = {.path = path, .readers = 2, .queue_max = 100, .batch_max = 100};
    error_init(err);
    CHECK_OK(db_open(&db_config, &o->db, err), err);
    CHECK_OK(db_migrate(o->db, &event_log_schema, 1, NULL, err), err);
    CHECK_OK(db_migrate(o->db, &schema, 1, NULL, err), err);
    config.db = o->db;
    config.types = types;
    int rc = event_log_open(&config, &o->log, err);
    if (rc == 0)
        rc = event_log_start(o->log, err);
    else
        db_close(o->db);
    return rc;
}

static struct opened open_log(const char *path, struct event_log_config config)
{
    struct opened o;
    struct error err;
    CHECK_OK(try_open(&o, path, config, &err), &err);
    return o;
}

static void close_log(struct opened *o)
{
    event_log_close(o->log);
    db_close(o->db);
}

struct emission {
    struct event_log *log;
    unsigned count;
    bool writes;
};

/* The data of an event is its position, so that what is read can be checked by itself. */
static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    const struct emission *e = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < e->count; i++) {
        char data[200];
        uint64_t pos = event_log_head(e->log) + 1 + i; /* this test has one writer */
        int len =
            snprintf(data, sizeof data, "%llu %*s", (unsigned long long)pos, (int)(pos % 90), "");
        struct event_draft draft = {
            .type = &sent, .stream = streams[pos % STREAMS], .data = slice_of(data, (size_t)len)};
        rc = event_emit(e->log, tx, &draft, NULL, err);
    }
    if (rc == 0 && e->writes)
        rc = db_exec(tx, &put_change, err, db_int((int64_t)e->count));
    return rc;
}

static int try_emit(struct opened *o, unsigned count, bool writes, struct error *err)
{
    struct emission e = {.log = o->log, .count = count, .writes = writes};
    error_init(err);
    return db_write(o->db, emit, &e, err);
}

static void emit_many(struct opened *o, unsigned count)
{
    struct error err;
    for (unsigned i = 0; i < count; i++)
        CHECK_OK(try_emit(o, 1 + i % 3, i % 4 == 1, &err), &err);
}

struct reading {
    struct event_log *log;
    uint64_t after, last, count;
    unsigned limit;
};

static int check_event(const struct event *event, void *arg, struct error *err)
{
    struct reading *r = arg;
    struct slice number, rest;
    uint64_t pos = 0;
    rest = event->data;
    CHECK(slice_cut(&rest, ' ', &number) && slice_to_u64(number, &pos));
    CHECK_INT(pos, event->pos);
    CHECK_INT(event->pos, r->last + 1);
    CHECK(id_eq(&event->stream, &streams[event->pos % STREAMS]));
    r->last = event->pos;
    r->count++;
    return 0;
}

static int read_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    r->last = r->after;
    return event_log_read(r->log, tx, r->after, r->limit, check_event, r, err);
}

static uint64_t read_all(const struct opened *o, uint64_t after)
{
    struct reading r = {.log = o->log, .after = after, .limit = 1000000};
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(o->db, read_fn, &r, &err), &err);
    return r.last;
}

static void begin(char path[200], const char *name)
{
    snprintf(path, 200, "%s/%s.db", test_dir(), name);
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = id_new(&clock_system);
}

/* The files of a kind beside `path`, in order of their names; at most 50. */
static unsigned files_of(const char *path, const char *kind, char ret_files[50][520])
{
    char folder[250];
    struct dirent **entries;
    unsigned count = 0;
    snprintf(folder, sizeof folder, "%s.log", path);
    int all = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < all; i++) {
        if (strstr(entries[i]->d_name, kind) != NULL && count < 50)
            snprintf(ret_files[count++], 520, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (all >= 0)
        free(entries);
    return count;
}

static void remove_indexes(const char *path)
{
    char files[50][520];
    for (unsigned i = files_of(path, ".index", files); i-- > 0;)
        CHECK(unlink(files[i]) == 0);
}

static void alter(const char *path, off_t at) /* below 0: from the end */
{
    char byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (at < 0)
        at += lseek(fd, 0, SEEK_END);
    CHECK(pread(fd, &byte, 1, at) == 1);
    byte ^= 4;
    CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

static const struct event_log_config small = {.tail_events_max = 50, .segment_bytes = 4096};

TEST(log_in_many_segments_is_read_as_one)
{
    char path[200], files[50][520];
    begin(path, "many");
    struct opened o = open_log(path, small);
    emit_many(&o, 300);
    uint64_t head = event_log_head(o.log);
    for (uint64_t after = 0; after < head; after += 37)
        CHECK_INT(read_all(&o, after), head);
    close_log(&o);
    CHECK(files_of(path, ".segment", files) > 5);
    o = open_log(path, small);
    CHECK_INT(event_log_head(o.log), head);
    CHECK_INT(read_all(&o, 0), head);
    emit_many(&o, 30);
    CHECK_INT(read_all(&o, 0), head + 60);
    close_log(&o);
    remove_indexes(path); /* made again */
    o = open_log(path, small);
    CHECK_INT(read_all(&o, 0), head + 60);
    close_log(&o);
    for (unsigned i = files_of(path, ".index", files); i-- > 0;)
        alter(files[i], 30); /* not believed */
    o = open_log(path, small);
    CHECK_INT(read_all(&o, 0), head + 60);
    close_log(&o);
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, bytes, size);
    close(fd);
    return len > 0 ? (size_t)len : 0;
}

/* The marks of a segment come from the events as they are appended; a start that finds no index
 * takes them from the file. */
TEST(segment_index_is_the_same_when_it_is_made_again)
{
    char path[200], files[50][520], before[16384], after[16384];
    begin(path, "index");
    struct opened o = open_log(path, (struct event_log_config){.tail_events_max = 100000});
    struct error err;
    for (unsigned i = 0; i < 60; i++)
        CHECK_OK(try_emit(&o, i % 7 == 0 ? 3000 : 1 + i % 90, i % 4 == 1, &err), &err);
    close_log(&o);
    CHECK_INT(files_of(path, ".index", files), 1);
    size_t len = read_file(files[0], before, sizeof before);
    CHECK(len > 100);
    remove_indexes(path);
    o = open_log(path, (struct event_log_config){.tail_events_max = 100000});
    close_log(&o);
    CHECK_INT(read_file(files[0], after, sizeof after), len);
    CHECK(memcmp(before, after, len) == 0);
}

static void expect_refusal(const char *path, const char *word)
{
    struct opened o;
    struct error err;
    CHECK_INT(try_open(&o, path, small, &err), FAIL_INTERNAL);
    CHECK_STR(slice_str(err.code), "log_damaged");
    if (strstr(err.detail, word) == NULL)
        test_fail(__FILE__, __LINE__, "no \"%s\" in: %s", word, err.detail);
}

TEST(log_whose_segments_are_damaged_missing_or_foreign_is_refused)
{
    char path[200], other[200], files[50][520], more[50][520], away[540];
    begin(path, "refused");
    struct opened o = open_log(path, small);
    emit_many(&o, 200);
    uint64_t head = event_log_head(o.log);
    close_log(&o);
    unsigned count = files_of(path, ".segment", files);
    CHECK(count > 4);
    remove_indexes(path);
    alter(files[1], 100);
    expect_refusal(path, "is damaged");
    alter(files[1], 100);
    alter(files[1], -1); /* in its last batch */
    expect_refusal(path, "is damaged");
    alter(files[1], -1);
    alter(files[count - 1], LOG_SEGMENT_HEAD + 40); /* whole batches follow */
    expect_refusal(path, "is damaged");
    alter(files[count - 1], LOG_SEGMENT_HEAD + 40);

    snprintf(away, sizeof away, "%s.away", files[2]);
    CHECK(rename(files[2], away) == 0);
    expect_refusal(path, "is missing");
    CHECK(rename(away, files[2]) == 0);
    snprintf(away, sizeof away, "%s.away", files[count - 1]);
    CHECK(rename(files[count - 1], away) == 0);
    expect_refusal(path, "is missing, or older");
    CHECK(rename(away, files[count - 1]) == 0);

    snprintf(other, sizeof other, "%s/other.db", test_dir());
    o = open_log(other, small);
    emit_many(&o, 5);
    close_log(&o);
    CHECK(files_of(other, ".segment", more) == 1);
    CHECK(rename(files[0], away) == 0 && rename(more[0], files[0]) == 0);
    expect_refusal(path, "another database");
    CHECK(rename(away, files[0]) == 0);
    o = open_log(path, small); /* and all is well again */
    CHECK_INT(read_all(&o, 0), head);
    close_log(&o);
}

TEST(log_goes_on_behind_what_a_crash_left_half_written)
{
    char path[200], files[50][520];
    struct error err;
    begin(path, "torn");
    struct opened o = open_log(path, (struct event_log_config){0});
    emit_many(&o, 20);
    uint64_t head = event_log_head(o.log);
    close_log(&o);
    CHECK_INT(files_of(path, ".segment", files), 1);
    FILE *file = fopen(files[0], "ab");
    CHECK(fwrite("PLGB and nothing that was ever synced", 1, 37, file) == 37);
    fclose(file);
    o = open_log(path, (struct event_log_config){0});
    CHECK_INT(event_log_head(o.log), head);
    CHECK_OK(try_emit(&o, 3, false, &err), &err);
    CHECK_INT(read_all(&o, 0), head + 3);
    close_log(&o);
    remove_indexes(path);
    o = open_log(path, (struct event_log_config){0});
    CHECK_INT(read_all(&o, 0), head + 3);
    close_log(&o);
}

/* --- backup ----------------------------------------------------------------------------------- */
static int rows_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &count_rows, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    *(int64_t *)arg = db_col_int(&rows, 0);
    return rc < 0 ? rc : 0;
}

struct backup {
    struct db *db;
    char path[200];
    _Atomic bool done;
};

static void *back_up(void *arg)
{
    struct backup *b = arg;
    struct error err;
    error_init(&err);
    CHECK_OK(db_backup(b->db, b->path, NULL, &err), &err);
    atomic_store(&b->done, true);
    return NULL;
}

TEST(backup_is_whole_by_itself)
{
    char path[200], files[50][520];
    begin(path, "live");
    struct opened o = open_log(path, small);
    emit_many(&o, 2000);
    uint64_t before = event_log_head(o.log);
    struct backup b = {.db = o.db};
    snprintf(b.path, sizeof b.path, "%s/backup.db", test_dir());
    pthread_t thread;
    pthread_create(&thread, NULL, back_up, &b);
    while (!atomic_load(&b.done))
        emit_many(&o, 10);
    pthread_join(thread, NULL);
    uint64_t after = event_log_head(o.log);
    close_log(&o);

    CHECK_INT(files_of(b.path, "", files), 0);
    o = open_log(b.path, small);
    uint64_t head = event_log_head(o.log);
    CHECK(head >= before && head <= after);
    CHECK_INT(read_all(&o, 0), head);
    int64_t rows = 0;
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(o.db, rows_fn, &rows, &err), &err);
    CHECK_INT(rows, head); /* no position is missing */
    emit_many(&o, 10);
    CHECK_INT(read_all(&o, 0), head + 19);
    close_log(&o);
}

static void *back_up_in_vain(void *arg)
{
    struct backup *b = arg;
    struct error err;
    error_init(&err);
    CHECK_INT(db_backup(b->db, b->path, NULL, &err), FAIL_CANCELLED);
    return NULL;
}

/* The whole rest was copied first, for nobody. */
TEST(bug_a_log_that_closes_finished_a_backup)
{
    char path[200], part[220];
    begin(path, "live");
    struct opened o = open_log(path, small);
    struct backup b = {.db = o.db};
    snprintf(b.path, sizeof b.path, "%s/backup.db", test_dir());
    snprintf(part, sizeof part, "%s.part", b.path);
    CHECK(fault_set("db.backup=error"));
    pthread_t thread;
    pthread_create(&thread, NULL, back_up_in_vain, &b);
    while (access(part, F_OK) != 0)
        usleep(1000);
    close_log(&o);
    pthread_join(thread, NULL);
    CHECK(fault_set(""));
    CHECK(access(part, F_OK) != 0 && access(b.path, F_OK) != 0);
}

/* --- readers beside the writer ---------------------------------------------------------------- */
struct beside {
    struct log_segments segments;
    _Atomic uint64_t first, head; /* of what is there for sure */
    _Atomic bool stop;
};

static void append_batch(struct beside *b, unsigned count)
{
    struct error err;
    error_init(&err);
    uint64_t head = atomic_load(&b->head);
    CHECK_OK(log_segments_ready(&b->segments, head, &err), &err);
    for (unsigned i = 1; i <= count; i++) {
        char data[100];
        int len = snprintf(data, sizeof data, "%*llu", (int)(head % 90) + 1,
                           (unsigned long long)head + i);
        struct log_row row = {.pos = head + i,
                              .at_ms = (int64_t)(head + i),
                              .type_number = 1,
                              .data = slice_of(data, (size_t)len)};
        CHECK_OK(log_segments_add(&b->segments, &row, &err), &err);
    }
    CHECK_OK(log_segments_append(&b->segments, &err), &err);
    bool committed = random_below(5) != 0; /* else all of it is undone, and given again */
    log_segments_end(&b->segments, committed);
    if (committed)
        atomic_store(&b->head, head + count);
}

/* Where commits are not synced, full segments are: a later one vouches for them. */
TEST(segment_is_synced_before_the_next_one_begins)
{
    char path[200];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/unsynced.db", test_dir());
    struct log_segments s;
    const struct log_segments_config config = {.database = path, .salt = salt, .segment_bytes = 1};
    const struct log_row row = {.pos = 1, .at_ms = 1, .type_number = 1, .data = SLICE("{}")};
    struct log_row next = row;
    next.pos = 2;
    CHECK_OK(log_segments_open(&s, &config, &err), &err);
    CHECK_OK(log_segments_ready(&s, 0, &err), &err);
    CHECK_OK(log_segments_add(&s, &row, &err), &err);
    CHECK_OK(log_segments_append(&s, &err), &err);
    log_segments_end(&s, true);
    CHECK(s.unsynced);
    CHECK_OK(log_segments_ready(&s, 1, &err), &err);
    CHECK_OK(log_segments_add(&s, &next, &err), &err); /* rolls over */
    CHECK(!s.unsynced && log_segments_size(&s).files == 2);
    log_segments_close(&s);
}

static void drop_some(struct beside *b)
{
    uint64_t last = log_segments_old(&b->segments, 0, atomic_load(&b->head) - 300, UINT64_MAX);
    if (last == 0)
        return;
    atomic_store(&b->first, last + 1);
    log_segments_drop(&b->segments, last);
}

static void *read_on(void *arg)
{
    struct beside *b = arg;
    struct log_segment_cursor cursor = {.segments = &b->segments};
    while (!atomic_load(&b->stop)) {
        uint64_t first = atomic_load(&b->first), through = atomic_load(&b->head);
        uint64_t after = first - 1 + random_below((uint32_t)(through - first + 2));
        uint64_t last = after, pos;
        struct log_row row;
        struct error err;
        error_init(&err);
        int rc;
        while ((rc = log_segment_next(&cursor, last, through, &row, &err)) == 1) {
            struct slice digits = slice_trim(row.data);
            CHECK(slice_to_u64(digits, &pos) && pos == row.pos && row.pos > last);
            if (atomic_load(&b->first) <= last + 1) /* it had not been dropped */
                CHECK_INT(row.pos, last + 1);
            last = row.pos;
        }
        CHECK_OK(rc, &err);
        CHECK(last == through || atomic_load(&b->first) > last + 1);
    }
    log_segment_cursor_done(&cursor);
    return NULL;
}

TEST(segments_are_read_while_they_grow_roll_over_and_are_dropped)
{
    char path[200];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/beside.db", test_dir());
    struct beside b = {.first = 1};
    const struct log_segments_config config = {
        .database = path, .salt = salt, .segment_bytes = 4096};
    CHECK_OK(log_segments_open(&b.segments, &config, &err), &err);
    pthread_t readers[2];
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, read_on, &b);
    for (unsigned i = 0; i < 3000; i++) {
        append_batch(&b, 1 + i % 4);
        if (i % 10 == 0 && atomic_load(&b.head) > 300)
            drop_some(&b);
    }
    atomic_store(&b.stop, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    uint64_t head = atomic_load(&b.head);
    CHECK(atomic_load(&b.first) > 300 && log_segments_last(&b.segments) == head);
    CHECK_INT(log_segments_begin(&b.segments), atomic_load(&b.first));
    log_segments_close(&b.segments);
    CHECK_OK(log_segments_open(&b.segments, &config, &err), &err);
    CHECK_INT(log_segments_last(&b.segments), head);
    CHECK_INT(log_segments_begin(&b.segments), atomic_load(&b.first));
    log_segments_close(&b.segments);
}
