/* Handing a transaction to another thread and waiting for it: the job lies on the caller's stack,
 * so queues are linked lists without allocations, and the caller stays until the job is finished,
 * whatever happens to it meanwhile. A coroutine parks and comes home by mail; a plain thread waits
 * on a futex.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/db_sqlite.h"

static void futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ms)
{
    struct timespec ts = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ms >= 0 ? &ts : NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void db_job_init(struct db_job *job, db_fn *fn, void *arg, struct error *err)
{
    *job = (struct db_job){.fn = fn, .arg = arg, .err = err};
    job->coro = coro_current();
    job->loop = job->coro != NULL ? loop_current() : NULL;
    list_init(&job->ring.link);
}

static bool is_done(const struct db_job *job)
{
    return atomic_load_explicit(&job->done, memory_order_acquire) != 0;
}

/* The job may be running on this very stack's memory: a cancellation has to wait for its end. */
static void park_until_done(struct db_job *job)
{
    bool cancelled = false;
    while (!is_done(job))
        cancelled |= coro_park(CORO_FOREVER) == FAIL_CANCELLED;
    if (cancelled)
        coro_cancel(job->coro); /* the next wait returns it */
}

int db_job_wait(struct db_job *job)
{
    if (job->coro != NULL)
        park_until_done(job);
    while (!is_done(job))
        futex_wait(&job->done, 0, -1);
    return job->result;
}

void db_homes_add(struct db_homes *homes, struct db_job *job, int result)
{
    job->result = result;
    job->finished_next = NULL;
    unsigned i = 0;
    while (i < homes->count && homes->home[i].loop != job->loop)
        i++;
    if (i == DB_HOMES_MAX) { /* more loops than anybody has: send what is there first */
        db_homes_send(homes);
        i = 0;
    }
    if (i == homes->count) {
        homes->home[homes->count++].loop = job->loop;
        homes->home[i].first = homes->home[i].last = job;
        return;
    }
    homes->home[i].last->finished_next = job;
    homes->home[i].last = job;
}

static void deliver(struct mail *mail)
{
    struct db_job *next;
    for (struct db_job *job = CONTAINER_OF(mail, struct db_job, mail); job != NULL; job = next) {
        next = job->finished_next;
        struct coro *coro = job->coro;
        /* One that was handed over by mail may be home before the turn's end: then nobody needs to
         * be woken for it, and its memory goes. */
        task_cancel(&job->ring);
        atomic_store_explicit(&job->done, 1, memory_order_release);
        coro_wake(coro, 0);
    }
}

/* A waiting thread may return as soon as `done` is set, so the wake after it may reach an address
 * where somebody else waits by now: a futex allows for that, everybody looks again. */
static void release_threads(struct db_job *job)
{
    struct db_job *next;
    for (; job != NULL; job = next) {
        next = job->finished_next;
        _Atomic uint32_t *done = &job->done;
        atomic_store_explicit(done, 1, memory_order_release);
        futex_wake(done);
    }
}

void db_homes_send(struct db_homes *homes)
{
    for (unsigned i = 0; i < homes->count; i++) {
        struct db_job *first = homes->home[i].first;
        if (homes->home[i].loop == NULL) {
            release_threads(first);
            continue;
        }
        first->mail.deliver = deliver;
        loop_post(homes->home[i].loop, &first->mail);
    }
    homes->count = 0;
}

/* --- bells ----------------------------------------------------------------------------------- */
void db_bell_ring(struct db_bell *bell)
{
    if (atomic_load(&bell->asleep) != 0 && atomic_exchange(&bell->asleep, 0) != 0)
        futex_wake(&bell->asleep);
}

bool db_bell_needed(struct db_bell *bell)
{
    return atomic_load(&bell->asleep) != 0;
}

void db_bell_arm(struct db_bell *bell)
{
    atomic_store(&bell->asleep, 1);
}

void db_bell_disarm(struct db_bell *bell)
{
    atomic_store(&bell->asleep, 0);
}

void db_bell_sleep(struct db_bell *bell, int64_t timeout_ms)
{
    futex_wait(&bell->asleep, 1, timeout_ms);
    db_bell_disarm(bell);
}
