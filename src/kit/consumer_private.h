/* What the files of the consumers share: the runner (consumer.c), handling with retries
 * (consumer_handle.c), reading the log (consumer_catch_up.c), the table of positions
 * (consumer_position.c), and who waits (consumer_wait.c). */
#ifndef PARLEY_KIT_CONSUMER_PRIVATE_H
#define PARLEY_KIT_CONSUMER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "kit/consumer.h"

enum { CONSUMER_PENDING_MAX = 64, CONSUMER_TYPES_MAX = 16 };

struct consumer_waiter;
struct metric;

/* One consumer. Everything without a comment on threads belongs to the first loop. */
struct consumer_unit {
    struct consumers *all;
    const struct consumer *consumer;
    void *room;
    struct db *db;
    const struct event_type *types[CONSUMER_TYPES_MAX]; /* none: every type */
    unsigned type_count;
    _Atomic uint64_t position; /* everything up to here has been handled; only grows; any thread */
    uint64_t saved;            /* what the table says */
    int64_t saved_ms;
    struct event_batch *pending[CONSUMER_PENDING_MAX];
    unsigned pending_first, pending_count;
    uint64_t delivered; /* head of the newest batch seen */
    bool live;          /* what is not handled yet stands in `pending`, or holds nothing for us */
    bool busy;          /* a pending batch is being handled */
    struct coro *coro;
    bool parked; /* waits for work, or for the next attempt: may be woken */
    bool ended;
    struct metric *handled, *failed, *dead;
    pthread_mutex_t waiters_lock;
    struct consumer_waiter *waiters; /* under the lock */
};

struct consumers {
    struct kit *kit;
    struct event_subscription subscription;
    struct consumer_unit *units;
    unsigned count;
    bool stopping;
};

bool consumer_wants(const struct consumer_unit *u, const struct event *event);
/* Moves the position on, never back, and tells those who wait for it. `saved`: so says the table.
 */
void consumer_advance(struct consumer_unit *u, uint64_t position, bool saved);
void consumer_tell_waiters(struct consumer_unit *u);

/* Handles a run of events of which the last has a position of at most `through`; those that the
 * position covers already are left out. All in one transaction; when that fails, one by one, so
 * that a bad event holds up only itself. Waits for the database and between attempts.
 * FAIL_CANCELLED when told to end: the position then stands before the first one not handled. */
int consumer_handle_run(struct consumer_unit *u, const struct event *events, unsigned count,
                        uint64_t through) MUSTCHECK;
/* Writes the position when the table has an older one. Waits for the database. */
void consumer_save(struct consumer_unit *u);
/* Sleeps, or until the consumers are stopped: then FAIL_CANCELLED. */
int consumer_pause(struct consumer_unit *u, int64_t ms) MUSTCHECK;

/* One step of reading the log after the position; true when everything delivered so far has been
 * handled. Waits for the database. */
bool consumer_catch_up(struct consumer_unit *u);

#endif
