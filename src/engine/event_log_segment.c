/* The bytes of a segment: heads, batches, records. Nothing here waits or touches a file. */
#include <stdlib.h>

#include "base/hash.h"
#include "engine/event_log_segment.h"

enum {
    BATCH_MAGIC = 0x42474c50, /* "PLGB"; longer than any record, so the two are told apart */
    CHECKED_FROM = 16,        /* of a batch: behind the check */
};
static const char head_magic[8] = "PLGSEG1";

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "segments are written as they lie in memory: little-endian machines only"
#endif

static uint32_t get32(const char *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint64_t get64(const char *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static void put32(char *at, uint32_t v)
{
    memcpy(at, &v, sizeof v);
}

static void put64(char *at, uint64_t v)
{
    memcpy(at, &v, sizeof v);
}

/* --- the head -------------------------------------------------------------------------------- */
void log_segment_put_head(char out[LOG_SEGMENT_HEAD], const uint8_t salt[16], uint64_t first,
                          struct log_segment_before before)
{
    memset(out, 0, LOG_SEGMENT_HEAD);
    memcpy(out, head_magic, sizeof head_magic);
    memcpy(out + 8, salt, 16);
    put64(out + 24, first);
    put64(out + 32, before.first);
    put64(out + 40, before.last);
    put64(out + 48, siphash13(salt, out, 48));
}

bool log_segment_get_head(const char in[LOG_SEGMENT_HEAD], const uint8_t salt[16],
                          uint64_t *ret_first, struct log_segment_before *ret_before)
{
    if (memcmp(in, head_magic, sizeof head_magic) != 0 || memcmp(in + 8, salt, 16) != 0 ||
        get64(in + 48) != siphash13(salt, in, 48))
        return false;
    *ret_first = get64(in + 24);
    *ret_before = (struct log_segment_before){get64(in + 32), get64(in + 40)};
    return *ret_first > 0;
}

/* --- batches and records --------------------------------------------------------------------- */
void log_segment_put_record(struct buf *out, const struct log_row *row)
{
    char head[LOG_RECORD_HEAD];
    put32(head, (uint32_t)(LOG_RECORD_HEAD + row->meta.len + row->data.len));
    put32(head + 4, row->type_number);
    put64(head + 8, row->pos);
    put64(head + 16, (uint64_t)row->at_ms);
    memcpy(head + 24, row->stream.bytes, 16);
    put32(head + 40, (uint32_t)row->meta.len);
    put32(head + 44, row->meta.ptr != NULL);
    buf_append(out, head, sizeof head);
    buf_slice(out, row->meta);
    buf_slice(out, row->data);
}

static bool get_record(struct slice in, struct log_segment_item *ret)
{
    if (in.len < LOG_RECORD_HEAD)
        return false;
    uint32_t bytes = get32(in.ptr), meta = get32(in.ptr + 40);
    if (bytes < LOG_RECORD_HEAD || bytes > LOG_RECORD_BYTES_MAX || bytes > in.len ||
        meta > bytes - LOG_RECORD_HEAD)
        return false;
    const char *body = in.ptr + LOG_RECORD_HEAD;
    *ret = (struct log_segment_item){.bytes = bytes};
    ret->row = (struct log_row){.type_number = get32(in.ptr + 4),
                                .pos = get64(in.ptr + 8),
                                .at_ms = (int64_t)get64(in.ptr + 16),
                                .data = slice_of(body + meta, bytes - LOG_RECORD_HEAD - meta)};
    memcpy(ret->row.stream.bytes, in.ptr + 24, 16);
    if (get32(in.ptr + 44) != 0)
        ret->row.meta = slice_of(body, meta);
    return true;
}

bool log_segment_get_item(struct slice in, struct log_segment_item *ret)
{
    if (in.len < LOG_BATCH_HEAD || get32(in.ptr) != BATCH_MAGIC)
        return get_record(in, ret);
    *ret = (struct log_segment_item){.batch = true,
                                     .bytes = LOG_BATCH_HEAD,
                                     .body = get32(in.ptr + 4),
                                     .check = get64(in.ptr + 8),
                                     .events = get32(in.ptr + 24)};
    ret->row.pos = get64(in.ptr + 16);
    return true;
}

size_t log_segment_item_bytes(struct slice in)
{
    uint32_t bytes = in.len >= 4 ? get32(in.ptr) : 0;
    if (bytes == BATCH_MAGIC)
        return LOG_BATCH_HEAD;
    return bytes < LOG_RECORD_BYTES_MAX ? bytes : LOG_RECORD_BYTES_MAX;
}

/* Everything behind the check, and the length, which stands before it. */
static uint64_t check_of(const char *batch, size_t bytes, const uint8_t salt[16])
{
    return siphash13(salt, batch + CHECKED_FROM, bytes - CHECKED_FROM) ^ bytes;
}

void log_segment_seal_batch(struct buf *batch, const uint8_t salt[16], uint64_t first,
                            uint32_t events)
{
    char *head = batch->ptr;
    memset(head, 0, LOG_BATCH_HEAD);
    put32(head, BATCH_MAGIC);
    put32(head + 4, (uint32_t)(batch->len - LOG_BATCH_HEAD));
    put64(head + 16, first);
    put32(head + 24, events);
    put64(head + 8, check_of(head, batch->len, salt));
}

/* Whether a whole and unaltered batch begins here. */
static bool check_batch(struct slice in, const uint8_t salt[16], struct log_segment_item *ret_head)
{
    return log_segment_get_item(in, ret_head) && ret_head->batch && ret_head->events > 0 &&
           ret_head->body <= in.len - LOG_BATCH_HEAD &&
           check_of(in.ptr, LOG_BATCH_HEAD + ret_head->body, salt) == ret_head->check;
}

/* --- what a segment holds -------------------------------------------------------------------- */
void log_extent_mark(struct log_segment_extent *e, uint64_t pos, uint64_t offset)
{
    if (e->mark_count != 0 && offset < e->marks[e->mark_count - 1].offset + LOG_SEGMENT_MARK)
        return;
    if (e->mark_count == e->mark_cap) {
        e->mark_cap = e->mark_cap != 0 ? e->mark_cap * 2 : 64;
        e->marks = xrealloc(e->marks, e->mark_cap * sizeof *e->marks);
    }
    e->marks[e->mark_count++] = (struct log_segment_mark){pos, offset};
}

/* The records of a batch that is whole: false when they are not what the head says. */
static bool scan_records(struct log_segment_extent *e, struct slice file, uint64_t from,
                         const struct log_segment_item *head)
{
    struct log_segment_item item;
    uint64_t at = from + LOG_BATCH_HEAD, end = at + head->body;
    log_extent_mark(e, head->row.pos, from);
    for (uint32_t i = 0; i < head->events; i++, at += item.bytes) {
        if (at >= end || !log_segment_get_item(slice_of(file.ptr + at, end - at), &item) ||
            item.batch || item.row.pos <= e->last || (i == 0 && item.row.pos != head->row.pos))
            return false;
        if (i != 0)
            log_extent_mark(e, item.row.pos, at);
        if (e->first_at == 0)
            e->first_at = item.row.at_ms;
        e->last = item.row.pos;
        e->last_at = item.row.at_ms;
    }
    e->bytes = end;
    return at == end;
}

static bool batch_follows(struct slice file, uint64_t from, const uint8_t salt[16])
{
    static const uint32_t magic = BATCH_MAGIC;
    struct log_segment_item head;
    while (from < file.len) {
        const char *found = memmem(file.ptr + from, file.len - from, &magic, sizeof magic);
        if (found == NULL)
            return false;
        from = (uint64_t)(found - file.ptr);
        if (check_batch(slice_of(found, file.len - from), salt, &head))
            return true;
        from++;
    }
    return false;
}

void log_segment_scan(struct slice file, const uint8_t salt[16], uint64_t first, uint64_t void_at,
                      struct log_segment_extent *e, bool *ret_broken, bool *ret_more)
{
    struct log_segment_item head;
    *e = (struct log_segment_extent){.last = first - 1, .bytes = LOG_SEGMENT_HEAD};
    *ret_broken = *ret_more = false;
    while (e->bytes < file.len) {
        uint64_t at = e->bytes;
        bool whole = check_batch(slice_of(file.ptr + at, file.len - at), salt, &head);
        if (whole && head.row.pos >= void_at)
            return;
        if (!whole || head.row.pos <= e->last || !scan_records(e, file, at, &head)) {
            e->bytes = at;
            *ret_broken = true;
            *ret_more = whole || batch_follows(file, at + 1, salt);
            return;
        }
    }
}
