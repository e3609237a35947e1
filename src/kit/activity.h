/* Who has been seen: marked wherever somebody shows a sign of life, written by the user room in
 * batches (U05).
 *
 * Each loop has a table of its own, so that a mark is a hash, a compare and a store: no lock, no
 * atomic, no clock. Taking swaps the table for an empty one on the loop that owns it. Tables are
 * bounded; who does not fit is counted, and marked again by the next sign of life.
 */
#ifndef PARLEY_KIT_ACTIVITY_H
#define PARLEY_KIT_ACTIVITY_H

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "io/loop.h"

#define ACTIVITY_USERS_MAX (1u << 18) /* between two takes, per loop */

struct activity;
struct activity_seen {
    struct id user;
    int64_t at_ms; /* wall clock */
};

struct activity *activity_new(const struct clock *clock, unsigned loops);
void activity_free(struct activity *activity); /* may be NULL */
/* On a loop's thread: this user is here, as of this turn. activity may be NULL. */
void activity_mark(struct activity *activity, const struct id *user);
/* What activity_mark does, for the loop with that index. */
void activity_note(struct activity *activity, unsigned loop, const struct id *user,
                   int64_t mono_ms);
/* All that was marked since the last time, each user once, in order of id; the caller frees
 * *ret_seen (NULL when there is nobody). From a coroutine, one at a time: goes round the loops.
 * Where no loop runs (loops NULL), directly. */
void activity_take(struct activity *activity, struct loop *const *loops,
                   struct activity_seen **ret_seen, size_t *ret_count);

#endif
