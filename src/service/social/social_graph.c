/* One edge of the graph: its rows, its counts and its events change together or not at all.
 *
 * A follow is told three times: to both people, and once more inside the house on the author's
 * topic, with a link, so that the follower's open sockets and their position in the log agree about
 * when they began to see the author.
 */
#include <stdlib.h>

#include "kit/emit.h"
#include "service/social/social_room.h"

const struct event_type social_follow_linked_event = {
    .name = "follow.linked",
    .data = &social_follow_changed_schema,
    .doc = "Whose events reach the follower has changed; on the topic of the author.",
};

static int link_author(const struct social_edge *edge, struct db_tx *tx, enum event_link_kind kind,
                       uint64_t *ret_pos, struct error *err)
{
    struct id stream = topic_stream(SOCIAL_AUTHOR_TOPIC, edge->target);
    const struct event_link link = {kind, *edge->follower};
    const struct social_follow_changed data = {.user_id = *edge->follower,
                                               .target_id = *edge->target,
                                               .status = kind == EVENT_FOLLOW ? SOCIAL_FOLLOWING
                                                                              : SOCIAL_FOLLOW_NONE};
    return kit_emit(edge->room->kit, tx,
                    &(struct emit){.type = &social_follow_linked_event,
                                   .stream = &stream,
                                   .data = &data,
                                   .links = &link,
                                   .link_count = 1,
                                   .correlation_id = edge->correlation_id},
                    ret_pos, err);
}

static int tell_both(const struct social_edge *edge, struct db_tx *tx,
                     enum social_follow_status status, struct error *err)
{
    const struct social_follow_changed data = {
        .user_id = *edge->follower, .target_id = *edge->target, .status = status};
    struct emit event = {.type = &social_follow_changed_event,
                         .stream = edge->follower,
                         .data = &data,
                         .correlation_id = edge->correlation_id};
    int rc = kit_emit(edge->room->kit, tx, &event, NULL, err);
    event.stream = edge->target;
    return rc < 0 ? rc : kit_emit(edge->room->kit, tx, &event, NULL, err);
}

static int count_follow(const struct social_edge *edge, struct db_tx *tx, int step,
                        struct error *err)
{
    int rc = social_store_count(tx, edge->target, SOCIAL_COUNT_FOLLOWERS, step, err);
    return rc < 0 ? rc : social_store_count(tx, edge->follower, SOCIAL_COUNT_FOLLOWING, step, err);
}

int social_graph_follow(const struct social_edge *edge, struct db_tx *tx, struct error *err)
{
    struct social_follow_row row = {.made_at = clock_wall_ms(edge->room->kit->clock)};
    int rc = social_store_has(tx, SOCIAL_PAIRS_MUTE, edge->follower, edge->target, &row.muted, err);
    if (rc == 0 && !row.muted)
        rc = link_author(edge, tx, EVENT_FOLLOW, &row.since_pos, err);
    if (rc == 0)
        rc = social_store_put_follow(tx, edge->follower, edge->target, &row, err);
    if (rc == 0)
        rc = count_follow(edge, tx, 1, err);
    return rc < 0 ? rc : tell_both(edge, tx, SOCIAL_FOLLOWING, err);
}

int social_graph_unfollow(const struct social_edge *edge, struct db_tx *tx, struct error *err)
{
    struct social_follow_row row;
    int rc = social_store_follow(tx, edge->follower, edge->target, &row, err);
    if (rc < 0 || !row.found)
        return rc;
    rc = social_store_drop_follow(tx, edge->follower, edge->target, err);
    if (rc == 0)
        rc = count_follow(edge, tx, -1, err);
    if (rc == 0 && !row.muted)
        rc = link_author(edge, tx, EVENT_UNFOLLOW, NULL, err);
    return rc < 0 ? rc : tell_both(edge, tx, SOCIAL_FOLLOW_NONE, err);
}

int social_graph_mute(const struct social_edge *edge, struct db_tx *tx, bool muted,
                      struct error *err)
{
    struct social_follow_row row;
    uint64_t pos = 0;
    int rc = social_store_follow(tx, edge->follower, edge->target, &row, err);
    if (rc < 0 || !row.found || row.muted == muted)
        return rc;
    rc = link_author(edge, tx, muted ? EVENT_UNFOLLOW : EVENT_FOLLOW, &pos, err);
    return rc < 0 ? rc : social_store_set_muted(tx, edge->follower, edge->target, muted, pos, err);
}

int social_graph_ask(const struct social_edge *edge, struct db_tx *tx, struct error *err)
{
    bool changed;
    int rc = social_store_put(tx, SOCIAL_PAIRS_REQUEST, edge->follower, edge->target,
                              clock_wall_ms(edge->room->kit->clock), &changed, err);
    if (rc < 0 || !changed)
        return rc;
    rc = social_store_count(tx, edge->follower, SOCIAL_COUNT_ASKING, 1, err);
    return rc < 0 ? rc : tell_both(edge, tx, SOCIAL_FOLLOW_REQUESTED, err);
}

int social_graph_withdraw(const struct social_edge *edge, struct db_tx *tx, bool tell,
                          bool *ret_was, struct error *err)
{
    int rc =
        social_store_drop(tx, SOCIAL_PAIRS_REQUEST, edge->follower, edge->target, ret_was, err);
    if (rc < 0 || !*ret_was)
        return rc;
    rc = social_store_count(tx, edge->follower, SOCIAL_COUNT_ASKING, -1, err);
    return rc < 0 || !tell ? rc : tell_both(edge, tx, SOCIAL_FOLLOW_NONE, err);
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* A hook lives until its transaction ends, which may be after the function that set it. */
struct ending {
    struct db_hook hook;
    struct social_blocks *blocks;
    struct social_pair pair;
    bool on;
};

static void publish(struct db_hook *hook, bool committed)
{
    struct ending *e = CONTAINER_OF(hook, struct ending, hook);
    if (committed)
        social_blocks_set(e->blocks, &e->pair.by, &e->pair.about, e->on);
    free(e);
}

static int publish_on_commit(struct social_room *room, struct db_tx *tx,
                             const struct social_pair *pair, bool on, struct error *err)
{
    struct ending *e = malloc(sizeof *e);
    if (e == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "Out of memory.");
    *e = (struct ending){.hook.run = publish, .blocks = room->blocks, .pair = *pair, .on = on};
    db_on_end(tx, &e->hook);
    return 0;
}

int social_graph_block(struct social_room *room, struct db_tx *tx, const struct id *blocker,
                       const struct id *blocked, bool on, bool *ret_changed, struct error *err)
{
    int rc = on ? social_store_put(tx, SOCIAL_PAIRS_BLOCK, blocker, blocked,
                                   clock_wall_ms(room->kit->clock), ret_changed, err)
                : social_store_drop(tx, SOCIAL_PAIRS_BLOCK, blocker, blocked, ret_changed, err);
    if (rc < 0 || !*ret_changed)
        return rc;
    rc = social_store_count(tx, blocker, SOCIAL_COUNT_BLOCKS, on ? 1 : -1, err);
    const struct social_pair pair = {*blocker, *blocked};
    return rc < 0 ? rc : publish_on_commit(room, tx, &pair, on, err);
}
