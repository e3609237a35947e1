/* See hist.h. Values below HIST_STEPS ns have a step each; above, the six bits behind the leading
 * one choose the step. */
#include "hist.h"

#include <time.h>

static unsigned step_of(uint64_t ns)
{
    if (ns < HIST_STEPS)
        return (unsigned)ns;
    unsigned power = 63U - (unsigned)__builtin_clzll(ns); /* >= 6 */
    unsigned index = (power - 5) * HIST_STEPS + (unsigned)(ns >> (power - 6)) % HIST_STEPS;
    unsigned last = HIST_POWERS * HIST_STEPS - 1;
    return index < last ? index : last;
}

static uint64_t value_of(unsigned step)
{
    if (step < HIST_STEPS)
        return step;
    unsigned power = step / HIST_STEPS + 5;
    return ((uint64_t)HIST_STEPS + step % HIST_STEPS) << (power - 6);
}

void hist_add(struct hist *h, uint64_t ns)
{
    h->count++;
    h->sum += ns;
    if (ns > h->max)
        h->max = ns;
    h->steps[step_of(ns)]++;
}

uint64_t hist_at(const struct hist *h, double share)
{
    uint64_t wanted = (uint64_t)((double)h->count * share), seen = 0;
    if (h->count == 0)
        return 0;
    for (unsigned i = 0; i < HIST_POWERS * HIST_STEPS; i++) {
        seen += h->steps[i];
        if (seen > wanted)
            return value_of(i);
    }
    return h->max;
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}
