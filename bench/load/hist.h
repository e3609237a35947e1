/* A histogram of latencies: 64 steps to each power of two, so a percentile is off by at most 1.6 %
 * at any size, in 30 KB and without sorting. Nanoseconds. */
#ifndef BENCH_LOAD_HIST_H
#define BENCH_LOAD_HIST_H

#include <stdint.h>

#define HIST_STEPS 64
#define HIST_POWERS 40

struct hist {
    uint64_t count, sum, max;
    uint64_t steps[HIST_POWERS * HIST_STEPS];
};

void hist_add(struct hist *h, uint64_t ns);
/* The value below which `share` (0..1) of the entries lie; 0 when empty. */
uint64_t hist_at(const struct hist *h, double share);
uint64_t now_ns(void); /* monotonic */

#endif
