/* Frames of the server: never masked (RFC 6455 section 5.1), never fragmented, compressed one
 * message at a time (RFC 7692 with no context takeover), so that one frame can go to many. */
#include "net/deflate.h"
#include "net/websocket.h"

/* Below this a compressed frame saves less than it costs: acknowledgements, typing, pings. */
enum { COMPRESS_FROM_BYTES = 160, CONTROL_MAX = 125 };

size_t ws_header(uint8_t ret_header[WS_HEADER_MAX], enum ws_opcode opcode, bool compressed,
                 uint64_t len)
{
    ret_header[0] = (uint8_t)(0x80 | (compressed ? 0x40 : 0) | opcode);
    if (len < 126) {
        ret_header[1] = (uint8_t)len;
        return 2;
    }
    size_t len_bytes = len <= UINT16_MAX ? 2 : 8;
    ret_header[1] = len_bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < len_bytes; i++)
        ret_header[2 + i] = (uint8_t)(len >> (8 * (len_bytes - 1 - i)));
    return 2 + len_bytes;
}

static void append_frame(struct buf *out, enum ws_opcode opcode, bool compressed, struct slice data)
{
    uint8_t header[WS_HEADER_MAX];
    size_t size = ws_header(header, opcode, compressed, data.len);
    if (!buf_reserve(out, size + data.len))
        return;
    buf_append(out, header, size);
    buf_slice(out, data);
}

/* False, with out as it was, when it would not get smaller. */
static bool append_compressed(struct buf *out, enum ws_opcode opcode, struct slice data,
                              unsigned window_bits)
{
    struct buf packed;
    buf_init(&packed, data.len + data.len / 4 + 512); /* above deflateBound for any window */
    bool pays = deflate_message(data, window_bits, &packed) && packed.len < data.len;
    if (pays)
        append_frame(out, opcode, true, buf_view(&packed));
    buf_done(&packed);
    return pays;
}

void ws_frame(struct buf *out, enum ws_opcode opcode, struct slice data, uint8_t deflate_bits)
{
    bool try = deflate_bits != 0 && opcode < WS_CLOSE && data.len >= COMPRESS_FROM_BYTES;
    unsigned window_bits = deflate_bits >= 9 && deflate_bits < 15 ? deflate_bits : 15;
    if (!try || !append_compressed(out, opcode, data, window_bits))
        append_frame(out, opcode, false, data);
}

void ws_close_frame(struct buf *out, uint16_t code, struct slice reason)
{
    char payload[CONTROL_MAX] = {(char)(code >> 8), (char)code};
    size_t len = 2;
    panic_if(reason.len > CONTROL_MAX - len, "close reason of %zu bytes", reason.len);
    if (reason.len != 0)
        memcpy(payload + len, reason.ptr, reason.len);
    append_frame(out, WS_CLOSE, false, slice_of(payload, len + reason.len));
}
