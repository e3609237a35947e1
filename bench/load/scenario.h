/* The scenarios, each in the file of its name. They print one JSON line and return 0, or 1 when
 * the server did something wrong (a message lost, a wrong answer), which the line tells too. */
#ifndef BENCH_LOAD_SCENARIO_H
#define BENCH_LOAD_SCENARIO_H

#include "options.h"

int scenario_http(const struct options *o);
int scenario_mix(const struct options *o);
int scenario_ws_echo(const struct options *o);
int scenario_fanout(const struct options *o);
int scenario_direct(const struct options *o);
int scenario_idle(const struct options *o);
int scenario_start(const struct options *o);

#endif
