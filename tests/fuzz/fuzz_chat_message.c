/* The short cut that reads a message's head from fixed places of its JSON, against the schema's
 * decoder; and what counts as one emoji. */
#include "base/json.h"
#include "service/chat/chat_room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a client may put into the strings, the short cut finds the same as the decoder. */
static void check_own(struct slice text)
{
    static struct slice nothing[1];
    struct chat_message message = {.id = {{1}},
                                   .chat_id = {{2}},
                                   .seq = (int64_t)text.len + 1,
                                   .sender_id = {{3}},
                                   .client_id = text,
                                   .text = text,
                                   .attachments = {nothing, 0},
                                   .reactions = {nothing, 0},
                                   .created_at = 1};
    const struct chat_reaction_changed changed = {.chat_id = {{2}},
                                                  .seq = message.seq,
                                                  .user_id = {{4}},
                                                  .emoji = text,
                                                  .reactions = {nothing, 0},
                                                  .message = &message};
    struct buf plain, reaction;
    struct message_key key, from_reaction;
    buf_init(&plain, 4 << 20);
    buf_init(&reaction, 4 << 20);
    schema_encode(&chat_message_schema, &message, &plain);
    schema_encode(&chat_reaction_changed_schema, &changed, &reaction);
    panic_if(!chat_scan_message(buf_view(&plain), &key), "our own message is not recognised");
    panic_if(key.seq != (uint64_t)message.seq || !id_eq(&key.chat, &message.chat_id) ||
                 !id_eq(&key.sender, &message.sender_id),
             "the head was read wrongly");
    panic_if(plain.ptr[CHAT_SEQ_AT - 1] != ':', "the number stands elsewhere");
    struct event event = {.type = &chat_reaction_changed_event, .data = buf_view(&reaction)};
    panic_if(!chat_key_of(&event, &from_reaction) ||
                 !slice_eq(from_reaction.json, buf_view(&plain)),
             "the message inside the reaction was not found");
    buf_done(&plain);
    buf_done(&reaction);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct message_key key;
    const struct id sender = {{3}};
    (void)chat_scan_message(text, &key);
    (void)chat_is_from(text, &sender, SLICE("x"));
    bool emoji = chat_emoji_valid(text);
    panic_if(emoji && !utf8_valid(text), "an emoji that is no text");
    if (size < 65536)
        check_own(text);
    return 0;
}
