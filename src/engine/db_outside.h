/* What the event log needs of the writer thread beyond transactions; for the engine's own files. */
#ifndef PARLEY_ENGINE_DB_OUTSIDE_H
#define PARLEY_ENGINE_DB_OUTSIDE_H

#include "engine/db.h"

/* Runs fn on the writer thread between two batches, outside any transaction; parks or blocks. */
int db_outside(struct db *db, int (*fn)(struct db *db, void *arg, struct error *err), void *arg,
               struct error *err) MUSTCHECK;
/* There: one slice of the worker, committed. */
int db_worker_slice(struct db *db, struct db_worker *worker, bool *ret_more,
                    struct error *err) MUSTCHECK;
void db_remove_worker(struct db *db, struct db_worker *worker);
const struct clock *db_clock_of(const struct db *db);
const char *db_path(const struct db *db);
bool db_syncs_commits(const struct db *db); /* DB_SYNC_FULL */
/* On the writer thread, inside a transaction: whether one of this commit, this one included, has
 * changed a table so far. */
bool db_batch_wrote(const struct db *db);

/* Of a file its bytes, of a folder what files are in it. Waits for the disk. */
int db_sync_path(const char *path, const char *code, struct error *err) MUSTCHECK;

/* What belongs to the database but lies beside it is added to a backup. `step` is called on the
 * writer thread in transactions of the copy: first when all pages have just been copied, before
 * anything else is committed, then for as long as *ret_more says so, between commits. `ended`
 * follows, also when the copy failed. One slot; taking it away (NULL) cancels a running backup. */
struct db_copy_hook {
    int (*step)(struct db_copy_hook *hook, struct db_tx *tx, bool first, bool *ret_more,
                struct error *err);
    void (*ended)(struct db_copy_hook *hook);
};
void db_set_copy_hook(struct db *db, struct db_copy_hook *hook);

/* Waits until no db_read is queued or running: before what they read from memory is freed. */
void db_readers_drain(struct db *db);

#endif
