/* Telling sanitizers and valgrind about stacks they would otherwise take for wild jumps. In an
 * ordinary build everything here is empty, but for valgrind's requests (a few idle instructions
 * once per stack).
 */
#ifndef PARLEY_IO_CORO_SANITIZER_H
#define PARLEY_IO_CORO_SANITIZER_H

#include "io/coro_private.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define CORO_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define CORO_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

/* The stack that a loop itself runs on. */
struct sanitizer_home {
    void *fiber; /* as coro->sanitizer_fiber */
    const void *stack;
    size_t stack_bytes;
};

static inline void sanitizer_stack_made(struct coro *coro)
{
    coro->valgrind_id =
        (unsigned)VALGRIND_STACK_REGISTER(coro->stack, coro->stack + coro->stack_bytes);
#ifdef CORO_ASAN
    /* What a parked coroutine holds only on its stack is not leaked. */
    __lsan_register_root_region(coro->stack, coro->stack_bytes);
#endif
}

static inline void sanitizer_stack_gone(struct coro *coro)
{
    VALGRIND_STACK_DEREGISTER(coro->valgrind_id);
#ifdef CORO_ASAN
    __lsan_unregister_root_region(coro->stack, coro->stack_bytes);
    __asan_unpoison_memory_region(coro->stack, coro->stack_bytes);
#endif
}

static inline void sanitizer_context_made(struct coro *coro)
{
#ifdef CORO_ASAN
    __asan_unpoison_memory_region(coro->stack, coro->stack_bytes);
#endif
#ifdef CORO_TSAN
    coro->sanitizer_fiber = __tsan_create_fiber(0);
#endif
    (void)coro;
}

static inline void sanitizer_context_gone(struct coro *coro)
{
#ifdef CORO_TSAN
    if (coro->sanitizer_fiber != NULL)
        __tsan_destroy_fiber(coro->sanitizer_fiber);
#endif
    coro->sanitizer_fiber = NULL;
}

/* Four moments of the two switches, in the order in which they come. */
static inline void sanitizer_leaving_home(struct sanitizer_home *home, struct coro *coro)
{
#ifdef CORO_ASAN
    __sanitizer_start_switch_fiber(&home->fiber, coro->stack, coro->stack_bytes);
#endif
#ifdef CORO_TSAN
    home->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(coro->sanitizer_fiber, 0);
#endif
    (void)home, (void)coro;
}

static inline void sanitizer_in_coro(struct sanitizer_home *home, struct coro *coro)
{
#ifdef CORO_ASAN
    __sanitizer_finish_switch_fiber(coro->sanitizer_fiber, &home->stack, &home->stack_bytes);
#endif
    (void)home, (void)coro;
}

static inline void sanitizer_leaving_coro(struct sanitizer_home *home, struct coro *coro,
                                          bool ended)
{
#ifdef CORO_ASAN
    __sanitizer_start_switch_fiber(ended ? NULL : &coro->sanitizer_fiber, home->stack,
                                   home->stack_bytes);
    if (ended)
        coro->sanitizer_fiber = NULL;
#endif
#ifdef CORO_TSAN
    __tsan_switch_to_fiber(home->fiber, 0);
#endif
    (void)home, (void)coro, (void)ended;
}

static inline void sanitizer_home_again(struct sanitizer_home *home)
{
#ifdef CORO_ASAN
    __sanitizer_finish_switch_fiber(home->fiber, NULL, NULL);
#endif
    (void)home;
}

#endif
