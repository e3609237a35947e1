/* See ws.h. The mask is a constant without zero bytes: the server has to do its work, and this side
 * need not draw a random number for each frame. */
#include "ws.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static void write_frame(struct ws *ws, uint8_t opcode, const char *data, size_t len)
{
    struct text *out = &ws->link.out;
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
    size_t head_len = 2;
    if (ws->link.fd < 0)
        return;
    if (len < 126) {
        head[1] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        uint16_t wide = htobe16((uint16_t)len);
        head[1] = 0x80 | 126;
        memcpy(head + 2, &wide, 2);
        head_len = 4;
    } else {
        uint64_t wide = htobe64(len);
        head[1] = 0x80 | 127;
        memcpy(head + 2, &wide, 8);
        head_len = 10;
    }
    memcpy(head + head_len, mask, 4);
    text_add(out, (char *)head, head_len + 4);
    text_reserve(out, len);
    char *to = out->data + out->len;
    uint64_t wide_mask, word;
    memcpy(&wide_mask,
           (uint8_t[8]){mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]}, 8);
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, data + i, 8);
        word ^= wide_mask;
        memcpy(to + i, &word, 8);
    }
    for (; i < len; i++)
        to[i] = (char)((uint8_t)data[i] ^ mask[i % 4]);
    out->len += len;
}

void ws_send(struct ws *ws, const char *data, size_t len)
{
    write_frame(ws, 1, data, len);
}

void ws_flush(struct ws *ws)
{
    link_flush(&ws->link);
}

void ws_close(struct ws *ws)
{
    link_close(&ws->link);
}

/* Returns the bytes of the whole frame at data, or 0; the payload is in *ret_payload. */
static size_t take_frame(const char *data, size_t len, uint8_t *ret_opcode,
                         struct piece *ret_payload)
{
    const uint8_t *at = (const uint8_t *)data;
    if (len < 2)
        return 0;
    if ((at[0] & 0xf0) != 0x80 || at[1] & 0x80)
        die("a frame that is fragmented, has reserved bits or is masked");
    uint64_t payload = at[1];
    size_t head = payload == 126 ? 4 : payload == 127 ? 10 : 2;
    if (len < head)
        return 0;
    if (payload == 126) {
        payload = (uint64_t)at[2] << 8 | at[3];
    } else if (payload == 127) {
        memcpy(&payload, at + 2, 8);
        payload = be64toh(payload);
    }
    if (len - head < payload)
        return 0;
    *ret_opcode = at[0] & 15;
    *ret_payload = (struct piece){data + head, payload};
    return head + payload;
}

static void on_frame(struct ws *ws, uint8_t opcode, struct piece payload)
{
    const uint8_t *bytes = (const uint8_t *)payload.data;
    switch (opcode) {
    case 1:
    case 2: ws->ops->on_message(ws, payload); break;
    case 8: ws->close_code = payload.len >= 2 ? (unsigned)bytes[0] << 8 | bytes[1] : 1005; break;
    case 9: write_frame(ws, 10, payload.data, payload.len); break;
    default: break;
    }
}

/* The answer to the handshake. */
static size_t take_upgrade(struct ws *ws, char *data, size_t len)
{
    char *blank = memmem(data, len, "\r\n\r\n", 4);
    if (!blank)
        return 0;
    if (len < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0)
        die("no WebSocket at %s: %.*s", ws->path, (int)(len < 600 ? len : 600), data);
    ws->upgraded = true;
    ws->ops->on_open(ws);
    return (size_t)(blank - data) + 4;
}

static size_t on_data(struct link *link, char *data, size_t len)
{
    struct ws *ws = (struct ws *)link;
    size_t used = 0;
    if (!ws->upgraded) {
        used = take_upgrade(ws, data, len);
        if (!ws->upgraded)
            return 0;
    }
    while (ws->link.fd >= 0) {
        uint8_t opcode;
        struct piece payload;
        size_t taken = take_frame(data + used, len - used, &opcode, &payload);
        if (!taken)
            break;
        on_frame(ws, opcode, payload);
        used += taken;
    }
    return used;
}

static void on_open(struct link *link)
{
    struct ws *ws = (struct ws *)link;
    struct text head = {0};
    text_printf(&head,
                "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                ws->path);
    if (ws->token)
        text_printf(&head, "Authorization: Bearer %s\r\n", ws->token);
    text_add(&head, "\r\n", 2);
    link_write(link, head.data, head.len);
    text_free(&head);
}

static void on_close(struct link *link)
{
    struct ws *ws = (struct ws *)link;
    ws->ops->on_close(ws, ws->close_code ? ws->close_code : 1006);
}

void ws_connect(struct ws *ws, struct hub *hub, const struct ws_ops *ops, const char *path,
                const char *token)
{
    static const struct link_ops link_ops = {on_open, on_data, on_close};
    ws->ops = ops;
    ws->path = path;
    ws->token = token;
    ws->upgraded = false;
    ws->close_code = 0;
    link_connect(&ws->link, hub, &link_ops);
}
