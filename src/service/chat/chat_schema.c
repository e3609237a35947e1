/* The fields of everything that goes over the wire: one table each decodes, validates, encodes and
 * documents. See base/schema.h.
 */
#include "service/chat/chat.h"

/* --- messages -------------------------------------------------------------------------------- */
#define TEXT_FIELD(type)                                                                           \
    {                                                                                              \
        "text", "At most 16 KiB, not blank.", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NO_BLANK,    \
            SCHEMA_AT(type, text), .min = 1, .max = CHAT_TEXT_BYTES_MAX                            \
    }
#define CLIENT_ID_FIELD                                                                            \
    {                                                                                              \
        "client_id",                                                                               \
            "1 to 64 characters, unique per sender and chat: a repeat gives the message "          \
            "that is there.",                                                                      \
            SCHEMA_STRING,                                                                         \
            SCHEMA_REQUIRED | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE | SCHEMA_CHARACTERS,               \
            SCHEMA_AT(struct chat_send, client_id), .min = 1, .max = CHAT_CLIENT_ID_MAX            \
    }
#define REPLY_FIELD                                                                                \
    {                                                                                              \
        "reply_to", "Seq of the message that is answered.", SCHEMA_INT, SCHEMA_NULLABLE,           \
            SCHEMA_AT(struct chat_send, reply_to), .min = 1, .max = UINT32_MAX                     \
    }
#define CHAT_ID_FIELD(type)                                                                        \
    {                                                                                              \
        "chat_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(type, chat_id)                      \
    }
#define SEQ_FIELD(type)                                                                            \
    {                                                                                              \
        "seq", "Number of the message in its chat.", SCHEMA_INT, SCHEMA_REQUIRED,                  \
            SCHEMA_AT(type, seq), .min = 1, .max = UINT32_MAX                                      \
    }

static const struct schema_field send_fields[] = {TEXT_FIELD(struct chat_send), CLIENT_ID_FIELD,
                                                  REPLY_FIELD};
SCHEMA_DEF(chat_send_schema, struct chat_send, "MessageSend", "A new message.", send_fields);
static const struct schema_field send_op_fields[] = {
    CHAT_ID_FIELD(struct chat_send), TEXT_FIELD(struct chat_send), CLIENT_ID_FIELD, REPLY_FIELD};
SCHEMA_DEF(chat_send_op_schema, struct chat_send, "ChatSend", "A new message.", send_op_fields);

static const struct schema_field edit_fields[] = {TEXT_FIELD(struct chat_edit)};
SCHEMA_DEF(chat_edit_schema, struct chat_edit, "MessageEdit", "The new text.", edit_fields);
static const struct schema_field edit_op_fields[] = {
    CHAT_ID_FIELD(struct chat_edit), SEQ_FIELD(struct chat_edit), TEXT_FIELD(struct chat_edit)};
SCHEMA_DEF(chat_edit_op_schema, struct chat_edit, "ChatEdit", "A message's new text.",
           edit_op_fields);

static const struct schema_field place_op_fields[] = {CHAT_ID_FIELD(struct chat_place),
                                                      SEQ_FIELD(struct chat_place)};
SCHEMA_DEF(chat_place_op_schema, struct chat_place, "ChatPlace", "A message.", place_op_fields);

static const struct schema_field react_op_fields[] = {
    CHAT_ID_FIELD(struct chat_react),
    SEQ_FIELD(struct chat_react),
    {"emoji", "One emoji.", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_react, emoji),
     .min = 1, .max = CHAT_EMOJI_BYTES_MAX},
    {"remove", "Takes the reaction back.", SCHEMA_BOOL, 0, SCHEMA_AT(struct chat_react, remove)},
};
SCHEMA_DEF(chat_react_op_schema, struct chat_react, "ChatReact", "A reaction to a message.",
           react_op_fields);

static const struct schema_field edit_version_fields[] = {
    {"version", "1 is what was sent.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_edit_version, version)},
    {"text", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_edit_version, text)},
    {"replaced_at", "When the next version took its place.", SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_edit_version, replaced_at)},
};
SCHEMA_DEF(chat_edit_version_schema, struct chat_edit_version, "MessageVersion",
           "What a message said before.", edit_version_fields);

/* --- chats ----------------------------------------------------------------------------------- */
static const struct schema_field chat_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, id)},
    {"kind", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, kind),
     .names = chat_kind_names},
    {"title", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct chat, title)},
    {"peer_id", "The other person; only in direct chats.", SCHEMA_ID, SCHEMA_OMIT,
     SCHEMA_AT(struct chat, peer_id)},
    {"my_role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, my_role),
     .names = chat_role_names},
    {"member_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, member_count)},
    {"last_seq", "Seq of the newest message, 0 without messages.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat, last_seq)},
    {"last_message", NULL, SCHEMA_OBJECT, SCHEMA_NULLABLE | SCHEMA_POINTER,
     SCHEMA_AT(struct chat, last_message), .of = &chat_message_schema},
    {"read_seq", "Everything up to here has been read by me.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat, read_seq)},
    {"unread_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, unread_count)},
    {"settings", NULL, SCHEMA_OBJECT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, settings),
     .of = &chat_settings_schema},
    {"archived", "By me.", SCHEMA_BOOL, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, archived)},
    {"muted_until", "By me.", SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct chat, muted_until)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct chat, created_at)},
};
SCHEMA_DEF(chat_schema, struct chat, "Chat", "A chat as the asking member sees it.", chat_fields);

#define TITLE_FIELD(type)                                                                          \
    {                                                                                              \
        "title", "One line, not for direct chats.", SCHEMA_STRING,                                 \
            SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE, SCHEMA_AT(type, title),           \
            .min = 1, .max = CHAT_TITLE_BYTES_MAX                                                  \
    }

static const struct schema_field create_fields[] = {
    {"kind", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_create, kind),
     .names = chat_kind_names},
    {"member_ids", "The others; exactly one for a direct chat.", SCHEMA_LIST, 0,
     SCHEMA_AT(struct chat_create, member_ids), .max = CHAT_ADD_MAX, .element = SCHEMA_ID},
    TITLE_FIELD(struct chat_create),
};
SCHEMA_DEF(chat_create_schema, struct chat_create, "ChatCreate", "A new chat.", create_fields);

/* The order is enum chat_patch_field's. */
static const struct schema_field patch_fields[] = {
    TITLE_FIELD(struct chat_patch),
    {"settings", NULL, SCHEMA_OBJECT, 0, SCHEMA_AT(struct chat_patch, settings),
     .of = &chat_settings_schema},
    {"archived", "For me alone.", SCHEMA_BOOL, 0, SCHEMA_AT(struct chat_patch, archived)},
    {"muted_until", "For me alone; null ends it.", SCHEMA_TIME, SCHEMA_NULLABLE,
     SCHEMA_AT(struct chat_patch, muted_until)},
};
SCHEMA_DEF_PATCH(chat_patch_schema, struct chat_patch, "ChatPatch",
                 "What is to change; the rest stays.", patch_fields);

static const struct schema_field read_fields[] = {SEQ_FIELD(struct chat_place)};
SCHEMA_DEF(chat_read_schema, struct chat_place, "ChatRead", "Everything up to seq has been read.",
           read_fields);

/* --- members --------------------------------------------------------------------------------- */
static const struct schema_field member_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_member_item, user_id)},
    {"role", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_member_item, role),
     .names = chat_role_names},
    {"read_seq", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_member_item, read_seq)},
    {"joined_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_member_item, joined_at)},
};
SCHEMA_DEF(chat_member_schema, struct chat_member_item, "ChatMember", "A member of a chat.",
           member_fields);
static const struct schema_field member_list_fields[] = {
    {"items", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_member_list, items),
     .of = &chat_member_schema},
};
SCHEMA_DEF(chat_member_list_schema, struct chat_member_list, "ChatMembersAdded",
           "The members that were added; those who were there already are left out.",
           member_list_fields);
static const struct schema_field add_fields[] = {
    {"user_ids", NULL, SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_add, user_ids), .min = 1,
     .max = CHAT_ADD_MAX, .element = SCHEMA_ID},
};
SCHEMA_DEF(chat_add_schema, struct chat_add, "ChatMembersAdd", "Who is to come in.", add_fields);
static const struct schema_field role_fields[] = {
    {"role", "owner hands the chat over: the owner becomes an admin.", SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_role_change, role), .names = chat_role_names},
};
SCHEMA_DEF(chat_role_schema, struct chat_role_change, "ChatRoleChange", "A member's new role.",
           role_fields);

/* --- paths and queries ----------------------------------------------------------------------- */
static const struct schema_field chat_param_fields[] = {
    {"id", "The chat.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_params, chat_id)},
};
SCHEMA_DEF(chat_params_schema, struct chat_params, "ChatPath", NULL, chat_param_fields);
static const struct schema_field message_param_fields[] = {
    {"id", "The chat.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_params, chat_id)},
    SEQ_FIELD(struct chat_params),
};
SCHEMA_DEF(chat_message_params_schema, struct chat_params, "MessagePath", NULL,
           message_param_fields);
static const struct schema_field reaction_param_fields[] = {
    {"id", "The chat.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_params, chat_id)},
    SEQ_FIELD(struct chat_params),
    {"emoji", "One emoji, percent-encoded.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct chat_params, emoji), .min = 1, .max = CHAT_EMOJI_BYTES_MAX},
};
SCHEMA_DEF(chat_reaction_params_schema, struct chat_params, "ReactionPath", NULL,
           reaction_param_fields);
static const struct schema_field member_param_fields[] = {
    {"id", "The chat.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_params, chat_id)},
    {"user_id", "The member.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct chat_params, user_id)},
};
SCHEMA_DEF(chat_member_params_schema, struct chat_params, "ChatMemberPath", NULL,
           member_param_fields);
/* The order is enum chat_history_field's. */
static const struct schema_field history_fields[] = {
    {"before", "Newest first, older than this seq.", SCHEMA_INT, 0,
     SCHEMA_AT(struct chat_history_query, before), .min = 1, .max = UINT32_MAX},
    {"after", "Oldest first, newer than this seq.", SCHEMA_INT, 0,
     SCHEMA_AT(struct chat_history_query, after), .min = 0, .max = UINT32_MAX},
    {"limit", "Messages in a page.", SCHEMA_INT, 0, SCHEMA_AT(struct chat_history_query, limit),
     .min = 1, .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before, instead of before or after.", SCHEMA_STRING, 0,
     SCHEMA_AT(struct chat_history_query, cursor), .min = 1, .max = 200},
};
SCHEMA_DEF_PATCH(chat_history_schema, struct chat_history_query, "HistoryQuery", NULL,
                 history_fields);

/* --- typing ---------------------------------------------------------------------------------- */
static const struct schema_field typing_op_fields[] = {CHAT_ID_FIELD(struct chat_typing)};
SCHEMA_DEF(chat_typing_op_schema, struct chat_typing, "ChatTyping", "I am writing.",
           typing_op_fields);
