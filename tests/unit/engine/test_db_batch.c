/* Group commit: what shares a commit, what happens when the commit fails, the order of hooks,
 * relay and answers, the bound of the queue, background work between batches. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"
#include "harness.h"

static const struct db_migration first[] = {
    {1, "rows", "CREATE TABLE row (n INTEGER PRIMARY KEY, filler BLOB)"}};
static const struct db_schema schema = {"test", first, 1};
static const struct db_sql insert_row = {"INSERT INTO row (n, filler) VALUES (?1, ?2)"};
static const struct db_sql count_rows = {"SELECT count(*) FROM row"};

static struct db *open_db(unsigned queue_max)
{
    char path[200];
    snprintf(path, sizeof path, "%s/main.db", test_dir());
    struct db_config config = {
        .path = path, .readers = 1, .queue_max = queue_max, .batch_max = 100};
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(db_open(&config, &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    return db;
}

static int count_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &count_rows, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc == 1)
        *(int64_t *)arg = db_col_int(&rows, 0);
    return rc < 0 ? rc : 0;
}

static int64_t count(struct db *db)
{
    int64_t n = -1;
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(db, count_fn, &n, &err), &err);
    return n;
}

/* A gate holds the writer thread inside a transaction, so that the next batch is known. */
struct gate {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool entered, open;
};

static int hold(struct db_tx *tx, void *arg, struct error *err)
{
    struct gate *g = arg;
    pthread_mutex_lock(&g->lock);
    g->entered = true;
    pthread_cond_broadcast(&g->wake);
    while (!g->open)
        pthread_cond_wait(&g->wake, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return 0;
}

static void *hold_thread(void *arg)
{
    struct gate *g = arg;
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(g->db, hold, g, &err), &err);
    return NULL;
}

static void gate_close(struct gate *g, struct db *db)
{
    *g = (struct gate){.db = db};
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->wake, NULL);
    pthread_create(&g->thread, NULL, hold_thread, g);
    pthread_mutex_lock(&g->lock);
    while (!g->entered)
        pthread_cond_wait(&g->wake, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->wake);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->thread, NULL);
}

/* --- writers --------------------------------------------------------------------------------- */
struct writer {
    struct db *db;
    pthread_t thread;
    int64_t n;
    size_t filler_bytes;
    int result;
    struct error err;
    struct db_hook hook;
    int hook_calls;
    bool committed;
    unsigned order; /* of the hook among all hooks */
};

static _Atomic unsigned order;

static void ended(struct db_hook *hook, bool committed)
{
    struct writer *w = CONTAINER_OF(hook, struct writer, hook);
    w->hook_calls++;
    w->committed = committed;
    w->order = ++order;
}

static int insert(struct db_tx *tx, void *arg, struct error *err)
{
    struct writer *w = arg;
    static char filler[64 << 10];
    w->hook.run = ended;
    db_on_end(tx, &w->hook);
    return db_exec(tx, &insert_row, err, db_int(w->n), db_blob(slice_of(filler, w->filler_bytes)));
}

static void *insert_thread(void *arg)
{
    struct writer *w = arg;
    error_init(&w->err);
    w->result = db_write(w->db, insert, w, &w->err);
    return NULL;
}

static void wait_queued(struct db *db, unsigned want)
{
    struct db_writer *w = &db->writer; /* which is held: what comes stays in the inbox */
    size_t there;
    do {
        sched_yield();
        pthread_mutex_lock(&w->inbox_lock);
        there = w->inbox.end - w->inbox.first;
        pthread_mutex_unlock(&w->inbox_lock);
    } while (there < want);
}

enum { WRITERS = 20 };

/* WRITERS transactions that are known to share one commit. */
static void one_batch(struct db *db, struct writer writers[WRITERS], const char *faults)
{
    struct gate gate;
    gate_close(&gate, db);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.db = db, .n = i % 10 == 9 ? 0 : i, .filler_bytes = 100};
        pthread_create(&writers[i].thread, NULL, insert_thread, &writers[i]);
        wait_queued(db, (unsigned)i + 1); /* in this order */
    }
    CHECK(fault_set(faults));
    gate_open(&gate);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    CHECK(fault_set(""));
}

TEST(a_batch_shares_one_commit_and_failures_stay_alone)
{
    struct db *db = open_db(1000);
    struct writer writers[WRITERS];
    struct db_stats before, after;
    db_stats(db, &before);
    one_batch(db, writers, "");
    db_stats(db, &after);
    CHECK_INT(after.commits - before.commits, 2); /* the gate's and one more */
    for (int i = 0; i < WRITERS; i++) {
        bool fails = i % 10 == 9; /* its number is taken by the first of the same batch */
        CHECK_INT(writers[i].result, fails ? FAIL_CONFLICT : 0);
        CHECK_INT(writers[i].hook_calls, 1);
        CHECK_INT(writers[i].committed, !fails);
    }
    CHECK(writers[0].order < writers[1].order && writers[1].order < writers[WRITERS - 2].order);
    CHECK_INT(count(db), WRITERS - 2);
    db_close(db);
}

TEST(a_failed_commit_fails_its_batch_and_nothing_else)
{
    struct db *db = open_db(1000);
    struct writer writers[WRITERS];
    one_batch(db, writers, "db.commit=error@2"); /* the first pass is the gate's */
    for (int i = 0; i < WRITERS; i++) {
        CHECK_INT(writers[i].result, i % 10 == 9 ? FAIL_CONFLICT : FAIL_STORAGE_FULL);
        CHECK_INT(writers[i].hook_calls, 1);
        CHECK_INT(writers[i].committed, false);
    }
    CHECK_INT(count(db), 0);
    one_batch(db, writers, "");
    CHECK_INT(writers[0].result, 0);
    CHECK_INT(count(db), WRITERS - 2);
    db_close(db);
}

/* As SQLite does by itself when it runs out of memory or disk in the middle of a transaction. */
static int lose_everything(struct db_tx *tx, void *arg, struct error *err)
{
    CHECK_OK(db_conn_script(tx->conn, "ROLLBACK", err), err);
    return error_set(err, FAIL_STORAGE_FULL, "storage_full", "as if the disk were full");
}

static void *lose_thread(void *arg)
{
    struct writer *w = arg;
    error_init(&w->err);
    w->result = db_write(w->db, lose_everything, w, &w->err);
    return NULL;
}

TEST(a_lost_transaction_fails_who_had_run_and_nobody_else)
{
    struct db *db = open_db(1000);
    struct gate gate;
    struct writer w[3];
    gate_close(&gate, db); /* its transaction belongs to the batch before */
    for (int i = 0; i < 3; i++) {
        w[i] = (struct writer){.db = db, .n = i, .filler_bytes = 10};
        pthread_create(&w[i].thread, NULL, i == 1 ? lose_thread : insert_thread, &w[i]);
        wait_queued(db, (unsigned)i + 1);
    }
    gate_open(&gate);
    for (int i = 0; i < 3; i++)
        pthread_join(w[i].thread, NULL);
    CHECK_INT(w[0].result, FAIL_STORAGE_FULL);
    CHECK_INT(w[0].committed, false);
    CHECK_INT(w[0].hook_calls, 1);
    CHECK_INT(w[1].result, FAIL_STORAGE_FULL);
    CHECK_INT(w[2].result, 0);
    CHECK_INT(count(db), 1);
    db_close(db);
}

TEST(a_full_queue_refuses_at_once)
{
    struct db *db = open_db(2);
    struct gate gate;
    gate_close(&gate, db);
    struct writer a = {.db = db, .n = 1}, b = {.db = db, .n = 2}, c = {.db = db, .n = 3};
    pthread_create(&a.thread, NULL, insert_thread, &a);
    pthread_create(&b.thread, NULL, insert_thread, &b);
    wait_queued(db, 2);
    insert_thread(&c);
    CHECK_INT(c.result, FAIL_UNAVAILABLE);
    CHECK_STR(slice_str(c.err.code), "busy");
    CHECK(c.err.retry_after_ms > 0);
    CHECK_INT(c.hook_calls, 0);
    gate_open(&gate);
    pthread_join(a.thread, NULL);
    pthread_join(b.thread, NULL);
    CHECK_INT(a.result, 0);
    CHECK_INT(b.result, 0);
    db_close(db);
}

/* --- the disk is full ------------------------------------------------------------------------ */
TEST(a_full_disk_is_said_and_later_batches_work)
{
    struct db *db = open_db(1000);
    struct writer w = {.db = db, .n = 1, .filler_bytes = 60000};
    insert_thread(&w);
    CHECK_INT(w.result, 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){256 << 10, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    int failed = 0;
    for (int64_t n = 2; n < 20; n++) {
        struct writer full = {.db = db, .n = n, .filler_bytes = 60000};
        insert_thread(&full);
        if (full.result == 0)
            continue;
        failed++;
        CHECK_INT(full.result, FAIL_STORAGE_FULL);
        CHECK_STR(slice_str(full.err.code), "storage_full");
        CHECK_INT(full.hook_calls, 1);
        CHECK(!full.committed);
    }
    CHECK(failed > 0);
    setrlimit(RLIMIT_FSIZE, &old);
    struct writer again = {.db = db, .n = 100, .filler_bytes = 60000};
    insert_thread(&again);
    CHECK_INT(again.result, 0);
    CHECK_INT(count(db), 1 + 18 - failed + 1);
    db_close(db);
}

/* --- order of the log's hooks, and workers between batches ----------------------------------- */
struct order_seen {
    struct db *db;
    unsigned before, relayed, hooks_at_relay;
    bool committed;
};

static int before_commit(void *arg, struct db_tx *tx, struct error *err)
{
    struct order_seen *seen = arg;
    seen->before++;
    CHECK(db_tx_writes(tx));
    return 0;
}

static void after_commit(void *arg, struct db_tx *tx, bool committed)
{
    struct order_seen *seen = arg;
    seen->relayed++;
    seen->committed = committed;
    seen->hooks_at_relay = order;
}

TEST(the_relay_comes_after_the_hooks_and_before_the_answers)
{
    struct db *db = open_db(100);
    struct order_seen seen = {.db = db};
    db_set_commit_hook(db, after_commit, before_commit, &seen);
    unsigned hooks = order;
    struct writer w = {.db = db, .n = 1};
    insert_thread(&w);
    CHECK_INT(seen.before, 1);
    CHECK_INT(seen.relayed, 1); /* already, now that the answer is here */
    CHECK_INT(seen.hooks_at_relay, hooks + 1);
    CHECK(seen.committed);
    db_close(db);
}

struct counting_worker {
    struct db_worker worker;
    _Atomic int left, commits, rollbacks;
};

static bool worker_overdue(struct db_worker *worker)
{
    return CONTAINER_OF(worker, struct counting_worker, worker)->left > 0;
}

static bool worker_ready(struct db_worker *worker)
{
    return false;
}

static int worker_work(struct db_worker *worker, struct db_tx *tx, int64_t budget_us,
                       bool *ret_more, struct error *err)
{
    struct counting_worker *w = CONTAINER_OF(worker, struct counting_worker, worker);
    int left = --w->left;
    *ret_more = left > 0;
    int rc = db_exec(tx, &insert_row, err, db_int(1000 + left), db_null());
    return rc == 0 && left == 0 ? error_set(err, FAIL_INTERNAL, "last", "the last one fails") : rc;
}

static void worker_ended(struct db_worker *worker, bool committed)
{
    struct counting_worker *w = CONTAINER_OF(worker, struct counting_worker, worker);
    if (committed)
        w->commits++;
    else
        w->rollbacks++;
}

TEST(a_worker_gets_its_slices_between_batches)
{
    struct db *db = open_db(100);
    struct counting_worker w = {
        .worker = {NULL, worker_overdue, worker_ready, worker_work, worker_ended}};
    db_add_worker(db, &w.worker);
    w.left = 3;
    struct writer kick = {.db = db, .n = 1};
    insert_thread(&kick);
    while (w.rollbacks == 0)
        sched_yield();
    CHECK_INT(w.commits, 2);
    CHECK_INT(count(db), 3); /* what failed left nothing */
    db_close(db);
}

static int big_row(struct db_tx *tx, void *arg, struct error *err)
{
    size_t size = DB_CHECKPOINT_BYTES + 1;
    char *filler = xcalloc(1, size);
    int rc = db_exec(tx, &insert_row, err, db_int(1), db_blob(slice_of(filler, size)));
    free(filler);
    return rc;
}

static int no_statement(struct db_tx *tx, void *arg, struct error *err)
{
    ++*(int *)arg;
    return 0;
}

static int count_inside(struct db_tx *tx, void *arg, struct error *err)
{
    return db_read_inside(tx, count_fn, arg, err);
}

static int count_beside_its_own(struct db_tx *tx, void *arg, struct error *err)
{
    int rc = db_exec(tx, &insert_row, err, db_int(7), db_null());
    return rc == 0 ? db_read_inside(tx, count_fn, arg, err) : rc;
}

static uint64_t checkpoints(struct db *db)
{
    struct db_stats stats;
    db_stats(db, &stats);
    return stats.checkpoints;
}

TEST(what_is_read_inside_a_transaction_is_what_is_committed)
{
    struct db *db = open_db(100);
    struct error err;
    error_init(&err);
    struct writer w = {.db = db, .n = 1};
    insert_thread(&w);
    int64_t rows = 0;
    CHECK_OK(db_write(db, count_beside_its_own, &rows, &err), &err);
    CHECK_INT(rows, 1);
    CHECK_OK(db_read(db, count_inside, &rows, &err), &err);
    CHECK_INT(rows, 2);
    db_close(db);
}

TEST(what_needs_no_statement_goes_on_during_a_checkpoint)
{
    struct db *db = open_db(100);
    struct error err;
    error_init(&err);
    CHECK(fault_set("db.checkpoint_held=error")); /* it has the connection until told otherwise */
    CHECK_OK(db_write(db, big_row, NULL, &err), &err);
    int ran = 0;
    for (int i = 0; i < 5; i++)
        CHECK_OK(db_write(db, no_statement, &ran, &err), &err);
    CHECK_INT(ran, 5);
    int64_t rows = 0;
    CHECK_OK(db_write(db, count_inside, &rows, &err), &err); /* nor does this wait */
    CHECK_INT(rows, 1);
    CHECK_INT(checkpoints(db), 0);
    CHECK(fault_set(""));
    struct writer w = {.db = db, .n = 2}; /* waits for the connection to come back */
    insert_thread(&w);
    CHECK_INT(w.result, 0);
    CHECK(checkpoints(db) >= 1);
    CHECK_INT(count(db), 2);
    db_close(db);
}
