/* Answers: whole ones as one frame, streamed ones as a frame for each piece, and the hand-over to
 * another protocol. */
#include <stdio.h>

#include "net/http_server_private.h"

enum { STREAM_QUEUE_MAX = 256 << 10, PIECE_BYTES = 64 << 10 };

static struct http_work *work_of(struct http_exchange *x)
{
    return CONTAINER_OF(x, struct http_work, x);
}

/* --- heads of answers ------------------------------------------------------------------------- */

/* The Date line, made once a second (RFC 9110 section 6.6.1). */
static struct slice date_line(struct http_server *server)
{
    int64_t wall_ms = loop_wall_ms(server->loop);
    if (wall_ms / 1000 != server->date_second) {
        char *line = server->date_line;
        server->date_second = wall_ms / 1000;
        memcpy(line, "Date: ", 6);
        time_http_date(wall_ms, line + 6);
        memcpy(line + 6 + HTTP_DATE_LEN, "\r\n", 3);
    }
    return slice_of(server->date_line, 6 + HTTP_DATE_LEN + 2);
}

static char *put(char *at, struct slice s)
{
    if (s.len != 0)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static char *put_u64(char *at, uint64_t value)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return put(at, slice_of(digits + n, sizeof digits - n));
}

static struct slice connection_line(const struct http_work *work)
{
    if (work->close)
        return SLICE("Connection: close\r\n");
    return work->x.head.minor == 0 ? SLICE("Connection: keep-alive\r\n") : SLICE("");
}

enum framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_NONE };

/* Status line, Date, framing and Connection come to less than this beside the reason phrase. */
enum { HEAD_ROOM = 256 };

static char *put_start(char *at, struct http_work *work, int status, enum framing framing,
                       uint64_t body_len)
{
    at = put(at, SLICE("HTTP/1.1 "));
    at = put_u64(at, (uint64_t)status);
    *at++ = ' ';
    at = put(at, slice_str(error_http_title(status)));
    at = put(at, SLICE("\r\n"));
    at = put(at, date_line(work->x.conn->server));
    if (framing == FRAMING_LENGTH) {
        at = put(at, SLICE("Content-Length: "));
        at = put_u64(at, body_len);
        at = put(at, SLICE("\r\n"));
    } else if (framing == FRAMING_CHUNKED) {
        at = put(at, SLICE("Transfer-Encoding: chunked\r\n"));
    }
    return put(at, connection_line(work));
}

static char *put_headers(char *at, struct slice headers)
{
    return put(put(at, headers), SLICE("\r\n"));
}

/* RFC 9110 section 15: these have no content, and 204 no Content-Length either (section 8.6). */
static bool without_body(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* Marks the exchange answered. False when it was already, which is a fault of the one who answers.
 */
static bool begin_answer(struct http_work *work, int status)
{
    struct http_exchange *x = &work->x;
    panic_if(status < 200 || status > 599, "an answer with status %d", status);
    if (should_not(x->answered))
        return false;
    x->answered = true;
    x->status = status;
    bool unread = !work->body_over && (x->head.chunked || work->body_left != 0);
    if (!x->head.keep_alive || x->conn->server->draining || unread)
        work->close = true;
    return true;
}

static void send_frame(struct http_work *work, struct frame *frame, const char *end)
{
    frame->len = (uint32_t)(end - frame->bytes);
    work->x.sent_bytes += frame->len;
    conn_send(work->x.conn->conn, frame);
    frame_unref(frame);
}

/* --- whole answers ---------------------------------------------------------------------------- */

static void reply_now(struct http_work *work, int status, struct slice headers, struct slice body)
{
    if (!begin_answer(work, status) || !http_open(work->x.conn))
        return;
    bool none = without_body(status);
    size_t body_len = none || work->x.head_only ? 0 : body.len;
    struct frame *frame = frame_new(HEAD_ROOM + headers.len + body_len);
    char *at =
        put_start(frame->bytes, work, status, none ? FRAMING_NONE : FRAMING_LENGTH, body.len);
    at = put_headers(at, headers);
    send_frame(work, frame, put(at, slice_of(body.ptr, body_len)));
}

void http_reply(struct http_exchange *x, int status, struct slice headers, struct slice body)
{
    struct http_work *work = work_of(x);
    size_t max = x->conn->server->config.answer_bytes_max;
    if (body.len <= max && headers.len <= max) {
        reply_now(work, status, headers, body);
        return;
    }
    error_init(&x->error);
    (void)error_set(&x->error, FAIL_INTERNAL, "answer_too_large",
                    "The answer is larger than %zu bytes.", max);
    http_refuse(work);
}

void http_refuse(struct http_work *work)
{
    struct http_exchange *x = &work->x;
    if (x->answered)
        return;
    if (!work->refusing) { /* an answer of refuse that is too large comes here again */
        work->refusing = true;
        x->conn->server->config.ops->refuse(x);
        work->refusing = false;
    }
    if (!x->answered)
        reply_now(work, error_http_status(x->error.kind), SLICE(""), SLICE(""));
}

/* --- streamed answers ------------------------------------------------------------------------- */

static int wait_for_room(struct http_work *work)
{
    struct http_conn *hc = work->x.conn;
    while (http_open(hc) && hc->conn->queued_bytes > STREAM_QUEUE_MAX) {
        work->waiting = true;
        conn_want_drain(hc->conn);
        int rc = coro_park(CORO_FOREVER); /* the connection's deadline ends it */
        work->waiting = false;
        if (rc == FAIL_CANCELLED)
            return rc;
    }
    if (!http_open(hc))
        return FAIL_CLOSED;
    http_deadline(hc, hc->server->config.request_timeout_ms);
    return 0;
}

static void stream_head(struct http_work *work, int status, enum framing framing, uint64_t body_len,
                        struct slice headers)
{
    struct http_exchange *x = &work->x;
    x->streaming = true;
    if (!http_open(x->conn))
        return;
    struct frame *frame = frame_new(HEAD_ROOM + x->lines.len + headers.len);
    char *at = put_start(frame->bytes, work, status, framing, body_len);
    send_frame(work, frame, put_headers(put(at, x->lines), headers));
}

void http_reply_static(struct http_exchange *x, int status, struct slice headers, struct slice body)
{
    struct http_work *work = work_of(x);
    if (body.len <= STREAM_QUEUE_MAX || x->head_only || without_body(status) ||
        coro_current() == NULL) {
        reply_now(work, status, headers, body);
        return;
    }
    if (!begin_answer(work, status))
        return;
    stream_head(work, status, FRAMING_LENGTH, body.len, headers);
    while (body.len > 0 && wait_for_room(work) == 0) {
        size_t len = body.len < PIECE_BYTES ? body.len : PIECE_BYTES;
        conn_send_bytes(x->conn->conn, slice_of(body.ptr, len));
        x->sent_bytes += len;
        body = slice_of(body.ptr + len, body.len - len);
    }
    work->ended = body.len == 0;
}

void http_stream_start(struct http_exchange *x, int status, struct slice headers)
{
    struct http_work *work = work_of(x);
    bool chunked = x->head.minor >= 1 && !without_body(status);
    if (x->head.minor == 0)
        work->close = true; /* its end is the end of the connection */
    if (begin_answer(work, status))
        stream_head(work, status, chunked ? FRAMING_CHUNKED : FRAMING_NONE, 0, headers);
}

int http_stream_write(struct http_exchange *x, struct slice bytes)
{
    struct http_work *work = work_of(x);
    if (should_not(!x->streaming || work->ended))
        return FAIL_INTERNAL;
    int rc = wait_for_room(work);
    if (rc < 0)
        return rc;
    if (bytes.len == 0 || x->head_only || without_body(x->status))
        return 0;
    bool chunked = x->head.minor >= 1;
    struct frame *frame = frame_new(bytes.len + 24);
    char *at = frame->bytes;
    if (chunked)
        at += snprintf(at, 20, "%zx\r\n", bytes.len);
    at = put(at, bytes);
    if (chunked)
        at = put(at, SLICE("\r\n"));
    send_frame(work, frame, at);
    return 0;
}

void http_stream_end(struct http_exchange *x)
{
    struct http_work *work = work_of(x);
    if (should_not(!x->streaming) || work->ended)
        return;
    work->ended = true;
    if (x->head.minor >= 1 && !x->head_only && !without_body(x->status) && http_open(x->conn)) {
        conn_send_bytes(x->conn->conn, SLICE("0\r\n\r\n"));
        x->sent_bytes += 5;
    }
}

/* --- other protocols -------------------------------------------------------------------------- */

static void send_upgrade(struct http_work *work, struct slice head)
{
    struct slice rest = head, status_line;
    slice_cut(&rest, '\n', &status_line);
    struct frame *frame = frame_new(HEAD_ROOM + work->x.lines.len + head.len);
    char *at = put(frame->bytes, slice_of(status_line.ptr, status_line.len + 1));
    at = put(at, date_line(work->x.conn->server));
    at = put(at, work->x.lines);
    send_frame(work, frame, put(at, rest));
}

struct conn *http_upgrade(struct http_exchange *x, struct slice head, struct slice *ret_rest)
{
    struct http_work *work = work_of(x);
    struct http_conn *hc = x->conn;
    uint64_t status = 0;
    panic_if(head.len < 12 || !slice_to_u64(slice_of(head.ptr + 9, 3), &status),
             "an upgrade with a malformed head");
    if (should_not(x->answered))
        return NULL;
    x->answered = true;
    x->status = (int)status;
    work->close = true;
    if (!http_open(hc) || hc->eof)
        return NULL;
    struct slice rest = hc->present != NULL ? *hc->present
                        : hc->input != NULL ? buf_view(hc->input)
                                            : (struct slice){0};
    struct slice copy = {0};
    x->arena.max_bytes += rest.len + 64;
    if (rest.len != 0 && (copy = arena_copy(&x->arena, rest)).ptr == NULL)
        return NULL;
    if (hc->present != NULL)
        *hc->present = slice_of(rest.ptr + rest.len, 0);
    send_upgrade(work, head);
    if (hc->paused)
        conn_pause_read(hc->conn, false);
    *ret_rest = copy;
    list_add_tail(&hc->server->upgraded, &hc->conn->link);
    return http_detach(hc);
}

bool http_peer(const struct http_exchange *x, struct in6_addr *ret_addr, uint16_t *ret_port)
{
    struct http_conn *hc = x->conn;
    if (hc->peer == NULL) {
        struct http_peer peer;
        if (hc->conn == NULL || !conn_peer(hc->conn, &peer.address, &peer.port))
            return false;
        hc->peer = xmalloc(sizeof *hc->peer);
        *hc->peer = peer;
    }
    *ret_addr = hc->peer->address;
    *ret_port = hc->peer->port;
    return true;
}
