/* The home feed's place in the house: a consumer of the log notes what is to be done, in the feed
 * database and in the transaction of its position; a job on the first loop does it
 * (post_feed_work.c) and sleeps until the consumer, or somebody who reads without an index, rings.
 */
#include <stdlib.h>

#include "base/metric.h"
#include "contract/auth.h"
#include "service/post/post_feed.h"

enum { EVENT_BYTES_MAX = 1 << 20, PAUSE_MAX_MS = 20, IDLE_PER_STEP = 50 };
static const struct feed_sizes sizes = {.kept = 1000,
                                        .slack = 200,
                                        .trim_one_in = 32,
                                        .follow = 200,
                                        .built = 500,
                                        .leave = 50,
                                        .followers_per_turn = 128,
                                        .leavers_per_turn = 16,
                                        .spare = 16};
static const int64_t idle_ms = INT64_C(30) * 24 * 3600 * 1000;

/* --- waking ------------------------------------------------------------------------------------
 */

static void arrive(struct mail *mail)
{
    struct post_feed *feed = CONTAINER_OF(mail, struct post_feed, ring);
    atomic_store(&feed->ringing, false);
    feed->rung = true;
    if (feed->worker != NULL)
        coro_wake(feed->worker, 0);
}

void post_feed_ring(struct post_feed *feed)
{
    const struct kit *kit = feed->room->kit;
    if (kit->loop_count > 0 && !atomic_exchange(&feed->ringing, true))
        loop_post(kit->loops[0], &feed->ring);
}

static void ring_after_commit(void *feed, const struct id *subject)
{
    (void)subject;
    post_feed_ring(feed);
}

/* --- the consumer ------------------------------------------------------------------------------
 */

static int note_post(struct db_tx *tx, const struct event *event, struct arena *arena,
                     struct error *err)
{
    struct post post;
    int rc = schema_decode(&post_schema, event->data, arena, &post, err);
    if (rc < 0 || post.visibility == SOCIAL_PRIVATE)
        return rc;
    return feed_store_put_task(tx, FEED_TASK_POST, &post.user_id, &post.id, err);
}

static int note_follow(struct db_tx *tx, const struct event *event, struct arena *arena,
                       struct error *err)
{
    struct social_follow_changed follow;
    int rc = schema_decode(&social_follow_changed_schema, event->data, arena, &follow, err);
    if (rc < 0)
        return rc;
    return follow.status == SOCIAL_FOLLOWING
               ? feed_store_put_task(tx, FEED_TASK_FOLLOW, &follow.user_id, &follow.target_id, err)
               : feed_store_drop_author(tx, &follow.user_id, &follow.target_id, err);
}

static int forget_person(struct db_tx *tx, const struct event *event, struct arena *arena,
                         struct error *err)
{
    struct auth_user_deleted gone;
    int rc = schema_decode(&auth_user_deleted_schema, event->data, arena, &gone, err);
    if (rc == 0)
        rc = feed_store_drop_user(tx, &gone.user_id, err);
    return rc < 0 ? rc : feed_store_drop_big(tx, &gone.user_id, err);
}

int post_follow_feed(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    struct post_feed *feed = ((struct post_room *)room)->feed;
    struct arena arena;
    int rc;
    arena_init(&arena, EVENT_BYTES_MAX);
    if (event->type == &post_created_event)
        rc = note_post(tx, event, &arena, err);
    else if (event->type == &auth_user_deleted_event)
        rc = forget_person(tx, event, &arena, err);
    else
        rc = note_follow(tx, event, &arena, err);
    arena_done(&arena);
    return rc < 0 ? rc : kit_after_commit(tx, ring_after_commit, feed, &event->stream, err);
}

/* --- the jobs ----------------------------------------------------------------------------------
 */

static int wait_for_work(struct post_feed *feed)
{
    int rc = 0;
    feed->worker = coro_current();
    while (!feed->rung && rc != FAIL_CANCELLED)
        rc = coro_park(CORO_FOREVER);
    feed->worker = NULL;
    feed->rung = false;
    return rc == FAIL_CANCELLED ? rc : 0;
}

/* After a slice of something long the others get as much time as it took. */
static int give_way(const struct post_feed *feed, int64_t since_ns)
{
    int64_t took_ms = (clock_mono_ns(feed->room->kit->clock) - since_ns) / 1000000 + 1;
    return coro_sleep(took_ms < PAUSE_MAX_MS ? took_ms : PAUSE_MAX_MS);
}

int post_feed_job(void *room, struct error *err)
{
    struct post_feed *feed = ((struct post_room *)room)->feed;
    int rc = 0;
    while (rc == 0) {
        int64_t since_ns = clock_mono_ns(feed->room->kit->clock);
        bool did, more;
        rc = post_feed_step(feed, &did, &more, err);
        if (rc == 0 && !did)
            rc = wait_for_work(feed);
        else if (rc == 0 && more)
            rc = give_way(feed, since_ns);
    }
    return rc;
}

struct idling {
    struct post_feed *feed;
    int64_t before_ms;
    size_t count;
};

static int idle_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct idling *idling = arg;
    struct id users[IDLE_PER_STEP];
    int rc = feed_store_idle(tx, idling->before_ms, IDLE_PER_STEP, users, &idling->count, err);
    for (size_t i = 0; rc == 0 && i < idling->count; i++)
        rc = feed_store_drop_user(tx, &users[i], err);
    return rc;
}

int post_feed_idle_job(void *room, struct error *err)
{
    struct post_feed *feed = ((struct post_room *)room)->feed;
    struct idling idling = {.feed = feed,
                            .before_ms = clock_wall_ms(feed->room->kit->clock) - idle_ms,
                            .count = IDLE_PER_STEP};
    int rc = 0;
    while (rc == 0 && idling.count == IDLE_PER_STEP)
        rc = db_write(feed->db, idle_tx, &idling, err);
    return rc;
}

/* --- opening -----------------------------------------------------------------------------------
 */

static void register_metrics(struct post_feed *feed)
{
    static const char pages[] = "parley_feed_pages_total", about[] = "Pages of home feeds.";
    feed->from_index = metric_register(METRIC_COUNTER, pages, about, "from=\"index\"");
    feed->from_authors = metric_register(METRIC_COUNTER, pages, about, "from=\"authors\"");
    feed->turns = metric_register(METRIC_COUNTER, "parley_feed_turns_total",
                                  "Turns of work on the index of home feeds.", NULL);
    feed->entries = metric_register(METRIC_COUNTER, "parley_feed_entries_total",
                                    "Posts offered to feeds.", NULL);
}

struct post_feed *post_feed_new(struct post_room *room)
{
    struct post_feed *feed = xcalloc(1, sizeof *feed);
    feed->room = room;
    feed->db = kit_db(room->kit, "post.feed");
    feed->fanout_max = config_int(room->kit->config, "post.fanout_max");
    feed->direct_max = config_int(room->kit->config, "post.feed_direct_max");
    feed->sizes = sizes;
    register_metrics(feed);
    feed->ring.deliver = arrive;
    return feed;
}

void post_feed_free(struct post_feed *feed)
{
    free(feed);
}
