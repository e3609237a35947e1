/* Sockets. See conn.h for the promise; here is how it is kept.
 *
 * Reading happens when epoll says so, into the loop's buffer. A read that returns less than it was
 * asked for has drained the socket (epoll(7), question 9), which saves the second read.
 * Sending happens in the conn's end-of-turn task, and when the socket can take more. Nothing is
 * ever re-registered on the way.
 *
 * Nothing here frees a conn under its caller: whatever ends it (abort, error, end of closing) cuts
 * the descriptor off at once and leaves `closed` and the freeing to the end-of-turn task.
 */
#include "io/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_AT_ONCE 4 /* then the other sockets of the turn get theirs */
#define DRAIN_LOOK_MS 10000
#define DRAIN_BYTES_MIN (16u << 10) /* that a peer takes meanwhile */
#define LINGER_MS_MAX 2000

_Static_assert(sizeof(struct conn) <= 128, "a million idle sockets pay for every byte");

struct conn_closing {
    struct conn *conn;
    struct timer deadline;
    uint32_t left; /* bytes queued when we last looked */
    bool ended;    /* our end has been sent: waiting for the peer's */
};

static void conn_move(struct conn *conn, enum conn_state state)
{
    static const bool allowed[3][3] = {
        [CONN_OPEN] = {[CONN_CLOSING] = true, [CONN_CLOSED] = true},
        [CONN_CLOSING] = {[CONN_CLOSED] = true},
    };
    panic_if(!allowed[conn->state][state], "a connection moved from state %d to %d", conn->state,
             state);
    conn->state = (uint8_t)state;
}

static void drop_queue(struct conn *conn)
{
    conn_queue_clear(&conn->queue);
    conn->queued_bytes = 0;
}

/* The end of the descriptor; the conn follows at the end of the turn. */
static void cut(struct conn *conn, int reason)
{
    if (conn->state == CONN_CLOSED)
        return;
    conn_move(conn, CONN_CLOSED);
    conn->reason = (uint16_t)reason;
    int fd = conn->watch.fd;
    loop_unwatch(conn->loop, &conn->watch);
    close(fd);
    drop_queue(conn);
    if (conn->closing != NULL) {
        timer_stop(&conn->closing->deadline);
        free(conn->closing);
        conn->closing = NULL;
    }
    loop_defer(conn->loop, &conn->flush);
}

void conn_abort(struct conn *conn)
{
    if (conn->state == CONN_CLOSED)
        return;
    if (conn->queue.count != 0) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(conn->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    cut(conn, 0);
}

/* --- closing --------------------------------------------------------------------------------- */

static void closing_took_too_long(struct timer *timer)
{
    struct conn_closing *closing = CONTAINER_OF(timer, struct conn_closing, deadline);
    struct conn *conn = closing->conn;
    if (closing->ended) {
        cut(conn, 0);
    } else if (closing->left - conn->queued_bytes >= DRAIN_BYTES_MIN) {
        closing->left = conn->queued_bytes;
        timer_start(conn->loop, timer, DRAIN_LOOK_MS);
    } else {
        conn_abort(conn);
    }
}

void conn_close(struct conn *conn)
{
    if (conn->state != CONN_OPEN)
        return;
    conn_move(conn, CONN_CLOSING);
    conn->closing = xcalloc(1, sizeof *conn->closing);
    conn->closing->conn = conn;
    conn->closing->left = conn->queued_bytes;
    timer_init(&conn->closing->deadline, closing_took_too_long);
    timer_start(conn->loop, &conn->closing->deadline, DRAIN_LOOK_MS);
    if (conn->read_paused)
        conn_pause_read(conn, false); /* to throw away what comes, and to see the peer's end */
    if (!conn->blocked)
        loop_defer(conn->loop, &conn->flush);
}

/* The queue of a closing connection has been sent. Closing right away would answer bytes that are
 * still under way with a reset, and the reset may overtake what we have just sent. */
static void end_our_side(struct conn *conn)
{
    if (conn->eof_seen) {
        cut(conn, 0);
        return;
    }
    if (conn->closing->ended)
        return;
    conn->closing->ended = true;
    (void)shutdown(conn->watch.fd, SHUT_WR); /* ENOTCONN: the read that follows says so too */
    timer_start(conn->loop, &conn->closing->deadline, LINGER_MS_MAX);
}

/* --- sending --------------------------------------------------------------------------------- */

static void queue_empty(struct conn *conn)
{
    if (conn->state == CONN_CLOSING) {
        end_our_side(conn);
    } else if (conn->want_drain) {
        conn->want_drain = false;
        conn->ops->drained(conn);
    }
}

static void conn_flush(struct conn *conn)
{
    while (conn->queue.count != 0) {
        bool full = false;
        ssize_t n = conn_queue_send(&conn->queue, conn->watch.fd, &full);
        if (n == -EINTR)
            continue;
        if (n < 0 && n != -EAGAIN) {
            cut(conn, (int)-n);
            return;
        }
        if (n > 0)
            conn->queued_bytes -= (uint32_t)n;
        if (!full) {
            /* The kernel has noted that somebody waits for space: there will be an edge. */
            conn->blocked = true;
            return;
        }
    }
    queue_empty(conn);
}

void conn_send(struct conn *conn, struct frame *frame)
{
    if (conn->state != CONN_OPEN || frame->len == 0)
        return;
    if (UNLIKELY(frame->len > UINT32_MAX - conn->queued_bytes)) {
        cut(conn, ENOBUFS); /* the caller has no cap of its own */
        return;
    }
    conn_queue_push(&conn->queue, frame_ref(frame));
    conn->queued_bytes += frame->len;
    if (!conn->blocked)
        loop_defer(conn->loop, &conn->flush);
}

void conn_send_bytes(struct conn *conn, struct slice bytes)
{
    if (conn->state != CONN_OPEN || bytes.len == 0)
        return;
    struct frame *frame = frame_copy(bytes);
    conn_send(conn, frame);
    frame_unref(frame);
}

void conn_drop(struct conn *conn, bool (*drop)(const struct frame *frame, void *arg), void *arg)
{
    conn->queued_bytes -= (uint32_t)conn_queue_drop(&conn->queue, drop, arg);
    if (conn->queue.count == 0 && conn->state != CONN_CLOSED)
        loop_defer(conn->loop, &conn->flush);
}

void conn_want_drain(struct conn *conn)
{
    conn->want_drain = true;
    if (conn->queue.count == 0 && conn->state == CONN_OPEN)
        loop_defer(conn->loop, &conn->flush);
}

/* --- reading --------------------------------------------------------------------------------- */

static void peer_ended(struct conn *conn)
{
    if (conn->eof_seen)
        return;
    conn->eof_seen = true;
    if (conn->state == CONN_CLOSING) {
        if (conn->closing->ended)
            cut(conn, 0);
    } else if (conn->ops->eof != NULL) {
        conn->ops->eof(conn);
    } else {
        conn_close(conn);
    }
}

/* One read. Returns whether there may be more to read now. */
static bool read_once(struct conn *conn)
{
    char *buffer = loop_read_buffer(conn->loop);
    ssize_t n = recv(conn->watch.fd, buffer, LOOP_READ_BYTES, MSG_DONTWAIT);
    if (n > 0) {
        if (conn->state == CONN_OPEN)
            conn->ops->data(conn, buffer, (size_t)n);
        return conn->hung_up || n == LOOP_READ_BYTES;
    }
    if (n == 0)
        peer_ended(conn);
    else if (errno == EINTR)
        return true;
    else if (errno != EAGAIN)
        cut(conn, errno);
    return false;
}

static void conn_read(struct conn *conn)
{
    for (int i = 0; i < READS_AT_ONCE; i++) {
        bool more = read_once(conn);
        conn->readable = more && conn->state != CONN_CLOSED;
        if (conn->state == CONN_CLOSED || conn->eof_seen)
            return;
        if (!more || conn->read_paused)
            return;
    }
    conn->readable = false;
    loop_watch_again(conn->loop, &conn->watch);
}

/* Nothing is read now, but a peer that is gone altogether should not be waited for. */
static void check_error(struct conn *conn)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(conn->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
        cut(conn, error);
}

void conn_pause_read(struct conn *conn, bool paused)
{
    conn->read_paused = paused;
    /* Not here: the caller may be in the middle of something. */
    if (!paused && conn->readable && conn->state != CONN_CLOSED)
        loop_defer(conn->loop, &conn->flush);
}

static void conn_ready(struct watch *watch, unsigned events)
{
    struct conn *conn = CONTAINER_OF(watch, struct conn, watch);
    if (events & WATCH_HANGUP)
        conn->hung_up = true;
    if ((events & WATCH_WRITE) && conn->blocked) {
        conn->blocked = false;
        loop_defer(conn->loop, &conn->flush);
    }
    if (!(events & (WATCH_READ | WATCH_HANGUP)))
        return;
    if (!conn->read_paused && !conn->eof_seen) {
        conn_read(conn);
        return;
    }
    conn->readable = !conn->eof_seen;
    if (events & WATCH_HANGUP)
        check_error(conn);
}

static void end_of_turn(struct task *task)
{
    struct conn *conn = CONTAINER_OF(task, struct conn, flush);
    if (conn->readable && !conn->read_paused && conn->state != CONN_CLOSED)
        conn_read(conn);
    if (conn->state != CONN_CLOSED) {
        if (!conn->blocked)
            conn_flush(conn);
        return;
    }
    task_cancel(task); /* reading may have cut it and queued this once more */
    list_remove(&conn->link);
    conn->ops->closed(conn, conn->reason);
    free(conn);
}

int conn_new(struct loop *loop, int fd, const struct conn_ops *ops, void *user,
             struct conn **ret_conn, struct error *err)
{
    struct conn *conn = xcalloc(1, sizeof *conn);
    *conn = (struct conn){.watch = {fd, conn_ready}, .ops = ops, .user = user, .loop = loop};
    list_init(&conn->link);
    task_init(&conn->flush, end_of_turn);
    int rc = loop_watch(loop, &conn->watch, err);
    if (rc != 0) {
        free(conn);
        return rc;
    }
    /* Small frames leave at once; joining them is the queue's work. Not for local sockets. */
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *ret_conn = conn;
    return 0;
}

bool conn_peer(const struct conn *conn, struct in6_addr *ret_addr, uint16_t *ret_port)
{
    struct sockaddr_storage any;
    socklen_t len = sizeof any;
    if (conn->state == CONN_CLOSED ||
        getpeername(conn->watch.fd, (struct sockaddr *)&any, &len) != 0)
        return false;
    if (any.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&any;
        *ret_addr = six->sin6_addr;
        *ret_port = ntohs(six->sin6_port);
        return true;
    }
    if (any.ss_family != AF_INET)
        return false;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&any;
    *ret_addr = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&ret_addr->s6_addr[12], &four->sin_addr, 4);
    *ret_port = ntohs(four->sin_port);
    return true;
}
