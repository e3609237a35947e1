/* Chunked bodies: at once and byte by byte give the same body, the same verdict, the same rest. */
#include "base/buf.h"
#include "net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = {.trailer_bytes = 64, .chunk_ext_bytes = 32};

static int read_all(struct slice text, size_t step, struct buf *ret_body, size_t *ret_taken)
{
    struct http1_chunked c;
    struct error err;
    int rc = 0;
    size_t at = 0;
    http1_chunked_init(&c);
    error_init(&err);
    while (rc == 0 && at < text.len) {
        struct slice in = slice_of(text.ptr + at, step < text.len - at ? step : text.len - at);
        struct slice piece;
        size_t len = in.len;
        while ((rc = http1_chunked_next(&c, &in, &limits, &piece, &err)) == 1)
            buf_slice(ret_body, piece);
        at += len - in.len;
    }
    panic_if(rc < 0 && err.kind != rc, "no error record");
    *ret_taken = at;
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct buf whole, split;
    size_t whole_taken, split_taken;
    buf_init(&whole, 1 << 20);
    buf_init(&split, 1 << 20);
    int rc = read_all(text, size, &whole, &whole_taken);
    int again = read_all(text, 1, &split, &split_taken);
    panic_if(rc != again || !slice_eq(buf_view(&whole), buf_view(&split)), "splitting matters");
    panic_if(rc == 2 && whole_taken != split_taken, "another end");
    buf_done(&whole);
    buf_done(&split);
    return 0;
}
