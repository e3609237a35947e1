/* More requests at once than there are coroutines: they wait in a line, and are served in order. */
#include "http_world.h"

#define SLEPT OK_HEAD("5") "\r\nslept"

/* What HEAR does, whatever second the clock of the test has come to. */
static void hear(int fd, const char *want)
{
    static const char date[] = "1970 00:00:";
    char got[1024];
    size_t len = hear_bytes(fd, got, strlen(want));
    for (char *at = got; (at = memmem(at, len - (size_t)(at - got), date, sizeof date - 1)); at++)
        memset(at + sizeof date - 1, '0', 2);
    CHECK_STR(slice_of(got, len), want);
}

static void start_with(size_t stacks)
{
    s.stacks_max = stacks;
    start();
}

TEST(who_finds_no_coroutine_waits_for_one)
{
    start_with(2);
    int fds[6];
    for (int i = 0; i < 6; i++) {
        fds[i] = dial();
        say(fds[i], GET("/sleep"));
        wait_state(STATE_SERVING, i + 1);
    }
    for (int i = 0; i < 6; i += 2) {
        CHECK_INT(value_of(&s.served), i + 2); /* two at a time, first come, first served */
        advance(1000);
        hear(fds[i], SLEPT);
        hear(fds[i + 1], SLEPT);
    }
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    stop();
}

TEST(what_hardly_waits_is_answered_while_all_stand_in_line)
{
    enum { STACKS = 32, FOR_CLIENTS = 30 };
    start_with(STACKS);
    int fds[FOR_CLIENTS + 1];
    for (int i = 0; i <= FOR_CLIENTS; i++) {
        fds[i] = dial();
        say(fds[i], GET("/sleep"));
        wait_state(STATE_SERVING, i + 1);
    }
    CHECK_INT(value_of(&s.served), FOR_CLIENTS);
    int probe = dial();
    say(probe, GET("/at-once"));
    hear(probe, HELLO);
    CHECK_INT(value_of(&s.served), FOR_CLIENTS + 1);
    for (int i = 0; i <= FOR_CLIENTS; i++)
        close(fds[i]);
    close(probe);
    stop();
}

TEST(what_is_pipelined_behind_a_waiting_request_is_answered_in_order)
{
    start_with(1);
    int busy = dial(), fd = dial();
    say(busy, GET("/sleep"));
    wait_state(STATE_SERVING, 1);
    say(fd, GET("/") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET("/none"));
    wait_state(STATE_SERVING, 2);
    say(fd, GET("/"));
    CHECK_INT(value_of(&s.served), 1);
    advance(1000);
    hear(busy, SLEPT);
    hear(fd, HELLO OK_HEAD("3") "\r\nabc");
    hear(fd, refusal("500 Internal Server Error", "internal", false));
    hear(fd, HELLO);
    close(busy);
    close(fd);
    stop();
}

TEST(a_flood_of_pipelined_requests_shares_one_coroutine_with_others)
{
    start_with(1);
    enum { TIMES = 20000 };
    int busy = dial(), polite = dial();
    struct flood flood = {.fd = busy, .times = TIMES, .text = GET("/")};
    flood_start(&flood);
    static char answers[TIMES * (sizeof HELLO - 1)];
    size_t half = sizeof answers / 2;
    CHECK_INT(hear_bytes(busy, answers, half), half);
    say(polite, GET("/")); /* while the flood goes on */
    hear(polite, HELLO);
    CHECK_INT(hear_bytes(busy, answers + half, half), half);
    for (size_t at = 0; at < sizeof answers; at += sizeof HELLO - 1)
        CHECK(memcmp(answers + at, HELLO, sizeof HELLO - 1) == 0);
    pthread_join(flood.thread, NULL);
    CHECK_INT(value_of(&s.served), TIMES + 1);
    close(busy);
    close(polite);
    stop();
}

TEST(a_client_that_goes_while_it_waits_leaves_the_line)
{
    start_with(1);
    int busy = dial(), gone = dial(), next = dial();
    say(busy, GET("/sleep"));
    wait_state(STATE_SERVING, 1);
    say(gone, GET("/"));
    wait_state(STATE_SERVING, 2);
    say(next, GET("/"));
    wait_state(STATE_SERVING, 3);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    CHECK_INT(setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(gone);
    wait_state(STATE_SERVING, 2);
    CHECK_INT(value_of(&s.done), 1);
    advance(1000);
    hear(busy, SLEPT);
    hear(next, HELLO);
    CHECK_INT(value_of(&s.served), 2);
    close(busy);
    close(next);
    stop();
}

TEST(who_waits_too_long_is_told_to_come_back_and_goes_on)
{
    start_with(1);
    int busy = dial(), fd = dial();
    say(busy, GET("/forever"));
    wait_state(STATE_SERVING, 1);
    say(fd, GET("/") GET("/"));
    wait_state(STATE_SERVING, 2);
    advance(9999);
    CHECK_INT(value_of(&s.done), 0);
    advance(1);
    hear(fd, refusal("503 Service Unavailable", "busy", false)); /* the second waits now */
    CHECK_INT(value_of(&s.done), 1);
    close(busy); /* nobody waits for its answer, but it runs until its time is over */
    advance(9999);
    advance(1);
    hear(fd, refusal("503 Service Unavailable", "busy", false));
    close(fd);
    stop();
}

TEST(a_server_that_ends_answers_nobody_in_the_line)
{
    start_with(1);
    int busy = dial(), fd = dial();
    say(busy, GET("/forever"));
    wait_state(STATE_SERVING, 1);
    say(fd, GET("/"));
    wait_state(STATE_SERVING, 2);
    stop();
    CHECK_INT(s.served, 1);
    CHECK_INT(s.done, 2);
    close(busy);
    close(fd);
}
