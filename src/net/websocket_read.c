/* The frame reader (RFC 6455 sections 5 and 7, RFC 7692).
 *
 * Data payloads are unmasked and checked as they arrive and kept unmasked, so a text that turns
 * bad is refused at that byte and nothing is looked at twice. Control frames, at most 139 bytes,
 * are kept as they came until they are whole. A message that lies whole in the caller's buffer is
 * handed out from there without a copy.
 */
#include <stdlib.h>

#include "net/deflate.h"
#include "net/websocket.h"
#include "net/websocket_utf8.h"

enum {
    CLOSE_PROTOCOL_ERROR = 1002, /* RFC 6455 section 7.4.1 */
    CLOSE_NO_CODE = 1005,
    CLOSE_BAD_DATA = 1007,
    CLOSE_TOO_BIG = 1009,
    CONTROL_MAX = 125,            /* section 5.5 */
    CONTROL_FRAME_MAX = 14 + 125, /* longest header and that */
    NEED_MORE = 0,
    WHOLE = 1
};

struct header {
    enum ws_opcode opcode;
    bool fin, rsv1;
    uint64_t len;
    uint8_t mask[4];
    size_t size; /* of the header itself */
};

void ws_reader_init(struct ws_reader *r, bool server, bool deflate, uint32_t message_max)
{
    *r = (struct ws_reader){.server = server, .deflate = deflate, .message_max = message_max};
}

static void drop(struct buf **b)
{
    if (*b != NULL)
        buf_done(*b);
    free(*b);
    *b = NULL;
}

void ws_reader_done(struct ws_reader *r)
{
    drop(&r->partial);
    drop(&r->message);
}

static struct buf *keep(struct buf **b, size_t max_bytes)
{
    if (*b == NULL) {
        *b = xmalloc(sizeof **b);
        buf_init(*b, max_bytes);
    }
    return *b;
}

static int protocol_error(uint16_t *ret_code, struct error *err, const char *why)
{
    *ret_code = CLOSE_PROTOCOL_ERROR;
    return error_set(err, FAIL_BAD_REQUEST, "websocket_protocol", "%s", why);
}

static int bad_data(uint16_t *ret_code, struct error *err, const char *why)
{
    *ret_code = CLOSE_BAD_DATA;
    return error_set(err, FAIL_BAD_REQUEST, "websocket_bad_data", "%s", why);
}

static int too_big(const struct ws_reader *r, uint16_t *ret_code, struct error *err)
{
    *ret_code = CLOSE_TOO_BIG;
    return error_set(err, FAIL_TOO_LARGE, "message_too_large",
                     "The message is larger than %u bytes.", r->message_max);
}

/* Compressed bytes may be a little more than the message: five for each stored block. */
static uint64_t payload_max(const struct ws_reader *r)
{
    return r->compressed ? (uint64_t)r->message_max + r->message_max / 256 + 64 : r->message_max;
}

/* What the first byte alone decides: RSV bits, opcode, order of fragments. */
static int check_first(const struct ws_reader *r, uint8_t byte, uint16_t *ret_code,
                       struct error *err)
{
    unsigned opcode = byte & 15;
    bool rsv1 = byte & 0x40, begins = opcode == WS_TEXT || opcode == WS_BINARY;
    if ((byte & 0x30) != 0 || (rsv1 && !(r->deflate && begins)))
        return protocol_error(ret_code, err, "A reserved bit is set.");
    if (opcode > WS_PONG || (opcode > WS_BINARY && opcode < WS_CLOSE))
        return protocol_error(ret_code, err, "The opcode is reserved.");
    if (opcode >= WS_CLOSE && (byte & 0x80) == 0)
        return protocol_error(ret_code, err, "A control frame is fragmented.");
    if (begins && r->fragment_opcode != 0)
        return protocol_error(ret_code, err, "A message begins inside another one.");
    if (opcode == WS_CONT && r->fragment_opcode == 0)
        return protocol_error(ret_code, err, "A continuation continues nothing.");
    return 0;
}

/* Parses a header of n bytes. WHOLE, NEED_MORE, or the refusal at the earliest byte. */
static int parse_header(const struct ws_reader *r, const uint8_t *p, size_t n, struct header *ret,
                        uint16_t *ret_code, struct error *err)
{
    int rc = check_first(r, p[0], ret_code, err);
    if (rc < 0 || n < 2)
        return rc;
    unsigned short_len = p[1] & 127;
    if ((p[1] >> 7) != r->server)
        return protocol_error(ret_code, err, "Frames of a client, and only those, are masked.");
    ret->opcode = (enum ws_opcode)(p[0] & 15);
    if (ret->opcode >= WS_CLOSE && short_len > CONTROL_MAX)
        return protocol_error(ret_code, err, "A control frame is longer than 125 bytes.");
    size_t len_bytes = short_len < 126 ? 0 : short_len == 126 ? 2 : 8;
    ret->size = 2 + len_bytes + (r->server ? 4 : 0);
    if (n < 2 + len_bytes)
        return NEED_MORE;
    uint64_t len = len_bytes == 0 ? short_len : 0;
    for (size_t i = 0; i < len_bytes; i++)
        len = len << 8 | p[2 + i];
    if ((len_bytes == 2 && len < 126) || (len_bytes == 8 && (len < 65536 || len >> 63)))
        return protocol_error(ret_code, err, "The length is not in its shortest form.");
    if (n < ret->size)
        return NEED_MORE;
    if (r->server)
        memcpy(ret->mask, p + 2 + len_bytes, 4);
    ret->len = len;
    ret->fin = p[0] & 0x80;
    ret->rsv1 = p[0] & 0x40;
    return WHOLE;
}

/* XORs the mask over the bytes and turns it to where the next piece goes on (section 5.3). */
static void unmask(char *bytes, size_t len, uint8_t mask[4])
{
    uint64_t wide;
    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        uint64_t eight;
        memcpy(&eight, bytes + at, 8);
        eight ^= wide;
        memcpy(bytes + at, &eight, 8);
    }
    for (; at < len; at++)
        bytes[at] = (char)(bytes[at] ^ mask[at & 3]);
    uint8_t turned[4];
    for (size_t i = 0; i < 4; i++)
        turned[i] = mask[(len + i) & 3];
    memcpy(mask, turned, 4);
}

/* Codes that may stand in a frame (section 7.4; 1012 to 1014 by the IANA registry). */
static bool close_code_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static int control_message(struct ws_reader *r, const struct header *h, char *payload,
                           struct ws_message *ret, uint16_t *ret_code, struct error *err)
{
    uint8_t mask[4];
    size_t len = (size_t)h->len;
    memcpy(mask, h->mask, 4);
    if (r->server)
        unmask(payload, len, mask);
    struct slice data = slice_of(payload, len);
    unsigned code = 0;
    if (h->opcode == WS_CLOSE) {
        uint32_t utf8 = 0;
        code = CLOSE_NO_CODE;
        if (len == 1)
            return protocol_error(ret_code, err, "A close frame has half a code.");
        if (len >= 2) {
            code = (unsigned)(uint8_t)payload[0] << 8 | (uint8_t)payload[1];
            data = slice_of(payload + 2, len - 2);
            if (!close_code_valid(code))
                return protocol_error(ret_code, err, "A close frame has a code it may not.");
            if (!ws_utf8_feed(&utf8, data) || utf8 != 0)
                return bad_data(ret_code, err, "The reason of a close frame is no UTF-8.");
        }
    }
    *ret = (struct ws_message){h->opcode, data, (uint16_t)code};
    return 1;
}

static int inflate_whole(struct ws_reader *r, struct slice data, struct ws_message *ret,
                         uint16_t *ret_code, struct error *err)
{
    struct buf *out = NULL;
    enum inflate_result result = inflate_message(data, keep(&out, r->message_max));
    drop(&r->message);
    r->message = out;
    if (result == INFLATE_TOO_LARGE)
        return too_big(r, ret_code, err);
    if (result == INFLATE_BAD)
        return bad_data(ret_code, err, "A compressed message cannot be inflated.");
    if (ret->opcode == WS_TEXT && !ws_utf8_feed(&r->utf8_state, buf_view(out)))
        return bad_data(ret_code, err, "A text message is no UTF-8.");
    ret->data = buf_view(out);
    return 1;
}

static int end_of_message(struct ws_reader *r, struct slice data, struct ws_message *ret,
                          uint16_t *ret_code, struct error *err)
{
    *ret = (struct ws_message){(enum ws_opcode)r->fragment_opcode, data, 0};
    int rc = r->compressed ? inflate_whole(r, data, ret, ret_code, err) : 1;
    if (rc == 1 && r->utf8_state != 0)
        return bad_data(ret_code, err, "A text message ends inside a character.");
    r->fragment_opcode = 0;
    return rc;
}

/* Takes what has come of the present data frame. */
static int take_payload(struct ws_reader *r, struct slice *in, struct ws_message *ret,
                        uint16_t *ret_code, struct error *err)
{
    size_t len = in->len < r->left ? in->len : (size_t)r->left;
    struct slice piece = slice_of(in->ptr, len);
    *in = slice_of(in->ptr + len, in->len - len);
    if (r->server)
        unmask((char *)(uintptr_t)piece.ptr, len, r->mask);
    if (r->fragment_opcode == WS_TEXT && !r->compressed && !ws_utf8_feed(&r->utf8_state, piece))
        return bad_data(ret_code, err, "A text message is no UTF-8.");
    r->left -= len;
    r->in_payload = r->left != 0;
    if (r->fin && !r->in_payload && r->message == NULL)
        return end_of_message(r, piece, ret, ret_code, err);
    struct buf *message = keep(&r->message, (size_t)payload_max(r));
    buf_slice(message, piece);
    if (!buf_ok(message))
        return too_big(r, ret_code, err);
    if (r->fin && !r->in_payload)
        return end_of_message(r, buf_view(message), ret, ret_code, err);
    return NEED_MORE;
}

static int begin_data(struct ws_reader *r, const struct header *h, uint16_t *ret_code,
                      struct error *err)
{
    if (h->opcode != WS_CONT) {
        r->fragment_opcode = (uint8_t)h->opcode;
        r->compressed = h->rsv1;
        r->utf8_state = 0;
    }
    size_t have = r->message != NULL ? r->message->len : 0;
    if (h->len > payload_max(r) - have)
        return too_big(r, ret_code, err);
    r->left = h->len;
    r->fin = h->fin;
    r->in_payload = true;
    memcpy(r->mask, h->mask, 4);
    return NEED_MORE;
}

/* Moves bytes of a header, or of a whole control frame, from *in behind those kept before: no more
 * than that frame needs. */
static int take_kept(struct ws_reader *r, struct slice *in, struct ws_message *ret,
                     uint16_t *ret_code, struct error *err)
{
    struct header h = {0};
    while (in->len > 0) {
        buf_char(r->partial, *in->ptr);
        *in = slice_of(in->ptr + 1, in->len - 1);
        const uint8_t *bytes = (const uint8_t *)r->partial->ptr;
        int rc = parse_header(r, bytes, r->partial->len, &h, ret_code, err);
        if (rc < 0)
            return rc;
        if (rc == NEED_MORE)
            continue;
        if (h.opcode < WS_CLOSE) {
            drop(&r->partial);
            return begin_data(r, &h, ret_code, err);
        }
        if (r->partial->len < h.size + h.len)
            continue;
        r->partial_out = true;
        return control_message(r, &h, r->partial->ptr + h.size, ret, ret_code, err);
    }
    return NEED_MORE;
}

/* A frame that begins at the front of *in. */
static int take_frame(struct ws_reader *r, struct slice *in, struct ws_message *ret,
                      uint16_t *ret_code, struct error *err)
{
    struct header h = {0};
    int rc = parse_header(r, (const uint8_t *)in->ptr, in->len, &h, ret_code, err);
    if (rc < 0)
        return rc;
    bool control = rc == WHOLE && h.opcode >= WS_CLOSE;
    if (rc == NEED_MORE || (control && in->len < h.size + h.len)) {
        keep(&r->partial, CONTROL_FRAME_MAX);
        return take_kept(r, in, ret, ret_code, err);
    }
    char *payload = (char *)(uintptr_t)in->ptr + h.size;
    size_t taken = h.size + (control ? (size_t)h.len : 0);
    *in = slice_of(in->ptr + taken, in->len - taken);
    if (control)
        return control_message(r, &h, payload, ret, ret_code, err);
    return begin_data(r, &h, ret_code, err);
}

/* Frees what the last message was handed out of. */
static void forget_handed_out(struct ws_reader *r)
{
    if (r->partial_out)
        drop(&r->partial);
    r->partial_out = false;
    if (!r->in_payload && r->fragment_opcode == 0)
        drop(&r->message);
}

int ws_read(struct ws_reader *r, struct slice *in, struct ws_message *ret_message,
            uint16_t *ret_close_code, struct error *err)
{
    if (r->failed)
        return protocol_error(ret_close_code, err, "The connection has failed already.");
    forget_handed_out(r);
    int rc = NEED_MORE;
    /* An empty frame is complete without a byte of payload. */
    while (rc == NEED_MORE && (in->len > 0 || (r->in_payload && r->left == 0))) {
        if (r->in_payload)
            rc = take_payload(r, in, ret_message, ret_close_code, err);
        else if (r->partial != NULL)
            rc = take_kept(r, in, ret_message, ret_close_code, err);
        else
            rc = take_frame(r, in, ret_message, ret_close_code, err);
    }
    r->failed = rc < 0;
    return rc;
}
