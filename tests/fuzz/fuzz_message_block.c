/* Rows of message_block: whatever stands there is decoded within bounds or refused; what decodes is
 * the same after encoding and decoding again. */
#include <stdlib.h>

#include "engine/message_store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool decode(struct slice row, struct buf *scratch,
                   struct message_entry entries[MESSAGE_BLOCK], unsigned *ret_count)
{
    struct error err;
    error_init(&err);
    int rc = message_block_decode(row, scratch, entries, ret_count, &err);
    panic_if(rc != 0 && err.kind != rc, "no error record");
    return rc == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_entry first[MESSAGE_BLOCK], second[MESSAGE_BLOCK];
    unsigned count, again;
    struct buf row, scratch, scratch_again;
    buf_init(&row, 64 << 20);
    buf_init(&scratch, 1 << 20);
    buf_init(&scratch_again, 64 << 20);
    if (decode(slice_of((const char *)data, size), &scratch, first, &count) && count > 0) {
        message_block_encode(first, count, &row);
        panic_if(!decode(buf_view(&row), &scratch_again, second, &again) || again != count,
                 "our own row is refused");
        for (unsigned i = 0; i < count; i++)
            panic_if(first[i].pos != second[i].pos || !slice_eq(first[i].json, second[i].json),
                     "entry %u has changed", i);
    }
    buf_done(&row);
    buf_done(&scratch);
    buf_done(&scratch_again);
    return 0;
}
