/* Checkpoints: passive ones whenever the WAL has grown by DB_CHECKPOINT_BYTES, or when nothing has
 * happened for a while. SQLite's automatic checkpoint is off.
 *
 * A passive one takes tens of milliseconds, most of them waiting for the disk. So the writer hands
 * its connection to a thread that lives as long as the checkpoint and goes on committing what needs
 * no connection: messages, which are appended to the log's segments. The first statement of anybody
 * waits for the connection to come back. It is still the only connection that checkpoints and
 * commits, and never does both at once.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"

struct db_checkpointer {
    pthread_t thread;
    struct db_writer *writer;
    _Atomic bool done;
    int wal, safe; /* pages; -1: it did not get that far */
};

static void publish_wal(struct db_writer *w)
{
    atomic_store_explicit(&w->wal_bytes, (uint64_t)w->wal_pages * w->page_bytes,
                          memory_order_relaxed);
}

static int note_wal(void *arg, sqlite3 *sqlite, const char *schema, int pages)
{
    struct db_writer *w = arg;
    if ((unsigned)pages < w->wal_pages) { /* the WAL began anew */
        w->wal_safe_pages = 0;
        w->checkpoint_at_pages = DB_CHECKPOINT_BYTES / w->page_bytes;
    }
    w->wal_pages = (unsigned)pages;
    publish_wal(w);
    return SQLITE_OK;
}

void db_wal_watch(struct db_writer *w)
{
    sqlite3_wal_hook(w->conn.sqlite, note_wal, w);
}

static int run_checkpoint(struct db_writer *w, int mode, int *ret_wal, int *ret_safe)
{
    *ret_wal = *ret_safe = -1;
    while (fault("db.checkpoint_held"))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return sqlite3_wal_checkpoint_v2(w->conn.sqlite, NULL, mode, ret_wal, ret_safe);
}

static void note_checkpoint(struct db_writer *w, int wal, int safe)
{
    if (wal >= 0 && safe >= 0) {
        w->wal_pages = (unsigned)wal;
        w->wal_safe_pages = (unsigned)safe;
    }
    /* What a reader has kept it from is tried again when there is as much more. */
    w->checkpoint_at_pages = db_wal_unsafe_pages(w) + DB_CHECKPOINT_BYTES / w->page_bytes;
    publish_wal(w);
    atomic_fetch_add_explicit(&w->checkpoints, 1, memory_order_relaxed);
}

int db_checkpoint(struct db_writer *w, int mode)
{
    int wal, safe;
    db_checkpoint_await(w);
    int rc = run_checkpoint(w, mode, &wal, &safe);
    note_checkpoint(w, wal, safe);
    return rc;
}

/* --- aside ------------------------------------------------------------------------------------ */
static void *checkpointer_main(void *arg)
{
    struct db_checkpointer *c = arg;
    /* One that failed is tried again when the WAL has grown. */
    (void)run_checkpoint(c->writer, SQLITE_CHECKPOINT_PASSIVE, &c->wal, &c->safe);
    atomic_store(&c->done, true);
    db_bell_ring(&c->writer->bell); /* workers that left it the connection have their turn */
    return NULL;
}

void db_checkpoint_aside(struct db_writer *w)
{
    if (w->checkpointer != NULL)
        return;
    struct db_checkpointer *c = xcalloc(1, sizeof *c);
    c->writer = w;
    if (db_thread_start(&c->thread, "db-checkpoint", checkpointer_main, c, NULL) == 0) {
        w->checkpointer = c;
        return;
    }
    free(c); /* no thread to be had: then here */
    db_checkpoint(w, SQLITE_CHECKPOINT_PASSIVE);
}

void db_checkpoint_await(struct db_writer *w)
{
    struct db_checkpointer *c = w->checkpointer;
    if (c == NULL)
        return;
    pthread_join(c->thread, NULL);
    w->checkpointer = NULL;
    note_checkpoint(w, c->wal, c->safe);
    free(c);
}

bool db_checkpoint_over(const struct db_writer *w)
{
    return w->checkpointer != NULL && atomic_load(&w->checkpointer->done);
}

bool db_checkpoint_busy(struct db_writer *w)
{
    if (db_checkpoint_over(w))
        db_checkpoint_await(w);
    return w->checkpointer != NULL;
}

/* --- when ------------------------------------------------------------------------------------- */
unsigned db_wal_unsafe_pages(const struct db_writer *w)
{
    return w->wal_pages - (w->wal_safe_pages < w->wal_pages ? w->wal_safe_pages : w->wal_pages);
}

void db_checkpoint_if_long(struct db_writer *w)
{
    unsigned truncate_pages = DB_TRUNCATE_BYTES / w->page_bytes;
    if (db_wal_unsafe_pages(w) >= w->checkpoint_at_pages)
        db_checkpoint_aside(w);
    if (w->wal_pages < w->truncate_at_pages)
        return;
    /* Readers have kept the WAL from starting anew for long: wait for them, but not for ever. */
    if (db_checkpoint(w, SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK)
        w->truncate_at_pages = truncate_pages;
    else
        w->truncate_at_pages = w->wal_pages + truncate_pages / 4;
}
