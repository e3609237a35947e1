/* The room's place in the log: what happens goes out, who goes is forgotten. */
#include "contract/admin.h"
#include "contract/auth.h"
#include "kit/emit.h"
#include "service/signal/signal_store.h"

enum { CHUNK = 100, EVENT_BYTES_MAX = 65536 };

int signal_emit(struct signal_room *room, struct db_tx *tx, const struct event_type *type,
                const struct trade_signal *signal, struct slice correlation_id, struct error *err)
{
    struct emit event = {
        .type = type, .stream = &signal->user_id, .data = signal, .correlation_id = correlation_id};
    return kit_emit(room->kit, tx, &event, NULL, err);
}

/* What cannot be asked is told nobody: the board is read again anyway. */
static bool is_shown(struct signal_room *room, const struct trade_signal *signal)
{
    struct error ignored;
    bool absent = true;
    error_init(&ignored);
    return (signal->status == SIGNAL_APPROVED || signal->status == SIGNAL_CLOSED) &&
           signal_absent(room, &signal->user_id, 1, &absent, &ignored) == 0 && !absent;
}

void signal_tell(struct signal_room *room, const struct trade_signal *signal, bool decided)
{
    struct id admins = topic_stream(ADMIN_TOPIC, NULL), board = topic_stream(SIGNAL_TOPIC, NULL);
    struct admin_changed changed = {.what = ADMIN_SIGNALS};
    kit_emit_ephemeral(room->kit, &admin_changed_event, &admins, &changed);
    if (decided && is_shown(room, signal))
        kit_emit_ephemeral_by(room->kit, &signal->user_id, &signal_changed_event, &board, signal);
}

/* --- user.deleted ------------------------------------------------------------------------------
 */

struct leaving {
    struct signal_room *room;
    struct db_tx *tx;
    struct id user;
    struct arena *arena;
    struct trade_signal *signals;
};

static int erase_own(struct leaving *l, struct error *err)
{
    struct signal_span span = {
        .list = SIGNAL_LIST_OWN, .user = l->user, .before = {.number = INT64_MAX}, .max = CHUNK};
    size_t count = 0;
    int rc;
    do { /* each chunk is the first one of what is left */
        rc = signal_store_list(l->tx, &span, l->arena, l->signals, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++) {
            const struct trade_signal *signal = &l->signals[i];
            rc = signal_store_delete(l->tx, &signal->id, err);
            if (rc == 0)
                rc = signal_emit(l->room, l->tx, &signal_deleted_event, signal, (struct slice){0},
                                 err);
            if (rc == 0)
                rc = signal_forget(l->room, l->tx, &signal->id, &l->user, err);
        }
    } while (rc == 0 && count == CHUNK);
    return rc;
}

static int leave_decisions(struct leaving *l, struct error *err)
{
    struct id after = {{0}};
    size_t count = 0;
    int rc;
    do {
        rc = signal_store_decided_by(l->tx, &l->user, &after, CHUNK, l->arena, l->signals, &count,
                                     err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = signal_forget(l->room, l->tx, &l->signals[i].id, &l->signals[i].user_id, err);
        if (count > 0)
            after = l->signals[count - 1].id;
    } while (rc == 0 && count == CHUNK);
    return rc == 0 ? signal_store_anonymise(l->tx, &l->user, err) : rc;
}

/* signal.erase: their signals are gone; what they decided stays, by nobody in particular. */
int signal_forget_person(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct auth_user_deleted deleted;
    struct arena arena;
    arena_init(&arena, 256 << 20);
    struct leaving l = {.room = room, .tx = tx, .arena = &arena};
    int rc = schema_decode(&auth_user_deleted_schema, event->data, &arena, &deleted, err);
    l.user = deleted.user_id;
    l.signals = arena_array(&arena, CHUNK, sizeof *l.signals);
    if (rc == 0 && l.signals == NULL)
        rc = error_set(err, FAIL_TOO_LARGE, "too_large", "Out of memory.");
    if (rc == 0)
        rc = erase_own(&l, err);
    if (rc == 0)
        rc = leave_decisions(&l, err);
    arena_done(&arena);
    return rc;
}

/* --- export ------------------------------------------------------------------------------------
 */

static int export_one(const struct trade_signal *signal, export_fn *fn, void *arg,
                      struct error *err)
{
    struct buf json;
    buf_init(&json, EVENT_BYTES_MAX);
    schema_encode(&trade_signal_schema, signal, &json);
    int rc = buf_ok(&json) ? fn(arg, "trade_signal", buf_view(&json), err)
                           : error_set(err, FAIL_TOO_LARGE, "too_large", "A signal is too large.");
    buf_done(&json);
    return rc;
}

int signal_export(void *room, struct db_tx *tx, const struct id *user, export_fn *fn, void *arg,
                  struct error *err)
{
    struct signal_span span = {
        .list = SIGNAL_LIST_OWN, .user = *user, .before = {.number = INT64_MAX}, .max = CHUNK};
    size_t count = 0;
    int rc;
    (void)room;
    do {
        struct arena arena;
        arena_init(&arena, 4 << 20);
        struct trade_signal *signals = arena_array(&arena, CHUNK, sizeof *signals);
        panic_if(signals == NULL, "an empty arena is full");
        rc = signal_store_list(tx, &span, &arena, signals, &count, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = export_one(&signals[i], fn, arg, err);
        if (count > 0)
            span.before = signal_key(SIGNAL_LIST_OWN, &signals[count - 1]);
        arena_done(&arena);
    } while (rc == 0 && count == CHUNK);
    return rc;
}
