/* The room's SQL, one function a statement or two. Everything here runs inside db_write or db_read;
 * messages themselves are not here but in engine/message_store.h. */
#ifndef PARLEY_SERVICE_CHAT_CHAT_STORE_H
#define PARLEY_SERVICE_CHAT_CHAT_STORE_H

#include "service/chat/chat.h"
#include "service/chat/chat_memory.h"

/* --- chats and members ----------------------------------------------------------------------- */
/* The chat's row and members as a view; FAIL_NOT_FOUND "chat_not_found". */
int chat_store_load(struct db_tx *tx, const struct id *chat, struct chat_view **ret_view,
                    struct error *err) MUSTCHECK;
int chat_store_insert(struct db_tx *tx, const struct chat_view *view, struct error *err) MUSTCHECK;
/* Title, settings and number of members as the view says. */
int chat_store_update(struct db_tx *tx, const struct chat_view *view, struct error *err) MUSTCHECK;
/* Marks the chat as deleted and removes members, reactions, edits and the direct pair. */
int chat_store_end(struct db_tx *tx, const struct id *chat, int64_t now_ms,
                   struct error *err) MUSTCHECK;
/* Two people's direct chat: nil when there is none. The order of the two does not matter. */
int chat_store_find_direct(struct db_tx *tx, const struct id *one, const struct id *other,
                           struct id *ret_chat, struct error *err) MUSTCHECK;
int chat_store_insert_direct(struct db_tx *tx, const struct id *one, const struct id *other,
                             const struct id *chat, struct error *err) MUSTCHECK;
int chat_store_insert_member(struct db_tx *tx, const struct id *chat,
                             const struct chat_member *member, struct error *err) MUSTCHECK;
int chat_store_remove_member(struct db_tx *tx, const struct id *chat, const struct id *user,
                             struct error *err) MUSTCHECK;
int chat_store_set_role(struct db_tx *tx, const struct id *chat, const struct id *user, int role,
                        struct error *err) MUSTCHECK;
/* Marks never go back. */
int chat_store_set_read(struct db_tx *tx, const struct id *chat, const struct id *user,
                        uint64_t seq, struct error *err) MUSTCHECK;
int chat_store_set_own(struct db_tx *tx, const struct id *chat, const struct id *user,
                       bool archived, int64_t muted_until, struct error *err) MUSTCHECK;
/* As of the fold: newest message and its time. */
int chat_store_set_activity(struct db_tx *tx, const struct id *chat, uint64_t last_seq,
                            int64_t active_at, struct error *err) MUSTCHECK;
/* A user's chats with last_seq and active_at as of the fold, the CHAT_PER_USER_MAX newest of them;
 * strings in the arena. */
struct chat_row {
    struct chat chat; /* without unread_count and last_message */
    int64_t active_at;
};
int chat_store_list(struct db_tx *tx, const struct id *user, struct arena *arena,
                    struct chat_row **ret_rows, size_t *ret_count, struct error *err) MUSTCHECK;
int chat_store_streams(struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                       struct error *err) MUSTCHECK;

/* --- people (chat_store_people.c) ------------------------------------------------------------ */
/* Nothing happens when they have one. */
int chat_store_insert_profile(struct db_tx *tx, const struct id *user, int64_t now_ms,
                              struct error *err) MUSTCHECK;
int chat_store_remove_profile(struct db_tx *tx, const struct id *user, bool *ret_removed,
                              struct error *err) MUSTCHECK;
/* Whether people who came before there were profiles are still to be given one, and after whom. */
int chat_store_acquaintance(struct db_tx *tx, bool *ret_due, struct id *ret_after,
                            struct error *err) MUSTCHECK;
/* after: NULL when everybody has one. */
int chat_store_set_acquaintance(struct db_tx *tx, const struct id *after,
                                struct error *err) MUSTCHECK;
/* Notes that they are to be taken out of their chats, and forgets what they had set for themselves
 * in them. */
int chat_store_add_leaver(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
int chat_store_leaver(struct db_tx *tx, struct id *ret_user,
                      struct error *err) MUSTCHECK; /* one of them; nil: there is none */
/* Up to `max` groups and channels that they are still in. */
int chat_store_chats_to_leave(struct db_tx *tx, const struct id *user, struct id *ret_chats,
                              size_t max, size_t *ret_count, struct error *err) MUSTCHECK;
int chat_store_remove_leaver(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;
/* A membership as a person takes it along. */
struct chat_membership {
    struct id chat_id;
    int kind, role;
    struct slice title;
    int64_t joined_at, muted_until;
    bool archived;
};
/* The one after the chat `after` (an id's bytes; empty: the first); its title in the arena. */
int chat_store_next_membership(struct db_tx *tx, const struct id *user, struct slice after,
                               struct arena *arena, struct chat_membership *ret_membership,
                               bool *ret_found, struct error *err) MUSTCHECK;

/* --- beside messages ------------------------------------------------------------------------- */
int chat_store_add_edit(struct db_tx *tx, const struct chat_place *place, struct slice text,
                        int64_t now_ms, int64_t *ret_version, struct error *err) MUSTCHECK;
/* Oldest first, at most `limit`; texts in the arena. */
int chat_store_edits(struct db_tx *tx, const struct chat_place *place, unsigned limit,
                     struct arena *arena, struct chat_edit_version **ret_versions,
                     size_t *ret_count, struct error *err) MUSTCHECK;
int chat_store_drop_extras(struct db_tx *tx, const struct chat_place *place,
                           struct error *err) MUSTCHECK; /* edits and reactions of a message */
/* *ret_changed: false when it was so already. */
int chat_store_react(struct db_tx *tx, const struct chat_react *what, const struct id *user,
                     bool *ret_changed, struct error *err) MUSTCHECK;
/* Count of one emoji and the first users; ids in the arena. */
int chat_store_reaction(struct db_tx *tx, const struct chat_react *what, struct arena *arena,
                        struct chat_reaction *ret_reaction, struct error *err) MUSTCHECK;

#endif
