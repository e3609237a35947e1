/* The writer thread: many transactions per commit and per fsync.
 *
 * A batch is whatever has queued up while the previous one was being synced, at most batch_max:
 * BEGIN IMMEDIATE, each job's function (undone alone when it fails), the log's rows, COMMIT, hooks,
 * relay, and only then are the callers released. When the commit fails every job of the batch gets
 * the error, and the next batch starts afresh.
 *
 * Between two batches: slices of background workers (the log's fold), of a backup, and checkpoints.
 * This thread is the only one that commits or checkpoints.
 */
#include <sched.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"

static const struct db_sql begin_sql = {"BEGIN IMMEDIATE"};
static const struct db_sql commit_sql = {"COMMIT"};
static const struct db_sql rollback_sql = {"ROLLBACK"};
static const struct db_sql release_sql = {"RELEASE job"};
static const struct db_sql undo_sql = {"ROLLBACK TO job"};

enum { IDLE_MS = 1000, RETRY_AFTER_MS = 1000 };

struct batch {
    struct db_job *first, **end; /* jobs that have run */
    unsigned count;
};

/* --- the inbox ------------------------------------------------------------------------------- */
int db_submit_write(struct db *db, struct db_job *job)
{
    struct db_writer *w = &db->writer;
    if (atomic_fetch_add(&w->queued, 1) >= db->config.queue_max) {
        atomic_fetch_sub(&w->queued, 1);
        int rc = error_set(job->err, FAIL_UNAVAILABLE, "busy",
                           "%u transactions wait for the database already", db->config.queue_max);
        if (job->err != NULL)
            job->err->retry_after_ms = RETRY_AFTER_MS;
        return rc;
    }
    job->next = atomic_load(&w->inbox);
    while (!atomic_compare_exchange_weak(&w->inbox, &job->next, job))
        ;
    db_bell_ring(&w->bell);
    return 0;
}

/* Moves the inbox behind what is pending, oldest first. */
static void take_inbox(struct db_writer *w)
{
    struct db_job *job = atomic_exchange(&w->inbox, NULL), *oldest = NULL, *newest = job;
    while (job != NULL) {
        struct db_job *older = job->next;
        job->next = oldest;
        oldest = job;
        job = older;
    }
    if (oldest == NULL)
        return;
    *w->pending_end = oldest;
    w->pending_end = &newest->next;
}

static struct db_job *pop_pending(struct db_writer *w)
{
    struct db_job *job = w->pending;
    w->pending = job->next;
    if (w->pending == NULL)
        w->pending_end = &w->pending;
    atomic_fetch_sub(&w->queued, 1);
    return job;
}

/* --- one transaction ------------------------------------------------------------------------- */
static bool in_transaction(const struct db_writer *w)
{
    return sqlite3_get_autocommit(w->conn.sqlite) == 0;
}

static int begin(struct db_writer *w, struct error *err)
{
    return db_conn_run(&w->conn, &begin_sql, err);
}

static void roll_back(struct db_writer *w)
{
    if (in_transaction(w)) /* SQLite has rolled back by itself after some errors */
        should_not(db_conn_run(&w->conn, &rollback_sql, NULL) != 0);
}

static int commit(struct db_writer *w, struct error *err)
{
    if (fault("db.commit"))
        return error_set(err, FAIL_STORAGE_FULL, "storage_full", "fault point db.commit");
    return db_conn_run(&w->conn, &commit_sql, err);
}

/* Ends the job's savepoint; what it wrote stays or goes. */
static void end_savepoint(struct db_writer *w, struct db_tx *tx, bool keep)
{
    if (!tx->savepoint || !in_transaction(w))
        return;
    tx->savepoint = false;
    if (!keep)
        should_not(db_conn_run(&w->conn, &undo_sql, NULL) != 0);
    should_not(db_conn_run(&w->conn, &release_sql, NULL) != 0);
}

static void run_job(struct db *db, struct db_job *job)
{
    struct db_writer *w = &db->writer;
    db_tx_init(&job->tx, db, &w->conn, true);
    job->result = job->fn(&job->tx, job->arg, job->err);
    db_tx_close_rows(&job->tx);
    end_savepoint(w, &job->tx, job->result >= 0);
    if (job->result < 0) {
        db_tx_run_hooks(&job->tx, false);
        atomic_fetch_add_explicit(&w->failures, 1, memory_order_relaxed);
    }
}

/* --- a batch --------------------------------------------------------------------------------- */
/* Every job of the batch that had not failed by itself gets the error of the whole. */
static void fail_batch(struct db_writer *w, struct batch *batch, const struct error *why)
{
    for (struct db_job *job = batch->first; job != NULL; job = job->next) {
        if (job->result < 0)
            continue;
        if (job->err != NULL)
            error_init(job->err);
        job->result = error_set(job->err, (enum fail)why->kind, why->code, "%s", why->detail);
        db_tx_run_hooks(&job->tx, false);
        atomic_fetch_add_explicit(&w->failures, 1, memory_order_relaxed);
    }
}

static void keep_batch(struct db_writer *w, struct batch *batch)
{
    for (struct db_job *job = batch->first; job != NULL; job = job->next)
        if (job->result >= 0)
            db_tx_run_hooks(&job->tx, true);
    atomic_fetch_add_explicit(&w->transactions, batch->count, memory_order_relaxed);
}

static void send_home(struct batch *batch)
{
    struct db_homes homes = {0};
    struct db_job *next;
    for (struct db_job *job = batch->first; job != NULL; job = next) {
        next = job->next;
        db_homes_add(&homes, job, job->result);
    }
    db_homes_send(&homes);
}

static void count_commit(struct db_writer *w, int64_t started_ns)
{
    int64_t us = (clock_mono_ns(w->conn.clock) - started_ns) / 1000;
    atomic_fetch_add_explicit(&w->commits, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->commit_us_total, us, memory_order_relaxed);
    atomic_store_explicit(&w->last_commit_us, us, memory_order_relaxed);
}

static int commit_batch(struct db *db, struct db_tx *tx, struct error *err)
{
    struct db_writer *w = &db->writer;
    int rc = 0;
    if (w->before_hook != NULL)
        rc = w->before_hook(w->hook_arg, tx, err);
    int64_t started_ns = clock_mono_ns(w->conn.clock);
    if (rc == 0)
        rc = commit(w, err);
    if (rc == 0)
        count_commit(w, started_ns);
    return rc;
}

/* Runs jobs until the batch is full, the queue is empty, or the next one wants no transaction.
 * False when SQLite has given up the whole transaction. */
static bool run_jobs(struct db *db, struct batch *batch)
{
    struct db_writer *w = &db->writer;
    while (w->pending != NULL && w->pending->outside == NULL &&
           batch->count < db->config.batch_max) {
        struct db_job *job = pop_pending(w);
        job->next = NULL;
        *batch->end = job;
        batch->end = &job->next;
        batch->count++;
        run_job(db, job);
        if (!in_transaction(w))
            return false;
    }
    return true;
}

/* SQLite has rolled everything back (full disk, out of memory): the last job knows why. */
static int lost(struct batch *batch, struct error *err)
{
    const struct error *last = CONTAINER_OF(batch->end, struct db_job, next)->err;
    if (last != NULL && last->kind != 0)
        return error_set(err, (enum fail)last->kind, last->code, "%s", last->detail);
    return error_set(err, FAIL_UNAVAILABLE, "transaction_lost",
                     "another transaction of the same commit failed: try again");
}

static void run_batch(struct db *db)
{
    struct db_writer *w = &db->writer;
    struct batch batch = {.end = &batch.first};
    struct error err;
    error_init(&err);
    struct db_tx tx;
    db_tx_init(&tx, db, &w->conn, true);
    int rc = begin(w, &err);
    bool alive = rc == 0;
    if (!alive) { /* nothing can be run: the oldest job carries the news */
        batch.first = pop_pending(w);
        batch.first->next = NULL;
        db_tx_init(&batch.first->tx, db, &w->conn, true);
    } else if (!run_jobs(db, &batch)) {
        rc = lost(&batch, &err);
    } else {
        rc = commit_batch(db, &tx, &err);
    }
    if (rc != 0) {
        roll_back(w);
        fail_batch(w, &batch, &err);
    } else {
        keep_batch(w, &batch);
        (void)fault("db.committed");
    }
    if (w->commit_hook != NULL)
        w->commit_hook(w->hook_arg, &tx, rc == 0);
    send_home(&batch);
    w->last_batch_ns = clock_mono_ns(w->conn.clock);
}

static void run_outside(struct db *db)
{
    struct db_job *job = pop_pending(&db->writer);
    struct db_homes homes = {0};
    int rc = job->outside(db, job->arg, job->err);
    if (rc > 0) /* goes on in slices, and finishes the job itself */
        return;
    db_homes_add(&homes, job, rc);
    db_homes_send(&homes);
}

/* --- between batches ------------------------------------------------------------------------- */
int db_worker_slice(struct db *db, struct db_worker *worker, bool *ret_more, struct error *err)
{
    struct db_writer *w = &db->writer;
    struct db_tx tx;
    db_tx_init(&tx, db, &w->conn, true);
    *ret_more = false;
    int rc = begin(w, err);
    if (rc == 0)
        rc = worker->work(worker, &tx, DB_SLICE_US, ret_more, err);
    db_tx_close_rows(&tx);
    end_savepoint(w, &tx, rc == 0);
    if (rc == 0)
        rc = commit(w, err);
    if (rc != 0)
        roll_back(w);
    db_tx_run_hooks(&tx, rc == 0);
    worker->ended(worker, rc == 0);
    return rc;
}

static bool run_workers(struct db *db, bool idle)
{
    bool did = false;
    for (struct db_worker *worker = db->writer.workers; worker != NULL; worker = worker->next) {
        if (!worker->overdue(worker) && !(idle && worker->ready(worker)))
            continue;
        bool more;
        struct error err;
        error_init(&err);
        /* A failed slice is the worker's to count and to retry later (see ended). */
        did |= db_worker_slice(db, worker, &more, &err) == 0;
    }
    return did;
}

int db_checkpoint(struct db_writer *w, int mode)
{
    int wal = 0, done = 0;
    int rc = sqlite3_wal_checkpoint_v2(w->conn.sqlite, NULL, mode, &wal, &done);
    if (wal >= 0 && done >= 0) { /* -1: it did not get that far */
        w->wal_pages = (unsigned)wal;
        w->wal_safe_pages = (unsigned)done;
    }
    atomic_store_explicit(&w->wal_bytes, (uint64_t)w->wal_pages * DB_PAGE_BYTES,
                          memory_order_relaxed);
    atomic_fetch_add_explicit(&w->checkpoints, 1, memory_order_relaxed);
    return rc;
}

static unsigned wal_unsafe_pages(const struct db_writer *w)
{
    return w->wal_pages - (w->wal_safe_pages < w->wal_pages ? w->wal_safe_pages : w->wal_pages);
}

static void checkpoint_if_long(struct db_writer *w)
{
    if (wal_unsafe_pages(w) >= DB_CHECKPOINT_PAGES)
        db_checkpoint(w, SQLITE_CHECKPOINT_PASSIVE);
    if (w->wal_pages < w->truncate_at_pages)
        return;
    /* Readers have kept the WAL from starting anew for long: wait for them, but not for ever. */
    if (db_checkpoint(w, SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK)
        w->truncate_at_pages = DB_TRUNCATE_PAGES;
    else
        w->truncate_at_pages = w->wal_pages + DB_TRUNCATE_PAGES / 4;
}

static bool idle_for_a_while(const struct db_writer *w)
{
    return clock_mono_ns(w->conn.clock) - w->last_batch_ns >= IDLE_MS * INT64_C(1000000);
}

/* Returns whether the thread should go on. */
static bool rest(struct db *db)
{
    struct db_writer *w = &db->writer;
    if (wal_unsafe_pages(w) > 0 && idle_for_a_while(w))
        db_checkpoint(w, SQLITE_CHECKPOINT_PASSIVE);
    db_bell_arm(&w->bell);
    if (atomic_load(&w->inbox) != NULL) {
        db_bell_disarm(&w->bell);
        return true;
    }
    if (atomic_load(&w->stopping)) {
        db_bell_disarm(&w->bell);
        return false;
    }
    bool may_have_duties = w->workers != NULL || wal_unsafe_pages(w) > 0;
    db_bell_sleep(&w->bell, may_have_duties ? IDLE_MS : -1);
    return true;
}

static void *writer_main(void *arg)
{
    struct db *db = arg;
    struct db_writer *w = &db->writer;
    for (;;) {
        take_inbox(w);
        bool idle = w->pending == NULL;
        if (!idle && w->pending->outside != NULL)
            run_outside(db);
        else if (!idle)
            run_batch(db);
        bool did = run_workers(db, idle) || !idle;
        if (w->backup != NULL)
            did |= db_backup_step(w);
        checkpoint_if_long(w);
        if (!did && !rest(db))
            return NULL;
    }
}

/* --- the public side ------------------------------------------------------------------------- */
int db_write(struct db *db, db_fn *fn, void *arg, struct error *err)
{
    panic_if(pthread_equal(pthread_self(), db->writer.thread), "db_write inside db_write");
    struct db_job job;
    db_job_init(&job, fn, arg, err);
    int rc = db_submit_write(db, &job);
    return rc == 0 ? db_job_wait(&job) : rc;
}

int db_outside(struct db *db, int (*fn)(struct db *db, void *arg, struct error *err), void *arg,
               struct error *err)
{
    struct db_job job;
    db_job_init(&job, NULL, arg, err);
    job.outside = fn;
    int rc = db_submit_write(db, &job);
    return rc == 0 ? db_job_wait(&job) : rc;
}

static int add_worker(struct db *db, void *arg, struct error *err)
{
    struct db_worker *worker = arg;
    worker->next = db->writer.workers;
    db->writer.workers = worker;
    return 0;
}

void db_add_worker(struct db *db, struct db_worker *worker)
{
    panic_if(db_outside(db, add_worker, worker, NULL) != 0, "the writer's queue is full at start");
}

static int remove_worker(struct db *db, void *arg, struct error *err)
{
    for (struct db_worker **at = &db->writer.workers; *at != NULL; at = &(*at)->next) {
        if (*at == arg) {
            *at = (*at)->next;
            break;
        }
    }
    return 0;
}

void db_remove_worker(struct db *db, struct db_worker *worker)
{
    /* At the end of the process's life the queue has room sooner or later. */
    while (db_outside(db, remove_worker, worker, NULL) != 0)
        sched_yield();
}

struct commit_hook {
    void (*fn)(void *arg, struct db_tx *tx, bool committed);
    int (*before)(void *arg, struct db_tx *tx, struct error *err);
    void *arg;
};

static int set_hook(struct db *db, void *arg, struct error *err)
{
    const struct commit_hook *hook = arg;
    db->writer.commit_hook = hook->fn;
    db->writer.before_hook = hook->before;
    db->writer.hook_arg = hook->arg;
    return 0;
}

void db_set_commit_hook(struct db *db, void (*fn)(void *arg, struct db_tx *tx, bool committed),
                        int (*before)(void *arg, struct db_tx *tx, struct error *err), void *arg)
{
    struct commit_hook hook = {fn, before, arg};
    panic_if(db_outside(db, set_hook, &hook, NULL) != 0, "the writer's queue is full at start");
}

static int after_commit(void *arg, sqlite3 *sqlite, const char *schema, int pages)
{
    struct db_writer *w = arg;
    if ((unsigned)pages < w->wal_pages) /* the WAL began anew */
        w->wal_safe_pages = 0;
    w->wal_pages = (unsigned)pages;
    atomic_store_explicit(&w->wal_bytes, (uint64_t)w->wal_pages * DB_PAGE_BYTES,
                          memory_order_relaxed);
    return SQLITE_OK;
}

int db_writer_start(struct db *db, struct error *err)
{
    struct db_writer *w = &db->writer;
    w->pending_end = &w->pending;
    w->truncate_at_pages = DB_TRUNCATE_PAGES;
    sqlite3_wal_hook(w->conn.sqlite, after_commit, w);
    return db_thread_start(&w->thread, "db-writer", writer_main, db, err);
}

void db_writer_stop(struct db *db)
{
    atomic_store(&db->writer.stopping, true);
    db_bell_ring(&db->writer.bell);
    pthread_join(db->writer.thread, NULL);
}
