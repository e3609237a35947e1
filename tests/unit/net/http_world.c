/* See http_world.h. */
#include "http_world.h"

#include <errno.h>
#include <netinet/tcp.h>

/* --- what the server does --------------------------------------------------------------------- */

struct http_world s;

static bool at(const struct http_exchange *x, const char *path)
{
    return slice_eq(x->head.path, slice_str(path));
}

static int64_t admit(struct http_exchange *x)
{
    x->user = &s;
    if (at(x, "/forbidden"))
        return error_set(&x->error, FAIL_FORBIDDEN, "forbidden", "not for you");
    x->at_once = at(x, "/at-once");
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

static void raw_leave(struct conn *conn)
{
    conn_send_bytes(conn, SLICE("bye"));
    conn_close(conn);
}

static const struct conn_ops raw_ops = {.data = raw_data, .closed = raw_closed, .leave = raw_leave};

static void upgrade(struct http_exchange *x)
{
    struct slice rest;
    x->lines = SLICE("L: x\r\n");
    if (at(x, "/upgrade-late")) /* the answers before it filled the queue, and were waited for */
        conn_want_drain(x->conn->conn);
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
    else if (at(x, "/wait"))
        s.left += http_wait(x, CORO_FOREVER) == FAIL_CLOSED && http_wait(x, 0) == FAIL_CLOSED;
    else if (at(x, "/forever"))
        s.cancelled += coro_park(CORO_FOREVER) == FAIL_CANCELLED;
    else if (at(x, "/none"))
        return;
    else if (at(x, "/204") || at(x, "/304"))
        http_reply(x, at(x, "/204") ? 204 : 304, SLICE(""), SLICE("no such body"));
    else if (at(x, "/too-large"))
        http_reply(x, 200, SLICE(""), slice_of(large, sizeof large));
    else if (at(x, "/100k"))
        http_reply(x, 200, SLICE(""), slice_of(large, 100 << 10));
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
    else if (at(x, "/upgrade") || at(x, "/upgrade-late"))
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
    struct loop_config config = {.clock = &s.clock.clock, .stacks_max = s.stacks_max};
    CHECK_OK(loop_new(&config, &s.loop, &err), &err);
    CHECK_OK(http_server_new(s.loop, &s.config, &s.server, &err), &err);
    CHECK_OK(listener_open(s.loop, "127.0.0.1:0", accepted, NULL, &s.listener, &err), &err);
    s.port = listener_port(s.listener);
    sem_post(&s.ready);
    loop_run(s.loop);
    return NULL;
}

void start(void)
{
    struct http_server_config config = s.config;
    size_t stacks_max = s.stacks_max;
    memset(&s, 0, sizeof s);
    s.config = config;
    s.stacks_max = stacks_max;
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

void on_loop(void (*fn)(void *arg), void *arg)
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

void advance(int64_t ms)
{
    on_loop(move_clock, &ms);
    on_loop(nothing, NULL); /* a turn that began after the clock had moved */
}

static void shut(void *arg)
{
    listener_close(s.listener);
    http_server_free(s.server);
}

void stop(void)
{
    on_loop(shut, NULL);
    on_loop(nothing, NULL); /* cancelled coroutines have ended */
    loop_stop(s.loop);
    pthread_join(s.thread, NULL);
    loop_free(s.loop); /* not before loop_stop has returned */
    sem_destroy(&s.ready);
    s.config = (struct http_server_config){0};
    s.stacks_max = 0;
}

static void count_states(void *arg)
{
    int *counts = arg;
    for (struct list *l = s.server->conns.next; l != &s.server->conns; l = l->next)
        counts[CONTAINER_OF(l, struct http_conn, link)->state]++;
}

/* Waits until so many connections are in that state; ends because the test times out if never. */
void wait_state(enum http_state state, int count)
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

int value_of(int *counter)
{
    int value = 0;
    int *pair[] = {&value, counter};
    on_loop(read_int, pair);
    return value;
}

/* --- the client
 * ------------------------------------------------------------------------------------ */

int dial(void)
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

void say_bytes(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        text = slice_of(text.ptr + n, text.len - (size_t)n);
    }
}

void say(int fd, const char *text)
{
    say_bytes(fd, slice_str(text));
}

size_t hear_bytes(int fd, char *to, size_t len)
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

void hear_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    if (n != 0)
        test_fail(__FILE__, __LINE__, "no end: %zd '%c' %s", n, byte, n < 0 ? strerror(errno) : "");
    close(fd);
}

const char *refusal(const char *status, const char *code, bool close)
{
    static char text[500];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\n" DATE "Content-Length: %zu\r\n%sR: y\r\n\r\n%s",
             status, strlen(code), close ? "Connection: close\r\n" : "", code);
    return text;
}

size_t hear_all(int fd)
{
    static char part[100000];
    size_t total = 0, n;
    while ((n = hear_bytes(fd, part, sizeof part)) > 0)
        total += n;
    return total;
}

static void *flood_main(void *arg)
{
    const struct flood *flood = arg;
    for (int i = 0; i < flood->times; i++)
        say(flood->fd, flood->text);
    return NULL;
}

void flood_start(struct flood *flood)
{
    panic_if(pthread_create(&flood->thread, NULL, flood_main, flood) != 0, "pthread_create");
}

void find_paused(void *ret_kept_bytes)
{
    for (struct list *l = s.server->conns.next; l != &s.server->conns; l = l->next) {
        const struct http_conn *hc = CONTAINER_OF(l, struct http_conn, link);
        if (hc->paused)
            *(size_t *)ret_kept_bytes = hc->input->len;
    }
}
