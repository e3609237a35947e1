/* An event from its struct: encoded by the schema of its type and queued in the transaction. */
#ifndef PARLEY_KIT_EMIT_H
#define PARLEY_KIT_EMIT_H

#include "kit/kit.h"

#define EMIT_BYTES_MAX (256 << 10)

struct emit {
    const struct event_type *type;
    const struct id *stream;
    const void *data; /* the struct that type->data describes */
    const struct event_link *links;
    unsigned link_count;
    struct slice correlation_id; /* may be absent */
};
/* Inside db_write on the room's database: the event is there when the transaction is. Where that is
 * not the log's, it is written to the outbox and comes to the log a moment after the commit, in the
 * order of the commits (kit/outbox.h). *ret_pos (may be NULL) is the position if the transaction
 * commits; through an outbox, the least that it can be. FAIL_TOO_LARGE "event_too_large" above
 * EMIT_BYTES_MAX. */
int kit_emit(struct kit *kit, struct db_tx *tx, const struct emit *event, uint64_t *ret_pos,
             struct error *err) MUSTCHECK;
/* To those who follow or watch the stream now; not kept, no position; to nobody where realtime does
 * not run. Any loop thread, after the commit: never inside db_write. */
void kit_emit_ephemeral(struct kit *kit, const struct event_type *type, const struct id *stream,
                        const void *data);
/* The same, of what somebody does at a thing of somebody else's: not to those between whom and that
 * person a block stands. */
void kit_emit_ephemeral_by(struct kit *kit, const struct id *by, const struct event_type *type,
                           const struct id *stream, const void *data);
/* The same, but for the sessions of one person: that they do something they know. */
void kit_emit_ephemeral_except(struct kit *kit, const struct id *except,
                               const struct event_type *type, const struct id *stream,
                               const void *data);

/* After the group commit that holds tx, on the writer's thread: run(room, &subject). Must not wait.
 * Nothing happens when the transaction is undone. */
int kit_after_commit(struct db_tx *tx, void (*run)(void *room, const struct id *subject),
                     void *room, const struct id *subject, struct error *err) MUSTCHECK;

/* After the commit: who follows or watches the stream (a person's own: all of their sessions) is
 * asked again whether they may watch what they watch. */
int kit_recheck_watches(struct kit *kit, struct db_tx *tx, const struct id *stream,
                        struct error *err) MUSTCHECK;

#endif
