/* Messages ordered by chat, derived from the log.
 *
 * A message is a log row first: committing one appends to the log and touches nothing else. This
 * store follows as an event folder: blocks of up to MESSAGE_BLOCK messages per chat, keyed by
 * (chat, first seq), holding the messages' JSON exactly as clients get it. What is not folded yet
 * is served from memory. A later version of a message (edit, deletion, reaction) is a later log
 * row with the same chat and seq; the greatest position wins, which makes folding idempotent.
 *
 * Threads: put and find_client_id on the writer thread; reads on any (short shard locks).
 */
#ifndef PARLEY_ENGINE_MESSAGE_STORE_H
#define PARLEY_ENGINE_MESSAGE_STORE_H

#include "engine/event_log.h"

#define MESSAGE_BLOCK 64

struct message_store;

/* What the store must know of an event: false when it is none of a message. Called on the writer
 * thread for every event of a fold round and for the tail at start. */
struct message_key {
    struct id chat, sender;
    uint64_t seq;           /* 1 .. 2^32 - 1 */
    int64_t at_ms;          /* when the message was sent; 0 for later versions */
    struct slice client_id; /* absent for later versions */
    struct slice json;      /* the message as it is now */
    uint64_t client_hash;   /* of message_store_hash; 0: not made yet */
};
typedef bool message_key_fn(const struct event *event, struct message_key *ret_key);
/* Whether the message in this JSON came from this sender under this client id. */
typedef bool message_is_from_fn(struct slice json, const struct id *sender, struct slice client_id);

struct message_store_config {
    struct event_log *log;
    message_key_fn *key_of;
    message_is_from_fn *is_from;
    unsigned keep;    /* newest messages kept in memory per chat (0: 50) */
    size_t bytes_max; /* memory for messages that are in the tables already (0: 256 MiB) */
    unsigned run_ids; /* client ids kept together (0: 65,536; less only where a test wants the
                         state that many millions lead to) */
};
/* After event_log_open, before event_log_start. Adds itself to the log's folders. */
int message_store_open(const struct message_store_config *config, struct message_store **ret_store,
                       struct error *err) MUSTCHECK;
void message_store_close(struct message_store *store); /* after event_log_close */
extern const struct db_schema message_store_schema;

struct message_ref {
    uint64_t seq;
    uint64_t pos;
    struct slice json; /* arena */
};
/* Page of a chat inside db_read (or db_write): `after` > 0: seq > after ascending; else seq <
 * before (0: newest) descending; at most limit (<= 100). Ordered as asked. FAIL_UNAVAILABLE
 * "snapshot_old" when the reading transaction began so long ago that memory has moved on: begin
 * a new one. */
int message_store_page(struct message_store *store, struct db_tx *tx, const struct id *chat,
                       uint64_t before, uint64_t after, unsigned limit, struct arena *arena,
                       struct message_ref *ret_refs, unsigned *ret_count,
                       struct error *err) MUSTCHECK;
/* The page from memory alone, without a database snapshot: false when it does not hold all that
 * was asked for. last_seq is the newest of the chat as the caller knows it. Any thread. */
bool message_store_recent(struct message_store *store, const struct id *chat, uint64_t last_seq,
                          uint64_t before, uint64_t after, unsigned limit, struct arena *arena,
                          struct message_ref *ret_refs, unsigned *ret_count);
/* FAIL_NOT_FOUND "message_not_found"; otherwise as message_store_page. Inside db_write it also sees
 * what has been put before in the same commit. */
int message_store_get(struct message_store *store, struct db_tx *tx, const struct id *chat,
                      uint64_t seq, struct arena *arena, struct message_ref *ret_ref,
                      struct error *err) MUSTCHECK;
/* Makes key->client_hash, from chat, sender and client id. Any thread: what is done here need not
 * be done by the writer. */
void message_store_hash(const struct message_store *store, struct message_key *key);
/* Fetches from memory what find_client_id and put will look at. Writer thread. */
void message_store_ahead(const struct message_store *store, const struct message_key *key);
/* Seq of the message that key->sender sent to key->chat with this client id, 0 when there is none:
 * exact for all history. On the writer thread inside db_write. Costs no database read when the
 * filter in memory says that it is new. */
int message_store_find_client_id(struct message_store *store, struct db_tx *tx,
                                 const struct message_key *key, uint64_t *ret_seq,
                                 struct error *err) MUSTCHECK;
/* Writer thread, in the transaction that emits the event: makes it visible to
 * message_store_find_client_id at once, and to readers once the transaction has committed (the
 * store adds its own db_hook for that). Everything in key is copied. */
int message_store_put(struct message_store *store, struct db_tx *tx, const struct message_key *key,
                      uint64_t pos, struct error *err) MUSTCHECK;
/* Greatest seq of the chat known to blocks and memory (0: none): for rebuilding a chat's memory. */
int message_store_last_seq(struct message_store *store, struct db_tx *tx, const struct id *chat,
                           uint64_t *ret_seq, struct error *err) MUSTCHECK;
/* The newest message in memory; false when memory knows none, which means that all of the chat is
 * in the tables. Any thread. */
bool message_store_newest(struct message_store *store, const struct id *chat, uint64_t *ret_seq,
                          int64_t *ret_at_ms);
/* Calls fn for every committed message in memory, oldest first, under a lock: fn must be short.
 * Holds at least all that is not in the tables yet. Any thread. */
void message_store_each_recent(struct message_store *store, const struct id *chat,
                               void (*fn)(void *arg, const struct id *sender, uint64_t seq),
                               void *arg);

/* For a folder that goes through a round's events too: what the event at this position says of its
 * message, without a look at its JSON, which left the caches long ago. From one call to the next
 * the positions grow, over all rounds; a round that is repeated begins with a cursor of zeros.
 * False when the store does not hold it (any more). Writer thread. */
struct message_cursor {
    uint64_t next;
};
struct message_head {
    struct id chat, sender;
    uint64_t seq;
    int64_t at_ms; /* when the message was sent */
    bool fresh;    /* no later version */
};
bool message_store_head(const struct message_store *store, struct message_cursor *cursor,
                        uint64_t pos, struct message_head *ret_head);

struct message_store_stats {
    uint64_t hits, misses; /* of message_store_recent */
    uint64_t filter_checks, filter_passes;
    size_t bytes, unfolded;
};
void message_store_stats(struct message_store *store, struct message_store_stats *ret_stats);

#endif
