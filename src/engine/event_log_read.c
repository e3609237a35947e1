/* Reading back.
 *
 * A read of many streams puts three ranges behind each other, which cannot overlap and leave no
 * gap, whenever the tail and the snapshot are looked at:
 *
 *     after .. low      the stream index, merged over the streams; low is the lesser of the fold
 *                       that the snapshot sees and the fold that the tail saw
 *     low .. folded     the log itself, filtered: only when the tail was folded after the snapshot
 *                       was taken, so that the tail has forgotten what the snapshot's index does
 *                       not hold yet
 *     folded .. head    the tail, cut at the head that the snapshot sees, so that the answer fits
 *                       whatever else the caller reads in the same transaction
 */
#include <stdlib.h>

#include "base/hash.h"
#include "engine/event_log_private.h"

static const struct db_sql select_state = {
    "SELECT folded, max(head, coalesce((SELECT max(pos) FROM log), 0)) FROM log_state"};

static int read_stored(struct event_log *log, struct db_tx *tx, uint64_t after, uint64_t through,
                       unsigned limit, event_fn *fn, void *arg, struct error *err)
{
    struct log_source source;
    struct event event;
    log_source_init(&source, log, tx);
    int rc = log_source_open(&source, after, through, err);
    for (unsigned i = 0; rc == 0 && i < limit; i++) {
        rc = log_source_next(&source, &event, err);
        if (rc != 1)
            break;
        rc = fn(&event, arg, err);
    }
    log_source_done(&source);
    return rc < 0 ? rc : 0;
}

/* Consumers that keep up read what the tail still holds, without a query per event. */
static int read_tail(const struct log_picks *picks, event_fn *fn, void *arg, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < picks->count; i++)
        rc = fn(picks->entries[i].event, arg, err);
    return rc < 0 ? rc : 0;
}

/* What the transaction sees: up to where it is folded, and up to where nothing is missing. */
static int snapshot_state(struct event_log *log, struct db_tx *tx, uint64_t *ret_folded,
                          uint64_t *ret_head, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &select_state, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return error_set(err, FAIL_INTERNAL, "log_damaged", "the log has no state row");
    *ret_folded = (uint64_t)db_col_int(&rows, 0);
    /* After the snapshot was taken; rows that are committed may not be in the tail yet. */
    uint64_t head = atomic_load(&log->tail.head);
    *ret_head = log_table_whole(&log->table, (uint64_t)db_col_int(&rows, 1), head);
    db_rows_close(&rows);
    return 0;
}

int event_log_read(struct event_log *log, struct db_tx *tx, uint64_t after, unsigned limit,
                   event_fn *fn, void *arg, struct error *err)
{
    uint64_t folded, head = atomic_load(&log->tail.head); /* a write transaction sees all of it */
    struct log_picks picks;
    int rc = db_tx_writes(tx) ? 0 : snapshot_state(log, tx, &folded, &head, err);
    if (rc != 0)
        return rc;
    if (!log_tail_range(&log->tail, after, head, limit, &picks))
        return read_stored(log, tx, after, head, limit, fn, arg, err);
    rc = read_tail(&picks, fn, arg, err);
    log_picks_done(&picks);
    return rc;
}

/* --- many streams ---------------------------------------------------------------------------- */
struct cursor { /* in one stream of the index */
    struct id stream;
    uint64_t since;
    struct log_index_row *row;
    unsigned next;
};

struct reading {
    struct event_log *log;
    struct db_tx *tx;
    const struct id *streams;
    const uint64_t *since;
    size_t stream_count;
    uint64_t after;
    unsigned limit, given;
    event_fn *fn;
    void *arg;
    uint64_t last; /* position given last */
    bool stopped;
    struct log_source source;
    struct cursor **heap; /* least position on top */
    size_t heap_count;
};

static int give(struct reading *r, const struct event *event, struct error *err)
{
    int rc = r->fn(event, r->arg, err);
    if (rc < 0)
        return rc;
    r->last = event->pos;
    r->given++;
    r->stopped = rc == 1 || r->given == r->limit;
    return 0;
}

/* --- from the index -------------------------------------------------------------------------- */
static uint64_t cursor_pos(const struct cursor *c)
{
    return c->row->positions[c->next];
}

/* Moves to the stream's first position > after and <= through: 1, 0 when there is none. */
static int cursor_seek(struct reading *r, struct cursor *c, uint64_t after, uint64_t through,
                       struct error *err)
{
    if (c->row == NULL || after >= c->row->last_pos) {
        struct log_index_row row;
        int rc = log_index_row_after(r->tx, &c->stream, after, &row, err);
        if (rc != 1 || row.first_pos > through)
            return rc < 0 ? rc : 0;
        size_t bytes = offsetof(struct log_index_row, positions) + row.count * sizeof(uint64_t);
        c->row = xrealloc(c->row, bytes);
        memcpy(c->row, &row, bytes);
        c->next = 0;
    }
    while (cursor_pos(c) <= after)
        c->next++;
    return cursor_pos(c) <= through;
}

static void heap_down(struct reading *r, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= r->heap_count)
            return;
        if (child + 1 < r->heap_count &&
            cursor_pos(r->heap[child + 1]) < cursor_pos(r->heap[child]))
            child++;
        if (cursor_pos(r->heap[i]) <= cursor_pos(r->heap[child]))
            return;
        struct cursor *c = r->heap[i];
        r->heap[i] = r->heap[child];
        r->heap[child] = c;
        i = child;
    }
}

static int give_position(struct reading *r, uint64_t pos, struct error *err)
{
    struct event event;
    int rc = log_source_at(&r->source, pos, &event, err);
    return rc == 1 ? give(r, &event, err) : rc; /* 0: trimmed */
}

static int open_cursors(struct reading *r, struct cursor *cursors, uint64_t through,
                        struct error *err)
{
    for (size_t i = 0; i < r->stream_count; i++) {
        uint64_t after = r->after;
        if (r->since != NULL && r->since[i] > after)
            after = r->since[i] - 1;
        cursors[i].stream = r->streams[i];
        int rc = after < through ? cursor_seek(r, &cursors[i], after, through, err) : 0;
        if (rc < 0)
            return rc;
        if (rc == 1)
            r->heap[r->heap_count++] = &cursors[i];
    }
    for (size_t i = r->heap_count / 2; i-- > 0;)
        heap_down(r, i);
    return 0;
}

static int merge_cursors(struct reading *r, uint64_t through, struct error *err)
{
    while (r->heap_count > 0 && !r->stopped) {
        struct cursor *c = r->heap[0];
        uint64_t pos = cursor_pos(c);
        int rc = give_position(r, pos, err);
        if (rc == 0 && !r->stopped)
            rc = cursor_seek(r, c, pos, through, err);
        if (rc < 0)
            return rc;
        if (rc == 0 && !r->stopped)
            r->heap[0] = r->heap[--r->heap_count];
        heap_down(r, 0);
    }
    return 0;
}

static int give_index(struct reading *r, uint64_t through, struct error *err)
{
    if (r->after >= through || r->stream_count == 0)
        return 0;
    struct cursor *cursors = xcalloc(r->stream_count, sizeof *cursors);
    r->heap = xcalloc(r->stream_count, sizeof(struct cursor *));
    int rc = open_cursors(r, cursors, through, err);
    if (rc == 0)
        rc = merge_cursors(r, through, err);
    for (size_t i = 0; i < r->stream_count; i++)
        free(cursors[i].row);
    free(cursors);
    free(r->heap);
    return rc;
}

/* --- from the log ---------------------------------------------------------------------------- */
static bool wanted(const struct reading *r, const struct event *event)
{
    for (size_t i = 0; i < r->stream_count; i++)
        if (id_eq(&r->streams[i], &event->stream))
            return r->since == NULL || event->pos >= r->since[i];
    return false;
}

static int give_range(struct reading *r, uint64_t after, uint64_t through, struct error *err)
{
    struct event event;
    if (r->stopped || after >= through)
        return 0;
    int rc = log_source_open(&r->source, after, through, err);
    while (rc == 0 && !r->stopped && (rc = log_source_next(&r->source, &event, err)) == 1)
        rc = wanted(r, &event) ? give(r, &event, err) : 0;
    log_source_close(&r->source);
    return rc < 0 ? rc : 0;
}

/* --- all of it ------------------------------------------------------------------------------- */
static int give_picks(struct reading *r, const struct log_picks *picks, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && !r->stopped && i < picks->count; i++)
        rc = give(r, picks->entries[i].event, err);
    return rc;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greatest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

int event_log_read_streams(struct event_log *log, struct db_tx *tx, uint64_t after,
                           const struct id *streams, const uint64_t *since, size_t stream_count,
                           unsigned limit, event_fn *fn, void *arg, uint64_t *ret_through,
                           struct error *err)
{
    panic_if(limit == 0, "event_log_read_streams with limit 0");
    struct reading r = {.log = log,
                        .tx = tx,
                        .streams = streams,
                        .since = since,
                        .stream_count = stream_count,
                        .after = after,
                        .limit = limit,
                        .fn = fn,
                        .arg = arg};
    log_source_init(&r.source, log, tx);
    uint64_t snapshot_folded = 0, head = 0, folded;
    int rc = snapshot_state(log, tx, &snapshot_folded, &head, err);
    if (rc != 0)
        return rc;
    struct log_picks picks;
    log_tail_pick(&log->tail, streams, since, stream_count, after, head, limit, &picks, &folded);
    uint64_t low = least(snapshot_folded, folded);
    rc = give_index(&r, least(low, head), err);
    if (rc == 0)
        rc = give_range(&r, greatest(after, low), least(folded, head), err);
    if (rc == 0)
        rc = give_picks(&r, &picks, err);
    log_picks_done(&picks);
    log_source_done(&r.source);
    if (rc == 0)
        *ret_through = r.stopped ? r.last : greatest(head, after);
    return rc;
}
