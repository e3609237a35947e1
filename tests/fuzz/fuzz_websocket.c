/* The frame reader: first byte chooses side, compression and limit; the rest is the wire. At once
 * and byte by byte give the same messages, none over the limit, text always UTF-8. */
#include "base/buf.h"
#include "base/json.h"
#include "net/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_some(struct ws_reader *r, char *bytes, size_t len, struct buf *log)
{
    struct slice in = slice_of(bytes, len);
    struct ws_message m;
    struct error err;
    uint16_t code = 0;
    int rc;
    error_init(&err);
    while ((rc = ws_read(r, &in, &m, &code, &err)) == 1) {
        panic_if(m.data.len > r->message_max && m.opcode < WS_CLOSE, "a message over its limit");
        panic_if((m.opcode == WS_TEXT || m.opcode == WS_CLOSE) && !utf8_valid(m.data),
                 "text that is none");
        buf_printf(log, "%d:%u:%zu:", m.opcode, m.opcode == WS_CLOSE ? m.close_code : 0,
                   m.data.len);
        buf_slice(log, m.data);
    }
    if (rc < 0)
        buf_printf(log, "=%u", code);
    panic_if(rc < 0 && (code != 1002 && code != 1007 && code != 1009), "close code %u", code);
    return rc == 0;
}

static void read_all(const uint8_t *data, size_t size, size_t step, struct buf *log)
{
    char wire[4096];
    struct ws_reader r;
    ws_reader_init(&r, data[0] & 1, data[0] & 2, data[0] & 4 ? 100 : 70000);
    size_t len = size - 1 < sizeof wire ? size - 1 : sizeof wire;
    memcpy(wire, data + 1, len);
    for (size_t at = 0; at < len; at += step)
        if (!read_some(&r, wire + at, step < len - at ? step : len - at, log))
            break;
    ws_reader_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct buf whole, split;
    buf_init(&whole, 16 << 20);
    buf_init(&split, 16 << 20);
    read_all(data, size, size, &whole);
    read_all(data, size, 1, &split);
    panic_if(!slice_eq(buf_view(&whole), buf_view(&split)), "splitting matters");
    buf_done(&whole);
    buf_done(&split);
    return 0;
}
