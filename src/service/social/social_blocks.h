/* Who has blocked whom, in memory: exact, asked for every message (S01, C08).
 *
 * Pairs lie in 4096 buckets, each a sorted array. A bucket is found by the random last bits of both
 * ids, so that a pair and its reverse are in the same one, and so that it is the same bucket in
 * every run: the table block_pack keeps the buckets as they are here, and starting is reading at
 * most 4096 blobs, not a million rows.
 *
 * Readers hold no lock and never wait: a bucket has a sequence that is odd while it is being
 * changed, and a reader begins anew when it has moved. Where nobody has blocked anybody that hashes
 * alike, the answer costs one load. An array that grew is kept until the end: a reader may still
 * look at it. Changes come from the writer's thread, one at a time.
 */
#ifndef PARLEY_SERVICE_SOCIAL_BLOCKS_H
#define PARLEY_SERVICE_SOCIAL_BLOCKS_H

#include "base/buf.h"
#include "base/id.h"

enum { SOCIAL_BUCKETS = 4096, SOCIAL_PAIR_BYTES = 32 };

struct social_blocks;

struct social_blocks *social_blocks_new(void);
void social_blocks_free(struct social_blocks *blocks);

unsigned social_blocks_bucket(const struct id *a, const struct id *b);
/* Any thread. */
bool social_blocks_between(const struct social_blocks *blocks, const struct id *a,
                           const struct id *b); /* either way */
uint64_t social_blocks_count(const struct social_blocks *blocks);
/* Setting what is set, or the reverse, changes nothing. */
void social_blocks_set(struct social_blocks *blocks, const struct id *blocker,
                       const struct id *blocked, bool on);
/* At start: a whole bucket as social_pack_set left it. False when the bytes are no such thing. */
bool social_blocks_load(struct social_blocks *blocks, int64_t bucket, struct slice pairs);

/* The packed form: appends `pairs` to out with the pair put in or taken out. False when the bytes
 * are no pack; a full out shows in buf_ok. */
bool social_pack_set(struct slice pairs, const struct id *blocker, const struct id *blocked,
                     bool on, struct buf *out);

#endif
