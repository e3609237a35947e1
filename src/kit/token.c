/* Access tokens (RFC 9068): what the edge asks for every request.
 *
 * token_check looks in the loop's cache first; a hit costs one keyed hash of the token, one clock
 * reading and one comparison of numbers. The block list is asked only when it has grown since this
 * token was last checked against it: the revision stands in the cache entry. That is how a cached
 * token is refused within the same microsecond in which its session is revoked.
 *
 * The key set is replaced whole; a set lives as long as somebody verifies with it. Each set has a
 * generation, and caches filled under another one are emptied.
 */
#include "kit/token.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "io/loop.h"
#include "kit/token_block.h"
#include "kit/token_cache.h"
#include "kit/token_claims.h"

enum { LOOPS_MAX = 64, CLAIMS_BYTES_MAX = 1024 };

_Static_assert(TOKEN_CACHE_TEXT_MAX >= JWT_BYTES_MAX, "every token has a digest");

struct key_set {
    _Atomic unsigned refs;
    size_t count;
    struct jwk *keys[];
};

struct token_authority {
    struct token_config config;
    char *issuer, *audience; /* owned, config points here */
    pthread_mutex_t lock;    /* of `set` */
    struct key_set *set;
    _Atomic uint64_t generation;
    struct token_block block;
    struct token_cache *_Atomic caches[LOOPS_MAX]; /* [i] belongs to loop i's thread */
};

static void set_unref(struct key_set *set)
{
    if (atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        jwk_unref(set->keys[i]);
    free(set);
}

static struct key_set *set_get(struct token_authority *a)
{
    pthread_mutex_lock(&a->lock);
    struct key_set *set = a->set;
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&a->lock);
    return set;
}

static struct key_set *set_new(struct jwk *const *keys, size_t count)
{
    struct key_set *set = xcalloc(1, sizeof *set + count * sizeof keys[0]);
    atomic_init(&set->refs, 1);
    set->count = count;
    for (size_t i = 0; i < count; i++)
        set->keys[i] = jwk_ref(keys[i]);
    return set;
}

int token_authority_new(const struct token_config *config, struct token_authority **ret_authority,
                        struct error *err)
{
    if (config->access_ttl_ms < 1000 || config->leeway_ms < 0 || config->cache_ms < 0)
        return error_set(err, FAIL_INVALID, "invalid_token_config",
                         "Access tokens live at least a second; leeway and cache time are not "
                         "negative.");
    struct token_authority *a = xcalloc(1, sizeof *a);
    a->config = *config;
    a->config.issuer = a->issuer = xstrndup(config->issuer, strlen(config->issuer));
    a->config.audience = a->audience = xstrndup(config->audience, strlen(config->audience));
    pthread_mutex_init(&a->lock, NULL);
    a->set = set_new(NULL, 0);
    atomic_init(&a->generation, 1);
    token_block_init(&a->block, config->access_ttl_ms + config->leeway_ms + 1000);
    *ret_authority = a;
    return 0;
}

void token_authority_free(struct token_authority *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < LOOPS_MAX; i++) {
        struct token_cache *cache = atomic_load(&a->caches[i]);
        if (cache != NULL)
            token_cache_done(cache);
        free(cache);
    }
    token_block_done(&a->block);
    set_unref(a->set);
    pthread_mutex_destroy(&a->lock);
    free(a->issuer);
    free(a->audience);
    free(a);
}

void token_set_keys(struct token_authority *a, struct jwk *const *keys, size_t count)
{
    struct key_set *set = set_new(keys, count);
    pthread_mutex_lock(&a->lock);
    struct key_set *old = a->set;
    a->set = set;
    atomic_fetch_add(&a->generation, 1);
    pthread_mutex_unlock(&a->lock);
    set_unref(old);
}

void token_write_jwks(struct token_authority *a, struct buf *out)
{
    struct key_set *set = set_get(a);
    bool first = true;
    buf_lit(out, "{\"keys\":[");
    for (size_t i = 0; i < set->count; i++) {
        if (jwk_alg(set->keys[i]) == JWT_HS256)
            continue; /* a shared secret is nobody else's business */
        if (!first)
            buf_char(out, ',');
        first = false;
        jwk_write_public(set->keys[i], out);
    }
    buf_lit(out, "]}");
    set_unref(set);
}

int token_issue(struct token_authority *a, struct principal *principal, struct buf *out,
                struct error *err)
{
    struct buf claims;
    struct key_set *set = set_get(a);
    struct id jti = id_new(a->config.clock);
    buf_init(&claims, CLAIMS_BYTES_MAX);
    principal->issued_ms = clock_wall_ms(a->config.clock);
    principal->expires_ms = principal->issued_ms + a->config.access_ttl_ms;
    token_claims_write(&a->config, principal, &jti, &claims);
    int rc;
    if (set->count == 0 || !jwk_can_sign(set->keys[0]))
        rc = error_set(err, FAIL_INTERNAL, "no_signing_key", "There is no key to sign with.");
    else if (!buf_ok(&claims))
        rc = error_set(err, FAIL_TOO_LARGE, "token_too_large", "The claims do not fit.");
    else
        rc = jwt_sign(set->keys[0], "at+jwt", buf_view(&claims), out, err);
    buf_done(&claims);
    set_unref(set);
    return rc;
}

static int check_fresh(struct token_authority *a, struct slice token, int64_t now_ms,
                       struct principal *ret_principal, struct error *err)
{
    struct arena arena;
    struct jwt jwt;
    arena_init(&arena, 256 << 10);
    struct key_set *set = set_get(a);
    int rc = jwt_verify(token, set->keys, set->count, &arena, &jwt, err);
    set_unref(set);
    if (rc == 0)
        rc = token_claims_read(&a->config, &jwt, now_ms, &arena, ret_principal, err);
    arena_done(&arena);
    return rc;
}

/* The present loop's cache, emptied when the keys have changed; NULL on a thread without a loop. */
static struct token_cache *loop_cache(struct token_authority *a)
{
    struct loop *loop = loop_current();
    if (loop == NULL || loop_index(loop) >= LOOPS_MAX)
        return NULL;
    struct token_cache *cache =
        atomic_load_explicit(&a->caches[loop_index(loop)], memory_order_relaxed);
    uint64_t generation = atomic_load_explicit(&a->generation, memory_order_acquire);
    if (UNLIKELY(cache == NULL)) {
        cache = xcalloc(1, sizeof *cache);
        token_cache_init(cache);
        atomic_store(&a->caches[loop_index(loop)], cache);
    }
    if (UNLIKELY(cache->generation != generation)) {
        token_cache_clear(cache);
        cache->generation = generation;
    }
    return cache;
}

static int revoked(struct error *err)
{
    return error_set(err, FAIL_UNAUTHENTICATED, "token_revoked",
                     "The session of this token has ended.");
}

/* How long the cache may vouch for it. */
static int64_t cache_until(const struct token_authority *a, const struct principal *principal,
                           int64_t now_ms)
{
    int64_t until_ms = now_ms + a->config.cache_ms;
    int64_t expires_ms = principal->expires_ms + a->config.leeway_ms;
    return expires_ms < until_ms ? expires_ms : until_ms;
}

static int check_cached(struct token_authority *a, struct token_cache *cache, struct slice token,
                        int64_t now_ms, struct principal *ret_principal, struct error *err)
{
    struct token_digest digest = token_cache_digest(cache, token);
    struct token_entry *entry = token_cache_find(cache, digest, now_ms);
    if (UNLIKELY(entry == NULL)) {
        struct token_entry fresh = {.digest = digest};
        int rc = check_fresh(a, token, now_ms, &fresh.principal, err);
        if (rc < 0)
            return rc;
        fresh.until_ms = cache_until(a, &fresh.principal, now_ms);
        entry = token_cache_put(cache, &fresh, now_ms);
    }
    /* Read before the list is asked: an addition in between is seen next time. */
    uint64_t checked = token_block_revision(&a->block) + 1;
    if (entry->checked != checked) {
        if (token_block_has(&a->block, &entry->principal))
            return revoked(err);
        entry->checked = checked;
    }
    *ret_principal = entry->principal;
    return 0;
}

int token_check(struct token_authority *a, struct slice token, struct principal *ret_principal,
                struct error *err)
{
    if (token.len == 0 || token.len > JWT_BYTES_MAX)
        return error_set(err, FAIL_UNAUTHENTICATED, "invalid_token", "A token has 1 to %d bytes.",
                         JWT_BYTES_MAX);
    int64_t now_ms = clock_wall_ms(a->config.clock);
    struct token_cache *cache = loop_cache(a);
    if (LIKELY(cache != NULL))
        return check_cached(a, cache, token, now_ms, ret_principal, err);
    struct principal principal;
    int rc = check_fresh(a, token, now_ms, &principal, err);
    if (rc < 0)
        return rc;
    if (token_block_has(&a->block, &principal))
        return revoked(err);
    *ret_principal = principal;
    return 0;
}

void token_revoke_session(struct token_authority *a, const struct id *session)
{
    token_block_session(&a->block, session, clock_wall_ms(a->config.clock));
}

void token_revoke_user(struct token_authority *a, const struct id *user, int64_t before_ms)
{
    token_block_user(&a->block, user, before_ms, clock_wall_ms(a->config.clock));
}

bool token_still_valid(struct token_authority *a, const struct principal *principal)
{
    return !token_block_has(&a->block, principal);
}
