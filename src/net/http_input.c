/* From bytes to exchanges: head, admission, body, coroutine; one request after the other.
 *
 * http_run is a loop of steps over the bytes at hand, which are either the loop's read buffer as it
 * came (the usual case: nothing is kept, nothing copied but the head into its arena) or what was
 * kept before with the new bytes behind it. What no step can use now is kept; while a coroutine
 * answers that is bounded by pausing the reading.
 */
#include <stdlib.h>

#include "net/http_server_private.h"

enum {
    LOOK_AHEAD_BYTES = 64 << 10,                /* kept while serving, before reading pauses */
    INPUT_MAX = LOOK_AHEAD_BYTES + (768 << 10), /* that, one large read, a head */
    BODY_AT_ONCE_MAX = 64 << 10,                /* reserved on a client's word alone */
    UPLOAD_BYTES_PER_MS = 16                    /* the slowest upload that is waited for */
};

/* --- heads ------------------------------------------------------------------------------------ */

/* Moves a slice that borrows from `from` (n bytes) to the same place in `to`. */
static void rebase(struct slice *s, const char *from, size_t n, const char *to)
{
    if (s->ptr >= from && s->ptr <= from + n)
        s->ptr = to + (s->ptr - from);
}

/* The head outlives the read buffer: its bytes go into the arena. */
static bool keep_head(struct http_exchange *x, const char *bytes, size_t n)
{
    char *copy = arena_alloc(&x->arena, n);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, n);
    struct http_head *head = &x->head;
    rebase(&head->method_text, bytes, n, copy);
    rebase(&head->path, bytes, n, copy);
    rebase(&head->query, bytes, n, copy);
    rebase(&head->host, bytes, n, copy);
    for (unsigned i = 0; i < head->header_count; i++) {
        rebase(&head->headers[i].name, bytes, n, copy);
        rebase(&head->headers[i].value, bytes, n, copy);
    }
    return true;
}

static void skip(struct slice *in, size_t n)
{
    *in = slice_of(in->ptr + n, in->len - n);
}

/* Answers x->error and ends the exchange. The connection can go on only when the body, if there is
 * one, lies here whole; otherwise it is closed (RFC 9112 section 9.3). */
static void refuse_request(struct http_conn *hc, struct slice *in)
{
    struct http_work *work = hc->work;
    const struct http_head *head = &work->x.head;
    if (hc->state == STATE_BODY || head->chunked || head->content_length > in->len)
        work->close = true;
    else
        skip(in, (size_t)head->content_length);
    http_refuse(work);
    http_finish(hc);
}

static void refuse_unparsed(struct http_conn *hc)
{
    hc->work->x.head = (struct http_head){.method = HTTP_OTHER, .minor = 1};
    hc->work->close = true;
    http_refuse(hc->work);
    http_finish(hc);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static int too_large(struct http_work *work)
{
    return error_set(&work->x.error, FAIL_TOO_LARGE, "body_too_large",
                     "The body is larger than the %llu bytes that are taken here.",
                     (unsigned long long)work->body_max);
}

/* Time for the next piece, but no more in all than a slow upload may take. */
void http_body_deadline(struct http_conn *hc, uint64_t taken_bytes)
{
    const struct http_server_config *c = &hc->server->config;
    const struct http_work *work = hc->work;
    int64_t taken_ms = (clock_mono_ns(loop_clock(hc->server->loop)) - work->x.started_ns) / 1000000;
    int64_t left_ms = c->request_timeout_ms + (int64_t)taken_bytes / UPLOAD_BYTES_PER_MS - taken_ms;
    left_ms = left_ms > 1 ? left_ms : 1;
    http_deadline(hc, left_ms < c->body_timeout_ms ? left_ms : c->body_timeout_ms);
}

static int take_chunks(struct http_work *work, const struct http_limits *limits, struct slice *in)
{
    struct slice piece;
    int rc;
    while ((rc = http1_chunked_next(&work->chunked, in, limits, &piece, &work->x.error)) == 1) {
        buf_slice(&work->body, piece);
        if (!buf_ok(&work->body))
            return too_large(work);
    }
    return rc;
}

/* 2 when the body is whole, 0 when more must come, or a refusal. */
static int take_body(struct http_work *work, const struct http_limits *limits, struct slice *in)
{
    if (work->x.head.chunked)
        return take_chunks(work, limits, in);
    size_t len = in->len < work->body_left ? in->len : (size_t)work->body_left;
    buf_append(&work->body, in->ptr, len);
    skip(in, len);
    work->body_left -= len;
    if (!buf_ok(&work->body))
        return error_set(&work->x.error, FAIL_UNAVAILABLE, "out_of_memory",
                         "There is no memory for this body.");
    return work->body_left == 0 ? 2 : 0;
}

static bool step_body(struct http_conn *hc, struct slice *in)
{
    struct http_work *work = hc->work;
    if (in->len == 0)
        return false;
    int rc = take_body(work, &hc->server->config.limits, in);
    if (rc == 0) {
        http_body_deadline(hc, work->body.len);
        return false;
    }
    if (rc < 0) {
        refuse_request(hc, in);
        return false;
    }
    work->x.body = buf_view(&work->body);
    http_serve(hc);
    return true;
}

/* The whole body has come with the head. */
static bool body_at_once(struct http_conn *hc, struct slice *in)
{
    struct http_exchange *x = &hc->work->x;
    size_t len = (size_t)x->head.content_length;
    x->arena.max_bytes += len + 64;
    x->body = arena_copy(&x->arena, slice_of(in->ptr, len));
    if (x->body.ptr == NULL) {
        (void)error_set(&x->error, FAIL_UNAVAILABLE, "out_of_memory",
                        "There is no memory for this body.");
        refuse_request(hc, in);
        return true;
    }
    skip(in, len);
    http_serve(hc);
    return true;
}

static void say_continue(struct http_conn *hc, const struct slice *in)
{
    /* RFC 9110 section 10.1.1: not when the body is under way already. */
    if (hc->work->x.head.expect_continue && in->len == 0)
        conn_send_bytes(hc->conn, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

static bool begin_body(struct http_conn *hc, struct slice *in)
{
    struct http_work *work = hc->work;
    const struct http_head *head = &work->x.head;
    bool whole = head->has_length && head->content_length <= in->len;
    if (whole && !work->x.stream_body)
        return body_at_once(hc, in);
    work->body_left = head->content_length;
    http1_chunked_init(&work->chunked);
    say_continue(hc, in);
    if (work->x.stream_body) {
        work->body_over = false;
        http_serve(hc);
        return true;
    }
    buf_init(&work->body, (size_t)work->body_max);
    if (head->has_length && head->content_length <= BODY_AT_ONCE_MAX)
        (void)buf_reserve(&work->body, (size_t)head->content_length);
    http_move(hc, STATE_BODY);
    http_body_deadline(hc, 0);
    return true;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* A whole head has been parsed. */
static bool admit(struct http_conn *hc, struct slice *in)
{
    struct http_work *work = hc->work;
    struct http_exchange *x = &work->x;
    x->head_only = x->head.method == HTTP_HEAD;
    bool body = x->head.chunked || x->head.content_length != 0;
    int64_t max = hc->server->config.ops->admit(x);
    work->body_max = max > 0 ? (uint64_t)max : 0;
    if (max >= 0 && x->head.content_length > work->body_max)
        max = too_large(work);
    if (max < 0) {
        refuse_request(hc, in);
        return true;
    }
    if (body)
        return begin_body(hc, in);
    http_serve(hc);
    return true;
}

/* Nothing new can be said about an unfinished head before its next line ends. */
static bool worth_a_look(struct http_conn *hc, struct slice in)
{
    const struct http_limits *limits = &hc->server->config.limits;
    if (hc->state == STATE_IDLE || in.len > limits->request_line_bytes)
        return true;
    size_t seen = hc->looked_at < in.len ? hc->looked_at : in.len;
    return memchr(in.ptr + seen, '\n', in.len - seen) != NULL;
}

static bool step_head(struct http_conn *hc, struct slice *in)
{
    struct http_server *server = hc->server;
    if (in->len == 0) {
        if (hc->eof)
            http_close(hc);
        return false;
    }
    if (UNLIKELY(hc->conn->queued_bytes > server->config.send_queue_max)) {
        conn_want_drain(hc->conn); /* on_drained comes back here */
        return false;
    }
    if (!worth_a_look(hc, *in) && !hc->eof) {
        hc->looked_at = (uint32_t)in->len;
        return false;
    }
    struct http_work *work = http_work_take(server);
    struct http_exchange *x = &work->x;
    hc->work = work;
    x->conn = hc;
    x->started_ns = clock_mono_ns(loop_clock(server->loop));
    ptrdiff_t n = http1_parse_head(*in, &server->config.limits, &x->head, &x->error);
    if (n > 0 && !keep_head(x, in->ptr, (size_t)n))
        n = error_set(&x->error, FAIL_UNAVAILABLE, "out_of_memory", "There is no memory left.");
    if (n > 0) {
        skip(in, (size_t)n);
        return admit(hc, in);
    }
    if (n < 0) {
        refuse_unparsed(hc);
        return false;
    }
    hc->work = NULL;
    http_work_give(server, work);
    hc->looked_at = (uint32_t)in->len;
    if (hc->eof) {
        http_close(hc); /* the rest will not come (RFC 9112 section 8) */
    } else if (hc->state == STATE_IDLE) {
        http_move(hc, STATE_HEAD);
        http_deadline(hc, server->config.head_timeout_ms);
    }
    return false;
}

static bool step(struct http_conn *hc, struct slice *in)
{
    if (!http_open(hc))
        return false;
    switch (hc->state) {
    case STATE_IDLE:
    case STATE_HEAD: return step_head(hc, in);
    case STATE_BODY: return step_body(hc, in);
    default: return false;
    }
}

/* Keeps what was not used, or frees what was kept. */
static void keep_rest(struct http_conn *hc, struct slice rest, bool kept)
{
    if (kept) {
        buf_consume(hc->input, hc->input->len - rest.len);
    } else if (rest.len != 0) {
        hc->input = xmalloc(sizeof *hc->input);
        buf_init(hc->input, INPUT_MAX);
        buf_slice(hc->input, rest);
        panic_if(!buf_ok(hc->input), "an HTTP connection kept %zu bytes", rest.len);
    }
    if (hc->input != NULL && (hc->input->len == 0 || !http_open(hc))) {
        buf_done(hc->input);
        free(hc->input);
        hc->input = NULL;
    }
}

/* A client may send ahead only so much of what is not served yet. */
void http_pause_if_ahead(struct http_conn *hc)
{
    bool pause = hc->input != NULL && hc->input->len > LOOK_AHEAD_BYTES;
    if (hc->paused != pause && http_open(hc)) {
        hc->paused = pause;
        conn_pause_read(hc->conn, pause);
    }
}

void http_run(struct http_conn *hc, struct slice fresh)
{
    bool kept = hc->input != NULL;
    struct slice in = fresh;
    if (kept) {
        buf_slice(hc->input, fresh);
        panic_if(!buf_ok(hc->input), "an HTTP connection kept %zu bytes", hc->input->len);
        in = buf_view(hc->input);
    }
    hc->present = &in;
    while (step(hc, &in))
        continue;
    hc->present = NULL;
    keep_rest(hc, in, kept);
    http_pause_if_ahead(hc);
    http_free_if_gone(hc);
}
