/* The home feed, read. See docs/design/feed.md.
 *
 * Whom the viewer follows and has not muted is asked at every page: who was unfollowed, muted or
 * blocked a moment ago is not on it. Order is by post id, which is the order of the commits; the
 * cursor is the last id, so a page is the same however much is published meanwhile.
 */
#include <stdlib.h>

#include "service/post/post_feed_merge.h"
#include "service/post/post_room.h"

enum { FOLLOWING_STEP = 1000 };

struct feed_reading {
    struct post_call *call;
    struct id *authors; /* by id: the viewer, and whom they follow */
    size_t author_count;
    struct id before;
    size_t limit;
    struct post_page page;
};

static int by_id(const void *a, const void *b)
{
    return id_cmp(a, b);
}

static int no_room(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "The feed does not fit into memory.");
}

/* Room for one more step; what is there stays. */
static int grow(struct feed_reading *r, size_t *cap)
{
    if (r->author_count + FOLLOWING_STEP < *cap)
        return 0;
    size_t more = *cap * 2 + FOLLOWING_STEP + 1;
    struct id *authors = arena_array(r->call->arena, more, sizeof *authors);
    if (authors == NULL)
        return no_room(r->call->err);
    if (r->author_count > 0)
        memcpy(authors, r->authors, r->author_count * sizeof *authors);
    r->authors = authors;
    *cap = more;
    return 0;
}

static int find_authors(struct feed_reading *r)
{
    const struct social_calls *social = r->call->room->social;
    const struct id *viewer = &r->call->who.user;
    struct id after = {{0}};
    size_t cap = 0, count = FOLLOWING_STEP;
    int rc = 0;
    while (rc == 0 && count == FOLLOWING_STEP) {
        rc = grow(r, &cap);
        if (rc == 0)
            rc = social->following(social->room, viewer, &after, FOLLOWING_STEP,
                                   r->authors + r->author_count, &count, r->call->err);
        if (rc == 0 && count > 0) {
            r->author_count += count;
            after = r->authors[r->author_count - 1];
        }
    }
    if (rc < 0)
        return rc;
    r->authors[r->author_count++] = *viewer;
    qsort(r->authors, r->author_count, sizeof *r->authors, by_id);
    return 0;
}

static int visibility_of(const struct feed_reading *r, const struct id *author)
{
    return id_eq(author, &r->call->who.user) ? SOCIAL_PRIVATE : SOCIAL_FOLLOWERS;
}

/* Takes the post onto the page, when it is still there to be seen. */
static int take(struct feed_reading *r, struct db_tx *tx, const struct post_ref *ref,
                struct error *err)
{
    struct post *post = &r->page.items[r->page.count];
    bool found;
    int rc = post_store_get(tx, &ref->id, &r->call->who.user, r->call->arena, post, &found, err);
    if (rc == 0 && found && post->visibility <= visibility_of(r, &post->user_id))
        r->page.count++;
    return rc;
}

/* Straight from the authors. */
static int read_authors(struct feed_reading *r, struct db_tx *tx, struct error *err)
{
    struct feed_merge merge;
    struct post_ref ref;
    int rc = feed_merge_init(&merge, tx, r->call->arena, r->author_count, err);
    merge.before = r->before;
    for (size_t i = 0; rc == 0 && i < r->author_count; i++)
        rc = feed_merge_add_author(&merge, &r->authors[i], visibility_of(r, &r->authors[i]), err);
    while (rc == 0 && r->page.count <= r->limit && (rc = feed_merge_next(&merge, &ref, err)) > 0)
        rc = take(r, tx, &ref, err);
    return rc < 0 ? rc : 0;
}

static int read_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return read_authors(arg, tx, err);
}

int post_feed(struct post_call *call, const struct page_query *query, struct post_page *ret_page)
{
    struct feed_reading r = {.call = call, .limit = (size_t)query->limit};
    struct cursor cursor;
    bool given;
    int rc = cursor_decode(query->cursor, &cursor, &given, call->err);
    r.before = given ? cursor.id : post_id_last;
    r.page.items = arena_array(call->arena, r.limit + 1, sizeof *r.page.items);
    if (rc == 0 && r.page.items == NULL)
        rc = no_room(call->err);
    if (rc == 0)
        rc = find_authors(&r);
    if (rc == 0)
        rc = db_read(call->room->db, read_tx, &r, call->err);
    if (rc < 0)
        return rc;
    r.page.more = r.page.count > r.limit;
    if (r.page.more)
        r.page.count = r.limit;
    if (r.page.count > 0)
        r.page.next.id = r.page.items[r.page.count - 1].id;
    *ret_page = r.page;
    return 0;
}
