/* What the writer thread does between two batches besides backups and checkpoints: slices of
 * background workers, each in a transaction of its own.
 *
 * A slice is committed without waiting for the disk. What it wrote can be derived again, so losing
 * it to a power cut loses nothing, and it cannot be lost alone: the WAL is one chain of checksums,
 * whose next synced commit, or the checkpoint, takes everything before it along.
 */
#include <sched.h>
#include <stdatomic.h>

#include "engine/db_sqlite.h"

/* --- workers -------------------------------------------------------------------------------- */
/* Outside a transaction only; SQLite sets it while it compiles the statement. */
static void wait_for_disk(struct db_writer *w, bool wait)
{
    const char *pragma = wait ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
    /* Going on would acknowledge what is not durable. */
    panic_if(db_conn_script(&w->conn, pragma, NULL) != 0, "cannot set how commits are synced");
}

int db_worker_slice(struct db *db, struct db_worker *worker, bool *ret_more, struct error *err)
{
    struct db_writer *w = &db->writer;
    struct db_tx tx;
    db_tx_init(&tx, db, &w->conn, true);
    /* One that fails is rolled back whole; a savepoint would copy each page before it changes. */
    tx.savepoint = true;
    *ret_more = false;
    db_checkpoint_await(w);
    if (db->config.sync == DB_SYNC_FULL)
        wait_for_disk(w, false);
    int rc = db_writer_begin(w, err);
    w->batch_wrote = true;
    if (rc == 0)
        rc = worker->work(worker, &tx, DB_SLICE_US, ret_more, err);
    db_tx_close_rows(&tx);
    if (rc == 0)
        rc = db_writer_commit(w, err);
    if (rc != 0)
        db_writer_roll_back(w);
    if (db->config.sync == DB_SYNC_FULL)
        wait_for_disk(w, true);
    db_tx_run_hooks(&tx, rc == 0);
    worker->ended(worker, rc == 0);
    return rc;
}

bool db_run_workers(struct db *db, bool idle)
{
    bool did = false;
    if (db_checkpoint_busy(&db->writer)) /* soon is early enough */
        return false;
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

/* --- who registers ---------------------------------------------------------------------------- */
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
