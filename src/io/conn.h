/* A connected stream socket on one loop: reads into the loop's shared buffer, sends from a queue of
 * reference-counted frames, flushed once at the end of the turn with one write. Idle it holds
 * neither buffer nor coroutine.
 *
 * The protocol above (http1, websocket) embeds or owns it through `user` and the callback table,
 * and may swap the table (upgrade). State machine: OPEN -> CLOSING (queue drains, then shut down)
 * -> CLOSED; conn_move is the one mover.
 */
#ifndef PARLEY_IO_CONN_H
#define PARLEY_IO_CONN_H

#include <netinet/in.h>

#include "base/base.h"
#include "io/conn_queue.h"
#include "io/loop.h"

/* Bytes to send, shared by many sockets of ONE loop (plain counter, not atomic): made, shared and
 * freed on that loop's thread. At most 4 GiB - 9 bytes. */
struct frame {
    uint32_t refs;
    uint32_t len;
    char bytes[];
};
struct frame *frame_new(size_t len); /* refs 1; from the thread's cache when small */
struct frame *frame_copy(struct slice bytes);
void frame_unref(struct frame *frame);
static inline struct frame *frame_ref(struct frame *frame)
{
    frame->refs++;
    return frame;
}

struct conn;

struct conn_ops {
    /* Bytes have arrived. They live in the loop's shared buffer until this returns: consume or copy
     * them all. */
    void (*data)(struct conn *conn, const char *bytes, size_t len);
    /* The send queue has become empty (only called after conn_want_drain, once for each call).
     * NULL for who never asks. */
    void (*drained)(struct conn *conn);
    /* Peer ended its side (read returned 0): the conn is still writable. NULL: close. */
    void (*eof)(struct conn *conn);
    /* Last call, at the end of a turn and never from inside a conn_* call; the conn is freed when
     * it returns. `reason` is 0, or errno of the failed call. */
    void (*closed)(struct conn *conn, int reason);
    /* The process is about to end: say goodbye and close, without waiting. Told, perhaps again, by
     * whoever keeps the conn in a list (link). NULL: conn_close will do. */
    void (*leave)(struct conn *conn);
};

enum conn_state { CONN_OPEN, CONN_CLOSING, CONN_CLOSED };

struct conn_closing;

/* Users read ops, user, loop, queued_bytes and state, and set ops and user (and take back what they
 * wanted: want_drain); link is for a list of theirs, which the conn leaves by itself before
 * `closed`; the rest is conn.c's. */
struct conn {
    struct watch watch;
    const struct conn_ops *ops;
    void *user;
    struct loop *loop;
    struct list link;
    struct task flush;
    struct conn_queue queue;
    struct conn_closing *closing; /* deadline of CONN_CLOSING */
    uint32_t queued_bytes;
    uint16_t reason; /* errno for `closed` */
    uint8_t state;   /* enum conn_state */
    bool read_paused, want_drain;
    bool blocked;  /* the socket takes no more: wait for WATCH_WRITE */
    bool readable; /* something came while reading was paused */
    bool hung_up;  /* the end of what the peer sends is near: read up to it */
    bool eof_seen;
};

/* Takes over a connected non-blocking socket (TCP_NODELAY set here). When it fails the descriptor
 * stays the caller's. */
int conn_new(struct loop *loop, int fd, const struct conn_ops *ops, void *user,
             struct conn **ret_conn, struct error *err) MUSTCHECK;
/* Appends a frame (takes its own reference) and flushes at the end of the turn. Never fails: when
 * the socket is gone the bytes are dropped and `closed` follows. The caller watches
 * conn->queued_bytes against its own cap. */
void conn_send(struct conn *conn, struct frame *frame);
void conn_send_bytes(struct conn *conn, struct slice bytes); /* copies */
/* Drops queued frames for which drop(frame, arg) says so, except one partly sent. */
void conn_drop(struct conn *conn, bool (*drop)(const struct frame *frame, void *arg), void *arg);
void conn_pause_read(struct conn *conn, bool paused); /* back-pressure towards the peer */
void conn_want_drain(struct conn *conn);
/* After what is queued has been sent; no more `data`. Then ends our side and waits up to 2 s for
 * the peer's end, so that the last bytes are not lost to a reset. A peer that takes
 * less than 16 KiB in 10 s is cut off. */
void conn_close(struct conn *conn);
void conn_abort(struct conn *conn); /* now (RST when something is still queued) */
/* Peer address, IPv4 mapped into IPv6. False when it is gone. */
bool conn_peer(const struct conn *conn, struct in6_addr *ret_addr, uint16_t *ret_port);

/* --- listening ------------------------------------------------------------------------------- */
struct listener;
/* Whether nobody listens at the address yet: several listeners may share one (SO_REUSEPORT), also
 * those of two servers by mistake. FAIL_INTERNAL "listen" when it is taken. Does not wait. */
int listener_probe(const char *address, struct error *err) MUSTCHECK;
/* One per loop on the same address with SO_REUSEPORT. address "127.0.0.1:8080", "[::]:8080",
 * port 0 picks a free one (ask listener_port, then bind the other loops to it). Numeric addresses
 * only; FAIL_INVALID "invalid_address" for others. "[::]" also takes IPv4. accepted() owns the
 * descriptor (non-blocking, close-on-exec). Out of descriptors: accepting pauses 100 ms, never a
 * busy loop; counted in parley_accept_pauses_total. */
int listener_open(struct loop *loop, const char *address, void (*accepted)(void *arg, int fd),
                  void *arg, struct listener **ret_listener, struct error *err) MUSTCHECK;
uint16_t listener_port(const struct listener *listener);
void listener_close(struct listener *listener);

#endif
