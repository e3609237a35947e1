/* Waiting until a consumer has come as far as a position.
 *
 * A waiter stands on the stack of its coroutine, on any loop. The consumer takes it off the list
 * and posts its mail; from there on the stack must stay until the mail has arrived, whatever else
 * wakes the coroutine meanwhile.
 */
#include "kit/consumer_private.h"

struct consumer_waiter {
    struct consumer_waiter *next;
    struct loop *loop;
    struct coro *coro;
    uint64_t pos;
    struct mail mail;
    bool posted;  /* off the list, the mail is on its way; under the unit's lock */
    bool arrived; /* only on the waiter's loop */
};

static void arrive(struct mail *mail)
{
    struct consumer_waiter *w = CONTAINER_OF(mail, struct consumer_waiter, mail);
    w->arrived = true;
    coro_wake(w->coro, 0);
}

void consumer_tell_waiters(struct consumer_unit *u)
{
    uint64_t position = atomic_load(&u->position);
    pthread_mutex_lock(&u->waiters_lock);
    struct consumer_waiter **at = &u->waiters;
    while (*at != NULL) {
        struct consumer_waiter *w = *at;
        if (w->pos > position) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->posted = true;
        loop_post(w->loop, &w->mail);
    }
    pthread_mutex_unlock(&u->waiters_lock);
}

/* False when the consumer is there already: nothing was queued. */
static bool enqueue(struct consumer_unit *u, struct consumer_waiter *w)
{
    pthread_mutex_lock(&u->waiters_lock);
    bool behind = atomic_load(&u->position) < w->pos;
    if (behind) {
        w->next = u->waiters;
        u->waiters = w;
    }
    pthread_mutex_unlock(&u->waiters_lock);
    return behind;
}

/* False when the mail is on its way. */
static bool withdraw(struct consumer_unit *u, struct consumer_waiter *w)
{
    pthread_mutex_lock(&u->waiters_lock);
    bool posted = w->posted;
    for (struct consumer_waiter **at = &u->waiters; *at != NULL && !posted; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    pthread_mutex_unlock(&u->waiters_lock);
    return !posted;
}

/* 0 when the mail has arrived; FAIL_TIMEOUT or FAIL_CANCELLED when the waiter is off the list. */
static int wait_for_mail(struct consumer_unit *u, struct consumer_waiter *w, int64_t timeout_ms)
{
    int64_t until_ms;
    if (__builtin_add_overflow(loop_now_ms(w->loop), timeout_ms, &until_ms))
        until_ms = INT64_MAX;
    bool coming = false, cancelled = false;
    while (!w->arrived) {
        bool forever = coming || until_ms == INT64_MAX;
        int rc = coro_park(forever ? CORO_FOREVER : until_ms - loop_now_ms(w->loop));
        if (w->arrived || (rc != FAIL_TIMEOUT && rc != FAIL_CANCELLED))
            continue; /* or a wake that was meant for an earlier wait */
        if (!coming && withdraw(u, w))
            return rc;
        coming = true;
        cancelled |= rc == FAIL_CANCELLED;
    }
    if (cancelled)
        coro_cancel(w->coro); /* the next wait returns it */
    return 0;
}

static struct consumer_unit *find(struct consumers *consumers, const char *name)
{
    for (unsigned i = 0; i < consumers->count; i++)
        if (strcmp(consumers->units[i].consumer->name, name) == 0)
            return &consumers->units[i];
    return NULL;
}

int consumer_wait(struct consumers *consumers, const char *name, uint64_t pos, int64_t timeout_ms,
                  struct error *err)
{
    struct consumer_unit *u = consumers != NULL ? find(consumers, name) : NULL;
    if (u == NULL)
        return error_set(err, FAIL_TIMEOUT, "consumer_behind", "%s does not run here.", name);
    struct consumer_waiter w = {
        .loop = loop_current(), .coro = coro_current(), .pos = pos, .mail = {.deliver = arrive}};
    if (!enqueue(u, &w))
        return 0;
    int rc = wait_for_mail(u, &w, timeout_ms);
    return rc == 0 ? 0
                   : error_set(err, rc, "consumer_behind", "%s has not come that far yet.", name);
}
