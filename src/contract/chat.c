/* The fields of what the chat room tells everybody, and the events that carry them. */
#include "contract/chat.h"

const char *const chat_kind_names[] = {"direct", "group", "channel", NULL};
const char *const chat_role_names[] = {"owner", "admin", "member", NULL};
static const char *const invite_names[] = {"admins", "members", NULL};

/* --- messages and chats ---------------------------------------------------------------------- */
static const struct schema_field reaction_fields[] = {
    {"emoji", "One emoji.", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_reaction, emoji),
     .min = 1, .max = CHAT_EMOJI_BYTES_MAX, .example = "\"\\ud83d\\udc4d\""},
    {"count", "How many people chose it.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_reaction, count)},
    {"user_ids", "Who chose it: the first 25.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_reaction, user_ids), .element = SCHEMA_ID},
};
SCHEMA_DEF(chat_reaction_schema, struct chat_reaction, "Reaction", "One emoji under a message.",
           reaction_fields);

/* key_of (chat_events.c) reads the first five fields at their places: keep their order. */
static const struct schema_field message_fields[] = {
    {"id", "Its time is when the message was sent.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_message, id)},
    {"chat_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_message, chat_id)},
    {"seq", "Place in the chat: 1, 2, 3, ... without gaps.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_message, seq)},
    {"sender_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_message, sender_id)},
    {"client_id", "As the sender gave it; unique per sender and chat.", SCHEMA_STRING,
     SCHEMA_REQUIRED, SCHEMA_AT(struct chat_message, client_id)},
    {"text", "Empty when the message has been deleted.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_message, text)},
    {"reply_to", "Seq of the message that this one answers.", SCHEMA_INT, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_message, reply_to), .min = 1, .max = UINT32_MAX},
    {"thread_id", "Seq of the message that began the thread.", SCHEMA_INT, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_message, thread_id), .min = 1, .max = UINT32_MAX},
    {"attachments", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_message, attachments),
     .element = SCHEMA_RAW},
    {"reactions", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_message, reactions),
     .max = CHAT_REACTIONS_MAX, .of = &chat_reaction_schema},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_message, created_at)},
    {"edited_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct chat_message, edited_at)},
    {"deleted_at", "Set on a tombstone: text and reactions are gone, the place stays.", SCHEMA_TIME,
     SCHEMA_NULLABLE, SCHEMA_AT(struct chat_message, deleted_at)},
};
SCHEMA_DEF(chat_message_schema, struct chat_message, "Message",
           "A message, the same for every member of the chat.", message_fields);

static const struct schema_field settings_fields[] = {
    {"invite", "Who may add members: owner and admins, or every member.", SCHEMA_ENUM,
     SCHEMA_REQUIRED, SCHEMA_AT(struct chat_settings, invite), .names = invite_names},
};
SCHEMA_DEF(chat_settings_schema, struct chat_settings, "ChatSettings", "How a chat behaves.",
           settings_fields);

#define CHAT_ID_FIELD(type)                                                                        \
    {                                                                                              \
        "chat_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(type, chat_id)                      \
    }
#define SEQ_FIELD(type)                                                                            \
    {                                                                                              \
        "seq", "Number of the message in its chat.", SCHEMA_INT, SCHEMA_REQUIRED,                  \
            SCHEMA_AT(type, seq), .min = 1, .max = UINT32_MAX                                      \
    }

/* --- events ---------------------------------------------------------------------------------- */
static const struct schema_field event_member_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event_member, user_id)},
    {"role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event_member, role),
     .names = chat_role_names},
};
static SCHEMA_DEF(event_member_schema, struct chat_event_member, "ChatEventMember",
                  "A member of a chat.", event_member_fields);
static const struct schema_field event_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event, id)},
    {"chat_id", "The same as id.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_event, chat_id)},
    {"kind", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event, kind),
     .names = chat_kind_names},
    {"title", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct chat_event, title)},
    {"member_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event, member_count)},
    {"members", "The first hundred.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_event, members), .of = &event_member_schema},
    {"settings", NULL, SCHEMA_OBJECT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event, settings),
     .of = &chat_settings_schema},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_event, created_at)},
    {"deleted_at", "Set: the chat is gone for everybody.", SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_event, deleted_at)},
};
SCHEMA_DEF(
    chat_event_schema, struct chat_event, "ChatEvent",
    "What is the same for every member. The viewer's own fields of Chat (my_role, read_seq, "
    "unread_count, archived, muted_until, last_message) are not in it: one event serves all.",
    event_fields);
static const struct schema_field member_changed_fields[] = {
    CHAT_ID_FIELD(struct chat_member_changed),
    {"user_id", "Who came, left or has another role.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_member_changed, user_id)},
    {"role", "null: no member any more.", SCHEMA_ENUM, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_member_changed, role), .names = chat_role_names},
    {"joined_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_member_changed, joined_at)},
    {"member_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_member_changed, member_count)},
    {"by_user_id", "Who did it.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_member_changed, by_user_id)},
};
SCHEMA_DEF(chat_member_changed_schema, struct chat_member_changed, "MemberChanged",
           "Somebody came, left, or has another role.", member_changed_fields);
/* key_of (chat_events.c) looks for the message at the end: keep it last. */
static const struct schema_field reaction_changed_fields[] = {
    CHAT_ID_FIELD(struct chat_reaction_changed),
    SEQ_FIELD(struct chat_reaction_changed),
    {"user_id", "Who reacted.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_reaction_changed, user_id)},
    {"emoji", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_reaction_changed, emoji)},
    {"added", "false: taken back.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_reaction_changed, added)},
    {"reactions", "All of the message, as they are now.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_reaction_changed, reactions), .of = &chat_reaction_schema},
    {"message", "As it is now.", SCHEMA_OBJECT, SCHEMA_REQUIRED | SCHEMA_POINTER,
     SCHEMA_AT(struct chat_reaction_changed, message), .of = &chat_message_schema},
};
SCHEMA_DEF(chat_reaction_changed_schema, struct chat_reaction_changed, "ReactionChanged",
           "Somebody reacted to a message or took it back.", reaction_changed_fields);
static const struct schema_field read_changed_fields[] = {
    CHAT_ID_FIELD(struct chat_read_changed),
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_read_changed, user_id)},
    SEQ_FIELD(struct chat_read_changed),
};
SCHEMA_DEF(chat_read_changed_schema, struct chat_read_changed, "ReadChanged",
           "A member has read everything up to seq.", read_changed_fields);
static const struct schema_field typing_fields[] = {
    CHAT_ID_FIELD(struct chat_typing),
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_typing, user_id)},
};
SCHEMA_DEF(chat_typing_schema, struct chat_typing, "Typing", "A member is writing.", typing_fields);
/* --- types ----------------------------------------------------------------------------------- */
const struct event_type chat_message_sent_event = {"message.sent", true, &chat_message_schema,
                                                   "Somebody wrote a message."};
const struct event_type chat_message_updated_event = {"message.updated", true, &chat_message_schema,
                                                      "A message has been edited."};
const struct event_type chat_message_deleted_event = {
    "message.deleted", true, &chat_message_schema,
    "A message has been deleted: its tombstone, with the same seq."};
const struct event_type chat_reaction_changed_event = {
    "reaction.changed", true, &chat_reaction_changed_schema,
    "Somebody reacted to a message or took it back."};
const struct event_type chat_created_event = {"chat.created", true, &chat_event_schema,
                                              "You are a member of a new chat."};
const struct event_type chat_updated_event = {
    "chat.updated", true, &chat_event_schema,
    "Title or settings have changed, or (deleted_at) the chat is gone and has no members."};
const struct event_type chat_member_changed_event = {
    "member.changed", true, &chat_member_changed_schema,
    "Somebody came, left, or has another role; role null: is no member any more."};
const struct event_type chat_read_changed_event = {"read.changed", true, &chat_read_changed_schema,
                                                   "A member has read everything up to seq."};
const struct event_type chat_typing_event = {
    "typing", true, &chat_typing_schema, "A member is writing; not kept, sent every 3 s at most."};
