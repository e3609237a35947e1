/* Members: coming, going, roles. A chat with members always has exactly one owner. */
#include <stdatomic.h>

#include "service/chat/chat_room.h"

/* --- listing --------------------------------------------------------------------------------- */
static struct chat_member_item item_of(const struct chat_member *member, uint64_t last_seq)
{
    uint64_t read = atomic_load_explicit(&member->read_seq, memory_order_relaxed);
    return (struct chat_member_item){.user_id = member->user,
                                     .role = member->role,
                                     .read_seq = (int64_t)(read < last_seq ? read : last_seq),
                                     .joined_at = member->joined_at};
}

int chat_members(struct chat_call *call, const struct id *chat, const struct page_query *query,
                 struct chat_member_list *ret_list)
{
    struct chat_look look;
    struct chat_member *me;
    struct cursor cursor;
    bool given;
    size_t limit = (size_t)query->limit, count = 0;
    struct chat_member_item *items = arena_array(call->arena, limit, sizeof *items);
    if (items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "page_too_large", "Ask for fewer members.");
    int rc = cursor_decode(query->cursor, &cursor, &given, call->err);
    if (rc == 0)
        rc = chat_look_in(call, chat, &look, &me);
    if (rc != 0)
        return rc;
    size_t at = 0;
    while (given && at < look.view->member_count &&
           id_cmp(&look.view->members[at].user, &cursor.id) <= 0)
        at++;
    for (; at < look.view->member_count && count < limit; at++)
        items[count++] = item_of(&look.view->members[at], look.last_seq);
    *ret_list =
        (struct chat_member_list){.items = {items, count}, .more = at < look.view->member_count};
    if (count > 0)
        ret_list->next.id = items[count - 1].user_id;
    chat_view_unref(look.view);
    return 0;
}

/* --- shared by the changes ------------------------------------------------------------------- */
static int emit_member(struct chat_call *call, struct db_tx *tx, const struct id *stream,
                       const struct chat_member_changed *data, const struct event_link *link,
                       uint64_t *ret_pos, struct error *err)
{
    const struct chat_emit emit = {.type = &chat_member_changed_event,
                                   .stream = stream,
                                   .data = data,
                                   .links = link,
                                   .link_count = link != NULL ? 1 : 0};
    return chat_emit(call, tx, &emit, NULL, ret_pos, err);
}

static int direct_refused(struct error *err)
{
    return error_set(err, FAIL_FORBIDDEN, "direct_chat",
                     "The two members of a direct chat cannot change.");
}

/* --- adding ---------------------------------------------------------------------------------- */
struct add {
    struct chat_call *call;
    const struct id *chat;
    const struct chat_add *what;
    struct chat_place_in in;
    struct chat_member_item *added;
    size_t added_count;
    struct chat_hook hook;
};

static int may_add(const struct add *add, struct error *err)
{
    const struct chat_view *view = add->in.entry->view;
    if (view->kind == CHAT_DIRECT)
        return direct_refused(err);
    if (view->invite == CHAT_INVITE_ADMINS && add->in.member->role == CHAT_MEMBER)
        return error_set(err, FAIL_FORBIDDEN, "admins_only",
                         "Only the owner and admins add members to this chat.");
    return 0;
}

/* A view with room for `more` members, with one more in order of id. */
static void add_in_order(struct chat_view *view, const struct chat_member *member)
{
    size_t at = view->member_count;
    while (at > 0 && id_cmp(&view->members[at - 1].user, &member->user) > 0)
        at--;
    memmove(&view->members[at + 1], &view->members[at],
            (view->member_count - at) * sizeof *view->members);
    memcpy(&view->members[at], member, sizeof *member);
    view->member_count++;
}

static int add_one(struct add *add, struct db_tx *tx, struct chat_view *view, const struct id *user,
                   struct error *err)
{
    struct chat_call *call = add->call;
    int64_t now_ms = clock_wall_ms(call->room->clock);
    struct chat_member member = {.user = *user,
                                 .role = CHAT_MEMBER,
                                 .joined_at = now_ms,
                                 .read_seq = add->in.entry->last_seq};
    const struct chat_member_changed data = {.chat_id = view->id,
                                             .user_id = *user,
                                             .role = CHAT_MEMBER,
                                             .joined_at = now_ms,
                                             .member_count = (int64_t)view->member_count + 1,
                                             .by_user_id = call->user};
    const struct event_link link = {EVENT_FOLLOW, *user};
    int rc = emit_member(call, tx, &view->id, &data, &link, &member.since_pos, err);
    if (rc == 0)
        rc = chat_store_insert_member(tx, &view->id, &member, err);
    if (rc != 0)
        return rc;
    add_in_order(view, &member);
    add->added[add->added_count++] = item_of(&member, add->in.entry->last_seq);
    return 0;
}

static int add_all(struct add *add, struct db_tx *tx, struct chat_view *view, struct error *err)
{
    const struct id *ids = add->what->user_ids.items;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < add->what->user_ids.count; i++)
        if (chat_view_member(view, &ids[i]) == NULL) {
            if ((int64_t)view->member_count >= add->call->room->group_members_max)
                return error_field(err, "user_ids", "too_many", "a chat has at most %lld members",
                                   (long long)add->call->room->group_members_max);
            rc = add_one(add, tx, view, &ids[i], err);
        }
    return rc;
}

static int add_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct add *add = arg;
    int rc = chat_enter(add->call, tx, add->chat, &add->in, err);
    if (rc == 0)
        rc = may_add(add, err);
    if (rc != 0)
        return rc;
    struct chat_view *view = chat_view_copy(add->in.entry->view, add->what->user_ids.count, NULL);
    rc = add_all(add, tx, view, err);
    if (rc == 0)
        rc = chat_store_update(tx, view, err);
    if (rc != 0 || add->added_count == 0) {
        chat_view_unref(view);
        return rc;
    }
    chat_memory_changed(add->in.entry, tx, &add->hook, view);
    return 0;
}

/* Outsiders get their 404 before anybody's existence is looked up for them. */
static int check_inside(struct chat_call *call, const struct id *chat)
{
    struct chat_look look;
    struct chat_member *me;
    int rc = chat_look_in(call, chat, &look, &me);
    if (rc == 0)
        chat_view_unref(look.view);
    return rc;
}

int chat_add_members(struct chat_call *call, const struct id *chat, const struct chat_add *what,
                     struct chat_member_list *ret_added)
{
    struct add add = {.call = call, .chat = chat, .what = what};
    int rc = check_inside(call, chat);
    if (rc == 0)
        rc = chat_check_users(call, "user_ids", &what->user_ids);
    if (rc == 0)
        rc = chat_check_blocks(call, "user_ids", &what->user_ids);
    if (rc != 0)
        return rc;
    add.added = arena_array(call->arena, what->user_ids.count, sizeof *add.added);
    if (add.added == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_many_members", "Add fewer at once.");
    rc = db_write(call->room->db, add_tx, &add, call->err);
    if (rc == 0)
        *ret_added = (struct chat_member_list){.items = {add.added, add.added_count}};
    return rc;
}

/* --- roles ----------------------------------------------------------------------------------- */
struct change {
    struct chat_call *call;
    const struct id *chat, *user;
    int role;
    struct chat_place_in in;
    struct chat_member_item item;
    struct chat_hook hook;
};

static int member_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "member_not_found", "This person is not in the chat.");
}

/* Writes and tells one role; the view is the copy that will be published. */
static int give_role(struct chat_call *call, struct db_tx *tx, struct chat_view *view,
                     const struct id *user, int role, struct error *err)
{
    struct chat_member *member = chat_view_member(view, user);
    if (member->role == role)
        return 0;
    const struct chat_member_changed data = {.chat_id = view->id,
                                             .user_id = *user,
                                             .role = role,
                                             .joined_at = member->joined_at,
                                             .member_count = (int64_t)view->member_count,
                                             .by_user_id = call->user};
    int rc = emit_member(call, tx, &view->id, &data, NULL, NULL, err);
    if (rc == 0)
        rc = chat_store_set_role(tx, &view->id, user, role, err);
    if (rc == 0)
        member->role = role;
    return rc;
}

static int may_set_role(const struct change *change, struct error *err)
{
    if (change->in.entry->view->kind == CHAT_DIRECT)
        return direct_refused(err);
    if (change->in.member->role != CHAT_OWNER)
        return error_set(err, FAIL_FORBIDDEN, "owner_only", "Only the owner gives roles.");
    if (chat_view_member(change->in.entry->view, change->user) == NULL)
        return member_not_found(err);
    if (id_eq(change->user, &change->call->user) && change->role != CHAT_OWNER)
        return error_set(err, FAIL_FORBIDDEN, "owner_hands_over",
                         "Make somebody else the owner: a chat always has one.");
    return 0;
}

static int role_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *change = arg;
    int rc = chat_enter(change->call, tx, change->chat, &change->in, err);
    if (rc == 0)
        rc = may_set_role(change, err);
    if (rc != 0)
        return rc;
    struct chat_view *view = chat_view_copy(change->in.entry->view, 0, NULL);
    bool hands_over = change->role == CHAT_OWNER && !id_eq(change->user, &change->call->user);
    if (hands_over)
        rc = give_role(change->call, tx, view, &change->call->user, CHAT_ADMIN, err);
    if (rc == 0)
        rc = give_role(change->call, tx, view, change->user, change->role, err);
    if (rc != 0) {
        chat_view_unref(view);
        return rc;
    }
    change->item = item_of(chat_view_member(view, change->user), change->in.entry->last_seq);
    chat_memory_changed(change->in.entry, tx, &change->hook, view);
    return 0;
}

int chat_set_role(struct chat_call *call, const struct id *chat, const struct id *member, int role,
                  struct chat_member_item *ret_member)
{
    struct change change = {.call = call, .chat = chat, .user = member, .role = role};
    int rc = db_write(call->room->db, role_tx, &change, call->err);
    if (rc == 0)
        *ret_member = change.item;
    return rc;
}

/* --- going ----------------------------------------------------------------------------------- */
static int may_remove(const struct change *change, const struct chat_member *target,
                      struct error *err)
{
    if (change->in.entry->view->kind == CHAT_DIRECT)
        return direct_refused(err);
    if (id_eq(change->user, &change->call->user))
        return 0;
    if (change->in.member->role == CHAT_MEMBER)
        return error_set(err, FAIL_FORBIDDEN, "admins_only",
                         "Only the owner and admins remove members.");
    if (target == NULL)
        return member_not_found(err);
    if (change->in.member->role == CHAT_ADMIN && target->role != CHAT_MEMBER)
        return error_set(err, FAIL_FORBIDDEN, "owner_only", "Only the owner removes admins.");
    return 0;
}

/* The admin who has been here for longest, or else the member. */
static const struct chat_member *heir(const struct chat_view *view)
{
    const struct chat_member *best = NULL;
    for (size_t i = 0; i < view->member_count; i++) {
        const struct chat_member *m = &view->members[i];
        if (best == NULL || m->role < best->role ||
            (m->role == best->role && m->joined_at < best->joined_at))
            best = m;
    }
    return best;
}

/* On the chat's stream, which the person no longer follows by then, and on their own. */
static int emit_removed(struct change *change, struct db_tx *tx, const struct chat_view *view,
                        struct error *err)
{
    const struct chat_member_changed data = {.chat_id = view->id,
                                             .user_id = *change->user,
                                             .role = CHAT_NOBODY,
                                             .member_count = (int64_t)view->member_count,
                                             .by_user_id = change->call->user};
    const struct event_link link = {EVENT_UNFOLLOW, *change->user};
    int rc = emit_member(change->call, tx, &view->id, &data, &link, NULL, err);
    if (rc == 0)
        rc = emit_member(change->call, tx, change->user, &data, NULL, NULL, err);
    return rc;
}

static int take_out(struct change *change, struct db_tx *tx, int role, struct error *err)
{
    struct chat_view *view = chat_view_copy(change->in.entry->view, 0, change->user);
    int rc = emit_removed(change, tx, view, err);
    if (rc == 0)
        rc = chat_store_remove_member(tx, change->chat, change->user, err);
    if (rc == 0)
        rc = chat_store_update(tx, view, err);
    if (rc == 0 && role == CHAT_OWNER) {
        struct id next = heir(view)->user;
        rc = give_role(change->call, tx, view, &next, CHAT_OWNER, err);
    }
    if (rc != 0) {
        chat_view_unref(view);
        return rc;
    }
    chat_memory_changed(change->in.entry, tx, &change->hook, view);
    return 0;
}

static int remove_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *change = arg;
    int rc = chat_enter(change->call, tx, change->chat, &change->in, err);
    if (rc != 0)
        return rc;
    struct chat_entry *entry = change->in.entry;
    const struct chat_member *target = chat_view_member(entry->view, change->user);
    rc = may_remove(change, target, err);
    if (rc != 0)
        return rc;
    if (entry->view->member_count == 1)
        return chat_end(change->call, tx, entry, &change->hook, err);
    return take_out(change, tx, target->role, err);
}

int chat_remove_member(struct chat_call *call, const struct id *chat, const struct id *member)
{
    struct change change = {.call = call, .chat = chat, .user = member};
    return db_write(call->room->db, remove_tx, &change, call->err);
}
