/* Remembers verified tokens, so that the signature of each is checked once a minute and not once a
 * request. One per loop, used by its thread only. */
#ifndef PARLEY_KIT_TOKEN_CACHE_H
#define PARLEY_KIT_TOKEN_CACHE_H

#include "kit/principal.h"

#define TOKEN_CACHE_TEXT_MAX 8192 /* bytes of a token */

struct token_digest {
    uint64_t words[4];
    size_t len;
};

struct token_entry {
    struct token_digest digest; /* of the whole token, its signature included */
    int64_t until_ms;           /* wall clock; 0: free */
    uint64_t checked;           /* 1 + revision of the block list last asked; 0: never */
    struct principal principal;
};

struct token_cache {
    struct token_entry *entries; /* NULL until the first token */
    size_t mask;                 /* entries - 1 */
    size_t used;
    uint64_t generation; /* of the key set that verified them */
    uint64_t key[TOKEN_CACHE_TEXT_MAX / 8 + 4];
};

void token_cache_init(struct token_cache *cache);
void token_cache_done(struct token_cache *cache);
struct token_digest token_cache_digest(const struct token_cache *cache, struct slice token);
/* NULL when it is not there or its time is over. Borrowed until the next put. */
struct token_entry *token_cache_find(struct token_cache *cache, struct token_digest digest,
                                     int64_t now_ms);
/* Replaces the entry of its neighbourhood that ends first when there is no room. Returns where it
 * stands now, borrowed until the next put. */
struct token_entry *token_cache_put(struct token_cache *cache, const struct token_entry *entry,
                                    int64_t now_ms);
void token_cache_clear(struct token_cache *cache);

#endif
