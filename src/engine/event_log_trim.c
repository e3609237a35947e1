/* Retention: rows of the log that are older, or further back, than configured are deleted from the
 * old end, LOG_TRIM_ROWS at a time, and never above the fold nor above what somebody still has to
 * read (event_log_hold). Rows of the stream index that lie wholly before the oldest kept position
 * go with them, in a sweep through the index.
 *
 * Looked at every ten seconds; while there is something to delete, every 100 ms.
 */
#include "engine/event_log_private.h"

static const struct db_sql find_old = {
    "SELECT max(pos) FROM (SELECT pos, at FROM log WHERE pos <= ?1 ORDER BY pos LIMIT ?3)"
    " WHERE at < ?2 OR pos <= ?4"};
static const struct db_sql delete_rows = {"DELETE FROM log WHERE pos <= ?1"};
static const struct db_sql set_first = {
    "UPDATE log_state SET first = ?1, head = max(head, ?2), last_at = max(last_at, ?3)"};
static const struct db_sql sweep_slice = {
    "SELECT stream, first_pos, last_pos FROM log_stream WHERE (stream, first_pos) > (?1, ?2)"
    " ORDER BY stream, first_pos LIMIT ?3"};
static const struct db_sql delete_index_row = {
    "DELETE FROM log_stream WHERE stream = ?1 AND first_pos = ?2"};

enum { LOOK_MS = 10000, NEXT_SLICE_MS = 100, SWEEP_ROWS = 2000 };

void event_log_hold(struct event_log *log, uint64_t (*fn)(void *arg), void *arg)
{
    log->hold_arg = arg;
    atomic_store(&log->hold_fn, fn);
}

/* The last position that nobody needs any more. */
static uint64_t free_through(struct event_log *log)
{
    uint64_t (*fn)(void *arg) = atomic_load(&log->hold_fn);
    uint64_t folded = atomic_load(&log->tail.folded);
    uint64_t held = fn != NULL ? fn(log->hold_arg) : UINT64_MAX;
    return held < folded ? held : folded;
}

bool log_trim_due(const struct event_log *log)
{
    return !log->copy.running && clock_mono_ns(log->clock) >= log->trim.next_ns;
}

/* By size: how many of the oldest positions are too many. */
static uint64_t too_many_through(const struct event_log *log, uint64_t first)
{
    if (log->config.retention_bytes <= 0)
        return 0;
    uint64_t row_bytes = log->row_bytes > 0 ? (uint64_t)log->row_bytes : 1;
    uint64_t keep = (uint64_t)log->config.retention_bytes / row_bytes;
    uint64_t head = atomic_load(&log->tail.head);
    return head - first + 1 > keep ? head - keep : 0;
}

/* The last row that this slice deletes, 0: none. */
static int last_old(struct event_log *log, struct db_tx *tx, int64_t cutoff, uint64_t many,
                    uint64_t limit, uint64_t *ret_last, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &find_old, &rows, err, db_int((int64_t)limit), db_int(cutoff),
                      db_int(LOG_TRIM_ROWS), db_int((int64_t)many));
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc != 1)
        return rc;
    *ret_last = (uint64_t)db_col_int(&rows, 0);
    db_rows_close(&rows);
    return 0;
}

/* Rows one by one, segments as a whole. What is kept of either below the new first position,
 * because the other had to go, is no longer read, and goes when it is old itself. */
static int trim_rows(struct event_log *log, struct db_tx *tx, struct error *err)
{
    struct log_trim *t = &log->trim;
    uint64_t first = atomic_load(&log->first), limit = free_through(log), last = 0;
    uint64_t many = too_many_through(log, first);
    int64_t cutoff = clock_wall_ms(log->clock) - log->config.retention_ms;
    log_segments_seal(&log->segments, cutoff + log->config.retention_ms / 8 * 7);
    int rc = last_old(log, tx, cutoff, many, limit, &last, err);
    if (rc == 0 && last != 0)
        rc = db_exec(tx, &delete_rows, err, db_int((int64_t)last));
    uint64_t segments = log_segments_old(&log->segments, cutoff, many, limit);
    if (segments > last)
        last = segments;
    if (rc != 0 || last == 0)
        return rc;
    if (last < first)
        last = first - 1;
    rc = db_exec(tx, &set_first, err, db_int((int64_t)last + 1),
                 db_int((int64_t)atomic_load(&log->tail.head)), db_int(log->last_at_ms));
    if (rc == 0) {
        t->first = last + 1;
        t->segments = segments;
    }
    return rc;
}

/* Looks at the next rows of the index; the last one seen is where the next slice goes on. */
static int sweep(struct event_log *log, struct db_tx *tx, struct error *err)
{
    struct log_trim *t = &log->trim;
    uint64_t first = atomic_load(&log->first);
    struct db_rows rows;
    int rc = db_query(tx, &sweep_slice, &rows, err,
                      db_blob(slice_of((const char *)t->sweep_stream.bytes, 16)),
                      db_int((int64_t)t->sweep_pos), db_int(SWEEP_ROWS));
    unsigned seen = 0;
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        t->sweep_stream = db_col_id(&rows, 0);
        t->sweep_pos = (uint64_t)db_col_int(&rows, 1);
        seen++;
        rc = 0;
        if ((uint64_t)db_col_int(&rows, 2) < first)
            rc = db_exec(tx, &delete_index_row, err, db_id(&t->sweep_stream),
                         db_int((int64_t)t->sweep_pos));
    }
    if (rc == 0 && seen < SWEEP_ROWS)
        t->sweeping = false;
    return rc;
}

int log_trim_slice(struct event_log *log, struct db_tx *tx, struct error *err)
{
    struct log_trim *t = &log->trim;
    t->first = t->segments = 0;
    int rc = trim_rows(log, tx, err);
    if (rc == 0 && t->first == 0 && t->sweeping)
        rc = sweep(log, tx, err);
    bool more = t->first != 0 || t->sweeping;
    t->next_ns = clock_mono_ns(log->clock) + (more ? NEXT_SLICE_MS : LOOK_MS) * INT64_C(1000000);
    return rc;
}

void log_trim_ended(struct event_log *log, bool committed)
{
    struct log_trim *t = &log->trim;
    if (committed && t->first != 0) {
        atomic_store(&log->first, t->first);
        log_segments_drop(&log->segments, t->segments);
        if (!t->sweeping) { /* what a running sweep has passed is found by the next one */
            t->sweeping = true;
            t->sweep_stream = (struct id){{0}};
            t->sweep_pos = 0;
        }
    }
    t->first = t->segments = 0;
}
