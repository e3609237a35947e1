/* The rules of one signal: check, load, decide, write in one transaction, emit, return. */
#include "service/signal/signal.h"

#include "base/metric.h"
#include "service/signal/signal_store.h"

int signal_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "signal_not_found", "There is no such signal.");
}

static bool is_public(const struct trade_signal *signal)
{
    return signal->status == SIGNAL_APPROVED || signal->status == SIGNAL_CLOSED;
}

/* 0, or 404. From memory, so without whether its author is switched off, which signal_get asks. */
static int check_may_see(const struct signal_call *call, const struct trade_signal *signal)
{
    const struct social_calls *social = call->room->social;
    const struct principal *who = call->principal;
    if (id_eq(&who->user, &signal->user_id) || (who->scopes & SCOPE_ADMIN) != 0)
        return 0;
    if (is_public(signal) && !social->blocked(social->room, &who->user, &signal->user_id))
        return 0;
    return signal_not_found(call->err);
}

int signal_absent(struct signal_room *room, const struct id *authors, size_t count,
                  bool *ret_absent, struct error *err)
{
    static const struct id nobody;
    const struct social_calls *social = room->social;
    struct social_relation relations[PAGE_LIMIT_MAX];
    int rc = social->relations(social->room, &nobody, authors, count, relations, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        ret_absent[i] = relations[i].absent;
    return rc;
}

int signal_get(struct signal_call *call, const struct id *signal, struct trade_signal *ret_signal)
{
    const struct principal *who = call->principal;
    bool absent = false;
    int rc = signal_cached(call, signal, ret_signal);
    if (rc == 0)
        rc = check_may_see(call, ret_signal);
    if (rc < 0 || id_eq(&who->user, &ret_signal->user_id) || (who->scopes & SCOPE_ADMIN) != 0)
        return rc;
    rc = signal_absent(call->room, &ret_signal->user_id, 1, &absent, call->err);
    return rc == 0 && absent ? signal_not_found(call->err) : rc;
}

/* --- changing ----------------------------------------------------------------------------------
 */

struct change {
    struct signal_call *call;
    const struct id *id;
    const struct signal_patch *patch;
    int64_t expected_updated_at;
    struct trade_signal signal;
};

/* Inside the transaction; signal_get came before it and has asked what takes waiting. */
static int load(struct db_tx *tx, struct change *c, struct error *err)
{
    bool found;
    int rc = signal_store_get(tx, c->id, c->call->arena, &c->signal, &found, err);
    if (rc == 0)
        rc = found ? check_may_see(c->call, &c->signal) : signal_not_found(err);
    if (rc == 0 && c->expected_updated_at != 0 && c->expected_updated_at != c->signal.updated_at)
        rc = error_set(err, FAIL_STALE, "stale",
                       "The signal has changed since it was read; read it again.");
    return rc;
}

/* Grows with each change, also within a millisecond: it is what a stale one is told by. */
static void touch(struct change *c)
{
    int64_t now = clock_wall_ms(c->call->room->kit->clock);
    c->signal.updated_at = now > c->signal.updated_at ? now : c->signal.updated_at + 1;
}

static int emit(struct change *c, struct db_tx *tx, const struct event_type *type,
                struct error *err)
{
    return signal_emit(c->call->room, tx, type, &c->signal, c->call->correlation_id, err);
}

static int forget(struct change *c, struct db_tx *tx, struct error *err)
{
    return signal_forget(c->call->room, tx, &c->signal.id, &c->signal.user_id, err);
}

/* --- making ------------------------------------------------------------------------------------
 */

static int create_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    int rc = signal_store_insert(tx, &c->signal, err);
    if (rc == 0)
        rc = signal_store_add_step(tx, &c->signal, &c->signal.user_id, err);
    if (rc == 0)
        rc = emit(c, tx, &signal_created_event, err);
    return rc == 0 ? forget(c, tx, err) : rc;
}

static void set_terms(struct trade_signal *signal, const struct signal_terms *terms)
{
    signal->symbol = terms->symbol;
    signal->side = terms->side;
    signal->entry_price = terms->entry_price;
    signal->stop_loss = terms->stop_loss;
    signal->take_profit = terms->take_profit;
    signal->note = terms->note;
}

static int take(struct signal_call *call)
{
    const struct limit_rule *rule = &call->room->create_limit;
    const struct id *user = &call->principal->user;
    if (rule->count == 0)
        return 0;
    return limit_take(call->room->kit->kv, rule,
                      slice_of((const char *)user->bytes, sizeof user->bytes), call->headers,
                      call->err);
}

int signal_create(struct signal_call *call, const struct signal_terms *given,
                  struct trade_signal *ret_signal)
{
    struct signal_room *room = call->room;
    int64_t now = clock_wall_ms(room->kit->clock);
    struct change c = {.call = call,
                       .signal = {.id = id_new(room->kit->clock),
                                  .user_id = call->principal->user,
                                  .status = SIGNAL_PENDING,
                                  .created_at = now,
                                  .updated_at = now}};
    struct signal_terms terms;
    int rc = signal_check(given, call->arena, &terms, call->err);
    if (rc == 0)
        rc = take(call);
    if (rc < 0)
        return rc;
    set_terms(&c.signal, &terms);
    rc = db_write(room->db, create_tx, &c, call->err);
    if (rc < 0)
        return rc;
    metric_add(room->created, 1);
    signal_tell(room, &c.signal, false);
    *ret_signal = c.signal;
    return 0;
}

/* --- the author ---------------------------------------------------------------------------------
 */

/* What others may already rely on stays as it is. */
static int may_edit(const struct change *c, struct error *err)
{
    if (!id_eq(&c->signal.user_id, &c->call->principal->user))
        return error_set(err, FAIL_FORBIDDEN, "not_author",
                         "Only the author of the signal may do this.");
    if (is_public(&c->signal))
        return error_set(err, FAIL_CONFLICT, "signal_decided",
                         "The signal is %s: it can be neither edited nor deleted.",
                         signal_status_names[c->signal.status]);
    return 0;
}

static void merge(const struct signal_patch *patch, struct signal_terms *terms)
{
    if (schema_has(patch->present, SIGNAL_PATCH_SYMBOL))
        terms->symbol = patch->terms.symbol;
    if (schema_has(patch->present, SIGNAL_PATCH_SIDE))
        terms->side = patch->terms.side;
    if (schema_has(patch->present, SIGNAL_PATCH_ENTRY_PRICE))
        terms->entry_price = patch->terms.entry_price;
    if (schema_has(patch->present, SIGNAL_PATCH_STOP_LOSS))
        terms->stop_loss = patch->terms.stop_loss;
    if (schema_has(patch->present, SIGNAL_PATCH_TAKE_PROFIT))
        terms->take_profit = patch->terms.take_profit;
    if (schema_has(patch->present, SIGNAL_PATCH_NOTE))
        terms->note = patch->terms.note;
}

static int apply_patch(struct change *c, struct error *err)
{
    struct trade_signal *s = &c->signal;
    struct signal_terms terms = {.symbol = s->symbol,
                                 .side = s->side,
                                 .entry_price = s->entry_price,
                                 .stop_loss = s->stop_loss,
                                 .take_profit = s->take_profit,
                                 .note = s->note};
    merge(c->patch, &terms);
    int rc = signal_check(&terms, c->call->arena, &terms, err);
    if (rc == 0)
        set_terms(s, &terms);
    return rc;
}

/* A rejected one that was edited waits for a decision again. */
static bool reopen(struct trade_signal *signal)
{
    if (signal->status != SIGNAL_REJECTED)
        return false;
    signal->status = SIGNAL_PENDING;
    signal->reason = (struct slice){0};
    signal->decided_by = (struct id){{0}};
    signal->decided_at = 0;
    return true;
}

static int record_reopening(struct change *c, struct db_tx *tx, struct error *err)
{
    int rc = signal_store_add_step(tx, &c->signal, &c->signal.user_id, err);
    return rc == 0 ? emit(c, tx, &signal_status_changed_event, err) : rc;
}

static int update_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    int rc = load(tx, c, err);
    if (rc == 0)
        rc = may_edit(c, err);
    if (rc < 0 || c->patch->present == 0)
        return rc;
    rc = apply_patch(c, err);
    touch(c);
    bool reopened = reopen(&c->signal);
    if (rc == 0)
        rc = signal_store_update(tx, &c->signal, err);
    if (rc == 0)
        rc = emit(c, tx, &signal_updated_event, err);
    if (rc == 0 && reopened)
        rc = record_reopening(c, tx, err);
    return rc == 0 ? forget(c, tx, err) : rc;
}

int signal_update(struct signal_call *call, const struct id *signal,
                  const struct signal_patch *patch, int64_t expected_updated_at,
                  struct trade_signal *ret_signal)
{
    struct change c = {
        .call = call, .id = signal, .patch = patch, .expected_updated_at = expected_updated_at};
    int rc = signal_get(call, signal, &c.signal);
    if (rc == 0)
        rc = db_write(call->room->db, update_tx, &c, call->err);
    if (rc < 0)
        return rc;
    if (patch->present != 0)
        signal_tell(call->room, &c.signal, false);
    *ret_signal = c.signal;
    return 0;
}

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    int rc = load(tx, c, err);
    if (rc == 0)
        rc = may_edit(c, err);
    if (rc == 0)
        rc = signal_store_delete(tx, c->id, err);
    if (rc == 0)
        rc = emit(c, tx, &signal_deleted_event, err);
    return rc == 0 ? forget(c, tx, err) : rc;
}

int signal_delete(struct signal_call *call, const struct id *signal, int64_t expected_updated_at)
{
    struct change c = {.call = call, .id = signal, .expected_updated_at = expected_updated_at};
    int rc = signal_get(call, signal, &c.signal);
    if (rc == 0)
        rc = db_write(call->room->db, delete_tx, &c, call->err);
    if (rc == 0)
        signal_tell(call->room, &c.signal, false);
    return rc;
}
