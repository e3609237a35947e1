/* Cache-aside over the ephemeral store (K01): what is asked for often is made once, kept for a
 * while, and never shown after it was invalidated.
 *
 * One maker at a time per key on this process: the others wait for its result (no stampede). A
 * value whose making began before an invalidation is not kept. The store may be away or forget at
 * any time: then the value is made anew. A value larger than the store takes (64 KiB) is answered
 * and not kept. Calls are made from coroutines and may wait; cache_forget does not wait and may be
 * called from kit_after_commit.
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
/* Appends the value of the key to out, from the store or made. */
int cache_get(struct cache *cache, struct slice key, cache_make_fn *make, void *arg,
              struct arena *arena, struct buf *out, struct error *err) MUSTCHECK;
/* After the change was committed and before it is acknowledged: nobody who asks from here on sees
 * what was before. */
void cache_forget(struct cache *cache, struct slice key);

#endif
