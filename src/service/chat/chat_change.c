/* What happens to a message later: edit, deletion, reaction. Each is a new version of the whole
 * message under the same seq: read, changed, emitted and put in one transaction, on the writer,
 * where nobody else can change it in between.
 */
#include "service/chat/chat_room.h"

struct change {
    struct chat_call *call;
    struct chat_place place;
    struct slice text;              /* edit */
    const struct chat_react *react; /* reaction */
    struct chat_place_in in;
    struct chat_message message; /* as it is now, then as it will be */
    struct slice json;
    struct chat_hook hook;
};

/* The chat, the member and the message; FAIL_GONE when it has been deleted. */
static int open_change(struct change *change, struct db_tx *tx, struct error *err)
{
    struct chat_call *call = change->call;
    struct message_ref ref;
    int rc = chat_enter(call, tx, &change->place.chat_id, &change->in, err);
    if (rc == 0)
        rc = message_store_get(call->room->messages, tx, &change->place.chat_id,
                               (uint64_t)change->place.seq, call->arena, &ref, err);
    if (rc == 0)
        rc = chat_decode_message(ref.json, call->arena, &change->message, err);
    if (rc != 0)
        return rc;
    change->json = ref.json;
    if (change->message.deleted_at != 0)
        return error_set(err, FAIL_GONE, "message_deleted", "The message has been deleted.");
    return call->unchanged != NULL ? call->unchanged(call, ref.json) : 0;
}

/* Emits the event and puts the version; the version is `change->message`. */
static int finish_change(struct change *change, struct db_tx *tx, const struct event_type *type,
                         const void *data, struct error *err)
{
    struct chat_call *call = change->call;
    const struct chat_emit emit = {.type = type, .stream = &change->place.chat_id, .data = data};
    struct event event = {.type = type};
    struct message_key key;
    uint64_t pos;
    int rc = chat_emit(call, tx, &emit, &event.data, &pos, err);
    if (rc != 0)
        return rc;
    panic_if(!chat_key_of(&event, &key), "chat_key_of does not know the data of %s", type->name);
    rc = message_store_put(call->room->messages, tx, &key, pos, err);
    if (rc == 0)
        change->json = key.json;
    return rc;
}

/* --- edit ------------------------------------------------------------------------------------ */
static int edit_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *change = arg;
    struct chat_message *message = &change->message;
    int rc = open_change(change, tx, err);
    if (rc != 0)
        return rc;
    if (!id_eq(&message->sender_id, &change->call->user))
        return error_set(err, FAIL_FORBIDDEN, "not_your_message",
                         "Only the sender can edit a message.");
    rc = chat_may_write_in(&change->in, err);
    if (rc != 0)
        return rc;
    if (slice_eq(message->text, change->text))
        return 0;
    rc = chat_may_talk_in(change->call->room, change->in.entry->view, &change->call->user, err);
    if (rc != 0)
        return rc;
    int64_t version, now_ms = clock_wall_ms(change->call->room->clock);
    rc = chat_store_add_edit(tx, &change->place, message->text, now_ms, &version, err);
    if (rc != 0)
        return rc;
    message->text = change->text;
    message->edited_at = now_ms;
    return finish_change(change, tx, &chat_message_updated_event, message, err);
}

int chat_edit(struct chat_call *call, const struct chat_edit *what, struct slice *ret_json)
{
    struct change change = {.call = call, .place = {what->chat_id, what->seq}, .text = what->text};
    int rc = db_write(call->room->db, edit_tx, &change, call->err);
    if (rc == 0)
        *ret_json = change.json;
    return rc;
}

/* --- deletion -------------------------------------------------------------------------------- */
static int delete_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *change = arg;
    struct chat_message *message = &change->message;
    int rc = open_change(change, tx, err);
    if (rc != 0)
        return rc;
    bool manager =
        change->in.member->role != CHAT_MEMBER && change->in.entry->view->kind != CHAT_DIRECT;
    if (!manager && !id_eq(&message->sender_id, &change->call->user))
        return error_set(err, FAIL_FORBIDDEN, "not_your_message",
                         "Only the sender, the owner and admins can delete a message.");
    rc = chat_store_drop_extras(tx, &change->place, err);
    if (rc != 0)
        return rc;
    message->text = SLICE("");
    message->attachments.count = message->reactions.count = 0;
    message->deleted_at = clock_wall_ms(change->call->room->clock);
    return finish_change(change, tx, &chat_message_deleted_event, message, err);
}

int chat_delete_message(struct chat_call *call, const struct chat_place *what,
                        struct slice *ret_json)
{
    struct change change = {.call = call, .place = *what};
    int rc = db_write(call->room->db, delete_tx, &change, call->err);
    if (rc == 0)
        *ret_json = change.json;
    return rc;
}

/* --- reactions ------------------------------------------------------------------------------- */
static int too_many(struct error *err)
{
    return error_set(err, FAIL_INVALID, "too_many_reactions",
                     "A message can have %d different reactions.", CHAT_REACTIONS_MAX);
}

/* Puts the new state of one emoji in its place, at the end when it is new, out when it is zero. */
static int place_reaction(struct change *change, const struct chat_reaction *reaction,
                          struct error *err)
{
    struct schema_list *list = &change->message.reactions;
    struct chat_reaction *items = arena_array(change->call->arena, list->count + 1, sizeof *items);
    if (items == NULL)
        return error_set(err, FAIL_TOO_LARGE, "page_too_large", "The reactions do not fit.");
    size_t count = 0;
    bool placed = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct chat_reaction *old = (const struct chat_reaction *)list->items + i;
        bool same = slice_eq(old->emoji, reaction->emoji);
        placed |= same;
        if (!same || reaction->count > 0)
            items[count++] = same ? *reaction : *old;
    }
    if (!placed && reaction->count > 0)
        items[count++] = *reaction;
    if (count > CHAT_REACTIONS_MAX)
        return too_many(err);
    *list = (struct schema_list){items, count};
    return 0;
}

static int react_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct change *change = arg;
    const struct chat_react *what = change->react;
    struct chat_reaction reaction;
    bool changed;
    int rc = open_change(change, tx, err);
    if (rc != 0)
        return rc;
    if (!what->remove && !chat_emoji_valid(what->emoji))
        return error_field(err, "emoji", "not_allowed", "must be one emoji");
    rc = chat_may_talk_in(change->call->room, change->in.entry->view, &change->call->user, err);
    if (rc != 0)
        return rc;
    rc = chat_store_react(tx, what, &change->call->user, &changed, err);
    if (rc != 0 || !changed)
        return rc;
    rc = chat_store_reaction(tx, what, change->call->arena, &reaction, err);
    if (rc == 0)
        rc = place_reaction(change, &reaction, err);
    if (rc != 0)
        return rc;
    const struct chat_reaction_changed data = {.chat_id = what->chat_id,
                                               .seq = what->seq,
                                               .user_id = change->call->user,
                                               .emoji = what->emoji,
                                               .added = !what->remove,
                                               .reactions = change->message.reactions,
                                               .message = &change->message};
    return finish_change(change, tx, &chat_reaction_changed_event, &data, err);
}

int chat_react(struct chat_call *call, const struct chat_react *what, struct slice *ret_json)
{
    struct change change = {.call = call, .place = {what->chat_id, what->seq}, .react = what};
    int rc = db_write(call->room->db, react_tx, &change, call->err);
    if (rc == 0)
        *ret_json = change.json;
    return rc;
}
