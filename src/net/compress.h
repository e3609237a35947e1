/* Content codings: negotiation by RFC 9110 section 12.5.3, one-shot compression of answers, bounded
 * decompression of request bodies. zstd 3 and gzip 5 up to 64 KiB on the loop, brotli 4; larger
 * bodies belong on an offload pool. */
#ifndef PARLEY_NET_COMPRESS_H
#define PARLEY_NET_COMPRESS_H

#include "base/buf.h"
#include "base/error.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODING_ZSTD };

/* The best coding of `allowed` (bit per enum coding) for an Accept-Encoding value; absent value:
 * identity. Order at equal weight: zstd, br, gzip. */
enum coding coding_choose(struct slice accept_encoding, unsigned allowed);
const char *coding_name(enum coding coding); /* "gzip" */
/* The coding a Content-Encoding names; false for any other, and for more than one. */
bool coding_parse(struct slice content_encoding, enum coding *ret_coding) MUSTCHECK;
/* Appends the compressed bytes; false (out as it was) when it failed or does not get smaller. Room
 * for as many bytes as there are is enough. Thread-safe. */
bool compress_bytes(enum coding coding, struct slice bytes, struct buf *out) MUSTCHECK;
/* Appends what was compressed: gzip and zstd only (415), never past out->max (413); 400 when the
 * data is broken or cut. Thread-safe. */
int decompress_bytes(enum coding coding, struct slice bytes, struct buf *out,
                     struct error *err) MUSTCHECK;

#endif
