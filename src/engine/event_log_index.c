/* The stream index: for each stream the positions of its events, in rows of up to LOG_INDEX_ROW
 * positions as differences in 7-bit groups. It follows the log by the fold, sorted by stream, so
 * that a page is written once for many events.
 *
 * Folding the same positions again changes nothing: what a stream's last row holds already is
 * skipped. Rows may hold positions above `folded` after a crash in the middle of a round; readers
 * cut them off.
 */
#include <stdlib.h>

#include "engine/event_log_private.h"

static const struct db_sql select_last = {
    "SELECT first_pos, last_pos, count, positions FROM log_stream"
    " WHERE stream = ?1 ORDER BY first_pos DESC LIMIT 1"};
static const struct db_sql select_after = {
    "SELECT first_pos, last_pos, count, positions FROM log_stream"
    " WHERE stream = ?1 AND last_pos > ?2 AND first_pos >="
    " (SELECT coalesce(max(first_pos), 0) FROM log_stream WHERE stream = ?1 AND first_pos <= ?2)"
    " ORDER BY first_pos LIMIT 1"};
static const struct db_sql put_row = {
    "INSERT INTO log_stream (stream, first_pos, last_pos, count, positions)"
    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (stream, first_pos) DO UPDATE"
    " SET last_pos = excluded.last_pos, count = excluded.count, positions = excluded.positions"};

enum { STREAMS_PER_LOOK = 4, ROW_BYTES_MAX = LOG_INDEX_ROW * 10 };

/* --- rows ------------------------------------------------------------------------------------ */
static void put_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_char(out, (char)(value | 0x80));
    buf_char(out, (char)value);
}

static bool get_varint(struct slice *in, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; in->len > 0 && shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)*in->ptr++;
        in->len--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static int decode(const struct db_rows *rows, struct log_index_row *row, struct error *err)
{
    row->first_pos = (uint64_t)db_col_int(rows, 0);
    row->last_pos = (uint64_t)db_col_int(rows, 1);
    int64_t count = db_col_int(rows, 2);
    struct slice in = db_col_blob(rows, 3);
    uint64_t pos = row->first_pos, step;
    bool good = count > 0 && count <= LOG_INDEX_ROW;
    row->count = good ? (unsigned)count : 0;
    for (unsigned i = 0; good && i < row->count; i++) {
        row->positions[i] = pos;
        if (i + 1 < row->count) {
            good = get_varint(&in, &step) && step > 0;
            pos += good ? step : 0;
        }
    }
    if (!good || pos != row->last_pos)
        return error_set(err, FAIL_INTERNAL, "log_damaged",
                         "a row of the stream index at position %llu cannot be read",
                         (unsigned long long)row->first_pos);
    return 0;
}

static int query_row(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args,
                     size_t count, struct log_index_row *ret_row, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, sql, args, count, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc != 1)
        return rc;
    rc = decode(&rows, ret_row, err);
    db_rows_close(&rows);
    return rc == 0 ? 1 : rc;
}

int log_index_row_after(struct db_tx *tx, const struct id *stream, uint64_t after,
                        struct log_index_row *ret_row, struct error *err)
{
    const struct db_value args[] = {db_id(stream), db_int((int64_t)after)};
    return query_row(tx, &select_after, args, ARRAY_LEN(args), ret_row, err);
}

/* --- folding --------------------------------------------------------------------------------- */
static int by_id(const void *a, const void *b)
{
    const struct log_tail_stream *const *x = a, *const *y = b;
    return id_cmp(&(*x)->id, &(*y)->id);
}

/* The writer thread is the only one that changes the tail: it may look without locks, and the
 * streams stay where they are until the round has ended. */
void log_index_start(struct log_index_round *round, struct log_tail *tail, uint64_t through)
{
    round->streams = xrealloc(round->streams, (tail->streams + 1) * sizeof *round->streams);
    round->count = round->next = 0;
    round->through = through;
    for (unsigned i = 0; i < LOG_TAIL_SHARDS; i++) {
        struct map *map = &tail->shards[i].streams;
        for (struct map_node *n = map_first(map); n != NULL; n = map_next(map, n))
            round->streams[round->count++] = CONTAINER_OF(n, struct log_tail_stream, node);
    }
    qsort(round->streams, round->count, sizeof *round->streams, by_id);
    if (round->positions.max == 0)
        buf_init(&round->positions, ROW_BYTES_MAX);
}

void log_index_end(struct log_index_round *round)
{
    free(round->streams);
    buf_done(&round->positions);
    *round = (struct log_index_round){0};
}

static int store(struct log_index_round *round, struct db_tx *tx, const struct id *stream,
                 const struct log_index_row *row, struct error *err)
{
    struct buf *out = &round->positions;
    buf_clear(out);
    for (unsigned i = 1; i < row->count; i++)
        put_varint(out, row->positions[i] - row->positions[i - 1]);
    if (!buf_ok(out))
        return error_set(err, FAIL_INTERNAL, "log_index", "a row of the stream index is too long");
    return db_exec(tx, &put_row, err, db_id(stream), db_int((int64_t)row->positions[0]),
                   db_int((int64_t)row->positions[row->count - 1]), db_int(row->count),
                   db_blob(buf_view(out)));
}

static int fold_stream(struct log_index_round *round, struct db_tx *tx,
                       const struct log_tail_stream *stream, struct error *err)
{
    struct log_index_row row = {0};
    const struct db_value args[] = {db_id(&stream->id)};
    int rc = query_row(tx, &select_last, args, 1, &row, err);
    if (rc < 0)
        return rc;
    bool changed = false;
    rc = 0;
    for (unsigned i = stream->first; rc == 0 && i < stream->end; i++) {
        uint64_t pos = stream->entries[i].pos;
        if (pos > round->through)
            break;
        if (pos <= row.last_pos)
            continue;
        if (row.count == LOG_INDEX_ROW) {
            if (changed)
                rc = store(round, tx, &stream->id, &row, err);
            row.count = 0;
        }
        row.positions[row.count++] = pos;
        row.last_pos = pos;
        changed = true;
    }
    return rc == 0 && changed ? store(round, tx, &stream->id, &row, err) : rc;
}

int log_index_slice(struct log_index_round *round, struct db_tx *tx, int64_t until_ns,
                    bool *ret_more, struct error *err)
{
    int rc = 0;
    while (rc == 0 && round->next < round->count) {
        rc = fold_stream(round, tx, round->streams[round->next++], err);
        if (round->next % STREAMS_PER_LOOK == 0 && clock_mono_ns(db_clock(tx)) > until_ns)
            break;
    }
    *ret_more = round->next < round->count;
    return rc;
}
