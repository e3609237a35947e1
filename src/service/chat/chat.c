/* Chats: making, showing, listing, changing and ending them. */
#include "service/chat/chat.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "service/chat/chat_room.h"

/* --- what a member sees ---------------------------------------------------------------------- */
static int describe_last(struct chat_call *call, struct db_tx *tx, struct chat *chat,
                         struct error *err)
{
    if (chat->last_seq == 0)
        return 0;
    struct chat_message *last = arena_alloc(call->arena, sizeof *last);
    if (last == NULL)
        return error_set(err, FAIL_TOO_LARGE, "page_too_large", "The answer does not fit.");
    const struct chat_place place = {chat->id, chat->last_seq};
    struct message_ref ref = {0};
    int rc = tx != NULL ? message_store_get(call->room->messages, tx, &chat->id,
                                            (uint64_t)chat->last_seq, call->arena, &ref, err)
                        : chat_find_message(call, &place, (uint64_t)place.seq, &ref.json);
    if (rc == 0)
        rc = chat_decode_message(ref.json, call->arena, last, err);
    chat->last_message = last;
    return rc;
}

static void describe_own(struct chat *chat, const struct chat_member *member)
{
    uint64_t read = atomic_load_explicit(&member->read_seq, memory_order_relaxed);
    chat->my_role = member->role;
    chat->read_seq = (int64_t)read < chat->last_seq ? (int64_t)read : chat->last_seq;
    chat->unread_count = chat->last_seq - chat->read_seq;
    chat->archived = atomic_load_explicit(&member->archived, memory_order_relaxed);
    chat->muted_until = atomic_load_explicit(&member->muted_until, memory_order_relaxed);
}

static struct id peer_of(const struct chat_view *view, const struct id *user)
{
    for (size_t i = 0; view->kind == CHAT_DIRECT && i < view->member_count; i++)
        if (!id_eq(&view->members[i].user, user))
            return view->members[i].user;
    return (struct id){0};
}

/* tx: inside db_write; NULL: anywhere else. */
static int describe(struct chat_call *call, struct db_tx *tx, const struct chat_view *view,
                    const struct chat_member *member, uint64_t last_seq, struct chat *ret_chat,
                    struct error *err)
{
    *ret_chat = (struct chat){.id = view->id,
                              .kind = view->kind,
                              .title = arena_copy(call->arena, chat_view_title(view)),
                              .peer_id = peer_of(view, &call->user),
                              .member_count = (int64_t)view->member_count,
                              .last_seq = (int64_t)last_seq,
                              .settings = {.invite = view->invite},
                              .created_at = view->created_at};
    describe_own(ret_chat, member);
    return describe_last(call, tx, ret_chat, err);
}

int chat_get(struct chat_call *call, const struct id *chat, struct chat *ret_chat)
{
    struct chat_look look;
    struct chat_member *member;
    int rc = chat_look_in(call, chat, &look, &member);
    if (rc != 0)
        return rc;
    rc = describe(call, NULL, look.view, member, look.last_seq, ret_chat, call->err);
    chat_view_unref(look.view);
    return rc;
}

/* --- making ---------------------------------------------------------------------------------- */
struct create {
    struct chat_call *call;
    const struct chat_create *what;
    struct chat_view *view; /* with all members; taken by the memory */
    struct chat chat;
    struct chat_hook hook;
};

static int by_user(const void *a, const void *b)
{
    const struct chat_member *x = a, *y = b;
    return id_cmp(&x->user, &y->user);
}

static int check_create(struct chat_call *call, const struct chat_create *what)
{
    const struct id *ids = what->member_ids.items;
    if (what->kind == CHAT_DIRECT) {
        if (what->member_ids.count != 1)
            return error_field(call->err, "member_ids",
                               what->member_ids.count == 0 ? "too_few" : "too_many",
                               "a direct chat is with exactly one other person");
        if (id_eq(&ids[0], &call->user))
            return error_field(call->err, "member_ids[0]", "not_allowed", "must be somebody else");
        if (what->title.ptr != NULL)
            return error_field(call->err, "title", "not_allowed", "a direct chat has no title");
    }
    if (what->kind == CHAT_CHANNEL && what->title.ptr == NULL)
        return error_field(call->err, "title", "required", "a channel has a title");
    if ((int64_t)what->member_ids.count + 1 > call->room->group_members_max)
        return error_field(call->err, "member_ids", "too_many", "a chat has at most %lld members",
                           (long long)call->room->group_members_max);
    return 0;
}

int chat_check_users(struct chat_call *call, const char *field, const struct schema_list *list)
{
    const struct user_calls *users = kit_calls(call->room->kit, "user");
    const struct id *ids = list->items;
    struct id missing = {0};
    if (list->count == 0)
        return 0;
    struct error why;
    error_init(&why);
    int rc = users->check_all(users->room, ids, list->count, &missing, &why);
    if (rc >= 0 && (size_t)rc == list->count)
        return 0;
    if (id_is_nil(&missing))
        return rc == 0 ? 0 : error_set(call->err, (enum fail)rc, why.code, "%s", why.detail);
    for (size_t i = 0; i < list->count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s[%zu]", field, i);
        if (id_eq(&ids[i], &missing))
            return error_field(call->err, name, "user_not_found", "there is no such user");
    }
    return error_field(call->err, field, "user_not_found", "one of them does not exist");
}

/* The view of the new chat: everybody once, in order of id. */
static struct chat_view *new_view(struct chat_call *call, const struct chat_create *what)
{
    size_t wanted = what->member_ids.count + 1;
    const struct id *ids = what->member_ids.items;
    struct chat_view head = {.id = id_new(call->room->clock),
                             .created_by = call->user,
                             .kind = what->kind,
                             .invite = CHAT_INVITE_ADMINS};
    head.created_at = id_time_ms(&head.id);
    head.title_len = what->title.len;
    if (what->title.ptr != NULL)
        memcpy(head.title, what->title.ptr, what->title.len);
    struct chat_member *members = xcalloc(wanted, sizeof *members);
    int mine = what->kind == CHAT_DIRECT ? CHAT_MEMBER : CHAT_OWNER;
    for (size_t i = 0; i < wanted; i++) {
        members[i].user = i == 0 ? call->user : ids[i - 1];
        members[i].joined_at = head.created_at;
    }
    qsort(members, wanted, sizeof *members, by_user);
    struct chat_view *view = chat_view_new(&head, wanted);
    for (size_t i = 0; i < wanted; i++) {
        members[i].role = id_eq(&members[i].user, &call->user) ? mine : CHAT_MEMBER;
        if (i == 0 || !id_eq(&members[i].user, &members[i - 1].user))
            chat_view_add(view, &members[i]);
    }
    free(members);
    return view;
}

static int insert_members(struct db_tx *tx, struct chat_view *view, uint64_t pos, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < view->member_count; i++) {
        view->members[i].since_pos = pos;
        rc = chat_store_insert_member(tx, &view->id, &view->members[i], err);
    }
    return rc;
}

static int emit_created(struct create *create, struct db_tx *tx, uint64_t *ret_pos,
                        struct error *err)
{
    const struct chat_view *view = create->view;
    struct event_link *links = arena_array(create->call->arena, view->member_count, sizeof *links);
    if (links == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_many_members", "The members do not fit.");
    for (size_t i = 0; i < view->member_count; i++)
        links[i] = (struct event_link){EVENT_FOLLOW, view->members[i].user};
    return chat_emit_chat(create->call, tx, &chat_created_event, view, 0, links,
                          (unsigned)view->member_count, ret_pos, err);
}

static int insert_new(struct create *create, struct db_tx *tx, struct error *err)
{
    struct chat_view *view = create->view;
    uint64_t pos;
    int rc = emit_created(create, tx, &pos, err);
    if (rc == 0)
        rc = chat_store_insert(tx, view, err);
    if (rc == 0)
        rc = insert_members(tx, view, pos, err);
    if (rc == 0 && view->kind == CHAT_DIRECT)
        rc = chat_store_insert_direct(tx, &view->members[0].user, &view->members[1].user, &view->id,
                                      err);
    if (rc == 0)
        rc = describe(create->call, tx, view, chat_view_member(view, &create->call->user), 0,
                      &create->chat, err);
    if (rc != 0)
        return rc;
    struct chat_entry *entry = chat_memory_create(create->call->room->memory, view);
    create->view = NULL;
    chat_memory_changed(entry, tx, &create->hook, view);
    return 0;
}

static int create_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct create *create = arg;
    struct id known = {0};
    struct chat_place_in in;
    int rc = 0;
    if (create->what->kind == CHAT_DIRECT)
        rc = chat_store_find_direct(tx, &create->call->user, create->what->member_ids.items, &known,
                                    err);
    if (rc != 0)
        return rc;
    if (id_is_nil(&known))
        return insert_new(create, tx, err);
    rc = chat_enter(create->call, tx, &known, &in, err);
    if (rc == 0)
        rc = describe(create->call, tx, in.entry->view, in.member, in.entry->last_seq,
                      &create->chat, err);
    return rc;
}

int chat_create(struct chat_call *call, const struct chat_create *what, struct chat *ret_chat)
{
    int rc = check_create(call, what);
    if (rc == 0)
        rc = chat_check_users(call, "member_ids", &what->member_ids);
    if (rc != 0)
        return rc;
    struct create create = {.call = call, .what = what, .view = new_view(call, what)};
    rc = db_write(call->room->db, create_tx, &create, call->err);
    chat_view_unref(create.view);
    if (rc == 0)
        *ret_chat = create.chat;
    return rc;
}

/* --- changing -------------------------------------------------------------------------------- */
struct patch {
    struct chat_call *call;
    const struct id *chat;
    const struct chat_patch *what;
    struct chat_place_in in;
    struct chat result;
    struct chat_hook hook;
};

static int check_unchanged(struct patch *patch, struct db_tx *tx, struct error *err)
{
    struct chat_call *call = patch->call;
    if (call->unchanged == NULL)
        return 0;
    struct chat now;
    int rc = describe(call, tx, patch->in.entry->view, patch->in.member, patch->in.entry->last_seq,
                      &now, err);
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
    struct chat_view *view = chat_view_new(old, old->member_count);
    for (size_t i = 0; i < old->member_count; i++)
        chat_view_add(view, &old->members[i]);
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
        rc = chat_emit_chat(patch->call, tx, &chat_updated_event, view, 0, NULL, 0, NULL, err);
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
        rc = check_unchanged(patch, tx, err);
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
        rc = describe(patch->call, tx, view != NULL ? view : entry->view, patch->in.member,
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
/* Everybody is told on a stream of their own, for the chat's is no longer theirs. */
static int emit_gone(struct chat_call *call, struct db_tx *tx, const struct chat_view *view,
                     struct error *err)
{
    struct chat_member_changed data = {
        .chat_id = view->id, .role = CHAT_NOBODY, .by_user_id = call->user};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < view->member_count; i++) {
        data.user_id = view->members[i].user;
        const struct chat_emit emit = {
            .type = &chat_member_changed_event, .stream = &data.user_id, .data = &data};
        rc = chat_emit(call, tx, &emit, NULL, NULL, err);
    }
    return rc;
}

int chat_end(struct chat_call *call, struct db_tx *tx, struct chat_entry *entry,
             struct chat_hook *hook, struct error *err)
{
    const struct chat_view *old = entry->view;
    int64_t now_ms = clock_wall_ms(call->room->clock);
    struct event_link *links = arena_array(call->arena, old->member_count, sizeof *links);
    if (links == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_many_members", "The members do not fit.");
    for (size_t i = 0; i < old->member_count; i++)
        links[i] = (struct event_link){EVENT_UNFOLLOW, old->members[i].user};
    int rc = emit_gone(call, tx, old, err);
    if (rc == 0)
        rc = chat_emit_chat(call, tx, &chat_updated_event, old, now_ms, links,
                            (unsigned)old->member_count, NULL, err);
    if (rc == 0)
        rc = chat_store_end(tx, &old->id, now_ms, err);
    if (rc != 0)
        return rc;
    struct chat_view *view = chat_view_new(old, 0);
    chat_memory_changed(entry, tx, hook, view);
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
    return chat_end(end->call, tx, in.entry, &end->hook, err);
}

int chat_delete(struct chat_call *call, const struct id *chat)
{
    struct end end = {.call = call, .chat = chat};
    return db_write(call->room->db, delete_tx, &end, call->err);
}
