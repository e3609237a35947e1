/* Likes and bookmarks. */
#include "service/post/post_room.h"

struct marking {
    struct post_call *call;
    struct post_seen seen;
    bool on, changed;
    struct post post;
};

static int read_back(struct marking *m, struct db_tx *tx, struct error *err)
{
    bool found;
    return post_store_get(tx, &m->seen.head.id, &m->call->who.user, m->call->arena, &m->post,
                          &found, err);
}

static int tell_author(const struct marking *m, struct db_tx *tx, int64_t at, struct error *err)
{
    struct post_liked liked = {.post_id = m->seen.head.id,
                               .user_id = m->seen.head.user_id,
                               .by_user_id = m->call->who.user,
                               .at = at};
    if (!m->changed || !m->on || m->seen.relation.self)
        return 0;
    return post_emit(m->call, tx, &post_liked_event, &liked.user_id, &liked, err);
}

static int like_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct marking *m = arg;
    int64_t at = clock_wall_ms(m->call->room->kit->clock);
    int rc = post_look_again(tx, m->call, &m->seen, err);
    if (rc == 0)
        rc = post_store_like(tx, &m->seen.head.id, &m->call->who.user, m->on, at, &m->changed, err);
    if (rc == 0)
        rc = tell_author(m, tx, at, err);
    return rc < 0 ? rc : read_back(m, tx, err);
}

int post_like(struct post_call *call, const struct id *id, bool on, struct post *ret_post,
              bool *ret_changed)
{
    struct marking m = {.call = call, .on = on};
    int rc = post_look(call, id, &m.seen);
    if (rc == 0)
        rc = db_write(call->room->db, like_tx, &m, call->err);
    if (rc < 0)
        return rc;
    if (m.changed)
        post_pulse_changed(call->room->pulse, &m.post);
    *ret_post = m.post;
    *ret_changed = m.changed;
    return 0;
}

static int bookmark_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct marking *m = arg;
    int rc = post_look_again(tx, m->call, &m->seen, err);
    if (rc == 0)
        rc = post_store_bookmark(tx, &m->call->who.user, &m->seen.head.id, m->on,
                                 clock_wall_ms(m->call->room->kit->clock), err);
    return rc < 0 ? rc : read_back(m, tx, err);
}

int post_bookmark(struct post_call *call, const struct id *id, bool on, struct post *ret_post)
{
    struct marking m = {.call = call, .on = on};
    int rc = post_look(call, id, &m.seen);
    if (rc == 0)
        rc = db_write(call->room->db, bookmark_tx, &m, call->err);
    if (rc == 0)
        *ret_post = m.post;
    return rc;
}

/* --- who likes it ------------------------------------------------------------------------------
 */

struct listing {
    const struct id *post;
    struct cursor before;
    size_t max, count;
    struct post_liker *items;
};

static int likers_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    return post_store_likers(tx, l->post, &l->before, l->max, l->items, &l->count, err);
}

/* Without those who do not exist for the viewer: a block stands between, or they are switched off.
 */
static int keep_visible(struct post_call *call, struct post_likers *page, size_t count)
{
    struct id users[PAGE_LIMIT_MAX];
    struct social_relation relations[PAGE_LIMIT_MAX];
    page->count = 0;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        users[i] = page->items[i].user_id;
    int rc = post_relate(call, users, count, relations);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (relations[i].self || (!social_blocked(&relations[i]) && !relations[i].absent))
            page->items[page->count++] = page->items[i];
    return rc;
}

int post_likes(struct post_call *call, const struct id *id, const struct page_query *query,
               struct post_likers *ret_likers)
{
    size_t limit = (size_t)query->limit;
    struct listing l = {.post = id, .max = limit + 1};
    struct post_seen seen;
    bool given;
    int rc = cursor_decode(query->cursor, &l.before, &given, call->err);
    if (!given)
        l.before = (struct cursor){INT64_MAX, post_id_last};
    if (rc == 0)
        rc = post_look(call, id, &seen);
    l.items = arena_array(call->arena, l.max, sizeof *l.items);
    if (rc == 0 && l.items == NULL)
        rc = error_set(call->err, FAIL_TOO_LARGE, "too_large", "Ask for fewer.");
    if (rc == 0)
        rc = db_read(call->room->db, likers_tx, &l, call->err);
    if (rc < 0)
        return rc;
    struct post_likers page = {.items = l.items, .more = l.count > limit};
    size_t shown = l.count > limit ? limit : l.count;
    if (shown > 0)
        page.next = (struct cursor){l.items[shown - 1].created_at, l.items[shown - 1].user_id};
    rc = keep_visible(call, &page, shown);
    if (rc == 0)
        *ret_likers = page;
    return rc;
}
