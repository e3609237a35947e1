/* Answers to one read, joined: eight pings that came together are answered by one frame buffer, one
 * place in the queue and one write. */
#include "realtime/envelope.h"
#include "realtime/ws_private.h"

void ws_answers_flush(struct ws_session *s)
{
    struct ws_answers *a = s->answers;
    if (a == NULL || a->len == 0)
        return;
    struct frame *frame = frame_copy(slice_of(a->bytes, a->len));
    a->len = 0;
    ws_queue(s, frame, false);
    frame_unref(frame);
}

static bool join(struct ws_session *s, struct slice id, bool failed, struct slice json)
{
    struct ws_answers *a = s->answers;
    size_t len = envelope_reply_into(a->bytes + a->len, sizeof a->bytes - a->len, s->deflate, id,
                                     failed, json);
    a->len += len;
    return len > 0;
}

void ws_answer(struct ws_session *s, struct slice id, bool failed, struct slice json)
{
    if (s->conn == NULL || s->closing)
        return;
    if (s->answers != NULL) {
        if (join(s, id, failed, json))
            return;
        ws_answers_flush(s);
        if (join(s, id, failed, json))
            return;
    }
    struct frame *frame = envelope_reply(s->deflate, id, failed, json);
    ws_queue(s, frame, false);
    frame_unref(frame);
}
