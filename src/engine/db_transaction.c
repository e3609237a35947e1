/* The writer connection's transactions: one for a whole batch, begun by the first statement of any
 * of its jobs, and a savepoint inside it for each job that writes (both by db_statement.c).
 */
#include "base/fault.h"
#include "engine/db_sqlite.h"

static const struct db_sql begin_sql = {"BEGIN IMMEDIATE"};
static const struct db_sql commit_sql = {"COMMIT"};
static const struct db_sql rollback_sql = {"ROLLBACK"};
static const struct db_sql release_sql = {"RELEASE job"};
static const struct db_sql undo_sql = {"ROLLBACK TO job"};

static bool in_transaction(const struct db_writer *w)
{
    return w->begun && sqlite3_get_autocommit(w->conn.sqlite) == 0;
}

bool db_writer_lost(const struct db_writer *w)
{
    return w->begun && !in_transaction(w);
}

bool db_batch_wrote(const struct db *db)
{
    return db->writer.batch_wrote;
}

int db_writer_begin(struct db_writer *w, struct error *err)
{
    db_checkpoint_await(w);
    int rc = db_conn_run(&w->conn, &begin_sql, err);
    w->begun = rc == 0;
    return rc;
}

void db_writer_roll_back(struct db_writer *w)
{
    if (in_transaction(w)) /* SQLite has rolled back by itself after some errors */
        should_not(db_conn_run(&w->conn, &rollback_sql, NULL) != 0);
    w->begun = false;
}

int db_writer_commit(struct db_writer *w, struct error *err)
{
    if (fault("db.commit"))
        return error_set(err, FAIL_STORAGE_FULL, "storage_full", "fault point db.commit");
    int rc = w->begun ? db_conn_run(&w->conn, &commit_sql, err) : 0;
    w->begun = w->begun && rc != 0;
    return rc;
}

/* Ends the job's savepoint; what it wrote stays or goes. */
void db_writer_end_savepoint(struct db_writer *w, struct db_tx *tx, bool keep)
{
    if (!tx->savepoint || !in_transaction(w))
        return;
    tx->savepoint = false;
    if (!keep)
        should_not(db_conn_run(&w->conn, &undo_sql, NULL) != 0);
    should_not(db_conn_run(&w->conn, &release_sql, NULL) != 0);
}
