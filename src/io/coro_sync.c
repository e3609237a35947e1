/* Mutex and condition for coroutines of one loop. No atomics: only one of them runs at a time.
 *
 * A waiter lies on its coroutine's stack. The one who ends the wait takes it off the list and marks
 * it `granted`; a coroutine that has already been woken by time-out or cancellation, but has not
 * run yet, is passed over, so nothing is granted to somebody who will not take it.
 */
#include "io/coro_private.h"

struct waiter {
    struct list link;
    struct coro *coro;
    bool granted;
};

static int wait_in(struct coro_wait_list *wait, int64_t timeout_ms)
{
    struct coro *coro = coro_current();
    panic_if(coro == NULL, "waiting outside of a coroutine");
    struct waiter me = {.coro = coro};
    list_add_tail(&wait->waiters, &me.link);
    int64_t deadline_ms = 0;
    if (timeout_ms != CORO_FOREVER &&
        __builtin_add_overflow(loop_now_ms(coro->loop), timeout_ms, &deadline_ms))
        timeout_ms = CORO_FOREVER;
    int rc;
    do {
        int64_t rest_ms =
            timeout_ms == CORO_FOREVER ? CORO_FOREVER : deadline_ms - loop_now_ms(coro->loop);
        rc = coro_park(rest_ms);
        /* Anything else is a wake that was meant for an earlier wait. */
    } while (!me.granted && rc != FAIL_TIMEOUT && rc != FAIL_CANCELLED);
    if (me.granted)
        return 0;
    list_remove(&me.link);
    return rc;
}

static bool grant_next(struct coro_wait_list *wait)
{
    for (struct list *link = wait->waiters.next; link != &wait->waiters; link = link->next) {
        struct waiter *waiter = CONTAINER_OF(link, struct waiter, link);
        if (waiter->coro->woken)
            continue;
        list_remove(link);
        waiter->granted = true;
        coro_wake(waiter->coro, 0);
        return true;
    }
    return false;
}

void coro_mutex_init(struct coro_mutex *m)
{
    m->locked = false;
    list_init(&m->wait.waiters);
}

int coro_mutex_lock(struct coro_mutex *m, int64_t timeout_ms)
{
    if (m->locked)
        return wait_in(&m->wait, timeout_ms);
    m->locked = true;
    return 0;
}

void coro_mutex_unlock(struct coro_mutex *m)
{
    panic_if(!m->locked, "a mutex that nobody holds was unlocked");
    /* Handed over while still locked: whoever comes in between stands at the end of the row. */
    if (!grant_next(&m->wait))
        m->locked = false;
}

void coro_cond_init(struct coro_cond *c)
{
    list_init(&c->wait.waiters);
}

int coro_cond_wait(struct coro_cond *c, int64_t timeout_ms)
{
    return wait_in(&c->wait, timeout_ms);
}

void coro_cond_signal(struct coro_cond *c)
{
    (void)grant_next(&c->wait);
}

void coro_cond_broadcast(struct coro_cond *c)
{
    while (grant_next(&c->wait))
        ;
}
