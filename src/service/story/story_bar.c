/* The bar: what is active of all whom one follows, in one list (T08).
 *
 * First a glance at every author one follows, in an index that holds active stories only: when they
 * posted last, and whether anything is unseen. The few who come next in the order are kept; the
 * stories of those alone are read. However many one follows, memory is bound by the page.
 *
 * A walk through the pages goes by what was there when it began (`as_of`, in the cursor): a story
 * that is posted, or looked at, meanwhile does not move an author to another place.
 */
#include "service/story/story_store.h"

enum { FOLLOWED_CHUNK = 500, CHOSEN_MAX = PAGE_LIMIT_MAX + 2 };

struct bar_author {
    struct id id;
    bool seen;
    struct id newest; /* the story posted last, as of then: its id says when */
};

struct bar {
    struct story_call *call;
    struct story_place from; /* what is before it, or is it, has been shown */
    int64_t now;
    size_t limit;
    const struct id *followed; /* the chunk being looked at */
    size_t followed_count;
    struct bar_author chosen[CHOSEN_MAX]; /* in order */
    size_t chosen_count, chosen_max;
    bool cut; /* there were more authors than fit */
    struct story *stories;
    size_t count;
};

static int compare(const struct bar_author *a, const struct bar_author *b)
{
    if (a->seen != b->seen)
        return a->seen ? 1 : -1;
    return id_cmp(&b->newest, &a->newest);
}

static struct bar_author author_of(const struct story_place *place)
{
    return (struct bar_author){.id = place->author, .seen = place->seen, .newest = place->newest};
}

/* Puts the author among the chosen; the last one goes when there are too many. */
static void choose(struct bar *bar, const struct bar_author *author)
{
    struct bar_author from = author_of(&bar->from);
    if (!id_is_nil(&from.newest) && compare(author, &from) < 0)
        return;
    size_t at = bar->chosen_count;
    while (at > 0 && compare(author, &bar->chosen[at - 1]) < 0)
        at--;
    if (bar->chosen_count == bar->chosen_max) {
        bar->cut = true;
        if (at == bar->chosen_max)
            return;
        bar->chosen_count--;
    }
    memmove(&bar->chosen[at + 1], &bar->chosen[at],
            (bar->chosen_count - at) * sizeof bar->chosen[0]);
    bar->chosen[at] = *author;
    bar->chosen_count++;
}

static int glance_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct bar *bar = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < bar->followed_count; i++) {
        struct story_glance glance;
        rc = story_store_glance(tx, &bar->followed[i], &bar->call->user, bar->now, bar->from.as_of,
                                &glance, err);
        if (rc == 0 && !id_is_nil(&glance.newest))
            choose(bar, &(struct bar_author){.id = bar->followed[i],
                                             .seen = !glance.unseen,
                                             .newest = glance.newest});
    }
    return rc;
}

static int glance_at(struct bar *bar, const struct id *authors, size_t count)
{
    bar->followed = authors;
    bar->followed_count = count;
    return count > 0 ? db_read(bar->call->room->db, glance_tx, bar, bar->call->err) : 0;
}

static int choose_authors(struct bar *bar)
{
    struct story_call *call = bar->call;
    const struct social_calls *social = call->room->social;
    struct id *ids = arena_array(call->arena, FOLLOWED_CHUNK, sizeof *ids), after = {{0}};
    size_t count = 0;
    if (ids == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    int rc = glance_at(bar, &call->user, 1);
    while (rc == 0) {
        rc = social->following(social->room, &call->user, &after, FOLLOWED_CHUNK, ids, &count,
                               call->err);
        if (rc == 0)
            rc = glance_at(bar, ids, count);
        if (rc < 0 || count < FOLLOWED_CHUNK)
            break;
        after = ids[count - 1];
    }
    return rc;
}

/* Blocks, follows that ended while we looked, and accounts that are not active. */
static int leave_out_hidden(struct bar *bar)
{
    struct story_call *call = bar->call;
    struct social_relation relations[CHOSEN_MAX];
    struct id ids[CHOSEN_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < bar->chosen_count; i++)
        ids[i] = bar->chosen[i].id;
    int rc = call->room->social->relations(call->room->social->room, &call->user, ids,
                                           bar->chosen_count, relations, call->err);
    for (size_t i = 0; rc == 0 && i < bar->chosen_count; i++)
        if (social_may_follow_along(&relations[i]) && !relations[i].muting)
            bar->chosen[kept++] = bar->chosen[i];
    if (rc == 0)
        bar->chosen_count = kept;
    return rc;
}

static int fetch_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct bar *bar = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < bar->chosen_count && bar->count <= bar->limit; i++) {
        const struct id *author = &bar->chosen[i].id;
        bool going_on = id_eq(author, &bar->from.author);
        struct story_span span = {.author = author,
                                  .viewer = &bar->call->user,
                                  .now = bar->now,
                                  .until = bar->from.as_of,
                                  .after_created = going_on ? bar->from.created_at : INT64_MIN,
                                  .after = going_on ? bar->from.story : (struct id){{0}},
                                  .max = bar->limit + 1 - bar->count};
        rc = story_store_active(tx, &span, bar->call->arena, bar->stories, &bar->count, err);
    }
    return rc;
}

static int fetch(struct bar *bar)
{
    struct story_call *call = bar->call;
    bar->stories = arena_array(call->arena, bar->limit + 1, sizeof *bar->stories);
    if (bar->stories == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    return bar->chosen_count > 0 ? db_read(call->room->db, fetch_tx, bar, call->err) : 0;
}

/* Where the next page goes on: after the last story shown, or, when authors were left over without
 * the page being full, after the last author who was looked at. */
static int go_on(struct bar *bar, const struct bar_author *last, struct slice *ret_next)
{
    struct story_place place = {.created_at = INT64_MAX};
    const struct bar_author *author = last;
    if (bar->count > bar->limit) {
        bar->count = bar->limit;
        place = story_place_after(&bar->stories[bar->count - 1]);
        for (size_t i = 0; i < bar->chosen_count; i++)
            if (id_eq(&bar->chosen[i].id, &place.author))
                author = &bar->chosen[i];
    } else if (!bar->cut) {
        return 0;
    }
    place.as_of = bar->from.as_of;
    place.author = author->id;
    place.seen = author->seen;
    place.newest = author->newest;
    return story_place_write(&place, bar->call->arena, ret_next, bar->call->err);
}

int story_bar(struct story_call *call, const struct page_query *query, struct story_page *ret_page)
{
    struct bar bar = {.call = call,
                      .now = clock_wall_ms(call->room->kit->clock),
                      .limit = (size_t)query->limit,
                      .chosen_max = (size_t)query->limit + 2};
    struct slice next = {0};
    bool given;
    int rc = story_place_read(query->cursor, &bar.from, &given, call->err);
    if (rc == 0 && (!given || bar.from.as_of > bar.now))
        bar.from.as_of = bar.now;
    if (rc == 0)
        rc = choose_authors(&bar);
    if (rc < 0)
        return rc;
    struct bar_author last =
        bar.chosen_count > 0 ? bar.chosen[bar.chosen_count - 1] : (struct bar_author){0};
    rc = leave_out_hidden(&bar);
    if (rc == 0)
        rc = fetch(&bar);
    if (rc == 0)
        rc = go_on(&bar, &last, &next);
    if (rc == 0)
        *ret_page = (struct story_page){.items = bar.stories, .count = bar.count, .next = next};
    return rc;
}
