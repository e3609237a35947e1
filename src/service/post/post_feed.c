/* The home feed, read. See docs/design/feed.md.
 *
 * Whom the viewer follows and has not muted is asked at every page: who was unfollowed, muted or
 * blocked a moment ago is not on it. Order is by post id, which is the order of the commits; the
 * cursor is the last id, so a page is the same however much is published meanwhile.
 *
 * The index has everything from its floor up but the viewer's own posts and those of big authors,
 * which are read from the authors; below the floor everything is.
 */
#include "service/post/post_feed.h"

#include <stdlib.h>

#include "base/metric.h"

enum { FOLLOWING_STEP = 2000, PENDING_MAX = 1000 };
static const int64_t touch_ms = 24 * 3600 * 1000;

/* --- whom one follows --------------------------------------------------------------------------
 */

static int by_id(const void *a, const void *b)
{
    return id_cmp(a, b);
}

static int no_room(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "The feed does not fit into memory.");
}

static int grow(struct arena *arena, struct id **authors, size_t count, size_t *cap,
                struct error *err)
{
    if (count + FOLLOWING_STEP < *cap)
        return 0;
    size_t more = *cap * 2 + FOLLOWING_STEP + 1;
    struct id *wider = arena_array(arena, more, sizeof *wider);
    if (wider == NULL)
        return no_room(err);
    if (count > 0)
        memcpy(wider, *authors, count * sizeof *wider);
    *authors = wider;
    *cap = more;
    return 0;
}

int post_feed_authors(struct post_room *room, const struct id *viewer, struct arena *arena,
                      struct id **ret_authors, size_t *ret_count, struct error *err)
{
    const struct social_calls *social = room->social;
    struct id *authors = NULL, after = {{0}};
    size_t total = 0, cap = 0, count = FOLLOWING_STEP;
    while (count == FOLLOWING_STEP) {
        int rc = grow(arena, &authors, total, &cap, err);
        if (rc == 0)
            rc = social->following(social->room, viewer, &after, FOLLOWING_STEP, authors + total,
                                   &count, err);
        if (rc < 0)
            return rc;
        total += count;
        if (total > 0)
            after = authors[total - 1];
    }
    authors[total++] = *viewer;
    qsort(authors, total, sizeof *authors, by_id);
    *ret_authors = authors;
    *ret_count = total;
    return 0;
}

static int visibility_of(const struct id *viewer, const struct id *author)
{
    return id_eq(author, viewer) ? SOCIAL_PRIVATE : SOCIAL_FOLLOWERS;
}

int post_feed_add_authors(struct feed_merge *merge, const struct id *viewer,
                          const struct id *authors, size_t count, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = feed_merge_add_author(merge, &authors[i], visibility_of(viewer, &authors[i]), err);
    return rc;
}

/* --- what the index has ------------------------------------------------------------------------
 */

struct feed_reading {
    struct post_call *call;
    struct post_feed *feed;
    struct id *authors; /* by id: the viewer, and whom they follow */
    size_t author_count;
    struct id before;
    size_t limit;
    bool ended;
    struct post_page page;
    /* of the index */
    struct feed_user user;
    struct post_ref *entries; /* below `before`, newest first */
    size_t entry_count, entry_max;
    struct post_ref *pending; /* on their way into it */
    size_t pending_count;
    struct id *bigs;
    size_t big_count;
    bool cut; /* there are more entries */
};

static bool follows(const struct feed_reading *r, const struct id *author)
{
    return bsearch(author, r->authors, r->author_count, sizeof *r->authors, by_id) != NULL;
}

static int keep_entry(void *arg, const struct id *post, const struct id *author)
{
    struct feed_reading *r = arg;
    if (!follows(r, author))
        return 0;
    r->entries[r->entry_count++] = (struct post_ref){.id = *post, .user_id = *author};
    r->cut = r->entry_count == r->entry_max;
    return r->cut;
}

static int keep_pending(void *arg, const struct id *post, const struct id *author)
{
    struct feed_reading *r = arg;
    if (follows(r, author) && id_cmp(post, &r->before) < 0)
        r->pending[r->pending_count++] = (struct post_ref){.id = *post, .user_id = *author};
    return 0;
}

static int keep_big(void *arg, const struct id *post, const struct id *author)
{
    struct feed_reading *r = arg;
    (void)post;
    if (follows(r, author) && !id_eq(author, &r->call->who.user))
        r->bigs[r->big_count++] = *author;
    return 0;
}

static int index_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct feed_reading *r = arg;
    const struct id *viewer = &r->call->who.user;
    r->entry_count = r->pending_count = r->big_count = 0;
    r->cut = false;
    int rc = feed_store_user(tx, viewer, &r->user, err);
    if (rc < 0 || !r->user.built || id_cmp(&r->before, &r->user.floor) <= 0)
        return rc;
    rc = feed_store_entries(tx, viewer, &r->before, &r->user.floor, keep_entry, r, err);
    if (rc == 0)
        rc = feed_store_pending(tx, PENDING_MAX, keep_pending, r, err);
    return rc < 0 ? rc : feed_store_bigs(tx, keep_big, r, err);
}

static int newest_first(const void *a, const void *b)
{
    const struct post_ref *x = a, *y = b;
    return id_cmp(&y->id, &x->id);
}

/* Nothing when the viewer needs no index. */
static int read_index(struct feed_reading *r)
{
    struct arena *arena = r->call->arena;
    r->user = (struct feed_user){.floor = post_id_last};
    if ((int64_t)r->author_count - 1 <= r->feed->direct_max)
        return 0;
    r->entry_max = r->limit + r->feed->sizes.spare;
    if (r->entries == NULL) {
        r->entries = arena_array(arena, r->entry_max, sizeof *r->entries);
        r->pending = arena_array(arena, PENDING_MAX, sizeof *r->pending);
        r->bigs = arena_array(arena, r->author_count, sizeof *r->bigs);
    }
    if (r->entries == NULL || r->pending == NULL || r->bigs == NULL)
        return no_room(r->call->err);
    int rc = db_read(r->feed->db, index_tx, r, r->call->err);
    qsort(r->pending, r->pending_count, sizeof *r->pending, newest_first);
    return rc;
}

/* --- the page ----------------------------------------------------------------------------------
 */

/* Takes the post onto the page, when it is still there to be seen. */
static int take(struct feed_reading *r, struct db_tx *tx, const struct post_ref *ref,
                struct error *err)
{
    struct post *post = &r->page.items[r->page.count];
    bool found;
    int rc = post_store_get(tx, &ref->id, &r->call->who.user, r->call->arena, post, &found, err);
    if (rc == 0 && found && post->visibility <= visibility_of(&r->call->who.user, &post->user_id))
        r->page.count++;
    return rc;
}

static int take_all(struct feed_reading *r, struct feed_merge *merge, struct error *err)
{
    struct post_ref ref;
    int rc = 0;
    while (rc == 0 && r->page.count <= r->limit && (rc = feed_merge_next(merge, &ref, err)) > 0)
        rc = id_cmp(&ref.id, &merge->floor) < 0 ? 0 : take(r, merge->tx, &ref, err);
    return rc < 0 ? rc : 0;
}

/* Down to the floor, or as far as the entries go that were read. */
static int read_indexed(struct feed_reading *r, struct db_tx *tx, struct error *err)
{
    const struct id *viewer = &r->call->who.user;
    struct feed_merge merge;
    int rc = feed_merge_init(&merge, tx, r->call->arena, r->big_count + 3, err);
    merge.before = r->before;
    merge.floor = r->cut ? r->entries[r->entry_count - 1].id : r->user.floor;
    if (rc == 0)
        rc = feed_merge_add_refs(&merge, r->entries, r->entry_count, err);
    if (rc == 0)
        rc = feed_merge_add_refs(&merge, r->pending, r->pending_count, err);
    if (rc == 0)
        rc = post_feed_add_authors(&merge, viewer, viewer, 1, err);
    if (rc == 0)
        rc = post_feed_add_authors(&merge, viewer, r->bigs, r->big_count, err);
    if (rc == 0)
        rc = take_all(r, &merge, err);
    r->before = merge.floor;
    return rc;
}

/* Straight from the authors, to the end. */
static int read_authors(struct feed_reading *r, struct db_tx *tx, struct error *err)
{
    struct feed_merge merge;
    int rc = feed_merge_init(&merge, tx, r->call->arena, r->author_count, err);
    merge.before = r->before;
    if (rc == 0)
        rc = post_feed_add_authors(&merge, &r->call->who.user, r->authors, r->author_count, err);
    r->ended = true;
    return rc < 0 ? rc : take_all(r, &merge, err);
}

static int page_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct feed_reading *r = arg;
    int rc = 0;
    if (r->user.built && id_cmp(&r->before, &r->user.floor) > 0)
        rc = read_indexed(r, tx, err);
    bool full = r->page.count > r->limit;
    r->ended = full || (!r->cut && id_is_nil(&r->user.floor));
    return rc < 0 || r->ended || r->cut ? rc : read_authors(r, tx, err);
}

/* An index whose file is damaged is as good as none: the page comes from the authors, and what
 * fills the index says what to do (parley_consumer_lag_events, the log). */
static int read_index_if_whole(struct feed_reading *r)
{
    int rc = read_index(r);
    if (rc >= 0 || strcmp(r->call->err->code, "database_damaged") != 0)
        return rc;
    error_init(r->call->err);
    r->user = (struct feed_user){.floor = post_id_last};
    r->entry_count = r->pending_count = r->big_count = 0;
    r->cut = false;
    return 0;
}

/* Mostly one round: another when many entries are of posts that are gone. Each begins below the one
 * before, and the entries of a user are bounded. */
static int read_page(struct feed_reading *r)
{
    int rc = 0;
    while (rc == 0 && !r->ended) {
        rc = read_index_if_whole(r);
        if (rc == 0)
            rc = db_read(r->call->room->db, page_tx, r, r->call->err);
    }
    return rc;
}

/* --- the index wants to know -------------------------------------------------------------------
 */

static int note_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct feed_reading *r = arg;
    const struct id *viewer = &r->call->who.user;
    return r->user.built
               ? feed_store_touch(tx, viewer, clock_wall_ms(r->call->room->kit->clock), err)
               : feed_store_put_task(tx, FEED_TASK_BUILD, viewer, NULL, err);
}

/* Somebody reads who has no index, or whose reading was not noted for a day. The page does not
 * depend on it. */
static void note_reading(struct feed_reading *r)
{
    struct error err;
    error_init(&err);
    int64_t now_ms = clock_wall_ms(r->call->room->kit->clock);
    if ((int64_t)r->author_count - 1 <= r->feed->direct_max ||
        (r->user.built && now_ms - r->user.read_at < touch_ms))
        return;
    if (db_write(r->feed->db, note_tx, r, &err) == 0 && !r->user.built)
        post_feed_ring(r->feed);
}

/* As of now: an author may be switched off, or a block set, since the index or whom one follows was
 * read. The cursor stands already, so a page may be short and yet not the last. */
static int leave_out_hidden(struct post_call *call, struct post_page *page)
{
    struct id authors[PAGE_LIMIT_MAX];
    struct social_relation relations[PAGE_LIMIT_MAX];
    size_t kept = 0;
    if (page->count == 0)
        return 0;
    for (size_t i = 0; i < page->count; i++)
        authors[i] = page->items[i].user_id;
    int rc = post_relate(call, authors, page->count, relations);
    for (size_t i = 0; rc == 0 && i < page->count; i++)
        if (social_may_see(&relations[i], (enum social_visibility)page->items[i].visibility))
            page->items[kept++] = page->items[i];
    page->count = rc == 0 ? kept : 0;
    return rc;
}

int post_feed(struct post_call *call, const struct page_query *query, struct post_page *ret_page)
{
    struct feed_reading r = {.call = call, .feed = call->room->feed, .limit = (size_t)query->limit};
    struct cursor cursor;
    bool given;
    int rc = cursor_decode(query->cursor, &cursor, &given, call->err);
    r.before = given ? cursor.id : post_id_last;
    r.page.items = arena_array(call->arena, r.limit + 1, sizeof *r.page.items);
    if (rc == 0 && r.page.items == NULL)
        rc = no_room(call->err);
    if (rc == 0)
        rc = post_feed_authors(call->room, &call->who.user, call->arena, &r.authors,
                               &r.author_count, call->err);
    if (rc == 0)
        rc = read_page(&r);
    if (rc < 0)
        return rc;
    note_reading(&r);
    metric_add(r.user.built ? r.feed->from_index : r.feed->from_authors, 1);
    r.page.more = r.page.count > r.limit;
    if (r.page.more)
        r.page.count = r.limit;
    if (r.page.count > 0)
        r.page.next.id = r.page.items[r.page.count - 1].id;
    rc = leave_out_hidden(call, &r.page);
    if (rc == 0)
        *ret_page = r.page;
    return rc;
}
