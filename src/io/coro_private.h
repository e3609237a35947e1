/* What loop.c, coro*.c and stack_pool.c know of a coroutine; nobody else includes this. */
#ifndef PARLEY_IO_CORO_PRIVATE_H
#define PARLEY_IO_CORO_PRIVATE_H

#include <signal.h>

#include "io/coro.h"
#include "io/coro_switch.h"

struct coro {
    struct list link; /* loop->ready or next_turn, pool->warm or cold; else alone */
    struct loop *loop;
    struct coro_context context;
    char *stack; /* lowest usable address; the guard page lies below */
    size_t stack_bytes;
    size_t colour_bytes;   /* left alone at the top: see stack_pool.c */
    void (*fn)(void *arg); /* NULL: ended or idle */
    void *arg;
    struct timer timer; /* of the park it is in */
    int wake_value;
    bool started;    /* the context holds a first frame: resuming it runs fn */
    bool parked;     /* waits in coro_park */
    bool woken;      /* wake_value is set and not yet returned by coro_park */
    bool cancelled;  /* for good: what coro_cancelled says */
    bool cancel_due; /* a cancellation that no wait has returned yet */
    unsigned valgrind_id;
    void *sanitizer_fiber; /* ThreadSanitizer's, or AddressSanitizer's fake stack */
};

/* Runs it until it parks, yields or ends. From the loop's own stack only. */
void coro_resume(struct loop *loop, struct coro *coro);
/* Brings what it will go on with into the cache: the innermost frames and what it works on. */
static inline void coro_prefetch_resume(const struct coro *coro)
{
    enum { FRAMES_BYTES = 512, ARG_BYTES = 256 };
    prefetch(coro_context_frames(&coro->context), FRAMES_BYTES, true);
    prefetch(coro->arg, ARG_BYTES, true);
}
/* Installs the report of stack overflows for the calling thread; alt_stack holds
 * CORO_ALT_STACK_BYTES and lives until coro_overflow_leave, which puts the thread's former
 * alternate stack back. */
#define CORO_ALT_STACK_BYTES (32u << 10)
void coro_overflow_watch(void *alt_stack, stack_t *ret_former);
void coro_overflow_leave(const stack_t *former);

#endif
