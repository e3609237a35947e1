/* Scheduled work of the rooms: each job runs on one process at a time in the whole cluster (R04).
 */
#ifndef PARLEY_KIT_JOB_H
#define PARLEY_KIT_JOB_H

#include "kit/module.h"

struct jobs;

/* Starts a coroutine per job on the first loop. A job first runs one period after the start. */
struct jobs *jobs_start(struct kit *kit);
/* No new runs from here on; cancels what waits, and returns when no job runs (or after 5 s). From a
 * coroutine of the first loop, once; may be NULL. */
void jobs_stop(struct jobs *jobs);

#endif
