/* Waiting until a consumer has come as far as a position, on any loop. A waiter stands on the stack
 * of its coroutine; the consumer takes it off the list and posts its mail. */
#include "kit/consumer_private.h"

#include "io/coro_mail.h"

struct consumer_waiter {
    struct consumer_waiter *next;
    uint64_t pos;
    struct coro_mail mail;
    bool posted; /* off the list, the mail is on its way; under the unit's lock */
};

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
        coro_mail_post(&w->mail);
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
static bool withdraw(struct coro_mail *mail, void *arg)
{
    struct consumer_unit *u = arg;
    struct consumer_waiter *w = CONTAINER_OF(mail, struct consumer_waiter, mail);
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
    struct consumer_waiter w = {.pos = pos};
    coro_mail_init(&w.mail);
    if (!enqueue(u, &w))
        return 0;
    int rc = coro_mail_wait(&w.mail, timeout_ms, withdraw, u);
    return rc == 0 ? 0
                   : error_set(err, rc, "consumer_behind", "%s has not come that far yet.", name);
}
