/* Connections over a socket pair: the far end is a plain descriptor in the test's hands. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metric.h"
#include "harness.h"
#include "in_loop.h"
#include "io/conn.h"
#include "io/coro.h"

struct peer {
    struct conn *conn;
    int far; /* the other end */
    char got[4096];
    size_t got_len, got_total;
    int data_calls, drained, eofs, closed, reason;
    bool abort_in_data, pause_in_data, close_in_data, echo;
};

static void on_data(struct conn *conn, const char *bytes, size_t len)
{
    struct peer *p = conn->user;
    p->data_calls++;
    p->got_total += len;
    for (size_t i = 0; i < len && p->got_len < sizeof p->got; i++)
        p->got[p->got_len++] = bytes[i];
    if (p->echo)
        conn_send_bytes(conn, slice_of(bytes, len));
    if (p->pause_in_data)
        conn_pause_read(conn, true);
    if (p->close_in_data)
        conn_close(conn);
    if (p->abort_in_data)
        conn_abort(conn);
}

static void on_drained(struct conn *conn)
{
    ((struct peer *)conn->user)->drained++;
}

static void on_eof(struct conn *conn)
{
    ((struct peer *)conn->user)->eofs++;
}

static void on_closed(struct conn *conn, int reason)
{
    struct peer *p = conn->user;
    p->closed++;
    p->reason = reason;
    p->conn = NULL;
}

static const struct conn_ops ops = {on_data, on_drained, NULL, on_closed};
static const struct conn_ops ops_with_eof = {on_data, on_drained, on_eof, on_closed};

static void peer_init(struct peer *p, const struct conn_ops *with, int send_buffer)
{
    int fds[2];
    memset(p, 0, sizeof *p);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    if (send_buffer != 0)
        CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) == 0);
    struct error err = {0};
    p->far = fds[1];
    CHECK_OK(conn_new(loop_current(), fds[0], with, p, &p->conn, &err), &err);
}

static void peer_done(struct peer *p)
{
    if (p->conn != NULL)
        conn_abort(p->conn);
    coro_yield();
    CHECK_INT(p->closed, 1);
    CHECK(p->conn == NULL);
    if (p->far >= 0)
        close(p->far);
}

static void turns(int n)
{
    for (int i = 0; i < n; i++)
        coro_yield();
}

/* What can be read at the far end now. */
static size_t far_read(struct peer *p, char *bytes, size_t max)
{
    size_t len = 0;
    ssize_t n;
    while (len < max && (n = read(p->far, bytes + len, max - len)) > 0)
        len += (size_t)n;
    return len;
}

/* --- receiving ------------------------------------------------------------------------------- */

static void receives(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops, 0);
    CHECK(write(p.far, "hello", 5) == 5);
    turns(2);
    CHECK_STR(slice_of(p.got, p.got_len), "hello");
    CHECK_INT(p.data_calls, 1);

    p.pause_in_data = true;
    CHECK(write(p.far, " one", 4) == 4);
    turns(2);
    CHECK(write(p.far, " two", 4) == 4);
    turns(3);
    CHECK_STR(slice_of(p.got, p.got_len), "hello one");
    p.pause_in_data = false;
    conn_pause_read(p.conn, false);
    CHECK_STR(slice_of(p.got, p.got_len), "hello one"); /* not from inside the call */
    turns(2);
    CHECK_STR(slice_of(p.got, p.got_len), "hello one two");

    close(p.far); /* no eof callback: closes */
    p.far = -1;
    turns(3);
    CHECK_INT(p.closed, 1);
    CHECK_INT(p.reason, 0);
    peer_done(&p);
    stop();
}

TEST(bytes_arrive_and_reading_can_be_paused)
{
    run_in_loop(receives, NULL);
}

static void *flood(size_t bytes)
{
    char *all = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        all[i] = (char)(i * 7 + i / 251);
    return all;
}

static void receives_much(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops, 0);
    enum { TOTAL = 6 << 20 };
    char *all = flood(TOTAL);
    size_t sent = 0;
    while (sent < TOTAL) {
        ssize_t n = write(p.far, all + sent, TOTAL - sent);
        if (n > 0)
            sent += (size_t)n;
        coro_yield();
    }
    shutdown(p.far, SHUT_WR);
    turns(20);
    CHECK_INT(p.got_total, TOTAL);
    CHECK(memcmp(p.got, all, sizeof p.got) == 0);
    CHECK_INT(p.closed, 1); /* the end was seen behind the last byte */
    peer_done(&p);
    free(all);
    stop();
}

TEST(a_flood_and_the_end_behind_it_are_read)
{
    run_in_loop(receives_much, NULL);
}

static void ten_packets(struct peer *p)
{
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == 0);
    *p = (struct peer){.far = fds[1]};
    struct error err = {0};
    CHECK_OK(conn_new(loop_current(), fds[0], &ops, p, &p->conn, &err), &err);
    turns(2); /* what comes is an edge of its own */
    for (int i = 0; i < 10; i++)
        CHECK(write(p->far, &"0123456789"[i], 1) == 1);
    shutdown(p->far, SHUT_WR);
}

static void reads_in_portions(void *arg)
{
    (void)arg;
    /* A read gives one packet, and the end is announced: all must be read, without a new edge. */
    struct peer p;
    ten_packets(&p);
    coro_yield();
    CHECK(p.data_calls >= 1 && p.data_calls < 10); /* others had their turn */
    turns(10);
    CHECK_STR(slice_of(p.got, p.got_len), "0123456789");
    CHECK_INT(p.closed, 1);
    peer_done(&p);

    /* The same with a pause after each. */
    ten_packets(&p);
    p.pause_in_data = true;
    for (int i = 1; i <= 10; i++) {
        turns(3);
        CHECK_INT(p.data_calls, i);
        conn_pause_read(p.conn, false);
    }
    turns(3);
    CHECK_INT(p.closed, 1);
    peer_done(&p);
    stop();
}

TEST(reading_goes_on_in_portions_up_to_the_end)
{
    run_in_loop(reads_in_portions, NULL);
}

static void half_closed(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops_with_eof, 0);
    CHECK(write(p.far, "q", 1) == 1);
    shutdown(p.far, SHUT_WR);
    turns(3);
    CHECK_INT(p.got_len, 1);
    CHECK_INT(p.eofs, 1);
    CHECK_INT(p.closed, 0);
    conn_send_bytes(p.conn, SLICE("answer"));
    conn_close(p.conn);
    turns(2);
    char text[16];
    CHECK_INT(far_read(&p, text, sizeof text), 6);
    CHECK_INT(p.closed, 1); /* the peer had ended before: nothing to wait for */
    CHECK_INT(p.eofs, 1);
    peer_done(&p);
    stop();
}

TEST(after_the_peers_end_an_answer_still_leaves)
{
    run_in_loop(half_closed, NULL);
}

/* --- sending --------------------------------------------------------------------------------- */

static void joins_frames(void *arg)
{
    (void)arg;
    /* A seqpacket pair keeps the borders of writes: what arrives as one packet left in one call. */
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == 0);
    struct peer p = {.far = fds[1]};
    struct error err = {0};
    CHECK_OK(conn_new(loop_current(), fds[0], &ops, &p, &p.conn, &err), &err);
    struct frame *frame = frame_copy(SLICE("abc"));
    for (int i = 0; i < 3; i++)
        conn_send(p.conn, frame);
    conn_send_bytes(p.conn, SLICE("-end"));
    conn_send_bytes(p.conn, SLICE(""));
    CHECK_INT(frame->refs, 4);
    CHECK_INT(p.conn->queued_bytes, 13);
    char text[300];
    CHECK(read(p.far, text, sizeof text) < 0); /* not before the end of the turn */
    coro_yield();
    ssize_t n = read(p.far, text, sizeof text);
    CHECK_STR(slice_of(text, n > 0 ? (size_t)n : 0), "abcabcabc-end");
    CHECK(read(p.far, text, sizeof text) < 0 && errno == EAGAIN);
    CHECK_INT(p.conn->queued_bytes, 0);
    CHECK_INT(frame->refs, 1);
    for (int i = 0; i < 65; i++) /* one more than fit into one call */
        conn_send(p.conn, frame);
    coro_yield();
    CHECK_INT(read(p.far, text, sizeof text), 64 * 3);
    CHECK_INT(read(p.far, text, sizeof text), 3);
    frame_unref(frame);
    peer_done(&p);
    stop();
}

TEST(frames_of_one_turn_leave_in_one_write)
{
    run_in_loop(joins_frames, NULL);
}

static void partial_writes(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops, 4096);
    enum { TOTAL = 400000 };
    char *all = flood(TOTAL), *back = malloc(TOTAL);
    /* Frames of many sizes, some larger than the socket's buffer. */
    size_t at = 0, step = 1;
    while (at < TOTAL) {
        size_t len = step < TOTAL - at ? step : TOTAL - at;
        conn_send_bytes(p.conn, slice_of(all + at, len));
        at += len;
        step = step * 3 % 30011 + 1;
    }
    conn_want_drain(p.conn);
    CHECK_INT(p.conn->queued_bytes, TOTAL);
    turns(2);
    CHECK(p.conn->queued_bytes > 0);
    CHECK_INT(p.drained, 0);
    size_t got = 0;
    for (int i = 0; i < 20000 && got < TOTAL; i++) {
        ssize_t n = read(p.far, back + got,
                         1 + (size_t)(i * 37 % 5000) < TOTAL - got ? 1 + (size_t)(i * 37 % 5000)
                                                                   : TOTAL - got);
        if (n > 0)
            got += (size_t)n;
        coro_yield();
    }
    CHECK_INT(got, TOTAL);
    CHECK(memcmp(all, back, TOTAL) == 0);
    turns(2);
    CHECK_INT(p.drained, 1);
    CHECK_INT(p.conn->queued_bytes, 0);
    conn_want_drain(p.conn); /* empty already: told at the end of the turn */
    CHECK_INT(p.drained, 1);
    coro_yield();
    CHECK_INT(p.drained, 2);
    peer_done(&p);
    free(all);
    free(back);
    stop();
}

TEST(partial_writes_lose_and_double_nothing)
{
    run_in_loop(partial_writes, NULL);
}

static bool starts_with(const struct frame *frame, void *arg)
{
    return frame->bytes[0] == *(const char *)arg;
}

static void drops(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops, 4096);
    char *big = malloc(100000);
    memset(big, 'e', 100000);
    conn_send_bytes(p.conn, slice_of(big, 100000)); /* will be partly sent: cannot be dropped */
    turns(1);
    size_t stuck = p.conn->queued_bytes;
    CHECK(stuck > 0 && stuck < 100000);
    for (int i = 0; i < 20; i++) {
        conn_send_bytes(p.conn, SLICE("ephemeral"));
        conn_send_bytes(p.conn, SLICE("DURABLE"));
    }
    conn_drop(p.conn, starts_with, &(char){'e'});
    CHECK_INT(p.conn->queued_bytes, (long long)(stuck + 20 * 7));
    size_t total = 0;
    char text[5000];
    for (int i = 0; i < 1000; i++) {
        total += far_read(&p, text, sizeof text);
        coro_yield();
    }
    CHECK_INT(total, 100000 + 20 * 7);
    CHECK_INT(p.conn->queued_bytes, 0);
    conn_drop(p.conn, starts_with, &(char){'e'}); /* nothing there */
    conn_send_bytes(p.conn, SLICE("e1"));
    conn_drop(p.conn, starts_with, &(char){'e'}); /* the only one */
    CHECK_INT(p.conn->queued_bytes, 0);
    turns(2);
    CHECK_INT(far_read(&p, text, sizeof text), 0);
    peer_done(&p);
    free(big);
    stop();
}

TEST(ephemeral_frames_are_dropped_but_never_half_a_frame)
{
    run_in_loop(drops, NULL);
}

/* --- ending ---------------------------------------------------------------------------------- */

static void close_queued(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops, 4096);
    char *all = flood(50000), *back = malloc(50001);
    conn_send_bytes(p.conn, slice_of(all, 50000));
    conn_close(p.conn);
    conn_close(p.conn);
    conn_send_bytes(p.conn, SLICE("too late"));
    CHECK(write(p.far, "unwanted", 8) == 8);
    size_t got = 0;
    for (int i = 0; i < 200; i++) {
        got += far_read(&p, back + got, 50001 - got);
        coro_yield();
    }
    CHECK_INT(got, 50000);
    CHECK(memcmp(all, back, 50000) == 0);
    CHECK_INT(p.got_len, 0); /* no more data once it closes */
    CHECK_INT(read(p.far, back, 1), 0);
    CHECK_INT(p.closed, 0); /* waits for the peer's end */
    close(p.far);
    p.far = -1;
    turns(3);
    CHECK_INT(p.closed, 1);
    peer_done(&p);
    free(all);
    free(back);
    stop();
}

TEST(closing_sends_what_is_queued_first)
{
    run_in_loop(close_queued, NULL);
}

static void ends_inside_data(void *arg)
{
    (void)arg;
    struct peer p;
    peer_init(&p, &ops, 0);
    p.abort_in_data = true;
    p.echo = true;
    CHECK(write(p.far, "x", 1) == 1);
    turns(3);
    CHECK_INT(p.data_calls, 1);
    CHECK_INT(p.closed, 1);
    peer_done(&p);

    peer_init(&p, &ops, 0);
    p.close_in_data = true;
    p.echo = true;
    CHECK(write(p.far, "x", 1) == 1);
    turns(3);
    char c = 0;
    CHECK(read(p.far, &c, 1) == 1 && c == 'x');
    CHECK(read(p.far, &c, 1) == 0);
    peer_done(&p);
    stop();
}

TEST(a_connection_may_end_inside_its_data_callback)
{
    run_in_loop(ends_inside_data, NULL);
}

static void peer_vanishes(void *arg)
{
    (void)arg;
    /* The bytes have nowhere to go: dropped, and `closed` says why. */
    struct peer p;
    peer_init(&p, &ops_with_eof, 0);
    close(p.far);
    p.far = -1;
    conn_send_bytes(p.conn, SLICE("nobody"));
    turns(3);
    CHECK_INT(p.closed, 1);
    CHECK_INT(p.reason, EPIPE);
    peer_done(&p);
    stop();
}

TEST(sending_to_a_vanished_peer_ends_in_closed)
{
    run_in_loop(peer_vanishes, NULL);
}

struct fake_time {
    struct clock_fake clock;
    struct peer silent, deaf, slow;
};

/* A large answer over a slow line is sent to its end; who stops reading is cut off. */
static void slow_peer(struct fake_time *t)
{
    enum { ALL = 300000, STEP = 40000, STEPS = 4 };
    static char piece[STEP];
    char *big = flood(ALL);
    peer_init(&t->slow, &ops, 4096);
    conn_send_bytes(t->slow.conn, slice_of(big, ALL));
    free(big);
    conn_close(t->slow.conn);
    turns(2);
    for (int i = 0; i < STEPS; i++) {
        for (size_t taken = 0; taken < STEP; turns(2))
            taken += far_read(&t->slow, piece, STEP - taken);
        clock_fake_advance(&t->clock, 10000);
        turns(2);
        CHECK_INT(t->slow.closed, 0);
    }
    clock_fake_advance(&t->clock, 10000);
    turns(2);
    CHECK_INT(t->slow.closed, 1);
    peer_done(&t->slow);
}

static void never_ending_peers(void *arg)
{
    struct fake_time *t = arg;
    peer_init(&t->silent, &ops, 0);  /* takes everything, never ends its side */
    peer_init(&t->deaf, &ops, 4096); /* takes nothing */
    char *big = flood(100000);
    conn_send_bytes(t->silent.conn, SLICE("bye"));
    conn_send_bytes(t->deaf.conn, slice_of(big, 100000));
    free(big);
    conn_close(t->silent.conn);
    conn_close(t->deaf.conn);
    turns(2);
    clock_fake_advance(&t->clock, 1999);
    turns(2);
    CHECK_INT(t->silent.closed, 0);
    clock_fake_advance(&t->clock, 1);
    turns(2);
    CHECK_INT(t->silent.closed, 1);
    CHECK_INT(t->deaf.closed, 0);
    clock_fake_advance(&t->clock, 8000);
    turns(2);
    CHECK_INT(t->deaf.closed, 1);
    peer_done(&t->silent);
    peer_done(&t->deaf);
    slow_peer(t);
    stop();
}

TEST(closing_has_a_deadline)
{
    struct fake_time t;
    clock_fake_init(&t.clock, 0);
    struct loop *loop = NULL;
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){.clock = &t.clock.clock}, &loop, &err), &err);
    CHECK_OK(coro_spawn(loop, never_ending_peers, &t, &err), &err);
    loop_run(loop);
    loop_free(loop);
}

/* --- listening ------------------------------------------------------------------------------- */

struct accepted {
    int count, fds[64];
};

static void take(void *arg, int fd)
{
    struct accepted *a = arg;
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    a->fds[a->count++] = fd;
}

static int dial(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static void listens(void *arg)
{
    (void)arg;
    struct error err = {0};
    struct accepted one = {0}, two = {0};
    struct listener *first = NULL, *second = NULL;
    CHECK_OK(listener_open(loop_current(), "127.0.0.1:0", take, &one, &first, &err), &err);
    uint16_t port = listener_port(first);
    CHECK(port != 0);
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    CHECK_OK(listener_open(loop_current(), address, take, &two, &second, &err), &err);
    int fds[20];
    for (int i = 0; i < 20; i++)
        fds[i] = dial(port);
    turns(3);
    CHECK_INT(one.count + two.count, 20);
    struct accepted *some = one.count != 0 ? &one : &two;

    struct peer p = {.far = -1};
    CHECK_OK(conn_new(loop_current(), some->fds[0], &ops, &p, &p.conn, &err), &err);
    struct in6_addr from;
    uint16_t from_port;
    CHECK(conn_peer(p.conn, &from, &from_port));
    CHECK(IN6_IS_ADDR_V4MAPPED(&from) && from.s6_addr[12] == 127 && from.s6_addr[15] == 1);
    some->fds[0] = -1;
    conn_abort(p.conn);
    CHECK(!conn_peer(p.conn, &from, &from_port));
    peer_done(&p);

    for (int i = 0; i < 20; i++)
        close(fds[i]);
    for (int i = 0; i < one.count; i++)
        close(one.fds[i]);
    for (int i = 0; i < two.count; i++)
        close(two.fds[i]);
    listener_close(first);
    listener_close(second);
    stop();
}

TEST(two_listeners_share_a_port)
{
    run_in_loop(listens, NULL);
}

/* A sender that fills the kernel's buffers faster than they are read: reads of full length, and
 * more than one event's share of them. What arrives must not depend on whether that happens. */
enum { FLOOD_BYTES = 24 << 20 };

static void *pour(void *arg)
{
    char *all = flood(65536);
    for (size_t sent = 0; sent < FLOOD_BYTES;) {
        ssize_t n = write(*(int *)arg, all + sent % 65536, 65536 - sent % 65536);
        CHECK(n > 0);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    shutdown(*(int *)arg, SHUT_WR);
    free(all);
    return NULL;
}

struct check_flood {
    size_t at;
    bool wrong, closed;
};

static void check_flood(struct conn *conn, const char *bytes, size_t len)
{
    struct check_flood *check = conn->user;
    for (size_t i = 0; i < len; i++, check->at++)
        check->wrong |= bytes[i] != (char)(check->at % 65536 * 7 + check->at % 65536 / 251);
}

static void flood_closed(struct conn *conn, int reason)
{
    CHECK_INT(reason, 0);
    ((struct check_flood *)conn->user)->closed = true;
}

static void tcp_flood(void *arg)
{
    (void)arg;
    static const struct conn_ops flood_ops = {.data = check_flood, .closed = flood_closed};
    struct error err = {0};
    struct accepted a = {0};
    struct check_flood check = {0};
    struct listener *listener = NULL;
    struct conn *conn = NULL;
    CHECK_OK(listener_open(loop_current(), "127.0.0.1:0", take, &a, &listener, &err), &err);
    int fd = dial(listener_port(listener));
    turns(3);
    CHECK_INT(a.count, 1);
    CHECK_OK(conn_new(loop_current(), a.fds[0], &flood_ops, &check, &conn, &err), &err);
    pthread_t thread;
    pthread_create(&thread, NULL, pour, &fd);
    for (int i = 0; !check.closed; i++) {
        conn_pause_read(conn, i % 3 == 0);
        CHECK_INT(coro_sleep(1), 0);
    }
    pthread_join(thread, NULL);
    CHECK_INT(check.at, FLOOD_BYTES);
    CHECK(!check.wrong);
    close(fd);
    listener_close(listener);
    stop();
}

TEST(a_flood_over_tcp_arrives_whole)
{
    run_in_loop(tcp_flood, NULL);
}

static void bad_addresses(void *arg)
{
    (void)arg;
    static const char *const bad[] = {
        "",      "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:1",  "::1:80",
        "[::1]", "[::1:80",   ":80",        "1.2.3:4",         "127.0.0.1:+1", "[127.0.0.1]:80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = {0};
        struct listener *listener = NULL;
        CHECK_INT(listener_open(loop_current(), bad[i], take, NULL, &listener, &err), FAIL_INVALID);
        CHECK(listener == NULL);
    }
    struct error err = {0};
    struct listener *listener = NULL;
    CHECK_INT(listener_open(loop_current(), "192.0.2.1:1", take, NULL, &listener, &err),
              FAIL_INTERNAL);
    CHECK_INT(err.cause_errno, EADDRNOTAVAIL);
    stop();
}

TEST(bad_addresses_are_refused)
{
    run_in_loop(bad_addresses, NULL);
}

static void out_of_descriptors(void *arg)
{
    (void)arg;
    struct error err = {0};
    struct accepted a = {0};
    struct listener *listener = NULL;
    CHECK_OK(listener_open(loop_current(), "127.0.0.1:0", take, &a, &listener, &err), &err);
    struct metric *pauses = metric_register(METRIC_COUNTER, "parley_accept_pauses_total", "", NULL);
    int64_t before = metric_value(pauses);
    int fd = dial(listener_port(listener));
    struct rlimit former, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &former) == 0);
    none = former;
    none.rlim_cur = 3; /* what is open stays open */
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    turns(5);
    CHECK(setrlimit(RLIMIT_NOFILE, &former) == 0);
    CHECK_INT(a.count, 0);
    CHECK_INT(metric_value(pauses), before + 1);
    for (int i = 0; i < 200 && a.count == 0; i++)
        CHECK_INT(coro_sleep(10), 0);
    CHECK_INT(a.count, 1);
    close(fd);
    close(a.fds[0]);
    listener_close(listener);
    stop();
}

TEST(out_of_descriptors_accepting_pauses_and_goes_on)
{
    run_in_loop(out_of_descriptors, NULL);
}

/* --- frames ---------------------------------------------------------------------------------- */

TEST(frames_of_all_sizes_are_reused)
{
    for (int round = 0; round < 3; round++) {
        struct frame *frames[64];
        for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
            size_t len = i * i * i;
            frames[i] = frame_new(len);
            CHECK_INT(frames[i]->len, (long long)len);
            CHECK_INT(frames[i]->refs, 1);
            memset(frames[i]->bytes, (int)i, len);
            CHECK(frame_ref(frames[i]) == frames[i]);
        }
        for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
            frame_unref(frames[i]);
            for (size_t j = 0; j < frames[i]->len; j++)
                if (frames[i]->bytes[j] != (char)i)
                    test_fail(__FILE__, __LINE__, "frame %zu was overwritten at %zu", i, j);
            frame_unref(frames[i]);
        }
    }
}
