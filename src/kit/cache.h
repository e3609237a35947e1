/* Cache-aside over the ephemeral store (K01): what is asked for often is made once, kept for a
 * while, and never shown after it was invalidated.
 *
 * One maker at a time per key on this process, whatever loop it runs on: the others wait for its
 * result (no stampede). A maker that is cancelled or fails lets the next one try; a second failure
 * is the answer for all who wait. A value whose making began before an invalidation is not kept.
 * The store may be away or forget at any time: then the value is made anew. A value larger than
 * the store takes (64 KiB) is answered and not kept. Keys stand in the store as they are given, so
 * they name their room ("trade-signal:<id>"). Calls are made from coroutines and may wait;
 * cache_forget does not wait and may be called from kit_after_commit.
 *
 * Metrics, by name of the cache: parley_cache_hits_total, _misses_total, _made_total,
 * _failures_total, _not_kept_total.
 */
#ifndef PARLEY_KIT_CACHE_H
#define PARLEY_KIT_CACHE_H

#include "base/buf.h"
#include "kit/kit.h"

struct cache;

/* Appends the value (JSON, mostly). In the caller's coroutine, may wait. */
typedef int cache_make_fn(void *arg, struct arena *arena, struct buf *out, struct error *err);

struct cache *cache_new(struct kit *kit, const char *name, int64_t ttl_ms); /* name: metric label */
void cache_free(struct cache *cache);
/* Appends the value of the key to out, from the store or made; `arena` takes a copy of what is in
 * the store. What `make` fails with, FAIL_TOO_LARGE when it does not fit into out's maximum,
 * FAIL_UNAVAILABLE "busy" after ten seconds of waiting for somebody else's making. */
int cache_get(struct cache *cache, struct slice key, cache_make_fn *make, void *arg,
              struct arena *arena, struct buf *out, struct error *err) MUSTCHECK;
/* After the change was committed and before it is acknowledged: nobody who asks from here on sees
 * what was before. */
void cache_forget(struct cache *cache, struct slice key);

#endif
