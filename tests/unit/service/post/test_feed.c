/* The index of the home feed: who has one, how much it holds, and the turns of a big author. That a
 * feed is right whatever happens is what test_feed_model.c checks. */
#include <stdio.h>

#include "post_rig.h"

enum { READERS = 6 };

struct world {
    struct rig rig;
    struct id author, readers[READERS];
};

static void world_open(struct world *w, const char *const *settings)
{
    rig_open(&w->rig, settings);
    w->author = rig_person_named(&w->rig, "author");
    for (int i = 0; i < READERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "reader%d", i);
        w->readers[i] = rig_person_named(&w->rig, name);
    }
}

static void follow(struct world *w, int reader, bool on)
{
    CHECK_OK(
        rig_relate(&w->rig, on ? social_follow : social_unfollow, &w->readers[reader], &w->author),
        &w->rig.err);
}

static size_t read_feed(struct world *w, int reader, struct id *ret_ids, size_t max)
{
    return rig_list_all(&w->rig, &w->readers[reader], post_feed, 50, ret_ids, max);
}

static struct id publish(struct world *w)
{
    clock_fake_advance(&w->rig.clock, 1);
    return rig_post(&w->rig, &w->author, "a post", SOCIAL_PUBLIC).id;
}

static int64_t entries(struct world *w)
{
    return rig_number_in(&w->rig, "post.feed", "SELECT count(*) FROM feed_entry");
}

static const char *const indexed[] = {"post.feed_direct_max=0", "limits.per_user=off", NULL};

TEST(only_who_reads_has_an_index)
{
    struct world w;
    struct id got[8];
    world_open(&w, indexed);
    for (int i = 0; i < READERS; i++)
        follow(&w, i, true);
    (void)publish(&w);
    rig_settle(&w.rig);
    CHECK_INT(entries(&w), 0);
    CHECK_INT(read_feed(&w, 0, got, 8), 1); /* and from here on */
    rig_settle(&w.rig);
    CHECK_INT(entries(&w), 1);
    (void)publish(&w);
    rig_settle(&w.rig);
    CHECK_INT(entries(&w), 2);
    CHECK_INT(read_feed(&w, 0, got, 8), 2);
    CHECK_INT(read_feed(&w, 1, got, 8), 2);
    rig_close(&w.rig);
}

TEST(who_follows_few_needs_none)
{
    static const char *const settings[] = {"post.feed_direct_max=1", "limits.per_user=off", NULL};
    struct world w;
    struct id got[8];
    world_open(&w, settings);
    follow(&w, 0, true);
    (void)publish(&w);
    CHECK_INT(read_feed(&w, 0, got, 8), 1);
    rig_settle(&w.rig);
    CHECK_INT(rig_number_in(&w.rig, "post.feed", "SELECT count(*) FROM feed_user"), 0);
    rig_close(&w.rig);
}

TEST(a_post_is_there_as_soon_as_it_is_noted)
{
    struct world w;
    struct id got[8];
    world_open(&w, indexed);
    follow(&w, 0, true);
    (void)publish(&w);
    (void)read_feed(&w, 0, got, 8);
    rig_settle(&w.rig);
    struct id post = publish(&w);
    rig_pump(&w.rig); /* and nobody has brought it yet */
    CHECK_INT(read_feed(&w, 0, got, 8), 2);
    CHECK(id_eq(&got[0], &post));
    rig_close(&w.rig);
}

TEST(the_index_is_bounded_and_the_feed_is_not)
{
    struct world w;
    static struct id got[200];
    world_open(&w, indexed);
    rig_feed(&w.rig)->sizes.kept = 20;
    rig_feed(&w.rig)->sizes.slack = 10;
    rig_feed(&w.rig)->sizes.trim_one_in = 1;
    follow(&w, 0, true);
    (void)publish(&w);
    (void)read_feed(&w, 0, got, 8);
    for (int i = 1; i < 120; i++) {
        (void)publish(&w);
        rig_settle(&w.rig);
    }
    CHECK(entries(&w) >= 20 && entries(&w) <= 31);
    CHECK_INT(read_feed(&w, 0, got, 200), 120);
    rig_close(&w.rig);
}

TEST(who_does_not_read_for_a_month_loses_the_index_and_nothing_else)
{
    struct world w;
    struct id got[8];
    world_open(&w, indexed);
    for (int i = 0; i < 2; i++)
        follow(&w, i, true);
    (void)publish(&w);
    for (int i = 0; i < 2; i++)
        (void)read_feed(&w, i, got, 8);
    rig_settle(&w.rig);
    for (int days = 0; days < 31; days++) {
        clock_fake_advance(&w.rig.clock, INT64_C(25) * 3600 * 1000);
        (void)read_feed(&w, 1, got, 8);
        CHECK_OK(post_feed_idle_job(w.rig.room, &w.rig.err), &w.rig.err);
    }
    CHECK_INT(rig_number_in(&w.rig, "post.feed", "SELECT count(*) FROM feed_user"), 1);
    CHECK_INT(entries(&w), 1);
    CHECK_INT(read_feed(&w, 0, got, 8), 1);
    rig_close(&w.rig);
}

TEST(who_goes_leaves_no_index)
{
    struct world w;
    struct id got[8];
    world_open(&w, indexed);
    follow(&w, 0, true);
    (void)publish(&w);
    (void)read_feed(&w, 0, got, 8);
    rig_settle(&w.rig);
    CHECK_INT(entries(&w), 1);
    rig_delete_person(&w.rig, &w.readers[0]);
    CHECK_INT(entries(&w), 0);
    CHECK_INT(rig_number_in(&w.rig, "post.feed", "SELECT count(*) FROM feed_user"), 0);
    rig_close(&w.rig);
}

/* --- big authors -------------------------------------------------------------------------------
 */

static int64_t bigs(struct world *w)
{
    return rig_number_in(&w->rig, "post.feed", "SELECT count(*) FROM feed_big");
}

static const char *const bounded[] = {"post.feed_direct_max=0", "post.fanout_max=4",
                                      "limits.per_user=off", NULL};

/* Everybody follows and has an index; the author has become big. */
static void make_big(struct world *w)
{
    struct id got[8];
    world_open(w, bounded);
    rig_feed(&w->rig)->sizes.leavers_per_turn = 1;
    for (int i = 0; i < READERS; i++)
        follow(w, i, true);
    (void)publish(w);
    for (int i = 0; i < READERS; i++)
        CHECK_INT(read_feed(w, i, got, 8), 1);
    rig_settle(&w->rig);
    CHECK_INT(bigs(w), 1);
}

static void check_all(struct world *w, int from, size_t want)
{
    struct id got[16];
    for (int i = from; i < READERS; i++)
        CHECK_INT(read_feed(w, i, got, 16), want);
}

TEST(posts_of_big_authors_are_not_brought)
{
    struct world w;
    make_big(&w);
    int64_t before = entries(&w);
    for (int i = 0; i < 5; i++)
        (void)publish(&w);
    rig_settle(&w.rig);
    CHECK_INT(entries(&w), before);
    check_all(&w, 0, 6);
    rig_close(&w.rig);
}

TEST(who_is_big_no_more_is_brought_again)
{
    struct world w;
    make_big(&w);
    for (int i = 0; i < 3; i++)
        follow(&w, i, false);
    (void)publish(&w);
    rig_settle(&w.rig);
    CHECK_INT(bigs(&w), 0);
    check_all(&w, 3, 2);
    (void)publish(&w);
    rig_settle(&w.rig);
    check_all(&w, 3, 3);
    rig_close(&w.rig);
}

TEST(a_few_followers_more_or_less_move_nothing)
{
    struct world w;
    make_big(&w);
    for (int i = 0; i < 2; i++) /* four are left: the bound itself */
        follow(&w, i, false);
    (void)publish(&w);
    rig_settle(&w.rig);
    CHECK_INT(bigs(&w), 1);
    check_all(&w, 2, 2);
    rig_close(&w.rig);
}

TEST(who_leaves_and_stays_big_after_all_loses_no_post)
{
    struct world w;
    make_big(&w);
    for (int i = 0; i < 3; i++)
        follow(&w, i, false);
    (void)publish(&w);
    rig_pump(&w.rig);
    CHECK(rig_work(&w.rig)); /* leaves */
    CHECK(rig_work(&w.rig)); /* the first follower has had their part */
    for (int i = 0; i < 3; i++)
        follow(&w, i, true);
    (void)publish(&w);
    rig_pump(&w.rig);
    while (rig_work(&w.rig))
        continue;
    CHECK_INT(bigs(&w), 1);
    check_all(&w, 0, 3);
    rig_close(&w.rig);
}
