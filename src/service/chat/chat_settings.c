/* Title, settings, what a member sets for themselves, and the end of a chat. */
#include <stdatomic.h>

#include "service/chat/chat_room.h"

/* --- changing -------------------------------------------------------------------------------- */
struct patch {
    struct chat_call *call;
    const struct id *chat;
    const struct chat_patch *what;
    struct chat_place_in in;
    struct chat result;
    struct chat_hook hook;
};

static int check_unchanged(struct chat_call *call, struct db_tx *tx, const struct chat_place_in *in,
                           struct error *err)
{
    if (call->unchanged == NULL)
        return 0;
    struct chat now;
    int rc = chat_describe(call, tx, in->entry->view, in->member, in->entry->last_seq, &now, err);
    if (rc != 0)
        return rc;
    struct buf json;
    buf_init(&json, 1 << 20);
    schema_encode(&chat_schema, &now, &json);
    rc = call->unchanged(call, buf_view(&json));
    buf_done(&json);
    return rc;
}

static int may_change(const struct patch *patch, struct error *err)
{
    bool shared = schema_has(patch->what->present, CHAT_PATCH_TITLE) ||
                  schema_has(patch->what->present, CHAT_PATCH_SETTINGS);
    if (!shared)
        return 0;
    const struct chat_view *view = patch->in.entry->view;
    if (view->kind == CHAT_DIRECT)
        return error_set(err, FAIL_FORBIDDEN, "direct_chat",
                         "A direct chat has neither title nor settings.");
    if (patch->in.member->role == CHAT_MEMBER)
        return error_set(err, FAIL_FORBIDDEN, "admins_only",
                         "Only the owner and admins change title and settings.");
    if (schema_has(patch->what->present, CHAT_PATCH_TITLE) && patch->what->title.ptr == NULL &&
        view->kind == CHAT_CHANNEL)
        return error_field(err, "title", "required", "a channel has a title");
    return 0;
}

/* A copy of the view with the new title and settings; NULL when they are the same. */
static struct chat_view *changed_view(const struct patch *patch)
{
    const struct chat_view *old = patch->in.entry->view;
    const struct chat_patch *what = patch->what;
    bool title = schema_has(what->present, CHAT_PATCH_TITLE) &&
                 !slice_eq(what->title, slice_of(old->title, old->title_len));
    bool settings =
        schema_has(what->present, CHAT_PATCH_SETTINGS) && what->settings.invite != old->invite;
    if (!title && !settings)
        return NULL;
    struct chat_view *view = chat_view_copy(old, 0, NULL);
    if (title) {
        view->title_len = what->title.len;
        if (what->title.len > 0)
            memcpy(view->title, what->title.ptr, what->title.len);
    }
    if (settings)
        view->invite = what->settings.invite;
    return view;
}

static int write_view(struct patch *patch, struct db_tx *tx, const struct chat_view *view,
                      struct error *err)
{
    int rc = chat_store_update(tx, view, err);
    if (rc == 0)
        rc = chat_emit_chat(patch->call, tx, &chat_updated_event, view, NULL, 0, NULL, err);
    return rc;
}

static int write_own(struct patch *patch, struct db_tx *tx, bool *ret_archived, int64_t *ret_muted,
                     struct error *err)
{
    const struct chat_patch *what = patch->what;
    const struct chat_member *member = patch->in.member;
    bool archived = schema_has(what->present, CHAT_PATCH_ARCHIVED);
    bool muted = schema_has(what->present, CHAT_PATCH_MUTED);
    *ret_archived = archived ? what->archived : atomic_load(&member->archived);
    *ret_muted = muted ? what->muted_until : atomic_load(&member->muted_until);
    if (!archived && !muted)
        return 0;
    return chat_store_set_own(tx, patch->chat, &patch->call->user, *ret_archived, *ret_muted, err);
}

static int patch_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct patch *patch = arg;
    bool archived;
    int64_t muted_until;
    int rc = chat_enter(patch->call, tx, patch->chat, &patch->in, err);
    if (rc == 0)
        rc = check_unchanged(patch->call, tx, &patch->in, err);
    if (rc == 0)
        rc = may_change(patch, err);
    if (rc == 0)
        rc = write_own(patch, tx, &archived, &muted_until, err);
    if (rc != 0)
        return rc;
    struct chat_entry *entry = patch->in.entry;
    struct chat_view *view = changed_view(patch);
    if (view != NULL)
        rc = write_view(patch, tx, view, err);
    if (rc == 0)
        rc = chat_describe(patch->call, tx, view != NULL ? view : entry->view, patch->in.member,
                           entry->last_seq, &patch->result, err);
    if (rc != 0) {
        chat_view_unref(view);
        return rc;
    }
    patch->result.archived = archived;
    patch->result.muted_until = muted_until;
    chat_memory_changed(entry, tx, &patch->hook, view);
    struct chat_member *member = chat_view_member(entry->view, &patch->call->user);
    atomic_store(&member->archived, archived);
    atomic_store(&member->muted_until, muted_until);
    return 0;
}

int chat_patch(struct chat_call *call, const struct id *chat, const struct chat_patch *what,
               struct chat *ret_chat)
{
    struct patch patch = {.call = call, .chat = chat, .what = what};
    int rc = db_write(call->room->db, patch_tx, &patch, call->err);
    if (rc == 0)
        *ret_chat = patch.result;
    return rc;
}

/* --- ending ---------------------------------------------------------------------------------- */
int chat_end(struct chat_call *call, struct db_tx *tx, struct chat_entry *entry,
             struct chat_hook *hook, struct error *err)
{
    int64_t now_ms = clock_wall_ms(call->room->clock);
    struct chat_view *ended = chat_view_new(entry->view, 0);
    int rc = chat_emit_ended(call, tx, entry->view, ended, now_ms, err);
    if (rc == 0)
        rc = chat_store_end(tx, &ended->id, now_ms, err);
    if (rc != 0) {
        chat_view_unref(ended);
        return rc;
    }
    chat_memory_changed(entry, tx, hook, ended);
    return 0;
}

struct end {
    struct chat_call *call;
    const struct id *chat;
    struct chat_hook hook;
};

static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct end *end = arg;
    struct chat_place_in in;
    int rc = chat_enter(end->call, tx, end->chat, &in, err);
    if (rc != 0)
        return rc;
    if (in.entry->view->kind == CHAT_DIRECT)
        return error_set(err, FAIL_FORBIDDEN, "direct_chat",
                         "A direct chat cannot be deleted, only archived.");
    if (in.member->role != CHAT_OWNER)
        return error_set(err, FAIL_FORBIDDEN, "owner_only", "Only the owner deletes a chat.");
    rc = check_unchanged(end->call, tx, &in, err);
    return rc == 0 ? chat_end(end->call, tx, in.entry, &end->hook, err) : rc;
}

int chat_delete(struct chat_call *call, const struct id *chat)
{
    struct end end = {.call = call, .chat = chat};
    return db_write(call->room->db, delete_tx, &end, call->err);
}
