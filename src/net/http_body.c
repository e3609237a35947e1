/* Bodies that serve takes piece by piece, so that an upload passes through in bounded memory.
 *
 * While serve works on a piece, what comes is kept as for any connection that is being served
 * (http_input.c), and the same bound pauses the reading. http_body_read takes over the whole buffer
 * of what was kept and walks through it; what lies behind the end of the body is the next request
 * and is put back.
 */
#include <stdlib.h>

#include "net/http_server_private.h"

static void drop_piece(struct http_work *work)
{
    if (work->piece != NULL)
        buf_done(work->piece);
    free(work->piece);
    work->piece = NULL;
    work->piece_left = slice_of("", 0);
}

/* Takes over what has come. The bytes that http_run is working on are copied: they lie in the
 * loop's buffer, and serve may wait while it holds a piece. False when nothing has come. */
static bool take_input(struct http_work *work)
{
    struct http_conn *hc = work->x.conn;
    drop_piece(work);
    if (hc->present != NULL && hc->present->len != 0) {
        struct slice *in = hc->present;
        work->piece = xmalloc(sizeof *work->piece);
        buf_init(work->piece, in->len);
        buf_slice(work->piece, *in);
        panic_if(!buf_ok(work->piece), "out of memory (%zu bytes)", in->len);
        *in = slice_of(in->ptr + in->len, 0);
    } else if (hc->present == NULL && hc->input != NULL) {
        work->piece = hc->input;
        hc->input = NULL;
        http_pause_if_ahead(hc);
    } else {
        return false;
    }
    work->piece_left = buf_view(work->piece);
    return true;
}

/* What follows the body belongs to the next request. */
static void put_back(struct http_work *work)
{
    struct http_conn *hc = work->x.conn;
    struct slice rest = work->piece_left;
    if (rest.len != 0 && hc->present != NULL) {
        *hc->present = slice_of(hc->present->ptr - rest.len, rest.len);
    } else if (rest.len != 0) {
        buf_consume(work->piece, work->piece->len - rest.len);
        if (hc->input != NULL) {
            work->piece->max += hc->input->len;
            buf_slice(work->piece, buf_view(hc->input));
            buf_done(hc->input);
            free(hc->input);
        }
        panic_if(!buf_ok(work->piece), "out of memory");
        hc->input = work->piece;
        work->piece = NULL;
    }
    work->piece_left = slice_of("", 0);
}

/* At the end of serve. A body of known length that was taken whole is over although nobody asked
 * for its end; what was left unread cannot be told from the next request. */
void http_body_done(struct http_work *work)
{
    if (!work->body_over && !work->x.head.chunked && work->body_left == 0) {
        put_back(work);
        work->body_over = true;
    }
    work->close |= !work->body_over;
    drop_piece(work);
}

/* Waits for the client. 0 when it is worth another look. */
static int wait_for_client(struct http_work *work)
{
    struct http_conn *hc = work->x.conn;
    if (!http_open(hc) || hc->eof)
        return error_set(&work->x.error, FAIL_CLOSED, "client_gone",
                         "The client left in the middle of its body.");
    work->body_waiting = true;
    http_body_deadline(hc, work->body_taken);
    int rc = coro_park(CORO_FOREVER); /* the connection's deadline ends it */
    work->body_waiting = false;
    if (rc == FAIL_REQUEST_TIMEOUT)
        return error_set(&work->x.error, FAIL_REQUEST_TIMEOUT, "request_timeout",
                         "The body did not come within its time.");
    if (rc == FAIL_CANCELLED)
        return error_set(&work->x.error, FAIL_CANCELLED, "cancelled", "The server is stopping.");
    return 0;
}

/* 1 with a piece, 2 at the end, 0 when more must come, or a refusal. */
static int next_piece(struct http_work *work, struct slice *ret_piece)
{
    struct slice *left = &work->piece_left;
    if (work->x.head.chunked)
        return http1_chunked_next(&work->chunked, left, &work->x.conn->server->config.limits,
                                  ret_piece, &work->x.error);
    if (work->body_left == 0)
        return 2;
    size_t len = left->len < work->body_left ? left->len : (size_t)work->body_left;
    *ret_piece = slice_of(left->ptr, len);
    *left = slice_of(left->ptr + len, left->len - len);
    work->body_left -= len;
    return len != 0;
}

int http_body_read(struct http_exchange *x, struct slice *ret_piece)
{
    struct http_work *work = CONTAINER_OF(x, struct http_work, x);
    int rc = 0;
    while (!work->body_over && rc == 0) {
        if (work->piece != NULL)
            rc = next_piece(work, ret_piece);
        if (rc == 0 && !take_input(work))
            rc = wait_for_client(work);
    }
    if (rc == 2)
        put_back(work);
    work->body_over |= rc == 2;
    if (http_open(x->conn))
        http_deadline(x->conn, x->conn->server->config.request_timeout_ms);
    if (rc != 1)
        return rc < 0 ? rc : 0;
    work->body_taken += ret_piece->len;
    if (work->body_taken > work->body_max)
        return error_set(&x->error, FAIL_TOO_LARGE, "body_too_large",
                         "The body is larger than the %llu bytes that are taken here.",
                         (unsigned long long)work->body_max);
    return 1;
}
