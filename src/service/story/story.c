/* The rules of one story: check, load, decide, write in one transaction, emit, return. */
#include "service/story/story.h"

#include "base/metric.h"
#include "kit/audit.h"
#include "service/story/story_store.h"

static int not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "story_not_found", "There is no such story.");
}

static int not_author(struct error *err)
{
    return error_set(err, FAIL_FORBIDDEN, "not_author",
                     "Only the author of the story may do this.");
}

static int64_t now_ms(const struct story_call *call)
{
    return clock_wall_ms(call->room->kit->clock);
}

/* --- loading -----------------------------------------------------------------------------------
 */

struct load {
    struct story_call *call;
    const struct id *id;
    struct story story;
    bool found, viewed;
};

static int load_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct load *l = arg;
    int rc = story_store_get(tx, l->id, now_ms(l->call), l->call->arena, &l->story, &l->found, err);
    return rc == 0 && l->found ? story_store_has_viewed(tx, l->id, &l->call->user, &l->viewed, err)
                               : rc;
}

/* A story that exists now, and that the asking person may see unless `whatever`. 404. */
static int load(struct story_call *call, const struct id *story, bool whatever,
                struct story *ret_story)
{
    struct story_room *room = call->room;
    struct load l = {.call = call, .id = story};
    struct social_relation relation;
    int rc = db_read(room->db, load_tx, &l, call->err);
    if (rc == 0 && !l.found)
        return not_found(call->err);
    if (rc == 0)
        rc = room->social->relations(room->social->room, &call->user, &l.story.user_id, 1,
                                     &relation, call->err);
    if (rc < 0)
        return rc;
    bool seen = social_may_see(&relation, (enum social_visibility)l.story.visibility);
    if ((!seen && !whatever) || l.story.expires_at <= now_ms(call))
        return not_found(call->err);
    l.story.viewed = l.viewed || relation.self;
    if (!relation.self)
        l.story.viewer_count = -1;
    *ret_story = l.story;
    return 0;
}

/* --- posting -----------------------------------------------------------------------------------
 */

struct post {
    struct story_call *call;
    const struct story_new *what;
    struct story story;
};

static int check_day(struct db_tx *tx, struct story_call *call, int64_t now, struct error *err)
{
    int64_t count, frees_at, max = call->room->per_day;
    int rc = story_store_day(tx, &call->user, now, max, &count, &frees_at, err);
    if (rc < 0 || count < max)
        return rc;
    metric_add(call->room->refused, 1);
    return error_limited(err, "too_many_stories", frees_at - now,
                         "At most %lld stories in 24 hours, deleted ones included.",
                         (long long)max);
}

static int post_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct post *p = arg;
    struct story_call *call = p->call;
    int64_t now = now_ms(call);
    p->story = (struct story){.id = id_new(call->room->kit->clock),
                              .user_id = call->user,
                              .text = p->what->text,
                              .media_id = p->what->media_id,
                              .visibility = p->what->visibility,
                              .created_at = now,
                              .expires_at = now + STORY_DAY_MS,
                              .viewer_count = -1};
    int rc = check_day(tx, call, now, err);
    if (rc == 0)
        rc = story_store_insert(tx, &p->story, err);
    return rc == 0 ? story_emit_posted(call, tx, &p->story) : rc;
}

int story_post(struct story_call *call, const struct story_new *what, struct story *ret_story)
{
    struct post p = {.call = call, .what = what};
    if (what->text.ptr == NULL && id_is_nil(&what->media_id))
        return error_field(call->err, "text", "required", "A story has a text, a medium, or both.");
    int rc = db_write(call->room->db, post_tx, &p, call->err);
    if (rc < 0)
        return rc;
    metric_add(call->room->posted, 1);
    *ret_story = p.story;
    ret_story->viewed = true;
    ret_story->viewer_count = 0;
    return 0;
}

/* --- deleting ----------------------------------------------------------------------------------
 */

struct change {
    struct story_call *call;
    const struct story *story;
    bool first_view;
    int64_t at;
};

/* It may have gone between being loaded and our turn to write. */
static int still_there(struct db_tx *tx, struct change *c, struct error *err)
{
    struct story story;
    bool found;
    c->at = now_ms(c->call);
    int rc = story_store_get(tx, &c->story->id, c->at, c->call->arena, &story, &found, err);
    return rc == 0 && !found ? not_found(err) : rc;
}

static int audit(const struct change *c, struct db_tx *tx, struct error *err)
{
    struct audit_entry entry = {.action = "story.deleted",
                                .actor = &c->call->user,
                                .subject_kind = "story",
                                .subject = &c->story->id,
                                .correlation_id = c->call->correlation_id};
    return audit_write(c->call->room->kit, tx, &entry, err);
}

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    int rc = still_there(tx, c, err);
    if (rc == 0)
        rc = story_store_delete(tx, c->story, c->at, err);
    if (rc == 0)
        rc = story_emit_deleted(c->call->room, tx, c->story, c->call->correlation_id, err);
    if (rc == 0 && !id_eq(&c->story->user_id, &c->call->user))
        rc = audit(c, tx, err);
    return rc;
}

int story_delete(struct story_call *call, const struct id *id)
{
    struct story story;
    struct change c = {.call = call, .story = &story};
    int rc = load(call, id, call->moderates, &story);
    if (rc == 0 && !call->moderates && !id_eq(&story.user_id, &call->user))
        rc = not_author(call->err);
    if (rc == 0)
        rc = db_write(call->room->db, delete_tx, &c, call->err);
    if (rc == 0)
        metric_add(call->room->deleted, 1);
    return rc;
}

/* --- viewing -----------------------------------------------------------------------------------
 */

static int view_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *c = arg;
    int rc = still_there(tx, c, err);
    return rc == 0 ? story_store_view(tx, &c->story->id, &c->call->user, c->at, &c->first_view, err)
                   : rc;
}

int story_view(struct story_call *call, const struct id *id)
{
    struct story story;
    struct change c = {.call = call, .story = &story};
    int rc = load(call, id, false, &story);
    if (rc < 0 || story.viewed)
        return rc;
    rc = db_write(call->room->db, view_tx, &c, call->err);
    if (rc < 0 || !c.first_view)
        return rc;
    metric_add(call->room->viewed, 1);
    story_tell_viewed(
        call->room, &story.user_id,
        &(struct story_viewed){.story_id = story.id, .user_id = call->user, .viewed_at = c.at});
    return 0;
}

struct viewers {
    const struct id *story;
    struct cursor before;
    size_t max;
    struct story_viewers *page;
};

static int viewers_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct viewers *v = arg;
    return story_store_viewers(tx, v->story, &v->before, v->max, v->page->items, &v->page->count,
                               err);
}

static int read_viewers(struct story_call *call, const struct id *story,
                        const struct page_query *query, struct story_viewers *page)
{
    struct viewers v = {.story = story, .max = (size_t)query->limit + 1, .page = page};
    bool given;
    int rc = cursor_decode(query->cursor, &v.before, &given, call->err);
    if (rc < 0)
        return rc;
    if (!given)
        v.before.number = INT64_MAX;
    page->items = arena_array(call->arena, v.max, sizeof *page->items);
    if (page->items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    return db_read(call->room->db, viewers_tx, &v, call->err);
}

/* Without those who do not exist for the author (a block, an account that is switched off), or for
 * whom the author does not. */
static int leave_out_hidden(const struct story_call *call, struct story_viewers *page)
{
    const struct social_calls *social = call->room->social;
    struct id users[PAGE_LIMIT_MAX];
    struct social_relation relations[PAGE_LIMIT_MAX];
    size_t kept = 0;
    if (page->count == 0)
        return 0;
    for (size_t i = 0; i < page->count; i++)
        users[i] = page->items[i].user_id;
    int rc = social->relations(social->room, &call->user, users, page->count, relations, call->err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < page->count; i++)
        if (!social_blocked(&relations[i]) && !relations[i].absent)
            page->items[kept++] = page->items[i];
    page->count = kept;
    return 0;
}

int story_viewers(struct story_call *call, const struct id *id, const struct page_query *query,
                  struct story_viewers *ret_viewers)
{
    struct story story;
    struct story_viewers page = {0};
    int rc = load(call, id, false, &story);
    if (rc == 0 && !id_eq(&story.user_id, &call->user))
        rc = not_author(call->err);
    if (rc == 0)
        rc = read_viewers(call, id, query, &page);
    if (rc < 0)
        return rc;
    page.more = page.count > (size_t)query->limit;
    if (page.more)
        page.count--;
    if (page.count > 0)
        page.next = (struct cursor){.number = page.items[page.count - 1].viewed_at,
                                    .id = page.items[page.count - 1].user_id};
    rc = leave_out_hidden(call, &page);
    if (rc == 0)
        *ret_viewers = page;
    return rc;
}
