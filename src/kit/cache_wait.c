/* Those who wait for a value that somebody else is making, on whatever loop.
 *
 * The maker may be cancelled or fail: then one of those who wait makes it. A second failure is the
 * answer for all of them, or an engine that is away would be asked by one after the other for as
 * long as there are any.
 */
#include <stdlib.h>

#include "kit/cache_private.h"

enum { WAIT_MS = 10000, FAILURES_MAX = 2 };

static void arrive(struct mail *mail)
{
    struct cache_waiter *w = CONTAINER_OF(mail, struct cache_waiter, mail);
    w->arrived = true;
    coro_wake(w->coro, 0);
}

/* Under the lock; the waiter may be gone as soon as its mail is posted. */
static void tell(struct cache_waiter *w, enum cache_verdict verdict)
{
    list_remove(&w->link);
    w->verdict = verdict;
    loop_post(w->loop, &w->mail);
}

static bool withdraw(struct cache_shard *shard, struct cache_waiter *w)
{
    pthread_mutex_lock(&shard->lock);
    bool waiting = w->verdict == CACHE_WAITING;
    if (waiting)
        list_remove(&w->link);
    pthread_mutex_unlock(&shard->lock);
    return waiting;
}

void cache_queue(struct cache_flight *flight, struct cache_waiter *w)
{
    *w = (struct cache_waiter){.loop = loop_current(),
                               .coro = coro_current(),
                               .mail = {.deliver = arrive},
                               .late = flight->forgotten};
    list_add_tail(&flight->waiters, &w->link);
}

/* 0 when the verdict has arrived; FAIL_TIMEOUT or FAIL_CANCELLED when the waiter is off the list.
 */
static int await(struct cache_shard *shard, struct cache_waiter *w)
{
    int64_t until_ms = loop_now_ms(w->loop) + WAIT_MS;
    bool coming = false, cancelled = false;
    while (!w->arrived) {
        int rc = coro_park(coming ? CORO_FOREVER : until_ms - loop_now_ms(w->loop));
        if (w->arrived || (rc != FAIL_TIMEOUT && rc != FAIL_CANCELLED))
            continue; /* or a wake that was meant for an earlier wait */
        if (!coming && withdraw(shard, w))
            return rc;
        coming = true;
        cancelled |= rc == FAIL_CANCELLED;
    }
    if (cancelled)
        coro_cancel(w->coro); /* the next wait returns it */
    return 0;
}

int cache_await(struct cache_shard *shard, struct cache_waiter *w, struct error *err)
{
    int rc = await(shard, w);
    if (rc == FAIL_CANCELLED)
        return error_set(err, rc, "cancelled", "The request was given up.");
    return rc < 0 ? error_set(err, FAIL_UNAVAILABLE, "busy", "This takes longer than usual.") : 0;
}

/* The next one who may make it; NULL when nobody waits, or it has failed too often. */
static struct cache_waiter *successor(const struct cache_flight *f)
{
    for (struct list *at = f->waiters.next; at != &f->waiters; at = at->next) {
        struct cache_waiter *w = CONTAINER_OF(at, struct cache_waiter, link);
        if (!w->late && f->failures < FAILURES_MAX)
            return w;
    }
    return NULL;
}

void cache_land(struct cache_shard *shard, struct cache_flight *f, int result)
{
    pthread_mutex_lock(&shard->lock);
    f->result = result;
    f->failures += result < 0 && result != FAIL_CANCELLED;
    struct cache_waiter *next = result < 0 ? successor(f) : NULL;
    if (next != NULL) {
        tell(next, CACHE_MAKE); /* with the maker's reference */
        pthread_mutex_unlock(&shard->lock);
        return;
    }
    cache_unlist(shard, f);
    while (!list_empty(&f->waiters)) {
        struct cache_waiter *w = CONTAINER_OF(f->waiters.next, struct cache_waiter, link);
        if (!w->late)
            atomic_fetch_add(&f->refs, 1);
        tell(w, w->late ? CACHE_AGAIN : CACHE_TAKE);
    }
    pthread_mutex_unlock(&shard->lock);
    cache_unref(f);
}
