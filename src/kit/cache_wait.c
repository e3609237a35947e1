/* Those who wait for a value that somebody else is making, on whatever loop.
 *
 * The maker may be cancelled or fail: then one of those who wait makes it. A second failure is the
 * answer for all of them, or an engine that is away would be asked by one after the other for as
 * long as there are any.
 */
#include <stdlib.h>

#include "kit/cache_private.h"

enum { WAIT_MS = 10000, FAILURES_MAX = 2 };

/* Under the lock; the waiter may be gone as soon as its mail is posted. */
static void tell(struct cache_waiter *w, enum cache_verdict verdict)
{
    list_remove(&w->link);
    w->verdict = verdict;
    coro_mail_post(&w->mail);
}

static bool withdraw(struct coro_mail *mail, void *arg)
{
    struct cache_shard *shard = arg;
    struct cache_waiter *w = CONTAINER_OF(mail, struct cache_waiter, mail);
    pthread_mutex_lock(&shard->lock);
    bool waiting = w->verdict == CACHE_WAITING;
    if (waiting)
        list_remove(&w->link);
    pthread_mutex_unlock(&shard->lock);
    return waiting;
}

void cache_queue(struct cache_flight *flight, struct cache_waiter *w)
{
    *w = (struct cache_waiter){.late = flight->forgotten};
    coro_mail_init(&w->mail);
    list_add_tail(&flight->waiters, &w->link);
}

int cache_await(struct cache_shard *shard, struct cache_waiter *w, struct error *err)
{
    int rc = coro_mail_wait(&w->mail, WAIT_MS, withdraw, shard);
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
