/* The audit log (Z06): who did what to whom, append-only. A row is written in the transaction of
 * the act itself, so neither is there without the other.
 *
 * Each row carries a SHA-256 over itself and the hash of the row before: whoever changes, removes
 * or slips in a row breaks the chain from there on, and audit_verify says where. What was cut off
 * at the end shows only against a hash that was kept elsewhere: verify prints one to keep. */
#ifndef PARLEY_KIT_AUDIT_H
#define PARLEY_KIT_AUDIT_H

#include "kit/request.h"

#define AUDIT_DETAIL_BYTES_MAX (16 << 10)
#define AUDIT_HASH_BYTES 32
#define AUDIT_HASH_TEXT (2 * AUDIT_HASH_BYTES) /* hexadecimal, lower case */

struct audit_entry {
    const char *action;       /* "user.role_changed", "signal.approved": <kind>.<what happened> */
    const struct id *actor;   /* NULL: the operator at the command line, or the system */
    const char *subject_kind; /* "user", "trade_signal", "report", "dead_letter" */
    const struct id *subject; /* may be NULL */
    struct slice detail;      /* JSON object of what changed, or absent; no secrets, 16 KiB */
    struct slice correlation_id;
};
/* Inside db_write on the room's database. When that is not main's, the entry is on the chain a
 * moment later (kit/outbox.h), and lost never. */
int audit_write(struct kit *kit, struct db_tx *tx, const struct audit_entry *entry,
                struct error *err) MUSTCHECK;

/* A row as the API gives it; text in the arena. */
struct audit_row {
    int64_t seq; /* 1, 2, 3 without gaps: the key of the list's cursor */
    struct id id;
    struct slice action;
    struct id actor; /* nil: nobody in particular */
    struct slice subject_kind;
    struct id subject;
    struct slice detail, correlation_id; /* may be absent */
    int64_t at;                          /* wall clock, ms */
};
extern const struct schema audit_schema;

struct audit_filter {
    struct slice action;      /* absent: any */
    struct id actor, subject; /* nil: any */
    int64_t before;           /* rows with a lower seq; 0: from the newest */
    unsigned limit;
};
/* Newest first. Inside db_read on the main database; the array is in the arena. */
int audit_list(struct db_tx *tx, const struct audit_filter *filter, struct arena *arena,
               struct audit_row **ret_rows, size_t *ret_count, struct error *err) MUSTCHECK;

/* Where the chain stands, e.g. to compare with a hash that was kept elsewhere. */
struct audit_mark {
    int64_t seq; /* 0: there is no row */
    char hash[AUDIT_HASH_TEXT + 1];
};
/* Walks the whole chain and gives its end. FAIL_CONFLICT "audit_broken" with the first row that is
 * not what was written; the same when `kept` (may be NULL) is not on the chain. Waits, or blocks
 * outside a coroutine. */
int audit_verify(struct kit *kit, const struct audit_mark *kept, struct audit_mark *ret_end,
                 struct error *err) MUSTCHECK;

#endif
