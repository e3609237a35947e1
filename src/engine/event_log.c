/* The embedded log: opening, closing, and what is asked about it.
 *
 * Opening reads the state row and the tail, nothing else, so it takes as long for a large file as
 * for a small one. Closing folds what is left; after a crash the next start finds a tail of up to
 * four times tail_events_max.
 */
#include <stdlib.h>

#include "engine/db_outside.h"
#include "engine/event_log_private.h"

static const struct db_sql select_state = {
    "SELECT folded, first, head, last_at, salt, segments FROM log_state"};
static const struct db_sql select_last = {
    "SELECT pos, at, length(data) FROM log ORDER BY pos DESC LIMIT 1"};

enum {
    TAIL_EVENTS_MAX = 65536,
    TAIL_BYTES_MAX = 32 << 20,
    SEGMENT_BYTES_MIN = 64 << 10,
    ROW_OVERHEAD = 60,   /* bytes of a row besides its data */
    CHUNK_EVENTS = 1024, /* in a batch made from rows at the start */
    CHUNK_BYTES = 4 << 20,
    META_BYTES_MAX = LOG_LINKS_MAX * 17 + 65536,
};
static const int64_t retention_default_ms = INT64_C(7) * 24 * 3600 * 1000;

struct opening {
    struct event_log *log;
    uint64_t folded, head, segments;
};

/* --- state ----------------------------------------------------------------------------------- */
static int load_state(struct opening *o, struct db_tx *tx, struct error *err)
{
    struct event_log *log = o->log;
    struct db_rows rows;
    int rc = db_query_n(tx, &select_state, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || db_col_blob(&rows, 4).len != sizeof log->salt)
        return error_set(err, FAIL_INTERNAL, "log_damaged", "the log has no state row");
    o->folded = (uint64_t)db_col_int(&rows, 0);
    atomic_store(&log->first, (uint64_t)db_col_int(&rows, 1));
    o->head = (uint64_t)db_col_int(&rows, 2);
    log->last_at_ms = db_col_int(&rows, 3);
    memcpy(log->salt, db_col_blob(&rows, 4).ptr, sizeof log->salt);
    o->segments = (uint64_t)db_col_int(&rows, 5);
    db_rows_close(&rows);
    return 0;
}

static int load_last(struct opening *o, struct db_tx *tx, struct error *err)
{
    struct event_log *log = o->log;
    struct db_rows rows;
    int rc = db_query_n(tx, &select_last, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc != 1)
        return rc;
    if ((uint64_t)db_col_int(&rows, 0) > o->head)
        o->head = (uint64_t)db_col_int(&rows, 0);
    if (db_col_int(&rows, 1) > log->last_at_ms)
        log->last_at_ms = db_col_int(&rows, 1);
    log->row_bytes = db_col_int(&rows, 2) + ROW_OVERHEAD;
    db_rows_close(&rows);
    return 0;
}

static int load(struct db_tx *tx, void *arg, struct error *err)
{
    struct opening *o = arg;
    int rc = load_state(o, tx, err);
    if (rc == 0)
        rc = load_last(o, tx, err);
    if (rc == 0)
        rc = log_types_load(&o->log->types, o->log->config.types, tx, err);
    return rc;
}

/* --- the tail -------------------------------------------------------------------------------- */
struct chunk { /* rows on their way into a batch */
    struct event_log *log;
    struct arena arena;
    struct event events[CHUNK_EVENTS];
    struct log_bytes_needed needed;
};

static void flush(struct chunk *c)
{
    struct log_batch_maker maker;
    if (c->needed.events == 0)
        return;
    log_batch_start(&maker, c->needed, atomic_load(&c->log->tail.head));
    for (size_t i = 0; i < c->needed.events; i++)
        log_batch_add(&maker, &c->events[i]);
    log_tail_add(&c->log->tail, maker.batch);
    c->needed = (struct log_bytes_needed){0};
    arena_reset(&c->arena);
}

static bool copy_slice(struct chunk *c, struct slice *bytes)
{
    if (bytes->ptr == NULL)
        return true;
    *bytes = arena_copy(&c->arena, *bytes);
    c->needed.bytes += bytes->len;
    return bytes->ptr != NULL;
}

static int keep_row(struct chunk *c, const struct event *row, struct error *err)
{
    struct event *event = &c->events[c->needed.events];
    *event = *row;
    size_t link_bytes = row->link_count * sizeof *row->links;
    struct event_link *links = arena_alloc(&c->arena, link_bytes);
    if (links == NULL || !copy_slice(c, &event->data) || !copy_slice(c, &event->correlation_id))
        return error_set(err, FAIL_INTERNAL, "log_damaged", "log row %llu is too large",
                         (unsigned long long)row->pos);
    if (link_bytes != 0)
        memcpy(links, row->links, link_bytes);
    event->links = links;
    c->needed.links += row->link_count;
    if (++c->needed.events == CHUNK_EVENTS || c->arena.used_bytes > CHUNK_BYTES)
        flush(c);
    return 0;
}

static int read_tail(struct chunk *c, struct db_tx *tx, uint64_t folded, struct error *err)
{
    struct log_source source;
    struct event event;
    log_source_init(&source, c->log, tx);
    int rc = log_source_open(&source, folded, UINT64_MAX, err);
    while (rc == 0 && (rc = log_source_next(&source, &event, err)) == 1)
        rc = keep_row(c, &event, err);
    log_source_done(&source);
    return rc;
}

static int load_tail(struct db_tx *tx, void *arg, struct error *err)
{
    const struct opening *o = arg;
    struct chunk *c = xcalloc(1, sizeof *c);
    c->log = o->log;
    arena_init(&c->arena, 4 * CHUNK_BYTES);
    int rc = read_tail(c, tx, o->folded, err);
    if (rc == 0)
        flush(c);
    arena_done(&c->arena);
    free(c);
    return rc;
}

/* --- opening --------------------------------------------------------------------------------- */
/* Segments go as a whole: a small log has small ones. */
static size_t segment_bytes_for(int64_t retention_bytes)
{
    int64_t bytes = retention_bytes / 8;
    if (bytes < SEGMENT_BYTES_MIN)
        return SEGMENT_BYTES_MIN;
    return bytes < LOG_SEGMENT_BYTES ? (size_t)bytes : LOG_SEGMENT_BYTES;
}

static void set_defaults(struct event_log_config *config)
{
    if (config->tail_events_max == 0)
        config->tail_events_max = TAIL_EVENTS_MAX;
    if (config->tail_bytes_max == 0)
        config->tail_bytes_max = TAIL_BYTES_MAX;
    if (config->retention_ms == 0)
        config->retention_ms = retention_default_ms;
    if (config->segment_bytes == 0 && config->retention_bytes > 0)
        config->segment_bytes = segment_bytes_for(config->retention_bytes);
}

static void free_log(struct event_log *log)
{
    log_segments_close(&log->segments);
    pthread_mutex_destroy(&log->table.lock);
    log_fold_done(log);
    log_tail_done(&log->tail);
    log_types_done(&log->types);
    for (unsigned i = 0; i < log->held_count; i++)
        event_batch_unref(log->held[i]);
    pthread_mutex_destroy(&log->relay_lock);
    log_memory_done(&log->memory);
    buf_done(&log->meta);
    arena_done(&log->marks);
    free(log->drafts);
    free(log);
}

/* Positions go on behind what both hold. */
static int open_segments(struct opening *o, struct error *err)
{
    struct event_log *log = o->log;
    const struct log_segments_config config = {.database = db_path(log->db),
                                               .salt = log->salt,
                                               .sync = db_syncs_commits(log->db),
                                               .segment_bytes = log->config.segment_bytes,
                                               .must_reach = o->segments};
    int rc = log_segments_open(&log->segments, &config, err);
    if (rc != 0)
        return rc;
    log->table.whole_from = o->head;
    uint64_t last = log_segments_last(&log->segments), begin = log_segments_begin(&log->segments);
    int64_t last_at = log_segments_last_at(&log->segments);
    if (last > o->head)
        o->head = last;
    if (last_at > log->last_at_ms)
        log->last_at_ms = last_at;
    if (begin > atomic_load(&log->first))
        atomic_store(&log->first, begin);
    return 0;
}

int event_log_open(const struct event_log_config *config, struct event_log **ret_log,
                   struct error *err)
{
    struct event_log *log = xcalloc(1, sizeof *log);
    log->config = *config;
    set_defaults(&log->config);
    log->db = config->db;
    log->clock = db_clock_of(config->db);
    log->folders_end = &log->folders;
    log_memory_init(&log->memory);
    buf_init(&log->meta, META_BYTES_MAX);
    arena_init(&log->marks, 16 << 20);
    pthread_mutex_init(&log->relay_lock, NULL);
    pthread_mutex_init(&log->table.lock, NULL);
    struct opening o = {.log = log};
    int rc = db_write(log->db, load, &o, err);
    if (rc == 0)
        rc = open_segments(&o, err);
    log_tail_init(&log->tail, o.folded);
    if (rc == 0)
        rc = db_read(log->db, load_tail, &o, err);
    if (rc != 0) {
        free_log(log);
        return rc;
    }
    atomic_store(&log->tail.head, o.head);
    log->relayed_head = o.head;
    log_fold_init(log);
    log_copy_init(log);
    *ret_log = log;
    return 0;
}

void event_log_add_folder(struct event_log *log, struct event_folder *folder)
{
    folder->next = NULL;
    *log->folders_end = folder;
    log->folders_end = &folder->next;
}

int event_log_start(struct event_log *log, struct error *err)
{
    for (size_t b = log->tail.first; b < log->tail.end; b++)
        for (unsigned i = 0; i < log->tail.batches[b]->count; i++)
            for (struct event_folder *f = log->folders; f != NULL; f = f->next)
                if (f->replay != NULL)
                    f->replay(f, &log->tail.batches[b]->events[i]);
    db_set_commit_hook(log->db, log_after_commit, log_before_commit, log);
    db_set_copy_hook(log->db, &log->copy.hook);
    db_add_worker(log->db, &log->worker);
    return 0;
}

/* On the writer thread. What cannot be folded (full disk) stays in the log, and the next start
 * finds it in the tail. */
static int fold_all(struct db *db, void *arg, struct error *err)
{
    struct event_log *log = arg;
    int rc = 0;
    log->fold.closing = true;
    log->fold.failed = false;
    while (rc == 0 && atomic_load(&log->tail.events) != 0) {
        bool more;
        rc = db_worker_slice(db, &log->worker, &more, err);
    }
    log_relay_held(log);
    return rc;
}

void event_log_close(struct event_log *log)
{
    if (log == NULL)
        return;
    db_readers_drain(log->db);
    should_not(db_outside(log->db, fold_all, log, NULL) != 0);
    db_remove_worker(log->db, &log->worker);
    db_set_copy_hook(log->db, NULL);
    db_set_commit_hook(log->db, NULL, NULL, NULL);
    free_log(log);
}

/* --- questions ------------------------------------------------------------------------------- */
uint64_t event_log_head(struct event_log *log)
{
    return atomic_load(&log->tail.head);
}

uint64_t event_log_first(struct event_log *log)
{
    return atomic_load(&log->first);
}

struct db *event_log_db(struct event_log *log)
{
    return log->db;
}

void event_log_stats(struct event_log *log, struct event_log_stats *ret_stats)
{
    *ret_stats = (struct event_log_stats){
        .head = atomic_load(&log->tail.head),
        .first = atomic_load(&log->first),
        .folded = atomic_load(&log->tail.folded),
        .tail_events = atomic_load(&log->tail.events),
        .tail_bytes = atomic_load(&log->tail.bytes),
        .fold_failures = atomic_load(&log->fold_failures),
        .refuses = log_tail_longer_than(log, LOG_TAIL_REFUSED),
    };
    struct log_segments_size size = log_segments_size(&log->segments);
    ret_stats->segments = size.files;
    ret_stats->segment_bytes = size.bytes;
}
