/* A session's life on a transport that only records: opening, the end of its token, closing while
 * it opens. */
#include "realtime_world.h"

static struct recorder {
    struct realtime_session base;
    unsigned frames, pings;
    unsigned closed_with;
    bool close_on_send;
    unsigned full_after; /* frames; 0: never */
    unsigned looks;      /* before there is room again */
} r;

static void closed(struct realtime_session *session, unsigned code, const char *reason)
{
    (void)reason;
    r.closed_with = code;
    timer_stop(&session->heartbeat);
    hub_remove(session->hub, session);
}

static void record(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    (void)frame, (void)ephemeral;
    r.frames++;
    if (r.close_on_send)
        closed(session, 4008, "too_slow");
}

static void ignore(struct realtime_session *session)
{
    (void)session;
}

static void ping(struct realtime_session *session)
{
    (void)session;
    r.pings++;
}

/* Full after so many frames, until it has been looked at a few times. */
static size_t queued(const struct realtime_session *session)
{
    (void)session;
    if (r.full_after == 0 || r.frames % r.full_after != 0 || r.looks == 0)
        return 0;
    r.looks--;
    return 1 << 20;
}

static const struct session_ops recording = {
    ENVELOPE_WEBSOCKET, record, ignore, closed, ping, queued};

static struct principal principal_for(int64_t ms)
{
    return (struct principal){.user = user,
                              .session = {.bytes = {1}},
                              .issued_ms = clock_wall_ms(&clock_system),
                              .expires_ms = clock_wall_ms(&clock_system) + ms};
}

static int open_session(int64_t token_ms, const struct position *from)
{
    struct error err;
    error_init(&err);
    r = (struct recorder){
        .close_on_send = r.close_on_send, .full_after = r.full_after, .looks = r.looks};
    struct principal principal = principal_for(token_ms);
    session_init(&r.base, &recording, &principal);
    return session_open(&r.base, hubs[0], from, &err);
}

static void until_closed(void)
{
    while (r.closed_with == 0)
        CHECK_INT(coro_sleep(1), 0);
}

static void a_short_token(void)
{
    CHECK_INT(open_session(30, NULL), 0);
    CHECK_INT(r.frames, 1); /* ready */
    until_closed();         /* a heartbeat of 25 s would take longer than this test may */
    CHECK_INT(r.closed_with, 4001);
    CHECK_INT(r.pings, 0);
    session_done(&r.base);
}

TEST(a_session_ends_with_its_token)
{
    open_world();
    run(a_short_token);
    close_world();
}

static void a_fresh_token(void)
{
    CHECK_INT(open_session(30, NULL), 0);
    struct principal longer = principal_for(3600000), shorter = principal_for(60);
    session_renew(&r.base, &longer);
    CHECK_INT(coro_sleep(60), 0);
    CHECK_INT(r.closed_with, 0);
    CHECK_INT(r.pings, 0); /* no ping out of turn: the peer would have to hurry */
    session_renew(&r.base, &shorter);
    until_closed();
    CHECK_INT(r.closed_with, 4001);
    session_done(&r.base);
}

TEST(a_fresh_token_moves_the_end)
{
    open_world();
    run(a_fresh_token);
    close_world();
}

static void heartbeats(void)
{
    realtime.heartbeat_ms = 4;
    CHECK_INT(open_session(3600000, NULL), 0);
    while (r.pings < 3)
        CHECK_INT(coro_sleep(1), 0);
    CHECK_INT(r.closed_with, 0);
    session_done(&r.base);
}

TEST(an_idle_session_is_pinged)
{
    open_world();
    run(heartbeats);
    close_world();
}

static void resume(void)
{
    emit(&sent, 1200, 20); /* three readings */
    CHECK_INT(open_session(3600000, &(struct position){7, 100}), 0);
    CHECK_INT(r.frames, 1 + 1100);
    uint64_t pos = emit(&sent, 1, 20);
    while (served < pos)
        coro_yield();
    CHECK_INT(r.frames, 1 + 1100 + 1);
    session_done(&r.base);
    CHECK_INT(open_session(3600000, &(struct position){6, 100}), 0);
    CHECK_INT(r.frames, 2); /* ready, resync */
    session_done(&r.base);
}

TEST(a_returning_session_is_given_what_it_missed_and_then_lives)
{
    open_world();
    run(resume);
    close_world();
}

static void resume_slowly(void)
{
    emit(&sent, 1200, 20);
    r.full_after = 100;
    r.looks = 30;
    CHECK_INT(open_session(3600000, &(struct position){7, 100}), 0);
    CHECK_INT(r.looks, 0);
    CHECK_INT(r.frames, 1 + 1100);
    session_done(&r.base);
    r.looks = UINT32_MAX; /* it reads nothing any more, but stays */
    CHECK_INT(open_session(30, &(struct position){7, 100}), FAIL_CLOSED);
    CHECK_INT(r.closed_with, 4001);
    CHECK_INT(r.frames, 100);
    session_done(&r.base);
    r.full_after = r.looks = 0;
}

TEST(bug_a_session_that_was_still_catching_up_outlived_its_token)
{
    open_world();
    run(resume_slowly);
    close_world();
}

static void close_in_replay(void)
{
    emit(&sent, 50, 20);
    r.close_on_send = true;
    CHECK_INT(open_session(3600000, &(struct position){7, 10}), FAIL_CLOSED);
    CHECK(!timer_active(&r.base.heartbeat));
    session_done(&r.base);
    r.close_on_send = false;
}

TEST(a_session_that_is_closed_while_it_opens_does_not_go_live)
{
    open_world();
    run(close_in_replay);
    close_world();
}

static void close_in_read(void *arg)
{
    (void)arg;
    while (r.base.state != SESSION_LOADING)
        coro_yield();
    closed(&r.base, 4003, "session_revoked");
}

static void revoked_in_read(void)
{
    struct error err;
    error_init(&err);
    r = (struct recorder){0};
    CHECK_OK(coro_spawn(loop, close_in_read, NULL, &err), &err);
    CHECK_INT(open_session(3600000, &(struct position){7, 0}), FAIL_CLOSED);
    CHECK_INT(r.frames, 0);
    session_done(&r.base);
}

TEST(a_session_that_is_revoked_while_it_reads_is_given_nothing)
{
    open_world();
    run(revoked_in_read);
    close_world();
}

static void drain(void)
{
    CHECK_INT(open_session(3600000, NULL), 0);
    CHECK_INT(hub_drain(hubs[0], 10), 0);
    CHECK_INT(r.closed_with, 4009);
    session_done(&r.base);
    CHECK_INT(open_session(3600000, NULL), FAIL_UNAVAILABLE);
    session_done(&r.base);
}

TEST(a_node_that_drains_closes_its_sessions_and_takes_no_more)
{
    open_world();
    run(drain);
    close_world();
}
