/* What the files of the SQLite engine (db_*.c) share; nobody else includes this, and sqlite3.h is
 * included nowhere else.
 *
 * Threads: one writer thread per database file owns the writer connection; that alone commits and
 * checkpoints (DEPENDENCIES.md section 8.1: the WAL-reset bug needs a second connection that does
 * either). While a checkpoint runs it has the connection, on a thread of its own, and the writer
 * goes on with whatever needs none. Reader threads own one read-only connection each, and the
 * writer another (db_read_inside). Callers hand over a db_job that lies on their stack and wait, or
 * one of their arena and are called (db_write_later); the thread that ran it sends it home
 * (db_homes_send).
 */
#ifndef PARLEY_ENGINE_DB_SQLITE_H
#define PARLEY_ENGINE_DB_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>

#include "engine/db_outside.h"

enum {
    DB_READERS_MAX = 8,
    DB_CHECKPOINT_BYTES = 2 << 20, /* passive checkpoint when the WAL grew by this much */
    DB_TRUNCATE_BYTES = 256 << 20, /* readers kept it from starting anew: truncate */
    DB_READ_MAX_MS = 5000,         /* a longer read is interrupted, or the WAL never ends */
    DB_SLICE_US = 2000,            /* background work between two batches */
};

/* --- connections and statements (db_statement.c) --------------------------------------------- */
struct db_statement {
    struct list link; /* in conn->open while in use */
    const struct db_sql *sql;
    sqlite3_stmt *stmt;
    struct db_conn *conn;
    struct db_statement *next; /* same slot */
    bool in_use;
};
enum { DB_STATEMENT_SLOTS = 256 }; /* chained: more statements only make chains longer */
struct db_conn {
    sqlite3 *sqlite;
    struct db_statement *slots[DB_STATEMENT_SLOTS];
    struct list open;
    const struct clock *clock;
    int64_t deadline_ns; /* of the running read; 0: none */
    const char *cure;    /* see db_config */
};
/* "database_damaged". */
int db_damaged(const char *path, const char *what, const char *cure, struct error *err);
/* "read_only", with the file and what to do. */
int db_unwritable(const char *path, const char *why, struct error *err);

struct db_tx {
    struct db *db;
    struct db_conn *conn;
    bool writes, savepoint;
    bool no_room; /* a column did not fit into its arena: the transaction fails */
    struct db_hook *hooks, **hooks_end;
    int64_t changes;
};
void db_tx_init(struct db_tx *tx, struct db *db, struct db_conn *conn, bool writes);
/* Resets statements that fn left open; later steps must not find them in the way. */
void db_tx_close_rows(struct db_tx *tx);
void db_tx_run_hooks(struct db_tx *tx, bool committed);
/* What fn's result comes to. */
int db_tx_result(const struct db_tx *tx, int rc, struct error *err) MUSTCHECK;
/* A script of several statements inside the transaction. */
int db_tx_script(struct db_tx *tx, const char *text, struct error *err) MUSTCHECK;

int db_conn_open(struct db_conn *conn, const char *path, bool writer,
                 const struct db_config *config, struct error *err) MUSTCHECK;
void db_conn_close(struct db_conn *conn);
int db_page_bytes(struct db_conn *conn, unsigned *ret_bytes, struct error *err) MUSTCHECK;
/* One of the engine's own statements without arguments: BEGIN, COMMIT ... */
int db_conn_run(struct db_conn *conn, const struct db_sql *sql, struct error *err) MUSTCHECK;
int db_conn_script(struct db_conn *conn, const char *text, struct error *err) MUSTCHECK;
/* The connection's last failure as an error record. */
int db_conn_error(struct db_conn *conn, int code, const char *what, struct error *err);

struct db_bell;

enum { DB_ARG_BYTES = 256 }; /* fetched ahead of what a job's functions are given */

/* --- jobs and waiting (db_job.c) ------------------------------------------------------------- */
struct db_job {
    struct task ring; /* wakes the writer when the loop's turn has handed over all it has */
    struct db_bell *bell;
    struct db_job *next; /* the readers' queue */
    db_fn *fn;
    int (*outside)(struct db *db, void *arg, struct error *err); /* instead of fn: no transaction */
    void *arg;
    struct error *err;
    int result;
    struct loop *loop;          /* NULL: a thread waits on `done` */
    struct coro *coro;          /* NULL beside a loop: nobody waits */
    const struct db_work *work; /* then; else NULL */
    _Atomic uint32_t done;
    struct db_tx tx;
};
void db_job_init(struct db_job *job, db_fn *fn, void *arg, struct error *err);
int db_job_wait(struct db_job *job);
void db_job_init_later(struct db_job *job, const struct db_work *work, void *arg,
                       struct error *err);

/* Finished jobs, sorted by the loop that waits for them: one mail per loop brings all home. */
enum { DB_HOMES_MAX = 64 };
struct db_parcel; /* db_job.c */
struct db_homes {
    unsigned count;
    struct db_parcel *parcel[DB_HOMES_MAX];
};
void db_homes_add(struct db_homes *homes, struct db_job *job, int result);
void db_homes_send(struct db_homes *homes);

/* A thread's alarm clock: any thread rings, one sleeps. */
struct db_bell {
    _Atomic uint32_t asleep;
};
void db_bell_ring(struct db_bell *bell);
bool db_bell_needed(struct db_bell *bell); /* the sleeper has to be woken */
/* To be called in this order by the sleeper: arm, look for work once more, sleep or disarm. */
void db_bell_arm(struct db_bell *bell);
void db_bell_disarm(struct db_bell *bell);
void db_bell_sleep(struct db_bell *bell, int64_t timeout_ms);

/* --- the writer (db_writer.c) ---------------------------------------------------------------- */
struct db_backup_run;
/* Oldest first. Jobs lie on coroutines' stacks, thousands of them, cold by the time their turn
 * comes: whoever goes through the queue knows where the next ones are without touching them. */
struct db_queue {
    struct db_queued {
        struct db_job *job;
        void *arg;
    } * items;
    size_t first, end, cap; /* items[first..end) wait */
};
struct db_writer {
    struct db_conn conn;
    struct db_conn reading; /* for db_read_inside, the first of which opens it */
    pthread_t thread;
    struct db_bell bell;
    pthread_mutex_t inbox_lock;
    struct db_queue inbox;   /* under the lock */
    struct db_queue pending; /* the thread's own */
    _Atomic unsigned queued; /* in both */
    _Atomic bool stopping;
    struct db_worker *workers;
    struct db_backup_run *backup;
    unsigned page_bytes;                /* of this file; new ones get 8 KB, older ones have 4 */
    unsigned wal_pages, wal_safe_pages; /* in the WAL; of these already in the database */
    unsigned checkpoint_at_pages;       /* of the unsafe ones */
    unsigned truncate_at_pages;
    int64_t last_batch_ns;
    bool begun;                           /* the connection is in a transaction */
    bool batch_wrote;                     /* a transaction of this batch has changed a table */
    struct db_checkpointer *checkpointer; /* has the connection (db_checkpoint.c); else NULL */
    void (*commit_hook)(void *arg, struct db_tx *tx, bool committed);
    int (*before_hook)(void *arg, struct db_tx *tx, struct error *err);
    void *hook_arg;
    struct db_copy_hook *copy_hook;
    _Atomic uint64_t commits, transactions, failures, wal_bytes, checkpoints;
    _Atomic int64_t commit_us_total, last_commit_us;
};
int db_writer_start(struct db *db, struct error *err) MUSTCHECK;
void db_writer_stop(struct db *db); /* finishes what is queued; joins; the connection stays */
int db_submit_write(struct db *db, struct db_job *job) MUSTCHECK;
/* Transactions of the writer connection (db_transaction.c). */
bool db_writer_lost(const struct db_writer *writer); /* SQLite has rolled back by itself */
/* Before the first statement; waits for a checkpoint that is under way. A batch that needs no
 * statement (its events go to the log's segments) never begins. */
int db_writer_begin(struct db_writer *writer, struct error *err) MUSTCHECK;
int db_writer_commit(struct db_writer *writer, struct error *err) MUSTCHECK;
void db_writer_roll_back(struct db_writer *writer);
/* Ends the job's savepoint; what it wrote stays or goes. */
void db_writer_end_savepoint(struct db_writer *writer, struct db_tx *tx, bool keep);
bool db_run_workers(struct db *db, bool idle); /* db_duties.c; whether something was done */

/* --- checkpoints (db_checkpoint.c), between two batches --------------------------------------- */
int db_checkpoint(struct db_writer *writer, int mode); /* here and now */
void db_checkpoint_if_long(struct db_writer *writer);
void db_checkpoint_aside(struct db_writer *writer);
/* The connection is with a checkpoint that is under way, so whoever needs it would wait. */
bool db_checkpoint_busy(struct db_writer *writer);
bool db_checkpoint_over(const struct db_writer *writer); /* await will not wait */
void db_checkpoint_await(struct db_writer *writer);      /* the connection is the caller's again */
void db_wal_watch(struct db_writer *writer);
unsigned db_wal_unsafe_pages(const struct db_writer *writer); /* not in the database file yet */

/* --- backup (db_backup.c), on the writer thread ---------------------------------------------- */
/* Copies a slice; true while there is more to do. Finishes its job at the end. */
bool db_backup_step(struct db_writer *writer);

/* --- readers (db_readers.c) ------------------------------------------------------------------ */
struct db_reader {
    struct db *db;
    struct db_conn conn;
    pthread_t thread;
};
struct db_readers {
    struct db_reader reader[DB_READERS_MAX];
    unsigned count;
    pthread_mutex_t lock;
    pthread_cond_t wake, quiet;
    struct db_job *first, **last;
    unsigned queued, running;
    bool stopping;
};
int db_readers_start(struct db *db, struct error *err) MUSTCHECK;
void db_readers_stop(struct db *db);

struct db {
    struct db_config config;
    char *path;
    int lock_fd;
    struct db_writer writer;
    struct db_readers readers;
};
/* Starts a thread with all signals blocked. */
int db_thread_start(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg,
                    struct error *err) MUSTCHECK;

#endif
