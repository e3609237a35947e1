/* The ephemeral store in this process's memory.
 *
 * Keys are spread over shards, each with a mutex of its own that is held for a few hundred
 * nanoseconds; no call waits for anything else. An entry past its time counts as absent and is
 * freed when its key is met again or when its shard needs room. A full shard looks at a handful of
 * entries and lets the one go that would end first: what is lost is always something that could
 * have been lost anyway (kv.h).
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "engine/kv.h"

enum { SHARDS = 64, KEY_MAX = 256, VALUE_MAX = 64 << 10, EVICT_LOOK = 32 };

struct entry {
    struct map_node node;
    int64_t expires_ms; /* monotonic; INT64_MAX: never */
    uint32_t key_len, value_len;
    char bytes[]; /* key, then value */
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct map entries;
    struct map_node *hand; /* where the next search for a victim begins; NULL: at the start */
};

struct kv_memory {
    struct kv kv; /* first */
    const struct clock *clock;
    size_t shard_entries_max;
    struct shard shards[SHARDS];
};

static struct kv_memory *memory_of(struct kv *kv)
{
    return CONTAINER_OF(kv, struct kv_memory, kv);
}

static bool has_key(const struct map_node *node, const void *key)
{
    const struct entry *e = CONTAINER_OF(node, const struct entry, node);
    return slice_eq(slice_of(e->bytes, e->key_len), *(const struct slice *)key);
}

static void drop(struct shard *s, struct entry *e)
{
    if (s->hand == &e->node)
        s->hand = map_next(&s->entries, &e->node);
    map_remove(&s->entries, &e->node);
    free(e);
}

/* The living entry of a key, or NULL. */
static struct entry *find(struct shard *s, uint64_t hash, struct slice key, int64_t now)
{
    struct map_node *node = map_find(&s->entries, hash, has_key, &key);
    if (node == NULL)
        return NULL;
    struct entry *e = CONTAINER_OF(node, struct entry, node);
    if (e->expires_ms > now)
        return e;
    drop(s, e);
    return NULL;
}

static void make_room(struct kv_memory *m, struct shard *s, int64_t now)
{
    struct entry *victim = NULL;
    if (s->entries.count < m->shard_entries_max)
        return;
    for (int i = 0; i < EVICT_LOOK; i++) {
        if (s->hand == NULL)
            s->hand = map_first(&s->entries);
        struct entry *e = CONTAINER_OF(s->hand, struct entry, node);
        s->hand = map_next(&s->entries, s->hand);
        if (victim == NULL || e->expires_ms < victim->expires_ms)
            victim = e;
        if (e->expires_ms <= now)
            break;
    }
    drop(s, victim);
}

static struct entry *put(struct kv_memory *m, struct shard *s, uint64_t hash, struct slice key,
                         struct slice value, int64_t expires_ms, int64_t now)
{
    make_room(m, s, now);
    struct entry *e = xmalloc(sizeof *e + key.len + value.len);
    e->expires_ms = expires_ms;
    e->key_len = (uint32_t)key.len;
    e->value_len = (uint32_t)value.len;
    memcpy(e->bytes, key.ptr, key.len);
    if (value.len > 0)
        memcpy(e->bytes + key.len, value.ptr, value.len);
    map_insert(&s->entries, &e->node, hash);
    s->hand = NULL; /* the map may have grown: chains have moved */
    return e;
}

/* What every call begins with: the shard, locked, and the time. */
struct visit {
    struct kv_memory *m;
    struct shard *s;
    uint64_t hash;
    int64_t now;
};

static int enter(struct kv *kv, struct slice key, size_t value_len, struct visit *v,
                 struct error *err)
{
    if (key.len == 0 || key.len > KEY_MAX)
        return error_set(err, FAIL_INVALID, "invalid_key", "A key has 1 to %d bytes.", KEY_MAX);
    if (value_len > VALUE_MAX)
        return error_set(err, FAIL_TOO_LARGE, "value_too_large", "A value has at most %d bytes.",
                         VALUE_MAX);
    v->m = memory_of(kv);
    v->hash = hash_bytes(key.ptr, key.len);
    v->s = &v->m->shards[v->hash >> 58 & (SHARDS - 1)];
    v->now = clock_mono_ms(v->m->clock);
    pthread_mutex_lock(&v->s->lock);
    return 0;
}

static void leave(struct visit *v)
{
    pthread_mutex_unlock(&v->s->lock);
}

static int64_t ends(int64_t now, int64_t ttl_ms)
{
    return ttl_ms > 0 && ttl_ms < INT64_MAX - now ? now + ttl_ms : INT64_MAX;
}

static int memory_get(struct kv *kv, struct slice key, struct arena *arena, struct slice *ret_value,
                      struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    struct entry *e = find(v.s, v.hash, key, v.now);
    struct slice value = {0};
    if (e != NULL) {
        value = arena_copy(arena, slice_of(e->bytes + e->key_len, e->value_len));
        if (value.ptr == NULL)
            rc = error_set(err, FAIL_TOO_LARGE, "value_too_large", "The value does not fit.");
    }
    leave(&v);
    if (rc == 0)
        *ret_value = value;
    return rc;
}

static int memory_set(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
                      struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, value.len, &v, err);
    if (rc < 0)
        return rc;
    struct entry *e = find(v.s, v.hash, key, v.now);
    if (e != NULL)
        drop(v.s, e);
    put(v.m, v.s, v.hash, key, value, ends(v.now, ttl_ms), v.now);
    leave(&v);
    return 0;
}

static int memory_remove(struct kv *kv, struct slice key, struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    struct entry *e = find(v.s, v.hash, key, v.now);
    if (e != NULL)
        drop(v.s, e);
    leave(&v);
    return 0;
}

static int memory_add(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
                      bool *ret_stored, struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, value.len, &v, err);
    if (rc < 0)
        return rc;
    bool absent = find(v.s, v.hash, key, v.now) == NULL;
    if (absent)
        put(v.m, v.s, v.hash, key, value, ends(v.now, ttl_ms), v.now);
    leave(&v);
    *ret_stored = absent;
    return 0;
}

/* The numbers that counters and limits keep, in an entry of that size; made when absent. */
static void *numbers(struct visit *v, struct slice key, size_t size, const void *fresh,
                     int64_t expires_ms)
{
    struct entry *e = find(v->s, v->hash, key, v->now);
    if (e != NULL && e->value_len != size) {
        drop(v->s, e);
        e = NULL;
    }
    if (e == NULL)
        e = put(v->m, v->s, v->hash, key, slice_of(fresh, size), expires_ms, v->now);
    return e->bytes + e->key_len;
}

static int memory_increment(struct kv *kv, struct slice key, int64_t delta, int64_t ttl_ms,
                            int64_t *ret_value, struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    int64_t value = 0, sum;
    void *kept = numbers(&v, key, sizeof value, &value, ends(v.now, ttl_ms));
    memcpy(&value, kept, sizeof value);
    if (__builtin_add_overflow(value, delta, &sum))
        rc = error_set(err, FAIL_INVALID, "overflow", "The counter is at its end.");
    else
        memcpy(kept, &sum, sizeof sum);
    leave(&v);
    if (rc == 0)
        *ret_value = sum;
    return rc;
}

static struct entry *entry_of(void *value, size_t key_len)
{
    return CONTAINER_OF((char *)value - key_len, struct entry, bytes);
}

/* Tokens are kept in thousandths of a millisecond's refill, so that slow buckets lose nothing to
 * rounding: level counts token * period_ms. */
struct bucket {
    int64_t level, at_ms;
};

static int memory_take_token(struct kv *kv, struct slice key, int64_t capacity, int64_t period_ms,
                             int64_t *ret_left, int64_t *ret_retry_ms, struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    struct bucket b = {capacity * period_ms, v.now};
    void *kept = numbers(&v, key, sizeof b, &b, ends(v.now, period_ms));
    memcpy(&b, kept, sizeof b);
    int64_t passed = v.now - b.at_ms < period_ms ? v.now - b.at_ms : period_ms;
    b.level += passed * capacity;
    if (b.level > capacity * period_ms)
        b.level = capacity * period_ms;
    b.at_ms = v.now;
    bool granted = b.level >= period_ms;
    if (granted)
        b.level -= period_ms;
    memcpy(kept, &b, sizeof b);
    entry_of(kept, key.len)->expires_ms = ends(v.now, period_ms);
    leave(&v);
    *ret_left = granted ? b.level / period_ms : -1;
    *ret_retry_ms = granted ? 0 : (period_ms - b.level + capacity - 1) / capacity;
    return 0;
}

/* Two neighbouring fixed windows; the older one counts by the share of it that the sliding window
 * still covers. */
struct window {
    int64_t start_ms, before, now;
};

static int memory_take_window(struct kv *kv, struct slice key, int64_t limit, int64_t period_ms,
                              int64_t *ret_left, int64_t *ret_retry_ms, struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    struct window w = {v.now, 0, 0};
    void *kept = numbers(&v, key, sizeof w, &w, ends(v.now, 2 * period_ms));
    memcpy(&w, kept, sizeof w);
    int64_t periods = (v.now - w.start_ms) / period_ms;
    if (periods > 0) {
        w.before = periods == 1 ? w.now : 0;
        w.now = 0;
        w.start_ms += periods * period_ms;
    }
    int64_t covered = period_ms - (v.now - w.start_ms);
    int64_t used = w.now + (w.before * covered + period_ms - 1) / period_ms;
    bool granted = used < limit;
    if (granted)
        w.now++;
    memcpy(kept, &w, sizeof w);
    entry_of(kept, key.len)->expires_ms = ends(v.now, 2 * period_ms);
    leave(&v);
    *ret_left = granted ? limit - used - 1 : -1;
    /* Either the older window has to move out far enough, or this one has to become the older. */
    *ret_retry_ms = granted                         ? 0
                    : w.now < limit && w.before > 0 ? (used - limit + 1) * period_ms / w.before + 1
                                                    : covered + 1;
    return 0;
}

static void memory_close(struct kv *kv)
{
    struct kv_memory *m = memory_of(kv);
    for (int i = 0; i < SHARDS; i++) {
        struct map_node *next;
        for (struct map_node *n = map_first(&m->shards[i].entries); n != NULL; n = next) {
            next = map_next(&m->shards[i].entries, n);
            map_remove(&m->shards[i].entries, n);
            free(CONTAINER_OF(n, struct entry, node));
        }
        map_done(&m->shards[i].entries);
        pthread_mutex_destroy(&m->shards[i].lock);
    }
    free(m);
}

static const struct kv_ops memory_ops = {
    .get = memory_get,
    .set = memory_set,
    .remove = memory_remove,
    .add = memory_add,
    .increment = memory_increment,
    .take_token = memory_take_token,
    .take_window = memory_take_window,
    .close = memory_close,
};

int kv_memory_open(const struct clock *clock, size_t entries_max, struct kv **ret_kv,
                   struct error *err)
{
    struct kv_memory *m = aligned_alloc(64, (sizeof *m + 63) / 64 * 64);
    if (m == NULL)
        return error_set(err, FAIL_INTERNAL, "no_memory", "There is no memory left.");
    memset(m, 0, sizeof *m);
    m->kv.ops = &memory_ops;
    m->clock = clock;
    m->shard_entries_max = entries_max / SHARDS > EVICT_LOOK ? entries_max / SHARDS : EVICT_LOOK;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&m->shards[i].lock, NULL);
        map_init(&m->shards[i].entries);
    }
    *ret_kv = &m->kv;
    return 0;
}
