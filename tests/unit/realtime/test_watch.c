/* Topics that a session watches: who may, what the set becomes, and that it outlives a reload. */
#include "realtime/watch.h"

#include "kit/topic.h"
#include "realtime_world.h"

static const struct id thing = {.bytes = {1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10}};
static const struct id hidden = {.bytes = {1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 11}};

static bool thing_is_hidden;
static unsigned asked;
static int check_thing(void *room, const struct principal *principal, const struct id *of,
                       struct error *err)
{
    (void)room, (void)principal;
    asked++;
    if (coro_current() != NULL)
        coro_yield(); /* as a database would make it wait */
    return id_eq(of, &thing) && !thing_is_hidden
               ? 0
               : error_set(err, FAIL_NOT_FOUND, "thing_not_found", "No such thing.");
}

static const struct topic topics[] = {
    {.kind = "thing", .check = check_thing},
    {.kind = "board", .alone = true},
    {.kind = "admin", .alone = true, .scopes = SCOPE_ADMIN},
};
static const struct module watched_module = {
    .name = "things", .topics = topics, .topic_count = ARRAY_LEN(topics)};
static const struct module *const watched_modules[] = {&watched_module, NULL};
static void *states[1];

static unsigned sent_frames;
static void count_frame(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    (void)session, (void)frame, (void)ephemeral;
    sent_frames++;
}
static void nothing(struct realtime_session *session)
{
    (void)session;
}
static void no_close(struct realtime_session *session, unsigned code, const char *reason)
{
    (void)session, (void)code, (void)reason;
}
static size_t none_queued(const struct realtime_session *session)
{
    (void)session;
    return 0;
}
static const struct session_ops ops = {ENVELOPE_WEBSOCKET, count_frame, nothing,
                                       no_close,           nothing,     none_queued};

static void open_watching(void)
{
    open_world();
    kit.modules = watched_modules;
    kit.rooms = states;
    sent_frames = 0;
}

static struct slice resolve(const struct principal *principal, const char *topic,
                            struct id *ret_stream)
{
    static struct error err;
    struct watched_topic found;
    error_init(&err);
    int rc = watch_resolve(&realtime, principal, slice_str(topic), &found, &err);
    if (rc == 0)
        *ret_stream = found.stream;
    return slice_str(rc == 0 ? "ok" : err.code);
}

TEST(topics_are_named_by_kind_and_id)
{
    struct principal somebody = {.user = user}, admin = {.user = user, .scopes = SCOPE_ADMIN};
    struct id stream, same;
    open_watching();
    CHECK_STR(resolve(&somebody, "thing:01020304-0506-7008-800a-000000000000", &stream), "ok");
    same = topic_stream("thing", &thing);
    CHECK(id_eq(&stream, &same));
    CHECK_STR(resolve(&somebody, "thing:01020304-0506-7008-800b-000000000000", &stream),
              "thing_not_found");
    CHECK_STR(resolve(&somebody, "thing:1", &stream), "invalid_id");
    CHECK_STR(resolve(&somebody, "thing:", &stream), "invalid_id");
    CHECK_STR(resolve(&somebody, "thing", &stream), "unknown_topic");
    CHECK_STR(resolve(&somebody, "board:01020304-0506-7008-800a-000000000000", &stream),
              "unknown_topic");
    CHECK_STR(resolve(&somebody, ":", &stream), "unknown_topic");
    CHECK_STR(resolve(&somebody, "board", &stream), "ok");
    CHECK_STR(resolve(&somebody, "admin", &stream), "forbidden");
    CHECK_STR(resolve(&admin, "admin", &stream), "ok");
    close_world();
}

TEST(a_topic_has_a_stream_of_its_own)
{
    struct id a = topic_stream("thing", &thing), b = topic_stream("other", &thing);
    struct id c = topic_stream("thing", &hidden), d = topic_stream("board", NULL);
    CHECK(!id_eq(&a, &b) && !id_eq(&a, &c) && !id_eq(&a, &thing) && !id_eq(&d, &a));
    CHECK_INT(a.bytes[6] >> 4, 8);
    CHECK_INT(a.bytes[8] >> 6, 2);
}

static void tell(const struct id *stream)
{
    hub_broadcast_ephemeral(hubs[0], stream, "thing.changed", SLICE("{}"), NULL);
}

static struct watched_topic topic_of(unsigned kind, const struct id *of)
{
    return (struct watched_topic){.topic = &topics[kind],
                                  .of = of != NULL ? *of : (struct id){{0}},
                                  .stream = topic_stream(topics[kind].kind, of)};
}

static void watching(void)
{
    struct realtime_session session = {0};
    struct principal principal = {.user = user};
    struct error err;
    error_init(&err);
    const struct watched_topic both[] = {topic_of(0, &thing), topic_of(1, NULL)};
    session_init(&session, &ops, &principal);
    watch_set(&session, both, 2); /* before the hub knows it */
    CHECK_INT(watch_count(&session), 2);
    CHECK_OK(hub_add(hubs[0], &session, &err), &err);
    hub_unfollow_all(&session);
    watch_follow_again(&session);
    session.state = SESSION_LIVE;
    tell(&both[0].stream);
    tell(&both[1].stream);
    CHECK_INT(sent_frames, 2);

    watch_set(&session, &both[1], 1);
    tell(&both[0].stream);
    CHECK_INT(sent_frames, 2);
    tell(&both[1].stream);
    CHECK_INT(sent_frames, 3);

    watch_set(&session, NULL, 0);
    tell(&both[1].stream);
    CHECK_INT(sent_frames, 3);
    CHECK(hub_follows(&session, &user));
    watch_set(&session, both, 2);
    session_done(&session);
    watch_set(&session, both, 2); /* nothing is kept for one that has gone */
    CHECK_INT(watch_count(&session), 0);
}

TEST(a_set_replaces_the_one_before)
{
    open_watching();
    run(watching);
    close_world();
}

static void rechecking(void)
{
    struct realtime_session session = {0};
    struct principal principal = {.user = user, .session = thing};
    struct error err;
    error_init(&err);
    const struct watched_topic both[] = {topic_of(0, &thing), topic_of(1, NULL)};
    session_init(&session, &ops, &principal);
    CHECK_OK(hub_add(hubs[0], &session, &err), &err);
    session.state = SESSION_LIVE;
    watch_set(&session, both, 2);

    /* Still theirs: silent while it is asked, then as before. */
    watch_recheck(&kit, &user);
    while (watch_count(&session) != 0)
        coro_yield();
    tell(&both[0].stream);
    CHECK_INT(sent_frames, 0);
    while (watch_count(&session) == 0)
        coro_yield();
    tell(&both[0].stream);
    CHECK_INT(sent_frames, 1);

    /* Not theirs any more, found by what is watched. */
    thing_is_hidden = true;
    watch_recheck(&kit, &both[0].stream);
    while (watch_count(&session) != 1)
        coro_yield();
    tell(&both[0].stream);
    CHECK_INT(sent_frames, 1);
    tell(&both[1].stream);
    CHECK_INT(sent_frames, 2);

    /* Whoever chooses anew meanwhile keeps that. */
    thing_is_hidden = false;
    watch_set(&session, both, 1);
    unsigned before = asked;
    watch_recheck(&kit, NULL);
    while (asked == before)
        coro_yield();
    watch_set(&session, &both[1], 1);
    for (int i = 0; i < 10; i++)
        coro_yield();
    const struct watched_topic *now;
    CHECK_INT(watch_list(&session, &now), 1);
    CHECK(id_eq(&now->stream, &both[1].stream));
    session_done(&session);
}

TEST(what_changed_is_asked_again)
{
    open_watching();
    kit.realtime = &realtime;
    run(rechecking);
    close_world();
}
