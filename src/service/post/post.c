/* Posts: publishing, reading, taking back. Editing is in post_edit.c. */
#include "service/post/post.h"

#include "kit/audit.h"
#include "service/post/post_room.h"

/* --- publishing --------------------------------------------------------------------------------
 */

struct creating {
    struct post_call *call;
    struct post post;
    struct post_mentions mentions;
};

static int check_new(struct post_call *call, const struct post_create *what)
{
    int rc = post_check_text(what->text, what->media_ids.count > 0, call->err);
    rc |= post_check_media(&what->media_ids, call->err);
    return rc != 0 ? call->err->kind : 0;
}

/* The id is made here, on the writer's thread: ids rise in the order of the commits. */
static int create_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct creating *c = arg;
    const struct clock *clock = c->call->room->kit->clock;
    c->post.id = id_new(clock);
    c->post.created_at = clock_wall_ms(clock);
    int rc = post_store_insert(tx, &c->post, c->call->arena, err);
    if (rc == 0)
        rc = post_emit_post(c->call, tx, &post_created_event, &c->post, err);
    if (rc == 0)
        rc = post_tell_mentioned(c->call, tx, &c->post, &c->mentions, NULL, err);
    return rc;
}

int post_create(struct post_call *call, const struct post_create *what, struct post *ret_post)
{
    struct creating c = {.call = call,
                         .post = {.user_id = call->who.user,
                                  .text = what->text.ptr != NULL ? what->text : SLICE(""),
                                  .media_ids = what->media_ids,
                                  .visibility = what->visibility}};
    int rc = check_new(call, what);
    if (rc == 0)
        rc = post_text_tags(c.post.text, call->arena, &c.post.tags, call->err);
    if (rc == 0)
        rc = post_take(call, &call->room->post_limit);
    if (rc == 0)
        rc = post_resolve(call, c.post.text, &c.mentions);
    if (rc == 0 && !post_mentions_list(&c.mentions, call->arena, &c.post.mentions))
        rc = error_set(call->err, FAIL_TOO_LARGE, "too_large", "The post is too large.");
    if (rc == 0)
        rc = db_write(call->room->db, create_tx, &c, call->err);
    if (rc == 0)
        *ret_post = c.post;
    return rc;
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct getting {
    struct post_call *call;
    const struct id *id;
    struct post_head head;
    struct post post;
    bool found;
};

static int get_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct getting *g = arg;
    int rc = post_store_head(tx, g->id, &g->head, err);
    if (rc == 0 && g->head.found)
        rc =
            post_store_get(tx, g->id, &g->call->who.user, g->call->arena, &g->post, &g->found, err);
    return rc;
}

int post_get(struct post_call *call, const struct id *id, struct post *ret_post,
             int64_t *ret_version)
{
    const struct social_calls *social = call->room->social;
    struct getting g = {.call = call, .id = id};
    struct social_relation relation;
    int rc = db_read(call->room->db, get_tx, &g, call->err);
    if (rc == 0 && !g.found)
        rc = post_not_found(call->err);
    if (rc == 0)
        rc = social->relations(social->room, &call->who.user, &g.post.user_id, 1, &relation,
                               call->err);
    if (rc == 0 && !post_may_see(call, &relation, g.post.visibility))
        rc = post_not_found(call->err);
    if (rc < 0)
        return rc;
    *ret_post = g.post;
    *ret_version = g.head.version;
    return 0;
}

struct history {
    struct post_call *call;
    const struct id *id;
    struct post_head head;
    int64_t before;
    size_t limit, count;
    struct post_version *items;
};

static int history_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct history *h = arg;
    int rc = post_store_head(tx, h->id, &h->head, err);
    if (rc < 0)
        return rc;
    bool moderates = (h->call->who.scopes & SCOPE_MODERATE) != 0;
    bool own = id_eq(&h->head.user_id, &h->call->who.user) && h->head.deleted_at == 0;
    if (!h->head.found || (!own && !moderates))
        return 0; /* decided by the caller */
    return post_store_versions(tx, h->id, h->before, h->limit + 1, h->call->arena, h->items,
                               &h->count, err);
}

/* Who may see the post but not its history is told so. */
static int check_history(struct post_call *call, const struct history *h)
{
    struct post_seen seen;
    bool own = h->head.found && id_eq(&h->head.user_id, &call->who.user);
    if (h->head.found && (call->who.scopes & SCOPE_MODERATE) != 0)
        return 0;
    if (own && h->head.deleted_at == 0)
        return 0;
    int rc = post_look(call, h->id, &seen);
    return rc < 0 ? rc
                  : error_set(call->err, FAIL_FORBIDDEN, "not_your_post",
                              "Only the author and moderators see what a post said before.");
}

int post_history(struct post_call *call, const struct id *id, const struct page_query *query,
                 struct post_versions *ret_versions)
{
    struct history h = {.call = call, .id = id, .limit = (size_t)query->limit};
    struct cursor cursor;
    bool given;
    int rc = cursor_decode(query->cursor, &cursor, &given, call->err);
    if (rc < 0)
        return rc;
    h.before = given ? cursor.number : INT64_MAX;
    h.items = arena_array(call->arena, h.limit + 1, sizeof *h.items);
    if (h.items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "Ask for fewer versions.");
    rc = db_read(call->room->db, history_tx, &h, call->err);
    if (rc == 0)
        rc = check_history(call, &h);
    if (rc < 0)
        return rc;
    bool more = h.count > h.limit;
    size_t count = more ? h.limit : h.count;
    *ret_versions = (struct post_versions){.items = h.items, .count = count, .more = more};
    if (count > 0)
        ret_versions->next.number = h.items[count - 1].version;
    return 0;
}

/* --- deleting ----------------------------------------------------------------------------------
 */

struct deleting {
    struct post_call *call;
    struct post_seen seen;
    post_match_fn *match;
    void *match_arg;
};

static int audit(const struct deleting *d, struct db_tx *tx, struct error *err)
{
    struct audit_entry entry = {.action = "post.deleted",
                                .actor = &d->call->who.user,
                                .subject_kind = "post",
                                .subject = &d->seen.head.id,
                                .correlation_id = d->call->correlation_id};
    return audit_write(d->call->room->kit, tx, &entry, err);
}

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct deleting *d = arg;
    const struct post_head *head = &d->seen.head;
    struct post post;
    bool found;
    int rc = post_look_again(tx, d->call, &d->seen, err);
    if (rc == 0 && d->match != NULL)
        rc = d->match(d->match_arg, head->version, err);
    if (rc == 0)
        rc = post_store_get(tx, &head->id, &d->call->who.user, d->call->arena, &post, &found, err);
    if (rc == 0)
        rc = post_store_drop_tags(tx, &head->id, &post.tags, err);
    if (rc == 0)
        rc = post_store_set_deleted(tx, &head->id, clock_wall_ms(d->call->room->kit->clock), err);
    if (rc == 0)
        rc = post_emit_deleted(d->call, tx, &head->id, &head->user_id, head->visibility, err);
    if (rc == 0 && !d->seen.relation.self)
        rc = audit(d, tx, err);
    return rc;
}

int post_delete(struct post_call *call, const struct id *id, post_match_fn *match, void *match_arg)
{
    struct deleting d = {.call = call, .match = match, .match_arg = match_arg};
    int rc = post_look(call, id, &d.seen);
    if (rc < 0)
        return rc;
    if (!d.seen.relation.self && (call->who.scopes & SCOPE_MODERATE) == 0)
        return error_set(call->err, FAIL_FORBIDDEN, "not_your_post",
                         "Only the author and moderators can delete a post.");
    return db_write(call->room->db, delete_tx, &d, call->err);
}
