/* Chats: who is in them, what is said in them, who has read it.
 *
 * The door sign of the room: its rules, callable from routes, socket ops, jobs and tests alike. A
 * rule takes a chat_call (who asks, where memory comes from, where errors go) and an input struct
 * as chat_schema.c decodes it. All may wait. What they return lives in the call's arena. Whoever is
 * no member of a chat gets FAIL_NOT_FOUND "chat_not_found" from all of them, as if it did not
 * exist. Words, invariants and tables: README.md beside this file.
 */
#ifndef PARLEY_SERVICE_CHAT_CHAT_H
#define PARLEY_SERVICE_CHAT_CHAT_H

#include "contract/chat.h"
#include "kit/module.h"
#include "kit/paging.h"

enum {
    CHAT_TEXT_BYTES_MAX = 16384,
    CHAT_CLIENT_ID_MAX = 64, /* characters */
    CHAT_TITLE_BYTES_MAX = 400,
    CHAT_ADD_MAX = 1000, /* members in one call */
    CHAT_EDITS_MAX = 100,
    CHAT_PER_USER_MAX = 10000, /* chats that a list shows, the newest of them */
};

struct chat_room;
extern const struct module chat_module;

struct chat_room_config {
    struct kit *kit;
    unsigned memory_chats, recent_messages;
    size_t message_memory_bytes;
    int64_t group_members_max;
    int64_t messages_per_minute; /* 0: no limit */
};
int chat_room_open(const struct chat_room_config *config, struct chat_room **ret_room,
                   struct error *err) MUSTCHECK;
void chat_room_close(struct chat_room *room); /* after the log has been closed */

struct chat_call {
    struct chat_room *room;
    struct id user;
    struct arena *arena;
    struct slice correlation_id; /* may be absent */
    struct buf *headers;         /* of the answer: RateLimit; may be NULL */
    /* If-Match: negative when the resource in this JSON is not the one that the caller has seen.
     * NULL: not asked for. Called on any thread while the caller waits. */
    int (*unchanged)(struct chat_call *call, struct slice current_json);
    void *unchanged_arg;
    struct error *err;
};

/* --- chats (chat.c) -------------------------------------------------------------------------- */
/* As the asking member sees it. */
struct chat {
    struct id id;
    int kind; /* enum chat_kind */
    struct slice title;
    struct id peer_id; /* direct chats */
    int my_role;
    int64_t member_count, last_seq;
    const struct chat_message *last_message;
    int64_t read_seq, unread_count;
    struct chat_settings settings;
    bool archived;
    int64_t muted_until, created_at;
};
struct chat_create {
    int kind;
    struct schema_list member_ids; /* struct id */
    struct slice title;
};
/* A direct chat that exists already is returned as it is. */
int chat_create(struct chat_call *call, const struct chat_create *what,
                struct chat *ret_chat) MUSTCHECK;
int chat_get(struct chat_call *call, const struct id *chat, struct chat *ret_chat) MUSTCHECK;
enum chat_patch_field {
    CHAT_PATCH_TITLE,
    CHAT_PATCH_SETTINGS,
    CHAT_PATCH_ARCHIVED,
    CHAT_PATCH_MUTED
};
struct chat_patch {
    uint64_t present; /* bits of enum chat_patch_field */
    struct slice title;
    struct chat_settings settings;
    bool archived;
    int64_t muted_until;
};
int chat_patch(struct chat_call *call, const struct id *chat, const struct chat_patch *what,
               struct chat *ret_chat) MUSTCHECK;
int chat_delete(struct chat_call *call, const struct id *chat) MUSTCHECK;
/* Newest activity first. *ret_more: there is a next page after the last item, whose cursor is
 * *ret_next. */
struct chat_list {
    struct chat *items;
    size_t count;
    bool more;
    struct cursor next;
};
int chat_list(struct chat_call *call, const struct page_query *query,
              struct chat_list *ret_list) MUSTCHECK;
/* See export_person of kit/module.h. */
int chat_export_person(void *room, struct db_tx *tx, const struct id *user, export_fn *fn,
                       void *arg, struct error *err);
/* Streams for realtime: see struct module. */
int chat_streams(void *room, struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                 struct error *err);

/* --- messages (chat_message.c, chat_change.c) ------------------------------------------------ */
struct chat_send {
    struct id chat_id;
    struct slice text, client_id;
    int64_t reply_to; /* seq, 0: none */
};
/* *ret_json: the message, the same bytes as in the event. A repeat gives the message that is there;
 * with another text FAIL_CONFLICT "client_id_reused". */
int chat_send(struct chat_call *call, const struct chat_send *what,
              struct slice *ret_json) MUSTCHECK;
/* The same for many at a time: returns 0 when the message is on its way (until then it may wait),
 * and `done` gets what chat_send would have returned, on this loop. The call and *what stay until
 * then. */
typedef void chat_sent_fn(void *arg, int rc, struct slice json);
int chat_send_later(struct chat_call *call, const struct chat_send *what, chat_sent_fn *done,
                    void *arg) MUSTCHECK;
struct chat_place {
    struct id chat_id;
    int64_t seq;
};
struct chat_edit {
    struct id chat_id;
    int64_t seq;
    struct slice text;
};
struct chat_react {
    struct id chat_id;
    int64_t seq;
    struct slice emoji;
    bool remove;
};
int chat_edit(struct chat_call *call, const struct chat_edit *what,
              struct slice *ret_json) MUSTCHECK;
int chat_delete_message(struct chat_call *call, const struct chat_place *what,
                        struct slice *ret_json) MUSTCHECK;
int chat_react(struct chat_call *call, const struct chat_react *what,
               struct slice *ret_json) MUSTCHECK;
int chat_get_message(struct chat_call *call, const struct chat_place *what,
                     struct slice *ret_json) MUSTCHECK;

enum chat_history_field {
    CHAT_HISTORY_BEFORE,
    CHAT_HISTORY_AFTER,
    CHAT_HISTORY_LIMIT,
    CHAT_HISTORY_CURSOR
};
struct chat_history_query {
    uint64_t present;
    int64_t before, after, limit;
    struct slice cursor;
};
struct chat_history {
    const struct message_ref *items;
    unsigned count;
    bool more;
    struct cursor next;
};
int chat_history(struct chat_call *call, const struct id *chat,
                 const struct chat_history_query *query, struct chat_history *ret_page) MUSTCHECK;
struct chat_edit_version {
    int64_t version;
    struct slice text;
    int64_t replaced_at;
};
/* Oldest first; *ret_versions in the arena. */
int chat_message_edits(struct chat_call *call, const struct chat_place *what,
                       struct chat_edit_version **ret_versions, size_t *ret_count) MUSTCHECK;

/* --- reading and typing (chat_read.c) -------------------------------------------------------- */
int chat_read(struct chat_call *call, const struct chat_place *what) MUSTCHECK;
int chat_typing(struct chat_call *call, const struct id *chat) MUSTCHECK;

/* --- members (chat_member.c) ----------------------------------------------------------------- */
struct chat_member_item {
    struct id user_id;
    int role;
    int64_t read_seq, joined_at;
};
struct chat_member_list {
    struct schema_list items; /* struct chat_member_item */
    bool more;
    struct cursor next;
};
struct chat_add {
    struct schema_list user_ids; /* struct id */
};
struct chat_role_change {
    int role;
};
int chat_members(struct chat_call *call, const struct id *chat, const struct page_query *query,
                 struct chat_member_list *ret_list) MUSTCHECK;
int chat_add_members(struct chat_call *call, const struct id *chat, const struct chat_add *what,
                     struct chat_member_list *ret_added) MUSTCHECK;
int chat_set_role(struct chat_call *call, const struct id *chat, const struct id *member, int role,
                  struct chat_member_item *ret_member) MUSTCHECK;
/* Oneself: leaving. An owner who leaves hands over; with the last member the chat ends. */
int chat_remove_member(struct chat_call *call, const struct id *chat,
                       const struct id *member) MUSTCHECK;

/* --- paths ----------------------------------------------------------------------------------- */
struct chat_params {
    struct id chat_id, user_id;
    int64_t seq;
    struct slice emoji;
};

extern const struct schema chat_schema, chat_create_schema, chat_patch_schema, chat_send_schema,
    chat_send_op_schema, chat_edit_schema, chat_edit_op_schema, chat_place_op_schema,
    chat_react_op_schema, chat_edit_version_schema, chat_read_schema, chat_member_schema,
    chat_member_list_schema, chat_add_schema, chat_role_schema, chat_params_schema,
    chat_message_params_schema, chat_reaction_params_schema, chat_member_params_schema,
    chat_history_schema, chat_typing_op_schema;

#endif
