/* Profiles in memory, encoded and decoded, for at most five minutes (U02, G12). Sharded, any
 * thread; a full shard lets the profile go that was looked at longest ago. */
#ifndef PARLEY_SERVICE_USER_CACHE_H
#define PARLEY_SERVICE_USER_CACHE_H

#include "base/clock.h"
#include "contract/user.h"
#include "kit/request.h"

struct user_cache;

enum user_view { USER_VIEW_OWN, USER_VIEW_OTHERS };

/* The entity tag of a profile as it is shown. It does not cover last_seen, which moves without the
 * profile having changed: an edit that insists on the profile it read is not refused for it. */
void user_profile_etag(const struct user_profile *shown, char ret_etag[REQUEST_ETAG_MAX]);

struct user_cache *user_cache_new(const struct clock *clock, size_t entries_max, int64_t ttl_ms);
void user_cache_free(struct user_cache *cache);

/* Appends the profile's JSON and gives its entity tag; false when it is not there, or when it is
 * others' view of somebody who is not active. */
bool user_cache_json(struct user_cache *cache, const struct id *user, enum user_view view,
                     struct buf *out, char ret_etag[REQUEST_ETAG_MAX]);
/* false when it is not there or the arena is full. */
bool user_cache_get(struct user_cache *cache, const struct id *user, struct arena *arena,
                    struct user_profile *ret_profile);

/* Take the ticket before reading the database: a profile that was forgotten in between is not put
 * in, because what was read may be older than what was forgotten. */
uint64_t user_cache_ticket(struct user_cache *cache, const struct id *user);
void user_cache_put(struct user_cache *cache, uint64_t ticket, const struct user_profile *profile);
void user_cache_forget(struct user_cache *cache, const struct id *user);

#endif
