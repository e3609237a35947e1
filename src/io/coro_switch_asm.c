/* The first frame of a new stack, as coro_switch_stacks (coro_switch_*.S) expects to find it: the
 * saved registers from low to high addresses, the return address last. */
#include "io/coro_switch.h"

void coro_switch_stacks(void **save_stack_pointer, void *load_stack_pointer);
void coro_switch_start(void);

void coro_context_switch(struct coro_context *from, struct coro_context *to)
{
    coro_switch_stacks(&from->stack_pointer, to->stack_pointer);
}

#if defined(__x86_64__)

void coro_context_init(struct coro_context *ctx, char *stack, size_t stack_bytes,
                       void (*entry)(void *arg), void *arg)
{
    uintptr_t top = ((uintptr_t)stack + stack_bytes) & ~(uintptr_t)15;
    uintptr_t *frame = (uintptr_t *)top - 8;
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    frame[0] = (uintptr_t)mxcsr | (uintptr_t)x87 << 32;
    frame[1] = frame[2] = 0;     /* r15, r14 */
    frame[3] = (uintptr_t)arg;   /* r13 */
    frame[4] = (uintptr_t)entry; /* r12 */
    frame[5] = frame[6] = 0;     /* rbx, rbp: end of the frame chain */
    frame[7] = (uintptr_t)coro_switch_start;
    ctx->stack_pointer = frame;
}

#elif defined(__aarch64__)

void coro_context_init(struct coro_context *ctx, char *stack, size_t stack_bytes,
                       void (*entry)(void *arg), void *arg)
{
    uintptr_t top = ((uintptr_t)stack + stack_bytes) & ~(uintptr_t)15;
    uint64_t *frame = (uint64_t *)top - 22;
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    memset(frame, 0, 22 * sizeof *frame);
    frame[0] = (uint64_t)entry;              /* x19 */
    frame[1] = (uint64_t)arg;                /* x20 */
    frame[11] = (uint64_t)coro_switch_start; /* x30 */
    frame[20] = fpcr;
    ctx->stack_pointer = frame;
}

#else
#error "no assembler switch for this processor: configure with -Dcoro=ucontext"
#endif
