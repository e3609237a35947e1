/* A set-associative table: a token may stand in any of the four entries that its digest points at,
 * so a look-up touches one neighbourhood and nothing is ever chained.
 *
 * The token itself is not kept. What is compared is its length and a universal hash of all of it,
 * NH with two Toeplitz passes (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, 1999), keyed with
 * as many random bytes as a token can have: for any two tokens the chance of one digest is 2^-128,
 * and nobody sees a digest, so nobody can search. It costs two multiplications per 16 bytes, a
 * quarter of SipHash, and it is most of what a hit costs. Starts small and doubles, because most
 * processes see few users and memory of idle ones counts.
 */
#include "kit/token_cache.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/random.h"

enum { WAYS = 4, ENTRIES_FIRST = 256, ENTRIES_MAX = 16384 };

void token_cache_init(struct token_cache *cache)
{
    *cache = (struct token_cache){0};
    random_bytes(cache->key, sizeof cache->key);
}

void token_cache_done(struct token_cache *cache)
{
    free(cache->entries);
    *cache = (struct token_cache){0};
}

typedef unsigned __int128 wide;

static inline uint64_t word_at(const char *from, size_t bytes)
{
    uint64_t word = 0;
    memcpy(&word, from, bytes);
    return word;
}

struct token_digest token_cache_digest(const struct token_cache *cache, struct slice token)
{
    const uint64_t *key = cache->key;
    const char *in = token.ptr;
    size_t left = token.len;
    wide one = 0, two = 0;
    panic_if(left > TOKEN_CACHE_TEXT_MAX, "a token longer than its key");
    for (; left >= 16; left -= 16, in += 16, key += 2) {
        uint64_t a = word_at(in, 8), b = word_at(in + 8, 8);
        one += (wide)(a + key[0]) * (b + key[1]);
        two += (wide)(a + key[2]) * (b + key[3]);
    }
    uint64_t a = word_at(in, left < 8 ? left : 8), b = left > 8 ? word_at(in + 8, left - 8) : 0;
    one += (wide)(a + key[0]) * (b + key[1]);
    two += (wide)(a + key[2]) * (b + key[3]);
    return (struct token_digest){
        {(uint64_t)one, (uint64_t)(one >> 64), (uint64_t)two, (uint64_t)(two >> 64)}, token.len};
}

static bool same(const struct token_digest *a, const struct token_digest *b)
{
    return a->len == b->len && memcmp(a->words, b->words, sizeof a->words) == 0;
}

static struct token_entry *neighbourhood(const struct token_cache *cache,
                                         struct token_digest digest)
{
    return &cache->entries[hash_mix(digest.words[0] ^ digest.words[1]) & cache->mask &
                           ~(uint64_t)(WAYS - 1)];
}

struct token_entry *token_cache_find(struct token_cache *cache, struct token_digest digest,
                                     int64_t now_ms)
{
    if (cache->entries == NULL)
        return NULL;
    struct token_entry *entry = neighbourhood(cache, digest);
    for (int i = 0; i < WAYS; i++, entry++)
        if (entry->until_ms > now_ms && same(&entry->digest, &digest))
            return entry;
    return NULL;
}

/* The free entry, the one that is over, or the one that ends first. */
static struct token_entry *victim(struct token_cache *cache, struct token_digest digest)
{
    struct token_entry *entry = neighbourhood(cache, digest), *best = entry;
    for (int i = 1; i < WAYS; i++)
        if (entry[i].until_ms < best->until_ms)
            best = &entry[i];
    return best;
}

static void grow(struct token_cache *cache, int64_t now_ms)
{
    struct token_entry *old = cache->entries;
    size_t count = old != NULL ? cache->mask + 1 : 0;
    size_t wanted = old != NULL ? count * 2 : ENTRIES_FIRST;
    cache->entries = xcalloc(wanted, sizeof *cache->entries);
    cache->mask = wanted - 1;
    cache->used = 0;
    for (size_t i = 0; i < count; i++)
        if (old[i].until_ms > now_ms)
            token_cache_put(cache, &old[i], now_ms);
    free(old);
}

struct token_entry *token_cache_put(struct token_cache *cache, const struct token_entry *entry,
                                    int64_t now_ms)
{
    if (cache->entries == NULL || (cache->used > cache->mask / 2 && cache->mask + 1 < ENTRIES_MAX))
        grow(cache, now_ms);
    struct token_entry *place = victim(cache, entry->digest);
    if (place->until_ms == 0)
        cache->used++;
    *place = *entry;
    return place;
}

void token_cache_clear(struct token_cache *cache)
{
    if (cache->entries == NULL)
        return;
    memset(cache->entries, 0, (cache->mask + 1) * sizeof *cache->entries);
    cache->used = 0;
}
