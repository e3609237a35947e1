/* Hierarchical hashed timer wheel: 1 ms ticks; starting and stopping cost the same with one timer
 * or a million, and a jump of a day costs as much as one of a millisecond.
 *
 * Level 0 has one slot a millisecond for the next 1,024; each slot of a higher level spans a whole
 * round of the level below and is dealt out to it when its time begins. A timer is moved at most
 * three times in its life, unless it lies more than 198 days ahead. A bitmap marks slots that may
 * hold timers; a bit may be stale (stopping a timer does not look for its slot) and is cleared when
 * it is next looked at.
 */
#ifndef PARLEY_IO_TIMER_WHEEL_H
#define PARLEY_IO_TIMER_WHEEL_H

#include "io/loop.h"

#define WHEEL_SLOTS (1024u + 3u * 256u)

struct timer_wheel {
    int64_t tick;        /* whatever is due at or before it has been fired or waits in `overdue` */
    int64_t next;        /* no slot has to be visited before it; may be too early, never too late */
    struct list overdue; /* started when already due; fire in the next turn */
    struct list slots[WHEEL_SLOTS];
    uint64_t used[WHEEL_SLOTS / 64];
};

void timer_wheel_init(struct timer_wheel *wheel, int64_t now_ms);
void timer_wheel_add(struct timer_wheel *wheel, struct timer *timer);
/* Fires all that is due at now_ms, in the order of due times; returns how many. A timer started
 * meanwhile and already due waits for the next call. */
size_t timer_wheel_advance(struct timer_wheel *wheel, int64_t now_ms);
/* When advance has something to do again: never later than the next due time; INT64_MAX without
 * timers. */
int64_t timer_wheel_next(struct timer_wheel *wheel);

#endif
