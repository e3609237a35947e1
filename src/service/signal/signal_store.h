/* The room's tables, as functions; the only SQL of the room. All run inside db_read or db_write;
 * text is copied into the arena. */
#ifndef PARLEY_SERVICE_SIGNAL_STORE_H
#define PARLEY_SERVICE_SIGNAL_STORE_H

#include "engine/db.h"
#include "service/signal/signal_room.h"

int signal_store_get(struct db_tx *tx, const struct id *signal, struct arena *arena,
                     struct trade_signal *ret_signal, bool *ret_found, struct error *err) MUSTCHECK;
int signal_store_insert(struct db_tx *tx, const struct trade_signal *signal,
                        struct error *err) MUSTCHECK;
/* Everything but id, author and created_at. */
int signal_store_update(struct db_tx *tx, const struct trade_signal *signal,
                        struct error *err) MUSTCHECK;
/* With its history. */
int signal_store_delete(struct db_tx *tx, const struct id *signal, struct error *err) MUSTCHECK;
/* The signal's status and who made it so, as the next step. */
int signal_store_add_step(struct db_tx *tx, const struct trade_signal *signal, const struct id *by,
                          struct error *err) MUSTCHECK;

struct signal_span {
    enum signal_list list;
    int status;
    struct id user;       /* of SIGNAL_LIST_OWN */
    struct cursor before; /* the key of the last row shown */
    size_t max;
};
int signal_store_list(struct db_tx *tx, const struct signal_span *span, struct arena *arena,
                      struct trade_signal *ret_signals, size_t *ret_count,
                      struct error *err) MUSTCHECK;
/* The key of a row in its list. */
static inline struct cursor signal_key(enum signal_list list, const struct trade_signal *signal)
{
    return (struct cursor){.number = list == SIGNAL_LIST_APPROVED ? signal->decided_at
                                                                  : signal->created_at,
                           .id = signal->id};
}
int signal_store_history(struct db_tx *tx, const struct id *signal, int64_t after, size_t max,
                         struct arena *arena, struct signal_step *ret_steps, size_t *ret_count,
                         struct error *err) MUSTCHECK;

/* Signals that this person has decided on, by id, after that one. */
int signal_store_decided_by(struct db_tx *tx, const struct id *user, const struct id *after,
                            size_t max, struct arena *arena, struct trade_signal *ret_signals,
                            size_t *ret_count, struct error *err) MUSTCHECK;
/* Nobody in particular has decided and written those steps. */
int signal_store_anonymise(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;

#endif
