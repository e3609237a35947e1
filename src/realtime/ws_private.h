/* What the files of the WebSocket transport share; inside src/realtime only.
 *
 *   ws_session.c   the session's life: frames in, frames out, closing
 *   ws_sign_in.c   access tokens, and the coroutine that opens the session
 *   ws_ops.c       from text frames to ops and their answers
 *   ws_answers.c   answers to one read, joined
 *   ws_backlog.c   a client that is ahead of us: what was read is kept, reading pauses
 */
#ifndef PARLEY_REALTIME_WS_PRIVATE_H
#define PARLEY_REALTIME_WS_PRIVATE_H

#include "net/websocket.h"
#include "realtime/ops.h"
#include "realtime/session.h"
#include "realtime/ws_session.h"

enum {
    WS_CALLS_MAX = 256, /* ops under way in one session; above, it is not read from */
    WS_ANSWERS_BYTES = 4096,
    WS_CODE_AUTH = 4001,
    WS_CODE_SLOW = 4008,
    WS_CODE_FLOOD = 4029,
};

struct ws_backlog;

/* Answers to one read that are there before it has been looked through: they leave as one frame
 * buffer. Lies on the stack of whoever reads. */
struct ws_answers {
    struct arena arena; /* of the message that is being looked at */
    size_t len;
    char bytes[WS_ANSWERS_BYTES];
    _Alignas(16) char memory[2048]; /* the arena's first */
};

struct ws_session {
    struct realtime_session base; /* first: the hub knows only this */
    struct realtime *realtime;
    struct conn *conn; /* NULL once it is gone */
    struct ws_reader reader;
    struct ws_answers *answers; /* while a read is looked through, else NULL */
    struct ws_backlog *backlog; /* while it is not read from, else NULL */
    struct position from;
    struct in6_addr peer;
    uint16_t refs;
    uint16_t calls;
    uint32_t window_ops; /* ops in the present second */
    uint32_t window_s;
    uint32_t close_left; /* of what lay before our close frame when we last looked */
    uint8_t close_waits;
    bool has_from, authenticated, opening, closing, heard, deflate;
};

/* A frame from the client; id and data are JSON text. */
struct ws_envelope {
    struct slice id, op, data;
};

/* --- ws_session.c ----------------------------------------------------------------------------- */
extern const struct session_ops ws_plain_ops, ws_deflate_ops;
struct ws_session *ws_of(struct realtime_session *session);
void ws_unref(struct ws_session *s);
/* Leaves the hub at once, says why, and waits a little for the peer's close frame. */
void ws_close_with(struct ws_session *s, unsigned code, struct slice reason);
/* By the slow-client policy: may close the session. */
void ws_queue(struct ws_session *s, struct frame *frame, bool ephemeral);
/* Looks through what has come, as far as the session may go now; *in is then what is left. */
void ws_take(struct ws_session *s, struct slice *in);

/* --- ws_sign_in.c ----------------------------------------------------------------------------- */
void ws_sign_in_init(struct ws_session *s); /* the timer that waits for a first frame `auth` */
/* Takes the token of the handshake, or waits for the first frame when there is none. */
void ws_sign_in_first(struct ws_session *s, struct slice token);
void ws_handle_auth(struct ws_session *s, const struct op_source *source,
                    const struct ws_envelope *in, struct arena *arena);

/* --- ws_ops.c --------------------------------------------------------------------------------- */
void ws_handle_text(struct ws_session *s, struct slice text);
void ws_refuse(struct ws_session *s, const struct op_source *source, struct slice id,
               const struct error *err);

/* --- ws_answers.c ----------------------------------------------------------------------------- */
void ws_answer(struct ws_session *s, struct slice id, bool failed, struct slice json);
/* Queues what was joined: before anything else is queued, and at the end of a read. */
void ws_answers_flush(struct ws_session *s);

/* --- ws_backlog.c ----------------------------------------------------------------------------- */
enum ws_wait {
    WS_WAITS_NOT,
    WS_WAITS_FOR_CALLS,  /* as many of its ops are under way as may be */
    WS_WAITS_FOR_CLIENT, /* to read the answers it has been given */
    WS_WAITS_FOR_STACK   /* in the line for a coroutine */
};
/* What the next frame has to wait for. */
enum ws_wait ws_waits_for(const struct ws_session *s);
/* Keeps what is left of a read and pauses reading, until what it waits for has come. */
void ws_backlog_keep(struct ws_session *s, struct slice left);
/* What the session may have been waiting for has come: goes on at the end of this turn. */
void ws_backlog_poke(struct ws_session *s, enum ws_wait reason);
void ws_backlog_go_on(struct ws_session *s); /* whatever it waits for: it closes */
void ws_backlog_drop(struct ws_session *s);
/* It is we who do not read, not the client that is silent. */
bool ws_backlog_is_ours(const struct ws_session *s);

#endif
