/* The chat room's resources as clients and other rooms see them, and the events it emits. */
#ifndef PARLEY_CONTRACT_CHAT_H
#define PARLEY_CONTRACT_CHAT_H

#include "base/schema.h"
#include "engine/event_log.h"

enum {
    CHAT_EMOJI_BYTES_MAX = 64,      /* two people who kiss, both with a skin tone, are 35 */
    CHAT_REACTIONS_MAX = 50,        /* distinct emoji under a message */
    CHAT_REACTION_USERS_SHOWN = 25, /* ids in the message; the count is exact */
    CHAT_EVENT_MEMBERS_SHOWN = 100,
};

enum chat_kind { CHAT_DIRECT, CHAT_GROUP, CHAT_CHANNEL };
enum chat_role { CHAT_OWNER, CHAT_ADMIN, CHAT_MEMBER, CHAT_NOBODY = -1 };
extern const char *const chat_kind_names[]; /* "direct" "group" "channel" NULL */
extern const char *const chat_role_names[]; /* "owner" "admin" "member" NULL */

/* One emoji under a message. */
struct chat_reaction {
    struct slice emoji;
    int64_t count;
    struct schema_list user_ids; /* struct id, the first CHAT_REACTION_USERS_SHOWN of them */
};
extern const struct schema chat_reaction_schema;

/* The same for every viewer, so that one JSON text serves the answer, the event and the history. */
struct chat_message {
    struct id id, chat_id;
    int64_t seq;
    struct id sender_id;
    struct slice client_id, text;
    int64_t reply_to, thread_id;    /* seq, 0: none */
    struct schema_list attachments; /* struct slice, JSON */
    struct schema_list reactions;   /* struct chat_reaction */
    int64_t created_at, edited_at, deleted_at;
};
extern const struct schema chat_message_schema;

enum chat_invite { CHAT_INVITE_ADMINS, CHAT_INVITE_MEMBERS };
struct chat_settings {
    int invite; /* who may add members */
};
extern const struct schema chat_settings_schema;

struct chat_event_member {
    struct id user_id;
    int role;
};

/* data of chat.created and chat.updated: what is the same for every viewer. */
struct chat_event {
    struct id id, chat_id; /* the same */
    int kind;
    struct slice title;
    int64_t member_count;
    struct schema_list members; /* struct chat_event_member, at most CHAT_EVENT_MEMBERS_SHOWN */
    struct chat_settings settings;
    int64_t created_at, deleted_at;
};
extern const struct schema chat_event_schema;

/* data of member.changed: somebody came, left, or has another role. */
struct chat_member_changed {
    struct id chat_id, user_id;
    int role;          /* CHAT_NOBODY: no member any more */
    int64_t joined_at; /* 0: no member any more */
    int64_t member_count;
    struct id by_user_id;
};
extern const struct schema chat_member_changed_schema;

/* data of reaction.changed. */
struct chat_reaction_changed {
    struct id chat_id;
    int64_t seq;
    struct id user_id;
    struct slice emoji;
    bool added;
    struct schema_list reactions;       /* struct chat_reaction: all of the message now */
    const struct chat_message *message; /* as it is now */
};
extern const struct schema chat_reaction_changed_schema;

struct chat_read_changed {
    struct id chat_id, user_id;
    int64_t seq;
};
extern const struct schema chat_read_changed_schema;

struct chat_typing {
    struct id chat_id, user_id;
};
extern const struct schema chat_typing_schema;

/* Stream: the chat, unless said otherwise. Data of the message events is the whole message. */
extern const struct event_type chat_message_sent_event;    /* "message.sent" */
extern const struct event_type chat_message_updated_event; /* "message.updated" */
extern const struct event_type chat_message_deleted_event; /* "message.deleted" */
extern const struct event_type chat_reaction_changed_event;
extern const struct event_type chat_created_event; /* links: everybody follows */
/* deleted_at set: the chat is gone. Then it is there for everybody who was a member on their own
 * stream too: they no longer get the one on the chat's stream, which has the links. */
extern const struct event_type chat_updated_event;
/* Links say who follows or no longer follows. When somebody goes there are two: one on the chat's
 * stream with the link, which the removed person no longer gets, and one on that person's own. */
extern const struct event_type chat_member_changed_event;
extern const struct event_type chat_read_changed_event;
extern const struct event_type chat_typing_event; /* "typing", ephemeral */

#endif
