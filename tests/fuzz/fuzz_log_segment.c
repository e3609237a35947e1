/* A segment of the log: whatever stands in the file is scanned within bounds; what counts is whole,
 * in order, and found again from every mark. The first byte says whether the checks of batches are
 * put right first, so that what lies behind them is reached. */
#include <stdlib.h>

#include "engine/event_log_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t salt[16] = "fuzzing segments";

static void put_checks_right(struct slice file)
{
    struct log_segment_item head;
    for (size_t at = LOG_SEGMENT_HEAD; at < file.len; at += LOG_BATCH_HEAD + head.body) {
        struct slice rest = slice_of(file.ptr + at, file.len - at);
        if (!log_segment_get_item(rest, &head) || !head.batch ||
            head.body > rest.len - LOG_BATCH_HEAD)
            return;
        struct buf batch = {.ptr = (char *)(uintptr_t)rest.ptr,
                            .len = LOG_BATCH_HEAD + head.body,
                            .cap = rest.len,
                            .max = rest.len};
        log_segment_seal_batch(&batch, salt, head.row.pos, head.events);
    }
}

static void walk(struct slice file, const struct log_segment_extent *e,
                 const struct log_segment_mark *mark)
{
    struct log_segment_item item;
    uint64_t last = mark->pos - 1;
    panic_if(mark->offset >= e->bytes, "a mark outside");
    for (uint64_t at = mark->offset; at < e->bytes; at += item.bytes) {
        panic_if(!log_segment_get_item(slice_of(file.ptr + at, e->bytes - at), &item),
                 "an item that counts cannot be read");
        panic_if(!item.batch && item.row.pos <= last, "positions go back");
        if (!item.batch)
            last = item.row.pos;
    }
    panic_if(last != e->last, "the last position is another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_segment_extent extent;
    bool broken, more;
    if (size < 1)
        return 0;
    size_t len = LOG_SEGMENT_HEAD + size - 1;
    char *bytes = xcalloc(1, len);
    memcpy(bytes + LOG_SEGMENT_HEAD, data + 1, size - 1);
    struct slice file = slice_of(bytes, len);
    if (data[0] & 1)
        put_checks_right(file);
    log_segment_scan(file, salt, 1, data[0] & 2 ? 100 : UINT64_MAX, &extent, &broken, &more);
    panic_if(extent.bytes > len || (more && !broken), "what counts is longer than the file");
    if (!broken || !more)
        for (size_t i = 0; i < extent.mark_count; i++)
            walk(file, &extent, &extent.marks[i]);
    free(extent.marks);
    free(bytes);
    return 0;
}
