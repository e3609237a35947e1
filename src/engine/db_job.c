/* Handing a transaction to another thread and waiting for it: the job lies on the caller's stack,
 * and the caller stays until the job is finished, whatever happens to it meanwhile. A coroutine
 * parks and comes home by mail; a plain thread waits on a futex.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
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

void db_job_init_later(struct db_job *job, const struct db_work *work, void *arg, struct error *err)
{
    *job = (struct db_job){.fn = work->run, .arg = arg, .err = err, .work = work};
    job->loop = loop_current();
    panic_if(job->loop == NULL, "db_write_later outside of a loop");
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

/* --- going home ------------------------------------------------------------------------------ */
struct db_parcel {
    struct mail mail;
    struct loop *loop; /* NULL: threads wait */
    unsigned count, cap;
    struct db_parcel_item {
        struct db_job *job;
        struct coro *coro;
    } items[];
};

enum { PARCEL_FIRST = 14 };

static struct db_parcel *parcel_for(struct db_homes *homes, struct loop *loop)
{
    unsigned i = 0;
    while (i < homes->count && homes->parcel[i]->loop != loop)
        i++;
    if (i == DB_HOMES_MAX) { /* more loops than anybody has: send what is there first */
        db_homes_send(homes);
        i = 0;
    }
    struct db_parcel *parcel = i < homes->count ? homes->parcel[i] : NULL;
    if (parcel == NULL || parcel->count == parcel->cap) {
        unsigned cap = parcel != NULL ? parcel->cap * 2 : PARCEL_FIRST;
        unsigned count = parcel != NULL ? parcel->count : 0;
        parcel = xrealloc(parcel, sizeof *parcel + cap * sizeof parcel->items[0]);
        parcel->loop = loop;
        parcel->count = count;
        parcel->cap = cap;
        homes->parcel[i] = parcel;
        if (i == homes->count)
            homes->count++;
    }
    return parcel;
}

void db_homes_add(struct db_homes *homes, struct db_job *job, int result)
{
    struct db_parcel *parcel = parcel_for(homes, job->loop);
    job->result = result;
    parcel->items[parcel->count++] = (struct db_parcel_item){job, job->coro};
}

static void prefetch_end(const struct db_parcel_item *item)
{
    prefetch(item->job, sizeof *item->job, true);
    if (item->coro != NULL)
        coro_prefetch_wake(item->coro);
}

static void deliver(struct mail *mail)
{
    enum { AHEAD = 8 };
    struct db_parcel *parcel = CONTAINER_OF(mail, struct db_parcel, mail);
    for (unsigned i = 0; i < parcel->count; i++) {
        if (i + AHEAD < parcel->count)
            prefetch_end(&parcel->items[i + AHEAD]);
        if (i + AHEAD / 2 < parcel->count && parcel->items[i + AHEAD / 2].coro == NULL)
            prefetch(parcel->items[i + AHEAD / 2].job->arg, DB_ARG_BYTES, true);
        struct db_job *job = parcel->items[i].job;
        /* One that was handed over by mail may be home before the turn's end: then nobody needs to
         * be woken for it, and its memory goes. */
        task_cancel(&job->ring);
        if (parcel->items[i].coro != NULL) {
            atomic_store_explicit(&job->done, 1, memory_order_release);
            coro_wake(parcel->items[i].coro, 0);
        } else {
            coro_place_return(job->loop);
            job->work->done(job->arg, job->result);
        }
    }
    free(parcel);
}

/* A waiting thread may return as soon as `done` is set, so the wake after it may reach an address
 * where somebody else waits by now: a futex allows for that, everybody looks again. */
static void release_threads(struct db_parcel *parcel)
{
    for (unsigned i = 0; i < parcel->count; i++) {
        _Atomic uint32_t *done = &parcel->items[i].job->done;
        atomic_store_explicit(done, 1, memory_order_release);
        futex_wake(done);
    }
    free(parcel);
}

void db_homes_send(struct db_homes *homes)
{
    for (unsigned i = 0; i < homes->count; i++) {
        struct db_parcel *parcel = homes->parcel[i];
        if (parcel->loop == NULL) {
            release_threads(parcel);
            continue;
        }
        parcel->mail.deliver = deliver;
        loop_post(parcel->loop, &parcel->mail);
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
