/* Access tokens at the edge: verification with a cache, and revocation that beats the cache.
 *
 * The cache (per loop, bounded, keyed by a keyed hash of the whole token) remembers a verified
 * token for at most 60 s (A07). Revoked sessions and users stand in a block list that every check
 * looks at, cache or not; the auth room feeds it from the log, on every node (A03).
 */
#ifndef PARLEY_KIT_TOKEN_H
#define PARLEY_KIT_TOKEN_H

#include "base/clock.h"
#include "base/error.h"
#include "kit/jwt.h"
#include "kit/principal.h"

struct token_authority; /* keys + block list; any thread */

struct token_config {
    const struct clock *clock;
    const char *issuer, *audience;
    int64_t access_ttl_ms; /* 15 min */
    int64_t leeway_ms;     /* 30 s */
    int64_t cache_ms;      /* 60 s */
};
int token_authority_new(const struct token_config *config, struct token_authority **ret_authority,
                        struct error *err) MUSTCHECK;
void token_authority_free(struct token_authority *a);
/* Replaces the key set atomically: keys[0] signs, all verify. */
void token_set_keys(struct token_authority *a, struct jwk *const *keys, size_t count);
void token_write_jwks(struct token_authority *a, struct buf *out); /* {"keys": [...]} */
/* Signs an access token for the principal (issued_ms and expires_ms are set here). */
int token_issue(struct token_authority *a, struct principal *principal, struct buf *out,
                struct error *err) MUSTCHECK;
/* FAIL_UNAUTHENTICATED with code invalid_token, token_expired, token_not_yet_valid or
 * token_revoked. On a loop thread it uses that loop's cache. */
int token_check(struct token_authority *a, struct slice token, struct principal *ret_principal,
                struct error *err) MUSTCHECK;
/* Tokens of the session (or: of the user, issued before `before_ms`) are refused from now on. */
void token_revoke_session(struct token_authority *a, const struct id *session);
void token_revoke_user(struct token_authority *a, const struct id *user, int64_t before_ms);
/* False when the session or user has been revoked since: for sockets that stay open. */
bool token_still_valid(struct token_authority *a, const struct principal *principal);

#endif
