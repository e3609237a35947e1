/* Opening the embedded database: one process at a time, no damaged file, and reader connections
 * that never write, commit or checkpoint (DEPENDENCIES.md section 8.1). */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"
#include "harness.h"

static struct clock_fake fake;

static const char *path_of(const char *suffix)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/main.db%s", test_dir(), suffix);
    return path;
}

static int open_at(const char *path, struct db **ret_db, struct error *err)
{
    clock_fake_init(&fake, 1000000); /* stands still: the writer never finds itself idle */
    error_init(err);
    struct db_config config = {.path = path,
                               .sync = DB_SYNC_FULL,
                               .readers = 2,
                               .queue_max = 1000,
                               .batch_max = 100,
                               .clock = &fake.clock};
    return db_open(&config, ret_db, err);
}

static int mode_of(const char *suffix)
{
    struct stat st = {0};
    CHECK(stat(path_of(suffix), &st) == 0);
    return st.st_mode & 0777;
}

TEST(nobody_else_may_read_the_files)
{
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    struct db *db;
    struct error err;
    mode_t before = umask(0);
    for (int opened = 0; opened < 2; opened++) {
        CHECK_OK(open_at(path_of(""), &db, &err), &err);
        for (size_t i = 0; i < ARRAY_LEN(files); i++)
            CHECK_INT(mode_of(files[i]), 0600);
        char copy[250];
        snprintf(copy, sizeof copy, "%s.copy%d", path_of(""), opened);
        CHECK_OK(db_backup(db, copy, NULL, &err), &err);
        CHECK_INT(mode_of(opened == 0 ? ".copy0" : ".copy1"), 0600);
        db_close(db);
        CHECK(chmod(path_of(""), 0644) == 0); /* as earlier versions left it */
    }
    umask(before);
}

/* A crash leaves them, and the next start opens them as they are. */
TEST(files_left_by_a_crash_are_tightened)
{
    struct db *db;
    struct error err;
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    db_close(db);
    FILE *wal = fopen(path_of("-wal"), "w");
    fclose(wal);
    CHECK(chmod(path_of("-wal"), 0644) == 0);
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    CHECK_INT(mode_of("-wal"), 0600);
    db_close(db);
}

static const struct db_migration first[] = {
    {1, "rows", "CREATE TABLE row (n INTEGER PRIMARY KEY, filler BLOB)"}};
static const struct db_schema schema = {"test", first, 1};
static const struct db_sql insert_row = {"INSERT INTO row (filler) VALUES (?1)"};
static const struct db_sql sum_rows = {"SELECT count(*), sum(length(filler)) FROM row"};

static int fill(struct db_tx *tx, void *arg, struct error *err)
{
    static char filler[1000];
    int rc = 0;
    for (int i = 0; rc == 0 && i < *(int *)arg; i++)
        rc = db_exec(tx, &insert_row, err, db_blob(slice_of(filler, sizeof filler)));
    return rc;
}

static int sum(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &sum_rows, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc == 1)
        *(int64_t *)arg = db_col_int(&rows, 0);
    return rc < 0 ? rc : 0;
}

TEST(a_second_process_is_refused_with_the_holders_pid)
{
    struct db *db, *second;
    struct error err;
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    CHECK_INT(open_at(path_of(""), &second, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "database_in_use");
    char pid[20];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    CHECK(strstr(err.detail, pid) != NULL);
    db_close(db);
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    db_close(db);
}

static void check_damaged(void)
{
    struct db *db;
    struct error err;
    CHECK_INT(open_at(path_of(""), &db, &err), FAIL_INTERNAL);
    CHECK_STR(slice_str(err.code), "database_damaged");
    CHECK(strstr(err.detail, "parley restore") != NULL);
    CHECK(strstr(err.detail, "main.db") != NULL);
}

static void make_file(int rows)
{
    struct db *db;
    struct error err;
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    CHECK_OK(db_write(db, fill, &rows, &err), &err);
    db_close(db);
}

TEST(a_file_that_is_no_database_is_refused)
{
    FILE *file = fopen(path_of(""), "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    check_damaged();
    CHECK(truncate(path_of(""), 10) == 0);
    check_damaged();
}

TEST(a_truncated_file_is_refused)
{
    make_file(100);
    struct stat st;
    CHECK(stat(path_of(""), &st) == 0);
    CHECK(truncate(path_of(""), st.st_size / 8192 * 4096) == 0);
    check_damaged();
}

TEST(an_overwritten_schema_is_refused)
{
    make_file(10);
    int fd = open(path_of(""), O_WRONLY);
    char junk[3000];
    memset(junk, 0x5a, sizeof junk);
    CHECK(pwrite(fd, junk, sizeof junk, 100) == (ssize_t)sizeof junk);
    close(fd);
    check_damaged();
}

TEST(a_folder_that_is_not_there_is_named)
{
    struct db *db;
    struct error err;
    CHECK(open_at("/nonexistent/folder/main.db", &db, &err) < 0);
    CHECK(strstr(err.detail, "/nonexistent/folder") != NULL);
}

/* Modes count for root too once it is somebody else. */
static void check_unwritable(const char *named)
{
    uid_t me = geteuid();
    struct db *db;
    struct error err;
    CHECK(me != 0 || seteuid(65534) == 0);
    CHECK(open_at(path_of(""), &db, &err) < 0);
    CHECK(seteuid(me) == 0);
    CHECK_STR(slice_str(err.code), "read_only");
    CHECK(strstr(err.detail, named) != NULL);
    CHECK(strstr(err.detail, "give the data folder") != NULL);
}

TEST(a_folder_that_may_not_be_written_is_named)
{
    char named[220];
    make_file(10);
    CHECK(chmod(path_of(""), 0666) == 0 && chmod(path_of(".lock"), 0666) == 0);
    CHECK(chmod(test_dir(), 0555) == 0);
    snprintf(named, sizeof named, "cannot write %s (", test_dir());
    check_unwritable(named);
    CHECK(chmod(test_dir(), 0755) == 0 && unlink(path_of(".lock")) == 0);
    CHECK(chmod(test_dir(), 0555) == 0);
    check_unwritable(path_of(".lock"));
    CHECK(chmod(test_dir(), 0755) == 0);
}

TEST(a_file_that_may_not_be_written_is_named)
{
    char named[220];
    make_file(10);
    CHECK(chmod(test_dir(), 0777) == 0 && chmod(path_of(".lock"), 0666) == 0);
    CHECK(chmod(path_of(""), 0444) == 0);
    snprintf(named, sizeof named, "cannot write %s (", path_of(""));
    check_unwritable(named);
    CHECK(chmod(path_of(""), 0666) == 0);
    FILE *wal = fopen(path_of("-wal"), "w");
    fclose(wal);
    CHECK(chmod(path_of("-wal"), 0444) == 0);
    check_unwritable(path_of("-wal"));
}

struct file_state {
    off_t size;
    struct timespec changed;
};

static struct file_state state_of(const char *path)
{
    struct stat st = {0};
    CHECK(stat(path, &st) == 0);
    return (struct file_state){st.st_size, st.st_mtim};
}

static bool same(struct file_state a, struct file_state b)
{
    return a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
           a.changed.tv_nsec == b.changed.tv_nsec;
}

/* Fifty reads over a WAL full of pages that nobody has checkpointed yet, then the readers close:
 * neither file may have been written to. */
TEST(readers_never_commit_or_checkpoint)
{
    struct db *db;
    struct error err;
    int rows = 5000; /* more than SQLite's own automatic checkpoint at 1000 pages */
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    CHECK(
        fault_set("db.checkpoint_held=error")); /* the writer's own must not be taken for theirs */
    CHECK_OK(db_write(db, fill, &rows, &err), &err);
    struct db_stats stats;
    db_stats(db, &stats);
    CHECK(stats.wal_bytes > 4000000);
    CHECK_INT(stats.checkpoints, 0);
    struct file_state file = state_of(path_of("")), wal = state_of(path_of("-wal"));
    for (int i = 0; i < 50; i++) {
        int64_t n = 0;
        CHECK_OK(db_read(db, sum, &n, &err), &err);
        CHECK_INT(n, rows);
    }
    for (unsigned i = 0; i < db->readers.count; i++)
        CHECK_INT(sqlite3_db_readonly(db->readers.reader[i].conn.sqlite, "main"), 1);
    db_readers_stop(db);
    CHECK(same(file, state_of(path_of(""))));
    CHECK(same(wal, state_of(path_of("-wal"))));
    CHECK(fault_set(""));
    CHECK_OK(db_readers_start(db, &err), &err);
    db_close(db);
}

TEST(the_writer_checkpoints_a_long_wal)
{
    struct db *db;
    struct error err;
    int rows = 1000;
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    for (int i = 0; i < 60; i++)
        CHECK_OK(db_write(db, fill, &rows, &err), &err);
    struct db_stats stats;
    db_stats(db, &stats);
    CHECK(stats.checkpoints > 0);
    CHECK(stats.wal_bytes < 40 << 20); /* it began anew instead of growing for ever */
    db_close(db);
    CHECK(access(path_of("-wal"), F_OK) != 0); /* a clean close leaves one file */
}

static int endless(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct db_sql sql = {
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"};
    struct db_rows rows;
    clock_fake_advance(&fake, 1); /* the deadline was taken before this */
    int rc = db_query_n(tx, &sql, NULL, 0, &rows, err);
    clock_fake_advance(&fake, DB_READ_MAX_MS);
    if (rc == 0)
        rc = db_next(&rows, err);
    return rc < 0 ? rc : 0;
}

TEST(a_read_that_never_ends_is_interrupted)
{
    struct db *db;
    struct error err;
    CHECK_OK(open_at(path_of(""), &db, &err), &err);
    CHECK_INT(db_read(db, endless, NULL, &err), FAIL_TIMEOUT);
    CHECK_STR(slice_str(err.code), "query_timeout");
    db_close(db);
}

TEST(old_sqlite_is_warned_about)
{
    CHECK((db_version_warning() != NULL) == (sqlite3_libversion_number() < 3051003));
}
