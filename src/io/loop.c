/* One turn after the other. See loop.h for the order inside a turn.
 *
 * Sleeping: the loop says `asleep`, then looks once more whether mail has come or it shall stop,
 * then waits. A sender posts, then looks whether the loop is `asleep`. Both sides are sequentially
 * consistent, so at least one sees the other: no wake-up is lost, and a busy loop is never written
 * to. The eventfd is edge-triggered and never read: each write is an edge of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/loop_private.h"

#define MAILS_PER_TURN 1024   /* then descriptors get their turn */
#define RESUMES_PER_TURN 4096 /* coroutines that keep waking each other must not starve them */
#define TASKS_PER_TURN 65536  /* nor tasks that keep deferring each other */
#define STACKS_MAX 4096
#define STACK_BYTES ((size_t)256 << 10)
#define TRIM_EVERY_MS 1000

static _Thread_local struct loop *current_loop;

struct loop *loop_current(void)
{
    return current_loop;
}

unsigned loop_index(const struct loop *loop)
{
    return loop->index;
}

const struct clock *loop_clock(const struct loop *loop)
{
    return loop->clock;
}

int64_t loop_now_ms(const struct loop *loop)
{
    return loop_tick_ms(loop);
}

int64_t loop_wall_ms(const struct loop *loop)
{
    /* Most turns never ask, so it is read on demand; the loop itself stays const to its users. */
    struct loop *own = (struct loop *)(uintptr_t)loop;
    if (!own->wall_fresh) {
        own->wall_ms = clock_wall_ms(loop->clock);
        own->wall_fresh = true;
    }
    return own->wall_ms;
}

char *loop_read_buffer(struct loop *loop)
{
    return loop->read_buffer;
}

static void woken_up(struct watch *watch, unsigned events)
{
    (void)watch, (void)events;
}

static void trim(struct timer *timer)
{
    struct loop *loop = CONTAINER_OF(timer, struct loop, trim);
    bool stacks = stack_pool_trim(&loop->stacks);
    if (loop_trim_spares(loop) || stacks)
        timer_start(loop, timer, TRIM_EVERY_MS);
}

static int open_descriptors(struct loop *loop, struct error *err)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return error_errno(err, errno, "loop_failed", "no epoll descriptor");
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        int rc = error_errno(err, errno, "loop_failed", "no event descriptor");
        close(loop->epoll_fd);
        return rc;
    }
    loop->wake_watch = (struct watch){loop->wake_fd, woken_up};
    int rc = loop_watch(loop, &loop->wake_watch, err);
    if (rc != 0) {
        close(loop->wake_fd);
        close(loop->epoll_fd);
    }
    return rc;
}

int loop_new(const struct loop_config *config, struct loop **ret_loop, struct error *err)
{
    struct loop *loop = aligned_alloc(_Alignof(struct loop), sizeof *loop);
    panic_if(loop == NULL, "out of memory for a loop");
    memset(loop, 0, sizeof *loop);
    loop->index = config->index;
    loop->clock = config->clock != NULL ? config->clock : &clock_system;
    int rc = open_descriptors(loop, err);
    if (rc != 0) {
        free(loop);
        return rc;
    }
    mailbox_init(&loop->mailbox);
    loop->now_ns = clock_mono_ns(loop->clock);
    timer_wheel_init(&loop->wheel, loop_tick_ms(loop));
    timer_init(&loop->trim, trim);
    list_init(&loop->tasks);
    list_init(&loop->ready);
    list_init(&loop->next_turn);
    list_init(&loop->line);
    task_init(&loop->line_moves, coro_line_move);
    stack_pool_init(&loop->stacks, config->stacks_max != 0 ? config->stacks_max : STACKS_MAX,
                    config->stack_bytes != 0 ? config->stack_bytes : STACK_BYTES);
    loop->read_buffer = xmalloc(LOOP_READ_BYTES);
    *ret_loop = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    panic_if(current_loop == loop, "a loop cannot be freed while it runs");
    stack_pool_done(&loop->stacks);
    close(loop->wake_fd);
    close(loop->epoll_fd);
    free(loop->read_buffer);
    free(loop);
}

/* --- descriptors ----------------------------------------------------------------------------- */

static int watch_with(struct loop *loop, struct watch *watch, uint32_t events, struct error *err)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0)
        return error_errno(err, errno, "watch_failed", "cannot watch descriptor %d", watch->fd);
    return 0;
}

int loop_watch(struct loop *loop, struct watch *watch, struct error *err)
{
    return watch_with(loop, watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, err);
}

int loop_watch_level(struct loop *loop, struct watch *watch, struct error *err)
{
    return watch_with(loop, watch, EPOLLIN, err);
}

void loop_watch_again(struct loop *loop, struct watch *watch)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = watch};
    int rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    should_not(rc != 0);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    if (watch->fd < 0)
        return;
    int rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    should_not(rc != 0);
    watch->fd = -1;
    for (int i = loop->event_at; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
}

/* An error makes both directions "ready": the call that follows will say which error it is. */
static unsigned watch_events(uint32_t epoll)
{
    unsigned events = 0;
    if (epoll & (EPOLLIN | EPOLLERR | EPOLLHUP))
        events |= WATCH_READ;
    if (epoll & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        events |= WATCH_WRITE;
    if (epoll & (EPOLLRDHUP | EPOLLERR | EPOLLHUP))
        events |= WATCH_HANGUP;
    return events;
}

static void dispatch(struct loop *loop)
{
    while (loop->event_at < loop->event_count) {
        const struct epoll_event *event = &loop->events[loop->event_at++];
        struct watch *watch = event->data.ptr;
        if (watch != NULL)
            watch->ready(watch, watch_events(event->events));
    }
}

/* --- timers and tasks ------------------------------------------------------------------------ */

void timer_init(struct timer *timer, void (*fire)(struct timer *))
{
    list_init(&timer->link);
    timer->due_ms = 0;
    timer->fire = fire;
}

void timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms)
{
    list_remove(&timer->link);
    if (delay_ms < 0)
        delay_ms = 0;
    if (__builtin_add_overflow(loop_tick_ms(loop), delay_ms, &timer->due_ms))
        timer->due_ms = INT64_MAX;
    timer_wheel_add(&loop->wheel, timer);
}

void timer_stop(struct timer *timer)
{
    list_remove(&timer->link);
}

bool timer_active(const struct timer *timer)
{
    return !list_empty(&timer->link);
}

void task_init(struct task *task, void (*run)(struct task *))
{
    list_init(&task->link);
    task->run = run;
}

void loop_defer(struct loop *loop, struct task *task)
{
    if (list_empty(&task->link))
        list_add_tail(&loop->tasks, &task->link);
}

void loop_defer_first(struct loop *loop, struct task *task)
{
    if (list_empty(&task->link))
        list_add_head(&loop->tasks, &task->link);
}

void task_cancel(struct task *task)
{
    list_remove(&task->link);
}

/* --- mail ------------------------------------------------------------------------------------ */

static void wake_if_asleep(struct loop *loop)
{
    if (!atomic_load(&loop->asleep) || !atomic_exchange(&loop->asleep, false))
        return;
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof one);
    /* EAGAIN would need 2^64 - 2 wake-ups. */
    should_not(n != (ssize_t)sizeof one);
}

void loop_post(struct loop *loop, struct mail *mail)
{
    mailbox_push(&loop->mailbox, mail);
    wake_if_asleep(loop);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    wake_if_asleep(loop);
}

static void deliver_mail(struct loop *loop)
{
    unsigned delivered = 0;
    struct mail *mail;
    while (delivered < MAILS_PER_TURN && (mail = mailbox_pop(&loop->mailbox)) != NULL) {
        mail->deliver(mail);
        delivered++;
    }
    if (delivered != 0)
        LOOP_COUNT(loop->mails, delivered);
}

/* --- turns ----------------------------------------------------------------------------------- */

static void run_tasks(struct loop *loop, unsigned *budget)
{
    struct list *link;
    while (*budget > 0 && (link = list_pop(&loop->tasks)) != NULL) {
        --*budget;
        /* With thousands of sockets to flush, the next task is rarely in the cache. */
        __builtin_prefetch(loop->tasks.next->next);
        struct task *task = CONTAINER_OF(link, struct task, link);
        task->run(task);
    }
}

/* Resumes coroutines and runs tasks until neither is left, or the turn has taken long enough. */
static void settle(struct loop *loop)
{
    struct list *link;
    while ((link = list_pop(&loop->next_turn)) != NULL)
        list_add_tail(&loop->ready, link);
    unsigned budget = RESUMES_PER_TURN, tasks = TASKS_PER_TURN;
    do {
        while (budget > 0 && (link = list_pop(&loop->ready)) != NULL) {
            budget--;
            if (!list_empty(&loop->ready)) /* parked long ago, with thousands of others */
                coro_prefetch_resume(CONTAINER_OF(loop->ready.next, struct coro, link));
            coro_resume(loop, CONTAINER_OF(link, struct coro, link));
        }
        run_tasks(loop, &tasks);
    } while (budget > 0 && !list_empty(&loop->ready));
}

static int sleep_ms(struct loop *loop)
{
    if (!list_empty(&loop->ready) || !list_empty(&loop->next_turn) || !list_empty(&loop->tasks))
        return 0;
    int64_t next = timer_wheel_next(&loop->wheel);
    int64_t now = clock_mono_ms(loop->clock);
    int64_t wait = next == INT64_MAX ? -1 : next <= now ? 0 : next - now;
    if (wait > 3600000)
        wait = 3600000;
    if (wait == 0)
        return 0;
    atomic_store(&loop->asleep, true);
    if (mailbox_waiting(&loop->mailbox) || atomic_load(&loop->stopping)) {
        atomic_store(&loop->asleep, false);
        return 0;
    }
    return (int)wait;
}

static void note_turn(struct loop *loop)
{
    int64_t took_us = (clock_mono_ns(loop->clock) - loop->now_ns) / 1000;
    if (took_us > atomic_load_explicit(&loop->longest_turn_us, memory_order_relaxed))
        atomic_store_explicit(&loop->longest_turn_us, took_us, memory_order_relaxed);
    LOOP_COUNT(loop->turns, 1);
    if (!timer_active(&loop->trim) &&
        (loop->stacks.warm_count > STACK_POOL_KEEP_WARM || loop_has_idle_spares(loop)))
        timer_start(loop, &loop->trim, TRIM_EVERY_MS);
}

static void turn(struct loop *loop)
{
    int timeout = sleep_ms(loop);
    int n = epoll_wait(loop->epoll_fd, loop->events, LOOP_EVENTS, timeout);
    panic_if(n < 0 && errno != EINTR, "epoll_wait failed: %s", strerror(errno));
    if (timeout != 0) {
        atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
        LOOP_COUNT(loop->wakeups, 1);
    }
    loop->now_ns = clock_mono_ns(loop->clock);
    loop->wall_fresh = false;
    loop->event_at = 0;
    loop->event_count = n > 0 ? n : 0;
    size_t fired = timer_wheel_advance(&loop->wheel, loop_tick_ms(loop));
    if (fired != 0)
        LOOP_COUNT(loop->timers_fired, fired);
    deliver_mail(loop);
    dispatch(loop);
    settle(loop);
    note_turn(loop);
}

void loop_run(struct loop *loop)
{
    panic_if(current_loop != NULL, "this thread already runs a loop");
    current_loop = loop;
    void *alt_stack = xmalloc(CORO_ALT_STACK_BYTES);
    stack_t former;
    coro_overflow_watch(alt_stack, &former);
    loop->now_ns = clock_mono_ns(loop->clock);
    loop->wall_fresh = false;
    while (!atomic_load(&loop->stopping))
        turn(loop);
    atomic_store(&loop->stopping, false);
    loop_free_spares(loop);
    coro_overflow_leave(&former);
    free(alt_stack);
    current_loop = NULL;
}

void loop_stats(struct loop *loop, struct loop_stats *ret_stats)
{
    *ret_stats = (struct loop_stats){
        .turns = atomic_load_explicit(&loop->turns, memory_order_relaxed),
        .wakeups = atomic_load_explicit(&loop->wakeups, memory_order_relaxed),
        .mails = atomic_load_explicit(&loop->mails, memory_order_relaxed),
        .timers_fired = atomic_load_explicit(&loop->timers_fired, memory_order_relaxed),
        .longest_turn_us =
            atomic_exchange_explicit(&loop->longest_turn_us, 0, memory_order_relaxed),
        .coroutines = atomic_load_explicit(&loop->coroutines, memory_order_relaxed),
        .coroutines_max = atomic_load_explicit(&loop->coroutines_peak, memory_order_relaxed),
        .stacks = atomic_load_explicit(&loop->stacks_made, memory_order_relaxed),
    };
}
