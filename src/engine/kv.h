/* The ephemeral door: counters, locks, small values with a time to live. Memory engine here; what
 * it holds may be lost at any time and everything must still be right (R02).
 * Calls may wait (a networked engine will); keys up to 256 bytes, values up to 64 KiB. */
#ifndef PARLEY_ENGINE_KV_H
#define PARLEY_ENGINE_KV_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"

struct kv;

struct kv_ops {
    int (*get)(struct kv *kv, struct slice key, struct arena *arena, struct slice *ret_value,
               struct error *err); /* absent slice: not there. A counter: its decimal text */
    int (*set)(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
               struct error *err);
    int (*remove)(struct kv *kv, struct slice key, struct error *err);
    /* Sets only when absent: *ret_stored says whether. */
    int (*add)(struct kv *kv, struct slice key, struct slice value, int64_t ttl_ms,
               bool *ret_stored, struct error *err);
    /* Adds delta, creating with ttl_ms; *ret_value is the new value. A key that holds something
     * else than a counter starts anew at 0; so it is with the limits below. */
    int (*increment)(struct kv *kv, struct slice key, int64_t delta, int64_t ttl_ms,
                     int64_t *ret_value, struct error *err);
    /* Token bucket: `capacity` tokens, refilled evenly over `period_ms`. Takes one. *ret_left >= 0
     * when granted; else -1 and *ret_retry_ms, after which one is there if nobody else takes it.
     * One step, atomic. get does not see limits. */
    int (*take_token)(struct kv *kv, struct slice key, int64_t capacity, int64_t period_ms,
                      int64_t *ret_left, int64_t *ret_retry_ms, struct error *err);
    /* Sliding window by two weighted fixed windows: at most `limit` per `period_ms`. *ret_retry_ms
     * as above, and at most period_ms. */
    int (*take_window)(struct kv *kv, struct slice key, int64_t limit, int64_t period_ms,
                       int64_t *ret_left, int64_t *ret_retry_ms, struct error *err);
    void (*close)(struct kv *kv);
};
struct kv {
    const struct kv_ops *ops;
};

/* Sharded by key, any thread; at most entries_max entries (0 counts as 1; what would expire first
 * goes first, looked for among a few). */
int kv_memory_open(const struct clock *clock, size_t entries_max, struct kv **ret_kv,
                   struct error *err) MUSTCHECK;

#endif
