/* Offload pools. A job lies on the stack of the coroutine that waits for it.
 *
 * Under the pool's lock a job is either in the queue, and then its coroutine may take it back, or
 * taken by a thread, and then only the mail that says "done" ends the wait. So a job's memory is
 * never left while a thread can still touch it.
 */
#include "io/offload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/coro_mail.h"

struct job {
    struct list link; /* in pool->queue, else alone */
    struct coro_mail done;
    void (*fn)(void *arg);
    void *arg;
};

struct offload {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct list queue;
    _Atomic unsigned queued; /* written under the lock */
    unsigned queue_max, thread_count;
    int nice;
    bool ending;
    char name[12];
    pthread_t threads[];
};

/* The next job, or NULL when the pool ends and nothing is left. */
static struct job *next_job(struct offload *pool)
{
    struct job *job = NULL;
    pthread_mutex_lock(&pool->lock);
    while (list_empty(&pool->queue) && !pool->ending)
        pthread_cond_wait(&pool->work, &pool->lock);
    struct list *link = list_pop(&pool->queue);
    if (link != NULL) {
        job = CONTAINER_OF(link, struct job, link);
        atomic_fetch_sub_explicit(&pool->queued, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *work(void *arg)
{
    struct offload *pool = arg;
    pthread_setname_np(pthread_self(), pool->name);
    if (pool->nice != 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), pool->nice); /* going down is allowed */
    struct job *job;
    while ((job = next_job(pool)) != NULL) {
        job->fn(job->arg);
        coro_mail_post(&job->done); /* the job may be gone from here on */
    }
    return NULL;
}

static void end_threads(struct offload *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
}

void offload_free(struct offload *pool)
{
    end_threads(pool);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Threads take no signals: those belong to the main thread. */
static int start_threads(struct offload *pool, unsigned count)
{
    sigset_t all, former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int failed = 0;
    while (pool->thread_count < count && failed == 0) {
        failed = pthread_create(&pool->threads[pool->thread_count], NULL, work, pool);
        if (failed == 0)
            pool->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return failed;
}

int offload_new(const struct offload_config *config, struct offload **ret_pool, struct error *err)
{
    if (config->threads == 0 || config->threads > OFFLOAD_THREADS_MAX || config->queue_max == 0 ||
        config->nice < 0 || config->nice > 19)
        return error_set(err, FAIL_INVALID, "invalid_pool",
                         "pool \"%.20s\": %u threads (1..%u), queue of %u (1..), nice %d (0..19)",
                         config->name, config->threads, OFFLOAD_THREADS_MAX, config->queue_max,
                         config->nice);
    struct offload *pool = xcalloc(1, sizeof *pool + config->threads * sizeof pool->threads[0]);
    if (!copy_str(pool->name, sizeof pool->name, slice_str(config->name))) {
        free(pool);
        return error_set(err, FAIL_INVALID, "invalid_pool",
                         "the name \"%.20s\" has more than 11 characters", config->name);
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    list_init(&pool->queue);
    pool->queue_max = config->queue_max;
    pool->nice = config->nice;
    int failed = start_threads(pool, config->threads);
    if (failed != 0) {
        offload_free(pool);
        return error_errno(err, failed, "no_thread", "pool \"%s\" got no thread", config->name);
    }
    *ret_pool = pool;
    return 0;
}

static bool enqueue(struct offload *pool, struct job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool room = atomic_load_explicit(&pool->queued, memory_order_relaxed) < pool->queue_max;
    if (room) {
        list_add_tail(&pool->queue, &job->link);
        atomic_fetch_add_explicit(&pool->queued, 1, memory_order_relaxed);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}

static bool withdraw(struct coro_mail *done, void *arg)
{
    struct offload *pool = arg;
    struct job *job = CONTAINER_OF(done, struct job, done);
    pthread_mutex_lock(&pool->lock);
    bool queued = !list_empty(&job->link);
    if (queued) {
        list_remove(&job->link);
        atomic_fetch_sub_explicit(&pool->queued, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

int offload_run(struct offload *pool, void (*fn)(void *arg), void *arg, int64_t timeout_ms,
                struct error *err)
{
    struct job job = {.fn = fn, .arg = arg};
    panic_if(coro_current() == NULL, "offload_run outside of a coroutine");
    list_init(&job.link);
    coro_mail_init(&job.done);
    if (!enqueue(pool, &job)) {
        int rc = error_set(err, FAIL_UNAVAILABLE, "busy", "%u jobs wait in pool \"%s\"",
                           pool->queue_max, pool->name);
        if (err != NULL && err->retry_after_ms == 0)
            err->retry_after_ms = 1000;
        return rc;
    }
    int rc = coro_mail_wait(&job.done, timeout_ms, withdraw, pool);
    return rc == 0 ? 0
                   : error_set(err, rc, rc == FAIL_TIMEOUT ? "timeout" : "cancelled",
                               "the job was still queued in pool \"%s\"", pool->name);
}

unsigned offload_queued(const struct offload *pool)
{
    return atomic_load_explicit(&pool->queued, memory_order_relaxed);
}
