/* The block list: sessions and users whose tokens are refused although their signatures are good.
 * Any thread. Entries go when every token they could refuse has expired by itself. */
#ifndef PARLEY_KIT_TOKEN_BLOCK_H
#define PARLEY_KIT_TOKEN_BLOCK_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "kit/principal.h"

/* The most that auth.access_ttl may be. It may have been that when a token was signed, whatever it
 * is now: no entry goes earlier than such a token is over, with a minute for clocks that differ. */
#define TOKEN_LIFE_MAX_MS INT64_C(86400000)
#define TOKEN_BLOCK_KEEP_MS (TOKEN_LIFE_MAX_MS + 60000)

struct token_block {
    pthread_mutex_t lock;
    _Atomic uint64_t revision; /* counts additions */
    struct map sessions, users;
    struct list oldest_first; /* of all entries: their lifetime is one constant */
    int64_t keep_ms;          /* at least TOKEN_BLOCK_KEEP_MS */
};

/* accepted_ms: the longest that an access token which is signed now will be accepted. */
void token_block_init(struct token_block *block, int64_t accepted_ms);
void token_block_done(struct token_block *block);
void token_block_session(struct token_block *block, const struct id *session, int64_t now_ms);
void token_block_user(struct token_block *block, const struct id *user, int64_t before_ms,
                      int64_t now_ms);
bool token_block_has(struct token_block *block, const struct principal *principal);

static inline uint64_t token_block_revision(const struct token_block *block)
{
    return atomic_load_explicit(&block->revision, memory_order_acquire);
}

#endif
