/* The ephemeral store in this process's memory.
 *
 * Keys are spread over shards, each with a mutex of its own that is held for a few hundred
 * nanoseconds; no call waits for anything else. An entry past its time counts as absent and is
 * freed when its key is met again or when its shard needs room. A full shard looks at a handful of
 * entries and lets the one go that would end first: what is lost is always something that could
 * have been lost anyway (kv.h).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "engine/kv.h"

enum {
    SHARDS_MAX = 64,
    SHARD_ENTRIES_MIN = 32,
    KEY_MAX = 256,
    VALUE_MAX = 64 << 10,
    EVICT_LOOK = 32
};

enum kind { VALUE, COUNTER, BUCKET, WINDOW };

struct entry {
    struct map_node node;
    int64_t expires_ms; /* monotonic; INT64_MAX: never */
    uint32_t value_len;
    uint16_t key_len;
    uint8_t kind; /* enum kind */
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
    unsigned shard_mask; /* shards in use, a power of two, minus one */
    struct shard shards[SHARDS_MAX];
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
                         enum kind kind, struct slice value, int64_t expires_ms, int64_t now)
{
    make_room(m, s, now);
    struct entry *e = xmalloc(sizeof *e + key.len + value.len);
    e->expires_ms = expires_ms;
    e->kind = (uint8_t)kind;
    e->key_len = (uint16_t)key.len;
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
    v->s = &v->m->shards[v->hash >> 58 & v->m->shard_mask];
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

/* What `get` gives for the entry; absent for a limit. `text` has room for a number. */
static struct slice readable(const struct entry *e, char *text, size_t size)
{
    int64_t number;
    if (e->kind == VALUE)
        return slice_of(e->bytes + e->key_len, e->value_len);
    if (e->kind != COUNTER)
        return (struct slice){0};
    memcpy(&number, e->bytes + e->key_len, sizeof number);
    return slice_of(text, (size_t)snprintf(text, size, "%lld", (long long)number));
}

static int memory_get(struct kv *kv, struct slice key, struct arena *arena, struct slice *ret_value,
                      struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    struct entry *e = find(v.s, v.hash, key, v.now);
    char number[24];
    struct slice value = e != NULL ? readable(e, number, sizeof number) : (struct slice){0};
    if (value.ptr != NULL) {
        value = arena_copy(arena, value);
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
    put(v.m, v.s, v.hash, key, VALUE, value, ends(v.now, ttl_ms), v.now);
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
        put(v.m, v.s, v.hash, key, VALUE, value, ends(v.now, ttl_ms), v.now);
    leave(&v);
    *ret_stored = absent;
    return 0;
}

/* The numbers that counters and limits keep, in an entry of that kind; made when absent. */
static void *numbers(struct visit *v, struct slice key, enum kind kind, size_t size,
                     const void *fresh, int64_t expires_ms)
{
    struct entry *e = find(v->s, v->hash, key, v->now);
    if (e != NULL && e->kind != kind) {
        drop(v->s, e);
        e = NULL;
    }
    if (e == NULL)
        e = put(v->m, v->s, v->hash, key, kind, slice_of(fresh, size), expires_ms, v->now);
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
    void *kept = numbers(&v, key, COUNTER, sizeof value, &value, ends(v.now, ttl_ms));
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
    void *kept = numbers(&v, key, BUCKET, sizeof b, &b, ends(v.now, period_ms));
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
 * still covers, and not at all once the last that it granted is a period ago. Without the second
 * half a small limit would hold for up to two periods: one of one a minute, used at the beginning
 * of a fixed window, would count as one until the end of the next. */
struct window {
    int64_t start_ms, before, now;
    int64_t before_last_ms, last_ms; /* when each granted its last */
};

static int64_t window_used(const struct window *w, int64_t now_ms, int64_t period_ms,
                           int64_t covered)
{
    if (now_ms - w->before_last_ms >= period_ms)
        return w->now;
    return w->now + (w->before * covered + period_ms - 1) / period_ms;
}

static int64_t at_most(int64_t value, int64_t bound)
{
    return value < bound ? value : bound;
}

/* Until one more is free, if nobody takes it: either the older window has to move out far enough,
 * or this one becomes the older and then has to. `covered` is what is left of this one. */
static int64_t window_retry_ms(const struct window *w, int64_t limit, int64_t now_ms,
                               int64_t period_ms, int64_t covered)
{
    if (limit <= 0)
        return period_ms;
    if (w->now < limit)
        return at_most(covered - (limit - 1 - w->now) * period_ms / w->before,
                       w->before_last_ms + period_ms - now_ms);
    return at_most(covered + period_ms - (limit - 1) * period_ms / w->now,
                   w->last_ms + period_ms - now_ms);
}

static int memory_take_window(struct kv *kv, struct slice key, int64_t limit, int64_t period_ms,
                              int64_t *ret_left, int64_t *ret_retry_ms, struct error *err)
{
    struct visit v = {0};
    int rc = enter(kv, key, 0, &v, err);
    if (rc < 0)
        return rc;
    struct window w = {.start_ms = v.now};
    void *kept = numbers(&v, key, WINDOW, sizeof w, &w, ends(v.now, 2 * period_ms));
    memcpy(&w, kept, sizeof w);
    int64_t periods = (v.now - w.start_ms) / period_ms;
    if (periods > 0) {
        w.before = periods == 1 ? w.now : 0;
        w.before_last_ms = w.last_ms;
        w.now = 0;
        w.start_ms += periods * period_ms;
    }
    int64_t covered = period_ms - (v.now - w.start_ms);
    int64_t used = window_used(&w, v.now, period_ms, covered);
    bool granted = used < limit;
    if (granted) {
        w.now++;
        w.last_ms = v.now;
    }
    memcpy(kept, &w, sizeof w);
    entry_of(kept, key.len)->expires_ms = ends(v.now, 2 * period_ms);
    leave(&v);
    *ret_left = granted ? limit - used - 1 : -1;
    *ret_retry_ms = granted ? 0 : window_retry_ms(&w, limit, v.now, period_ms, covered);
    return 0;
}

static void memory_close(struct kv *kv)
{
    struct kv_memory *m = memory_of(kv);
    for (unsigned i = 0; i <= m->shard_mask; i++) {
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
    unsigned shards = SHARDS_MAX;
    while (shards > 1 && entries_max / shards < SHARD_ENTRIES_MIN)
        shards /= 2;
    m->shard_mask = shards - 1;
    m->shard_entries_max = entries_max / shards > 0 ? entries_max / shards : 1;
    for (unsigned i = 0; i < shards; i++) {
        pthread_mutex_init(&m->shards[i].lock, NULL);
        map_init(&m->shards[i].entries);
    }
    *ret_kv = &m->kv;
    return 0;
}
