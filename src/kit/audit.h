/* The audit log (Z06): who did what to whom, append-only. A row is written in the transaction of
 * the act itself, so neither is there without the other. */
#ifndef PARLEY_KIT_AUDIT_H
#define PARLEY_KIT_AUDIT_H

#include "kit/request.h"

struct audit_entry {
    const char *action;       /* "user.role_changed", "signal.approved": <kind>.<what happened> */
    const struct id *actor;   /* NULL: the operator at the command line, or the system */
    const char *subject_kind; /* "user", "trade_signal", "report", "dead_letter" */
    const struct id *subject; /* may be NULL */
    struct slice detail;      /* JSON object of what changed, or absent; no secrets, 16 KiB */
    struct slice correlation_id;
};
/* Inside db_write on the main database. */
int audit_write(struct kit *kit, struct db_tx *tx, const struct audit_entry *entry,
                struct error *err) MUSTCHECK;

#endif
