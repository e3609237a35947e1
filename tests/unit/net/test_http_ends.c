/* How connections end: time-outs, hand-over, draining, limits, the end of the server. */
#include "http_world.h"

/* --- time-outs -------------------------------------------------------------------------------- */
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
        HEAR(fd, "HTTP/1.1 101 Switching Protocols\r\n" DATE "L: x\r\n\r\n");
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

TEST(who_waits_for_the_clients_sake_hears_that_it_has_gone)
{
    start();
    int leaves = dial(), ends = dial();
    say(leaves, GET("/wait"));
    say(ends, GET("/wait"));
    wait_state(STATE_SERVING, 2);
    CHECK_INT(shutdown(ends, SHUT_WR), 0);
    HEAR(ends, refusal("500 Internal Server Error", "internal", false)); /* still there to read */
    struct linger reset = {.l_onoff = 1};
    CHECK_INT(setsockopt(leaves, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(leaves);
    while (value_of(&s.left) < 2)
        poll(NULL, 0, 1);
    close(ends);
    stop();
}

/* It crashed: the next owner had nothing to be called back by. */
TEST(what_was_waited_for_ends_with_the_hand_over)
{
    start();
    int fd = dial();
    say(fd, GET("/100k") GET("/upgrade-late"));
    char *answer = malloc(101 << 10);
    hear_bytes(fd, answer, (100 << 10) + strlen(OK_HEAD("102400") "\r\n"));
    free(answer);
    HEAR(fd, "HTTP/1.1 101 Switching Protocols\r\n" DATE "L: x\r\n\r\n");
    say(fd, "raw");
    HEAR(fd, "raw");
    close(fd);
    while (value_of(&s.raw_closed) < 1)
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

static void has_upgraded(void *arg)
{
    *(bool *)arg = http_server_has_upgraded(s.server);
}

static bool any_upgraded(void)
{
    bool any = false;
    on_loop(has_upgraded, &any);
    return any;
}

static int dial_upgraded(void)
{
    int fd = dial();
    say(fd, GET("/upgrade"));
    HEAR(fd, "HTTP/1.1 101 Switching Protocols\r\n" DATE "L: x\r\n\r\n");
    return fd;
}

/* It ended while they had not taken their last bytes yet. */
TEST(bug_draining_did_not_wait_for_upgraded_sockets)
{
    start();
    int fd = dial_upgraded();
    on_loop(drain, NULL);
    HEAR(fd, "bye");
    CHECK(any_upgraded()); /* until the client has ended its side, too */
    CHECK_INT(value_of(&s.raw_closed), 0);
    hear_end(fd);
    while (value_of(&s.raw_closed) < 1)
        poll(NULL, 0, 1);
    CHECK(!any_upgraded());
    stop();
}

static void abort_upgraded(void *arg)
{
    http_server_abort_upgraded(s.server);
}

/* They were lost with the loop, and what they held. */
TEST(bug_upgraded_sockets_outlived_their_server)
{
    start();
    int cut = dial_upgraded();
    on_loop(abort_upgraded, NULL);
    hear_end(cut);
    while (value_of(&s.raw_closed) < 1)
        poll(NULL, 0, 1);
    CHECK(!any_upgraded());
    int left = dial_upgraded();
    stop();
    CHECK_INT(s.raw_closed, 2);
    hear_end(left);
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
