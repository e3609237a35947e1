/* The signal room's resource as clients see it, and the events it emits (X01 to X03). */
#ifndef PARLEY_CONTRACT_SIGNAL_H
#define PARLEY_CONTRACT_SIGNAL_H

#include "base/schema.h"
#include "engine/event_log.h"

enum signal_side { SIGNAL_BUY, SIGNAL_SELL };
enum signal_status { SIGNAL_PENDING, SIGNAL_APPROVED, SIGNAL_REJECTED, SIGNAL_CLOSED };
extern const char *const signal_side_names[];   /* "buy" "sell" NULL */
extern const char *const signal_status_names[]; /* "pending" "approved" "rejected" "closed" NULL */

/* Prices are decimal text in its shortest form (base/decimal.h). */
struct trade_signal {
    struct id id, user_id;
    struct slice symbol;
    int side;                                         /* enum signal_side */
    struct slice entry_price, stop_loss, take_profit; /* the last two may be absent */
    struct slice note;                                /* may be absent */
    int status;                                       /* enum signal_status */
    /* Of the last decision; nil and 0 while nobody has decided. */
    struct slice reason;
    struct id decided_by;
    int64_t decided_at;
    int64_t created_at, updated_at;
};
extern const struct schema trade_signal_schema;

/* The topic (kit/topic.h) of everybody who looks at the public board. */
#define SIGNAL_TOPIC "signals"

/* Inside only, for notification, analytics, invalidation and audit (X03). Stream: the author. */
extern const struct event_type signal_created_event; /* "trade_signal.created" */
extern const struct event_type signal_updated_event; /* "trade_signal.updated" */
extern const struct event_type signal_deleted_event; /* "trade_signal.deleted" */
/* Also when an edit of the author makes a rejected one pending again. */
extern const struct event_type signal_status_changed_event; /* "trade_signal.status_changed" */
/* For clients. The author's stream, durable: an admin has decided. */
extern const struct event_type signal_decided_event; /* "signal.decided" */
/* Ephemeral, on topic_stream(SIGNAL_TOPIC, NULL): it came to the board, or was closed. */
extern const struct event_type signal_changed_event; /* "signal.changed" */

#endif
