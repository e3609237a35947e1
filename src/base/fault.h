/* Named fault points: places where a test makes something fail, stall or die. Compiled in always,
 * off unless PARLEY_FAULTS names them: "db.commit=error@100,log.relay=exit@5,db.sync=delay:20".
 * `@n` fires at the n-th pass only; without it at every pass. Costs one predictable branch. */
#ifndef PARLEY_BASE_FAULT_H
#define PARLEY_BASE_FAULT_H

#include "base/base.h"

enum fault_action { FAULT_NONE, FAULT_ERROR };

extern bool fault_any; /* false: no fault is set in this process */
/* delay:ms sleeps here, exit ends the process at once as kill -9 would, error returns FAULT_ERROR.
 */
enum fault_action fault_hit(const char *name);
/* Parses a list as above; false with nothing changed when it is malformed. */
bool fault_set(const char *list) MUSTCHECK;

static inline bool fault(const char *name)
{
    return UNLIKELY(__atomic_load_n(&fault_any, __ATOMIC_RELAXED)) &&
           fault_hit(name) == FAULT_ERROR;
}

#endif
