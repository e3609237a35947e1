/* Cache-aside with one maker at a time.
 *
 * A flight is one making of one key: its maker, those who wait for the result (cache_wait.c), and
 * whether the key was forgotten meanwhile. Flights under way stand in a table, in shards that are
 * locked for a few steps and never while anything waits; what is made already is in the ephemeral
 * store alone.
 *
 * An invalidation beats a making that began before it:
 *   - a flight that still makes leaves the table: those who wait for it asked earlier and get its
 *     result, nobody else does, and it is not kept;
 *   - a flight that is just being kept stays in the table until it has taken its value out of the
 *     store again; whoever comes meanwhile waits, and then asks anew.
 * cache_forget marks, removes, and marks again: what began between the first mark and the removal
 * may have met the old value in the store, so nobody may join it any more.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/metric.h"
#include "kit/cache_private.h"

/* One call of cache_get. */
struct call {
    struct cache *cache;
    struct cache_shard *shard;
    struct slice key;
    uint64_t hash;
    cache_make_fn *make;
    void *arg;
    struct arena *arena;
    struct buf *out;
    struct error *err;
};

static struct metric *series(const char *cache, const char *name, const char *help)
{
    char labels[96];
    snprintf(labels, sizeof labels, "cache=\"%s\"", cache);
    return metric_register(METRIC_COUNTER, name, help, labels);
}

struct cache *cache_new(struct kit *kit, const char *name, int64_t ttl_ms)
{
    struct cache *c = aligned_alloc(64, sizeof *c);
    panic_if(c == NULL, "out of memory");
    *c = (struct cache){
        .kit = kit,
        .ttl_ms = ttl_ms,
        .hits = series(name, "parley_cache_hits_total", "Values that were in the cache."),
        .misses = series(name, "parley_cache_misses_total", "Values that were not."),
        .made = series(name, "parley_cache_made_total", "Values made, once for all who wait."),
        .failed = series(name, "parley_cache_failures_total", "Makings that failed."),
        .not_kept = series(name, "parley_cache_not_kept_total",
                           "Values made and not kept: too large, forgotten meanwhile, or the store "
                           "was away."),
    };
    for (int i = 0; i < CACHE_SHARDS; i++) {
        pthread_mutex_init(&c->shards[i].lock, NULL);
        map_init(&c->shards[i].flights);
    }
    return c;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    for (int i = 0; i < CACHE_SHARDS; i++) {
        panic_if(cache->shards[i].flights.count > 0, "a cache was closed while it was asked");
        map_done(&cache->shards[i].flights);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

static struct cache_shard *shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 60];
}
_Static_assert(CACHE_SHARDS == 16, "shard_of takes four bits");

/* --- the table of flights ------------------------------------------------------------------------
 */

static bool has_key(const struct map_node *node, const void *key)
{
    const struct cache_flight *f = CONTAINER_OF(node, const struct cache_flight, node);
    return slice_eq(slice_of(f->key, f->key_len), *(const struct slice *)key);
}

/* Under the lock, as the next three. */
static struct cache_flight *find(const struct cache_shard *shard, uint64_t hash, struct slice key)
{
    struct map_node *node = map_find(&shard->flights, hash, has_key, &key);
    return node != NULL ? CONTAINER_OF(node, struct cache_flight, node) : NULL;
}

static struct cache_flight *list_flight(const struct call *call)
{
    struct cache_flight *f = xcalloc(1, sizeof *f + call->key.len);
    list_init(&f->waiters);
    buf_init(&f->value, call->out->max);
    f->refs = 1;
    f->listed = true;
    f->key_len = call->key.len;
    memcpy(f->key, call->key.ptr, call->key.len);
    map_insert(&call->shard->flights, &f->node, call->hash);
    return f;
}

void cache_unlist(struct cache_shard *shard, struct cache_flight *f)
{
    if (f->listed)
        map_remove(&shard->flights, &f->node);
    f->listed = false;
}

void cache_unref(struct cache_flight *f)
{
    if (atomic_fetch_sub(&f->refs, 1) > 1)
        return;
    buf_done(&f->value);
    free(f);
}

/* --- the store: best effort; one that is away has nothing and takes nothing ---------------------
 */

static bool look(const struct call *call, struct buf *out)
{
    struct kv *kv = call->cache->kit->kv;
    struct error ignored;
    struct slice value = {0};
    error_init(&ignored);
    if (kv->ops->get(kv, call->key, call->arena, &value, &ignored) < 0 || value.ptr == NULL)
        return false;
    buf_slice(out, value);
    return true;
}

static void drop(struct cache *cache, struct slice key)
{
    struct kv *kv = cache->kit->kv;
    struct error ignored;
    error_init(&ignored);
    (void)!kv->ops->remove(kv, key, &ignored);
}

static bool begin_storing(const struct call *call, struct cache_flight *f)
{
    pthread_mutex_lock(&call->shard->lock);
    f->storing = !f->forgotten;
    bool storing = f->storing;
    pthread_mutex_unlock(&call->shard->lock);
    return storing;
}

static void keep(const struct call *call, struct cache_flight *f)
{
    struct cache *c = call->cache;
    struct kv *kv = c->kit->kv;
    struct error ignored;
    error_init(&ignored);
    if (!begin_storing(call, f) ||
        kv->ops->set(kv, call->key, buf_view(&f->value), c->ttl_ms, &ignored) < 0) {
        metric_add(c->not_kept, 1);
        return;
    }
    pthread_mutex_lock(&call->shard->lock);
    bool undo = f->forgotten;
    pthread_mutex_unlock(&call->shard->lock);
    if (undo)
        drop(c, call->key);
}

/* --- making ------------------------------------------------------------------------------------
 */

static int make_value(const struct call *call, struct cache_flight *f)
{
    buf_clear(&f->value);
    if (look(call, &f->value)) /* somebody was faster between our look and our flight */
        return 0;
    error_init(&f->error);
    int rc = call->make(call->arg, call->arena, &f->value, &f->error);
    if (rc == 0 && !buf_ok(&f->value))
        rc = error_set(&f->error, FAIL_TOO_LARGE, "too_large", "The answer is too large.");
    metric_add(rc == 0 ? call->cache->made : call->cache->failed, 1);
    if (rc == 0)
        keep(call, f);
    return rc;
}

static int fly(const struct call *call, struct cache_flight *f)
{
    int rc = make_value(call, f);
    if (rc == 0)
        buf_slice(call->out, buf_view(&f->value));
    else if (call->err != NULL)
        *call->err = f->error;
    cache_land(call->shard, f, rc);
    return rc;
}

static int take(const struct call *call, struct cache_flight *f)
{
    int rc = f->result;
    if (rc == 0)
        buf_slice(call->out, buf_view(&f->value));
    else if (call->err != NULL)
        *call->err = f->error;
    cache_unref(f);
    return rc;
}

/* A flight of one's own (true), or the one to wait for. */
static bool board(const struct call *call, struct cache_waiter *w, struct cache_flight **ret_flight)
{
    pthread_mutex_lock(&call->shard->lock);
    struct cache_flight *f = find(call->shard, call->hash, call->key);
    bool ours = f == NULL;
    if (ours)
        f = list_flight(call);
    else if (coro_current() != NULL)
        cache_queue(f, w);
    pthread_mutex_unlock(&call->shard->lock);
    *ret_flight = f;
    return ours;
}

/* *ret_again: what it waited for was forgotten. */
static int make_or_wait(const struct call *call, bool *ret_again)
{
    struct cache_waiter w;
    struct cache_flight *f;
    *ret_again = false;
    if (board(call, &w, &f))
        return fly(call, f);
    if (coro_current() == NULL) /* a plain thread (command line, tests) waits for nobody */
        return call->make(call->arg, call->arena, call->out, call->err);
    int rc = cache_await(call->shard, &w, call->err);
    if (rc < 0)
        return rc;
    *ret_again = w.verdict == CACHE_AGAIN;
    if (w.verdict == CACHE_MAKE)
        return fly(call, f);
    return w.verdict == CACHE_TAKE ? take(call, f) : 0;
}

static bool under_way(const struct call *call)
{
    pthread_mutex_lock(&call->shard->lock);
    bool found = find(call->shard, call->hash, call->key) != NULL;
    pthread_mutex_unlock(&call->shard->lock);
    return found;
}

int cache_get(struct cache *cache, struct slice key, cache_make_fn *make, void *arg,
              struct arena *arena, struct buf *out, struct error *err)
{
    uint64_t hash = hash_bytes(key.ptr, key.len);
    struct call call = {.cache = cache,
                        .shard = shard_of(cache, hash),
                        .key = key,
                        .hash = hash,
                        .make = make,
                        .arg = arg,
                        .arena = arena,
                        .out = out,
                        .err = err};
    bool again;
    int rc;
    if (!under_way(&call) && look(&call, out)) {
        metric_add(cache->hits, 1);
        return 0;
    }
    metric_add(cache->misses, 1);
    do
        rc = make_or_wait(&call, &again);
    while (again);
    return rc;
}

/* --- forgetting --------------------------------------------------------------------------------
 */

static void mark(struct cache *cache, uint64_t hash, struct slice key)
{
    struct cache_shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct cache_flight *f = find(shard, hash, key);
    if (f != NULL) {
        f->forgotten = true;
        if (!f->storing)
            cache_unlist(shard, f);
    }
    pthread_mutex_unlock(&shard->lock);
}

void cache_forget(struct cache *cache, struct slice key)
{
    uint64_t hash = hash_bytes(key.ptr, key.len);
    mark(cache, hash, key);
    drop(cache, key);
    mark(cache, hash, key);
}
