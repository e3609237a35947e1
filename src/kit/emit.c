#include "kit/emit.h"

#include <stdlib.h>

#include "base/schema.h"
#include "kit/outbox.h"

int kit_emit(struct kit *kit, struct db_tx *tx, const struct emit *event, uint64_t *ret_pos,
             struct error *err)
{
    struct buf json;
    buf_init(&json, EMIT_BYTES_MAX);
    schema_encode(event->type->data, event->data, &json);
    struct event_draft draft = {.type = event->type,
                                .stream = *event->stream,
                                .data = buf_view(&json),
                                .links = event->links,
                                .link_count = event->link_count,
                                .correlation_id = event->correlation_id};
    int rc;
    if (!buf_ok(&json))
        rc = error_set(err, FAIL_TOO_LARGE, "event_too_large", "The event %s does not fit.",
                       event->type->name);
    else if (outbox_is_at(kit, tx))
        rc = outbox_put_event(kit, tx, &draft, ret_pos, err);
    else
        rc = event_emit(kit->log, tx, &draft, ret_pos, err);
    buf_done(&json);
    return rc;
}

static void emit_to(struct kit *kit, const struct audience *audience, const struct event_type *type,
                    const struct id *stream, const void *data)
{
    struct buf json;
    if (kit->ephemeral == NULL)
        return;
    buf_init(&json, EMIT_BYTES_MAX);
    schema_encode(type->data, data, &json);
    if (!should_not(!buf_ok(&json)))
        kit->ephemeral(kit, type, stream, buf_view(&json), audience);
    buf_done(&json);
}

void kit_emit_ephemeral(struct kit *kit, const struct event_type *type, const struct id *stream,
                        const void *data)
{
    emit_to(kit, NULL, type, stream, data);
}

void kit_emit_ephemeral_by(struct kit *kit, const struct id *by, const struct event_type *type,
                           const struct id *stream, const void *data)
{
    emit_to(kit, &(struct audience){.by = by}, type, stream, data);
}

void kit_emit_ephemeral_except(struct kit *kit, const struct id *except,
                               const struct event_type *type, const struct id *stream,
                               const void *data)
{
    emit_to(kit, &(struct audience){.except = except}, type, stream, data);
}

/* A hook lives until its transaction ends, which may be after the function that set it. */
struct ending {
    struct db_hook hook;
    void (*run)(void *room, const struct id *subject);
    void *room;
    struct id subject;
};

static void on_end(struct db_hook *hook, bool committed)
{
    struct ending *e = CONTAINER_OF(hook, struct ending, hook);
    if (committed)
        e->run(e->room, &e->subject);
    free(e);
}

int kit_after_commit(struct db_tx *tx, void (*run)(void *room, const struct id *subject),
                     void *room, const struct id *subject, struct error *err)
{
    struct ending *e = malloc(sizeof *e);
    if (e == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "Out of memory.");
    *e = (struct ending){.hook.run = on_end, .run = run, .room = room, .subject = *subject};
    db_on_end(tx, &e->hook);
    return 0;
}

static void recheck(void *arg, const struct id *stream)
{
    struct kit *kit = arg;
    if (kit->recheck_watches != NULL)
        kit->recheck_watches(kit, stream);
}

int kit_recheck_watches(struct kit *kit, struct db_tx *tx, const struct id *stream,
                        struct error *err)
{
    return kit_after_commit(tx, recheck, kit, stream, err);
}
