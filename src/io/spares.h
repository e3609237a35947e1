/* Records kept for next time. What serves a request or a socket op (its buffers, its arena) is
 * used again by the next one on the same loop instead of being allocated anew. What was in no use
 * during a second is freed, but for SPARES_KEPT; the rest when the thread leaves loop_run.
 *
 *     static const struct spares_kind calls = {.index = SPARES_EDGE, .kept_max = 256, .free = ...};
 *     struct spare *spare = spares_take(&calls);      NULL: none there, make one
 *     spares_keep(&calls, &call->spare);              kept, or freed by calls.free
 */
#ifndef PARLEY_IO_SPARES_H
#define PARLEY_IO_SPARES_H

enum spares_index { SPARES_EDGE, SPARES_OPS, SPARES_KINDS };

enum { SPARES_KEPT = 32 };

struct spare {
    struct spare *next;
};

struct spares_kind {
    enum spares_index index; /* each user has its own */
    unsigned kept_max;       /* per loop */
    void (*free)(struct spare *spare);
};

/* On a loop's thread, or on any other: there nothing is kept. */
struct spare *spares_take(const struct spares_kind *kind);
void spares_keep(const struct spares_kind *kind, struct spare *spare);

#endif
