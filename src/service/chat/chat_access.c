/* Rights and looks: the way into a chat, for writers and for readers. */
#include "service/chat/chat_room.h"

enum { SNAPSHOT_TRIES = 5 };

int chat_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "chat_not_found", "There is no such chat.");
}

int chat_enter(struct chat_call *call, struct db_tx *tx, const struct id *chat,
               struct chat_place_in *ret_in, struct error *err)
{
    int rc = chat_memory_load(call->room->memory, tx, chat, &ret_in->entry, err);
    if (rc != 0)
        return rc;
    ret_in->member = chat_view_member(ret_in->entry->view, &call->user);
    return ret_in->member != NULL ? 0 : chat_not_found(err);
}

/* --- readers --------------------------------------------------------------------------------- */
struct warm {
    struct chat_call *call;
    const struct id *chat;
    struct chat_look look;
};

/* The writer brings it in, so that no change can slip between loading and publishing. */
static int warm_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct warm *warm = arg;
    struct chat_entry *entry;
    int rc = chat_memory_load(warm->call->room->memory, tx, warm->chat, &entry, err);
    if (rc == 0 && !chat_memory_look(warm->call->room->memory, warm->chat, &warm->look))
        rc = chat_not_found(err); /* it is being made in this very commit */
    return rc;
}

int chat_look_in(struct chat_call *call, const struct id *chat, struct chat_look *ret_look,
                 struct chat_member **ret_member)
{
    struct warm warm = {.call = call, .chat = chat};
    if (!chat_memory_look(call->room->memory, chat, &warm.look)) {
        int rc = db_write(call->room->db, warm_tx, &warm, call->err);
        if (rc != 0) {
            chat_view_unref(warm.look.view);
            return rc;
        }
    }
    struct chat_member *member = chat_view_member(warm.look.view, &call->user);
    if (member == NULL) {
        chat_view_unref(warm.look.view);
        return chat_not_found(call->err);
    }
    *ret_look = warm.look;
    *ret_member = member;
    return 0;
}

int chat_read_db(struct chat_room *room, db_fn *fn, void *arg, struct error *err)
{
    int rc = db_read(room->db, fn, arg, err);
    for (int i = 1; i < SNAPSHOT_TRIES && rc == FAIL_UNAVAILABLE && err->code != NULL &&
                    strcmp(err->code, "snapshot_old") == 0;
         i++) {
        error_init(err);
        rc = db_read(room->db, fn, arg, err);
    }
    return rc;
}

struct find {
    struct chat_call *call;
    const struct chat_place *place;
    struct message_ref ref;
};

static int find_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct find *find = arg;
    return message_store_get(find->call->room->messages, tx, &find->place->chat_id,
                             (uint64_t)find->place->seq, find->call->arena, &find->ref, err);
}

int chat_find_message(struct chat_call *call, const struct chat_place *place, uint64_t last_seq,
                      struct slice *ret_json)
{
    struct find find = {.call = call, .place = place};
    uint64_t seq = (uint64_t)place->seq;
    unsigned count = 0;
    if (seq == 0 || seq > last_seq)
        return error_set(call->err, FAIL_NOT_FOUND, "message_not_found",
                         "There is no message with this number in the chat.");
    if (!message_store_recent(call->room->messages, &place->chat_id, last_seq, seq + 1, 0, 1,
                              call->arena, &find.ref, &count) ||
        count != 1) {
        int rc = chat_read_db(call->room, find_tx, &find, call->err);
        if (rc != 0)
            return rc;
    }
    *ret_json = find.ref.json;
    return 0;
}
