/* See proc.h. A process that has gone ends the program: a measurement without its server is none.
 */
#include "proc.h"

#include "text.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void proc_parse(struct proc_set *set, const char *list)
{
    while (*list) {
        char *end;
        long pid = strtol(list, &end, 10);
        if (end == list || pid <= 0 || (*end && *end != ',') || set->count == PROC_PIDS_MAX)
            die("--pid wants process ids separated by commas");
        set->pids[set->count++] = (pid_t)pid;
        list = *end ? end + 1 : end;
    }
}

static void read_all(pid_t pid, const char *name, char *text, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        die("process %d has gone", (int)pid);
    size_t len = fread(text, 1, cap - 1, file);
    text[len] = 0;
    fclose(file);
}

uint64_t proc_cpu_ns(const struct proc_set *set)
{
    uint64_t ticks = 0;
    for (unsigned i = 0; i < set->count; i++) {
        char text[2048];
        unsigned long user, kernel;
        read_all(set->pids[i], "stat", text, sizeof text);
        /* proc(5): the name in parentheses may hold anything, so count from its last one. */
        const char *rest = strrchr(text, ')');
        if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                            &kernel) != 2)
            die("cannot read the CPU time of process %d", (int)set->pids[i]);
        ticks += user + kernel;
    }
    return ticks * (1000000000U / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t proc_own_cpu_ns(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000U +
           (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000U;
}

static uint64_t kilobytes(const char *text, const char *name)
{
    unsigned long value;
    const char *at = strstr(text, name);
    if (!at || sscanf(at + strlen(name), " %lu", &value) != 1)
        die("smaps_rollup has no %s", name);
    return (uint64_t)value * 1024;
}

struct proc_memory proc_memory(const struct proc_set *set)
{
    struct proc_memory sum = {0};
    for (unsigned i = 0; i < set->count; i++) {
        char text[4096];
        read_all(set->pids[i], "smaps_rollup", text, sizeof text);
        sum.rss_bytes += kilobytes(text, "Rss:");
        sum.pss_bytes += kilobytes(text, "Pss:");
    }
    return sum;
}

void proc_pin(int cpu)
{
    cpu_set_t set;
    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("cannot run on CPU %d", cpu);
}
