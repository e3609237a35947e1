/* Runs every module's consumers: one coroutine each, woken by the relay, cursor in the consumer's
 * own database. Tables of kit_schema: consumer_position, dead_letter. */
#ifndef PARLEY_KIT_CONSUMER_H
#define PARLEY_KIT_CONSUMER_H

#include "kit/module.h"

/* consumer_position, dead_letter, idempotency_key, audit, saga, saga_step */
extern const struct db_schema kit_schema;

/* The log's rows that a consumer has not handled are kept beyond their retention, for as long as it
 * takes: a consumer that cannot go on shows in parley_consumer_lag_events, and costs disk, never an
 * event. `consumers` lives as long as the process. */
int consumers_start(struct kit *kit, struct consumers **ret_consumers, struct error *err) MUSTCHECK;
/* From a coroutine of the first loop: lets transactions that run end, for up to 5 s in all; one
 * that waits for its next attempt ends at once and goes on from the same event at the next start.
 */
void consumers_stop(struct consumers *consumers);
/* How many positions of the log each consumer is behind the head; any thread. Returns how many
 * there are, of which the first `max` are given. */
struct consumer_lag {
    const char *name;
    uint64_t events;
};
unsigned consumers_lag(const struct consumers *consumers, struct consumer_lag *ret_lags,
                       unsigned max);
/* Inside a transaction of its database: up to where the named consumer has handled the log, as the
 * table says (0: it has not begun); and, before consumers_start, from where it is to begin. */
int consumer_get_position(struct db_tx *tx, const char *name, uint64_t *ret_pos,
                          struct error *err) MUSTCHECK;
int consumer_set_position(struct db_tx *tx, const char *name, uint64_t pos,
                          struct error *err) MUSTCHECK;
/* From a coroutine: waits until the named consumer has handled everything up to pos. FAIL_TIMEOUT
 * when it has not within timeout_ms. */
int consumer_wait(struct consumers *consumers, const char *name, uint64_t pos, int64_t timeout_ms,
                  struct error *err) MUSTCHECK;

#endif
