/* The bar against a model: whatever was posted and seen, and however large the pages are, a walk
 * shows each story once, in the order that the README names. */
#include <stdlib.h>

#include "base/random.h"
#include "story_rig.h"

enum { AUTHORS = 620, STORIES_MAX = 2000, ROUNDS = 12 }; /* more than one chunk of follows */

struct model_story {
    struct id id;
    unsigned author;
    bool seen;
};

struct model {
    struct rig rig;
    struct id viewer, authors[AUTHORS];
    struct model_story stories[STORIES_MAX];
    size_t count;
    /* of each author: what they posted last, and whether anything is unseen */
    struct id newest[AUTHORS];
    bool unseen[AUTHORS];
};

static struct model *sorting; /* qsort has no argument for it */

static int compare(const void *x, const void *y)
{
    const struct model_story *a = x, *b = y;
    if (a->author == b->author)
        return id_cmp(&a->id, &b->id);
    if (sorting->unseen[a->author] != sorting->unseen[b->author])
        return sorting->unseen[a->author] ? -1 : 1;
    return id_cmp(&sorting->newest[b->author], &sorting->newest[a->author]);
}

static void sort_model(struct model *m)
{
    memset(m->newest, 0, sizeof m->newest);
    memset(m->unseen, 0, sizeof m->unseen);
    for (size_t i = 0; i < m->count; i++) {
        const struct model_story *s = &m->stories[i];
        if (id_cmp(&s->id, &m->newest[s->author]) > 0)
            m->newest[s->author] = s->id;
        m->unseen[s->author] |= !s->seen;
    }
    sorting = m;
    qsort(m->stories, m->count, sizeof m->stories[0], compare);
}

static void post_some(struct model *m, unsigned how_many)
{
    for (unsigned i = 0; i < how_many && m->count < STORIES_MAX; i++) {
        unsigned author = (unsigned)random_below(AUTHORS);
        struct story_new what = {.text = SLICE("x"), .visibility = (int)random_below(2)};
        struct story story;
        if (story_post(rig_as(&m->rig, &m->authors[author]), &what, &story) == 0)
            m->stories[m->count++] = (struct model_story){story.id, author, author == 0};
        if (random_below(4) == 0)
            clock_fake_advance(&m->rig.clock, 1);
    }
}

static void see_some(struct model *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (!m->stories[i].seen && random_below(3) == 0) {
            CHECK_OK(story_view(rig_as(&m->rig, &m->viewer), &m->stories[i].id), &m->rig.err);
            m->stories[i].seen = true;
        }
}

/* One page from the cursor on, which becomes that of the next; false at the end. */
static bool read_page(struct model *m, int64_t limit, struct buf *cursor, size_t *at)
{
    struct page_query query = {.limit = limit,
                               .cursor = cursor->len > 0 ? buf_view(cursor) : (struct slice){0}};
    struct story_page page = {0};
    CHECK_OK(story_bar(rig_as(&m->rig, &m->viewer), &query, &page), &m->rig.err);
    CHECK((int64_t)page.count <= limit);
    for (size_t i = 0; i < page.count; i++, *at += 1) {
        bool good = *at < m->count && id_eq(&page.items[i].id, &m->stories[*at].id) &&
                    page.items[i].viewed == m->stories[*at].seen;
        if (!good)
            test_fail(__FILE__, __LINE__, "story %zu of %zu is another one", *at, m->count);
    }
    buf_clear(cursor);
    if (page.next.ptr != NULL)
        base64url_encode(page.next, cursor);
    return page.next.ptr != NULL;
}

static void walk(struct model *m, int64_t limit)
{
    struct buf cursor;
    size_t at = 0, pages = 0;
    buf_init(&cursor, 400);
    while (read_page(m, limit, &cursor, &at) && pages < STORIES_MAX)
        pages++;
    CHECK_INT(at, m->count);
    buf_done(&cursor);
}

static void open_model(struct model *m)
{
    static const char *const settings[] = {"story.per_day=100", NULL};
    rig_open(&m->rig, settings);
    m->count = 0;
    m->viewer = m->authors[0] = rig_person(&m->rig); /* one's own are in the bar, too */
    for (unsigned i = 1; i < AUTHORS; i++) {
        m->authors[i] = rig_person(&m->rig);
        rig_follow(&m->rig, &m->viewer, &m->authors[i]);
    }
    struct id stranger = rig_person(&m->rig);
    rig_post(&m->rig, &stranger, "not for the bar");
}

TEST(a_walk_is_what_the_model_says)
{
    static struct model m;
    open_model(&m);
    for (int round = 0; round < ROUNDS; round++) {
        post_some(&m, 1 + (unsigned)random_below(120));
        clock_fake_advance(&m.rig.clock, 1); /* what was just posted is before the walk */
        if (round % 2 == 1)
            see_some(&m);
        sort_model(&m);
        walk(&m, 1 + (int64_t)random_below(PAGE_LIMIT_MAX));
    }
    rig_close(&m.rig);
}

TEST(what_happens_during_a_walk_does_not_move_anything)
{
    static struct model m;
    struct buf cursor;
    size_t at = 0;
    open_model(&m);
    post_some(&m, 150);
    see_some(&m);
    clock_fake_advance(&m.rig.clock, 1);
    sort_model(&m);
    static struct model_story before[STORIES_MAX];
    size_t count = m.count;
    memcpy(before, m.stories, count * sizeof before[0]);
    buf_init(&cursor, 400);
    while (read_page(&m, 7, &cursor, &at)) {
        clock_fake_advance(&m.rig.clock, 1);
        post_some(&m, 5);
        for (size_t i = 0; i < at; i++) /* one looks at what has been shown */
            if (!before[i].seen)
                CHECK_OK(story_view(rig_as(&m.rig, &m.viewer), &before[i].id), &m.rig.err);
        m.count = count; /* the walk knows nothing of the new ones */
        memcpy(m.stories, before, count * sizeof before[0]);
    }
    CHECK_INT(at, count);
    buf_done(&cursor);
    rig_close(&m.rig);
}
