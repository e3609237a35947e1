/* The inside of a loop: loop.c and coro.c only. */
#ifndef PARLEY_IO_LOOP_PRIVATE_H
#define PARLEY_IO_LOOP_PRIVATE_H

#include <stdatomic.h>
#include <sys/epoll.h>

#include "io/coro_sanitizer.h"
#include "io/mailbox.h"
#include "io/spares.h"
#include "io/stack_pool.h"
#include "io/timer_wheel.h"

#define LOOP_EVENTS 512

struct loop {
    /* Any thread. `asleep`: the loop is, or is about to be, in epoll_wait with nobody sure to wake
     * it; whoever clears the flag writes the eventfd. */
    struct mailbox mailbox;
    _Atomic bool asleep, stopping;

    /* The loop's thread. */
    _Alignas(64) unsigned index;
    const struct clock *clock;
    int epoll_fd, wake_fd;
    struct watch wake_watch;
    int64_t now_ns;
    int64_t wall_ms;
    bool wall_fresh; /* wall_ms has been read in this turn */
    struct timer_wheel wheel;
    struct list tasks;      /* at the end of this turn */
    struct list ready;      /* coroutines to resume in this turn */
    struct list next_turn;  /* coroutines that have yielded */
    struct list line;       /* coro_ticket: for a coroutine */
    struct task line_moves; /* a coroutine has ended while somebody waits for one */
    bool line_calls;        /* coro_line_move is on the stack */
    struct coro *running;
    struct coro_context home;
    struct sanitizer_home sanitizer;
    struct stack_pool stacks;
    size_t places; /* work under way whose coroutines have ended */
    struct timer trim;
    char *read_buffer;
    struct loop_spares {
        const struct spares_kind *kind;
        struct spare *first;
        unsigned count, least; /* least: since the last trim */
    } spares[SPARES_KINDS];
    int event_at, event_count; /* events[event_at..] are still to be dispatched */
    struct epoll_event events[LOOP_EVENTS];

    /* Written by the loop's thread, read by any. */
    _Atomic uint64_t turns, wakeups, mails, timers_fired;
    _Atomic int64_t longest_turn_us;
    _Atomic size_t coroutines, coroutines_peak, stacks_made;
};

/* spares.c */
bool loop_has_idle_spares(const struct loop *loop);
bool loop_trim_spares(struct loop *loop); /* once a second; false when that is no longer needed */
void loop_free_spares(struct loop *loop); /* at the end of loop_run */

/* coro_line.c */
void coro_line_move(struct task *task);
void coro_line_look(struct loop *loop); /* some work has ended: lets the line move */

/* The wheel's clock. */
static inline int64_t loop_tick_ms(const struct loop *loop)
{
    return loop->now_ns / 1000000;
}

/* For counters with one writer: no locked instruction. */
#define LOOP_COUNT(counter, more)                                                                  \
    atomic_store_explicit(&(counter),                                                              \
                          atomic_load_explicit(&(counter), memory_order_relaxed) + (more),         \
                          memory_order_relaxed)

#endif
