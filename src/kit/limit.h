/* Rate limits (G05, G06, A05, A06, C06). Token bucket for steady classes, sliding window for
 * attempts. The answer carries RateLimit and RateLimit-Policy
 * (draft-ietf-httpapi-ratelimit-headers) and, when refused, Retry-After. */
#ifndef PARLEY_KIT_LIMIT_H
#define PARLEY_KIT_LIMIT_H

#include "kit/request.h"

enum limit_kind { LIMIT_BUCKET, LIMIT_WINDOW };
struct limit_rule {
    const char *name; /* "login-address": key prefix and policy name */
    enum limit_kind kind;
    int64_t count, period_ms;
    const char *code; /* error code when refused, e.g. "too_many_attempts" */
};
/* Keys limits.* of the configuration: limits.per_user and limits.per_address are BOOL (on, off),
 * limits.requests_per_minute and limits.anonymous_per_minute INT. */
extern const struct config_key kit_config[];

/* Takes one from the rule's allowance of `key` (bytes; hashed). FAIL_LIMITED with code and
 * retry_after, at most the rule's period: whoever comes back then is let in, if nobody else has
 * taken it. headers may be NULL. kv failure: allowed (R02). */
int limit_take(struct kv *kv, const struct limit_rule *rule, struct slice key, struct buf *headers,
               struct error *err) MUSTCHECK;
/* The key of a client address (IPv4 mapped): the address, of IPv6 the network of 64 bits, since
 * whoever has one address there has all of them. Points into *address. */
struct slice limit_address(const struct in6_addr *address);
/* Forgets what has been taken from the allowance of `key`: after a sign-in that succeeded. */
void limit_reset(struct kv *kv, const struct limit_rule *rule, struct slice key);

#endif
