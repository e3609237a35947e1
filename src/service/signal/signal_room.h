/* The room's state; inside src/service/signal only. */
#ifndef PARLEY_SERVICE_SIGNAL_ROOM_H
#define PARLEY_SERVICE_SIGNAL_ROOM_H

#include "contract/social.h"
#include "kit/cache.h"
#include "kit/limit.h"
#include "service/signal/signal.h"

struct signal_room {
    struct kit *kit;
    struct db *db; /* the log's and the audit's: a decision and its record commit together */
    const struct social_calls *social;
    struct cache *cache;
    struct limit_rule create_limit;      /* count 0: none */
    struct metric *created, *decided[4]; /* by enum signal_status */
};

int signal_not_found(struct error *err);
/* Which of the authors are switched off or gone, as nobody in particular sees them; waits. */
int signal_absent(struct signal_room *room, const struct id *authors, size_t count,
                  bool *ret_absent, struct error *err) MUSTCHECK;

/* What a cache key is about; signal_cache.c. */
int signal_cached(struct signal_call *call, const struct id *signal,
                  struct trade_signal *ret_signal) MUSTCHECK;
/* Inside db_write: whatever shows the signal leaves the cache with the commit. */
int signal_forget(struct signal_room *room, struct db_tx *tx, const struct id *signal,
                  const struct id *author, struct error *err) MUSTCHECK;

/* Events out (signal_events.c). Inside db_write. */
int signal_emit(struct signal_room *room, struct db_tx *tx, const struct event_type *type,
                const struct trade_signal *signal, struct slice correlation_id,
                struct error *err) MUSTCHECK;
/* After the commit, on a loop: the admins' list has changed, and for approved and closed ones the
 * board. */
void signal_tell(struct signal_room *room, const struct trade_signal *signal, bool decided);

/* Consumer and export; see kit/module.h. */
int signal_forget_person(void *room, struct db_tx *tx, const struct event *event,
                         struct error *err);
int signal_export(void *room, struct db_tx *tx, const struct id *user, export_fn *fn, void *arg,
                  struct error *err);

#endif
