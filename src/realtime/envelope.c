#include "realtime/envelope.h"

#include <stdlib.h>

#include "net/websocket.h"

/* Below this a deflated frame is hardly smaller and costs more than it saves. */
enum { DEFLATE_FROM_BYTES = 1024 };

struct piece {
    const char *ptr;
    size_t len;
};

static size_t total(const struct piece *pieces, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += pieces[i].len;
    return len;
}

static char *put(char *at, const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(at, pieces[i].ptr, pieces[i].len);
        at += pieces[i].len;
    }
    return at;
}

static struct frame *deflated(const struct piece *pieces, size_t count, size_t len)
{
    char *text = xmalloc(len);
    put(text, pieces, count);
    struct buf out;
    buf_init(&out, len + 64);
    ws_frame(&out, WS_TEXT, slice_of(text, len), 15);
    struct frame *frame = buf_ok(&out) ? frame_copy(buf_view(&out)) : NULL;
    buf_done(&out);
    free(text);
    return frame;
}

static struct frame *text_frame(bool deflate, const struct piece *pieces, size_t count)
{
    size_t len = total(pieces, count);
    if (deflate && len >= DEFLATE_FROM_BYTES) {
        struct frame *frame = deflated(pieces, count, len);
        if (frame != NULL)
            return frame;
    }
    uint8_t header[WS_HEADER_MAX];
    size_t header_len = ws_header(header, WS_TEXT, false, len);
    struct frame *frame = frame_new(header_len + len);
    memcpy(frame->bytes, header, header_len);
    put(frame->bytes + header_len, pieces, count);
    return frame;
}

#define LIT(text)                                                                                  \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }

/* One event's text, in pieces. */
struct event_text {
    char pos[POSITION_TEXT_MAX];
    struct piece pieces[7];
    size_t count;
};

static void add(struct event_text *text, struct piece piece)
{
    text->pieces[text->count++] = piece;
}

/* What stands before the name, the position and the data, and at the end. */
struct wrapping {
    struct piece name, pos, data, end;
};
static const struct wrapping websocket_wrapping = {LIT("{\"event\":\""), LIT("\",\"pos\":\""),
                                                   LIT("\",\"data\":"), LIT("}")};
static const struct wrapping sse_wrapping = {LIT("event: "), LIT("\nid: "), LIT("\ndata: "),
                                             LIT("\n\n")};

static void event_text(struct event_text *ret, enum envelope envelope, const char *name,
                       const struct position *position, struct slice data)
{
    const struct wrapping *w = envelope == ENVELOPE_SSE ? &sse_wrapping : &websocket_wrapping;
    ret->count = 0;
    add(ret, w->name);
    add(ret, (struct piece){name, strlen(name)});
    if (position != NULL) {
        add(ret, w->pos);
        add(ret, (struct piece){ret->pos, position_format(*position, ret->pos)});
    }
    add(ret, w->data);
    add(ret, (struct piece){data.ptr, data.len});
    add(ret, w->end);
}

struct frame *envelope_frame(enum envelope envelope, const char *name,
                             const struct position *position, struct slice data)
{
    struct event_text text;
    event_text(&text, envelope, name, position, data);
    if (envelope != ENVELOPE_SSE)
        return text_frame(envelope == ENVELOPE_WEBSOCKET_DEFLATE, text.pieces, text.count);
    struct frame *frame = frame_new(total(text.pieces, text.count));
    put(frame->bytes, text.pieces, text.count);
    return frame;
}

/* Of an event of the log, or of one that was never in it: nothing there has position 0. */
static const struct position *position_of(const struct event *event, uint32_t epoch,
                                          struct position *ret_position)
{
    *ret_position = (struct position){epoch, event->pos};
    return event->pos != 0 ? ret_position : NULL;
}

/* The text as the transport wants it; ret_at NULL: only its length. */
static size_t put_event(char *ret_at, enum envelope envelope, const struct event *event,
                        uint32_t epoch)
{
    struct event_text text;
    struct position position;
    event_text(&text, envelope, event->type->name, position_of(event, epoch, &position),
               event->data);
    size_t len = total(text.pieces, text.count), header_len = 0;
    uint8_t header[WS_HEADER_MAX];
    if (envelope != ENVELOPE_SSE)
        header_len = ws_header(header, WS_TEXT, false, len);
    if (ret_at != NULL) {
        memcpy(ret_at, header, header_len);
        put(ret_at + header_len, text.pieces, text.count);
    }
    return header_len + len;
}

static struct frame *joined(struct frame *const *parts, unsigned count)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++)
        len += parts[i]->len;
    struct frame *frame = frame_new(len);
    char *at = frame->bytes;
    for (unsigned i = 0; i < count; i++) {
        memcpy(at, parts[i]->bytes, parts[i]->len);
        at += parts[i]->len;
    }
    return frame;
}

/* Some of them compressed, each as it would be alone. */
static struct frame *deflated_run(const struct event *events, unsigned count, uint32_t epoch)
{
    struct frame *parts[ENVELOPE_RUN_MAX];
    struct position position;
    for (unsigned i = 0; i < count; i++)
        parts[i] = envelope_frame(ENVELOPE_WEBSOCKET_DEFLATE, events[i].type->name,
                                  position_of(&events[i], epoch, &position), events[i].data);
    struct frame *frame = joined(parts, count);
    for (unsigned i = 0; i < count; i++)
        frame_unref(parts[i]);
    return frame;
}

struct frame *envelope_run(enum envelope envelope, const struct event *events, unsigned count,
                           uint32_t epoch)
{
    struct position position;
    if (count == 1) /* nearly always */
        return envelope_frame(envelope, events->type->name, position_of(events, epoch, &position),
                              events->data);
    if (envelope == ENVELOPE_WEBSOCKET_DEFLATE)
        return deflated_run(events, count, epoch);
    size_t len = 0;
    for (unsigned i = 0; i < count; i++)
        len += put_event(NULL, envelope, &events[i], epoch);
    struct frame *frame = frame_new(len);
    char *at = frame->bytes;
    for (unsigned i = 0; i < count; i++)
        at += put_event(at, envelope, &events[i], epoch);
    return frame;
}

enum { REPLY_PIECES = 5 };

static void reply_pieces(struct piece ret[REPLY_PIECES], struct slice id, bool failed,
                         struct slice json)
{
    ret[0] = (struct piece)LIT("{\"id\":");
    ret[1] = id.ptr != NULL ? (struct piece){id.ptr, id.len} : (struct piece)LIT("null");
    ret[2] = failed ? (struct piece)LIT(",\"error\":") : (struct piece)LIT(",\"data\":");
    ret[3] = (struct piece){json.ptr, json.len};
    ret[4] = (struct piece)LIT("}");
}

struct frame *envelope_reply(bool deflate, struct slice id, bool failed, struct slice json)
{
    struct piece pieces[REPLY_PIECES];
    reply_pieces(pieces, id, failed, json);
    return text_frame(deflate, pieces, REPLY_PIECES);
}

size_t envelope_reply_into(char *ret_bytes, size_t room, bool deflate, struct slice id, bool failed,
                           struct slice json)
{
    struct piece pieces[REPLY_PIECES];
    reply_pieces(pieces, id, failed, json);
    size_t len = total(pieces, REPLY_PIECES);
    if (len + WS_HEADER_MAX > room || (deflate && len >= DEFLATE_FROM_BYTES))
        return 0;
    size_t header_len = ws_header((uint8_t *)ret_bytes, WS_TEXT, false, len);
    put(ret_bytes + header_len, pieces, REPLY_PIECES);
    return header_len + len;
}

void envelope_json(struct buf *out, const char *name, struct position position, struct slice data)
{
    char pos[POSITION_TEXT_MAX];
    buf_lit(out, "{\"event\":\"");
    buf_str(out, name);
    buf_lit(out, "\",\"pos\":\"");
    buf_append(out, pos, position_format(position, pos));
    buf_lit(out, "\",\"data\":");
    buf_slice(out, data);
    buf_char(out, '}');
}

bool envelope_is_ephemeral(const struct frame *frame, void *unused)
{
    (void)unused;
    static const char *const starts[] = {"{\"event\":\"typing\",\"data\"",
                                         "{\"event\":\"presence.changed\",\"data\"",
                                         "event: typing\ndata", "event: presence.changed\ndata"};
    struct slice bytes = slice_of(frame->bytes, frame->len);
    size_t skip = bytes.len >= 2 && (uint8_t)bytes.ptr[0] == (0x80 | WS_TEXT)
                      ? ((uint8_t)bytes.ptr[1] == 126 ? 4u : 2u)
                      : 0u;
    if (bytes.len < skip)
        return false;
    struct slice text = slice_of(bytes.ptr + skip, bytes.len - skip);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (slice_starts(text, slice_str(starts[i])))
            return true;
    return false;
}
