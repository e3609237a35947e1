/* Chats: making and showing them. */
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

void chat_describe_read(struct chat *chat, uint64_t read_seq)
{
    int64_t read = (int64_t)read_seq;
    chat->read_seq = read < chat->last_seq ? read : chat->last_seq;
    chat->unread_count = chat->last_seq - chat->read_seq;
}

static void describe_own(struct chat *chat, const struct chat_member *member)
{
    chat->my_role = member->role;
    chat_describe_read(chat, atomic_load_explicit(&member->read_seq, memory_order_relaxed));
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

int chat_describe(struct chat_call *call, struct db_tx *tx, const struct chat_view *view,
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
    rc = chat_describe(call, NULL, look.view, member, look.last_seq, ret_chat, call->err);
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
    bool apart; /* a block stands between the two of a new direct chat */
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
    if (rc == 0)
        return 0;
    if (id_is_nil(&missing))
        return error_set(call->err, (enum fail)rc, why.code, "%s", why.detail);
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
    return chat_emit_chat(create->call, tx, &chat_created_event, view, links,
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
        rc = chat_describe(create->call, tx, view, chat_view_member(view, &create->call->user), 0,
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
    if (id_is_nil(&known) && create->what->kind == CHAT_DIRECT)
        rc = chat_may_talk(create->call->room, &create->call->user, create->what->member_ids.items,
                           err);
    create->apart = rc != 0;
    if (rc == 0 && id_is_nil(&known))
        return insert_new(create, tx, err);
    if (rc != 0)
        return rc;
    rc = chat_enter(create->call, tx, &known, &in, err);
    if (rc == 0)
        rc = chat_describe(create->call, tx, in.entry->view, in.member, in.entry->last_seq,
                           &create->chat, err);
    return rc;
}

/* In the order of what it costs to find out. */
static int check_members(struct chat_call *call, const struct chat_create *what,
                         const struct chat_view *view)
{
    if ((int64_t)view->member_count > call->room->group_members_max)
        return error_field(call->err, "member_ids", "too_many", "a chat has at most %lld members",
                           (long long)call->room->group_members_max);
    int rc = chat_check_users(call, "member_ids", &what->member_ids);
    if (rc == 0 && what->kind != CHAT_DIRECT)
        rc = chat_check_blocks(call, "member_ids", &what->member_ids);
    return rc;
}

/* Whose block it is decides what is said of it, as of a group's members. */
static int refuse_direct(const struct create *create)
{
    struct error *err = create->call->err;
    const struct error blocked = *err;
    error_init(err);
    int rc = chat_check_blocks(create->call, "member_ids", &create->what->member_ids);
    if (rc == 0) { /* it has just ended */
        *err = blocked;
        rc = blocked.kind;
    }
    return rc;
}

int chat_create(struct chat_call *call, const struct chat_create *what, struct chat *ret_chat)
{
    int rc = check_create(call, what);
    if (rc != 0)
        return rc;
    struct create create = {.call = call, .what = what, .view = new_view(call, what)};
    rc = check_members(call, what, create.view);
    if (rc == 0)
        rc = db_write(call->room->db, create_tx, &create, call->err);
    chat_view_unref(create.view);
    if (create.apart)
        return refuse_direct(&create);
    if (rc == 0)
        *ret_chat = create.chat;
    return rc;
}
