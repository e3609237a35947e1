#include "gateway/conformance.h"

#include <stdlib.h>

#include "kit/problem.h"
#include "net/websocket.h"

enum { MESSAGE_MAX = 16 << 20, BODY_MAX = 1 << 20 };

/* --- HTTP --------------------------------------------------------------------------------------
 */

static bool is_hello(const struct http_head *head)
{
    return (head->method == HTTP_GET || head->method == HTTP_HEAD) &&
           (slice_eq(head->path, SLICE("/")) || slice_eq(head->path, SLICE("/hello")));
}

static bool is_echo(const struct http_head *head)
{
    return head->method == HTTP_POST && slice_eq(head->path, SLICE("/echo"));
}

static bool is_socket(const struct http_head *head)
{
    return head->method == HTTP_GET && slice_eq(head->path, SLICE("/ws"));
}

static int64_t admit(struct http_exchange *x)
{
    if (is_hello(&x->head) || is_socket(&x->head))
        return 0;
    if (is_echo(&x->head))
        return BODY_MAX;
    return error_set(&x->error, FAIL_NOT_FOUND, "not_found", "There is nothing at this path.");
}

static void refuse(struct http_exchange *x)
{
    struct buf problem, headers;
    buf_init(&problem, 64 << 10);
    buf_init(&headers, 4096);
    problem_write(&x->error, (struct slice){0}, &problem);
    buf_lit(&headers, "content-type: application/problem+json\r\n");
    if (x->error.kind == FAIL_UPGRADE_REQUIRED)
        buf_lit(&headers, "sec-websocket-version: 13\r\n");
    http_reply(x, error_http_status(x->error.kind), buf_view(&headers), buf_view(&problem));
    buf_done(&problem);
    buf_done(&headers);
}

static void echo_body(struct http_exchange *x)
{
    struct slice type = http_value(&x->head, "content-type");
    struct buf headers;
    buf_init(&headers, 16 << 10);
    if (type.ptr != NULL) {
        buf_lit(&headers, "content-type: ");
        buf_slice(&headers, type);
        buf_lit(&headers, "\r\n");
    }
    http_reply(x, 200, buf_view(&headers), x->body);
    buf_done(&headers);
}

/* --- WebSocket ---------------------------------------------------------------------------------
 */

struct echo {
    struct ws_reader reader;
    uint8_t deflate_bits;
    bool closing;
};

static void close_with(struct conn *conn, uint16_t code, struct slice reason)
{
    struct echo *echo = conn->user;
    struct buf out;
    buf_init(&out, 256);
    if (!echo->closing)
        ws_close_frame(&out, code, reason);
    echo->closing = true;
    conn_send_bytes(conn, buf_view(&out));
    buf_done(&out);
    conn_close(conn);
}

static void echo_message(struct conn *conn, const struct ws_message *message)
{
    struct echo *echo = conn->user;
    if (message->opcode == WS_CLOSE) {
        close_with(conn, message->close_code, message->data);
        return;
    }
    if (message->opcode == WS_PONG)
        return;
    struct buf out;
    buf_init(&out, MESSAGE_MAX + 1024);
    bool is_ping = message->opcode == WS_PING;
    ws_frame(&out, is_ping ? WS_PONG : message->opcode, message->data,
             is_ping ? 0 : echo->deflate_bits);
    conn_send_bytes(conn, buf_view(&out));
    buf_done(&out);
}

static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    struct echo *echo = conn->user;
    struct slice in = slice_of(bytes, len);
    struct ws_message message;
    uint16_t code = 0;
    struct error err;
    error_init(&err);
    int rc = 0;
    while (!echo->closing && (rc = ws_read(&echo->reader, &in, &message, &code, &err)) > 0)
        echo_message(conn, &message);
    if (rc < 0 && !echo->closing)
        close_with(conn, code, slice_str(err.code));
}

static void on_closed(struct conn *conn, int reason)
{
    (void)reason;
    struct echo *echo = conn->user;
    ws_reader_done(&echo->reader);
    free(echo);
}

static void on_leave(struct conn *conn)
{
    close_with(conn, 1001, SLICE("going away"));
}

static const struct conn_ops echo_ops = {.data = on_data, .closed = on_closed, .leave = on_leave};

static void start_echo(struct http_exchange *x)
{
    struct buf head;
    buf_init(&head, 4096);
    uint8_t bits;
    struct slice rest;
    if (ws_accept(&x->head, (struct slice){0}, true, &head, &bits, &x->error) < 0) {
        refuse(x);
        buf_done(&head);
        return;
    }
    struct conn *conn = http_upgrade(x, buf_view(&head), &rest);
    buf_done(&head);
    if (conn == NULL)
        return;
    struct echo *echo = xcalloc(1, sizeof *echo);
    ws_reader_init(&echo->reader, true, bits != 0, MESSAGE_MAX);
    echo->deflate_bits = bits;
    conn->ops = &echo_ops;
    conn->user = echo;
    if (rest.len > 0)
        on_data(conn, rest.ptr, rest.len);
}

static void serve(struct http_exchange *x)
{
    if (is_socket(&x->head))
        start_echo(x);
    else if (is_echo(&x->head))
        echo_body(x);
    else
        http_reply(x, 200, SLICE("content-type: text/plain\r\n"), SLICE("hello"));
}

static void done(struct http_exchange *x)
{
    (void)x;
}

const struct http_server_ops conformance_ops = {admit, serve, refuse, done};
