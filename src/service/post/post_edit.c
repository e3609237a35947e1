/* Editing a post. What it said before is kept as a version. A change of visibility is told to each
 * as it looks from where they stand: what appears for followers is created for them, what vanishes
 * is deleted. */
#include "kit/emit.h"
#include "service/post/post_room.h"

struct editing {
    struct post_call *call;
    const struct post_patch *what;
    struct post_seen seen;
    struct schema_list tags; /* of the new text */
    struct post_mentions mentions;
    post_match_fn *match;
    void *match_arg;
    struct post post;
    int64_t version;
};

static bool same_media(const struct schema_list *a, const struct schema_list *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(struct id)) == 0);
}

/* False when all is as it was. */
static bool apply(const struct editing *e, struct post *post)
{
    const struct post_patch *what = e->what;
    bool text = schema_has(what->present, POST_PATCH_TEXT) && !slice_eq(what->text, post->text);
    bool media = schema_has(what->present, POST_PATCH_MEDIA) &&
                 !same_media(&what->media_ids, &post->media_ids);
    bool visibility =
        schema_has(what->present, POST_PATCH_VISIBILITY) && what->visibility != post->visibility;
    if (text) {
        post->text = what->text;
        post->tags = e->tags;
    }
    if (media)
        post->media_ids = what->media_ids;
    if (visibility)
        post->visibility = what->visibility;
    return text || media || visibility;
}

static int tell(const struct editing *e, struct db_tx *tx, int before, struct error *err)
{
    const struct post *post = &e->post;
    bool was_hidden = before == SOCIAL_PRIVATE, is_hidden = post->visibility == SOCIAL_PRIVATE;
    if (was_hidden == is_hidden)
        return post_emit_post(e->call, tx, &post_updated_event, post, err);
    struct post own = *post;
    own.liked = own.bookmarked = false;
    int rc = is_hidden ? post_emit_deleted(e->call, tx, &post->id, &post->user_id, before, err)
                       : post_emit_post(e->call, tx, &post_created_event, post, err);
    return rc < 0 ? rc : post_emit(e->call, tx, &post_updated_event, &post->user_id, &own, err);
}

static int recheck_watchers(const struct editing *e, struct db_tx *tx, struct error *err)
{
    struct id watched = topic_stream(POST_TOPIC, &e->post.id);
    return kit_recheck_watches(e->call->room->kit, tx, &watched, err);
}

static int save(struct editing *e, struct db_tx *tx, const struct post *before, struct error *err)
{
    struct post *post = &e->post;
    int64_t now_ms = clock_wall_ms(e->call->room->kit->clock);
    bool new_text = schema_has(e->what->present, POST_PATCH_TEXT);
    if (new_text && !post_mentions_list(&e->mentions, e->call->arena, &post->mentions))
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The post is too large.");
    post->edited_at = now_ms > before->edited_at ? now_ms : before->edited_at + 1;
    int rc = post_store_update(tx, post, e->version, e->call->arena, err);
    if (rc == 0)
        rc = post_store_drop_tags(tx, &post->id, &before->tags, err);
    if (rc == 0)
        rc = post_store_put_tags(tx, post, err);
    if (rc == 0)
        rc = tell(e, tx, before->visibility, err);
    if (rc == 0 && post->visibility > before->visibility) /* for fewer people than before */
        rc = recheck_watchers(e, tx, err);
    if (rc == 0 && new_text)
        rc = post_tell_mentioned(e->call, tx, post, &e->mentions, &before->mentions, err);
    e->version++;
    return rc;
}

static int update_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct editing *e = arg;
    struct post before;
    bool found;
    int rc = post_look_again(tx, e->call, &e->seen, err);
    e->version = e->seen.head.version;
    if (rc == 0 && e->match != NULL)
        rc = e->match(e->match_arg, e->version, err);
    if (rc == 0)
        rc = post_store_get(tx, &e->seen.head.id, &e->call->who.user, e->call->arena, &before,
                            &found, err);
    if (rc < 0)
        return rc;
    e->post = before;
    if (!apply(e, &e->post))
        return 0;
    rc = post_check_text(e->post.text, e->post.media_ids.count > 0, err);
    if (rc == 0 && e->version >= POST_EDITS_MAX)
        rc = error_set(err, FAIL_CONFLICT, "too_many_edits", "A post can be edited %d times.",
                       POST_EDITS_MAX);
    return rc < 0 ? rc : save(e, tx, &before, err);
}

static int prepare(struct editing *e)
{
    struct post_call *call = e->call;
    bool new_text = schema_has(e->what->present, POST_PATCH_TEXT);
    int rc = post_check_text(e->what->text, true, call->err);
    rc |= post_check_media(&e->what->media_ids, call->err);
    if (rc != 0)
        return call->err->kind;
    if (new_text)
        rc = post_text_tags(e->what->text, call->arena, &e->tags, call->err);
    if (rc == 0 && new_text)
        rc = post_resolve(call, e->what->text, &e->mentions);
    return rc;
}

int post_update(struct post_call *call, const struct id *id, const struct post_patch *what,
                post_match_fn *match, void *match_arg, struct post *ret_post, int64_t *ret_version)
{
    struct editing e = {.call = call, .what = what, .match = match, .match_arg = match_arg};
    int rc = post_look(call, id, &e.seen);
    if (rc == 0 && !e.seen.relation.self)
        rc = error_set(call->err, FAIL_FORBIDDEN, "not_your_post",
                       "Only its author can edit a post.");
    if (rc == 0)
        rc = prepare(&e);
    if (rc == 0)
        rc = db_write(call->room->db, update_tx, &e, call->err);
    if (rc < 0)
        return rc;
    *ret_post = e.post;
    *ret_version = e.version;
    return 0;
}
