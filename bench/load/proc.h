/* What /proc says about the processes under test and about this one. */
#ifndef BENCH_LOAD_PROC_H
#define BENCH_LOAD_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_PIDS_MAX 16

struct proc_set {
    pid_t pids[PROC_PIDS_MAX];
    unsigned count;
};

/* "123,124": ends the program on anything else. */
void proc_parse(struct proc_set *set, const char *list);
/* User and system time of all of them together, in nanoseconds (10 ms steps). */
uint64_t proc_cpu_ns(const struct proc_set *set);
uint64_t proc_own_cpu_ns(void);

struct proc_memory {
    uint64_t rss_bytes, pss_bytes;
};
struct proc_memory proc_memory(const struct proc_set *set);
void proc_pin(int cpu); /* this process; negative: leave it alone */

#endif
