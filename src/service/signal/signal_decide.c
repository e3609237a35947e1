/* Decisions: who may come from where to where, and what is written down about it. */
#include "base/metric.h"
#include "kit/audit.h"
#include "service/signal/signal_store.h"

struct decide {
    struct signal_call *call;
    const struct id *id;
    const struct signal_decision *decision;
    int64_t expected_updated_at;
    struct trade_signal signal;
};

/* What an admin may make of a signal; bits by enum signal_status. An edit by the author is the only
 * way back to pending. */
static const unsigned ways[] = {
    [SIGNAL_PENDING] = 1u << SIGNAL_APPROVED | 1u << SIGNAL_REJECTED,
    [SIGNAL_APPROVED] = 1u << SIGNAL_CLOSED,
    [SIGNAL_REJECTED] = 0,
    [SIGNAL_CLOSED] = 0,
};
static const char *const ways_text[] = {
    [SIGNAL_PENDING] = "A pending signal can be approved or rejected",
    [SIGNAL_APPROVED] = "An approved signal can only be closed",
    [SIGNAL_REJECTED] = "A rejected signal waits for its author to edit it",
    [SIGNAL_CLOSED] = "A closed signal stays closed",
};
static const char *const audit_actions[] = {
    [SIGNAL_APPROVED] = "trade_signal.approved",
    [SIGNAL_REJECTED] = "trade_signal.rejected",
    [SIGNAL_CLOSED] = "trade_signal.closed",
};

static int check_decision(const struct signal_decision *decision, struct error *err)
{
    if (decision->status == SIGNAL_REJECTED && decision->reason.ptr == NULL)
        return error_field(err, "reason", "required", "A rejection says why.");
    return 0;
}

static int check_way(const struct decide *d, struct error *err)
{
    int from = d->signal.status, to = d->decision->status;
    if ((ways[from] >> to & 1) != 0)
        return 0;
    return error_set(err, FAIL_CONFLICT, "invalid_transition", "%s; it cannot become %s.",
                     ways_text[from], signal_status_names[to]);
}

/* {"from": ..., "to": ..., "reason": ...} */
struct audit_detail {
    int from, to;
    struct slice reason;
};
static const struct schema_field detail_fields[] = {
    {"from", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct audit_detail, from),
     .names = signal_status_names},
    {"to", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct audit_detail, to),
     .names = signal_status_names},
    {"reason", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct audit_detail, reason)},
};
static SCHEMA_DEF(detail_schema, struct audit_detail, "SignalDecisionDetail", NULL, detail_fields);

static int write_audit(const struct decide *d, struct db_tx *tx, int from, struct error *err)
{
    struct audit_detail detail = {from, d->signal.status, d->signal.reason};
    struct buf json;
    buf_init(&json, AUDIT_DETAIL_BYTES_MAX);
    schema_encode(&detail_schema, &detail, &json);
    struct audit_entry entry = {.action = audit_actions[d->signal.status],
                                .actor = &d->call->principal->user,
                                .subject_kind = "trade_signal",
                                .subject = &d->signal.id,
                                .detail = buf_view(&json),
                                .correlation_id = d->call->correlation_id};
    int rc = audit_write(d->call->room->kit, tx, &entry, err);
    buf_done(&json);
    return rc;
}

static int load(struct db_tx *tx, struct decide *d, struct error *err)
{
    bool found;
    int rc = signal_store_get(tx, d->id, d->call->arena, &d->signal, &found, err);
    if (rc == 0 && !found)
        rc = signal_not_found(err);
    if (rc == 0 && d->expected_updated_at != 0 && d->expected_updated_at != d->signal.updated_at)
        rc = error_set(err, FAIL_STALE, "stale",
                       "The signal has changed since it was read; read it again.");
    return rc;
}

static void apply(struct decide *d)
{
    struct trade_signal *s = &d->signal;
    int64_t now = clock_wall_ms(d->call->room->kit->clock);
    s->status = d->decision->status;
    s->reason = d->decision->reason;
    s->decided_by = d->call->principal->user;
    s->updated_at = now > s->updated_at ? now : s->updated_at + 1;
    s->decided_at = s->updated_at;
}

static int record(struct decide *d, struct db_tx *tx, int from, struct error *err)
{
    struct signal_room *room = d->call->room;
    int rc = signal_store_update(tx, &d->signal, err);
    if (rc == 0)
        rc = signal_store_add_step(tx, &d->signal, &d->signal.decided_by, err);
    if (rc == 0)
        rc = write_audit(d, tx, from, err);
    if (rc == 0)
        rc = signal_emit(room, tx, &signal_status_changed_event, &d->signal,
                         d->call->correlation_id, err);
    if (rc == 0)
        rc = signal_emit(room, tx, &signal_decided_event, &d->signal, d->call->correlation_id, err);
    return rc == 0 ? signal_forget(room, tx, &d->signal.id, &d->signal.user_id, err) : rc;
}

static int decide_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct decide *d = arg;
    int rc = load(tx, d, err);
    if (rc == 0)
        rc = check_way(d, err);
    if (rc < 0)
        return rc;
    int from = d->signal.status;
    apply(d);
    return record(d, tx, from, err);
}

int signal_decide(struct signal_call *call, const struct id *signal,
                  const struct signal_decision *decision, int64_t expected_updated_at,
                  struct trade_signal *ret_signal)
{
    struct decide d = {.call = call,
                       .id = signal,
                       .decision = decision,
                       .expected_updated_at = expected_updated_at};
    int rc = check_decision(decision, call->err);
    if (rc == 0)
        rc = db_write(call->room->db, decide_tx, &d, call->err);
    if (rc < 0)
        return rc;
    metric_add(call->room->decided[d.signal.status], 1);
    signal_tell(call->room, &d.signal, true);
    *ret_signal = d.signal;
    return 0;
}
