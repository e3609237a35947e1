/* Stackful coroutines: a unit of work reads straight down; waiting parks it, never the thread.
 *
 * Bound to one loop and one thread for life. Stacks are pooled, have a guard page below and a
 * watermark; an overflow ends the process with a report that says so. Cancelling resumes the
 * coroutine with FAIL_CANCELLED from whatever it waits in, once for each coro_cancel: what it waits
 * for while cleaning up is waited for again. Copy errno before anything that waits.
 */
#ifndef PARLEY_IO_CORO_H
#define PARLEY_IO_CORO_H

#include "base/base.h"
#include "io/loop.h"

struct coro;

/* Starts fn(arg) at once if the caller is not a coroutine, else in this turn; before loop_run, in
 * its first turn. FAIL_UNAVAILABLE "busy" when all stacks are taken. */
int coro_spawn(struct loop *loop, void (*fn)(void *arg), void *arg, struct error *err) MUSTCHECK;
struct coro *coro_current(void); /* NULL outside */

#define CORO_FOREVER INT64_MAX
/* Parks until coro_wake or until timeout_ms has passed. Returns what coro_wake was given,
 * FAIL_TIMEOUT, or FAIL_CANCELLED. A wake that comes before the park (same coroutine, in between)
 * is kept and returns at once. Source of the value: the waker; so wait in a loop on a condition of
 * your own, and take yourself off whatever would wake you before you go on. timeout_ms 0: does not
 * wait. */
int coro_park(int64_t timeout_ms) MUSTCHECK;
/* Same thread only; resumes later in this turn. Waking twice before it ran: the first value
 * stays. */
void coro_wake(struct coro *coro, int value);
/* Brings what coro_wake touches into the cache; for whoever is about to wake many. */
void coro_prefetch_wake(const struct coro *coro);
void coro_cancel(struct coro *coro);
bool coro_cancelled(void);            /* of the current one */
int coro_sleep(int64_t ms) MUSTCHECK; /* 0 or FAIL_CANCELLED */
void coro_yield(void);                /* lets others run, and the loop turn once */
size_t coro_stack_used_bytes(void);   /* high-water mark of the current stack, in whole pages */

/* The line for a coroutine. What clients ask for starts one only while coro_room says so, and lines
 * up otherwise, first come, first served; a sixteenth of the stacks is left for the house. `turn`
 * is called when there is room (coro_room is true at its beginning, in or behind the line); what
 * then needs more lines up again. On the loop's thread. */
struct coro_ticket {
    struct list link;
    void (*turn)(struct coro_ticket *ticket);
};
bool coro_room(const struct loop *loop);
size_t coro_max(const struct loop *loop); /* how many there may be at once, the house's included */
/* For work that goes on after its coroutine has ended and whose end comes as a call: it counts like
 * a coroutine under way from the one to the other. */
void coro_place_keep(struct loop *loop);
void coro_place_return(struct loop *loop);
void coro_ticket_init(struct coro_ticket *ticket, void (*turn)(struct coro_ticket *ticket));
void coro_line_up(struct loop *loop, struct coro_ticket *ticket); /* keeps its place */
void coro_ticket_return(struct coro_ticket *ticket);              /* leaves the line, if in it */

#endif
