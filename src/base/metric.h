/* Metrics for Prometheus: counters, gauges and histograms, registered once at start.
 *
 * Updating costs one relaxed add in a slot of the calling thread (cache-line separated); slots are
 * summed when scraped. Label values are fixed when registering, so their number is bounded.
 */
#ifndef PARLEY_BASE_METRIC_H
#define PARLEY_BASE_METRIC_H

#include "base/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric; /* one time series; lives as long as the process */

/* `labels` is the text inside the braces, already escaped ("route=\"/x\",method=\"GET\""), or NULL.
 * The same name and labels give the same series. Histogram buckets are seconds, fixed:
 * 0.0005 .001 .0025 .005 .01 .025 .05 .1 .25 .5 1 2.5 5 10. Aborts past 4096 series. */
struct metric *metric_register(enum metric_kind kind, const char *name, const char *help,
                               const char *labels);
void metric_add(struct metric *m, int64_t delta); /* counter (delta >= 0) and gauge */
void metric_observe_ns(struct metric *m, int64_t ns);
/* Values asked for at scrape time; fn may run on any thread. For a name with _seconds in it fn
 * gives nanoseconds, not negative. */
void metric_register_gauge_fn(const char *name, const char *help, const char *labels,
                              int64_t (*fn)(void *), void *arg);
void metric_register_counter_fn(const char *name, const char *help, const char *labels,
                                int64_t (*fn)(void *), void *arg);
int64_t metric_value(const struct metric *m); /* histogram: the count */
/* Text exposition format 0.0.4: HELP and TYPE once a name, families together. */
void metric_write(struct buf *out);

#endif
