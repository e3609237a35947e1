/* A coroutine that runs off its stack hits the guard page; the kernel then sends SIGSEGV, and the
 * handler here, on a stack of its own, says what has happened before the process ends. Any other
 * fault goes to whoever had the signal before.
 *
 * Mutable for the whole process: the former signal action, because a signal action is.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/loop_private.h"

static struct sigaction former_action;
static pthread_once_t installed = PTHREAD_ONCE_INIT;

static void report(const struct loop *loop, const struct coro *coro)
{
    /* snprintf of integers and pointers allocates nothing. */
    char text[256];
    int len = snprintf(text, sizeof text,
                       "parley: coroutine stack overflow on loop %u: %zu bytes at %p, "
                       "function %p(%p)\n",
                       loop->index, coro->stack_bytes, (void *)coro->stack,
                       (void *)(uintptr_t)coro->fn, coro->arg);
    ssize_t ignored = write(STDERR_FILENO, text, (size_t)len);
    (void)ignored;
}

static void segment_fault(int signal_number, siginfo_t *info, void *context)
{
    const struct loop *loop = loop_current();
    if (loop != NULL && loop->running != NULL) {
        const struct coro *coro = stack_pool_guarded(&loop->stacks, info->si_addr);
        if (coro != NULL) {
            report(loop, coro);
            abort();
        }
    }
    if (former_action.sa_flags & SA_SIGINFO) {
        former_action.sa_sigaction(signal_number, info, context);
        return;
    }
    /* Back to what it was; the faulting instruction then faults again. */
    sigaction(SIGSEGV, &former_action, NULL);
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = segment_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &former_action);
}

void coro_overflow_watch(void *alt_stack, stack_t *ret_former)
{
    pthread_once(&installed, install);
    stack_t stack = {.ss_sp = alt_stack, .ss_size = CORO_ALT_STACK_BYTES};
    panic_if(sigaltstack(&stack, ret_former) != 0, "sigaltstack failed");
}

void coro_overflow_leave(const stack_t *former)
{
    int rc = sigaltstack(former, NULL);
    should_not(rc != 0);
}
