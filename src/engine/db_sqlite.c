/* Opening and closing the embedded database: the lock file, the check for damage, the pragmas and
 * the order of things (the writer's connection opens first, because that is where recovery happens,
 * and closes last, because that is where the last checkpoint happens).
 */
#include "engine/db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_TIMEOUT_MS = 5000,
    PROGRESS_STEPS = 20000,        /* virtual machine steps between two looks at the deadline */
    FIRST_SOUND_VERSION = 3051003, /* WAL-reset bug fixed */
};

/* --- the lock file --------------------------------------------------------------------------- */
static char *suffixed(const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    char *text = xmalloc(size);
    snprintf(text, size, "%s%s", path, suffix);
    return text;
}

int db_unwritable(const char *path, const char *why, struct error *err)
{
    return error_set(err, FAIL_INTERNAL, "read_only",
                     "cannot write %s (%s): give the data folder and all that is in it to the user "
                     "who runs parley (here %u), and mount it for writing",
                     path, why, (unsigned)geteuid());
}

static int cannot_open(const char *path, int cause, const char *code, struct error *err)
{
    if (cause == EACCES || cause == EPERM || cause == EROFS)
        return db_unwritable(path, strerror(cause), err);
    return error_errno(err, cause, code, "cannot open %s", path);
}

static int in_use(int fd, const char *path, struct error *err)
{
    char pid[16] = "unknown";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    if (n > 0)
        pid[n] = 0;
    pid[strcspn(pid, "\n")] = 0;
    return error_set(err, FAIL_CONFLICT, "database_in_use",
                     "%s is in use by the process %s: stop it first, or choose another --data",
                     path, pid);
}

/* Held until the process ends or db_close; the file stays, since removing it would race. */
static int take_lock(struct db *db, struct error *err)
{
    char *path = suffixed(db->path, ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int rc = cannot_open(path, errno, "lock_failed", err);
        free(path);
        return rc;
    }
    free(path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int rc = in_use(fd, db->path, err);
        close(fd);
        return rc;
    }
    char pid[16];
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* Only a help for whoever is refused: a disk without room for it is no reason to fail. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len)
        errno = 0;
    db->lock_fd = fd;
    return 0;
}

/* --- who may read and write ------------------------------------------------------------------ */
static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* Tokens and passwords are checked by what is in here. A file of somebody else's is left as it is.
 */
static void tighten(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (st.st_mode & 0077) != 0)
        (void)fchmod(fd, 0600);
}

/* SQLite would make the file by the umask's leave. What it makes beside it gets the same mode. */
static int make_private(const char *path, int flags, struct error *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return cannot_open(path, errno, "open_failed", err);
    tighten(fd);
    close(fd);
    return 0;
}

/* SQLite makes files beside its own, and says no more than that it cannot. */
static int check_folder(const char *path, struct error *err)
{
    char *copy = xstrndup(path, strlen(path));
    const char *folder = dirname(copy);
    int rc = 0;
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
        rc = cannot_open(folder, errno, "open_failed", err);
    free(copy);
    return rc;
}

static int make_all_private(const char *path, struct error *err)
{
    static const char *const beside[] = {"-wal", "-shm"};
    int rc = check_folder(path, err);
    if (rc == 0)
        rc = make_private(path, O_CREAT, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(beside); i++) {
        char *file = suffixed(path, beside[i]);
        if (exists(file))
            rc = make_private(file, 0, err);
        free(file);
    }
    return rc;
}

/* --- damage ---------------------------------------------------------------------------------- */
int db_damaged(const char *path, const char *what, const char *cure, struct error *err)
{
    static const char restore[] = "stop the server if it runs, keep the file, and restore the "
                                  "newest backup with `parley restore`";
    return error_set(err, FAIL_INTERNAL, "database_damaged", "%s is damaged (%s): %s", path, what,
                     cure != NULL ? cure : restore);
}

static uint32_t big_endian(const unsigned char *p, unsigned bytes)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static bool has_wal(const char *path)
{
    char *wal = suffixed(path, "-wal");
    struct stat st;
    bool has = stat(wal, &st) == 0 && st.st_size > 0;
    free(wal);
    return has;
}

/* What can be seen without reading the whole file: the header (SQLite's file format, section 1.3)
 * and whether all the pages that it counts are there. With a WAL the file may lag behind it. */
static int check_header(const char *path, const char *cure, struct error *err)
{
    unsigned char h[100];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "open_failed", "cannot read %s", path);
    struct stat st;
    ssize_t n = fstat(fd, &st) == 0 ? pread(fd, h, sizeof h, 0) : -1;
    int cause = errno;
    close(fd);
    if (n < 0)
        return error_errno(err, cause, "open_failed", "cannot read %s", path);
    if (n == 0)
        return 0; /* new */
    if (n < (ssize_t)sizeof h || memcmp(h, "SQLite format 3", 16) != 0)
        return db_damaged(path, "it does not start like a database", cure, err);
    uint32_t page_bytes = big_endian(h + 16, 2) == 1 ? 65536 : big_endian(h + 16, 2);
    uint64_t want = (uint64_t)big_endian(h + 28, 4) * page_bytes;
    bool count_is_valid = memcmp(h + 24, h + 92, 4) == 0;
    if (page_bytes < 512 || (page_bytes & (page_bytes - 1)) != 0)
        return db_damaged(path, "its page size makes no sense", cure, err);
    if (count_is_valid && !has_wal(path) && (uint64_t)st.st_size < want)
        return db_damaged(path, "it is shorter than its header says", cure, err);
    return 0;
}

/* --- connections ----------------------------------------------------------------------------- */
static int out_of_time(void *arg)
{
    const struct db_conn *conn = arg;
    return conn->deadline_ns != 0 && clock_mono_ns(conn->clock) > conn->deadline_ns;
}

static int set_up_writer(struct db_conn *conn, enum db_sync sync, struct error *err)
{
    int rc = db_conn_script(conn,
                            "PRAGMA page_size=8192; PRAGMA journal_mode=WAL;"
                            "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
                            "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
                            "PRAGMA cache_size=-65536; PRAGMA secure_delete=OFF;"
                            "PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;",
                            err);
    if (rc != 0)
        return rc;
    return db_conn_script(
        conn, sync == DB_SYNC_FULL ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
}

static int set_up_reader(struct db_conn *conn, struct error *err)
{
    sqlite3_db_config(conn->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_progress_handler(conn->sqlite, PROGRESS_STEPS, out_of_time, conn);
    return db_conn_script(conn,
                          "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0;"
                          "PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY;"
                          "PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;",
                          err);
}

int db_conn_open(struct db_conn *conn, const char *path, bool writer,
                 const struct db_config *config, struct error *err)
{
    *conn = (struct db_conn){.clock = config->clock, .cure = config->cure};
    list_init(&conn->open);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int rc = sqlite3_open_v2(path, &conn->sqlite, flags, NULL);
    if (rc != SQLITE_OK) {
        int cause = conn->sqlite != NULL ? sqlite3_system_errno(conn->sqlite) : ENOMEM;
        return error_errno(err, cause, "open_failed", "cannot open the database %s", path);
    }
    sqlite3_busy_timeout(conn->sqlite, BUSY_TIMEOUT_MS);
    rc = writer ? set_up_writer(conn, config->sync, err) : set_up_reader(conn, err);
    if (rc == 0)
        rc = db_conn_script(conn, "SELECT count(*) FROM sqlite_schema", err);
    return rc;
}

/* --- threads --------------------------------------------------------------------------------- */
int db_thread_start(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg,
                    struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return error_errno(err, rc, "thread_failed", "cannot start the thread %s", name);
    pthread_setname_np(*thread, name);
    return 0;
}

int db_page_bytes(struct db_conn *conn, unsigned *ret_bytes, struct error *err)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(conn->sqlite, "PRAGMA page_size", -1, &stmt, NULL);
    int step = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    if (step == SQLITE_ROW)
        *ret_bytes = (unsigned)sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return step == SQLITE_ROW ? 0 : db_conn_error(conn, step, "page size", err);
}

/* --- the door -------------------------------------------------------------------------------- */
static void configure_once(void)
{
    /* Its memory statistics cost a process-wide lock per allocation. Refused harmlessly when the
     * library has been used already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void free_db(struct db *db)
{
    db_conn_close(&db->writer.reading);
    db_conn_close(&db->writer.conn);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db->path);
    free(db);
}

static int open_files(struct db *db, struct error *err)
{
    int rc = take_lock(db, err);
    if (rc == 0)
        rc = make_all_private(db->path, err);
    if (rc == 0)
        rc = check_header(db->path, db->config.cure, err);
    if (rc == 0)
        rc = db_conn_open(&db->writer.conn, db->path, true, &db->config, err);
    return rc;
}

int db_open(const struct db_config *config, struct db **ret_db, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_once);
    panic_if(config->readers == 0 || config->readers > DB_READERS_MAX || config->queue_max == 0 ||
                 config->batch_max == 0,
             "db_config: readers 1..%d, queue_max and batch_max at least 1", DB_READERS_MAX);
    struct db *db = xcalloc(1, sizeof *db);
    db->config = *config;
    if (db->config.clock == NULL)
        db->config.clock = &clock_system;
    db->path = xstrndup(config->path, strlen(config->path));
    db->config.path = db->path;
    db->lock_fd = -1;
    int rc = open_files(db, err);
    if (rc == 0)
        rc = db_writer_start(db, err);
    if (rc != 0) {
        free_db(db);
        return rc;
    }
    rc = db_readers_start(db, err);
    if (rc != 0) {
        db_close(db);
        return rc;
    }
    *ret_db = db;
    return 0;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_writer_stop(db);
    db_readers_stop(db);
    db_checkpoint(&db->writer, SQLITE_CHECKPOINT_TRUNCATE);
    free_db(db);
}

const char *db_path(const struct db *db)
{
    return db->path;
}

bool db_syncs_commits(const struct db *db)
{
    return db->config.sync == DB_SYNC_FULL;
}

const struct clock *db_clock_of(const struct db *db)
{
    return db->config.clock;
}

void db_stats(struct db *db, struct db_stats *ret_stats)
{
    struct db_writer *w = &db->writer;
    *ret_stats = (struct db_stats){
        .commits = atomic_load(&w->commits),
        .transactions = atomic_load(&w->transactions),
        .failures = atomic_load(&w->failures),
        .queue_now = atomic_load(&w->queued),
        .wal_bytes = atomic_load(&w->wal_bytes),
        .checkpoints = atomic_load(&w->checkpoints),
        .commit_us_total = atomic_load(&w->commit_us_total),
        .last_commit_us = atomic_load(&w->last_commit_us),
    };
}

const char *db_version_warning(void)
{
    if (sqlite3_libversion_number() >= FIRST_SOUND_VERSION)
        return NULL;
    return "this SQLite is older than 3.51.3 and has the WAL-reset bug: Parley is safe from it, "
           "but nothing else may write to or checkpoint the database file while the server runs "
           "(use `parley backup`, not sqlite3)";
}
