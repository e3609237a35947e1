/* Lists of posts by a walk: read what comes next in the list, ask how the viewer stands to the
 * authors, keep what they may see, until the page is full. A list in which very much is hidden from
 * the viewer gives a shorter page with a cursor rather than walking on for ever. */
#include "service/post/post_list.h"

enum { ROUNDS_MAX = 8 };

struct loading {
    struct post_call *call;
    const struct post_ref *refs;
    size_t count;
    struct post_page *page;
};

/* A ranking is made for half an hour, and a post may be hidden in less: what is for fewer people
 * now than the ref says is left out. */
static int load_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct loading *l = arg;
    l->page->count = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct post *post = &l->page->items[l->page->count];
        bool found;
        int rc = post_store_get(tx, &l->refs[i].id, &l->call->who.user, l->call->arena, post,
                                &found, err);
        if (rc < 0)
            return rc;
        l->page->count += found && post->visibility <= l->refs[i].visibility;
    }
    return 0;
}

/* In one snapshot; those that are gone meanwhile are left out. */
static int load(struct post_call *call, const struct post_ref *refs, size_t count,
                struct post_page *page)
{
    struct loading l = {.call = call, .refs = refs, .count = count, .page = page};
    page->count = 0;
    page->items = arena_array(call->arena, count + 1, sizeof *page->items);
    if (page->items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "Ask for fewer posts.");
    return count > 0 ? db_read(call->room->db, load_tx, &l, call->err) : 0;
}

/* How the viewer stands to the author of each. */
static int relate(struct post_call *call, const struct post_ref *refs, size_t count,
                  struct social_relation *ret_relations)
{
    struct id authors[POST_WALK_MAX];
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        authors[i] = refs[i].user_id;
    return post_relate(call, authors, count, ret_relations);
}

static bool keeps(const struct post_walk *walk, const struct post_ref *ref,
                  const struct social_relation *relation)
{
    return social_may_see(relation, (enum social_visibility)ref->visibility) &&
           !(walk->without_muted && relation->muting && !relation->self);
}

/* One round: false when the page is full or the list has ended. */
static int walk_on(struct post_call *call, struct post_walk *walk, size_t limit,
                   struct post_ref *kept, size_t *kept_count, bool *ret_more, bool *ret_ended)
{
    struct post_ref refs[POST_WALK_MAX];
    struct social_relation relations[POST_WALK_MAX];
    size_t max = limit + 1, count;
    int rc = walk->read(call, walk, max, refs, &count);
    if (rc == 0)
        rc = relate(call, refs, count, relations);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        if (keeps(walk, &refs[i], &relations[i])) {
            if (*kept_count == limit) {
                *ret_more = *ret_ended = true;
                return 0;
            }
            kept[(*kept_count)++] = refs[i];
        }
        walk->at = (struct cursor){refs[i].at, refs[i].id};
    }
    *ret_ended = count < max;
    return 0;
}

int post_list_walk(struct post_call *call, struct post_walk *walk, const struct page_query *query,
                   struct post_page *ret_page)
{
    struct post_ref kept[POST_WALK_MAX];
    struct post_page page = {0};
    size_t count = 0;
    bool given, ended = false;
    struct cursor from;
    int rc = cursor_decode(query->cursor, &from, &given, call->err);
    walk->at = given ? from : (struct cursor){INT64_MAX, post_id_last};
    for (int round = 0; rc == 0 && !ended && round < ROUNDS_MAX; round++)
        rc = walk_on(call, walk, (size_t)query->limit, kept, &count, &page.more, &ended);
    page.more |= !ended;
    page.next = walk->at;
    if (rc == 0)
        rc = load(call, kept, count, &page);
    if (rc == 0)
        *ret_page = page;
    return rc;
}

/* --- the lists ---------------------------------------------------------------------------------
 */

struct reading {
    struct post_walk *walk;
    size_t max, count;
    struct post_ref *refs;
};

static int user_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct id first;
    struct reading *r = arg;
    return post_store_by_user(tx, &r->walk->user, &r->walk->at.id, &first, r->walk->visibility,
                              r->max, r->refs, &r->count, err);
}

static int tag_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    return post_store_by_tag(tx, r->walk->tag, &r->walk->at.id, r->max, r->refs, &r->count, err);
}

static int bookmarks_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    return post_store_bookmarks(tx, &r->walk->user, &r->walk->at, r->max, r->refs, &r->count, err);
}

static int read_with(struct post_call *call, struct post_walk *walk, db_fn *fn, size_t max,
                     struct post_ref *ret_refs, size_t *ret_count)
{
    struct reading r = {.walk = walk, .max = max, .refs = ret_refs};
    int rc = db_read(call->room->db, fn, &r, call->err);
    *ret_count = r.count;
    return rc;
}

static int read_user(struct post_call *call, struct post_walk *walk, size_t max,
                     struct post_ref *ret_refs, size_t *ret_count)
{
    return read_with(call, walk, user_tx, max, ret_refs, ret_count);
}

static int read_tag(struct post_call *call, struct post_walk *walk, size_t max,
                    struct post_ref *ret_refs, size_t *ret_count)
{
    return read_with(call, walk, tag_tx, max, ret_refs, ret_count);
}

static int read_bookmarks(struct post_call *call, struct post_walk *walk, size_t max,
                          struct post_ref *ret_refs, size_t *ret_count)
{
    return read_with(call, walk, bookmarks_tx, max, ret_refs, ret_count);
}

/* Whoever is blocked by that person learns nothing of them; somebody who blocks sees nothing of
 * what they say, but that they exist. */
static int check_author(struct post_call *call, const struct id *user,
                        const struct social_relation *r)
{
    const struct user_calls *users = call->room->users;
    struct user_profile profile = {0};
    int rc = users->get(users->room, user, call->arena, &profile, call->err);
    if (rc < 0)
        return rc;
    bool left = !profile.is_active && !r->self && (call->who.scopes & SCOPE_MODERATE) == 0;
    if (r->blocked_by || left)
        return error_set(call->err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
    if (r->is_private && !r->self && !r->following)
        return error_set(call->err, FAIL_FORBIDDEN, "private_account",
                         "This account is private: follow it to see its posts.");
    return 0;
}

int post_list_user(struct post_call *call, const struct id *user, const struct page_query *query,
                   struct post_page *ret_page)
{
    const struct social_calls *social = call->room->social;
    struct social_relation r;
    int rc = social->relations(social->room, &call->who.user, user, 1, &r, call->err);
    if (rc == 0)
        rc = check_author(call, user, &r);
    if (rc < 0)
        return rc;
    struct post_walk walk = {.read = read_user,
                             .user = *user,
                             .visibility = r.self        ? SOCIAL_PRIVATE
                                           : r.following ? SOCIAL_FOLLOWERS
                                                         : SOCIAL_PUBLIC};
    return post_list_walk(call, &walk, query, ret_page);
}

int post_list_tag(struct post_call *call, struct slice tag, const struct page_query *query,
                  struct post_page *ret_page)
{
    struct post_walk walk = {.read = read_tag, .without_muted = true};
    if (!post_tag_fold(tag, call->arena, &walk.tag))
        return error_field(call->err, "tag", "invalid_tag",
                           "A tag is 1 to %d letters and digits, without the sign.",
                           POST_TAG_CHARS_MAX);
    return post_list_walk(call, &walk, query, ret_page);
}

int post_list_bookmarks(struct post_call *call, const struct page_query *query,
                        struct post_page *ret_page)
{
    struct post_walk walk = {.read = read_bookmarks, .user = call->who.user};
    return post_list_walk(call, &walk, query, ret_page);
}
