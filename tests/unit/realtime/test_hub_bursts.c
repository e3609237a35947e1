/* Neighbouring events of a stream in one commit: one piece for each follower, in order, none twice.
 */
#include <stdlib.h>

#include "harness.h"
#include "net/websocket.h"
#include "realtime/realtime.h"
#include "realtime/session.h"

enum { EVENTS_MAX = 200 };

struct listener_session {
    struct realtime_session base;
    uint64_t got[EVENTS_MAX];
    unsigned count, pieces, pokes;
};

/* The positions of the events in a piece, which is what a socket would be written. */
static void record(struct realtime_session *session, struct frame *frame, bool ephemeral)
{
    struct listener_session *l = CONTAINER_OF(session, struct listener_session, base);
    struct slice rest = slice_of(frame->bytes, frame->len);
    CHECK(!ephemeral);
    l->pieces++;
    while (rest.len > 0) {
        size_t len = (uint8_t)rest.ptr[1], header = 2;
        CHECK_INT((uint8_t)rest.ptr[0], 0x81);
        if (len == 126) {
            len = (size_t)((uint8_t)rest.ptr[2] << 8 | (uint8_t)rest.ptr[3]);
            header = 4;
        }
        CHECK(header + len <= rest.len && l->count < EVENTS_MAX);
        const char *pos = memmem(rest.ptr, header + len, "\"pos\":\"00000000-", 16);
        CHECK(pos != NULL);
        l->got[l->count++] = strtoull(pos + 16, NULL, 16);
        rest = slice_of(rest.ptr + header + len, rest.len - header - len);
    }
}

static void poke(struct realtime_session *session)
{
    CONTAINER_OF(session, struct listener_session, base)->pokes++;
}

static void closed(struct realtime_session *session, unsigned code, const char *reason)
{
    (void)code, (void)reason;
    hub_remove(session->hub, session);
}

static size_t queued(const struct realtime_session *session)
{
    (void)session;
    return 0;
}

static const struct session_ops socket_ops = {
    ENVELOPE_WEBSOCKET, record, poke, closed, poke, queued};
static const struct session_ops poll_ops = {ENVELOPE_NONE, record, poke, closed, poke, queued};
static const struct event_type sent = {"message.sent", true, NULL, NULL};
static const struct event_type inside = {"job.done", false, NULL, NULL};

static struct kit kit;
static struct realtime realtime;
static struct hub *hub;
static struct event events[EVENTS_MAX];
static unsigned event_count;

static struct id id_of(uint8_t n)
{
    struct id id = {.bytes = {1, 2, 3}};
    id.bytes[15] = n;
    return id;
}

static void start(void)
{
    kit.clock = &clock_system;
    realtime.kit = &kit;
    realtime.recent_bytes_max = 1 << 20;
    hub = hub_new(&realtime, NULL);
    event_count = 0;
}

static struct listener_session *join(uint8_t user, const struct session_ops *ops)
{
    struct listener_session *l = xcalloc(1, sizeof *l);
    struct principal p = {.user = id_of(user)};
    struct id chat = id_of(100);
    struct error err;
    error_init(&err);
    session_init(&l->base, ops, &p);
    CHECK_OK(hub_add(hub, &l->base, &err), &err);
    l->base.state = SESSION_LIVE;
    hub_follow(&l->base, &chat);
    return l;
}

static struct event *add(const struct event_type *type, uint8_t stream, struct slice data)
{
    struct event *event = &events[event_count++];
    *event =
        (struct event){.pos = event_count, .type = type, .stream = id_of(stream), .data = data};
    return event;
}

/* All that was added, as one commit; once a test. */
static void commit(void)
{
    static struct event_batch batch;
    batch = (struct event_batch){
        .refs = 100, .head = event_count, .count = event_count, .events = events, .bytes = 100};
    hub_deliver(hub, &batch);
}

static void check_got(const struct listener_session *l, uint64_t first, uint64_t last)
{
    CHECK_INT(l->count, last - first + 1);
    for (uint64_t pos = first; pos <= last; pos++)
        CHECK_INT(l->got[pos - first], pos);
}

static void leave(struct listener_session *l)
{
    session_done(&l->base);
    free(l);
}

TEST(a_burst_is_one_piece_for_each_follower)
{
    start();
    struct listener_session *ann = join(1, &socket_ops), *bob = join(2, &socket_ops);
    for (int i = 0; i < 8; i++)
        add(&sent, 100, SLICE("{}"));
    commit();
    check_got(ann, 1, 8);
    check_got(bob, 1, 8);
    CHECK_INT(ann->pieces, 1);
    CHECK_INT(bob->pieces, 1);
    CHECK_INT(hub->delivered, 16);
    leave(ann);
    leave(bob);
    hub_free(hub);
}

TEST(who_has_a_part_of_it_is_given_the_rest)
{
    start();
    struct listener_session *ann = join(1, &socket_ops), *bob = join(2, &socket_ops),
                            *cid = join(3, &socket_ops);
    for (int i = 0; i < 8; i++)
        add(&sent, 100, SLICE("{}"));
    ann->base.through = 5; /* a snapshot that was taken meanwhile holds these */
    bob->base.through = 8;
    commit();
    check_got(ann, 6, 8);
    CHECK_INT(bob->count, 0);
    check_got(cid, 1, 8);
    leave(ann);
    leave(bob);
    leave(cid);
    hub_free(hub);
}

TEST(another_stream_an_inner_event_or_a_link_ends_a_burst)
{
    start();
    struct listener_session *ann = join(1, &socket_ops);
    struct event_link in = {EVENT_FOLLOW, id_of(2)};
    struct listener_session *bob = join(2, &socket_ops);
    struct id chat = id_of(100);
    hub_unfollow(&bob->base, &chat);
    add(&sent, 100, SLICE("{}"));
    add(&sent, 101, SLICE("{}")); /* nobody follows it */
    add(&sent, 100, SLICE("{}"));
    add(&inside, 101, SLICE("{}"));
    add(&sent, 100, SLICE("{}"));
    struct event *joining = add(&sent, 100, SLICE("{}"));
    joining->links = &in;
    joining->link_count = 1;
    add(&sent, 100, SLICE("{}"));
    commit();
    CHECK_INT(ann->count, 5);
    CHECK_INT(ann->pieces, 4); /* 1, 3, 5, and 6 with 7: the link comes before them */
    check_got(bob, 6, 7);
    leave(ann);
    leave(bob);
    hub_free(hub);
}

TEST(a_long_burst_comes_in_pieces)
{
    static char large[5000];
    start();
    memset(large, '7', sizeof large);
    struct listener_session *ann = join(1, &socket_ops);
    for (int i = 0; i < 150; i++)
        add(&sent, 100, SLICE("{}"));
    for (int i = 0; i < 4; i++) /* two fit into one piece */
        add(&sent, 100, slice_of(large, sizeof large));
    commit();
    check_got(ann, 1, 154);
    CHECK_INT(ann->pieces, 4); /* 64, 64, 22 with two large ones, two large ones */
    leave(ann);
    hub_free(hub);
}

TEST(a_poll_is_woken_once_for_a_burst)
{
    start();
    struct listener_session *ann = join(1, &poll_ops);
    for (int i = 0; i < 8; i++)
        add(&sent, 100, SLICE("{}"));
    commit();
    CHECK_INT(ann->pokes, 1);
    CHECK_INT(ann->count, 0);
    leave(ann);
    hub_free(hub);
}
