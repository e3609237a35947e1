/* A coroutine in a loop of its own, on the thread of the test. */
#ifndef PARLEY_TESTS_IN_LOOP_H
#define PARLEY_TESTS_IN_LOOP_H

#include "harness.h"
#include "io/coro.h"

/* Until the coroutine, or what it has begun, calls stop. */
static void run_in_loop(void (*fn)(void *), void *arg)
{
    struct loop *loop = NULL;
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    CHECK_OK(coro_spawn(loop, fn, arg, &err), &err);
    loop_run(loop);
    loop_free(loop);
}

static void stop(void)
{
    loop_stop(loop_current());
}

#endif
