/* Requests and answers over one connection: order, splitting, old clients, refusals, streams. */
#include "http_world.h"

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

/* More than is looked ahead: reading pauses while the first is served, and nothing is lost. */
TEST(a_client_far_ahead_is_not_read)
{
    start();
    struct flood flood = {.fd = dial(), .times = 20000, .text = GET("/")};
    size_t kept = 0;
    say(flood.fd, GET("/sleep"));
    wait_state(STATE_SERVING, 1);
    flood_start(&flood);
    while (kept == 0)
        on_loop(find_paused, &kept);
    CHECK(kept > 64 << 10 && kept < 400 << 10);
    CHECK_INT(value_of(&s.served), 1);
    advance(1000);
    char answer[sizeof HELLO];
    CHECK_INT(hear_bytes(flood.fd, answer, sizeof OK_HEAD("5") "\r\nslept" - 1),
              sizeof OK_HEAD("5") "\r\nslept" - 1);
    for (int i = 0; i < flood.times; i++)
        CHECK_INT(hear_bytes(flood.fd, answer, sizeof HELLO - 1), sizeof HELLO - 1);
    pthread_join(flood.thread, NULL);
    CHECK_INT(value_of(&s.served), flood.times + 1);
    close(flood.fd);
    stop();
}

static void find_choked(void *arg)
{
    for (struct list *l = s.server->conns.next; l != &s.server->conns; l = l->next) {
        const struct http_conn *hc = CONTAINER_OF(l, struct http_conn, link);
        if (hc->state == STATE_IDLE && hc->conn->want_drain)
            *(uint32_t *)arg = hc->conn->queued_bytes;
    }
}

/* 40 MB of answers: the rest is served only as the client reads. */
TEST(a_client_that_does_not_read_is_not_served_further)
{
    enum { REQUESTS = 400 };
    s.config.send_queue_max = 300 << 10;
    start();
    int fd = dial();
    uint32_t queued = 0;
    for (int i = 0; i < REQUESTS - 1; i++)
        say(fd, GET("/100k"));
    say(fd, "GET /100k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    while (queued == 0)
        on_loop(find_choked, &queued);
    CHECK(queued < 401 << 10);
    CHECK(value_of(&s.served) < REQUESTS);
    CHECK(hear_all(fd) > REQUESTS * (100 << 10));
    CHECK_INT(value_of(&s.served), REQUESTS);
    close(fd);
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

/* --- streams ---------------------------------------------------------------------------------- */

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
