/* Comments: threads of any depth up to a configured one. A deleted comment leaves a tombstone, so
 * that what answers it keeps its place. Comments of people who are blocked between them and the
 * viewer are left out of lists, and with them what answers them. Comments of people whose accounts
 * are switched off are left out too, but those that were answered look like tombstones without a
 * name until the account is back; moderators see them as they stand. Counts count them all the
 * while. */
#include "base/json.h"
#include "kit/audit.h"
#include "service/post/post_room.h"

static int comment_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "comment_not_found", "There is no such comment.");
}

static int check_text(struct slice text, struct error *err)
{
    if (utf8_length(text) <= POST_COMMENT_CHARS_MAX)
        return 0;
    return error_field(err, "text", "too_long", "At most %d characters.", POST_COMMENT_CHARS_MAX);
}

static bool hidden(const struct post_call *call, const struct id *user)
{
    const struct social_calls *social = call->room->social;
    return !id_is_nil(user) && social->blocked(social->room, &call->who.user, user);
}

static bool moderates(const struct post_call *call)
{
    return (call->who.scopes & SCOPE_MODERATE) != 0;
}

struct work {
    struct post_call *call;
    struct post_seen seen;
    struct post_comment comment, parent;
    struct slice text;
    post_match_fn *match;
    void *match_arg;
    struct post post; /* as anybody sees it afterwards */
};

static int load(const struct work *w, struct db_tx *tx, const struct id *id,
                struct post_comment *ret_comment, struct error *err)
{
    bool found;
    int rc = post_store_comment(tx, &w->seen.head.id, id, w->call->arena, ret_comment, &found, err);
    if (rc == 0 && (!found || hidden(w->call, &ret_comment->user_id)))
        rc = comment_not_found(err);
    return rc;
}

static int load_standing(const struct work *w, struct db_tx *tx, const struct id *id,
                         struct post_comment *ret_comment, struct error *err)
{
    int rc = load(w, tx, id, ret_comment, err);
    if (rc == 0 && ret_comment->deleted_at != 0)
        rc = error_set(err, FAIL_CONFLICT, "comment_deleted", "The comment has been deleted.");
    return rc;
}

static int read_post(struct work *w, struct db_tx *tx, struct error *err)
{
    static const struct id nobody;
    bool found;
    return post_store_get(tx, &w->seen.head.id, &nobody, w->call->arena, &w->post, &found, err);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static int author_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct work *w = arg;
    return load(w, tx, &w->comment.reply_to, &w->parent, err);
}

/* What somebody said who is switched off looks deleted, so it cannot be answered either. Asked
 * before the transaction, in which nothing may wait. */
static int check_parent(struct work *w)
{
    struct post_call *call = w->call;
    struct social_relation relation;
    if (id_is_nil(&w->comment.reply_to) || moderates(call))
        return 0;
    int rc = db_read(call->room->db, author_tx, w, call->err);
    if (rc == 0)
        rc = post_relate(call, &w->parent.user_id, 1, &relation);
    if (rc < 0 || relation.self || !relation.absent)
        return rc;
    return error_set(call->err, FAIL_CONFLICT, "comment_deleted", "The comment has been deleted.");
}

static int place(struct work *w, struct db_tx *tx, struct error *err)
{
    struct post_comment *comment = &w->comment;
    if (id_is_nil(&comment->reply_to))
        return 0;
    int rc = load_standing(w, tx, &comment->reply_to, &w->parent, err);
    if (rc < 0)
        return rc;
    comment->depth = w->parent.depth + 1;
    if (comment->depth >= w->call->room->comment_depth_max)
        return error_set(err, FAIL_CONFLICT, "thread_too_deep", "A thread has at most %lld levels.",
                         (long long)w->call->room->comment_depth_max);
    return 0;
}

static int tell_people(const struct work *w, struct db_tx *tx, struct error *err)
{
    struct post_commented data = {.post_id = w->seen.head.id,
                                  .user_id = w->seen.head.user_id,
                                  .reply_to_user_id = w->parent.user_id,
                                  .comment = w->comment};
    const struct id *by = &w->comment.user_id;
    bool answers_oneself = id_is_nil(&data.reply_to_user_id) || id_eq(&data.reply_to_user_id, by);
    if (id_eq(&data.user_id, by) && answers_oneself)
        return 0;
    return post_emit(w->call, tx, &post_commented_event, &data.user_id, &data, err);
}

static int create_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct work *w = arg;
    const struct clock *clock = w->call->room->kit->clock;
    int rc = post_look_again(tx, w->call, &w->seen, err);
    if (rc == 0)
        rc = place(w, tx, err);
    w->comment.id = id_new(clock);
    w->comment.created_at = clock_wall_ms(clock);
    if (rc == 0)
        rc = post_store_comment_insert(tx, &w->comment, err);
    if (rc == 0)
        rc = tell_people(w, tx, err);
    return rc < 0 ? rc : read_post(w, tx, err);
}

static void publish(struct work *w, const struct event_type *type, bool counts_moved)
{
    post_tell_comment(w->call->room, type, &w->comment);
    if (counts_moved)
        post_pulse_changed(w->call->room->pulse, &w->post);
}

int post_comment_create(struct post_call *call, const struct id *post,
                        const struct post_comment_create *what, struct post_comment *ret_comment,
                        struct post *ret_post)
{
    struct work w = {.call = call,
                     .comment = {.post_id = *post,
                                 .user_id = call->who.user,
                                 .text = what->text,
                                 .reply_to = what->reply_to}};
    int rc = check_text(what->text, call->err);
    if (rc == 0)
        rc = post_look(call, post, &w.seen);
    if (rc == 0)
        rc = check_parent(&w);
    if (rc == 0)
        rc = post_take(call, &call->room->comment_limit);
    if (rc == 0)
        rc = db_write(call->room->db, create_tx, &w, call->err);
    if (rc < 0)
        return rc;
    publish(&w, &post_comment_created_event, true);
    *ret_comment = w.comment;
    *ret_post = w.post;
    return 0;
}

static int update_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct work *w = arg;
    struct id id = w->comment.id;
    int64_t now_ms = clock_wall_ms(w->call->room->kit->clock);
    int rc = post_look_again(tx, w->call, &w->seen, err);
    if (rc == 0)
        rc = load(w, tx, &id, &w->comment, err);
    if (rc == 0 && !id_eq(&w->comment.user_id, &w->call->who.user))
        rc = error_set(err, FAIL_FORBIDDEN, "not_your_comment",
                       "Only its author can edit a comment.");
    if (rc == 0 && w->comment.deleted_at != 0)
        rc = error_set(err, FAIL_CONFLICT, "comment_deleted", "The comment has been deleted.");
    if (rc == 0)
        rc = w->match(w->match_arg, w->comment.edited_at, err);
    if (rc < 0)
        return rc;
    w->comment.edited_at = now_ms > w->comment.edited_at ? now_ms : w->comment.edited_at + 1;
    w->comment.text = w->text;
    return post_store_comment_update(tx, &w->comment, err);
}

int post_comment_update(struct post_call *call, const struct id *post, const struct id *comment,
                        struct slice text, post_match_fn *match, void *match_arg,
                        struct post_comment *ret_comment)
{
    struct work w = {
        .call = call, .comment.id = *comment, .text = text, .match = match, .match_arg = match_arg};
    int rc = check_text(text, call->err);
    if (rc == 0)
        rc = post_look(call, post, &w.seen);
    if (rc == 0)
        rc = db_write(call->room->db, update_tx, &w, call->err);
    if (rc < 0)
        return rc;
    publish(&w, &post_comment_updated_event, false);
    *ret_comment = w.comment;
    return 0;
}

static int audit(const struct work *w, struct db_tx *tx, struct error *err)
{
    struct audit_entry entry = {.action = "comment.deleted",
                                .actor = &w->call->who.user,
                                .subject_kind = "comment",
                                .subject = &w->comment.id,
                                .correlation_id = w->call->correlation_id};
    return audit_write(w->call->room->kit, tx, &entry, err);
}

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct work *w = arg;
    struct id id = w->comment.id;
    int rc = post_look_again(tx, w->call, &w->seen, err);
    if (rc == 0)
        rc = load_standing(w, tx, &id, &w->comment, err);
    if (rc < 0)
        return rc;
    bool own = id_eq(&w->comment.user_id, &w->call->who.user) || w->seen.relation.self;
    if (!own && !moderates(w->call))
        return error_set(err, FAIL_FORBIDDEN, "not_your_comment",
                         "Its author, the author of the post and moderators can delete a comment.");
    rc = w->match != NULL ? w->match(w->match_arg, w->comment.edited_at, err) : 0;
    if (rc < 0)
        return rc;
    w->comment.deleted_at = clock_wall_ms(w->call->room->kit->clock);
    w->comment.text = SLICE("");
    rc = post_store_comment_bury(tx, &w->comment, w->comment.deleted_at, err);
    if (rc == 0 && !own)
        rc = audit(w, tx, err);
    return rc < 0 ? rc : read_post(w, tx, err);
}

int post_comment_delete(struct post_call *call, const struct id *post, const struct id *comment,
                        post_match_fn *match, void *match_arg, struct post_comment *ret_comment,
                        struct post *ret_post)
{
    struct work w = {.call = call, .comment.id = *comment, .match = match, .match_arg = match_arg};
    int rc = post_look(call, post, &w.seen);
    if (rc == 0)
        rc = db_write(call->room->db, delete_tx, &w, call->err);
    if (rc < 0)
        return rc;
    publish(&w, &post_comment_deleted_event, true);
    *ret_comment = w.comment;
    *ret_post = w.post;
    return 0;
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct listing {
    struct work work;
    const struct id *reply_to;
    struct cursor after;
    size_t max, count;
    struct post_comment *items;
};

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct listing *l = arg;
    int rc = 0;
    if (!id_is_nil(l->reply_to))
        rc = load(&l->work, tx, l->reply_to, &l->work.parent, err);
    return rc < 0 ? rc
                  : post_store_comments(tx, &l->work.seen.head.id, l->reply_to, &l->after.id,
                                        l->max, l->work.call->arena, l->items, &l->count, err);
}

/* When somebody was switched off is nobody's business, so the tombstone bears the comment's own
 * time. */
static void veil(struct post_comment *comment)
{
    comment->user_id = (struct id){{0}};
    comment->text = SLICE("");
    comment->edited_at = 0;
    if (comment->deleted_at == 0)
        comment->deleted_at = comment->created_at;
}

static bool shows(const struct post_call *call, const struct social_relation *author,
                  struct post_comment *comment)
{
    if (social_blocked(author))
        return false;
    if (id_is_nil(&comment->user_id) || author->self || !author->absent || moderates(call))
        return true;
    veil(comment);
    return comment->reply_count > 0;
}

static int keep_visible(struct post_call *call, struct post_comments *page, size_t count)
{
    struct id authors[PAGE_LIMIT_MAX];
    struct social_relation relations[PAGE_LIMIT_MAX];
    page->count = 0;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        authors[i] = page->items[i].user_id;
    int rc = post_relate(call, authors, count, relations);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (shows(call, &relations[i], &page->items[i]))
            page->items[page->count++] = page->items[i];
    return rc;
}

int post_comment_list(struct post_call *call, const struct id *post, const struct id *reply_to,
                      const struct page_query *query, struct post_comments *ret_comments)
{
    size_t limit = (size_t)query->limit;
    struct listing l = {.work = {.call = call}, .reply_to = reply_to, .max = limit + 1};
    bool given;
    int rc = cursor_decode(query->cursor, &l.after, &given, call->err);
    if (rc == 0)
        rc = post_look(call, post, &l.work.seen);
    l.items = arena_array(call->arena, l.max, sizeof *l.items);
    if (rc == 0 && l.items == NULL)
        rc = error_set(call->err, FAIL_TOO_LARGE, "too_large", "Ask for fewer comments.");
    if (rc == 0)
        rc = db_read(call->room->db, list_tx, &l, call->err);
    if (rc < 0)
        return rc;
    size_t shown = l.count > limit ? limit : l.count;
    struct post_comments page = {.items = l.items, .more = l.count > limit};
    if (shown > 0)
        page.next.id = l.items[shown - 1].id;
    rc = keep_visible(call, &page, shown);
    if (rc == 0)
        *ret_comments = page;
    return rc;
}
