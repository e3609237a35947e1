/* The chats that are in use, in memory: who is a member, up to where the sequence has come.
 *
 * A chat is an entry with a view: an immutable copy of its row and members, replaced as a whole
 * when one of them changes. Two sides:
 *   the writer (inside db_write, on the database's writer thread) sees what earlier transactions of
 *   the same commit have done: entry->view and entry->last_seq;
 *   readers (any thread) see what is committed, by chat_memory_look.
 * What a transaction does is published by its db_hook after COMMIT. If the commit fails, the entry
 * is stale and loaded again from the tables at its next use. Rule for every writing function: touch
 * the entry last, after everything that can fail, so that nothing has to be taken back by hand.
 *
 * Read marks, archived and muted are atomics inside the view, written in place; a mark can be seen
 * a moment before its commit, which harms nobody (readers never show more than what is committed
 * of the sequence).
 */
#ifndef PARLEY_SERVICE_CHAT_CHAT_MEMORY_H
#define PARLEY_SERVICE_CHAT_CHAT_MEMORY_H

#include "base/list.h"
#include "base/map.h"
#include "contract/chat.h"
#include "engine/message_store.h"

struct chat_member {
    struct id user;
    int role;
    int64_t joined_at;
    uint64_t since_pos;
    _Atomic uint64_t read_seq;
    _Atomic int64_t muted_until;
    _Atomic bool archived;
};

struct chat_view {
    _Atomic unsigned refs;
    struct id id, created_by;
    int kind, invite;
    int64_t created_at;
    bool ended; /* deleted: there are no members */
    size_t title_len;
    char title[400]; /* CHAT_TITLE_BYTES_MAX */
    size_t member_count;
    struct chat_member members[]; /* by user id */
};
/* Copy with room for the members; title, kind and so on from `from`, no members, one reference. */
struct chat_view *chat_view_new(const struct chat_view *from, size_t members);
void chat_view_add(struct chat_view *view, const struct chat_member *member); /* in order of id */
/* Copy with all members but `without` (NULL: all) and room for `more`. */
struct chat_view *chat_view_copy(const struct chat_view *from, size_t more,
                                 const struct id *without);
void chat_view_unref(struct chat_view *view);
struct chat_member *chat_view_member(struct chat_view *view, const struct id *user); /* or NULL */
static inline struct slice chat_view_title(const struct chat_view *view)
{
    return view->title_len > 0 ? slice_of(view->title, view->title_len) : (struct slice){0};
}

struct chat_memory;
struct chat_entry {
    struct map_node node;
    struct id id;
    struct list lru;
    _Atomic bool used;
    struct chat_memory *memory;
    struct chat_view *view;      /* writer */
    struct chat_view *published; /* under the shard's lock; NULL: readers do not know it yet */
    uint64_t last_seq;           /* writer */
    _Atomic uint64_t published_seq;
    unsigned pending; /* transactions that have not ended */
    bool stale;
};

struct chat_memory *chat_memory_open(struct message_store *messages, size_t chats_max);
void chat_memory_close(struct chat_memory *memory);

/* Writer: the entry, loaded when it is not there. FAIL_NOT_FOUND "chat_not_found". */
int chat_memory_load(struct chat_memory *memory, struct db_tx *tx, const struct id *chat,
                     struct chat_entry **ret_entry, struct error *err) MUSTCHECK;
/* Writer, for a chat that this transaction creates; takes the view. */
struct chat_entry *chat_memory_create(struct chat_memory *memory, struct chat_view *view);

/* What a transaction leaves behind. The hook lives in the caller's memory, one per transaction. */
struct chat_hook {
    struct db_hook hook;
    struct chat_entry *entry;
    struct chat_view *view; /* NULL: unchanged */
    uint64_t seq;           /* 0: no new message */
};
/* Last things of a writing function; cannot fail. */
void chat_memory_sent(struct chat_entry *entry, struct db_tx *tx, struct chat_hook *hook,
                      struct chat_member *sender, uint64_t seq);
void chat_memory_changed(struct chat_entry *entry, struct db_tx *tx, struct chat_hook *hook,
                         struct chat_view *view); /* takes the view; NULL: only marks changed */

/* Any thread: the committed state; false when it is not in memory. */
struct chat_look {
    struct chat_view *view; /* a reference: give it back */
    uint64_t last_seq;
};
bool chat_memory_look(struct chat_memory *memory, const struct id *chat,
                      struct chat_look *ret_look);

struct chat_memory_stats {
    uint64_t hits, misses; /* of look and load */
    size_t chats, members;
};
void chat_memory_stats(struct chat_memory *memory, struct chat_memory_stats *ret_stats);

#endif
