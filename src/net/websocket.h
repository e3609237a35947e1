/* WebSocket by RFC 6455 with permessage-deflate by RFC 7692 (no context takeover on either side).
 *
 * ws_reader: bytes to messages, pure, resumable at any byte. ws_frame: message to bytes. ws_accept:
 * the handshake. One inflate and one deflate stream per thread, none per socket. An idle socket's
 * reader holds no buffer.
 */
#ifndef PARLEY_NET_WEBSOCKET_H
#define PARLEY_NET_WEBSOCKET_H

#include "base/buf.h"
#include "base/error.h"
#include "net/http1.h"

enum ws_opcode { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

#define WS_HEADER_MAX 10

struct ws_message {
    enum ws_opcode opcode; /* TEXT, BINARY, CLOSE, PING or PONG; never CONT */
    struct slice data;     /* unmasked, inflated; valid until the next ws_read on this reader and
                              only as long as the bytes given to this one */
    uint16_t close_code;   /* CLOSE: 1005 when none was given; data is the reason */
};

struct ws_reader {
    struct buf *partial;  /* a header or control frame cut by the read; NULL while there is none */
    struct buf *message;  /* what has come of a data message, unmasked; NULL while there is none */
    uint64_t left;        /* payload bytes of the present data frame that are still to come */
    uint32_t message_max; /* bytes after inflating */
    uint32_t utf8_state;  /* between two pieces of a text message; see websocket_utf8.h */
    uint8_t mask[4];      /* of the present data frame, turned to its next payload byte */
    uint8_t fragment_opcode;  /* 0: no message under way */
    bool in_payload, fin;     /* a data frame is under way; it is the last of its message */
    bool deflate, compressed; /* extension agreed; RSV1 of the message under way */
    bool server;              /* reads masked frames */
    bool partial_out;         /* the last message was handed out of `partial` */
    bool failed;              /* an error was returned: nothing is read any more */
};
void ws_reader_init(struct ws_reader *r, bool server, bool deflate, uint32_t message_max);
void ws_reader_done(struct ws_reader *r);
/* Takes bytes from the front of *in (which is writable memory: unmasking is done in place).
 * Returns 1 with a message, 0 when all input is used and nothing is complete, or a negative enum
 * fail whose close code (1002, 1007, 1009) is in *ret_close_code. */
int ws_read(struct ws_reader *r, struct slice *in, struct ws_message *ret_message,
            uint16_t *ret_close_code, struct error *err) MUSTCHECK;

/* Writes the header of an unmasked server frame; returns its length (2, 4 or 10). */
size_t ws_header(uint8_t ret_header[WS_HEADER_MAX], enum ws_opcode opcode, bool compressed,
                 uint64_t len);
/* Appends a whole unmasked frame. deflate_bits is what ws_accept gave (0: never compressed, else
 * the largest window that the client takes); compresses when it pays. Any value but 9..14 counts
 * as the full window of 15, so that one frame shared by many sockets is made with 15. */
void ws_frame(struct buf *out, enum ws_opcode opcode, struct slice data, uint8_t deflate_bits);
void ws_close_frame(struct buf *out, uint16_t code, struct slice reason);

/* Checks the handshake (RFC 6455 section 4.2.1) and writes the 101 answer head. `protocol` is the
 * subprotocol to name, absent for none. *ret_deflate_bits: 0 when permessage-deflate was not agreed
 * on, else the window for ws_frame (15 for every common client; a socket with less cannot be sent
 * frames that were compressed for others). FAIL_UPGRADE_REQUIRED on another version: the answer
 * must carry "Sec-WebSocket-Version: 13". */
int ws_accept(const struct http_head *head, struct slice protocol, bool allow_deflate,
              struct buf *out, uint8_t *ret_deflate_bits, struct error *err) MUSTCHECK;
/* Splits Sec-WebSocket-Protocol: the i-th offered name, absent past the end. */
struct slice ws_offered_protocol(const struct http_head *head, unsigned i);

#endif
