/* Opening the room: configuration, other rooms, what it keeps in memory. */
#include <stdlib.h>

#include "service/post/post_feed.h"

enum { POPULAR_MS = 30 * 60 * 1000, MINUTE_MS = 60 * 1000, DAY_MS = 24 * 3600 * 1000 };

const struct config_key post_config[] = {
    {"post.posts_per_day", CONFIG_INT, "500", 1, 1000000,
     .doc = "Posts per user and day; off with limits.per_user=off."},
    {"post.comments_per_minute", CONFIG_INT, "30", 1, 1000000,
     .doc = "Comments per user and minute; off with limits.per_user=off."},
    {"post.comment_depth_max", CONFIG_INT, "32", 1, 1000, .doc = "Levels of a thread."},
    {"post.fanout_max", CONFIG_INT, "10000", 0, 100000000,
     .doc = "Followers up to which a post is brought to each feed; above, it is read from there."},
    {"post.feed_direct_max", CONFIG_INT, "32", 0, 1000000,
     .doc = "Who follows no more people than this has no feed index: it is read from them."},
    {0},
};

int post_start(struct kit *kit, void **ret_room, struct error *err)
{
    const struct config *config = kit->config;
    bool limited = config_bool(config, "limits.per_user");
    int64_t posts = limited ? config_int(config, "post.posts_per_day") : 0;
    int64_t comments = limited ? config_int(config, "post.comments_per_minute") : 0;
    struct post_room *room = xcalloc(1, sizeof *room);
    (void)err;
    room->kit = kit;
    room->db = kit_db(kit, "post");
    room->social = kit_calls(kit, "social");
    room->users = kit_calls(kit, "user");
    room->post_limit = (struct limit_rule){"posts", LIMIT_WINDOW, posts, DAY_MS, "too_many_posts"};
    room->comment_limit =
        (struct limit_rule){"comments", LIMIT_BUCKET, comments, MINUTE_MS, "too_many_comments"};
    room->comment_depth_max = config_int(config, "post.comment_depth_max");
    room->popular = cache_new(kit, "popular_posts", POPULAR_MS);
    room->pulse = post_pulse_new(room);
    room->feed = post_feed_new(room);
    *ret_room = room;
    return 0;
}

void post_stop(void *arg)
{
    struct post_room *room = arg;
    post_feed_free(room->feed);
    post_pulse_free(room->pulse);
    cache_free(room->popular);
    free(room);
}
