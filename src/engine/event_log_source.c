/* Table and segments as one: both are ordered by position and share none, so reading is a merge. */
#include <stdlib.h>

#include "engine/event_log_private.h"

static const struct db_sql select_range = {
    "SELECT pos, at, type, stream, data, meta FROM log WHERE pos > ?1 AND pos <= ?2 ORDER BY pos"};
static const struct db_sql select_one = {
    "SELECT pos, at, type, stream, data, meta FROM log WHERE pos = ?1"};

/* --- which positions are rows ----------------------------------------------------------------- */
void log_table_add(struct log_table_ranges *r, uint64_t first, uint64_t last)
{
    pthread_mutex_lock(&r->lock);
    struct log_table_range *slot = &r->ring[r->added % ARRAY_LEN(r->ring)];
    if (r->added >= ARRAY_LEN(r->ring))
        r->whole_from = slot->last;
    *slot = (struct log_table_range){first, last};
    r->added++;
    pthread_mutex_unlock(&r->lock);
}

uint64_t log_table_whole(struct log_table_ranges *r, uint64_t seen, uint64_t head)
{
    if (seen >= head)
        return head;
    pthread_mutex_lock(&r->lock);
    uint64_t whole = head,
             oldest = r->added > ARRAY_LEN(r->ring) ? r->added - ARRAY_LEN(r->ring) : 0;
    if (seen < r->whole_from) { /* forgotten: what was seen is certain */
        whole = seen;
    } else {
        for (uint64_t i = r->added; i-- > oldest;) {
            const struct log_table_range *range = &r->ring[i % ARRAY_LEN(r->ring)];
            if (range->last <= seen)
                break;
            whole = (range->first > seen ? range->first - 1 : seen);
        }
    }
    pthread_mutex_unlock(&r->lock);
    return whole < head ? whole : head;
}

/* --- the merge -------------------------------------------------------------------------------- */
void log_source_init(struct log_source *s, struct event_log *log, struct db_tx *tx)
{
    *s = (struct log_source){
        .log = log, .tx = tx, .reader = {.log = log}, .cursor = {.segments = &log->segments}};
}

static int step_table(struct log_source *s, struct error *err)
{
    int rc = s->rows_open ? db_next(&s->rows, err) : 0;
    s->row_waits = rc == 1;
    if (rc == 1)
        s->row = log_row_of(&s->rows);
    else
        s->rows_open = false; /* it has closed itself */
    return rc < 0 ? rc : 0;
}

static int step_segments(struct log_source *s, uint64_t after, struct error *err)
{
    int rc = log_segment_next(&s->cursor, after, s->through, &s->record, err);
    s->record_waits = rc == 1;
    return rc < 0 ? rc : 0;
}

int log_source_open(struct log_source *s, uint64_t after, uint64_t through, struct error *err)
{
    s->through = through < INT64_MAX ? through : INT64_MAX;
    s->given = after < INT64_MAX ? after : INT64_MAX;
    int rc = db_query(s->tx, &select_range, &s->rows, err, db_int((int64_t)s->given),
                      db_int((int64_t)s->through));
    s->rows_open = rc == 0;
    if (rc == 0)
        rc = step_table(s, err);
    if (rc == 0)
        rc = step_segments(s, s->given, err);
    if (rc != 0)
        log_source_close(s);
    return rc;
}

/* The one given last is stepped over only now: its bytes had to stay. */
static int step(struct log_source *s, struct error *err)
{
    int rc = 0;
    if (s->row_waits && s->row.pos <= s->given)
        rc = step_table(s, err);
    if (rc == 0 && s->record_waits && s->record.pos <= s->given)
        rc = step_segments(s, s->given, err);
    return rc;
}

int log_source_next(struct log_source *s, struct event *ret_event, struct error *err)
{
    int rc = step(s, err);
    if (rc != 0 || (!s->row_waits && !s->record_waits))
        return rc;
    bool from_table = s->row_waits && (!s->record_waits || s->row.pos < s->record.pos);
    const struct log_row *row = from_table ? &s->row : &s->record;
    rc = log_row_event(&s->reader, row, ret_event, err);
    s->given = row->pos;
    return rc == 0 ? 1 : rc;
}

static int row_at(struct log_source *s, uint64_t pos, struct error *err)
{
    int rc = db_query(s->tx, &select_one, &s->rows, err, db_int((int64_t)pos));
    s->rows_open = rc == 0;
    return rc == 0 ? step_table(s, err) : rc;
}

int log_source_at(struct log_source *s, uint64_t pos, struct event *ret_event, struct error *err)
{
    log_source_close(s);
    int rc = log_segment_next(&s->cursor, pos - 1, pos, &s->record, err);
    const struct log_row *row = &s->record;
    if (rc == 0) {
        rc = row_at(s, pos, err);
        if (rc != 0 || !s->row_waits)
            return rc;
        row = &s->row;
    }
    if (rc < 0)
        return rc;
    rc = log_row_event(&s->reader, row, ret_event, err);
    return rc == 0 ? 1 : rc;
}

void log_source_close(struct log_source *s)
{
    if (s->rows_open)
        db_rows_close(&s->rows);
    s->rows_open = s->row_waits = s->record_waits = false;
}

void log_source_done(struct log_source *s)
{
    log_source_close(s);
    log_segment_cursor_done(&s->cursor);
    log_row_reader_done(&s->reader);
}
