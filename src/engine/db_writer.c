/* The writer thread: many transactions per commit and per fsync.
 *
 * A batch is whatever has queued up while the previous one was being synced, at most batch_max:
 * BEGIN IMMEDIATE before the first statement, each job's function (undone alone when it fails), the
 * log's events, COMMIT, hooks, relay, and only then are the callers released. When the commit fails
 * every job of the batch gets the error, and the next batch starts afresh.
 *
 * Between two batches: slices of background workers (the log's fold), of a backup, and checkpoints
 * (db_checkpoint.c), during which batches without a statement go on.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"

enum {
    IDLE_MS = 1000,
    RETRY_AFTER_MS = 1000,
    AHEAD = 4, /* jobs that are on their way into the cache */
};

struct batch {
    const struct db_queued *jobs; /* that have run; in what was pending */
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

/* Room for `more` at the end. */
static void queue_reserve(struct db_queue *queue, size_t more)
{
    if (queue->cap - queue->end >= more)
        return;
    queue->cap = (queue->end + more) * 2;
    queue->items = xrealloc(queue->items, queue->cap * sizeof *queue->items);
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
    pthread_mutex_lock(&w->inbox_lock);
    queue_reserve(&w->inbox, 1);
    w->inbox.items[w->inbox.end++] = (struct db_queued){job, job->arg};
    pthread_mutex_unlock(&w->inbox_lock);
    ring(&w->bell, job);
    return 0;
}

static bool any_pending(const struct db_writer *w)
{
    return w->pending.first < w->pending.end;
}

/* Moves the inbox behind what is pending. */
static void take_inbox(struct db_writer *w)
{
    struct db_queue *pending = &w->pending;
    size_t left = pending->end - pending->first;
    if (left > 0)
        memmove(pending->items, pending->items + pending->first, left * sizeof *pending->items);
    pending->first = 0;
    pending->end = left;
    pthread_mutex_lock(&w->inbox_lock);
    if (left == 0) {
        struct db_queue empty = *pending;
        *pending = w->inbox;
        w->inbox = empty;
    } else if (w->inbox.end > 0) {
        queue_reserve(pending, w->inbox.end);
        memcpy(pending->items + left, w->inbox.items, w->inbox.end * sizeof *pending->items);
        pending->end += w->inbox.end;
        w->inbox.end = 0;
    }
    pthread_mutex_unlock(&w->inbox_lock);
}

static struct db_job *next_pending(const struct db_writer *w)
{
    return w->pending.items[w->pending.first].job;
}

static struct db_job *pop_pending(struct db_writer *w)
{
    atomic_fetch_sub(&w->queued, 1);
    return w->pending.items[w->pending.first++].job;
}

/* --- one transaction ------------------------------------------------------------------------- */
static void run_job(struct db *db, struct db_job *job)
{
    struct db_writer *w = &db->writer;
    db_tx_init(&job->tx, db, &w->conn, true);
    job->result = db_tx_result(&job->tx, job->fn(&job->tx, job->arg, job->err), job->err);
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
    for (unsigned i = 0; i < batch->count; i++) {
        struct db_job *job = batch->jobs[i].job;
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
    for (unsigned i = 0; i < batch->count; i++) {
        if (i + AHEAD < batch->count)
            __builtin_prefetch(&batch->jobs[i + AHEAD].job->tx.hooks);
        if (i + AHEAD / 2 < batch->count)
            __builtin_prefetch(batch->jobs[i + AHEAD / 2].job->tx.hooks, 1);
        struct db_job *job = batch->jobs[i].job;
        if (job->result >= 0)
            db_tx_run_hooks(&job->tx, true);
    }
    atomic_fetch_add_explicit(&w->transactions, batch->count, memory_order_relaxed);
}

static void send_home(const struct batch *batch)
{
    struct db_homes homes = {0};
    for (unsigned i = 0; i < batch->count; i++) {
        if (i + AHEAD < batch->count)
            __builtin_prefetch(&batch->jobs[i + AHEAD].job->result, 1);
        db_homes_add(&homes, batch->jobs[i].job, batch->jobs[i].job->result);
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

/* The job and what it is given, and a little later what that leads to. */
static void prefetch_jobs(const struct db_queue *queue)
{
    const struct db_queued *next = queue->items + queue->first;
    size_t left = queue->end - queue->first;
    if (left > AHEAD) {
        prefetch(next[AHEAD].job, sizeof *next->job, true);
        prefetch(next[AHEAD].arg, DB_ARG_BYTES, false);
    }
    if (left > AHEAD / 2 && next[AHEAD / 2].job->work != NULL &&
        next[AHEAD / 2].job->work->ahead != NULL)
        next[AHEAD / 2].job->work->ahead(next[AHEAD / 2].arg);
}

/* Runs jobs until the batch is full, the queue is empty, or the next one wants no transaction.
 * False when SQLite has given up the whole transaction. */
static bool run_jobs(struct db *db, struct batch *batch)
{
    struct db_writer *w = &db->writer;
    while (any_pending(w) && next_pending(w)->outside == NULL &&
           batch->count < db->config.batch_max) {
        struct db_job *job = pop_pending(w);
        batch->count++;
        prefetch_jobs(&w->pending);
        run_job(db, job);
        if (db_writer_lost(w))
            return false;
    }
    return true;
}

/* SQLite has rolled everything back (full disk, out of memory): the last job knows why. */
static int lost(struct batch *batch, struct error *err)
{
    const struct error *last = batch->jobs[batch->count - 1].job->err;
    if (last != NULL && last->kind != 0)
        return error_set(err, (enum fail)last->kind, last->code, "%s", last->detail);
    return error_set(err, FAIL_UNAVAILABLE, "transaction_lost",
                     "another transaction of the same commit failed: try again");
}

static void run_batch(struct db *db)
{
    struct db_writer *w = &db->writer;
    struct batch batch = {.jobs = w->pending.items + w->pending.first};
    struct error err;
    error_init(&err);
    struct db_tx tx;
    db_tx_init(&tx, db, &w->conn, true);
    w->batch_wrote = false;
    int rc = run_jobs(db, &batch) ? commit_batch(db, &tx, &err) : lost(&batch, &err);
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
    db_checkpoint_await(&db->writer);
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
    if (db_wal_unsafe_pages(w) > 0 && idle_for_a_while(w) && !db_checkpoint_busy(w)) {
        db_checkpoint_aside(w);
        w->last_batch_ns =
            clock_mono_ns(w->conn.clock); /* if a reader is in the way, not at once */
    }
    db_bell_arm(&w->bell);
    if (atomic_load(&w->queued) != 0 || db_checkpoint_over(w)) {
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
        bool idle = !any_pending(w);
        if (!idle && next_pending(w)->outside != NULL)
            run_outside(db);
        else if (!idle)
            run_batch(db);
        bool did = db_run_workers(db, idle) || !idle;
        if (w->backup != NULL && !db_checkpoint_busy(w))
            did |= db_backup_step(w);
        if (!db_checkpoint_busy(w))
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

int db_write_later(struct db *db, struct arena *arena, const struct db_work *work, void *arg,
                   struct error *err)
{
    struct db_job *job = arena_alloc(arena, sizeof *job);
    if (job == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    db_job_init_later(job, work, arg, err);
    int rc = db_submit_write(db, job);
    if (rc == 0)
        coro_place_keep(job->loop);
    return rc;
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
    pthread_mutex_init(&w->inbox_lock, NULL);
    int rc = db_page_bytes(&w->conn, &w->page_bytes, err);
    if (rc != 0)
        return rc;
    w->checkpoint_at_pages = DB_CHECKPOINT_BYTES / w->page_bytes;
    w->truncate_at_pages = DB_TRUNCATE_BYTES / w->page_bytes;
    db_wal_watch(w);
    return db_thread_start(&w->thread, "db-writer", writer_main, db, err);
}

void db_writer_stop(struct db *db)
{
    atomic_store(&db->writer.stopping, true);
    db_bell_ring(&db->writer.bell);
    pthread_join(db->writer.thread, NULL);
    pthread_mutex_destroy(&db->writer.inbox_lock);
    free(db->writer.inbox.items);
    free(db->writer.pending.items);
}
