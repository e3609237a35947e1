/* Reading segments upwards by position: a mark says where to begin, blocks are read from there. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/event_log_segment.h"

/* --- where to begin --------------------------------------------------------------------------- */
/* The last mark at or before `pos`. */
static struct log_segment_mark mark_before(const struct log_segment *segment, uint64_t pos)
{
    const struct log_segment_extent *e = &segment->extent;
    size_t low = 0, high = e->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->marks[middle].pos <= pos)
            low = middle + 1;
        else
            high = middle;
    }
    return low != 0 ? e->marks[low - 1]
                    : (struct log_segment_mark){segment->first, LOG_SEGMENT_HEAD};
}

static struct log_segment *segment_after(const struct log_segment_cursor *c, uint64_t after)
{
    struct log_segment *segment = c->segment, *oldest = c->segments->oldest;
    if (segment == NULL || after + 1 < segment->first || oldest == NULL ||
        segment->first < oldest->first) /* dropped: what follows it may be gone too */
        segment = oldest;
    while (segment != NULL && segment->extent.last <= after)
        segment = segment->next;
    return segment;
}

/* Goes to the segment that holds the first position > after, and there at least as far as the mark
 * before it. False: none does. */
static bool seek(struct log_segment_cursor *c, uint64_t after)
{
    struct log_segment *old = c->segment;
    pthread_mutex_lock(&c->segments->lock);
    struct log_segment *found = segment_after(c, after);
    if (found != NULL) {
        struct log_segment_mark mark = mark_before(found, after + 1);
        if (found != old || c->pos > after || c->offset < mark.offset) {
            c->offset = mark.offset;
            c->pos = mark.pos - 1;
        }
        c->end = found->extent.bytes;
        atomic_fetch_add_explicit(&found->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&c->segments->lock);
    if (found == NULL)
        return false;
    if (found != old)
        c->block_len = 0;
    log_segment_unref(old);
    c->segment = found;
    return true;
}

/* --- blocks ----------------------------------------------------------------------------------- */
/* At least `bytes` from c->offset on are in the block, or all that there is. */
static int fill(struct log_segment_cursor *c, size_t bytes, struct error *err)
{
    uint64_t left = c->end - c->offset;
    if (bytes > left)
        bytes = (size_t)left;
    if (c->offset >= c->block_offset && c->offset + bytes <= c->block_offset + c->block_len)
        return 0;
    size_t want = bytes > LOG_SEGMENT_MARK ? bytes : LOG_SEGMENT_MARK;
    if (want > left)
        want = (size_t)left;
    if (c->block_cap < want) {
        c->block = xrealloc(c->block, want);
        c->block_cap = want;
    }
    c->block_len = 0;
    c->block_offset = c->offset;
    while (c->block_len < want) {
        ssize_t got = pread(c->segment->fd, c->block + c->block_len, want - c->block_len,
                            (off_t)(c->offset + c->block_len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_errno(err, got < 0 ? errno : EIO, "log_read",
                               "a file of %s cannot be read", c->segments->folder);
        c->block_len += (size_t)got;
    }
    return 0;
}

static int item_here(struct log_segment_cursor *c, struct log_segment_item *ret, struct error *err)
{
    size_t bytes = LOG_RECORD_HEAD;
    for (int pass = 0; pass < 2; pass++) { /* its head says how long it is */
        int rc = fill(c, bytes, err);
        if (rc != 0)
            return rc;
        size_t in = (size_t)(c->offset - c->block_offset);
        struct slice here = slice_of(c->block + in, c->block_len - in);
        if (log_segment_get_item(here, ret))
            return 0;
        bytes = log_segment_item_bytes(here);
    }
    return error_set(err, FAIL_INTERNAL, "log_damaged",
                     "a file of %s cannot be understood at byte %llu", c->segments->folder,
                     (unsigned long long)c->offset);
}

/* The first record > after from where the cursor stands: 1, or 0 at the segment's end or at a
 * record > through, before which it stays. */
static int scan(struct log_segment_cursor *c, uint64_t after, uint64_t through,
                struct log_row *ret_row, bool *ret_beyond, struct error *err)
{
    struct log_segment_item item;
    while (c->offset < c->end) {
        int rc = item_here(c, &item, err);
        if (rc != 0)
            return rc;
        *ret_beyond = !item.batch && item.row.pos > through;
        if (*ret_beyond)
            return 0;
        c->offset += item.bytes;
        if (item.batch)
            continue;
        c->pos = item.row.pos;
        if (item.row.pos > after) {
            *ret_row = item.row;
            return 1;
        }
    }
    return 0;
}

int log_segment_next(struct log_segment_cursor *c, uint64_t after, uint64_t through,
                     struct log_row *ret_row, struct error *err)
{
    bool beyond = false;
    if (after >= through)
        return 0;
    if (c->segment != NULL && c->pos == after) { /* going on: no lock, no search */
        int rc = scan(c, after, through, ret_row, &beyond, err);
        if (rc != 0 || beyond)
            return rc;
    }
    return seek(c, after) ? scan(c, after, through, ret_row, &beyond, err) : 0;
}

void log_segment_cursor_done(struct log_segment_cursor *c)
{
    log_segment_unref(c->segment);
    free(c->block);
    *c = (struct log_segment_cursor){0};
}
