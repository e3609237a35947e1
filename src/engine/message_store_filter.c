/* Blocked Bloom filters in front of the client ids' rows: a new id is nearly always known to be new
 * by one cache line for each of them.
 *
 * A generation, 16 bits an id, holds the ids of MESSAGE_FILTER_RUNS runs. Once MESSAGE_WIDE_RUNS
 * runs are full, their eight generations are merged into one wide filter: with a hundred million
 * messages a look takes twenty lines then, not a hundred. A wide filter has a part for each bucket
 * of the rows, because a part can be made by itself, from that bucket's row of each run, and is a
 * row of message_wide as soon as it is made. Whoever appends ids does a step of that now and then:
 * the rows of one generation. A part that is there already answers in place of the eight. A wide
 * filter has 24 bits an id: its false alarms cost eight times the rows of a generation's.
 *
 * Parts that are lost with an undone slice are written again. The generations' own rows stay (2
 * bytes a message), so that whatever a crash leaves, each id is in one filter or the other.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "engine/db_one.h"
#include "engine/message_store_internal.h"

enum {
    LINE_BYTES = 64,
    LINES = MESSAGE_FILTER_BYTES / LINE_BYTES,
    PROBES = 7,
    GENERATIONS = MESSAGE_WIDE_RUNS / MESSAGE_FILTER_RUNS, /* of a wide filter */
    PART_BYTES = MESSAGE_WIDE_RUNS * (MESSAGE_KEY_RUN / MESSAGE_KEY_BUCKETS) * 3,
    PART_LINES = PART_BYTES / LINE_BYTES,
    WIDE_PROBES = 10,
    APPENDS_A_STEP = 4, /* a wide filter is made while as many ids come as two generations hold */
};

static const struct db_sql filters_sql = {
    "SELECT generation, data FROM message_filter WHERE generation >= ?1 ORDER BY generation"};
static const struct db_sql put_filter_sql = {
    "INSERT INTO message_filter (generation, data) VALUES (?1, ?2)"
    " ON CONFLICT (generation) DO UPDATE SET data = excluded.data"};
static const struct db_sql wides_sql = {"SELECT part, data FROM message_wide ORDER BY part"};
static const struct db_sql put_part_sql = {
    "INSERT INTO message_wide (part, data) VALUES (?1, ?2)"
    " ON CONFLICT (part) DO UPDATE SET data = excluded.data"};
static const struct db_sql parts_sql = {"SELECT coalesce(max(part) + 1, 0) FROM message_wide"};

/* --- lines ----------------------------------------------------------------------------------- */
static uint8_t *line_of(uint8_t *lines, size_t count, uint64_t hash)
{
    return lines + (size_t)((hash & 0xffffffff) * count >> 32) * LINE_BYTES;
}

/* Nine bits for each probe: seven of them in a word, and then the next word. */
static uint64_t probe_bits(uint64_t hash, int probe)
{
    return hash_mix(hash + (uint64_t)(probe / 7)) >> probe % 7 * 9;
}

static void line_add(uint8_t *line, uint64_t hash, int probes)
{
    for (int i = 0; i < probes; i++) {
        uint64_t bits = probe_bits(hash, i);
        line[bits >> 3 & 63] |= (uint8_t)(1 << (bits & 7));
    }
}

static bool line_has(const uint8_t *line, uint64_t hash, int probes)
{
    for (int i = 0; i < probes; i++) {
        uint64_t bits = probe_bits(hash, i);
        if ((line[bits >> 3 & 63] >> (bits & 7) & 1) == 0)
            return false;
    }
    return true;
}

static uint8_t *wide_line(const struct message_filter *filter, unsigned wide, uint64_t hash)
{
    uint8_t *part = filter->wides[wide] + (size_t)message_key_bucket(hash) * PART_BYTES;
    return line_of(part, PART_LINES, hash);
}

/* How many wide filters can answer for this id. */
static unsigned wides_for(const struct message_filter *filter, uint64_t hash)
{
    return filter->wide_count + (message_key_bucket(hash) < filter->parts);
}

/* --- asking ---------------------------------------------------------------------------------- */
void message_filter_prefetch(const struct message_filter *filter, uint64_t hash)
{
    unsigned wides = wides_for(filter, hash);
    for (unsigned i = 0; i < wides; i++)
        __builtin_prefetch(wide_line(filter, i, hash));
    for (unsigned i = wides * GENERATIONS; i < filter->count; i++)
        __builtin_prefetch(line_of(filter->generations[i], LINES, hash));
}

bool message_filter_perhaps(const struct message_filter *filter, uint64_t hash)
{
    unsigned wides = wides_for(filter, hash);
    for (unsigned i = filter->count; i-- > wides * GENERATIONS;)
        if (line_has(line_of(filter->generations[i], LINES, hash), hash, PROBES))
            return true;
    for (unsigned i = wides; i-- > 0;)
        if (line_has(wide_line(filter, i, hash), hash, WIDE_PROBES))
            return true;
    return false;
}

bool message_filter_may_hold(const struct message_filter *filter, unsigned generation,
                             uint64_t hash)
{
    unsigned wide = generation / GENERATIONS;
    if (wide < wides_for(filter, hash))
        return line_has(wide_line(filter, wide, hash), hash, WIDE_PROBES);
    return line_has(line_of(filter->generations[generation], LINES, hash), hash, PROBES);
}

/* --- generations ----------------------------------------------------------------------------- */
static void grow(struct message_filter *filter, unsigned generation)
{
    while (filter->count <= generation) {
        size_t count = (size_t)filter->count + 1;
        filter->generations = xrealloc(filter->generations, count * sizeof *filter->generations);
        filter->generations[filter->count++] = xcalloc(1, MESSAGE_FILTER_BYTES);
    }
}

void message_filter_add(struct message_filter *filter, unsigned generation,
                        const struct message_key_item *items, size_t count)
{
    grow(filter, generation);
    uint8_t *lines = filter->generations[generation];
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(line_of(lines, LINES, items[i].hash), 1);
    for (size_t i = 0; i < count; i++)
        line_add(line_of(lines, LINES, items[i].hash), items[i].hash, PROBES);
}

int message_filter_save(const struct message_filter *filter, struct db_tx *tx, unsigned generation,
                        struct error *err)
{
    struct slice data = {(const char *)filter->generations[generation], MESSAGE_FILTER_BYTES};
    return db_exec(tx, &put_filter_sql, err, db_int(generation), db_blob(data));
}

/* --- wide filters ---------------------------------------------------------------------------- */
static uint8_t *wide_next(struct message_filter *filter)
{
    if (filter->wides_made == filter->wide_count) {
        size_t count = (size_t)filter->wides_made + 1;
        filter->wides = xrealloc(filter->wides, count * sizeof *filter->wides);
        filter->wides[filter->wides_made++] = xcalloc(MESSAGE_KEY_BUCKETS, PART_BYTES);
    }
    return filter->wides[filter->wide_count];
}

static int64_t next_part(const struct message_filter *filter)
{
    return (int64_t)filter->wide_count * MESSAGE_KEY_BUCKETS + filter->parts;
}

static int put_part(const struct message_filter *filter, struct db_tx *tx, int64_t row,
                    struct error *err)
{
    const uint8_t *wide = filter->wides[row / MESSAGE_KEY_BUCKETS];
    const uint8_t *part = wide + (size_t)(row % MESSAGE_KEY_BUCKETS) * PART_BYTES;
    return db_exec(tx, &put_part_sql, err, db_int(row),
                   db_blob(slice_of((const char *)part, PART_BYTES)));
}

/* A slice was undone, and perhaps the rows of parts with it. */
static int put_lost_parts(struct message_filter *filter, struct db_tx *tx, struct error *err)
{
    int64_t there;
    int rc = db_one_int_n(tx, &parts_sql, NULL, 0, &there, err);
    for (; rc == 0 && there < next_part(filter); there++)
        rc = put_part(filter, tx, there, err);
    if (rc == 0)
        filter->stale = false;
    return rc;
}

/* The next part is complete: from now on it answers. */
static void part_done(struct message_filter *filter)
{
    if (++filter->parts < MESSAGE_KEY_BUCKETS)
        return;
    filter->parts = 0;
    unsigned first = filter->wide_count++ * GENERATIONS;
    for (unsigned i = first; i < first + GENERATIONS; i++) {
        free(filter->generations[i]);
        filter->generations[i] = NULL;
    }
}

static void add_rows(struct slice data, uint8_t *part)
{
    for (size_t at = 0; at + MESSAGE_KEY_BYTES <= data.len; at += MESSAGE_KEY_BYTES) {
        uint64_t hash = message_key_item_at(data.ptr + at).hash;
        line_add(line_of(part, PART_LINES, hash), hash, WIDE_PROBES);
    }
}

static int merge_step(struct message_filter *filter, struct db_tx *tx, struct error *err)
{
    uint8_t *part = wide_next(filter) + (size_t)filter->parts * PART_BYTES;
    if (filter->step == 0)
        memset(part, 0, PART_BYTES);
    struct db_rows rows;
    int rc = message_keys_rows(tx, filter->wide_count * GENERATIONS + filter->step, filter->parts,
                               &rows, err);
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        add_rows(db_col_blob(&rows, 0), part);
        rc = 0;
    }
    if (rc != 0 || ++filter->step < GENERATIONS)
        return rc;
    filter->step = 0;
    rc = put_part(filter, tx, next_part(filter), err);
    if (rc == 0)
        part_done(filter);
    return rc;
}

int message_filter_merge(struct message_filter *filter, struct db_tx *tx, uint64_t full_runs,
                         struct error *err)
{
    uint64_t wanted = ((uint64_t)filter->wide_count + 1) * MESSAGE_WIDE_RUNS;
    if (full_runs < wanted || ++filter->appends % APPENDS_A_STEP != 0)
        return 0;
    int rc = filter->stale ? put_lost_parts(filter, tx, err) : 0;
    return rc == 0 ? merge_step(filter, tx, err) : rc;
}

/* --- start ----------------------------------------------------------------------------------- */
static int damaged(struct db_rows *rows, struct error *err)
{
    db_rows_close(rows);
    return error_set(err, FAIL_INTERNAL, "damaged_filter",
                     "The message filter in the database is damaged.");
}

static int load_wides(struct message_filter *filter, struct db_tx *tx, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &wides_sql, NULL, 0, &rows, err);
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        struct slice data = db_col_blob(&rows, 1);
        if (db_col_int(&rows, 0) != next_part(filter) || data.len != PART_BYTES)
            return damaged(&rows, err);
        memcpy(wide_next(filter) + (size_t)filter->parts * PART_BYTES, data.ptr, PART_BYTES);
        if (++filter->parts == MESSAGE_KEY_BUCKETS) {
            filter->parts = 0;
            filter->wide_count++;
        }
        rc = 0;
    }
    return rc;
}

int message_filter_load(struct message_filter *filter, struct db_tx *tx, struct error *err)
{
    int rc = load_wides(filter, tx, err);
    if (rc != 0)
        return rc;
    filter->count = filter->wide_count * GENERATIONS;
    filter->generations = xcalloc((size_t)filter->count + 1, sizeof *filter->generations);
    struct db_rows rows;
    rc = db_query(tx, &filters_sql, &rows, err, db_int(filter->count));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        struct slice data = db_col_blob(&rows, 1);
        if (db_col_int(&rows, 0) != filter->count || data.len != MESSAGE_FILTER_BYTES)
            return damaged(&rows, err);
        grow(filter, filter->count);
        memcpy(filter->generations[filter->count - 1], data.ptr, MESSAGE_FILTER_BYTES);
        rc = 0;
    }
    return rc;
}

void message_filter_done(struct message_filter *filter)
{
    for (unsigned i = 0; i < filter->count; i++)
        free(filter->generations[i]);
    for (unsigned i = 0; i < filter->wides_made; i++)
        free(filter->wides[i]);
    free(filter->generations);
    free(filter->wides);
}
