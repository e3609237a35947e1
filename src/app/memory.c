#include "app/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Thousands of requests under way lie all over the heap; with pages of 4 KB most steps from one to
 * the next miss the processor's table of pages too. And what a commit of hundreds of messages
 * brings home is freed at once and soon allocated again, often by the other thread: of each size a
 * thread keeps a handful for itself unless it is told otherwise. */
#define TUNABLES "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=256"

void memory_tune(char **argv)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    char program[PATH_MAX];
    if (getenv("GLIBC_TUNABLES") != NULL)
        return;
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0)
        return;
    program[len] = 0;
    if (setenv("GLIBC_TUNABLES", TUNABLES, 0) == 0)
        execv(program, argv); /* comes back only when it has failed: then without */
#else
    (void)argv;
#endif
}

static int64_t cpu_ms(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0)
        return 0;
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

void memory_give_back_when_calm(struct memory_calm *calm)
{
    enum { BUSY_SHARE = 10 }; /* of one processor: a tenth */
    int64_t now = cpu_ms();
    bool quiet = now - calm->cpu_ms < MEMORY_LOOK_MS / BUSY_SHARE;
#ifdef __GLIBC__
    if (quiet && !calm->quiet)
        malloc_trim(0);
#endif
    *calm = (struct memory_calm){now, quiet};
}
