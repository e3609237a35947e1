/* Offload pools: blocking work (bcrypt, file sync, directory scans) on threads of their own, so
 * that a loop never blocks. The queue is bounded; a full one refuses at once. */
#ifndef PARLEY_IO_OFFLOAD_H
#define PARLEY_IO_OFFLOAD_H

#include "base/error.h"
#include "io/coro.h"

struct offload;

#define OFFLOAD_THREADS_MAX 1024u
struct offload_config {
    const char *name;   /* thread and metric name, at most 11 characters */
    unsigned threads;   /* 1..OFFLOAD_THREADS_MAX */
    unsigned queue_max; /* jobs that wait, 1.. */
    int nice;           /* 0..19, lower priority than the loops */
};
/* FAIL_INVALID "invalid_pool" when a number is out of its bounds. */
int offload_new(const struct offload_config *config, struct offload **ret_pool,
                struct error *err) MUSTCHECK;
/* Finishes what is queued, then ends the threads; before the loops it was used from are freed. */
void offload_free(struct offload *pool);
/* From a coroutine: runs fn(arg) on a pool thread and parks until it is done. A job that has
 * started is always waited for (arg may live on the caller's stack); one that is still queued is
 * withdrawn when the caller is cancelled or timeout_ms passes. FAIL_UNAVAILABLE "busy" with
 * retry_after when the queue is full. A cancellation that came while a started job was waited for
 * is returned by the next wait instead. */
int offload_run(struct offload *pool, void (*fn)(void *arg), void *arg, int64_t timeout_ms,
                struct error *err) MUSTCHECK;
unsigned offload_queued(const struct offload *pool);

#endif
