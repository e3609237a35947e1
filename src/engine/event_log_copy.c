/* A backup is one file: what the segments hold becomes rows of the copy's table, so that it is
 * whole by itself, and whoever restores it begins with no segments. */
#include "engine/event_log_private.h"

static const struct db_sql no_segments = {
    "UPDATE log_state SET segments = 0, head = max(head, ?1), first = max(first, ?2)"};

enum { ROWS_PER_STEP = 1000 };

static int add_rows(struct log_copy *copy, struct db_tx *tx, bool *ret_more, struct error *err)
{
    struct log_row row;
    int rc = 0;
    for (unsigned i = 0; i < ROWS_PER_STEP; i++) {
        rc = log_segment_next(&copy->cursor, copy->after, copy->through, &row, err);
        if (rc != 1)
            break;
        copy->after = row.pos;
        rc = log_row_insert(tx, &row, err);
        if (rc != 0)
            break;
        *ret_more = i + 1 == ROWS_PER_STEP;
    }
    return rc < 0 ? rc : 0;
}

static int step(struct db_copy_hook *hook, struct db_tx *tx, bool first, bool *ret_more,
                struct error *err)
{
    struct log_copy *copy = CONTAINER_OF(hook, struct log_copy, hook);
    struct event_log *log = CONTAINER_OF(copy, struct event_log, copy);
    *ret_more = false;
    int rc = 0;
    if (first) {
        copy->running = true;
        copy->after = atomic_load(&log->first) - 1;
        copy->through = log_segments_last(&log->segments);
        copy->cursor = (struct log_segment_cursor){.segments = &log->segments};
        rc = db_exec(tx, &no_segments, err, db_int((int64_t)copy->through),
                     db_int((int64_t)copy->after + 1));
    }
    return rc == 0 ? add_rows(copy, tx, ret_more, err) : rc;
}

static void ended(struct db_copy_hook *hook)
{
    struct log_copy *copy = CONTAINER_OF(hook, struct log_copy, hook);
    log_segment_cursor_done(&copy->cursor);
    copy->running = false;
}

void log_copy_init(struct event_log *log)
{
    log->copy.hook = (struct db_copy_hook){.step = step, .ended = ended};
}
