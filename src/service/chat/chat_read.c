/* Read marks and typing. A mark never goes back; sending moves it too, without a row or an event
 * (clients know that one's own message is read).
 */
#include <stdatomic.h>
#include <stdio.h>

#include "kit/emit.h"
#include "service/chat/chat_room.h"

struct mark {
    struct chat_call *call;
    const struct chat_place *what;
    struct chat_hook hook;
};

/* Reading is not refused while a block stands between two people, but only the reader's own devices
 * hear of it. */
static const struct id *told_on(const struct mark *mark, const struct chat_view *view)
{
    struct error blocked;
    error_init(&blocked);
    const struct id *user = &mark->call->user;
    bool apart = chat_may_talk_in(mark->call->room, view, user, &blocked) != 0;
    return apart ? user : &mark->what->chat_id;
}

static int read_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct mark *mark = arg;
    struct chat_call *call = mark->call;
    struct chat_place_in in;
    uint64_t seq = (uint64_t)mark->what->seq;
    int rc = chat_enter(call, tx, &mark->what->chat_id, &in, err);
    if (rc != 0)
        return rc;
    if (seq > in.entry->last_seq)
        return error_field(err, "seq", "too_large", "the chat's last message is %llu",
                           (unsigned long long)in.entry->last_seq);
    if (seq <= atomic_load_explicit(&in.member->read_seq, memory_order_relaxed))
        return 0;
    rc = chat_store_set_read(tx, &mark->what->chat_id, &call->user, seq, err);
    if (rc != 0)
        return rc;
    const struct chat_read_changed data = {
        .chat_id = mark->what->chat_id, .user_id = call->user, .seq = mark->what->seq};
    const struct chat_emit emit = {
        .type = &chat_read_changed_event, .stream = told_on(mark, in.entry->view), .data = &data};
    rc = chat_emit(call, tx, &emit, NULL, NULL, err);
    if (rc != 0)
        return rc;
    atomic_store_explicit(&in.member->read_seq, seq, memory_order_relaxed);
    chat_memory_changed(in.entry, tx, &mark->hook, NULL);
    return 0;
}

int chat_read(struct chat_call *call, const struct chat_place *what)
{
    struct mark mark = {.call = call, .what = what};
    return db_write(call->room->db, read_tx, &mark, call->err);
}

/* --- typing ---------------------------------------------------------------------------------- */
enum { TYPING_EVERY_MS = 3000 };

/* P06: at most one in 3 s per user and chat; the others are dropped without a word. */
static bool may_type(struct chat_call *call, const struct id *chat)
{
    char chat_text[ID_TEXT_LEN + 1], user_text[ID_TEXT_LEN + 1], key[96];
    id_format(chat, chat_text);
    id_format(&call->user, user_text);
    int len = snprintf(key, sizeof key, "typing:%s:%s", chat_text, user_text);
    bool stored = false;
    struct error ignored;
    error_init(&ignored);
    struct kv *kv = call->room->kit->kv;
    int rc = kv->ops->add(kv, slice_of(key, (size_t)len), SLICE("1"), TYPING_EVERY_MS, &stored,
                          &ignored);
    return rc == 0 && stored;
}

int chat_typing(struct chat_call *call, const struct id *chat)
{
    struct chat_look look;
    struct chat_member *member;
    int rc = chat_look_in(call, chat, &look, &member);
    if (rc != 0)
        return rc;
    bool silent = look.view->kind == CHAT_CHANNEL && member->role == CHAT_MEMBER;
    rc = chat_may_talk_in(call->room, look.view, &call->user, call->err);
    chat_view_unref(look.view);
    if (rc != 0)
        return rc;
    const struct chat_typing data = {.chat_id = *chat, .user_id = call->user};
    if (!silent && may_type(call, chat))
        kit_emit_ephemeral_except(call->room->kit, &call->user, &chat_typing_event, chat, &data);
    return 0;
}
