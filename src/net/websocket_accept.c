/* The opening handshake (RFC 6455 section 4.2) and the negotiation of permessage-deflate (RFC 7692
 * section 7.1).
 *
 * No context takeover is agreed on in both directions whatever is offered: the server may always
 * say so (sections 7.1.1.1 and 7.1.1.2), and then no socket owns a compressor. The client's window
 * never matters, since messages are inflated with the full one; the server's own is kept where the
 * client asks for less. A window of 8 bits cannot be made by zlib, so that offer is passed over.
 */
#include <openssl/evp.h>

#include "net/http1_scan.h"
#include "net/websocket.h"

enum { KEY_TEXT_BYTES = 24, SHA1_BYTES = 20, ACCEPT_TEXT_BYTES = 28, WINDOW_FULL = 15 };

static int refuse(struct error *err, const char *why)
{
    return error_set(err, FAIL_BAD_REQUEST, "bad_websocket_handshake", "%s", why);
}

/* Takes the next element of a list with that separator, trimmed; false at the end. */
static bool next_element(struct slice *list, char separator, struct slice *ret_element)
{
    if (list->ptr == NULL)
        return false;
    if (!slice_cut(list, separator, ret_element))
        *list = (struct slice){0};
    *ret_element = slice_trim(*ret_element);
    return true;
}

static bool list_names(struct slice list, struct slice name)
{
    struct slice element;
    while (next_element(&list, ',', &element))
        if (slice_ieq(element, name))
            return true;
    return false;
}

static unsigned count_fields(const struct http_head *head, struct slice name)
{
    unsigned count = 0;
    for (unsigned i = 0; i < head->header_count; i++)
        count += slice_ieq(head->headers[i].name, name);
    return count;
}

/* Base64 of sixteen bytes: 22 digits and two pads. */
static bool key_valid(struct slice key)
{
    if (key.len != KEY_TEXT_BYTES || key.ptr[22] != '=' || key.ptr[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.ptr[i], letter = (char)(c | 32);
        if (!((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/'))
            return false;
    }
    return true;
}

/* --- permessage-deflate ----------------------------------------------------------------------- */

struct offer {
    unsigned server_bits; /* 0: not named */
    bool client_bits, server_takeover, client_takeover;
};

/* 8..15 without leading zero, bare or quoted (section 7.1.2.1); 0 when it is not. */
static unsigned window_value(struct slice text)
{
    uint64_t bits;
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        text = slice_of(text.ptr + 1, text.len - 2);
    return slice_to_u64(text, &bits) && bits >= 8 && bits <= 15 ? (unsigned)bits : 0;
}

/* One parameter. False makes the whole offer one to decline: unknown, twice, or a bad value. */
static bool take_parameter(struct offer *offer, struct slice text)
{
    struct slice name, value = text;
    bool has_value = slice_cut(&value, '=', &name);
    name = slice_trim(name);
    value = slice_trim(value);
    if (slice_ieq(name, SLICE("server_max_window_bits"))) {
        bool first = offer->server_bits == 0;
        offer->server_bits = has_value ? window_value(value) : 0;
        return first && offer->server_bits != 0;
    }
    bool *seen = NULL;
    if (slice_ieq(name, SLICE("client_max_window_bits")))
        seen = &offer->client_bits;
    else if (slice_ieq(name, SLICE("server_no_context_takeover")))
        seen = &offer->server_takeover;
    else if (slice_ieq(name, SLICE("client_no_context_takeover")))
        seen = &offer->client_takeover;
    if (seen == NULL || *seen)
        return false;
    *seen = true;
    if (has_value)
        return seen == &offer->client_bits && window_value(value) != 0;
    return true;
}

/* The window to answer one offer with, or 0 to decline it. */
static uint8_t judge_offer(struct slice text, bool *ret_says_bits)
{
    struct slice name, parameter;
    struct offer offer = {0};
    next_element(&text, ';', &name);
    if (!slice_ieq(name, SLICE("permessage-deflate")))
        return 0;
    while (next_element(&text, ';', &parameter))
        if (!take_parameter(&offer, parameter))
            return 0;
    if (offer.server_bits == 8)
        return 0;
    *ret_says_bits = offer.server_bits != 0;
    return offer.server_bits != 0 ? (uint8_t)offer.server_bits : WINDOW_FULL;
}

/* The first offer that can be met, over all Sec-WebSocket-Extensions fields in order. */
static uint8_t choose_deflate(const struct http_head *head, bool *ret_says_bits)
{
    for (unsigned i = 0; i < head->header_count; i++) {
        if (!slice_ieq(head->headers[i].name, SLICE("sec-websocket-extensions")))
            continue;
        struct slice list = head->headers[i].value, offer;
        while (next_element(&list, ',', &offer)) {
            uint8_t bits = judge_offer(offer, ret_says_bits);
            if (bits != 0)
                return bits;
        }
    }
    return 0;
}

/* --- the handshake ---------------------------------------------------------------------------- */

static int check_handshake(const struct http_head *head, struct error *err)
{
    struct slice version = http_value(head, "sec-websocket-version");
    if (head->method != HTTP_GET || head->minor < 1)
        return refuse(err, "A WebSocket handshake is a GET of HTTP/1.1.");
    if (!head->upgrade || !list_names(http_value(head, "upgrade"), SLICE("websocket")))
        return error_set(err, FAIL_UPGRADE_REQUIRED, "upgrade_required",
                         "This address speaks WebSocket: send Upgrade: websocket.");
    if (version.ptr == NULL)
        return refuse(err, "Sec-WebSocket-Version is missing.");
    if (!slice_eq(version, SLICE("13")))
        return error_set(err, FAIL_UPGRADE_REQUIRED, "websocket_version",
                         "WebSocket version 13 is spoken here.");
    if (count_fields(head, SLICE("sec-websocket-version")) != 1 ||
        count_fields(head, SLICE("sec-websocket-key")) != 1 ||
        !key_valid(http_value(head, "sec-websocket-key")))
        return refuse(err, "Sec-WebSocket-Key must be 16 bytes in base64, once.");
    if (head->chunked || head->content_length != 0)
        return refuse(err, "A WebSocket handshake has no body.");
    return 0;
}

/* base64(SHA-1(key + GUID)), section 4.2.2. */
static bool accept_value(struct slice key, char ret_text[ACCEPT_TEXT_BYTES + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_TEXT_BYTES + sizeof guid - 1];
    uint8_t digest[SHA1_BYTES];
    memcpy(text, key.ptr, KEY_TEXT_BYTES);
    memcpy(text + KEY_TEXT_BYTES, guid, sizeof guid - 1);
    if (EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)ret_text, digest, SHA1_BYTES);
    return true;
}

int ws_accept(const struct http_head *head, struct slice protocol, bool allow_deflate,
              struct buf *out, uint8_t *ret_deflate_bits, struct error *err)
{
    char accept[ACCEPT_TEXT_BYTES + 1];
    bool says_bits = false;
    int rc = check_handshake(head, err);
    if (rc < 0)
        return rc;
    if (!accept_value(http_value(head, "sec-websocket-key"), accept))
        return error_set(err, FAIL_INTERNAL, "internal", "SHA-1 is not available.");
    uint8_t bits = allow_deflate ? choose_deflate(head, &says_bits) : 0;
    buf_lit(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    buf_append(out, accept, ACCEPT_TEXT_BYTES);
    if (bits != 0)
        buf_lit(out, "\r\nSec-WebSocket-Extensions: permessage-deflate; "
                     "server_no_context_takeover; client_no_context_takeover");
    if (says_bits)
        buf_printf(out, "; server_max_window_bits=%u", bits);
    if (protocol.ptr != NULL) {
        buf_lit(out, "\r\nSec-WebSocket-Protocol: ");
        buf_slice(out, protocol);
    }
    buf_lit(out, "\r\n\r\n");
    if (!buf_ok(out))
        return error_set(err, FAIL_INTERNAL, "internal", "The handshake answer does not fit.");
    *ret_deflate_bits = bits;
    return 0;
}

struct slice ws_offered_protocol(const struct http_head *head, unsigned i)
{
    for (unsigned at = 0; at < head->header_count; at++) {
        if (!slice_ieq(head->headers[at].name, SLICE("sec-websocket-protocol")))
            continue;
        struct slice list = head->headers[at].value, name;
        while (next_element(&list, ',', &name))
            if (name.len != 0 && i-- == 0)
                return name;
    }
    return (struct slice){0};
}
