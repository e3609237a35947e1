/* What the files of the chat room share; nobody outside includes this. */
#ifndef PARLEY_SERVICE_CHAT_CHAT_ROOM_H
#define PARLEY_SERVICE_CHAT_CHAT_ROOM_H

#include "base/metric.h"
#include "contract/social.h"
#include "contract/user.h"
#include "kit/limit.h"
#include "service/chat/chat.h"
#include "service/chat/chat_memory.h"
#include "service/chat/chat_store.h"

struct chat_fold;

struct chat_room {
    struct kit *kit;
    const struct clock *clock;
    struct event_log *log;
    struct db *db; /* the log's: messages and their events commit together */
    struct message_store *messages;
    struct chat_memory *memory;
    int64_t group_members_max;
    struct limit_rule send_limit; /* count 0: no limit */
    struct event_folder folder;   /* activity and own read marks (chat_fold.c) */
    struct chat_fold *fold;
    struct metric *sent;
    const struct social_calls *social;
};

/* --- opening (chat_room.c) -------------------------------------------------------------------- */
extern const struct config_key chat_config[];
int chat_start(struct kit *kit, void **ret_room, struct error *err) MUSTCHECK;

/* --- who may (chat_access.c) ----------------------------------------------------------------- */
int chat_not_found(struct error *err);
/* Writer: the chat and the asking member. */
struct chat_place_in {
    struct chat_entry *entry;
    struct chat_member *member;
};
int chat_enter(struct chat_call *call, struct db_tx *tx, const struct id *chat,
               struct chat_place_in *ret_in, struct error *err) MUSTCHECK;
/* Any thread: the committed state, brought into memory when it is not there. Give it back by
 * chat_view_unref(look->view). */
int chat_look_in(struct chat_call *call, const struct id *chat, struct chat_look *ret_look,
                 struct chat_member **ret_member) MUSTCHECK;
/* db_read that begins anew when memory has moved on in between ("snapshot_old"). */
int chat_read_db(struct chat_room *room, db_fn *fn, void *arg, struct error *err) MUSTCHECK;
/* One committed message: from memory, else from the database. */
int chat_find_message(struct chat_call *call, const struct chat_place *place, uint64_t last_seq,
                      struct slice *ret_json) MUSTCHECK;

/* --- events (chat_events.c) ------------------------------------------------------------------ */
extern const struct event_type *const chat_event_types[]; /* NULL-terminated */
/* Encodes and emits; *ret_json (may be NULL) in the call's arena. */
struct chat_emit {
    const struct event_type *type;
    const struct id *stream;
    const void *data; /* by type->data */
    const struct event_link *links;
    unsigned link_count;
};
int chat_emit(struct chat_call *call, struct db_tx *tx, const struct chat_emit *what,
              struct slice *ret_json, uint64_t *ret_pos, struct error *err) MUSTCHECK;
/* chat.created or chat.updated about the view. */
int chat_emit_chat(struct chat_call *call, struct db_tx *tx, const struct event_type *type,
                   const struct chat_view *view, const struct event_link *links,
                   unsigned link_count, uint64_t *ret_pos, struct error *err) MUSTCHECK;
/* The end of a chat: on its stream, which all who were members no longer follow by then, and on
 * each one's own, where also those find it who were away. */
int chat_emit_ended(struct chat_call *call, struct db_tx *tx, const struct chat_view *before,
                    const struct chat_view *ended, int64_t deleted_at, struct error *err) MUSTCHECK;
/* message_key_fn and message_is_from_fn of the message store. */
bool chat_key_of(const struct event *event, struct message_key *ret_key);
bool chat_is_from(struct slice json, const struct id *sender, struct slice client_id);
/* Reads the head of a message's JSON as we write it; key->client_id as it stands in the JSON. */
bool chat_scan_message(struct slice json, struct message_key *ret_key);
/* The client id as it stands in the JSON, of a message whose seq has one digit still. */
bool chat_scan_client_id(struct slice draft, struct slice *ret_raw);
/* Where the digits of "seq" stand in the JSON of any message. */
enum { CHAT_SEQ_AT = 100 };

/* --- chat profiles (chat_profile.c): the consumer chat.profiles ------------------------------- */
int chat_follow_people(void *room, struct db_tx *tx, const struct event *event, struct error *err);
/* At start, before events are handled: who came before there were chat profiles gets one. */
int chat_profile_everybody(struct chat_room *room, const struct user_calls *users,
                           struct error *err) MUSTCHECK;
int chat_give_up_profile(void *room, struct db_tx *tx, const struct event *event, struct slice why,
                         struct error *err);

/* --- people who have deleted their accounts (chat_leave.c): consumer and job ------------------ */
int chat_note_leaver(void *room, struct db_tx *tx, const struct event *event, struct error *err);
int chat_take_out_leavers(void *room, struct error *err);

/* --- the fold (chat_fold.c) ------------------------------------------------------------------ */
void chat_fold_init(struct chat_room *room);
void chat_fold_done(struct chat_room *room);

/* --- blocks between people (chat_block.c) ----------------------------------------------------- */
/* FAIL_FORBIDDEN "blocked" when either has blocked the other. From memory, any thread. */
int chat_may_talk(struct chat_room *room, const struct id *user, const struct id *other,
                  struct error *err) MUSTCHECK;
/* The same for the two of a direct chat; any other chat may be talked in. */
int chat_may_talk_in(struct chat_room *room, const struct chat_view *view, const struct id *user,
                     struct error *err) MUSTCHECK;
/* 422 on the field of the first who has blocked the asking person, or is blocked. May wait. */
int chat_check_blocks(struct chat_call *call, const char *field,
                      const struct schema_list *list) MUSTCHECK;

/* --- shared rules ---------------------------------------------------------------------------- */
/* FAIL_FORBIDDEN "channel_read_only" for a member who only reads. */
int chat_may_write_in(const struct chat_place_in *in, struct error *err) MUSTCHECK;
/* The chat as the member sees it (chat.c). tx: inside db_write; NULL: anywhere else. */
int chat_describe(struct chat_call *call, struct db_tx *tx, const struct chat_view *view,
                  const struct chat_member *member, uint64_t last_seq, struct chat *ret_chat,
                  struct error *err) MUSTCHECK;
/* The read mark and what is unread, as of chat->last_seq: somebody may have written and read more
 * since that was looked at (chat.c). */
void chat_describe_read(struct chat *chat, uint64_t read_seq);
/* The asking person's newest message among those in memory up to last_seq, 0: none (chat_list.c).
 */
uint64_t chat_own_seq(struct chat_call *call, const struct id *chat, uint64_t last_seq);
/* Writer: the chat is gone for all its members (chat_settings.c). */
int chat_end(struct chat_call *call, struct db_tx *tx, struct chat_entry *entry,
             struct chat_hook *hook, struct error *err) MUSTCHECK;
/* All of them exist; else 422 on the field of the first that does not (chat.c). */
int chat_check_users(struct chat_call *call, const char *field,
                     const struct schema_list *list) MUSTCHECK;

/* --- messages -------------------------------------------------------------------------------- */
int chat_decode_message(struct slice json, struct arena *arena, struct chat_message *ret_message,
                        struct error *err) MUSTCHECK;
/* One emoji, as UTS #51 says what that is. */
bool chat_emoji_valid(struct slice text);

#endif
