#include "service/social/social_blocks.h"

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WORDS = SOCIAL_PAIR_BYTES / 8, FIRST_CAP = 4 };

/* Four words of a pair, in the order in which memcmp would compare their bytes. Atomics, because a
 * reader may look while they move; what it then sees is thrown away. Every store of a change is a
 * release, so that it is not seen before the odd sequence; every load of a reader is an acquire, so
 * that the sequence is looked at again after it. */
struct pair {
    _Atomic uint64_t words[WORDS];
};
struct key {
    uint64_t words[WORDS];
};

struct array {
    struct array *older; /* outgrown, kept for readers that still look at it */
    uint32_t cap;
    struct pair pairs[];
};

struct bucket {
    _Atomic uint32_t sequence; /* odd: being changed */
    _Atomic uint32_t count;
    struct array *_Atomic array;
};

struct social_blocks {
    pthread_mutex_t lock; /* of those who change */
    _Atomic uint64_t count;
    struct bucket buckets[SOCIAL_BUCKETS];
};

struct social_blocks *social_blocks_new(void)
{
    struct social_blocks *blocks = xcalloc(1, sizeof *blocks);
    pthread_mutex_init(&blocks->lock, NULL);
    return blocks;
}

void social_blocks_free(struct social_blocks *blocks)
{
    for (unsigned i = 0; blocks != NULL && i < SOCIAL_BUCKETS; i++) {
        struct array *array = atomic_load(&blocks->buckets[i].array), *older;
        for (; array != NULL; array = older) {
            older = array->older;
            free(array);
        }
    }
    if (blocks != NULL)
        pthread_mutex_destroy(&blocks->lock);
    free(blocks);
}

uint64_t social_blocks_count(const struct social_blocks *blocks)
{
    return atomic_load_explicit(&blocks->count, memory_order_relaxed);
}

unsigned social_blocks_bucket(const struct id *a, const struct id *b)
{
    unsigned high = a->bytes[14] ^ b->bytes[14], low = a->bytes[15] ^ b->bytes[15];
    return (high << 8 | low) % SOCIAL_BUCKETS;
}

static void pair_bytes(const struct id *blocker, const struct id *blocked,
                       char ret_bytes[SOCIAL_PAIR_BYTES])
{
    memcpy(ret_bytes, blocker->bytes, 16);
    memcpy(ret_bytes + 16, blocked->bytes, 16);
}

static struct key key_of(const char bytes[SOCIAL_PAIR_BYTES])
{
    struct key key;
    memcpy(key.words, bytes, sizeof key.words);
    for (unsigned i = 0; i < WORDS; i++)
        key.words[i] = be64toh(key.words[i]);
    return key;
}

static struct key make_key(const struct id *blocker, const struct id *blocked)
{
    char bytes[SOCIAL_PAIR_BYTES];
    pair_bytes(blocker, blocked, bytes);
    return key_of(bytes);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int compare(const struct pair *pair, const struct key *key)
{
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t word = atomic_load_explicit(&pair->words[i], memory_order_acquire);
        if (word != key->words[i])
            return word < key->words[i] ? -1 : 1;
    }
    return 0;
}

/* The first place whose pair is not before the key. */
static uint32_t place_of(const struct array *array, uint32_t count, const struct key *key,
                         bool *ret_there)
{
    uint32_t low = 0, high = count;
    *ret_there = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(&array->pairs[middle], key);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool find(const struct bucket *bucket, const struct key *key)
{
    for (;;) {
        uint32_t before = atomic_load_explicit(&bucket->sequence, memory_order_acquire);
        uint32_t count = atomic_load_explicit(&bucket->count, memory_order_acquire);
        const struct array *array = atomic_load_explicit(&bucket->array, memory_order_acquire);
        bool there = false;
        if (array != NULL && count <= array->cap) /* the two may be of different moments */
            (void)place_of(array, count, key, &there);
        uint32_t after = atomic_load_explicit(&bucket->sequence, memory_order_relaxed);
        if (LIKELY(before == after && before % 2 == 0))
            return there;
    }
}

static const struct bucket *bucket_of(const struct social_blocks *blocks, const struct id *a,
                                      const struct id *b)
{
    return &blocks->buckets[social_blocks_bucket(a, b)];
}

/* An even sequence and no pairs: nothing to look for. A change that has begun is not acknowledged
 * yet, so that not seeing it is right. */
static bool is_empty(const struct bucket *bucket)
{
    return atomic_load_explicit(&bucket->count, memory_order_acquire) == 0 &&
           atomic_load_explicit(&bucket->sequence, memory_order_acquire) % 2 == 0;
}

bool social_blocks_between(const struct social_blocks *blocks, const struct id *a,
                           const struct id *b)
{
    const struct bucket *bucket = bucket_of(blocks, a, b);
    if (LIKELY(is_empty(bucket)))
        return false;
    struct key key = make_key(a, b), reverse = make_key(b, a);
    return find(bucket, &key) || find(bucket, &reverse);
}

/* --- changing --------------------------------------------------------------------------------- */

static void write_pair(struct pair *pair, const struct key *key)
{
    for (unsigned i = 0; i < WORDS; i++)
        atomic_store_explicit(&pair->words[i], key->words[i], memory_order_release);
}

static void move_pair(struct pair *to, const struct pair *from)
{
    for (unsigned i = 0; i < WORDS; i++)
        atomic_store_explicit(&to->words[i],
                              atomic_load_explicit(&from->words[i], memory_order_relaxed),
                              memory_order_release);
}

/* An array with room for `count` pairs, holding what the old one holds. */
static struct array *with_room(struct bucket *bucket, uint32_t held, uint32_t count)
{
    struct array *old = atomic_load_explicit(&bucket->array, memory_order_relaxed);
    if (old != NULL && count <= old->cap)
        return old;
    uint32_t cap = old != NULL ? old->cap * 2 : FIRST_CAP;
    cap = cap < count ? count : cap;
    struct array *array = xcalloc(1, sizeof *array + cap * sizeof array->pairs[0]);
    array->cap = cap;
    array->older = old;
    for (uint32_t i = 0; i < held; i++)
        move_pair(&array->pairs[i], &old->pairs[i]);
    return array;
}

static void begin_change(struct bucket *bucket)
{
    atomic_fetch_add_explicit(&bucket->sequence, 1, memory_order_relaxed);
}

static void end_change(struct bucket *bucket)
{
    atomic_fetch_add_explicit(&bucket->sequence, 1, memory_order_release);
}

static void put_in(struct bucket *bucket, uint32_t count, uint32_t place, const struct key *key)
{
    struct array *array = with_room(bucket, count, count + 1);
    begin_change(bucket);
    atomic_store_explicit(&bucket->array, array, memory_order_release);
    for (uint32_t i = count; i > place; i--)
        move_pair(&array->pairs[i], &array->pairs[i - 1]);
    write_pair(&array->pairs[place], key);
    atomic_store_explicit(&bucket->count, count + 1, memory_order_release);
    end_change(bucket);
}

static void take_out(struct bucket *bucket, struct array *array, uint32_t count, uint32_t place)
{
    begin_change(bucket);
    for (uint32_t i = place; i + 1 < count; i++)
        move_pair(&array->pairs[i], &array->pairs[i + 1]);
    atomic_store_explicit(&bucket->count, count - 1, memory_order_release);
    end_change(bucket);
}

void social_blocks_set(struct social_blocks *blocks, const struct id *blocker,
                       const struct id *blocked, bool on)
{
    struct bucket *bucket = &blocks->buckets[social_blocks_bucket(blocker, blocked)];
    struct key key = make_key(blocker, blocked);
    bool there;
    pthread_mutex_lock(&blocks->lock);
    struct array *array = atomic_load_explicit(&bucket->array, memory_order_relaxed);
    uint32_t count = atomic_load_explicit(&bucket->count, memory_order_relaxed);
    uint32_t place = place_of(array, count, &key, &there);
    if (on && !there) {
        put_in(bucket, count, place, &key);
        atomic_fetch_add_explicit(&blocks->count, 1, memory_order_relaxed);
    } else if (!on && there) {
        take_out(bucket, array, count, place);
        atomic_fetch_sub_explicit(&blocks->count, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&blocks->lock);
}

bool social_blocks_load(struct social_blocks *blocks, int64_t number, struct slice pairs)
{
    uint32_t count = (uint32_t)(pairs.len / SOCIAL_PAIR_BYTES);
    if (number < 0 || number >= SOCIAL_BUCKETS || pairs.len % SOCIAL_PAIR_BYTES != 0)
        return false;
    struct bucket *bucket = &blocks->buckets[number];
    if (atomic_load(&bucket->count) != 0)
        return false;
    struct array *array = with_room(bucket, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        struct key key = key_of(pairs.ptr + (size_t)i * SOCIAL_PAIR_BYTES);
        write_pair(&array->pairs[i], &key);
    }
    atomic_store(&bucket->array, array);
    atomic_store(&bucket->count, count);
    atomic_fetch_add(&blocks->count, count);
    return true;
}

/* --- the packed form -------------------------------------------------------------------------- */

bool social_pack_set(struct slice pairs, const struct id *blocker, const struct id *blocked,
                     bool on, struct buf *out)
{
    char pair[SOCIAL_PAIR_BYTES];
    size_t at = 0;
    if (pairs.len % SOCIAL_PAIR_BYTES != 0)
        return false;
    pair_bytes(blocker, blocked, pair);
    while (at < pairs.len && memcmp(pairs.ptr + at, pair, sizeof pair) < 0)
        at += sizeof pair;
    bool there = at < pairs.len && memcmp(pairs.ptr + at, pair, sizeof pair) == 0;
    size_t rest = there ? at + sizeof pair : at;
    buf_slice(out, slice_of(pairs.ptr, at));
    if (on)
        buf_slice(out, slice_of(pair, sizeof pair));
    buf_slice(out, slice_of(pairs.ptr + rest, pairs.len - rest));
    return true;
}
