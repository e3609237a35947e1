/* The stories of one person. What is active of them stands in the cache as somebody sees it who has
 * seen nothing; the clock, and who is looking, are looked at at every read. Mostly there is
 * nothing, and then the database is not asked at all. */
#include "service/story/story_store.h"

enum { KEPT_BYTES_MAX = 4 << 20 };

struct kept_list {
    struct schema_list items; /* struct story */
};
static const struct schema_field kept_fields[] = {
    {"items", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct kept_list, items),
     .of = &story_schema},
};
static SCHEMA_DEF(kept_schema, struct kept_list, "StoryList", "What is active of an author.",
                  kept_fields);

struct listing {
    struct story_call *call;
    struct story_span span;
    struct story *stories;
    size_t count;
};

static int active_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    return story_store_active(tx, &l->span, l->call->arena, l->stories, &l->count, err);
}

static int read_active(struct listing *l, struct error *err)
{
    l->stories = arena_array(l->call->arena, l->span.max, sizeof *l->stories);
    if (l->stories == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    return db_read(l->call->room->db, active_tx, l, err);
}

static struct listing listing_of(struct story_call *call, const struct id *author)
{
    return (struct listing){
        .call = call,
        .span = {.author = author,
                 .now = clock_wall_ms(call->room->kit->clock),
                 .until = INT64_MAX,
                 .after_created = INT64_MIN,
                 .max = STORY_PER_DAY_MAX},
    };
}

static int make_kept(void *arg, struct arena *arena, struct buf *out, struct error *err)
{
    struct listing *l = arg;
    (void)arena; /* the same as the call's */
    int rc = read_active(l, err);
    if (rc < 0)
        return rc;
    struct kept_list kept = {.items = {.items = l->stories, .count = l->count}};
    schema_encode(&kept_schema, &kept, out);
    return 0;
}

static int from_cache(struct story_call *call, const struct id *author, struct kept_list *ret_kept)
{
    char key[64] = "stories:user:", *text = key + strlen(key);
    struct listing l = listing_of(call, author);
    struct buf json;
    id_format(author, text);
    buf_init(&json, KEPT_BYTES_MAX);
    int rc =
        cache_get(call->room->active, slice_str(key), make_kept, &l, call->arena, &json, call->err);
    struct slice copy = {0};
    if (rc == 0)
        copy = arena_copy(call->arena, buf_view(&json));
    buf_done(&json);
    if (rc < 0)
        return rc;
    if (copy.ptr == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    return schema_decode(&kept_schema, copy, call->arena, ret_kept, call->err);
}

/* --- for who is looking ------------------------------------------------------------------------
 */

struct marking {
    const struct id *viewer;
    struct story *stories;
    size_t count;
};

static int mark_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct marking *m = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->count; i++)
        rc = story_store_has_viewed(tx, &m->stories[i].id, m->viewer, &m->stories[i].viewed, err);
    return rc;
}

static int mark_viewed(struct story_call *call, struct story *stories, size_t count)
{
    struct marking m = {.viewer = &call->user, .stories = stories, .count = count};
    return count > 0 ? db_read(call->room->db, mark_tx, &m, call->err) : 0;
}

static bool is_after(const struct story *story, const struct story_place *place)
{
    if (story->created_at != place->created_at)
        return story->created_at > place->created_at;
    return id_cmp(&story->id, &place->story) > 0;
}

/* Keeps what this person may see now, after the place. */
static size_t keep_visible(const struct story_call *call, const struct social_relation *relation,
                           int64_t now, const struct story_place *after, struct story *stories,
                           size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (stories[i].expires_at > now && (after == NULL || is_after(&stories[i], after)) &&
            (call->moderates ||
             social_may_see(relation, (enum social_visibility)stories[i].visibility)))
            stories[kept++] = stories[i];
    return kept;
}

/* Whether that person is there for the asking one, and how the two stand. */
static int meet(struct story_call *call, const struct id *author, struct social_relation *ret)
{
    struct story_room *room = call->room;
    struct user_profile profile;
    int rc = room->users->get(room->users->room, author, call->arena, &profile, call->err);
    if (rc == 0)
        rc = room->social->relations(room->social->room, &call->user, author, 1, ret, call->err);
    if (rc == 0 && (!profile.is_active || (ret->blocked_by && !call->moderates)))
        rc = error_set(call->err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
    return rc;
}

static int gather(struct story_call *call, const struct id *author, bool own,
                  struct kept_list *ret_kept)
{
    if (!own)
        return from_cache(call, author, ret_kept);
    struct listing l = listing_of(call, author); /* with the number of viewers, as it is now */
    l.span.viewer = author;
    int rc = read_active(&l, call->err);
    ret_kept->items = (struct schema_list){.items = l.stories, .count = l.count};
    return rc;
}

int story_list(struct story_call *call, const struct id *author, const struct page_query *query,
               struct story_page *ret_page)
{
    struct social_relation relation;
    struct story_place place;
    struct kept_list kept;
    bool given;
    int rc = story_place_read(query->cursor, &place, &given, call->err);
    if (rc == 0)
        rc = meet(call, author, &relation);
    if (rc == 0)
        rc = gather(call, author, relation.self, &kept);
    if (rc < 0)
        return rc;
    struct story_page page = {.items = kept.items.items};
    page.count = keep_visible(call, &relation, clock_wall_ms(call->room->kit->clock),
                              given ? &place : NULL, page.items, kept.items.count);
    if (page.count > (size_t)query->limit) {
        page.count = (size_t)query->limit;
        place = story_place_after(&page.items[page.count - 1]);
        rc = story_place_write(&place, call->arena, &page.next, call->err);
    }
    if (rc == 0 && !relation.self)
        rc = mark_viewed(call, page.items, page.count);
    if (rc == 0)
        *ret_page = page;
    return rc;
}
