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
#include <stdatomic.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"

enum { IDLE_MS = 1000, RETRY_AFTER_MS = 1000 };

struct batch {
    struct db_job *first, **end; /* jobs that have run */
    unsigned count;
};

/* --- the inbox ------------------------------------------------------------------------------- */
static void ring_now(struct task *task)
{
    db_bell_ring(CONTAINER_OF(task, struct db_job, ring)->bell);
}

/* A loop that has read several requests hands all of them over before it wakes the writer:
 * otherwise the first is committed alone, and all who hear of it are written to twice. The task
 * runs in this turn; a job that is home before that takes it away (db_job.c). */
static void ring(struct db_bell *bell, struct db_job *job)
{
    if (job->loop == NULL) {
        db_bell_ring(bell);
    } else if (db_bell_needed(bell)) {
        job->bell = bell;
        task_init(&job->ring, ring_now);
        loop_defer_first(job->loop, &job->ring);
    }
}

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
    ring(&w->bell, job);
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
static void run_job(struct db *db, struct db_job *job)
{
    struct db_writer *w = &db->writer;
    db_tx_init(&job->tx, db, &w->conn, true);
    job->result = job->fn(&job->tx, job->arg, job->err);
    db_tx_close_rows(&job->tx);
    db_writer_end_savepoint(w, &job->tx, job->result >= 0);
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
    for (struct db_job *job = batch->first; job != NULL; job = job->next) {
        if (job->next != NULL)
            __builtin_prefetch(job->next->tx.hooks);
        if (job->result >= 0)
            db_tx_run_hooks(&job->tx, true);
    }
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
    int64_t started_ns = clock_mono_ns(w->conn.clock);
    if (w->before_hook != NULL)
        rc = w->before_hook(w->hook_arg, tx, err);
    if (rc == 0)
        rc = db_writer_commit(w, err);
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
        if (w->pending != NULL) /* lies on a coroutine's stack, cold by now */
            __builtin_prefetch(w->pending->arg);
        run_job(db, job);
        if (!db_writer_in_transaction(w))
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
    int rc = db_writer_begin(w, &err);
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
        db_writer_roll_back(w);
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

/* --- the thread ------------------------------------------------------------------------------- */
static bool idle_for_a_while(const struct db_writer *w)
{
    return clock_mono_ns(w->conn.clock) - w->last_batch_ns >= IDLE_MS * INT64_C(1000000);
}

/* Returns whether the thread should go on. */
static bool rest(struct db *db)
{
    struct db_writer *w = &db->writer;
    if (db_wal_unsafe_pages(w) > 0 && idle_for_a_while(w))
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
    bool may_have_duties = w->workers != NULL || db_wal_unsafe_pages(w) > 0;
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
        bool did = db_run_workers(db, idle) || !idle;
        if (w->backup != NULL)
            did |= db_backup_step(w);
        db_checkpoint_if_long(w);
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

int db_writer_start(struct db *db, struct error *err)
{
    struct db_writer *w = &db->writer;
    w->pending_end = &w->pending;
    int rc = db_page_bytes(&w->conn, &w->page_bytes, err);
    if (rc != 0)
        return rc;
    w->truncate_at_pages = DB_TRUNCATE_BYTES / w->page_bytes;
    db_wal_watch(w);
    return db_thread_start(&w->thread, "db-writer", writer_main, db, err);
}

void db_writer_stop(struct db *db)
{
    atomic_store(&db->writer.stopping, true);
    db_bell_ring(&db->writer.bell);
    pthread_join(db->writer.thread, NULL);
}
