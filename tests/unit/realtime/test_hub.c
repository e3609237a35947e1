/* The hub against a model: sessions that only record what they are given, batches delivered by
 * hand. */
#include <stdlib.h>

#include "base/map.h"
#include "harness.h"
#include "realtime/realtime.h"
#include "realtime/session.h"

enum { RECORDED_MAX = 256, BATCHES_MAX = 5000 };

struct listener_session {
    struct realtime_session base;
    char got[RECORDED_MAX][200];
    unsigned count;
    unsigned closed_with;
    bool close_on_send;
};

static void record(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    (void)ephemeral;
    struct listener_session *l = CONTAINER_OF(session, struct listener_session, base);
    size_t skip = (uint8_t)frame->bytes[1] == 126 ? 4 : 2;
    CHECK(l->count < RECORDED_MAX);
    CHECK(copy_str(l->got[l->count++], 200, slice_of(frame->bytes + skip, frame->len - skip)));
    if (l->close_on_send)
        hub_remove(session->hub, session);
}

static void poke(struct realtime_session *session)
{
    (void)session;
}

static void closed(struct realtime_session *session, unsigned code, const char *reason)
{
    (void)reason;
    CONTAINER_OF(session, struct listener_session, base)->closed_with = code;
    hub_remove(session->hub, session);
}

static size_t queued(const struct realtime_session *session)
{
    (void)session;
    return 0;
}

static const struct session_ops recording = {
    ENVELOPE_WEBSOCKET, record, poke, closed, poke, queued};
static const struct event_type sent = {"message.sent", true, NULL, NULL};

struct fixture {
    struct kit kit;
    struct realtime realtime;
    struct hub *hub;
    uint64_t pos;
    struct event_batch *batches[BATCHES_MAX];
};

static void start(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->kit.clock = &clock_system;
    f->realtime.kit = &f->kit;
    f->realtime.recent_bytes_max = 1 << 20;
    f->hub = hub_new(&f->realtime, NULL);
}

static struct id id_of(uint8_t n)
{
    struct id id = {.bytes = {1, 2, 3}};
    id.bytes[15] = n;
    return id;
}

static struct listener_session *join(struct fixture *f, uint8_t user, enum session_state state)
{
    struct listener_session *l = xcalloc(1, sizeof *l);
    struct principal p = {.user = id_of(user)};
    struct error err;
    error_init(&err);
    session_init(&l->base, &recording, &p);
    CHECK_OK(hub_add(f->hub, &l->base, &err), &err);
    l->base.state = (uint32_t)state & 3;
    return l;
}

static void leave(struct listener_session *l)
{
    session_done(&l->base);
    free(l);
}

/* One event as a batch of its own, as the relay brings it. */
static void happen(struct fixture *f, uint8_t stream, const struct event_link *link)
{
    struct event_batch *batch = xcalloc(1, sizeof *batch);
    struct event *event = xcalloc(1, sizeof *event);
    *event = (struct event){.pos = ++f->pos, .type = &sent, .stream = id_of(stream)};
    event->data = SLICE("{}");
    event->links = link;
    event->link_count = link != NULL;
    *batch = (struct event_batch){.prev_head = f->pos - 1, .head = f->pos, .count = 1};
    batch->refs = 100; /* the hub only drops its own; finish() frees it */
    f->batches[f->pos] = batch;
    batch->events = event;
    batch->bytes = 100;
    hub_deliver(f->hub, batch);
}

static void finish(struct fixture *f)
{
    hub_free(f->hub);
    for (uint64_t i = 1; i <= f->pos; i++) {
        free(f->batches[i]->events);
        free(f->batches[i]);
    }
}

TEST(events_reach_followers_only_and_once)
{
    static struct fixture f;
    start(&f);
    struct listener_session *ann = join(&f, 1, SESSION_LIVE), *bob = join(&f, 2, SESSION_LIVE);
    struct id chat = id_of(100), other = id_of(101);
    hub_follow(&ann->base, &chat);
    hub_follow(&ann->base, &chat);
    hub_follow(&bob->base, &other);
    happen(&f, 100, NULL);
    CHECK_INT(ann->count, 1);
    CHECK_INT(bob->count, 0);
    CHECK_STR(slice_str(ann->got[0]),
              "{\"event\":\"message.sent\",\"pos\":\"00000000-1\",\"data\":{}}");
    happen(&f, 2, NULL);
    CHECK_INT(bob->count, 1);
    leave(ann);
    happen(&f, 100, NULL);
    leave(bob);
    CHECK_INT(f.hub->streams_by_id.count, 0);
    finish(&f);
}

TEST(links_change_who_follows_before_the_event_is_delivered)
{
    static struct fixture f;
    start(&f);
    struct listener_session *ann = join(&f, 1, SESSION_LIVE);
    struct event_link in = {EVENT_FOLLOW, id_of(1)}, out = {EVENT_UNFOLLOW, id_of(1)};
    happen(&f, 100, NULL);
    CHECK_INT(ann->count, 0);
    happen(&f, 100, &in);
    CHECK_INT(ann->count, 1);
    happen(&f, 100, NULL);
    CHECK_INT(ann->count, 2);
    happen(&f, 100, &out);
    happen(&f, 100, NULL);
    CHECK_INT(ann->count, 2);
    leave(ann);
    finish(&f);
}

TEST(a_session_that_closes_while_it_is_served_does_not_disturb_the_others)
{
    static struct fixture f;
    start(&f);
    struct listener_session *all[20];
    struct id chat = id_of(100);
    for (uint8_t i = 0; i < 20; i++) {
        all[i] = join(&f, (uint8_t)(i + 1), SESSION_LIVE);
        hub_follow(&all[i]->base, &chat);
        all[i]->close_on_send = i % 3 == 0;
    }
    happen(&f, 100, NULL);
    happen(&f, 100, NULL);
    for (int i = 0; i < 20; i++)
        CHECK_INT(all[i]->count, i % 3 == 0 ? 1 : 2);
    for (int i = 0; i < 20; i++)
        leave(all[i]);
    CHECK_INT(f.hub->sessions.count, 0);
    finish(&f);
}

TEST(the_gap_of_a_loading_session_is_closed_from_memory)
{
    static struct fixture f;
    start(&f);
    struct id chat = id_of(100);
    struct listener_session *ann = join(&f, 1, SESSION_LOADING);
    hub_follow(&ann->base, &chat);
    for (int i = 0; i < 5; i++)
        happen(&f, 100, NULL);
    CHECK_INT(ann->count, 0); /* not live: it must not get them twice */
    ann->base.through = 2;
    CHECK(hub_close_gap(&ann->base));
    CHECK_INT(ann->count, 3);
    CHECK_INT(ann->base.through, 5);
    ann->base.state = SESSION_LIVE;
    ann->base.through = 7; /* what a snapshot has given already is not given again */
    happen(&f, 100, NULL);
    happen(&f, 100, NULL);
    CHECK_INT(ann->count, 3);
    happen(&f, 100, NULL);
    CHECK_INT(ann->count, 4);
    leave(ann);
    finish(&f);
}

TEST(memory_that_does_not_reach_back_says_so)
{
    static struct fixture f;
    start(&f);
    f.realtime.recent_bytes_max = 250; /* two batches */
    struct listener_session *ann = join(&f, 1, SESSION_LOADING);
    for (int i = 0; i < 5; i++)
        happen(&f, 100, NULL);
    ann->base.through = 1;
    CHECK(!hub_close_gap(&ann->base));
    ann->base.through = 3;
    CHECK(hub_close_gap(&ann->base));
    leave(ann);
    finish(&f);
}

TEST(following_and_leaving_at_random_agrees_with_a_model)
{
    static struct fixture f;
    start(&f);
    enum { USERS = 12, STREAMS = 8, STEPS = 4000 };
    static bool follows[USERS][STREAMS];
    memset(follows, 0, sizeof follows);
    struct listener_session *sessions[USERS];
    uint64_t state = 12345;
    for (int i = 0; i < USERS; i++)
        sessions[i] = join(&f, (uint8_t)(i + 1), SESSION_LIVE);
    for (int step = 0; step < STEPS; step++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        int user = (int)(state >> 33) % USERS, stream = (int)(state >> 45) % STREAMS;
        struct event_link link = {(state >> 20 & 1) != 0 ? EVENT_FOLLOW : EVENT_UNFOLLOW,
                                  id_of((uint8_t)(user + 1))};
        for (int i = 0; i < USERS; i++)
            sessions[i]->count = 0;
        follows[user][stream] = link.kind == EVENT_FOLLOW;
        happen(&f, (uint8_t)(100 + stream), &link);
        for (int i = 0; i < USERS; i++)
            CHECK_INT(sessions[i]->count, follows[i][stream]);
        if (step % 97 == 0) { /* somebody goes and comes back with nothing but the own stream */
            leave(sessions[user]);
            sessions[user] = join(&f, (uint8_t)(user + 1), SESSION_LIVE);
            memset(follows[user], 0, sizeof follows[user]);
        }
    }
    for (int i = 0; i < USERS; i++)
        leave(sessions[i]);
    CHECK_INT(f.hub->streams_by_id.count, 0);
    finish(&f);
}
