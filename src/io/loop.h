/* The event loop: about one per core, one thread each, epoll edge-triggered.
 *
 * A loop turn: wait for readiness, run due timers, run mail from other threads, run ready watches,
 * resume woken coroutines, then run deferred tasks (that is where sockets flush what the turn put
 * into their queues, so that many small frames leave in one write). Everything below runs on the
 * loop's own thread unless it says "any thread".
 */
#ifndef PARLEY_IO_LOOP_H
#define PARLEY_IO_LOOP_H

#include "base/base.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/list.h"

struct loop;

struct loop_config {
    unsigned index;            /* 0.. */
    const struct clock *clock; /* NULL: clock_system */
    size_t stacks_max;         /* coroutines at once; 0: 4096 */
    size_t stack_bytes;        /* 0: 256 KiB reserved, touched pages only are real */
};

int loop_new(const struct loop_config *config, struct loop **ret_loop, struct error *err) MUSTCHECK;
void loop_run(struct loop *loop);  /* on the calling thread, until loop_stop */
void loop_stop(struct loop *loop); /* any thread */
/* Not while it runs. Coroutines that still wait are dropped as they stand, mail that still waits is
 * not delivered: end both before. */
void loop_free(struct loop *loop);
struct loop *loop_current(void); /* the loop that runs on this thread, or NULL */
unsigned loop_index(const struct loop *loop);
const struct clock *loop_clock(const struct loop *loop);
int64_t loop_now_ms(const struct loop *loop);  /* monotonic, as of this turn's start */
int64_t loop_wall_ms(const struct loop *loop); /* wall clock, as of this turn's start */

/* --- descriptors ------------------------------------------------------------------------- */
enum { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_HANGUP = 4 };
struct watch {
    int fd; /* -1: not watched */
    void (*ready)(struct watch *watch, unsigned events);
};
/* Registers once for read, write and hang-up, edge-triggered: drain until EAGAIN. Level-triggered
 * read-only for foreign descriptors (libpq, eventfds of libraries). */
int loop_watch(struct loop *loop, struct watch *watch, struct error *err) MUSTCHECK;
int loop_watch_level(struct loop *loop, struct watch *watch, struct error *err) MUSTCHECK;
/* For one of loop_watch that stopped before EAGAIN: reports again in the next turn what is ready
 * then. */
void loop_watch_again(struct loop *loop, struct watch *watch);
/* Forgets it; events of this turn that are still to come for it are dropped too. The caller closes
 * the descriptor afterwards; the struct may be freed at once. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* --- timers (hashed wheel, 1 ms ticks, O(1)) --------------------------------------------- */
struct timer {
    struct list link;
    int64_t due_ms;
    void (*fire)(struct timer *timer);
};
void timer_init(struct timer *timer, void (*fire)(struct timer *));
void timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms); /* restarts if set */
void timer_stop(struct timer *timer);
bool timer_active(const struct timer *timer);

/* --- end-of-turn tasks ------------------------------------------------------------------- */
struct task {
    struct list link;
    void (*run)(struct task *task);
};
void task_init(struct task *task, void (*run)(struct task *));
/* Runs once at the end of this turn; queueing it again before that is a no-op. A task queued by a
 * task runs in the same end of turn, unless there are very many (65,536 in a turn): the rest
 * follows in the next one. */
void loop_defer(struct loop *loop, struct task *task);
/* The same, but before those that are queued: for waking another thread, which then works while
 * the others run. */
void loop_defer_first(struct loop *loop, struct task *task);
void task_cancel(struct task *task);

/* --- mail: the only way in from other threads --------------------------------------------- */
struct mail {
    struct mail *_Atomic next;
    void (*deliver)(struct mail *mail); /* on the loop's thread; owns the mail from there on */
};
/* Any thread. Lock-free (Vyukov MPSC); one eventfd write, only when the loop may be asleep. Order
 * is kept per sending thread. */
void loop_post(struct loop *loop, struct mail *mail);

/* --- the shared read buffer ---------------------------------------------------------------- */
#define LOOP_READ_BYTES (256u << 10)
/* Scratch for one read(2); valid until the callback returns. */
char *loop_read_buffer(struct loop *loop);

struct loop_stats {
    uint64_t turns, wakeups, mails, timers_fired;
    int64_t longest_turn_us; /* since the last call */
    size_t coroutines, coroutines_max, stacks;
};
void loop_stats(struct loop *loop, struct loop_stats *ret_stats); /* any thread, approximate */

#endif
