/* Posts, marks and comments: counts that do not drift, what an edit tells, who is erased. */
#include <stdio.h>
#include <stdlib.h>

#include "post_rig.h"

struct world {
    struct rig rig;
    struct id anna, ben, carl;
};

static void world_open(struct world *w)
{
    rig_open(&w->rig, NULL);
    w->anna = rig_person_named(&w->rig, "anna");
    w->ben = rig_person_named(&w->rig, "ben");
    w->carl = rig_person_named(&w->rig, "carl");
}

static void like(struct world *w, const struct id *who, const struct id *post, bool on)
{
    struct post after;
    bool changed;
    CHECK_OK(post_like(rig_as(&w->rig, who), post, on, &after, &changed), &w->rig.err);
}

static struct post_comment comment(struct world *w, const struct id *who, const struct id *post,
                                   const struct id *reply_to)
{
    struct post_comment_create what = {.text = SLICE("well")};
    struct post_comment made = {0};
    struct post after;
    if (reply_to != NULL)
        what.reply_to = *reply_to;
    CHECK_OK(post_comment_create(rig_as(&w->rig, who), post, &what, &made, &after), &w->rig.err);
    return made;
}

/* --- counts ------------------------------------------------------------------------------------
 */

static void check_counts(struct world *w)
{
    CHECK_INT(rig_number(&w->rig,
                         "SELECT count(*) FROM post p LEFT JOIN post_count c ON c.post_id = p.id"
                         " WHERE coalesce(c.likes, 0) <>"
                         " (SELECT count(*) FROM post_like l WHERE l.post_id = p.id)"),
              0);
    CHECK_INT(rig_number(&w->rig,
                         "SELECT count(*) FROM post p LEFT JOIN post_count c ON c.post_id = p.id"
                         " WHERE coalesce(c.comments, 0) <> (SELECT count(*) FROM comment m"
                         " WHERE m.post_id = p.id AND m.deleted_at = 0)"),
              0);
    CHECK_INT(rig_number(&w->rig, "SELECT count(*) FROM comment c WHERE replies <>"
                                  " (SELECT count(*) FROM comment r WHERE r.reply_to = c.id)"),
              0);
}

struct story { /* what the random steps work on */
    struct id posts[8], comments[400];
    int post_of[400], comment_count;
    unsigned seed;
};

static void random_step(struct world *w, struct story *s)
{
    const struct id *people[] = {&w->anna, &w->ben, &w->carl};
    const struct id *who = people[rand_r(&s->seed) % 3];
    int post = (int)(rand_r(&s->seed) % 8);
    if (rand_r(&s->seed) % 2 == 0) {
        like(w, who, &s->posts[post], rand_r(&s->seed) % 3 != 0);
    } else if (s->comment_count < 400 && rand_r(&s->seed) % 4 != 0) {
        int above = s->comment_count > 0 ? (int)rand_r(&s->seed) % s->comment_count : 0;
        struct post_comment_create what = {.text = SLICE("well")};
        struct post_comment made;
        struct post after;
        if (s->comment_count > 0 && s->post_of[above] == post)
            what.reply_to = s->comments[above];
        if (post_comment_create(rig_as(&w->rig, who), &s->posts[post], &what, &made, &after) == 0) {
            s->post_of[s->comment_count] = post;
            s->comments[s->comment_count++] = made.id;
        }
    } else if (s->comment_count > 0) {
        int at = (int)rand_r(&s->seed) % s->comment_count;
        struct post_comment gone;
        struct post after;
        int rc = post_comment_delete(rig_as(&w->rig, who), &s->posts[s->post_of[at]],
                                     &s->comments[at], NULL, NULL, &gone, &after);
        CHECK(rc == 0 || rc == FAIL_FORBIDDEN || rc == FAIL_CONFLICT);
    }
}

TEST(counts_are_what_a_recount_says)
{
    struct world w;
    struct story s = {.seed = 7};
    world_open(&w);
    for (int i = 0; i < 8; i++)
        s.posts[i] = rig_post(&w.rig, i % 2 == 0 ? &w.anna : &w.ben, "a post", SOCIAL_PUBLIC).id;
    for (int i = 0; i < 1500; i++)
        random_step(&w, &s);
    CHECK(s.comment_count > 100);
    check_counts(&w);
    rig_delete_person(&w.rig, &w.ben);
    CHECK_OK(post_erase_job(w.rig.room, &w.rig.err), &w.rig.err);
    check_counts(&w);
    rig_close(&w.rig);
}

TEST(a_mark_twice_counts_and_tells_once)
{
    struct world w;
    struct post after;
    bool changed;
    world_open(&w);
    struct id post = rig_post(&w.rig, &w.anna, "a post", SOCIAL_PUBLIC).id;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(post_like(rig_as(&w.rig, &w.ben), &post, true, &after, &changed), &w.rig.err);
        CHECK(changed == (i == 0));
        CHECK_INT(after.like_count, 1);
        CHECK(after.liked);
    }
    like(&w, &w.anna, &post, true); /* one's own: nobody is told */
    CHECK_INT(rig_count_events(&w.rig, &post_liked_event, &w.anna), 1);
    rig_close(&w.rig);
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void set_visibility(struct world *w, const struct id *post, int visibility)
{
    struct post_patch patch = {.present = 1 << POST_PATCH_VISIBILITY, .visibility = visibility};
    struct post after;
    int64_t version;
    CHECK_OK(post_update(rig_as(&w->rig, &w->anna), post, &patch, NULL, NULL, &after, &version),
             &w->rig.err);
}

TEST(a_change_of_visibility_is_told_from_where_one_stands)
{
    struct world w;
    world_open(&w);
    struct id followers = topic_stream(SOCIAL_AUTHOR_TOPIC, &w.anna);
    struct id post = rig_post(&w.rig, &w.anna, "a post", SOCIAL_PRIVATE).id;
    CHECK_INT(rig_count_events(&w.rig, &post_created_event, &followers), 0);
    CHECK_INT(rig_count_events(&w.rig, &post_created_event, &w.anna), 1);
    set_visibility(&w, &post, SOCIAL_PUBLIC);
    CHECK_INT(rig_count_events(&w.rig, &post_created_event, &followers), 1);
    CHECK_INT(rig_count_events(&w.rig, &post_updated_event, &w.anna), 1);
    set_visibility(&w, &post, SOCIAL_FOLLOWERS);
    CHECK_INT(rig_count_events(&w.rig, &post_updated_event, &followers), 1);
    set_visibility(&w, &post, SOCIAL_PRIVATE);
    CHECK_INT(rig_count_events(&w.rig, &post_deleted_event, &followers), 1);
    CHECK_INT(rig_count_events(&w.rig, &post_updated_event, &w.anna), 2);
    set_visibility(&w, &post, SOCIAL_PRIVATE); /* nothing changes */
    CHECK_INT(rig_count_events(&w.rig, &post_updated_event, NULL), 3);
    rig_close(&w.rig);
}

TEST(who_is_mentioned_hears_of_it_once_and_only_when_they_may_see_it)
{
    struct world w;
    struct post_patch patch = {.present = 1 << POST_PATCH_TEXT, .text = SLICE("@ben @carl again")};
    struct post after;
    int64_t version;
    world_open(&w);
    struct post post = rig_post(&w.rig, &w.anna, "@Ben, @anna and @nobody", SOCIAL_PUBLIC);
    CHECK_INT(post.mentions.count, 2);
    CHECK_INT(rig_count_events(&w.rig, &post_mentioned_event, &w.ben), 1);
    CHECK_INT(rig_count_events(&w.rig, &post_mentioned_event, &w.anna), 0);
    CHECK_OK(post_update(rig_as(&w.rig, &w.anna), &post.id, &patch, NULL, NULL, &after, &version),
             &w.rig.err);
    CHECK_INT(rig_count_events(&w.rig, &post_mentioned_event, &w.ben), 1);
    CHECK_INT(rig_count_events(&w.rig, &post_mentioned_event, &w.carl), 1);
    CHECK_OK(rig_relate(&w.rig, social_follow, &w.ben, &w.anna), &w.rig.err);
    (void)rig_post(&w.rig, &w.anna, "@ben @carl", SOCIAL_FOLLOWERS);
    CHECK_INT(rig_count_events(&w.rig, &post_mentioned_event, &w.ben), 2);
    CHECK_INT(rig_count_events(&w.rig, &post_mentioned_event, &w.carl), 1);
    CHECK_OK(rig_relate(&w.rig, social_block, &w.carl, &w.anna), &w.rig.err);
    post = rig_post(&w.rig, &w.anna, "@carl", SOCIAL_PUBLIC);
    CHECK_INT(post.mentions.count, 0);
    rig_close(&w.rig);
}

TEST(comments_are_told_to_the_author_of_the_post)
{
    struct world w;
    world_open(&w);
    struct id post = rig_post(&w.rig, &w.anna, "a post", SOCIAL_PUBLIC).id;
    struct post_comment first = comment(&w, &w.ben, &post, NULL);
    CHECK_INT(rig_count_events(&w.rig, &post_commented_event, &w.anna), 1);
    (void)comment(&w, &w.anna, &post, NULL); /* one's own */
    CHECK_INT(rig_count_events(&w.rig, &post_commented_event, &w.anna), 1);
    (void)comment(&w, &w.anna, &post, &first.id); /* answers ben */
    CHECK_INT(rig_count_events(&w.rig, &post_commented_event, &w.anna), 2);
    rig_close(&w.rig);
}

/* --- versions ----------------------------------------------------------------------------------
 */

TEST(edits_have_an_end)
{
    struct world w;
    struct post after;
    int64_t version = 0;
    world_open(&w);
    struct id post = rig_post(&w.rig, &w.anna, "a post", SOCIAL_PUBLIC).id;
    for (int i = 0; i < POST_EDITS_MAX; i++) {
        char text[32];
        snprintf(text, sizeof text, "edit %d", i);
        struct post_patch patch = {.present = 1 << POST_PATCH_TEXT, .text = slice_str(text)};
        int64_t before = i > 0 ? after.edited_at : 0;
        CHECK_OK(post_update(rig_as(&w.rig, &w.anna), &post, &patch, NULL, NULL, &after, &version),
                 &w.rig.err);
        CHECK_INT(version, i + 1);
        CHECK(after.edited_at > before); /* also within a millisecond */
    }
    struct post_patch patch = {.present = 1 << POST_PATCH_TEXT, .text = SLICE("one more")};
    CHECK_CODE(&w.rig,
               post_update(rig_as(&w.rig, &w.anna), &post, &patch, NULL, NULL, &after, &version),
               FAIL_CONFLICT, "too_many_edits");
    rig_close(&w.rig);
}

/* --- people who go -----------------------------------------------------------------------------
 */

static int count_export(void *arg, const char *kind, struct slice json, struct error *err)
{
    unsigned *counts = arg;
    static const char *const kinds[] = {"post", "comment", "like", "bookmark"};
    CHECK(json.len > 2 && json.ptr[0] == '{');
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        counts[i] += strcmp(kind, kinds[i]) == 0;
    return 0;
}

struct exporting {
    struct world *w;
    unsigned counts[4];
};

static int export_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct exporting *x = arg;
    return post_export_person(x->w->rig.room, tx, &x->w->ben, count_export, x->counts, err);
}

TEST(a_person_takes_everything_along_and_leaves_nothing)
{
    struct world w;
    struct post after;
    world_open(&w);
    struct id annas = rig_post(&w.rig, &w.anna, "a post", SOCIAL_PUBLIC).id;
    for (int i = 0; i < 40; i++) {
        struct id post = rig_post(&w.rig, &w.ben, "mine #tag", i % 3).id;
        if (i % 3 == SOCIAL_PUBLIC) {
            like(&w, &w.carl, &post, true);
            (void)comment(&w, &w.carl, &post, NULL);
        }
    }
    struct post_comment bens = comment(&w, &w.ben, &annas, NULL);
    struct post_comment carls = comment(&w, &w.carl, &annas, &bens.id);
    like(&w, &w.ben, &annas, true);
    CHECK_OK(post_bookmark(rig_as(&w.rig, &w.ben), &annas, true, &after), &w.rig.err);
    struct exporting x = {.w = &w};
    CHECK_OK(db_read(w.rig.kit.main_db, export_tx, &x, &w.rig.err), &w.rig.err);
    CHECK_INT(x.counts[0], 40);
    CHECK_INT(x.counts[1], 1);
    CHECK_INT(x.counts[2], 1);
    CHECK_INT(x.counts[3], 1);

    rig_delete_person(&w.rig, &w.ben);
    CHECK_OK(post_erase_job(w.rig.room, &w.rig.err), &w.rig.err);
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM post"), 1);
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM post_tag"), 0);
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM post_like"), 0);
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM post_bookmark"), 0);
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM post_erasure"), 0);
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM comment"), 2); /* one a tombstone */
    CHECK_INT(rig_number(&w.rig, "SELECT count(*) FROM comment WHERE user_id IS NULL"), 1);
    check_counts(&w);
    struct post_comments replies;
    struct page_query query = {.limit = 10};
    CHECK_OK(post_comment_list(rig_as(&w.rig, &w.anna), &annas, &bens.id, &query, &replies),
             &w.rig.err);
    CHECK_INT(replies.count, 1);
    CHECK(id_eq(&replies.items[0].id, &carls.id));
    rig_close(&w.rig);
}

TEST(popular_is_what_is_marked_and_young)
{
    struct world w;
    struct id posts[3], got[8];
    world_open(&w);
    posts[0] = rig_post(&w.rig, &w.anna, "old", SOCIAL_PUBLIC).id;
    like(&w, &w.ben, &posts[0], true);
    like(&w, &w.carl, &posts[0], true);
    clock_fake_advance(&w.rig.clock, INT64_C(24) * 3600 * 1000);
    posts[1] = rig_post(&w.rig, &w.anna, "new", SOCIAL_PUBLIC).id;
    like(&w, &w.ben, &posts[1], true);
    posts[2] = rig_post(&w.rig, &w.anna, "unmarked", SOCIAL_PUBLIC).id;
    CHECK_INT(rig_list_all(&w.rig, &w.carl, post_list_popular, 1, got, 8), 2);
    CHECK(id_eq(&got[0], &posts[1]) && id_eq(&got[1], &posts[0]));
    CHECK_OK(rig_relate(&w.rig, social_mute, &w.carl, &w.anna), &w.rig.err);
    CHECK_INT(rig_list_all(&w.rig, &w.carl, post_list_popular, 5, got, 8), 0);
    clock_fake_advance(&w.rig.clock, INT64_C(3) * 24 * 3600 * 1000 + 1);
    CHECK_INT(rig_list_all(&w.rig, &w.ben, post_list_popular, 5, got, 8), 0);
    rig_close(&w.rig);
}

TEST(more_candidates_than_are_read_at_a_time)
{
    struct world w;
    static struct id posts[2100], got[1100];
    world_open(&w);
    for (size_t i = 0; i < ARRAY_LEN(posts); i++) {
        clock_fake_advance(&w.rig.clock, 1);
        posts[i] = rig_post(&w.rig, &w.anna, "a post", SOCIAL_PUBLIC).id;
        like(&w, &w.ben, &posts[i], true);
    }
    like(&w, &w.carl, &posts[0], true); /* the oldest, and the best */
    CHECK_INT(rig_list_all(&w.rig, &w.ben, post_list_popular, 100, got, ARRAY_LEN(got)), 1000);
    CHECK(id_eq(&got[0], &posts[0]));
    for (size_t i = 1; i < 1000; i++)
        CHECK(id_eq(&got[i], &posts[ARRAY_LEN(posts) - i]));
    rig_close(&w.rig);
}
