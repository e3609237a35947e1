/* The command line of parley-bench and the line of results. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include "hist.h"
#include "proc.h"
#include "text.h"

struct options {
    const char *scenario, *server, *path, *token, *requests, *label;
    struct proc_set pids;
    unsigned connections, in_flight, senders, chats, members, burst, bytes;
    unsigned rate; /* messages a second in all; 0: as fast as the answers come */
    uint64_t messages;
    double seconds, warm_up;
    int cpu;
    bool raw; /* the server is a raw peer: no accounts, no JSON */
    char **command;
};

void options_parse(struct options *o, int argc, char **argv);

/* One run's measure: from measure_start to measure_stop. */
struct measure {
    uint64_t started_ns, server_cpu_ns, own_cpu_ns;
};
void measure_start(struct measure *m, const struct options *o);
/* Writes what every scenario reports for `operations` since the start: rate, CPU of both sides
 * per operation, then the percentiles of each histogram; the caller adds more members and ends
 * the line with report_end. */
void measure_stop(const struct measure *m, const struct options *o, uint64_t operations,
                  struct text *line);
void report_hist(struct text *line, const char *name, const struct hist *h);
void report_end(struct text *line);

#endif
