/* The work on the index of home feeds, by a job that takes the noted tasks in turns, a slice of
 * each: a post with a hundred thousand ways to go holds up no other for longer than a slice.
 *
 * What it needs of the main database it reads before its transaction in the feed database; because
 * it is the only one that works on the index, and reads after the event that made the task was
 * committed, nothing falls between the two (the cases are gone through in docs/design/feed.md).
 */
#include <stdlib.h>

#include "base/metric.h"
#include "base/random.h"
#include "service/post/post_feed.h"

enum {
    TASKS_PER_STEP = 8,
    STEP_BYTES_MAX = 32 << 20,
};

/* --- a turn: what is to be written -------------------------------------------------------------
 */

enum big { BIG_AS_IT_IS, BIG_BECOMES, BIG_STAYS, BIG_LEAVES, BIG_ENDS };

struct turn {
    struct feed_task task;
    struct id *people; /* who gets ... */
    size_t people_count;
    struct post_ref *posts; /* ... what */
    size_t post_count;
    bool more_posts; /* the author has older ones: the index is complete from the last of these */
    bool set_floor;  /* to this, whatever it was */
    struct id floor;
    bool again;
    enum big big;
};

struct step {
    struct post_feed *feed;
    struct arena arena;
    struct feed_task tasks[TASKS_PER_STEP];
    struct turn turns[TASKS_PER_STEP];
    size_t count;
    int64_t now_ms;
};

static int no_room(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "A step of the feed does not fit.");
}

static int read_followers(struct step *s, struct turn *turn, size_t max, struct error *err)
{
    const struct social_calls *social = s->feed->room->social;
    turn->people = arena_array(&s->arena, max, sizeof *turn->people);
    if (turn->people == NULL)
        return no_room(err);
    int rc = social->followers(social->room, &turn->task.user, &turn->task.after, max, turn->people,
                               &turn->people_count, err);
    turn->again = rc == 0 && turn->people_count == max;
    if (turn->again)
        turn->task.after = turn->people[max - 1];
    return rc;
}

struct newest {
    struct turn *turn;
    const struct id *author;
    size_t max;
};

static int newest_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct id first;
    struct newest *n = arg;
    return post_store_by_user(tx, n->author, &post_id_last, &first, SOCIAL_FOLLOWERS, n->max + 1,
                              n->turn->posts, &n->turn->post_count, err);
}

static int read_newest(struct step *s, struct turn *turn, const struct id *author, size_t max,
                       struct error *err)
{
    struct newest n = {turn, author, max};
    turn->posts = arena_array(&s->arena, max + 1, sizeof *turn->posts);
    int rc = turn->posts != NULL ? db_read(s->feed->room->db, newest_tx, &n, err) : no_room(err);
    turn->more_posts = rc == 0 && turn->post_count > max;
    if (turn->more_posts)
        turn->post_count = max;
    return rc;
}

/* Whether the author's posts are brought to the followers, and what becomes of it. A big author
 * leaves well below the bound, so that a few followers more or less do not move anything. */
static int weigh(struct step *s, struct turn *turn, bool *ret_bring, struct error *err)
{
    const struct social_calls *social = s->feed->room->social;
    const struct feed_task *task = &turn->task;
    int64_t count, max = s->feed->fanout_max;
    int rc = social->follower_count(social->room, &task->user, &count, err);
    if (rc < 0)
        return rc;
    if (count > max)
        turn->big = task->leaving ? BIG_STAYS : task->big ? BIG_AS_IT_IS : BIG_BECOMES;
    else if (task->big && !task->leaving && count <= max - max / 4)
        turn->big = BIG_LEAVES;
    *ret_bring = count <= max && (!task->big || task->leaving || turn->big == BIG_LEAVES);
    return 0;
}

static int plan_post(struct step *s, struct turn *turn, struct error *err)
{
    bool bring;
    int rc = weigh(s, turn, &bring, err);
    if (rc < 0 || !bring)
        return rc;
    turn->posts = arena_zalloc(&s->arena, sizeof *turn->posts);
    if (turn->posts == NULL)
        return no_room(err);
    turn->posts[0] = (struct post_ref){.id = turn->task.other, .user_id = turn->task.user};
    turn->post_count = 1;
    return read_followers(s, turn, s->feed->sizes.followers_per_turn, err);
}

static int plan_follow(struct step *s, struct turn *turn, struct error *err)
{
    if (!turn->task.built || (turn->task.big && !turn->task.leaving))
        return 0;
    turn->people = &turn->task.user;
    turn->people_count = 1;
    return read_newest(s, turn, &turn->task.other, s->feed->sizes.follow, err);
}

static int plan_leave(struct step *s, struct turn *turn, struct error *err)
{
    if (!turn->task.leaving)
        return 0;
    int rc = read_followers(s, turn, s->feed->sizes.leavers_per_turn, err);
    if (rc == 0)
        rc = read_newest(s, turn, &turn->task.user, s->feed->sizes.leave, err);
    if (!turn->again)
        turn->big = BIG_ENDS;
    return rc;
}

/* --- making an index ---------------------------------------------------------------------------
 */

struct building {
    struct step *step;
    struct turn *turn;
    struct id *authors;
    size_t author_count;
    struct post_ref next;
    bool more;
};

static int add_user_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct building *b = arg;
    return feed_store_add_user(tx, &b->turn->task.user, b->step->now_ms, err);
}

static int build_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct building *b = arg;
    struct turn *turn = b->turn;
    struct feed_merge merge;
    int rc = feed_merge_init(&merge, tx, &b->step->arena, b->author_count, err);
    if (rc == 0)
        rc = post_feed_add_authors(&merge, &turn->task.user, b->authors, b->author_count, err);
    while (rc == 0 && turn->post_count < b->step->feed->sizes.built &&
           (rc = feed_merge_next(&merge, &turn->posts[turn->post_count], err)) > 0) {
        turn->post_count++;
        rc = 0;
    }
    b->more = rc == 0 && merge.count > 0;
    return rc < 0 ? rc : 0;
}

/* First the user is there, with nothing complete: from then on new posts are brought. What is read
 * afterwards has all that was there before. */
static int plan_build(struct step *s, struct turn *turn, struct error *err)
{
    struct building b = {.step = s, .turn = turn};
    turn->people = &turn->task.user;
    turn->people_count = 1;
    turn->posts = arena_array(&s->arena, s->feed->sizes.built, sizeof *turn->posts);
    int rc = turn->posts != NULL ? db_write(s->feed->db, add_user_tx, &b, err) : no_room(err);
    if (rc == 0)
        rc = post_feed_authors(s->feed->room, &turn->task.user, &s->arena, &b.authors,
                               &b.author_count, err);
    if (rc == 0)
        rc = db_read(s->feed->room->db, build_tx, &b, err);
    turn->set_floor = true;
    if (b.more && turn->post_count > 0)
        turn->floor = turn->posts[turn->post_count - 1].id;
    return rc;
}

static int plan(struct step *s, struct turn *turn, struct error *err)
{
    switch (turn->task.kind) {
    case FEED_TASK_POST: return plan_post(s, turn, err);
    case FEED_TASK_FOLLOW: return plan_follow(s, turn, err);
    case FEED_TASK_BUILD: return plan_build(s, turn, err);
    default: return plan_leave(s, turn, err);
    }
}

/* --- writing it --------------------------------------------------------------------------------
 */

static int settle_big(struct db_tx *tx, struct turn *turn, struct error *err)
{
    const struct id *author = &turn->task.user;
    switch (turn->big) {
    case BIG_BECOMES: return feed_store_set_big(tx, author, false, err);
    case BIG_STAYS: return feed_store_stay_big(tx, author, err);
    case BIG_LEAVES: {
        int rc = feed_store_set_big(tx, author, true, err);
        return rc < 0 ? rc : feed_store_put_task(tx, FEED_TASK_LEAVE, author, NULL, err);
    }
    case BIG_ENDS: return feed_store_drop_big(tx, author, err);
    default: return 0;
    }
}

static int put_all(const struct step *s, struct db_tx *tx, const struct turn *turn,
                   const struct id *user, struct error *err)
{
    const struct feed_sizes *its = &s->feed->sizes;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < turn->post_count; i++)
        rc = feed_store_put(tx, user, &turn->posts[i].id, &turn->posts[i].user_id, err);
    if (rc == 0 && turn->more_posts)
        rc = feed_store_raise_floor(tx, user, &turn->posts[turn->post_count - 1].id, err);
    if (rc == 0 && turn->set_floor)
        rc = feed_store_set_floor(tx, user, &turn->floor, err);
    bool trims = turn->post_count > 1 || random_u64() % (unsigned)its->trim_one_in == 0;
    return rc < 0 || !trims ? rc : feed_store_trim(tx, user, its->kept, its->slack, err);
}

static int write_turn(const struct step *s, struct db_tx *tx, struct turn *turn, struct error *err)
{
    bool big, leaving;
    int rc = feed_store_big(tx, &turn->task.user, &big, &leaving, err);
    if (rc == 0 && turn->task.kind == FEED_TASK_LEAVE && !leaving)
        return feed_store_end_turn(tx, &turn->task, false, err); /* big again, in this step */
    for (size_t i = 0; rc == 0 && i < turn->people_count; i++)
        rc = put_all(s, tx, turn, &turn->people[i], err);
    if (rc == 0)
        rc = settle_big(tx, turn, err);
    return rc < 0 ? rc : feed_store_end_turn(tx, &turn->task, turn->again, err);
}

static int write_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *s = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        rc = write_turn(s, tx, &s->turns[i], err);
    return rc;
}

static int tasks_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *s = arg;
    return feed_store_tasks(tx, TASKS_PER_STEP, s->tasks, &s->count, err);
}

int post_feed_step(struct post_feed *feed, bool *ret_did, bool *ret_more, struct error *err)
{
    struct step *s = xcalloc(1, sizeof *s);
    s->feed = feed;
    s->now_ms = clock_wall_ms(feed->room->kit->clock);
    arena_init(&s->arena, STEP_BYTES_MAX);
    int rc = db_read(feed->db, tasks_tx, s, err);
    *ret_did = rc == 0 && s->count > 0;
    *ret_more = false;
    for (size_t i = 0; rc == 0 && i < s->count; i++) {
        s->turns[i].task = s->tasks[i];
        rc = plan(s, &s->turns[i], err);
        *ret_more |= s->turns[i].again;
    }
    if (rc == 0 && s->count > 0)
        rc = db_write(feed->db, write_tx, s, err);
    for (size_t i = 0; rc == 0 && i < s->count; i++) {
        metric_add(feed->turns, 1);
        metric_add(feed->entries, s->turns[i].people_count * s->turns[i].post_count);
    }
    arena_done(&s->arena);
    free(s);
    return rc;
}
