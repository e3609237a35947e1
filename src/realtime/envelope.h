/* Events as each transport writes them (API.md, "Realtime"). */
#ifndef PARLEY_REALTIME_ENVELOPE_H
#define PARLEY_REALTIME_ENVELOPE_H

#include "io/conn.h"
#include "realtime/hub.h"

/* position NULL: ephemeral, no pos. The caller owns the reference. */
struct frame *envelope_frame(enum envelope envelope, const char *name,
                             const struct position *position, struct slice data);
/* Neighbouring events of a stream, at most ENVELOPE_RUN_MAX, as one piece of bytes; one with pos 0
 * is ephemeral. */
enum { ENVELOPE_RUN_MAX = 64 };
struct frame *envelope_run(enum envelope envelope, const struct event *events, unsigned count,
                           uint32_t epoch);
/* {"id": <id>, "data": <json>} or {"id": <id>, "error": <json>}; id is JSON text or absent. */
struct frame *envelope_reply(bool deflate, struct slice id, bool failed, struct slice json);
/* The same frame into `room` bytes; its length, or 0 when it does not fit or is to be compressed.
 */
size_t envelope_reply_into(char *ret_bytes, size_t room, bool deflate, struct slice id, bool failed,
                           struct slice json);
/* The JSON text of an event, for long polling. */
void envelope_json(struct buf *out, const char *name, struct position position, struct slice data);
/* Whether a queued frame is an ephemeral event: what a slow client loses first. */
bool envelope_is_ephemeral(const struct frame *frame, void *unused);

#endif
