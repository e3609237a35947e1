/* Request bodies: limits, refusals that keep or end the connection, 100-continue, pieces. */
#include "http_world.h"

/* --- bodies ----------------------------------------------------------------------------------- */

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

TEST(an_upload_that_is_not_taken_is_held_back)
{
    start();
    struct flood flood = {.fd = dial(), .times = 400000, .text = "0123456789"};
    size_t kept = 0;
    say(flood.fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4000001\r\n\r\nS");
    wait_state(STATE_SERVING, 1);
    flood_start(&flood);
    while (kept == 0)
        on_loop(find_paused, &kept);
    CHECK(kept > 64 << 10 && kept < 400 << 10);
    advance(1000);
    char text[sizeof OK_HEAD("19") + 20];
    CHECK_INT(hear_bytes(flood.fd, text, sizeof OK_HEAD("19") "\r\n" - 1 + 8),
              sizeof OK_HEAD("19") "\r\n" - 1 + 8);
    CHECK(memmem(text, sizeof text, "04000001", 8) != NULL);
    pthread_join(flood.thread, NULL);
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
