/* The portable switch. makecontext hands over ints only, so pointers travel in halves. */
#include "io/coro_switch.h"

static void start(unsigned entry_high, unsigned entry_low, unsigned arg_high, unsigned arg_low)
{
    uintptr_t entry = (uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    uintptr_t arg = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);
    ((void (*)(void *))entry)((void *)arg);
}

void coro_context_init(struct coro_context *ctx, char *stack, size_t stack_bytes,
                       void (*entry)(void *arg), void *arg)
{
    uint64_t entry_bits = (uintptr_t)entry, arg_bits = (uintptr_t)arg;
    panic_if(getcontext(&ctx->saved) != 0, "getcontext failed");
    ctx->saved.uc_stack.ss_sp = stack;
    ctx->saved.uc_stack.ss_size = stack_bytes;
    ctx->saved.uc_link = NULL;
    makecontext(&ctx->saved, (void (*)(void))start, 4, (unsigned)(entry_bits >> 32),
                (unsigned)entry_bits, (unsigned)(arg_bits >> 32), (unsigned)arg_bits);
}

void coro_context_switch(struct coro_context *from, struct coro_context *to)
{
    panic_if(swapcontext(&from->saved, &to->saved) != 0, "swapcontext failed");
}
