/* The relational door. Transactions are functions.
 *
 * db_write parks the calling coroutine and runs fn(tx, arg) where the engine wants it: with SQLite
 * on the database file's single writer thread, many transactions per commit and fsync (group
 * commit), each isolated by a savepoint opened at its first write; it returns 0 only after COMMIT
 * has reached the disk. A negative result of fn undoes this transaction only. fn may use the
 * caller's stack and arena (the caller is parked until fn has ended, whatever happens), must not
 * wait on anything else, and may be run at most once.
 * db_read runs fn on a reader thread over one consistent snapshot; writing there is an error.
 *
 * Outside a coroutine (start-up, command line, tests) both block the calling thread instead.
 */
#ifndef PARLEY_ENGINE_DB_H
#define PARLEY_ENGINE_DB_H

#include "base/arena.h"
#include "base/error.h"
#include "base/id.h"
#include "base/list.h"
#include "io/coro.h"

struct db;
struct db_tx;

/* A statement: a static constant, prepared once per connection, found by its address. */
struct db_sql {
    const char *text; /* ?1, ?2 ... */
};

enum db_type { DB_NULL, DB_INT, DB_REAL, DB_TEXT, DB_BLOB };
struct db_value {
    enum db_type type;
    union {
        int64_t integer;
        double real;
        struct slice bytes;
    };
};
static inline struct db_value db_int(int64_t v)
{
    return (struct db_value){.type = DB_INT, .integer = v};
}
/* An absent slice (ptr NULL) binds NULL. The bytes must live until the statement has run. */
static inline struct db_value db_text(struct slice v)
{
    return (struct db_value){.type = v.ptr != NULL ? DB_TEXT : DB_NULL, .bytes = v};
}
static inline struct db_value db_blob(struct slice v)
{
    return (struct db_value){.type = v.ptr != NULL ? DB_BLOB : DB_NULL, .bytes = v};
}
/* 16 bytes; the nil id binds NULL. */
static inline struct db_value db_id(const struct id *id)
{
    if (id_is_nil(id))
        return (struct db_value){.type = DB_NULL};
    return (struct db_value){.type = DB_BLOB, .bytes = {(const char *)id->bytes, 16}};
}
static inline struct db_value db_null(void)
{
    return (struct db_value){.type = DB_NULL};
}

typedef int db_fn(struct db_tx *tx, void *arg, struct error *err);

int db_write(struct db *db, db_fn *fn, void *arg, struct error *err) MUSTCHECK;
int db_read(struct db *db, db_fn *fn, void *arg, struct error *err) MUSTCHECK;
/* Inside db_write: fn as db_read would run it, in a snapshot of what is committed, here and now.
 * Unlike a statement of the transaction it does not wait for a checkpoint that is under way. Inside
 * db_read: fn with that transaction. */
int db_read_inside(struct db_tx *tx, db_fn *fn, void *arg, struct error *err) MUSTCHECK;
/* db_write for paths on which thousands wait at a time, each with a record of some hundred bytes
 * instead of a stack. Called on a loop's thread it returns 0 at once, and `done` is called on that
 * loop later, once, with what db_write would have returned; or it fails ("busy"), and nothing
 * follows. `arena` (the record comes from it) and what run uses stay until then. */
struct db_work {
    db_fn *run;
    /* NULL, or called where run will be, a few transactions earlier: fetches from memory what run
     * will look at, and changes nothing. */
    void (*ahead)(const void *arg);
    void (*done)(void *arg, int rc);
};
int db_write_later(struct db *db, struct arena *arena, const struct db_work *work, void *arg,
                   struct error *err) MUSTCHECK;

/* Runs a statement to its end. A unique violation is FAIL_CONFLICT, code "unique_violation", with
 * the columns in the detail; a full disk FAIL_STORAGE_FULL "storage_full". */
int db_exec_n(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args, size_t count,
              struct error *err) MUSTCHECK;
#define db_exec(tx, sql, err, ...)                                                                 \
    db_exec_n(tx, sql, (const struct db_value[]){__VA_ARGS__},                                     \
              sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value), err)
int64_t db_changes(struct db_tx *tx); /* rows changed by the last db_exec */

/* Rows: open, step, columns, and it closes itself at the end; db_rows_close for early leaving. */
struct db_rows {
    struct db_tx *tx;
    void *statement; /* the engine's */
};
int db_query_n(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args,
               size_t count, struct db_rows *ret_rows, struct error *err) MUSTCHECK;
#define db_query(tx, sql, rows, err, ...)                                                          \
    db_query_n(tx, sql, (const struct db_value[]){__VA_ARGS__},                                    \
               sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value), rows,     \
               err)
int db_next(struct db_rows *rows, struct error *err) MUSTCHECK; /* 1 row, 0 end, < 0 failed */
void db_rows_close(struct db_rows *rows);
bool db_col_null(const struct db_rows *rows, int col);
int64_t db_col_int(const struct db_rows *rows, int col);
/* Borrowed until the next db_next; absent slice for NULL. */
struct slice db_col_text(const struct db_rows *rows, int col);
struct slice db_col_blob(const struct db_rows *rows, int col);
struct id db_col_id(const struct db_rows *rows, int col); /* nil for NULL */
/* Copies into the arena; absent slice for NULL, and when the arena is full: then the transaction
 * fails at its end, FAIL_TOO_LARGE "result_too_large", unless it has failed before. */
struct slice db_col_copy(const struct db_rows *rows, int col, struct arena *arena);

/* Called on the writer's thread right after the group commit (committed true) or when this
 * transaction was undone (false), before the caller resumes: the place to publish memory state.
 * The hook lives in the caller's memory. */
struct db_hook {
    struct db_hook *next;
    void (*run)(struct db_hook *hook, bool committed);
};
void db_on_end(struct db_tx *tx, struct db_hook *hook);
bool db_tx_writes(const struct db_tx *tx); /* false inside db_read */
const struct clock *db_clock(struct db_tx *tx);
struct db *db_tx_db(const struct db_tx *tx); /* the database that it runs on */

/* --- opening --------------------------------------------------------------------------------- */
enum db_sync { DB_SYNC_FULL, DB_SYNC_NORMAL };
struct db_config {
    const char *path; /* the database file */
    enum db_sync sync;
    unsigned readers;   /* reader threads, 1..8 */
    unsigned queue_max; /* jobs waiting for the writer; above: FAIL_UNAVAILABLE "busy" */
    unsigned batch_max; /* transactions per commit */
    const char *cure;   /* static; what to do when the file is damaged; NULL: restore a backup */
    const struct clock *clock;
};
/* Opens or creates; takes the lock file beside it (a second process is refused with a sentence that
 * names the holder's pid); refuses a damaged file, saying what to do. Blocks. */
int db_open(const struct db_config *config, struct db **ret_db, struct error *err) MUSTCHECK;
void db_close(struct db *db); /* finishes what is queued, checkpoints, closes */

/* A background worker of the writer thread (the log's fold), called there between batches. `work`
 * runs when it is overdue, or ready and nothing is queued, in a transaction of its own, for at most
 * about budget_us; *ret_more: there is more to do. `ended` says what became of that transaction;
 * one that failed is the worker's to count and to try again. */
struct db_worker {
    struct db_worker *next;
    bool (*overdue)(struct db_worker *worker); /* must run, though transactions wait */
    bool (*ready)(struct db_worker *worker);   /* has something to do if nobody waits */
    int (*work)(struct db_worker *worker, struct db_tx *tx, int64_t budget_us, bool *ret_more,
                struct error *err);
    void (*ended)(struct db_worker *worker, bool committed);
};
void db_add_worker(struct db *db, struct db_worker *worker); /* before traffic */
/* `before` is called on the writer thread just before every group commit; when it fails the whole
 * group does. `fn` after it, with what became of it, before the waiting coroutines resume. One
 * slot: the event log's relay. Before traffic. */
void db_set_commit_hook(struct db *db, void (*fn)(void *arg, struct db_tx *tx, bool committed),
                        int (*before)(void *arg, struct db_tx *tx, struct error *err), void *arg);
/* A consistent copy in a new file (refused when it exists: FAIL_CONFLICT), made in slices between
 * the commits and synced; blocks or parks like db_write. Ends without a file, FAIL_CANCELLED, soon
 * after *stop became true (any thread may set it; NULL: nobody will), or when the event log of this
 * database closes. */
int db_backup(struct db *db, const char *path, const _Atomic bool *stop,
              struct error *err) MUSTCHECK;
/* Reads every page of a database that nobody has open (PRAGMA quick_check): FAIL_INVALID
 * "database_damaged" with what SQLite finds wrong first. Blocks. */
int db_check_file(const char *path, struct error *err) MUSTCHECK;

/* With other database files attached under names, which nobody has open meanwhile: runs the script
 * in one transaction, then lets go of them. With several files written to, a crash may leave the
 * change in some of them. Offline work only; blocks or parks. */
struct db_attached {
    const char *name, *path; /* the name as it stands in the script: a plain word */
};
int db_run_attached(struct db *db, const struct db_attached *files, size_t count,
                    const char *script, struct error *err) MUSTCHECK;

struct db_stats {
    uint64_t commits, transactions, failures, queue_now, wal_bytes, checkpoints;
    int64_t commit_us_total, last_commit_us;
};
void db_stats(struct db *db, struct db_stats *ret_stats);
/* A sentence for the start-up log when the engine's version has a known fault, else NULL. */
const char *db_version_warning(void);

/* --- migrations ------------------------------------------------------------------------------ */
struct db_migration {
    int number;         /* 1.. without gaps, per room */
    const char *name;   /* "members" */
    const char *sqlite; /* script */
};
struct db_schema {
    const char *room; /* "chat" */
    const struct db_migration *migrations;
    size_t count;
};
/* Applies what is missing, each migration in one transaction with its checksum recorded. A recorded
 * migration whose text has changed, or one that this program does not know (newer database), is
 * refused: FAIL_CONFLICT with a sentence that says what to do. */
int db_migrate(struct db *db, const struct db_schema *schemas, size_t count, unsigned *ret_applied,
               struct error *err) MUSTCHECK;
/* Only checks: 0 when exactly up to date. */
int db_migrate_check(struct db *db, const struct db_schema *schemas, size_t count,
                     struct error *err) MUSTCHECK;

#endif
