/* What somebody who was away is told, seen with today's eyes (struct module, review). */
#ifndef PARLEY_KIT_TOLD_H
#define PARLEY_KIT_TOLD_H

#include "kit/module.h"

/* Whether what the data of an event shows is still there, and not for its owner alone unless `user`
 * is that. By the room's own tables only: those are never behind the event, while what other rooms
 * know of people may be. */
typedef int told_fn(struct db_tx *tx, const struct id *user, struct slice data, struct arena *arena,
                    bool *ret_there, struct error *err);

/* Of these types (NULL-terminated) only what is there is told. Waits for the database when there
 * are any. */
int told_review(struct db *db, const struct event_type *const *types, told_fn *look,
                const struct id *user, struct told_event *events, unsigned count,
                struct arena *arena, struct error *err) MUSTCHECK;

#endif
