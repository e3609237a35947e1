/* What somebody who was away is told, seen with today's eyes (struct module, review). */
#ifndef PARLEY_KIT_TOLD_H
#define PARLEY_KIT_TOLD_H

#include "kit/module.h"

/* 0 when this person may still see what the data of an event shows, FAIL_NOT_FOUND or
 * FAIL_FORBIDDEN when not. In a coroutine, may wait. */
typedef int told_fn(void *room, const struct principal *principal, struct slice data,
                    struct arena *arena, struct error *err);

/* Of these types (NULL-terminated) only what `may` allows is told. */
int told_review(struct told_event *events, unsigned count, const struct event_type *const *types,
                told_fn *may, void *room, const struct principal *principal, struct arena *arena,
                struct error *err) MUSTCHECK;

#endif
