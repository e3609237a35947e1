/* Content codings for answers: negotiation by RFC 9110 section 12.5.3 and one-shot compression.
 * zstd 3 and gzip 5 up to 64 KiB on the loop, brotli 4; larger bodies belong on an offload pool. */
#ifndef PARLEY_NET_COMPRESS_H
#define PARLEY_NET_COMPRESS_H

#include "base/buf.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODING_ZSTD };

/* The best coding of `allowed` (bit per enum coding) for an Accept-Encoding value; absent value:
 * identity. Order at equal weight: zstd, br, gzip. */
enum coding coding_choose(struct slice accept_encoding, unsigned allowed);
const char *coding_name(enum coding coding); /* "gzip" */
/* Appends the compressed bytes; false when it failed or does not get smaller. Thread-safe. */
bool compress_bytes(enum coding coding, struct slice bytes, struct buf *out) MUSTCHECK;

#endif
