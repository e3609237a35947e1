/* Reader threads: each runs one db_read at a time on its own read-only connection, inside one
 * snapshot. A reader never commits a change and never checkpoints, not even when it closes. A read
 * that takes too long is interrupted, because the WAL cannot start anew under an open snapshot. The
 * writer thread has such a connection too, for what its transactions read by db_read_inside.
 */
#include "engine/db_outside.h"
#include "engine/db_sqlite.h"

static const struct db_sql begin_sql = {"BEGIN"};
static const struct db_sql end_sql = {"COMMIT"};

enum { RETRY_AFTER_MS = 1000 };

static struct db_job *take(struct db_readers *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->first == NULL && !r->stopping)
        pthread_cond_wait(&r->wake, &r->lock);
    struct db_job *job = r->first;
    if (job != NULL) {
        r->first = job->next;
        if (r->first == NULL)
            r->last = &r->first;
        r->queued--;
        r->running++;
    }
    pthread_mutex_unlock(&r->lock);
    return job;
}

static void finished(struct db_readers *r)
{
    pthread_mutex_lock(&r->lock);
    r->running--;
    if (r->running == 0 && r->queued == 0)
        pthread_cond_broadcast(&r->quiet);
    pthread_mutex_unlock(&r->lock);
}

void db_readers_drain(struct db *db)
{
    struct db_readers *r = &db->readers;
    pthread_mutex_lock(&r->lock);
    while (r->running > 0 || r->queued > 0)
        pthread_cond_wait(&r->quiet, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static int run(struct db_tx *tx, db_fn *fn, void *arg, struct error *err)
{
    struct db_conn *conn = tx->conn;
    int rc = db_conn_run(conn, &begin_sql, err);
    if (rc != 0)
        return rc;
    conn->deadline_ns = clock_mono_ns(conn->clock) + DB_READ_MAX_MS * INT64_C(1000000);
    rc = db_tx_result(tx, fn(tx, arg, err), err);
    conn->deadline_ns = 0;
    db_tx_close_rows(tx);
    if (sqlite3_get_autocommit(conn->sqlite) == 0)
        should_not(db_conn_run(conn, &end_sql, NULL) != 0);
    return rc;
}

int db_read_inside(struct db_tx *tx, db_fn *fn, void *arg, struct error *err)
{
    if (!tx->writes)
        return fn(tx, arg, err);
    struct db *db = tx->db;
    struct db_conn *conn = &db->writer.reading;
    int rc = conn->sqlite == NULL ? db_conn_open(conn, db->path, false, &db->config, err) : 0;
    if (rc != 0) {
        db_conn_close(conn);
        return rc;
    }
    struct db_tx reading;
    db_tx_init(&reading, db, conn, false);
    return run(&reading, fn, arg, err);
}

static void *reader_main(void *arg)
{
    struct db_reader *reader = arg;
    struct db_job *job;
    while ((job = take(&reader->db->readers)) != NULL) {
        db_tx_init(&job->tx, reader->db, &reader->conn, false);
        int rc = run(&job->tx, job->fn, job->arg, job->err);
        struct db_homes homes = {0};
        db_homes_add(&homes, job, rc);
        db_homes_send(&homes);
        finished(&reader->db->readers);
    }
    return NULL;
}

static int submit(struct db *db, struct db_job *job)
{
    struct db_readers *r = &db->readers;
    pthread_mutex_lock(&r->lock);
    bool full = r->queued >= db->config.queue_max;
    if (!full) {
        job->next = NULL;
        *r->last = job;
        r->last = &job->next;
        r->queued++;
        pthread_cond_signal(&r->wake);
    }
    pthread_mutex_unlock(&r->lock);
    if (!full)
        return 0;
    int rc = error_set(job->err, FAIL_UNAVAILABLE, "busy", "%u reads wait for the database already",
                       db->config.queue_max);
    if (job->err != NULL)
        job->err->retry_after_ms = RETRY_AFTER_MS;
    return rc;
}

int db_read(struct db *db, db_fn *fn, void *arg, struct error *err)
{
    struct db_job job;
    db_job_init(&job, fn, arg, err);
    int rc = submit(db, &job);
    return rc == 0 ? db_job_wait(&job) : rc;
}

int db_readers_start(struct db *db, struct error *err)
{
    struct db_readers *r = &db->readers;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    pthread_cond_init(&r->quiet, NULL);
    r->last = &r->first;
    for (r->count = 0; r->count < db->config.readers; r->count++) {
        struct db_reader *reader = &r->reader[r->count];
        reader->db = db;
        int rc = db_conn_open(&reader->conn, db->path, false, &db->config, err);
        if (rc == 0)
            rc = db_thread_start(&reader->thread, "db-reader", reader_main, reader, err);
        if (rc != 0) {
            db_conn_close(&reader->conn);
            return rc;
        }
    }
    return 0;
}

void db_readers_stop(struct db *db)
{
    struct db_readers *r = &db->readers;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; i < r->count; i++) {
        pthread_join(r->reader[i].thread, NULL);
        db_conn_close(&r->reader[i].conn);
    }
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->quiet);
    pthread_mutex_destroy(&r->lock);
}
