#include "contract/signal.h"

const char *const signal_side_names[] = {"buy", "sell", NULL};
const char *const signal_status_names[] = {"pending", "approved", "rejected", "closed", NULL};

static const struct schema_field signal_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, id)},
    {"user_id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, user_id)},
    {"symbol", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, symbol),
     .example = "\"BTC/USD\""},
    {"side", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, side),
     .names = signal_side_names},
    {"entry_price", "Decimal, exact, in its shortest form.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct trade_signal, entry_price), .example = "\"64250.5\""},
    {"stop_loss", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct trade_signal, stop_loss)},
    {"take_profit", NULL, SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct trade_signal, take_profit)},
    {"note", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct trade_signal, note)},
    {"status", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, status),
     .names = signal_status_names},
    {"reason", "Of the last decision.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct trade_signal, reason)},
    {"decided_by", "The admin who decided last.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct trade_signal, decided_by)},
    {"decided_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct trade_signal, decided_at)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, created_at)},
    {"updated_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct trade_signal, updated_at)},
};
SCHEMA_DEF(trade_signal_schema, struct trade_signal, "TradeSignal",
           "A trade that somebody proposes, and what the admins say to it.", signal_fields);

const struct event_type signal_created_event = {
    .name = "trade_signal.created",
    .data = &trade_signal_schema,
    .doc = "Somebody has proposed a trade; it waits for a decision.",
};
const struct event_type signal_updated_event = {
    .name = "trade_signal.updated",
    .data = &trade_signal_schema,
    .doc = "The author has edited a signal.",
};
const struct event_type signal_deleted_event = {
    .name = "trade_signal.deleted",
    .data = &trade_signal_schema,
    .doc = "A signal is gone; data is what it was.",
};
const struct event_type signal_status_changed_event = {
    .name = "trade_signal.status_changed",
    .data = &trade_signal_schema,
    .doc = "A signal was decided, or waits for a decision again after an edit.",
};
const struct event_type signal_decided_event = {
    .name = "signal.decided",
    .client = true,
    .data = &trade_signal_schema,
    .doc = "An admin has decided on one's own signal.",
};
const struct event_type signal_changed_event = {
    .name = "signal.changed",
    .client = true,
    .data = &trade_signal_schema,
    .doc = "For those who watch the topic signals: a signal was approved or closed; not kept.",
};
