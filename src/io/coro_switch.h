/* Changing from one stack to another: the only part of coroutines that knows the processor.
 *
 * Two implementations of one interface, chosen by -Dcoro: assembler for x86-64 and AArch64, which
 * saves what their calling conventions call callee-saved together with the floating-point control
 * words, and ucontext for everything else (it makes a system call at every switch).
 */
#ifndef PARLEY_IO_CORO_SWITCH_H
#define PARLEY_IO_CORO_SWITCH_H

#include "base/base.h"

#ifdef PARLEY_CORO_UCONTEXT
#include <ucontext.h>
struct coro_context {
    ucontext_t saved;
};
static inline const char *coro_context_frames(const struct coro_context *ctx)
{
    return (const char *)&ctx->saved;
}
#else
struct coro_context {
    void *stack_pointer; /* all else lies on the stack it points to */
};
/* Where what a switch to it reads first lies, upwards. */
static inline const char *coro_context_frames(const struct coro_context *ctx)
{
    return ctx->stack_pointer;
}
#endif

/* Makes *ctx start entry(arg) on the given stack at the first switch to it. entry never returns. */
void coro_context_init(struct coro_context *ctx, char *stack, size_t stack_bytes,
                       void (*entry)(void *arg), void *arg);
/* Leaves the running context in *from and continues *to. */
void coro_context_switch(struct coro_context *from, struct coro_context *to);

#endif
