/* The home feed against a model that fits on a page: random follows, mutes, blocks, posts, edits of
 * visibility, deletes and restarts on the real rooms, with an index so small that everything in it
 * overflows and a bound of followers that is crossed all the time. After every few steps each feed,
 * read in pages, must be what the model says: nothing lost, nothing twice, newest first. */
#include <stdio.h>
#include <stdlib.h>

#include "post_rig.h"

enum { PEOPLE = 9, POSTS_MAX = 4000, STEPS = 1500, LONG_SPELL = 200 };
enum { LOOK_OFTEN = 6, LOOK_SELDOM = 60 }; /* once in so many steps */

struct model {
    struct rig rig;
    struct id people[PEOPLE];
    bool follows[PEOPLE][PEOPLE], mutes[PEOPLE][PEOPLE], blocks[PEOPLE][PEOPLE];
    struct {
        struct id id;
        int author, visibility;
        bool gone;
    } posts[POSTS_MAX];
    size_t count;
    unsigned seed;
};

static int draw(struct model *m, int below)
{
    return (int)(rand_r(&m->seed) % (unsigned)below);
}

static bool sees(const struct model *m, int viewer, size_t i)
{
    int author = m->posts[i].author;
    if (m->posts[i].gone)
        return false;
    if (author == viewer)
        return true;
    return m->posts[i].visibility != SOCIAL_PRIVATE && m->follows[viewer][author] &&
           !m->mutes[viewer][author];
}

/* --- steps -------------------------------------------------------------------------------------
 */

static void publish(struct model *m)
{
    int author = draw(m, 3) == 0 ? draw(m, PEOPLE) : draw(m, 3); /* some write much */
    int visibility = draw(m, 8) == 0 ? SOCIAL_PRIVATE : draw(m, 2);
    if (m->count == POSTS_MAX)
        return;
    struct post post = rig_post(&m->rig, &m->people[author], "a post", visibility);
    m->posts[m->count].id = post.id;
    m->posts[m->count].author = author;
    m->posts[m->count++].visibility = visibility;
}

static void follow(struct model *m, int a, int b)
{
    if (a == b || m->blocks[a][b] || m->blocks[b][a])
        return;
    CHECK_OK(rig_relate(&m->rig, social_follow, &m->people[a], &m->people[b]), &m->rig.err);
    m->follows[a][b] = true;
}

static void unfollow(struct model *m, int a, int b)
{
    if (a == b || m->blocks[b][a])
        return;
    CHECK_OK(rig_relate(&m->rig, social_unfollow, &m->people[a], &m->people[b]), &m->rig.err);
    m->follows[a][b] = false;
}

static void mute(struct model *m, int a, int b, bool on)
{
    if (a == b || m->blocks[b][a])
        return;
    CHECK_OK(rig_relate(&m->rig, on ? social_mute : social_unmute, &m->people[a], &m->people[b]),
             &m->rig.err);
    m->mutes[a][b] = on;
}

static void block(struct model *m, int a, int b, bool on)
{
    if (a == b || m->blocks[b][a])
        return;
    CHECK_OK(rig_relate(&m->rig, on ? social_block : social_unblock, &m->people[a], &m->people[b]),
             &m->rig.err);
    m->blocks[a][b] = on;
    if (on)
        m->follows[a][b] = m->follows[b][a] = false;
}

static void change_post(struct model *m)
{
    if (m->count == 0)
        return;
    size_t i = (size_t)draw(m, (int)m->count);
    const struct id *author = &m->people[m->posts[i].author];
    struct post post;
    int64_t version;
    if (m->posts[i].gone)
        return;
    if (draw(m, 3) == 0) {
        CHECK_OK(post_delete(rig_as(&m->rig, author), &m->posts[i].id, NULL, NULL), &m->rig.err);
        m->posts[i].gone = true;
        return;
    }
    struct post_patch patch = {.present = 1 << POST_PATCH_VISIBILITY, .visibility = draw(m, 3)};
    CHECK_OK(
        post_update(rig_as(&m->rig, author), &m->posts[i].id, &patch, NULL, NULL, &post, &version),
        &m->rig.err);
    m->posts[i].visibility = patch.visibility;
}

/* Ids of a new process begin above those of the old one when a millisecond has passed. */
static void restart(struct model *m)
{
    clock_fake_advance(&m->rig.clock, 1);
    rig_restart(&m->rig, draw(m, 2) == 0);
}

static void step(struct model *m)
{
    clock_fake_advance(&m->rig.clock, draw(m, 2));
    int a = draw(m, PEOPLE), b = draw(m, 2) == 0 ? draw(m, 3) : draw(m, PEOPLE);
    switch (draw(m, 16)) {
    case 0:
    case 1:
    case 2: return follow(m, a, b);
    case 3: return unfollow(m, a, b);
    case 4: return mute(m, a, b, true);
    case 5:
    case 6: return mute(m, a, b, false);
    case 7: return block(m, a, b, draw(m, 4) == 0);
    case 8: return change_post(m);
    case 9: return rig_pump(&m->rig);
    case 10: (void)rig_work(&m->rig); return;
    case 11:
        if (draw(m, 40) == 0)
            restart(m);
        return;
    default: return publish(m);
    }
}

/* --- looking -----------------------------------------------------------------------------------
 */

static void complain(const struct model *m, int viewer, size_t at, size_t got, size_t want)
{
    test_fail(__FILE__, __LINE__, "seed %u: feed of %d differs at %zu of %zu (%zu wanted)", m->seed,
              viewer, at, got, want);
}

/* settled: exactly what the model says; else no more than that, in order, nothing twice. */
static bool look(struct model *m, int viewer, bool settled)
{
    static struct id got[POSTS_MAX];
    size_t count =
        rig_list_all(&m->rig, &m->people[viewer], post_feed, 1 + draw(m, 12), got, POSTS_MAX);
    size_t at = 0, want = 0;
    for (size_t i = m->count; i-- > 0;) {
        bool same = at < count && id_eq(&got[at], &m->posts[i].id);
        bool wanted = sees(m, viewer, i);
        want += wanted;
        if (same && !wanted)
            break;
        if (wanted && !same && settled)
            break;
        at += same;
    }
    if (at != count || (settled && want != count)) {
        complain(m, viewer, at, count, want);
        return false;
    }
    return true;
}

static bool look_at_all(struct model *m)
{
    rig_settle(&m->rig);
    for (int viewer = 0; viewer < PEOPLE; viewer++)
        if (!look(m, viewer, true))
            return false;
    return true;
}

static void run(unsigned seed, const char *const *settings)
{
    static struct model m;
    memset(&m, 0, sizeof m);
    m.seed = seed;
    rig_open(&m.rig, settings);
    rig_feed(&m.rig)->sizes = (struct feed_sizes){.kept = 12,
                                                  .slack = 4,
                                                  .trim_one_in = 1,
                                                  .follow = 4,
                                                  .built = 6,
                                                  .leave = 3,
                                                  .followers_per_turn = 2,
                                                  .leavers_per_turn = 1,
                                                  .spare = 0};
    for (int i = 0; i < PEOPLE; i++) {
        char name[32];
        snprintf(name, sizeof name, "person%d", i);
        m.people[i] = rig_person_named(&m.rig, name);
    }
    bool good = true;
    for (int i = 0; good && i < STEPS; i++) {
        step(&m);
        if (draw(&m, 3) == 0)
            good = look(&m, draw(&m, PEOPLE), false);
        if (good && draw(&m, i / LONG_SPELL % 2 == 0 ? LOOK_OFTEN : LOOK_SELDOM) == 0)
            good = look_at_all(&m);
    }
    rig_close(&m.rig);
}

static const char *const crossing[] = {"post.fanout_max=4", "post.feed_direct_max=0",
                                       "limits.per_user=off", NULL};

TEST(each_feed_is_what_the_model_says)
{
    run(1, crossing);
}

TEST(each_feed_is_what_the_model_says_again)
{
    run(2, crossing);
}

TEST(each_feed_is_what_the_model_says_once_more)
{
    run(3, crossing);
}

TEST(the_same_when_everybody_is_big)
{
    static const char *const settings[] = {"post.fanout_max=0", "post.feed_direct_max=0",
                                           "limits.per_user=off", NULL};
    run(11, settings);
}

TEST(the_same_without_an_index)
{
    static const char *const settings[] = {"post.fanout_max=4", "post.feed_direct_max=100",
                                           "limits.per_user=off", NULL};
    run(12, settings);
}
