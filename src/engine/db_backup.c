/* An online copy of the database: the writer thread copies a slice of pages between two commits.
 * Because the same connection makes the changes, SQLite carries them over into the part that is
 * copied already, so the copy ends consistent without ever starting over.
 *
 * The copy is written beside its final name, synced, and renamed: a file of that name is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"

enum { PAGES_PER_SLICE = 256, HELD_US = 1000 };

struct db_backup_run {
    char *path, *part;
    struct db_conn target;
    sqlite3_backup *backup;   /* NULL: all pages are copied */
    bool adding;              /* the hook has begun */
    const _Atomic bool *stop; /* somebody wants it no more; NULL: nobody can say so */
    struct db_job *job;
};

int db_sync_path(const char *path, const char *code, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;
    int cause = errno;
    if (fd >= 0)
        close(fd);
    return rc == 0 ? 0 : error_errno(err, cause, code, "cannot sync %s", path);
}

static int publish(const struct db_backup_run *run, struct error *err)
{
    int rc = db_sync_path(run->part, "backup_failed", err);
    if (rc != 0)
        return rc;
    if (rename(run->part, run->path) != 0)
        return error_errno(err, errno, "backup_failed", "cannot rename %s", run->part);
    char folder[PATH_MAX];
    if (!copy_str(folder, sizeof folder, slice_str(run->path)))
        return error_set(err, FAIL_INTERNAL, "backup_failed", "the path is too long");
    return db_sync_path(dirname(folder), "backup_failed", err);
}

static void free_run(struct db_backup_run *run)
{
    db_conn_close(&run->target);
    free(run->path);
    free(run->part);
    free(run);
}

static void finish(struct db_writer *writer, int rc)
{
    struct db_backup_run *run = writer->backup;
    writer->backup = NULL;
    struct db_job *job = run->job;
    if (run->adding)
        writer->copy_hook->ended(writer->copy_hook);
    if (run->backup != NULL)
        sqlite3_backup_finish(run->backup);
    db_conn_close(&run->target);
    if (rc == 0)
        rc = publish(run, job->err);
    if (rc != 0)
        unlink(run->part);
    free_run(run);
    struct db_homes homes = {0};
    db_homes_add(&homes, job, rc);
    db_homes_send(&homes);
}

/* One transaction of the copy in which the hook adds to it. */
static int add(struct db_writer *writer, bool first, bool *ret_more)
{
    struct db_backup_run *run = writer->backup;
    struct error *err = run->job->err;
    struct db_tx tx;
    db_tx_init(&tx, run->job->tx.db, &run->target, true);
    tx.savepoint = true; /* a copy that fails is thrown away */
    run->adding = true;
    int rc = db_conn_script(&run->target, "BEGIN", err);
    if (rc == 0)
        rc = writer->copy_hook->step(writer->copy_hook, &tx, first, ret_more, err);
    db_tx_close_rows(&tx);
    return rc == 0 ? db_conn_script(&run->target, "COMMIT", err) : rc;
}

/* 0 and *ret_more, or the error. */
static int step(struct db_writer *writer, bool *ret_more)
{
    struct db_backup_run *run = writer->backup;
    *ret_more = true;
    if (run->backup == NULL)
        return add(writer, false, ret_more);
    int step = sqlite3_backup_step(run->backup, PAGES_PER_SLICE);
    if (step == SQLITE_OK)
        return 0;
    if (step != SQLITE_DONE)
        return db_conn_error(&run->target, step, "backup", run->job->err);
    step = sqlite3_backup_finish(run->backup);
    run->backup = NULL;
    if (step != SQLITE_OK)
        return db_conn_error(&run->target, step, "backup", run->job->err);
    *ret_more = false;
    return writer->copy_hook != NULL ? add(writer, true, ret_more) : 0;
}

static int cancelled(struct error *err)
{
    return error_set(err, FAIL_CANCELLED, "backup_cancelled", "the backup was cancelled");
}

static bool stopped(const _Atomic bool *stop)
{
    return stop != NULL && atomic_load(stop);
}

bool db_backup_step(struct db_writer *writer)
{
    struct db_backup_run *run = writer->backup;
    bool more = true;
    int rc = 0;
    if (stopped(run->stop))
        rc = cancelled(run->job->err);
    else if (fault("db.backup")) /* a test holds it up */
        usleep(HELD_US);
    else
        rc = step(writer, &more);
    if (rc != 0 || !more)
        finish(writer, rc);
    return true;
}

static int set_copy_hook(struct db *db, void *arg, struct error *err)
{
    if (arg == NULL && db->writer.backup != NULL)
        finish(&db->writer, cancelled(db->writer.backup->job->err));
    db->writer.copy_hook = arg;
    return 0;
}

void db_set_copy_hook(struct db *db, struct db_copy_hook *hook)
{
    /* At the start and at the end of the process's life the queue has room sooner or later. */
    while (db_outside(db, set_copy_hook, hook, NULL) != 0)
        sched_yield();
}

static int open_target(struct db *db, struct db_backup_run *run, struct error *err)
{
    unlink(run->part); /* left by a crash */
    int fd = open(run->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "backup_failed", "cannot create %s", run->part);
    close(fd);
    int rc = sqlite3_open_v2(run->part, &run->target.sqlite,
                             SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL);
    if (rc != SQLITE_OK)
        return error_errno(err, sqlite3_system_errno(run->target.sqlite), "backup_failed",
                           "cannot create %s", run->part);
    /* Nobody reads it before it is whole and synced. */
    rc = db_conn_script(&run->target, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err);
    if (rc != 0)
        return rc;
    run->backup = sqlite3_backup_init(run->target.sqlite, "main", db->writer.conn.sqlite, "main");
    if (run->backup == NULL)
        return db_conn_error(&run->target, sqlite3_errcode(run->target.sqlite), "backup", err);
    return 0;
}

struct backup_request {
    const char *path;
    const _Atomic bool *stop;
    struct db_job *job;
};

static int start(struct db *db, void *arg, struct error *err)
{
    const struct backup_request *request = arg;
    if (stopped(request->stop))
        return cancelled(err);
    if (db->writer.backup != NULL)
        return error_set(err, FAIL_CONFLICT, "backup_running", "another backup is being made");
    if (access(request->path, F_OK) == 0)
        return error_set(err, FAIL_CONFLICT, "backup_exists", "%s exists already", request->path);
    struct db_backup_run *run = xcalloc(1, sizeof *run);
    list_init(&run->target.open);
    size_t size = strlen(request->path) + sizeof ".part";
    run->path = xstrndup(request->path, size);
    run->part = xmalloc(size);
    snprintf(run->part, size, "%s.part", request->path);
    run->job = request->job;
    run->stop = request->stop;
    run->job->tx.db = db;
    run->target.clock = db->config.clock;
    int rc = open_target(db, run, err);
    if (rc != 0) {
        unlink(run->part);
        free_run(run);
        return rc;
    }
    db->writer.backup = run;
    return 1;
}

int db_backup(struct db *db, const char *path, const _Atomic bool *stop, struct error *err)
{
    struct db_job job;
    struct backup_request request = {path, stop, &job};
    db_job_init(&job, NULL, &request, err);
    job.outside = start;
    int rc = db_submit_write(db, &job);
    return rc == 0 ? db_job_wait(&job) : rc;
}

/* --- a file from elsewhere -------------------------------------------------------------------- */
static int found_wrong(const char *path, const char *what, struct error *err)
{
    return error_set(err, FAIL_INVALID, "database_damaged", "%s is damaged: %.80s", path, what);
}

int db_check_file(const char *path, struct error *err)
{
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(sqlite, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW) {
        rc = found_wrong(path, sqlite3_errstr(rc), err);
    } else {
        const char *said = (const char *)sqlite3_column_text(stmt, 0);
        rc = said != NULL && strcmp(said, "ok") == 0 ? 0 : found_wrong(path, said, err);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(sqlite);
    return rc;
}
