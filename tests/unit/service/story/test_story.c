/* Stories and the clock: gone in the very millisecond, ten in any 24 hours, cleaned in chunks. */
#include "base/fault.h"
#include "base/metric.h"
#include "service/story/story_store.h"
#include "story_rig.h"

static const char sql_stories[] = "SELECT count(*) FROM story";
static const char sql_views[] = "SELECT count(*) FROM story_viewer";
static const char sql_drift[] =
    "SELECT count(*) FROM story s WHERE viewer_count <>"
    " (SELECT count(*) FROM story_viewer v WHERE v.story_id = s.story_id)";
static const char sql_by_author[] = "SELECT count(*) FROM story_by_author";
static const char sql_seen[] = "SELECT count(*) FROM story_seen";

TEST(it_is_gone_in_the_millisecond_in_which_it_expires)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    struct id author = rig_person(&rig), viewer = rig_person(&rig);
    rig_follow(&rig, &viewer, &author);
    struct story story = rig_post(&rig, &author, "for a day");
    CHECK_INT(story.expires_at, NOW + 24 * HOUR);
    clock_fake_advance(&rig.clock, 24 * HOUR - 1);
    CHECK_INT(rig_list(&rig, &viewer, &author), 1); /* into the cache, a millisecond before */
    CHECK_INT(rig_bar(&rig, &viewer), 1);
    CHECK_OK(story_view(rig_as(&rig, &viewer), &story.id), &rig.err);
    clock_fake_advance(&rig.clock, 1);
    CHECK_INT(rig_list(&rig, &viewer, &author), 0);
    CHECK_INT(rig_list(&rig, &author, &author), 0);
    CHECK_INT(rig_bar(&rig, &viewer), 0);
    CHECK_INT(rig_bar(&rig, &author), 0);
    CHECK_CODE(&rig, story_view(rig_as(&rig, &viewer), &story.id), FAIL_NOT_FOUND,
               "story_not_found");
    CHECK_CODE(&rig, story_delete(rig_as(&rig, &author), &story.id), FAIL_NOT_FOUND,
               "story_not_found");
    struct page_query query = {.limit = 10};
    struct story_viewers viewers;
    CHECK_CODE(&rig, story_viewers(rig_as(&rig, &author), &story.id, &query, &viewers),
               FAIL_NOT_FOUND, "story_not_found");
    CHECK_INT(rig_number(&rig, sql_stories), 1); /* the row is for the clean-up */
    rig_close(&rig);
}

/* One more is refused; for so many milliseconds. */
static int64_t refused_for(struct rig *rig, const struct id *author)
{
    struct story_new what = {.text = SLICE("one more")};
    struct story story;
    CHECK_INT(story_post(rig_as(rig, author), &what, &story), FAIL_LIMITED);
    CHECK_STR(slice_str(rig->err.code), "too_many_stories");
    return rig->err.retry_after_ms;
}

TEST(ten_in_any_day)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    struct id author = rig_person(&rig);
    for (int i = 0; i < 10; i++) {
        rig_post(&rig, &author, "one of ten");
        clock_fake_advance(&rig.clock, HOUR);
    }
    CHECK_INT(refused_for(&rig, &author), 14 * HOUR);
    clock_fake_advance(&rig.clock, 14 * HOUR - 1);
    CHECK_INT(refused_for(&rig, &author), 1);
    clock_fake_advance(&rig.clock, 1);
    rig_post(&rig, &author, "the first one's place");
    CHECK_INT(refused_for(&rig, &author), HOUR);
    rig_close(&rig);
}

TEST(a_lower_limit_counts_what_is_there)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    struct id author = rig_person(&rig);
    for (int i = 0; i < 5; i++) {
        rig_post(&rig, &author, "one of five");
        clock_fake_advance(&rig.clock, HOUR);
    }
    rig_room(&rig)->per_day = 2; /* the second newest has to leave: it is two hours old */
    CHECK_INT(refused_for(&rig, &author), 22 * HOUR);
    CHECK_INT(rig_list(&rig, &author, &author), 5);
    rig_close(&rig);
}

TEST(a_view_is_counted_and_told_once)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    struct id author = rig_person(&rig), viewer = rig_person(&rig);
    struct story story = rig_post(&rig, &author, "look");
    for (int i = 0; i < 3; i++)
        CHECK_OK(story_view(rig_as(&rig, &viewer), &story.id), &rig.err);
    CHECK_OK(story_view(rig_as(&rig, &author), &story.id), &rig.err);
    CHECK_INT(rig.told, 2); /* once to each of the two */
    CHECK_INT(rig_number(&rig, sql_views), 1);
    CHECK_INT(rig_number(&rig, sql_drift), 0);
    rig_close(&rig);
}

/* --- clean-up ----------------------------------------------------------------------------------
 */

struct filling {
    struct rig *rig;
    int stories, views_each;
};

static int fill_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct filling *f = arg;
    int rc = 0;
    for (int i = 0; rc == 0 && i < f->stories; i++) {
        struct story story = {.id = id_new(&f->rig->clock.clock),
                              .user_id = id_new(&f->rig->clock.clock),
                              .text = SLICE("old"),
                              .created_at = NOW + i,
                              .expires_at = NOW + i + 24 * HOUR};
        bool new;
        rc = story_store_insert(tx, &story, err);
        for (int v = 0; rc == 0 && v < f->views_each; v++) {
            struct id viewer = id_new(&f->rig->clock.clock);
            rc = story_store_view(tx, &story.id, &viewer, NOW, &new, err);
        }
    }
    return rc;
}

static void fill(struct rig *rig, int stories, int views_each)
{
    struct filling f = {rig, stories, views_each};
    error_init(&rig->err);
    CHECK_OK(db_write(rig->kit.main_db, fill_tx, &f, &rig->err), &rig->err);
}

struct cleaning {
    int64_t now;
    unsigned max, stories, views;
};

static int clean_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct cleaning *c = arg;
    return story_store_clean(tx, c->now, c->max, &c->stories, &c->views, err);
}

static struct cleaning clean_once(struct rig *rig, int64_t now, unsigned max)
{
    struct cleaning c = {.now = now, .max = max};
    error_init(&rig->err);
    CHECK_OK(db_write(rig->kit.main_db, clean_tx, &c, &rig->err), &rig->err);
    return c;
}

TEST(a_chunk_takes_no_more_than_it_may_and_only_what_has_expired)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    fill(&rig, 4, 3);
    CHECK_INT(clean_once(&rig, NOW + 24 * HOUR - 1, 100).stories, 0);
    struct cleaning c = clean_once(&rig, NOW + 24 * HOUR, 100);
    CHECK_INT(c.stories, 1); /* the one that expires in this millisecond */
    CHECK_INT(c.views, 3);
    c = clean_once(&rig, NOW + 25 * HOUR, 2);
    CHECK_INT(c.stories, 0); /* two of its views, so it stays */
    CHECK_INT(c.views, 2);
    c = clean_once(&rig, NOW + 25 * HOUR, 3);
    CHECK_INT(c.stories, 1);
    CHECK_INT(c.views, 2); /* the last one of it, and one of the next */
    CHECK_INT(rig_number(&rig, sql_stories), 2);
    CHECK_INT(rig_number(&rig, sql_views), 5);
    rig_close(&rig);
}

TEST(a_run_of_the_clean_up_takes_all_of_it)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    fill(&rig, 2500, 1);
    struct id author = rig_person(&rig), viewer = rig_person(&rig);
    clock_fake_advance(&rig.clock, 26 * HOUR);
    struct story stays = rig_post(&rig, &author, "stays");
    CHECK_OK(story_view(rig_as(&rig, &viewer), &stays.id), &rig.err);
    error_init(&rig.err);
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_stories), 1);
    CHECK_INT(rig_number(&rig, sql_views), 1);
    CHECK_INT(rig_number(&rig, sql_by_author), 1);
    CHECK_INT(rig_number(&rig, sql_seen), 1);
    CHECK_INT(rig_list(&rig, &author, &author), 1);
    rig_close(&rig);
}

TEST(persons_are_swept_once_a_day)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    error_init(&rig.err);
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    fill(&rig, 10, 2);
    clock_fake_advance(&rig.clock, 24 * HOUR - 1);
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_by_author), 10);
    clock_fake_advance(&rig.clock, 2 * HOUR);
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_by_author), 0);
    CHECK_INT(rig_number(&rig, sql_seen), 0);
    fill(&rig, 10, 2); /* long expired */
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_stories), 0);
    CHECK_INT(rig_number(&rig, sql_by_author), 10); /* tomorrow */
    rig_close(&rig);
}

TEST(who_posts_or_looks_again_leaves_nothing_old_behind)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    struct id author = rig_person(&rig), viewer = rig_person(&rig);
    for (int i = 0; i < 5; i++) {
        struct story story = rig_post(&rig, &author, "of that day");
        CHECK_OK(story_view(rig_as(&rig, &viewer), &story.id), &rig.err);
        CHECK_INT(rig_number(&rig, sql_by_author), 1);
        CHECK_INT(rig_number(&rig, sql_seen), 1);
        clock_fake_advance(&rig.clock, 25 * HOUR);
    }
    rig_close(&rig);
}

TEST(a_failed_run_is_counted_and_the_next_one_goes_on)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    fill(&rig, 5, 1);
    clock_fake_advance(&rig.clock, 26 * HOUR);
    int64_t failures = metric_value(rig_room(&rig)->clean_failures);
    CHECK(fault_set("db.commit=error"));
    error_init(&rig.err);
    CHECK(story_clean(rig.room, &rig.err) < 0);
    CHECK(fault_set(""));
    CHECK_INT(metric_value(rig_room(&rig)->clean_failures), failures + 1);
    CHECK_INT(rig_number(&rig, sql_stories), 5);
    error_init(&rig.err);
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_stories), 0);
    CHECK_INT(metric_value(rig_room(&rig)->clean_failures), failures + 1);
    rig_close(&rig);
}

TEST(a_person_who_goes_leaves_nothing_and_counts_stay_right)
{
    static struct rig rig;
    rig_open(&rig, NULL);
    struct id gone = rig_person(&rig), other = rig_person(&rig);
    rig_follow(&rig, &other, &gone);
    struct story theirs = rig_post(&rig, &gone, "mine"), kept = rig_post(&rig, &other, "other's");
    CHECK_OK(story_view(rig_as(&rig, &gone), &kept.id), &rig.err);
    CHECK_OK(story_view(rig_as(&rig, &other), &theirs.id), &rig.err);
    CHECK_INT(rig_bar(&rig, &other), 2);
    rig_delete_person(&rig, &gone);
    CHECK_INT(rig_bar(&rig, &other), 1);
    CHECK_CODE(&rig, story_view(rig_as(&rig, &other), &theirs.id), FAIL_NOT_FOUND,
               "story_not_found");
    CHECK_INT(rig_number(&rig, sql_drift), 0);
    error_init(&rig.err);
    CHECK_OK(story_clean(rig.room, &rig.err), &rig.err);
    CHECK_INT(rig_number(&rig, sql_stories), 1);
    CHECK_INT(rig_number(&rig, sql_views), 0);
    CHECK_INT(rig_number(&rig, sql_by_author), 1);
    CHECK_INT(rig_number(&rig, sql_seen), 1); /* the other's, of a story that is gone */
    rig_close(&rig);
}
