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

/* Waits until no db_read is queued or running: before what they read from memory is freed. */
void db_readers_drain(struct db *db);

#endif
