/* What metric.c (the numbers) and metric_text.c (names, registration, the text) share. Internal to
 * base/. */
#ifndef PARLEY_BASE_METRIC_SERIES_H
#define PARLEY_BASE_METRIC_SERIES_H

#include "base/metric.h"

enum {
    METRIC_SERIES_MAX = 4096,
    METRIC_BUCKETS = 14,
    METRIC_SUM_SLOT = METRIC_BUCKETS + 1, /* behind the buckets and +Inf; nanoseconds */
    METRIC_HISTOGRAM_SLOTS = METRIC_BUCKETS + 2,
};

struct metric {
    struct metric *next;        /* series of one name stand together */
    char *name, *help, *labels; /* labels "" without */
    enum metric_kind kind;
    unsigned slot; /* first of its slots */
    int64_t (*fn)(void *);
    void *arg;
};

extern const int64_t metric_bounds_ns[METRIC_BUCKETS]; /* upper bounds, inclusive */
int64_t metric_slot_sum(unsigned slot);                /* over all threads */

#endif
