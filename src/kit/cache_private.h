/* What the files of the cache share: the values and the flights (cache.c), and those who wait for
 * somebody else's making (cache_wait.c). */
#ifndef PARLEY_KIT_CACHE_PRIVATE_H
#define PARLEY_KIT_CACHE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "io/coro_mail.h"
#include "kit/cache.h"

enum { CACHE_SHARDS = 16 };

struct metric;

struct cache_shard {
    _Alignas(64) pthread_mutex_t lock;
    struct map flights;
};

struct cache {
    struct kit *kit;
    int64_t ttl_ms;
    struct metric *hits, *misses, *made, *failed, *not_kept;
    struct cache_shard shards[CACHE_SHARDS];
};

/* One making. Everything but `refs` under the shard's lock; value and error are the maker's until
 * it has landed, and do not change afterwards. */
struct cache_flight {
    struct map_node node;
    struct list waiters; /* struct cache_waiter */
    _Atomic unsigned refs;
    unsigned failures;
    bool listed; /* stands in the table: may be joined */
    bool storing;
    bool forgotten; /* is not kept */
    int result;     /* of the last making */
    struct buf value;
    struct error error;
    size_t key_len;
    char key[];
};

enum cache_verdict { CACHE_WAITING, CACHE_TAKE, CACHE_MAKE, CACHE_AGAIN };

/* On the stack of its coroutine. Once its verdict has been given it is off the list and its mail is
 * on its way: the stack stays until that has arrived. */
struct cache_waiter {
    struct list link;
    struct coro_mail mail;
    enum cache_verdict verdict; /* under the shard's lock */
    bool late;                  /* came after the key was forgotten */
};

/* From a coroutine, under the lock of the shard: the waiter joins the flight. */
void cache_queue(struct cache_flight *flight, struct cache_waiter *w);
/* Parks until the waiter has its verdict, which may come with a reference to the flight: TAKE, the
 * result stands in it; MAKE, and the maker's part with it. FAIL_UNAVAILABLE "busy" after ten
 * seconds, FAIL_CANCELLED. */
int cache_await(struct cache_shard *shard, struct cache_waiter *w, struct error *err) MUSTCHECK;
/* The maker's part is over: the result goes to those who wait, or the next one makes it. Takes the
 * maker's reference. */
void cache_land(struct cache_shard *shard, struct cache_flight *flight, int result);

void cache_unlist(struct cache_shard *shard, struct cache_flight *flight); /* under the lock */
void cache_unref(struct cache_flight *flight);

#endif
