/* The reader against the case groups that WebSocket suites use: framing, pings, reserved bits,
 * opcodes, fragmentation, UTF-8, close codes, sizes, compression. Every stream of frames is read
 * at once, byte by byte, and cut in two at every point; the messages and the end must be equal. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "net/websocket.h"

/* --- frames as a client writes them ----------------------------------------------------------- */

static struct buf wire;

static void raw_frame(unsigned first_byte, struct slice data, unsigned len_bytes)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t header[10] = {(uint8_t)first_byte};
    header[1] = (uint8_t)(0x80 | (len_bytes == 0 ? data.len : len_bytes == 2 ? 126 : 127));
    for (unsigned i = 0; i < len_bytes; i++)
        header[2 + i] = (uint8_t)((uint64_t)data.len >> (8 * (len_bytes - 1 - i)));
    buf_append(&wire, header, 2 + len_bytes);
    buf_append(&wire, mask, 4);
    for (size_t i = 0; i < data.len; i++)
        buf_char(&wire, (char)(data.ptr[i] ^ (char)mask[i & 3]));
}

static void frame(unsigned first_byte, struct slice data)
{
    raw_frame(first_byte, data, data.len < 126 ? 0 : data.len < 65536 ? 2 : 8);
}

enum { FIN = 0x80, RSV1 = 0x40 };

static void begin(void)
{
    buf_done(&wire);
    buf_init(&wire, 8 << 20);
}

/* --- reading and writing down what came ------------------------------------------------------- */

struct record {
    struct buf text; /* "opcode:data;" for each message, then "=close code" on failure */
};

static bool read_piece(struct ws_reader *r, struct slice bytes, struct buf *text)
{
    char *copy = malloc(bytes.len != 0 ? bytes.len : 1); /* exact, for the sanitizer */
    memcpy(copy, bytes.ptr, bytes.len);
    struct slice in = slice_of(copy, bytes.len);
    struct ws_message m;
    struct error err;
    uint16_t code = 0;
    int rc;
    error_init(&err);
    while ((rc = ws_read(r, &in, &m, &code, &err)) == 1) {
        buf_printf(text, "%d:", m.opcode);
        if (m.opcode == WS_CLOSE)
            buf_printf(text, "%u:", m.close_code);
        buf_slice(text, m.data);
        buf_char(text, ';');
    }
    free(copy);
    if (rc < 0)
        buf_printf(text, "=%u", code);
    CHECK(rc < 0 || in.len == 0);
    return rc == 0;
}

static void read_split(bool deflate, uint32_t max, size_t first, size_t then, struct buf *ret_text)
{
    struct ws_reader r;
    ws_reader_init(&r, true, deflate, max);
    buf_init(ret_text, 16 << 20);
    size_t at = 0;
    for (size_t step = first; at < wire.len; step = then) {
        size_t len = step < wire.len - at ? step : wire.len - at;
        if (!read_piece(&r, slice_of(wire.ptr + at, len), ret_text))
            break;
        at += len;
    }
    if (r.fragment_opcode == 0 && !r.failed && !r.in_payload)
        CHECK(r.message == NULL);
    ws_reader_done(&r);
}

static void check_reader(bool deflate, uint32_t max, const char *want)
{
    struct buf whole;
    read_split(deflate, max, wire.len, wire.len, &whole);
    if (want != NULL)
        CHECK_STR(buf_view(&whole), want);
    size_t stride = wire.len > 2000 ? wire.len / 97 : 1;
    for (size_t cut = 1; cut <= wire.len; cut += stride) {
        struct buf split;
        read_split(deflate, max, cut, cut == 1 ? 1 : wire.len, &split);
        if (!slice_eq(buf_view(&split), buf_view(&whole)))
            test_fail(__FILE__, __LINE__, "cut at %zu: %.*s", cut, SLICE_FMT(buf_view(&split)));
        buf_done(&split);
    }
    buf_done(&whole);
    begin();
}

static void check_plain(const char *want)
{
    check_reader(false, 1 << 20, want);
}

static void check_one(unsigned first_byte, struct slice data, const char *want)
{
    begin();
    frame(first_byte, data);
    check_plain(want);
}

TEST(example_of_the_rfc)
{
    begin(); /* section 5.7 */
    buf_lit(&wire, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    check_plain("1:Hello;");
}

TEST(echo_sizes)
{
    static const size_t sizes[] = {0, 1, 124, 125, 126, 127, 128, 255, 65535, 65536, 200000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf want;
        char *data = malloc(sizes[i] + 1);
        memset(data, '*', sizes[i]);
        for (unsigned opcode = WS_TEXT; opcode <= WS_BINARY; opcode++) {
            buf_init(&want, 1 << 20);
            buf_printf(&want, "%u:", opcode);
            buf_append(&want, data, sizes[i]);
            buf_append(&want, ";", 2);
            begin();
            frame(FIN | opcode, slice_of(data, sizes[i]));
            check_plain(want.ptr);
            buf_done(&want);
        }
        free(data);
    }
}

TEST(pings_and_pongs)
{
    char long_ping[126];
    memset(long_ping, 'p', sizeof long_ping);
    check_one(FIN | WS_PING, SLICE(""), "9:;");
    check_one(FIN | WS_PING, SLICE("payload"), "9:payload;");
    check_one(FIN | WS_PONG, SLICE("unasked"), "10:unasked;");
    begin();
    raw_frame(FIN | WS_PING, slice_of(long_ping, 126), 2);
    check_plain("=1002");
    for (int i = 0; i < 3; i++)
        frame(FIN | WS_PING, SLICE("x"));
    check_plain("9:x;9:x;9:x;");
}

TEST(reserved_bits_and_opcodes)
{
    for (unsigned rsv = 0x10; rsv <= 0x70; rsv += 0x10) {
        check_one(FIN | rsv | WS_TEXT, SLICE("x"), "=1002");
        check_one(FIN | rsv | WS_PING, SLICE("x"), "=1002");
        begin();
        frame(FIN | WS_TEXT, SLICE("before"));
        frame(FIN | rsv | WS_CLOSE, SLICE(""));
        check_plain("1:before;=1002");
    }
    for (unsigned opcode = 3; opcode < 16; opcode++)
        if (opcode < WS_CLOSE || opcode > WS_PONG)
            check_one(FIN | opcode, SLICE("x"), "=1002");
}

TEST(client_frames_must_be_masked)
{
    begin();
    buf_lit(&wire, "\x81\x05Hello");
    check_plain("=1002");
}

TEST(lengths_must_be_shortest)
{
    static char zeros[70000];
    begin();
    raw_frame(FIN | WS_BINARY, slice_of(zeros, 125), 2);
    check_plain("=1002");
    raw_frame(FIN | WS_BINARY, slice_of(zeros, 65535), 8);
    check_plain("=1002");
    buf_lit(&wire, "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x01");
    check_plain("=1002");
}

TEST(fragments)
{
    begin();
    frame(WS_TEXT, SLICE("one "));
    frame(WS_CONT, SLICE(""));
    frame(FIN | WS_PING, SLICE("between"));
    frame(WS_CONT, SLICE("two "));
    frame(FIN | WS_PONG, SLICE(""));
    frame(FIN | WS_CONT, SLICE("three"));
    frame(FIN | WS_TEXT, SLICE("next"));
    check_plain("9:between;10:;1:one two three;1:next;");
    frame(WS_BINARY, SLICE(""));
    frame(FIN | WS_CONT, SLICE(""));
    check_plain("2:;");
    check_one(FIN | WS_CONT, SLICE("nothing to go on"), "=1002");
    check_one(WS_CONT, SLICE("nothing to go on"), "=1002");
    check_one(WS_PING, SLICE("cut"), "=1002");
    begin();
    frame(WS_TEXT, SLICE("a"));
    frame(FIN | WS_TEXT, SLICE("b"));
    check_plain("=1002");
    frame(WS_TEXT, SLICE("a"));
    frame(FIN | WS_CONT, SLICE("b"));
    frame(FIN | WS_CONT, SLICE("c"));
    check_plain("1:ab;=1002");
}

TEST(text_is_utf8)
{
    static const char *const good[] = {
        "",
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "\xef\xbf\xbe",
        "\xf0\x9f\xbf\xbe",
    };
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2x",
        "\xe0\x9f\xbf",
        "\xe1\x80",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfc\x84\x80\x80\x80\x80",
        "\xfe",
        "\xff",
        "12345678901234\x80",
        "\xf0\x90\x80",
        "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"
        "edited",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct slice text = slice_str(good[i]);
        char want[64] = "1:";
        memcpy(want + 2, text.ptr, text.len);
        want[2 + text.len] = ';';
        check_one(FIN | WS_TEXT, text, want);
        for (size_t cut = 0; cut <= text.len; cut++) {
            frame(WS_TEXT, slice_of(text.ptr, cut));
            frame(FIN | WS_CONT, slice_of(text.ptr + cut, text.len - cut));
            check_plain(want);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        check_one(FIN | WS_TEXT, slice_str(bad[i]), "=1007");
        char want[64] = "2:";
        size_t len = strlen(bad[i]);
        memcpy(want + 2, bad[i], len);
        want[2 + len] = ';';
        check_one(FIN | WS_BINARY, slice_str(bad[i]), want);
    }
}

TEST(bad_text_fails_before_the_frame_ends)
{
    struct ws_reader r;
    struct buf text;
    begin();
    frame(WS_TEXT, SLICE("fine\xf4\x90 and much more that never comes"));
    ws_reader_init(&r, true, false, 1000);
    buf_init(&text, 1000);
    CHECK(!read_piece(&r, slice_of(wire.ptr, 6 + 6), &text));
    CHECK_STR(buf_view(&text), "=1007");
    CHECK(!read_piece(&r, SLICE("\x81\x80"), &text)); /* stays failed */
    ws_reader_done(&r);
    buf_done(&text);
}

static void check_close(unsigned code, const char *want)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    check_one(FIN | WS_CLOSE, slice_of(payload, 2), want);
}

TEST(close_frames)
{
    static const unsigned good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4999};
    static const unsigned bad[] = {0,    999,  1004, 1005, 1006, 1015,
                                   1016, 1100, 2000, 2999, 5000, 65535};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char want[32];
        snprintf(want, sizeof want, "8:%u:;", good[i]);
        check_close(good[i], want);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        check_close(bad[i], "=1002");
    check_one(FIN | WS_CLOSE, SLICE(""), "8:1005:;");
    check_one(FIN | WS_CLOSE, SLICE("\x03"), "=1002");
    check_one(FIN | WS_CLOSE, SLICE("\x03\xe8gone"), "8:1000:gone;");
    check_one(FIN | WS_CLOSE, SLICE("\x03\xe8\xed\xa0\x80"), "=1007");
    check_one(FIN | WS_CLOSE, SLICE("\x03\xe8\xc3"), "=1007");
    char full[125] = "\x03\xe8";
    memset(full + 2, 'r', 123);
    check_one(FIN | WS_CLOSE, slice_of(full, 125), NULL);
}

TEST(messages_over_the_limit)
{
    char data[101];
    memset(data, 'x', sizeof data);
    begin();
    frame(FIN | WS_BINARY, slice_of(data, 101));
    check_reader(false, 100, "=1009");
    frame(WS_BINARY, slice_of(data, 60));
    frame(FIN | WS_CONT, slice_of(data, 41));
    check_reader(false, 100, "=1009");
    buf_lit(&wire, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04");
    check_reader(false, 100, "=1009");
}

/* --- permessage-deflate ----------------------------------------------------------------------- */

static struct slice deflated(struct slice data, int flush, int bits)
{
    static char out[400000];
    z_stream z = {0};
    panic_if(deflateInit2(&z, 6, Z_DEFLATED, -bits, 8, 0) != Z_OK, "deflateInit2");
    z.next_in = (Bytef *)(uintptr_t)data.ptr;
    z.avail_in = (uInt)data.len;
    z.next_out = (Bytef *)out;
    z.avail_out = sizeof out;
    deflate(&z, flush);
    size_t len = sizeof out - z.avail_out;
    deflateEnd(&z);
    if (flush == Z_SYNC_FLUSH)
        return slice_of(out, len - 4);
    out[len] = 0; /* RFC 7692 section 7.2.3.4 */
    return slice_of(out, len + 1);
}

TEST(compressed_messages)
{
    begin();
    frame(FIN | RSV1 | WS_TEXT, SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00")); /* section 7.2.3.1 */
    check_reader(true, 100, "1:Hello;");
    frame(RSV1 | WS_TEXT, SLICE("\xf2\x48\xcd"));
    frame(FIN | WS_PING, SLICE(""));
    frame(FIN | WS_CONT, SLICE("\xc9\xc9\x07\x00"));
    check_reader(true, 100, "9:;1:Hello;");
    frame(FIN | RSV1 | WS_TEXT, SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"));
    check_reader(true, 100, "1:Hello;"); /* section 7.2.3.3 */
    frame(FIN | RSV1 | WS_TEXT, SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"));
    check_reader(true, 100, "1:Hello;"); /* section 7.2.3.4 */
    frame(FIN | RSV1 | WS_TEXT, SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"));
    check_reader(true, 100, "1:Hello;"); /* section 7.2.3.5 */
    frame(FIN | RSV1 | WS_TEXT, SLICE("\x00"));
    check_reader(true, 100, "1:;"); /* section 7.2.3.6 */
    frame(FIN | WS_TEXT, SLICE("plain"));
    frame(FIN | RSV1 | WS_BINARY, deflated(SLICE("with fin block"), Z_FINISH, 9));
    check_reader(true, 100, "1:plain;2:with fin block;");
}

TEST(compressed_messages_that_are_wrong)
{
    static char zeros[300000];
    begin();
    frame(FIN | RSV1 | WS_BINARY, deflated(slice_of(zeros, sizeof zeros), Z_SYNC_FLUSH, 15));
    check_reader(true, sizeof zeros - 1, "=1009");
    frame(FIN | RSV1 | WS_BINARY, SLICE("\xff\xff\xff"));
    check_reader(true, 100, "=1007");
    frame(FIN | RSV1 | WS_TEXT, deflated(SLICE("\xed\xa0\x80"), Z_SYNC_FLUSH, 15));
    check_reader(true, 100, "=1007");
    frame(FIN | RSV1 | WS_TEXT, deflated(SLICE("\xe2\x82"), Z_SYNC_FLUSH, 15));
    check_reader(true, 100, "=1007");
    frame(RSV1 | WS_TEXT, SLICE("\xf2\x48\xcd"));
    frame(FIN | RSV1 | WS_CONT, SLICE("\xc9\xc9\x07\x00"));
    check_reader(true, 100, "=1002");
    frame(FIN | RSV1 | WS_PING, SLICE(""));
    check_reader(true, 100, "=1002");
}

/* What the server writes, read back as a client does. */
static void check_echo(size_t len, uint8_t bits, bool text)
{
    char *data = malloc(len + 1);
    uint32_t seed = (uint32_t)len;
    for (size_t i = 0; i < len; i++)
        data[i] = (char)('a' + (seed = seed * 1664525 + 1013904223) % (text ? 7 : 200) % 128 % 20);
    struct buf out;
    struct ws_reader r;
    struct ws_message m;
    struct error err;
    uint16_t code;
    error_init(&err);
    buf_init(&out, 4 << 20);
    ws_frame(&out, text ? WS_TEXT : WS_BINARY, slice_of(data, len), bits);
    CHECK(buf_ok(&out) && out.len <= len + WS_HEADER_MAX);
    if (bits != 0 && len >= 1000)
        CHECK((out.ptr[0] & RSV1) != 0 && out.len < len);
    ws_reader_init(&r, false, bits != 0, 1 << 20);
    struct slice in = buf_view(&out);
    CHECK_INT(ws_read(&r, &in, &m, &code, &err), 1);
    CHECK(m.data.len == len && (len == 0 || memcmp(m.data.ptr, data, len) == 0));
    CHECK_INT(in.len, 0);
    ws_reader_done(&r);
    buf_done(&out);
    free(data);
}

TEST(frames_of_the_server)
{
    static const size_t sizes[] = {0, 1, 125, 126, 159, 160, 1000, 65535, 65536, 131072};
    static const uint8_t bits[] = {0, 9, 12, 15};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t b = 0; b < ARRAY_LEN(bits); b++)
            for (int text = 0; text < 2; text++)
                check_echo(sizes[i], bits[b], text);
    struct buf out;
    buf_init(&out, 1000);
    ws_close_frame(&out, 4008, SLICE("slow"));
    CHECK_STR(buf_view(&out), "\x88\x06\x0f\xa8slow");
    buf_done(&out);
}

/* A small window must be kept: what is compressed with 9 bits inflates with 9 bits. */
TEST(small_windows_are_kept)
{
    char data[8192], plain[9000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i % 4096 * i % 251);
    struct buf out;
    buf_init(&out, 1 << 20);
    ws_frame(&out, WS_BINARY, slice_of(data, sizeof data), 9);
    if ((out.ptr[0] & RSV1) != 0) {
        z_stream z = {0};
        panic_if(inflateInit2(&z, -9) != Z_OK, "inflateInit2");
        z.next_in = (Bytef *)out.ptr + 4;
        z.avail_in = (uInt)out.len - 4;
        z.next_out = (Bytef *)plain;
        z.avail_out = sizeof plain;
        CHECK(inflate(&z, Z_SYNC_FLUSH) == Z_OK);
        CHECK_INT(sizeof plain - z.avail_out, sizeof data);
        inflateEnd(&z);
    }
    buf_done(&out);
}

/* --- the handshake ---------------------------------------------------------------------------- */

#define SHAKE(fields)                                                                              \
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" fields "\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define OFFER(text) SHAKE(KEY VERSION "Sec-WebSocket-Extensions: " text "\r\n")

static struct http_head head;
static uint8_t agreed;
static char answer[600];

static int shake(const char *request, const char *protocol)
{
    struct error err;
    struct buf out;
    error_init(&err);
    panic_if(http1_parse_head(slice_str(request), &http_limits_default, &head, &err) <= 0,
             "test request: %s", err.detail);
    buf_init(&out, sizeof answer - 1);
    agreed = 99;
    int rc = ws_accept(&head, slice_str(protocol), true, &out, &agreed, &err);
    snprintf(answer, sizeof answer, "%.*s", SLICE_FMT(buf_view(&out)));
    CHECK(rc == 0 || (out.len == 0 && err.kind == rc && agreed == 99));
    buf_done(&out);
    return rc;
}

TEST(handshake_of_the_rfc)
{
    CHECK_INT(shake(SHAKE(KEY VERSION), NULL), 0);
    CHECK_STR(slice_str(answer), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    CHECK_INT(agreed, 0);
    CHECK_INT(shake(SHAKE(KEY VERSION), "parley.v1"), 0);
    CHECK(strstr(answer, "\r\nSec-WebSocket-Protocol: parley.v1\r\n\r\n") != NULL);
}

TEST(handshakes_refused)
{
    CHECK_INT(shake("GET /ws HTTP/1.1\r\nHost: a\r\n" KEY VERSION "\r\n", NULL),
              FAIL_UPGRADE_REQUIRED);
    CHECK_INT(
        shake("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n" KEY VERSION
              "\r\n",
              NULL),
        FAIL_UPGRADE_REQUIRED);
    CHECK_INT(shake("POST /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                    "Upgrade: websocket\r\n" KEY VERSION "\r\n",
                    NULL),
              FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(KEY "Sec-WebSocket-Version: 12\r\n"), NULL), FAIL_UPGRADE_REQUIRED);
    CHECK_INT(shake(SHAKE(KEY), NULL), FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(VERSION), NULL), FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(KEY KEY VERSION), NULL), FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(VERSION "Sec-WebSocket-Key: short==\r\n"), NULL), FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n"), NULL),
              FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n"), NULL),
              FAIL_BAD_REQUEST);
    CHECK_INT(shake(SHAKE(KEY VERSION "Content-Length: 1\r\n"), NULL), FAIL_BAD_REQUEST);
}

TEST(offers_of_compression)
{
    static const struct {
        const char *request;
        unsigned bits;
        const char *says;
    } rows[] = {
        {OFFER("permessage-deflate"), 15, "client_no_context_takeover\r\n"},
        {OFFER("permessage-deflate; client_max_window_bits"), 15, "takeover\r\n"},
        {OFFER("permessage-deflate; client_max_window_bits=8"), 15, "takeover\r\n"},
        {OFFER("permessage-deflate; client_max_window_bits=\"10\""), 15, "takeover\r\n"},
        {OFFER("permessage-deflate;server_no_context_takeover;client_no_context_takeover"), 15,
         "t"},
        {OFFER("permessage-deflate; server_max_window_bits=9"), 9, "server_max_window_bits=9\r\n"},
        {OFFER("permessage-deflate; server_max_window_bits=15"), 15, "server_max_window_bits=15"},
        {OFFER("permessage-deflate; server_max_window_bits=8"), 0, NULL},
        {OFFER("permessage-deflate; server_max_window_bits=8, permessage-deflate"), 15,
         "takeover\r"},
        {OFFER("x-webkit-deflate-frame, permessage-deflate"), 15, "takeover\r\n"},
        {OFFER("permessage-deflate; server_max_window_bits"), 0, NULL},
        {OFFER("permessage-deflate; server_max_window_bits=16"), 0, NULL},
        {OFFER("permessage-deflate; server_max_window_bits=09"), 0, NULL},
        {OFFER("permessage-deflate; client_max_window_bits=7"), 0, NULL},
        {OFFER("permessage-deflate; unknown"), 0, NULL},
        {OFFER("permessage-deflate; server_no_context_takeover=1"), 0, NULL},
        {OFFER("permessage-deflate; client_max_window_bits; client_max_window_bits"), 0, NULL},
        {OFFER("permessage-deflate;"), 0, NULL},
        {OFFER("permessage-bzip2"), 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_INT(shake(rows[i].request, NULL), 0);
        if (agreed != rows[i].bits)
            test_fail(__FILE__, __LINE__, "%s gave %u", rows[i].request, agreed);
        const char *says = strstr(answer, "Sec-WebSocket-Extensions: permessage-deflate; ");
        CHECK((says != NULL) == (rows[i].bits != 0));
        if (says != NULL && rows[i].says != NULL)
            CHECK(strstr(says, rows[i].says) != NULL);
    }
}

TEST(offered_protocols)
{
    CHECK_INT(shake(SHAKE(KEY VERSION "Sec-WebSocket-Protocol: parley.v1, bearer.abc\r\n"
                                      "Sec-WebSocket-Protocol: third\r\n"),
                    NULL),
              0);
    CHECK_STR(ws_offered_protocol(&head, 0), "parley.v1");
    CHECK_STR(ws_offered_protocol(&head, 1), "bearer.abc");
    CHECK_STR(ws_offered_protocol(&head, 2), "third");
    CHECK(ws_offered_protocol(&head, 3).ptr == NULL);
    begin();
    buf_done(&wire);
}
