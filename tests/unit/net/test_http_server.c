/* The server over real loopback sockets. It runs on a thread of its own with a clock that stands
 * still; the test talks to it through blocking sockets, looks at it and moves its clock by mail.
 * With a fixed clock every answer is known to the byte, Date included. */
#include "harness.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server_private.h"

#define DATE "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
#define OK_HEAD(len) "HTTP/1.1 200 OK\r\n" DATE "Content-Length: " len "\r\n"
#define HELLO OK_HEAD("5") "T: x\r\n\r\nhello"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* --- what the server does ------------------------------------------------------------------------
 */

static struct {
    pthread_t thread;
    struct loop *loop;
    struct http_server *server;
    struct listener *listener;
    struct clock_fake clock;
    struct http_server_config config;
    uint16_t port;
    sem_t ready;
    int served, done, cancelled, last_status, handed_over, raw_closed, body_end;
    uint32_t most_queued;
    struct coro *parked;
} s;

static bool at(const struct http_exchange *x, const char *path)
{
    return slice_eq(x->head.path, slice_str(path));
}

static int64_t admit(struct http_exchange *x)
{
    x->user = &s;
    if (at(x, "/forbidden"))
        return error_set(&x->error, FAIL_FORBIDDEN, "forbidden", "not for you");
    x->stream_body = at(x, "/upload") || at(x, "/ignore");
    if (x->stream_body)
        return 8 << 20;
    if (at(x, "/ten"))
        return 10;
    return x->head.method == HTTP_GET || x->head.method == HTTP_HEAD ? 0 : 1 << 20;
}

static void stream(struct http_exchange *x, unsigned pieces)
{
    static char piece[64 << 10];
    memset(piece, 'p', sizeof piece);
    http_stream_start(x, 200, SLICE(""));
    for (unsigned i = 0; i < pieces; i++) {
        if (http_stream_write(x, slice_of(piece, sizeof piece)) < 0)
            return;
        uint32_t queued = x->conn->conn->queued_bytes;
        s.most_queued = queued > s.most_queued ? queued : s.most_queued;
    }
    http_stream_end(x);
}

/* Answers with a checksum; sleeps where a piece begins with 'S'. */
static void upload(struct http_exchange *x)
{
    struct slice piece;
    uint32_t sum = 0, len = 0;
    int rc;
    while ((rc = http_body_read(x, &piece)) == 1) {
        if (piece.ptr[0] == 'S' && coro_sleep(1000) != 0)
            return;
        for (size_t i = 0; i < piece.len; i++)
            sum = sum * 31 + (uint8_t)piece.ptr[i];
        len += (uint32_t)piece.len;
    }
    s.body_end = rc;
    char text[40];
    int n = snprintf(text, sizeof text, "%08u:%010u", len, sum);
    if (rc == 0)
        http_reply(x, 200, SLICE(""), slice_of(text, (size_t)n));
}

static void raw_data(struct conn *conn, const char *bytes, size_t len)
{
    conn_send_bytes(conn, slice_of(bytes, len));
}

static void raw_closed(struct conn *conn, int reason)
{
    s.raw_closed++;
}

static const struct conn_ops raw_ops = {.data = raw_data, .closed = raw_closed};

static void upgrade(struct http_exchange *x)
{
    struct slice rest;
    struct conn *conn = http_upgrade(x, SLICE("HTTP/1.1 101 Switching Protocols\r\n\r\n"), &rest);
    if (conn == NULL)
        return;
    s.handed_over++;
    conn->ops = &raw_ops;
    conn->user = NULL;
    conn_send_bytes(conn, rest);
}

static void serve(struct http_exchange *x)
{
    static char large[300 << 10];
    s.served++;
    CHECK(x->user == &s && x->server_arg == &s && x->loop == s.loop);
    if (at(x, "/echo") || at(x, "/ten"))
        http_reply(x, 200, SLICE(""), x->body);
    else if (at(x, "/sleep") && coro_sleep(1000) == 0)
        http_reply(x, 200, SLICE(""), SLICE("slept"));
    else if (at(x, "/forever"))
        s.cancelled += coro_park(CORO_FOREVER) == FAIL_CANCELLED;
    else if (at(x, "/none"))
        return;
    else if (at(x, "/204") || at(x, "/304"))
        http_reply(x, at(x, "/204") ? 204 : 304, SLICE(""), SLICE("no such body"));
    else if (at(x, "/too-large"))
        http_reply(x, 200, SLICE(""), slice_of(large, sizeof large));
    else if (at(x, "/static"))
        http_reply_static(x, 200, SLICE(""), slice_of(memset(large, 's', sizeof large), 280 << 10));
    else if (at(x, "/stream"))
        stream(x, 2);
    else if (at(x, "/flood"))
        stream(x, 200);
    else if (at(x, "/half"))
        http_stream_start(x, 200, SLICE(""));
    else if (at(x, "/upload"))
        upload(x);
    else if (at(x, "/upgrade"))
        upgrade(x);
    else if (!at(x, "/sleep"))
        http_reply(x, 200, SLICE("T: x\r\n"), SLICE("hello"));
}

static void refuse(struct http_exchange *x)
{
    http_reply(x, error_http_status(x->error.kind), SLICE("R: y\r\n"), slice_str(x->error.code));
}

static void done(struct http_exchange *x)
{
    s.done++;
    s.last_status = x->status;
}

static const struct http_server_ops ops = {admit, serve, refuse, done};

/* --- the thread and the mail to it
 * ---------------------------------------------------------------- */

static void accepted(void *arg, int fd)
{
    http_server_accept(s.server, fd);
}

static void *run(void *arg)
{
    struct error err;
    error_init(&err);
    struct loop_config config = {.clock = &s.clock.clock};
    CHECK_OK(loop_new(&config, &s.loop, &err), &err);
    CHECK_OK(http_server_new(s.loop, &s.config, &s.server, &err), &err);
    CHECK_OK(listener_open(s.loop, "127.0.0.1:0", accepted, NULL, &s.listener, &err), &err);
    s.port = listener_port(s.listener);
    sem_post(&s.ready);
    loop_run(s.loop);
    return NULL;
}

static void start(void)
{
    struct http_server_config config = s.config;
    memset(&s, 0, sizeof s);
    s.config = config;
    s.config.ops = &ops;
    s.config.arg = &s;
    s.config.answer_bytes_max = 280 << 10;
    clock_fake_init(&s.clock, 0);
    sem_init(&s.ready, 0, 0);
    panic_if(pthread_create(&s.thread, NULL, run, NULL) != 0, "pthread_create");
    sem_wait(&s.ready);
}

struct call {
    struct mail mail;
    void (*fn)(void *arg);
    void *arg;
    sem_t over;
};

static void deliver(struct mail *mail)
{
    struct call *call = CONTAINER_OF(mail, struct call, mail);
    call->fn(call->arg);
    sem_post(&call->over);
}

static void on_loop(void (*fn)(void *arg), void *arg)
{
    struct call call = {.mail = {.deliver = deliver}, .fn = fn, .arg = arg};
    sem_init(&call.over, 0, 0);
    loop_post(s.loop, &call.mail);
    sem_wait(&call.over);
    sem_destroy(&call.over);
}

static void nothing(void *arg)
{
}

static void move_clock(void *arg)
{
    clock_fake_advance(&s.clock, *(int64_t *)arg);
}

static void advance(int64_t ms)
{
    on_loop(move_clock, &ms);
    on_loop(nothing, NULL); /* a turn that began after the clock had moved */
}

static void shut(void *arg)
{
    listener_close(s.listener);
    http_server_free(s.server);
}

static void stop(void)
{
    on_loop(shut, NULL);
    on_loop(nothing, NULL); /* cancelled coroutines have ended */
    loop_stop(s.loop);
    pthread_join(s.thread, NULL);
    loop_free(s.loop); /* not before loop_stop has returned */
    sem_destroy(&s.ready);
    s.config = (struct http_server_config){0};
}

static void count_states(void *arg)
{
    int *counts = arg;
    for (struct list *l = s.server->conns.next; l != &s.server->conns; l = l->next)
        counts[CONTAINER_OF(l, struct http_conn, link)->state]++;
}

/* Waits until so many connections are in that state; ends because the test times out if never. */
static void wait_state(enum http_state state, int count)
{
    for (;;) {
        int counts[STATE_GONE + 1] = {0};
        on_loop(count_states, counts);
        if (counts[state] == count)
            return;
        poll(NULL, 0, 1);
    }
}

static void read_int(void *arg)
{
    int **pair = arg;
    *pair[0] = *pair[1];
}

static int value_of(int *counter)
{
    int value = 0;
    int *pair[] = {&value, counter};
    on_loop(read_int, pair);
    return value;
}

/* --- the client
 * ------------------------------------------------------------------------------------ */

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(s.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    panic_if(connect(fd, (struct sockaddr *)&to, sizeof to) != 0, "connect: %s", strerror(errno));
    return fd;
}

static void say_bytes(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        text = slice_of(text.ptr + n, text.len - (size_t)n);
    }
}

static void say(int fd, const char *text)
{
    say_bytes(fd, slice_str(text));
}

static size_t hear_bytes(int fd, char *to, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = recv(fd, to + have, len - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return have;
}

#define HEAR(fd, want)                                                                             \
    do {                                                                                           \
        char got__[8192];                                                                          \
        size_t len__ = hear_bytes((fd), got__, strlen(want));                                      \
        CHECK_STR(slice_of(got__, len__), want);                                                   \
    } while (0)

static void hear_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    if (n != 0)
        test_fail(__FILE__, __LINE__, "no end: %zd '%c' %s", n, byte, n < 0 ? strerror(errno) : "");
    close(fd);
}

static const char *refusal(const char *status, const char *code, bool close)
{
    static char text[500];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\n" DATE "Content-Length: %zu\r\n%sR: y\r\n\r\n%s",
             status, strlen(code), close ? "Connection: close\r\n" : "", code);
    return text;
}

/* --- requests and answers ------------------------------------------------------------------------
 */

TEST(one_after_the_other_on_one_connection)
{
    start();
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, GET("/"));
        HEAR(fd, HELLO);
    }
    wait_state(STATE_IDLE, 1);
    CHECK_INT(value_of(&s.done), 3);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    HEAR(fd, OK_HEAD("4") "\r\nbody");
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: r\r\n\r\n");
    HEAR(fd, OK_HEAD("5") "\r\nabcde");
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    HEAR(fd, OK_HEAD("5") "Connection: close\r\nT: x\r\n\r\nhello");
    hear_end(fd);
    stop();
}

TEST(requests_cut_anywhere)
{
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
    static const char chunks[] = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                                 "\r\n3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n";
    static const char *const texts[] = {post, chunks};
    start();
    int fd = dial();
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        size_t len = strlen(texts[t]), head = (size_t)(strstr(texts[t], "\r\n\r\n") - texts[t]) + 4;
        for (size_t cut = 1; cut < len; cut++) {
            wait_state(STATE_IDLE, 1);
            say_bytes(fd, slice_of(texts[t], cut));
            wait_state(cut < head ? STATE_HEAD : STATE_BODY, 1);
            say_bytes(fd, slice_of(texts[t] + cut, len - cut));
            HEAR(fd, OK_HEAD("4") "\r\nbody");
        }
    }
    close(fd);
    stop();
}

TEST(byte_by_byte)
{
    start();
    int fd = dial();
    for (const char *p = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"; *p; p++)
        say_bytes(fd, slice_of(p, 1));
    HEAR(fd, OK_HEAD("2") "\r\nhi");
    close(fd);
    stop();
}

TEST(pipelined_requests_are_answered_in_order)
{
    start();
    int fd = dial();
    say(fd, GET("/") GET("/sleep") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
                                   "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" GET("/none"));
    HEAR(fd, HELLO);
    wait_state(STATE_SERVING, 1);
    CHECK_INT(value_of(&s.served), 2);
    advance(1000);
#undef DATE
#define DATE "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n"
    HEAR(fd, OK_HEAD("5") "\r\nslept" OK_HEAD("1") "\r\nx" OK_HEAD("5") "T: x\r\n\r\n");
    HEAR(fd,
         "HTTP/1.1 500 Internal Server Error\r\n" DATE "Content-Length: 8\r\nR: y\r\n\r\ninternal");
#undef DATE
#define DATE "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    close(fd);
    stop();
}

TEST(many_pipelined_requests_with_a_client_that_ends_its_side)
{
    start();
    int fd = dial();
    for (int i = 0; i < 100; i++)
        say(fd, GET("/"));
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100; i++)
        HEAR(fd, HELLO);
    hear_end(fd);
    stop();
}

struct flood {
    int fd, requests;
};

static void *send_flood(void *arg)
{
    const struct flood *flood = arg;
    for (int i = 0; i < flood->requests; i++)
        say(flood->fd, GET("/"));
    return NULL;
}

static void find_paused(void *arg)
{
    for (struct list *l = s.server->conns.next; l != &s.server->conns; l = l->next) {
        const struct http_conn *hc = CONTAINER_OF(l, struct http_conn, link);
        if (hc->paused)
            *(size_t *)arg = hc->input->len;
    }
}

/* More than is looked ahead: reading pauses while the first is served, and nothing is lost. */
TEST(a_client_far_ahead_is_not_read)
{
    start();
    struct flood flood = {dial(), 20000};
    pthread_t sender;
    size_t kept = 0;
    say(flood.fd, GET("/sleep"));
    wait_state(STATE_SERVING, 1);
    panic_if(pthread_create(&sender, NULL, send_flood, &flood) != 0, "pthread_create");
    while (kept == 0)
        on_loop(find_paused, &kept);
    CHECK(kept > 64 << 10 && kept < 400 << 10);
    CHECK_INT(value_of(&s.served), 1);
    advance(1000);
    char answer[sizeof HELLO];
    CHECK_INT(hear_bytes(flood.fd, answer, sizeof OK_HEAD("5") "\r\nslept" - 1),
              sizeof OK_HEAD("5") "\r\nslept" - 1);
    for (int i = 0; i < flood.requests; i++)
        CHECK_INT(hear_bytes(flood.fd, answer, sizeof HELLO - 1), sizeof HELLO - 1);
    pthread_join(sender, NULL);
    CHECK_INT(value_of(&s.served), flood.requests + 1);
    close(flood.fd);
    stop();
}

TEST(old_clients)
{
    start();
    int fd = dial();
    say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    HEAR(fd, OK_HEAD("5") "Connection: keep-alive\r\nT: x\r\n\r\nhello");
    say(fd, "GET / HTTP/1.0\r\n\r\n");
    HEAR(fd, OK_HEAD("5") "Connection: close\r\nT: x\r\n\r\nhello");
    hear_end(fd);
    fd = dial();
    say(fd, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    HEAR(fd, "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n\r\n");
    char *body = malloc(128 << 10);
    CHECK_INT(hear_bytes(fd, body, 128 << 10), 128 << 10);
    free(body);
    hear_end(fd);
    stop();
}

TEST(answers_without_a_body)
{
    start();
    int fd = dial();
    say(fd, GET("/204") GET("/304") "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
                                    "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" GET("/"));
    HEAR(fd,
         "HTTP/1.1 204 No Content\r\n" DATE "\r\n"
         "HTTP/1.1 304 Not Modified\r\n" DATE
         "\r\n" OK_HEAD("5") "T: x\r\n\r\n"
                             "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n" HELLO);
    close(fd);
    stop();
}

TEST(what_cannot_be_parsed_is_refused_and_closed)
{
    static const struct {
        const char *request, *status, *code;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", "400 Bad Request", "bad_line"},
        {"\x16\x03\x01", "400 Bad Request", "bad_method"},
        {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "bad_host"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported",
         "version_not_supported"},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", "417 Expectation Failed",
         "expectation_failed"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
         "501 Not Implemented", "transfer_coding_not_implemented"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz", "400 Bad Request",
         "bad_chunk"},
    };
    start();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = dial();
        say(fd, GET("/"));
        HEAR(fd, HELLO);
        say(fd, rows[i].request);
        HEAR(fd, refusal(rows[i].status, rows[i].code, true));
        hear_end(fd);
    }
    CHECK_INT(value_of(&s.done), 2 * (int)ARRAY_LEN(rows));
    stop();
}

TEST(limits_of_the_head)
{
    start();
    char *text = malloc(50000);
    memset(text, 'a', 50000);
    int fd = dial();
    say(fd, "GET /");
    say_bytes(fd, slice_of(text, 9000));
    HEAR(fd, refusal("414 URI Too Long", "uri_too_long", true));
    hear_end(fd);
    fd = dial();
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\nA: ");
    say_bytes(fd, slice_of(text, 40000));
    HEAR(fd, refusal("431 Request Header Fields Too Large", "headers_too_large", true));
    hear_end(fd);
    free(text);
    stop();
}

/* --- bodies --------------------------------------------------------------------------------------
 */

TEST(refused_requests_keep_the_connection_when_their_body_is_here)
{
    start();
    int fd = dial();
    say(fd, "POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" GET("/"));
    HEAR(fd, refusal("403 Forbidden", "forbidden", false));
    HEAR(fd, HELLO);
    say(fd, GET("/forbidden") GET("/"));
    HEAR(fd, refusal("403 Forbidden", "forbidden", false));
    HEAR(fd, HELLO);
    say(fd, "POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody");
    HEAR(fd, refusal("403 Forbidden", "forbidden", true));
    hear_end(fd);
    fd = dial();
    say(fd, "POST /forbidden HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    HEAR(fd, refusal("403 Forbidden", "forbidden", true));
    hear_end(fd);
    stop();
}

TEST(bodies_over_their_limit)
{
    start();
    int fd = dial();
    say(fd, "POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    HEAR(fd, OK_HEAD("10") "\r\n0123456789");
    say(fd, "POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
    HEAR(fd, refusal("413 Content Too Large", "body_too_large", true));
    hear_end(fd);
    fd = dial();
    say(fd, "POST /ten HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n");
    HEAR(fd, refusal("413 Content Too Large", "body_too_large", true));
    hear_end(fd);
    fd = dial();
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    HEAR(fd, refusal("413 Content Too Large", "body_too_large", true));
    hear_end(fd);
    stop();
}

/* The client goes on sending what was refused; the answer must reach it all the same. */
TEST(an_answer_survives_the_rest_of_a_refused_body)
{
    start();
    int fd = dial();
    char *text = calloc(1, 100000);
    say(fd, "POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
    for (int i = 0; i < 3; i++)
        say_bytes(fd, slice_of(text, 100000));
    shutdown(fd, SHUT_WR);
    HEAR(fd, refusal("403 Forbidden", "forbidden", true));
    hear_end(fd);
    free(text);
    stop();
}

TEST(large_bodies)
{
    enum { LEN = 200 << 10 };
    start();
    int fd = dial();
    char *text = malloc(LEN), *back = malloc(LEN);
    for (size_t i = 0; i < LEN; i++)
        text[i] = (char)('a' + i % 23);
    for (int round = 0; round < 3; round++) {
        char head[200];
        int len = snprintf(head, sizeof head,
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", LEN);
        say_bytes(fd, slice_of(head, (size_t)len));
        say_bytes(fd, slice_of(text, LEN));
        HEAR(fd, OK_HEAD("204800") "\r\n");
        CHECK_INT(hear_bytes(fd, back, LEN), LEN);
        CHECK(memcmp(text, back, LEN) == 0);
    }
    free(text);
    free(back);
    close(fd);
    stop();
}

TEST(continue_is_said_only_to_who_may_send)
{
    start();
    int fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    HEAR(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "ok");
    HEAR(fd, OK_HEAD("2") "\r\nok");
    say(fd,
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
    HEAR(fd, OK_HEAD("2") "\r\nok");
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
    HEAR(fd, OK_HEAD("0") "\r\n");
    say(fd, "POST /forbidden HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            "Content-Length: 2\r\n\r\n");
    HEAR(fd, refusal("403 Forbidden", "forbidden", true));
    hear_end(fd);
    stop();
}

/* --- bodies taken piece by piece
 * ------------------------------------------------------------------ */

static const char *uploaded(const char *data, size_t count)
{
    static char text[100];
    uint32_t sum = 0, len = 0;
    for (; count > 0; count--)
        for (const char *p = data; *p != 0; p++, len++)
            sum = sum * 31 + (uint8_t)*p;
    snprintf(text, sizeof text, OK_HEAD("19") "\r\n%08u:%010u", len, sum);
    return text;
}

TEST(bodies_piece_by_piece)
{
    static const char *const texts[] = {
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nupload" GET("/"),
        "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nupl\r\n3\r\noad\r\n0\r\n\r\n" GET("/"),
    };
    start();
    int fd = dial();
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        struct slice text = slice_str(texts[t]);
        size_t head = (size_t)(strstr(texts[t], "\r\n\r\n") - texts[t]) + 4;
        for (size_t cut = head; cut < text.len; cut++) {
            say_bytes(fd, slice_of(text.ptr, cut));
            if (cut < text.len - sizeof GET("/"))
                wait_state(STATE_SERVING, 1);
            say_bytes(fd, slice_of(text.ptr + cut, text.len - cut));
            HEAR(fd, uploaded("upload", 1));
            HEAR(fd, HELLO);
            wait_state(STATE_IDLE, 1);
        }
    }
    close(fd);
    stop();
}

TEST(large_bodies_piece_by_piece)
{
    enum { TIMES = 400000 };
    start();
    int fd = dial();
    char *text = malloc(TIMES * 10);
    for (size_t i = 0; i < TIMES; i++)
        memcpy(text + i * 10, "0123456789", 10);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n"
            "Expect: 100-continue\r\n\r\n");
    HEAR(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    say_bytes(fd, slice_of(text, TIMES * 10));
    HEAR(fd, uploaded("0123456789", TIMES));
    free(text);
    close(fd);
    stop();
}

static void *send_upload(void *arg)
{
    const struct flood *flood = arg;
    for (int i = 0; i < flood->requests; i++)
        say(flood->fd, "0123456789");
    return NULL;
}

TEST(an_upload_that_is_not_taken_is_held_back)
{
    start();
    struct flood flood = {dial(), 400000};
    pthread_t sender;
    size_t kept = 0;
    say(flood.fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4000001\r\n\r\nS");
    wait_state(STATE_SERVING, 1);
    panic_if(pthread_create(&sender, NULL, send_upload, &flood) != 0, "pthread_create");
    while (kept == 0)
        on_loop(find_paused, &kept);
    CHECK(kept > 64 << 10 && kept < 400 << 10);
    advance(1000);
    char text[sizeof OK_HEAD("19") + 20];
    CHECK_INT(hear_bytes(flood.fd, text, sizeof OK_HEAD("19") "\r\n" - 1 + 8),
              sizeof OK_HEAD("19") "\r\n" - 1 + 8);
    CHECK(memmem(text, sizeof text, "04000001", 8) != NULL);
    pthread_join(sender, NULL);
    close(flood.fd);
    stop();
}

TEST(pieces_that_end_badly)
{
    start();
    int fd = dial();
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc");
    HEAR(fd, refusal("400 Bad Request", "bad_chunk", true));
    hear_end(fd);
    fd = dial();
    say(fd, "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
    HEAR(fd, OK_HEAD("5") "Connection: close\r\nT: x\r\n\r\nhello");
    hear_end(fd);
    fd = dial();
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\nab");
    HEAR(fd, refusal("413 Content Too Large", "body_too_large", true));
    hear_end(fd);
    fd = dial();
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
    wait_state(STATE_SERVING, 1);
    close(fd);
    while (value_of(&s.body_end) != FAIL_CLOSED)
        poll(NULL, 0, 1);
    fd = dial();
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
    wait_state(STATE_SERVING, 1);
    while (value_of(&s.served) < 4)
        poll(NULL, 0, 1);
    advance(20000);
    char text[40];
    size_t len = hear_bytes(fd, text, strlen("HTTP/1.1 408 "));
    CHECK_STR(slice_of(text, len), "HTTP/1.1 408 ");
    close(fd);
    stop();
}

/* --- streams -------------------------------------------------------------------------------------
 */

TEST(streamed_answers)
{
    start();
    int fd = dial();
    char *body = malloc(64 << 10);
    say(fd, GET("/stream") GET("/"));
    HEAR(fd, "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        HEAR(fd, "10000\r\n");
        CHECK_INT(hear_bytes(fd, body, 64 << 10), 64 << 10);
        HEAR(fd, "\r\n");
    }
    HEAR(fd, "0\r\n\r\n" HELLO);
    free(body);
    close(fd);
    stop();
}

static size_t hear_all(int fd)
{
    static char part[100000];
    size_t total = 0, n;
    while ((n = hear_bytes(fd, part, sizeof part)) > 0)
        total += n;
    return total;
}

/* 12.5 MiB to a client that reads only later: the server holds no more than its bound. */
TEST(a_slow_reader_holds_the_writer_back)
{
    start();
    int fd = dial();
    say(fd, "GET /flood HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    wait_state(STATE_SERVING, 1);
    CHECK(hear_all(fd) > 200 * (64 << 10));
    close(fd);
    CHECK(value_of((int *)&s.most_queued) <= (256 << 10) + (65 << 10));
    stop();
}

TEST(a_client_that_leaves_ends_the_stream)
{
    start();
    int fd = dial();
    say(fd, GET("/flood"));
    HEAR(fd, "HTTP/1.1 200 OK\r\n");
    close(fd); /* with unread bytes: a reset */
    while (value_of(&s.done) == 0)
        poll(NULL, 0, 1);
    stop();
}

TEST(half_an_answer_does_not_end_like_a_whole_one)
{
    start();
    int fd = dial();
    say(fd, GET("/half"));
    char text[1000];
    size_t len = hear_bytes(fd, text, sizeof text);
    CHECK(len < 10 || memcmp(text + len - 5, "0\r\n\r\n", 5) != 0);
    close(fd);
    stop();
}

TEST(static_text_and_answers_too_large)
{
    start();
    int fd = dial();
    char *body = malloc(280 << 10);
    say(fd, GET("/static") GET("/too-large"));
    HEAR(fd, OK_HEAD("286720") "\r\n");
    CHECK_INT(hear_bytes(fd, body, 280 << 10), 280 << 10);
    CHECK(body[0] == 's' && body[(280 << 10) - 1] == 's');
    HEAR(fd, refusal("500 Internal Server Error", "answer_too_large", false));
    free(body);
    close(fd);
    stop();
}

/* --- time-outs -----------------------------------------------------------------------------------
 */

#define LATE(seconds) "Date: Thu, 01 Jan 1970 00:" seconds " GMT\r\n"

TEST(a_slow_head_is_given_up)
{
    start();
    int fd = dial();
    say(fd, "GET / HTTP/1.1\r\nHo");
    wait_state(STATE_HEAD, 1);
    advance(9999);
    say(fd, "st: a\r\n");
    wait_state(STATE_HEAD, 1);
    advance(1);
    char text[400];
    size_t len = hear_bytes(fd, text, strlen("HTTP/1.1 408 Request Timeout\r\n"));
    CHECK_STR(slice_of(text, len), "HTTP/1.1 408 Request Timeout\r\n");
    CHECK(hear_all(fd) > 0);
    close(fd);
    CHECK_INT(value_of(&s.last_status), 408);
    stop();
}

TEST(a_slow_body_is_given_up)
{
    start();
    int fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    wait_state(STATE_BODY, 1);
    advance(20000);
    char text[400];
    size_t len = hear_bytes(fd, text, strlen("HTTP/1.1 408 "));
    CHECK_STR(slice_of(text, len), "HTTP/1.1 408 ");
    hear_all(fd);
    close(fd);
    stop();
}

TEST(idle_connections_are_closed)
{
    start();
    int fresh = dial(), used = dial();
    say(used, GET("/"));
    HEAR(used, HELLO);
    wait_state(STATE_IDLE, 2);
    advance(10000);
    hear_end(fresh); /* never said anything */
    wait_state(STATE_IDLE, 1);
    advance(64999);
    wait_state(STATE_IDLE, 1);
    advance(1);
    hear_end(used);
    stop();
}

TEST(a_request_that_takes_too_long_is_cancelled)
{
    start();
    int fd = dial();
    say(fd, GET("/forever"));
    wait_state(STATE_SERVING, 1);
    advance(60000);
    char text[400];
    size_t len = hear_bytes(fd, text, strlen("HTTP/1.1 504 Gateway Timeout\r\n"));
    CHECK_STR(slice_of(text, len), "HTTP/1.1 504 Gateway Timeout\r\n");
    CHECK_INT(value_of(&s.cancelled), 1);
    close(fd);
    stop();
}

/* --- ends and hand-overs
 * -------------------------------------------------------------------------- */

static void count_connections(void *arg)
{
    *(size_t *)arg = http_server_connections(s.server);
}

TEST(upgraded_connections_belong_to_another)
{
    start();
    for (int together = 0; together < 2; together++) {
        int fd = dial();
        say(fd, together ? "GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\nahead" : GET("/upgrade"));
        HEAR(fd, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
        if (together)
            HEAR(fd, "ahead");
        say(fd, "raw");
        HEAR(fd, "raw");
        size_t connections = 99;
        on_loop(count_connections, &connections);
        CHECK_INT(connections, 0);
        close(fd);
    }
    CHECK_INT(value_of(&s.handed_over), 2);
    while (value_of(&s.raw_closed) < 2)
        poll(NULL, 0, 1);
    stop();
}

static void drain(void *arg)
{
    http_server_drain(s.server);
}

TEST(draining_finishes_what_is_under_way)
{
    start();
    int idle = dial(), busy = dial();
    say(busy, GET("/sleep"));
    wait_state(STATE_SERVING, 1);
    wait_state(STATE_IDLE, 1);
    on_loop(drain, NULL);
    hear_end(idle);
    int late = dial();
    hear_end(late);
    advance(1000);
    char text[300];
    size_t len = hear_bytes(busy, text, sizeof text);
    CHECK(len > 0 && memmem(text, len, "Connection: close\r\n", 19) != NULL);
    CHECK(memmem(text, len, "slept", 5) != NULL);
    hear_end(busy);
    stop();
}

TEST(connections_above_the_limit_are_told_so)
{
    s.config.connections_max = 2;
    start();
    int first = dial(), second = dial();
    wait_state(STATE_IDLE, 2);
    int third = dial();
    HEAR(third, refusal("503 Service Unavailable", "too_many_connections", true));
    hear_end(third);
    say(second, GET("/"));
    HEAR(second, HELLO);
    close(first);
    close(second);
    stop();
}

TEST(freeing_a_server_ends_what_it_serves)
{
    start();
    int fd = dial(), other = dial();
    say(fd, GET("/forever"));
    wait_state(STATE_SERVING, 1);
    say(other, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
    wait_state(STATE_BODY, 1);
    stop();
    CHECK_INT(s.done, 2);
    CHECK_INT(s.cancelled, 1);
    close(fd);
    close(other);
}
