/* Coroutines of one loop: started, parked, woken, cancelled.
 *
 * Control only ever goes from the loop's stack to a coroutine and back; a coroutine that wakes
 * another puts it on loop->ready and goes on. Each stack runs coro_main for ever: when fn returns,
 * the stack waits there for the next fn, so that starting a coroutine costs one switch.
 *
 * A wait ends by the first of wake, time-out and cancellation; whatever comes after it and before
 * the coroutine has run is ignored, but a cancellation is then kept for the next wait.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "io/loop_private.h"

struct coro *coro_current(void)
{
    struct loop *loop = loop_current();
    return loop != NULL ? loop->running : NULL;
}

static struct coro *current_or_panic(const char *what)
{
    struct coro *coro = coro_current();
    panic_if(coro == NULL, "%s outside of a coroutine", what);
    return coro;
}

static void leave(struct coro *coro, bool ended)
{
    struct loop *loop = coro->loop;
    sanitizer_leaving_coro(&loop->sanitizer, coro, ended);
    coro_context_switch(&coro->context, &loop->home);
    sanitizer_in_coro(&loop->sanitizer, coro);
}

#ifdef CORO_ASAN
__attribute__((no_sanitize_address))
#endif
static void
coro_main(void *arg)
{
    struct coro *coro = arg;
    sanitizer_in_coro(&coro->loop->sanitizer, coro);
    for (;;) {
        coro->fn(coro->arg);
        coro->fn = NULL;
        leave(coro, true);
    }
}

static void timed_out(struct timer *timer)
{
    coro_wake(CONTAINER_OF(timer, struct coro, timer), FAIL_TIMEOUT);
}

static void count_coroutines(struct loop *loop)
{
    size_t busy = loop->stacks.busy;
    atomic_store_explicit(&loop->coroutines, busy, memory_order_relaxed);
    if (busy > atomic_load_explicit(&loop->coroutines_peak, memory_order_relaxed))
        atomic_store_explicit(&loop->coroutines_peak, busy, memory_order_relaxed);
    atomic_store_explicit(&loop->stacks_made, loop->stacks.total, memory_order_relaxed);
}

void coro_resume(struct loop *loop, struct coro *coro)
{
    loop->running = coro;
    sanitizer_leaving_home(&loop->sanitizer, coro);
    coro_context_switch(&loop->home, &coro->context);
    sanitizer_home_again(&loop->sanitizer);
    loop->running = NULL;
    if (coro->fn == NULL) {
        stack_pool_give(&loop->stacks, coro);
        count_coroutines(loop);
        coro_line_look(loop);
    }
}

int coro_spawn(struct loop *loop, void (*fn)(void *arg), void *arg, struct error *err)
{
    panic_if(loop_current() != NULL && loop_current() != loop,
             "a coroutine can only be started on its own loop");
    struct coro *coro = stack_pool_take(&loop->stacks, loop);
    if (coro == NULL) {
        int rc = error_set(err, FAIL_UNAVAILABLE, "busy", "all %zu coroutines are in use",
                           loop->stacks.busy);
        if (err != NULL && err->retry_after_ms == 0)
            err->retry_after_ms = 1000;
        return rc;
    }
    if (!coro->started) {
        coro_context_init(&coro->context, coro->stack, coro->stack_bytes - coro->colour_bytes,
                          coro_main, coro);
        sanitizer_context_made(coro);
        timer_init(&coro->timer, timed_out);
        coro->started = true;
    }
    coro->fn = fn;
    coro->arg = arg;
    coro->parked = coro->woken = coro->cancelled = coro->cancel_due = false;
    count_coroutines(loop);
    if (loop_current() == loop && loop->running == NULL)
        coro_resume(loop, coro);
    else
        list_add_tail(&loop->ready, &coro->link);
    return 0;
}

/* What has already come for this wait, taken away; false when it has to wait. */
static bool take_wake(struct coro *coro, int *ret_value)
{
    if (coro->woken) {
        coro->woken = false;
        *ret_value = coro->wake_value;
        return true;
    }
    if (coro->cancel_due) {
        coro->cancel_due = false;
        *ret_value = FAIL_CANCELLED;
        return true;
    }
    return false;
}

int coro_park(int64_t timeout_ms)
{
    struct coro *coro = current_or_panic("coro_park");
    int value;
    if (take_wake(coro, &value))
        return value;
    if (timeout_ms <= 0)
        return FAIL_TIMEOUT;
    if (timeout_ms != CORO_FOREVER)
        timer_start(coro->loop, &coro->timer, timeout_ms);
    coro->parked = true;
    leave(coro, false);
    coro->parked = false;
    timer_stop(&coro->timer);
    bool woken = take_wake(coro, &value);
    panic_if(!woken, "a parked coroutine was resumed without a wake");
    return value;
}

void coro_wake(struct coro *coro, int value)
{
    panic_if(coro->fn == NULL, "a coroutine that has ended was woken");
    debug_assert(loop_current() == NULL || loop_current() == coro->loop);
    if (coro->woken)
        return;
    coro->woken = true;
    coro->wake_value = value;
    if (coro->parked)
        list_add_tail(&coro->loop->ready, &coro->link);
}

void coro_prefetch_wake(const struct coro *coro)
{
    __builtin_prefetch(&coro->link, 1);
    __builtin_prefetch(&coro->woken, 1);
}

void coro_cancel(struct coro *coro)
{
    panic_if(coro->fn == NULL, "a coroutine that has ended was cancelled");
    coro->cancelled = true;
    if (coro->parked && !coro->woken)
        coro_wake(coro, FAIL_CANCELLED);
    else
        coro->cancel_due = true;
}

bool coro_cancelled(void)
{
    struct coro *coro = coro_current();
    return coro != NULL && coro->cancelled;
}

int coro_sleep(int64_t ms)
{
    struct coro *coro = current_or_panic("coro_sleep");
    int64_t until_ms;
    if (__builtin_add_overflow(loop_now_ms(coro->loop), ms, &until_ms))
        until_ms = INT64_MAX;
    int rc;
    do {
        rc = coro_park(until_ms - loop_now_ms(coro->loop));
        /* Anything else is a wake that was meant for an earlier wait. */
    } while (rc != FAIL_TIMEOUT && rc != FAIL_CANCELLED);
    return rc == FAIL_CANCELLED ? rc : 0;
}

void coro_yield(void)
{
    struct coro *coro = current_or_panic("coro_yield");
    list_add_tail(&coro->loop->next_turn, &coro->link);
    leave(coro, false);
}

size_t coro_stack_used_bytes(void)
{
    struct coro *coro = current_or_panic("coro_stack_used_bytes");
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident[64];
    /* A page below the deepest one that was ever touched is not resident. */
    for (size_t at = 0; at < coro->stack_bytes; at += sizeof resident * page) {
        size_t rest = coro->stack_bytes - at;
        size_t length = rest < sizeof resident * page ? rest : sizeof resident * page;
        if (mincore(coro->stack + at, length, resident) != 0)
            return 0;
        for (size_t i = 0; i < length / page; i++)
            if (resident[i] & 1)
                return coro->stack_bytes - at - i * page;
    }
    return 0;
}
