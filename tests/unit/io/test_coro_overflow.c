/* Running off a stack ends the process with a report, not with silent damage. In a child, because
 * the end is the point. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "io/coro.h"

static volatile int depth_wanted;

static __attribute__((noinline)) int dig(int depth)
{
    volatile char bytes[512];
    bytes[0] = (char)depth;
    int below = depth < depth_wanted ? dig(depth + 1) : 0;
    return below + bytes[0];
}

static void run_off(void *arg)
{
    *(int *)arg = dig(0);
}

static void wild(void *arg)
{
    volatile uintptr_t nowhere = 8;
    *(volatile int *)nowhere = *(int *)arg;
}

/* Runs fn in a coroutine of a child; returns its wait status and what it wrote to stderr. */
static int child(void (*fn)(void *), char *report, size_t size)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(fds[1], STDERR_FILENO);
        struct loop *loop = NULL;
        int value = 1;
        struct error err = {0};
        if (loop_new(&(struct loop_config){.index = 3}, &loop, &err) != 0 ||
            coro_spawn(loop, fn, &value, &err) != 0)
            _exit(99);
        loop_run(loop);
        _exit(98);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t n;
    while (len < size - 1 && (n = read(fds[0], report + len, size - 1 - len)) > 0)
        len += (size_t)n;
    report[len] = 0;
    char rest[4096];
    while (read(fds[0], rest, sizeof rest) > 0)
        ;
    close(fds[0]);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

TEST(a_stack_overflow_is_reported_and_fatal)
{
    char report[4096];
    depth_wanted = 100000;
    int status = child(run_off, report, sizeof report);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strstr(report, "parley: coroutine stack overflow on loop 3: 262144 bytes") != NULL);
}

TEST(another_fault_is_not_called_an_overflow)
{
    char report[4096];
    int status = child(wild, report, sizeof report);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 98);
    CHECK(strstr(report, "stack overflow") == NULL);
}
