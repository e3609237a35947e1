/* The outbox of a database that is not the log's: what the rooms there say, written in the
 * transaction of the change and relayed to the log after it.
 *
 *     room's transaction   the change, and a row of `outbox` for each event and audit entry
 *     relay                reads the rows in order, emits them in ONE transaction of main.db, which
 *                          also stores the number of the last (`outbox_relayed`); then deletes them
 *
 * A crash before main's commit leaves the rows to be relayed; one after it leaves rows that the
 * stored number says are in the log already. So an event is never lost, never told twice, and those
 * of one database stand in the log in the order of its commits. Numbers are never given again
 * (AUTOINCREMENT), and each outbox has an id of its own, so that a database that was begun anew is
 * not taken for the one before it.
 *
 * Between the commit and the relay's there is a moment in which the change can be read and the log
 * does not tell of it yet. Nothing in the log is ever ahead of its change. */
#ifndef PARLEY_KIT_OUTBOX_H
#define PARLEY_KIT_OUTBOX_H

#include "kit/audit.h"
#include "kit/kit.h"

extern const struct db_schema outbox_schema;       /* of a database with an outbox */
extern const struct db_schema outbox_relay_schema; /* of main.db */

/* Whether the transaction's database has an outbox. */
bool outbox_is_at(const struct kit *kit, const struct db_tx *tx);
/* Inside db_write there. *ret_pos (may be NULL): the event's position will be this or greater. */
int outbox_put_event(struct kit *kit, struct db_tx *tx, const struct event_draft *draft,
                     uint64_t *ret_pos, struct error *err) MUSTCHECK;
int outbox_put_audit(struct kit *kit, struct db_tx *tx, const struct audit_row *row,
                     struct error *err) MUSTCHECK;

/* --- the relay: one coroutine of the first loop for each database ------------------------------
 */

struct outboxes;
/* When the rooms have started and before consumers and traffic: relays what is left from before,
 * on the calling thread. When main.db is busy or full now, that is left to the coroutines. An event
 * that this program does not know is refused, with a sentence: it is never passed over.
 * *ret_outboxes is set also when it fails, for outboxes_free. */
int outboxes_open(struct kit *kit, struct outboxes **ret_outboxes, struct error *err) MUSTCHECK;
/* From here on kit_emit wakes them; before the loops run. */
int outboxes_start(struct outboxes *outboxes, struct error *err) MUSTCHECK;
/* From a coroutine of the first loop, when the consumers have ended: relays what is there and ends,
 * within 5 s; the rest is relayed at the next start. May be NULL. */
void outboxes_stop(struct outboxes *outboxes);
void outboxes_free(struct outboxes *outboxes); /* when no loop runs; may be NULL */
/* Nothing is relayed from when hold returns to the release: see backup (docs/OPERATE.md). From a
 * coroutine of the first loop; may be NULL. */
void outboxes_hold(struct outboxes *outboxes);
void outboxes_release(struct outboxes *outboxes);

/* How many rows wait; any thread. */
int64_t outboxes_waiting(const struct outboxes *outboxes);

/* The steps, for the tests: one transaction of main.db with at most 256 rows; returns how many
 * were relayed, or negative. */
int outboxes_step(struct outboxes *outboxes, unsigned index, struct error *err) MUSTCHECK;
/* Deletes what has been relayed. */
int outboxes_sweep(struct outboxes *outboxes, unsigned index, struct error *err) MUSTCHECK;

#endif
