/* zlib behind a small door, shared by the content codings and permessage-deflate; inside src/net
 * only. Each thread keeps one stream of a kind and resets it for every call, so a call costs no
 * set-up and no socket owns compressor memory. Thread-safe. */
#ifndef PARLEY_NET_DEFLATE_H
#define PARLEY_NET_DEFLATE_H

#include "base/buf.h"

/* Appends a gzip member (RFC 1952); false (out maybe longer) when out is full or memory ran out. */
bool deflate_gzip(struct slice bytes, struct buf *out) MUSTCHECK;
/* Appends raw deflate data (RFC 1951) that ends on a byte boundary with an empty stored block, cut
 * off: what RFC 7692 section 7.2.1 wants. window_bits 9..15. */
bool deflate_message(struct slice bytes, unsigned window_bits, struct buf *out) MUSTCHECK;

enum inflate_result { INFLATE_OK, INFLATE_BAD, INFLATE_TOO_LARGE };
/* Appends what was compressed. TOO_LARGE: out->max was reached; nothing past it is inflated. */
enum inflate_result inflate_gzip(struct slice bytes, struct buf *out) MUSTCHECK;
enum inflate_result inflate_message(struct slice bytes, struct buf *out) MUSTCHECK;

#endif
