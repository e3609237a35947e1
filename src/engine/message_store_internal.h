/* What the files of the message store share; nobody else includes this.
 *
 * Memory: a map of chats in shards; each chat has a window, a ring of its newest messages without
 * gaps, and a short list of later versions of messages older than the window. A version stays in
 * memory (pinned) until it has been in the tables for one whole fold round, so that a reader whose
 * snapshot is a little older than the fold still finds it there.
 * Tables: message_chat (number of a chat), message_block, message_key (client ids), message_filter,
 * message_state: see message_store_schema.c.
 *
 * Only the writer thread changes the maps, the windows and the pins, always under the shard's lock
 * when readers can see the change; it may therefore look without the lock. Readers hold it while
 * they copy.
 */
#ifndef PARLEY_ENGINE_MESSAGE_STORE_INTERNAL_H
#define PARLEY_ENGINE_MESSAGE_STORE_INTERNAL_H

#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "engine/message_store.h"

enum {
    MESSAGE_SHARDS = 64,
    MESSAGE_BLOCK_BITS = 26,        /* of a row's key: block number inside the chat */
    MESSAGE_KEY_RUN = 65536,        /* client ids per run of buckets */
    MESSAGE_KEY_BUCKETS = 512,      /* rows per run */
    MESSAGE_KEY_BYTES = 16,         /* hash 8, chat number 4, seq 4 */
    MESSAGE_FILTER_RUNS = 16,       /* runs per filter generation */
    MESSAGE_FILTER_BYTES = 2 << 20, /* 16 bits per client id */
    MESSAGE_WIDE_RUNS = 128,        /* runs per wide filter */
    MESSAGE_PAGE_MAX = 100,
};

/* One version of one message in memory. */
struct message_version {
    struct db_hook hook;
    struct message_store *store;
    struct message_chat *chat;
    struct map_node key_node;         /* in store->keys while keyed */
    uint64_t number;                  /* in store->pinned while pinned */
    struct message_version *old_next; /* in chat->old, before that in chat->staged_first */
    struct id sender;
    uint64_t seq, pos;
    int64_t at_ms;
    struct slice json;
    struct event_memory *memory; /* the log's, which holds the JSON; NULL: allocated for it */
    bool keyed, pinned;
    bool fresh; /* the first version of its message */
    bool shown; /* a slot of the window or chat->old points to it */
};

struct message_chat {
    struct map_node node;
    struct id id;
    struct list lru;
    uint64_t first, next;           /* the window holds first <= seq < next */
    struct message_version **slots; /* seq & mask */
    size_t mask;
    struct message_version *old; /* versions of messages before the window */
    /* Put in transactions that are not committed yet, by position; writer only. */
    struct message_version *staged_first, **staged_end;
    uint64_t number; /* row of message_chat; 0: not looked up yet. Writer only */
    unsigned pins;   /* pinned versions and fold rounds that need this chat */
    struct message_fold_item *fold_first, **fold_end; /* this round's events; writer only */
};

struct message_shard {
    pthread_mutex_t lock;
    struct map chats;
    struct list lru; /* most recently used first */
    size_t bytes;
    uint64_t dropped_pos; /* greatest position of a version that has left memory */
} __attribute__((aligned(64)));

struct message_filter {
    uint8_t **generations; /* MESSAGE_FILTER_BYTES each, NULL: merged; the last one still grows */
    unsigned count;
    uint8_t **wides; /* complete ones, and perhaps one under way */
    unsigned wide_count, wides_made;
    unsigned parts, step; /* of the one under way: complete parts; generations in the next part */
    unsigned appends;     /* since the start: every fourth does a step */
    bool stale;           /* a slice was undone: rows of parts may be missing */
};

/* The pinned versions by position, in a ring: an array tells where the ones after the next lie. */
struct message_pins {
    struct message_version **slots; /* number & mask; NULL: undone */
    size_t mask;
    uint64_t first, end; /* numbers in use, never given twice */
};

/* Row of message_state. */
struct message_state {
    uint64_t folded; /* everything up to this position is in the tables */
    uint64_t next_chat;
    uint64_t run; /* current run of client ids, from 0 */
    uint64_t run_count;
};

struct message_store {
    struct event_log *log;
    struct db *db;
    message_key_fn *key_of;
    message_is_from_fn *is_from;
    unsigned keep;
    size_t shard_bytes_max;
    struct event_folder folder;
    struct message_shard shards[MESSAGE_SHARDS];
    /* writer only from here on */
    struct map keys;              /* client ids of pinned versions */
    struct message_version *idle; /* for the next ones, through old_next */
    unsigned idle_count;
    struct message_pins pinned;
    _Atomic size_t pinned_count;
    uint64_t release_pos; /* versions up to here need no longer be pinned */
    uint64_t folded_pos;  /* told by the log */
    uint64_t round_first; /* of the fold's round: its versions stay; UINT64_MAX: there is none */
    uint8_t hash_key[16];
    struct message_filter filter;
    struct message_state state;
    unsigned run_ids;
    bool state_stale; /* a fold slice was undone */
    struct message_fold *fold;
    _Atomic uint64_t hits, misses, filter_checks, filter_passes;
};

/* --- memory (message_store_memory.c) --------------------------------------------------------- */
struct message_shard *message_shard_of(struct message_store *store, const struct id *chat);
/* Under the shard's lock, or on the writer thread. */
struct message_chat *message_chat_find(struct message_shard *shard, const struct id *chat);
struct message_chat *message_chat_make(struct message_store *store, const struct id *chat);
struct message_version *message_version_new(struct message_store *store,
                                            const struct message_key *key, uint64_t pos);
/* Pins it and makes its client id known. */
void message_version_pin(struct message_version *version, const struct message_key *key);
/* Until the transaction ends: the writer sees it, readers do not. */
void message_version_stage(struct message_version *version);
void message_version_unstage(struct message_version *version);
void message_version_show(struct message_version *version); /* committed: readers see it */
void message_version_drop(struct message_version *version); /* undone: forgets it */
/* Unpins up to `count` versions that have been folded. */
void message_release(struct message_store *store, unsigned count);
/* NULL: undone, or not pinned (any more). */
static inline struct message_version *message_pinned(const struct message_store *store,
                                                     uint64_t number)
{
    const struct message_pins *pins = &store->pinned;
    return number - pins->first < pins->end - pins->first ? pins->slots[number & pins->mask] : NULL;
}
void message_memory_init(struct message_store *store);
void message_memory_done(struct message_store *store);
void message_chat_touch(struct message_shard *shard, struct message_chat *chat);

/* --- block rows (message_store_block.c) ------------------------------------------------------ */
struct message_entry {
    uint64_t pos; /* 0: absent */
    struct slice json;
};
static inline uint64_t message_block_of(uint64_t seq)
{
    return (seq - 1) / MESSAGE_BLOCK;
}
static inline int64_t message_block_key(uint64_t number, uint64_t block)
{
    return (int64_t)(number << MESSAGE_BLOCK_BITS | block);
}
/* Compressed when that saves a quarter; for good, and better, when it is full. */
void message_block_encode(const struct message_entry entries[MESSAGE_BLOCK], unsigned count,
                          struct buf *out);
/* Slices point into data, or into scratch when the block was compressed. */
int message_block_decode(struct slice data, struct buf *scratch,
                         struct message_entry ret_entries[MESSAGE_BLOCK], unsigned *ret_count,
                         struct error *err) MUSTCHECK;
/* 0 when the chat has no number yet. */
int message_chat_number(struct db_tx *tx, const struct id *chat, uint64_t *ret_number,
                        struct error *err) MUSTCHECK;

/* --- client ids (message_store_keys.c) ------------------------------------------------------- */
struct message_key_item {
    uint64_t hash;
    uint32_t number, seq;
};
static inline struct message_key_item message_key_item_at(const char *at)
{
    struct message_key_item item;
    memcpy(&item, at, MESSAGE_KEY_BYTES);
    return item;
}
_Static_assert(sizeof(struct message_key_item) == MESSAGE_KEY_BYTES, "rows hold the struct");
/* The bucket's rows of a generation's runs. */
int message_keys_rows(struct db_tx *tx, unsigned generation, unsigned bucket,
                      struct db_rows *ret_rows, struct error *err) MUSTCHECK;
uint64_t message_key_hash(const struct message_store *store, const struct message_key *key);
/* All items fall into one bucket of the current run. Counts what is new into state.run_count. */
int message_keys_append(struct message_store *store, struct db_tx *tx,
                        const struct message_key_item *items, size_t count,
                        struct error *err) MUSTCHECK;
/* How many ids the current run still takes, at least 1. */
size_t message_keys_room(const struct message_store *store);
/* Begins the next run when this one is full, and then saves the filter. */
int message_keys_turn(struct message_store *store, struct db_tx *tx, struct error *err) MUSTCHECK;
static inline unsigned message_key_bucket(uint64_t hash)
{
    return (unsigned)(hash >> 55);
}
int message_keys_load(struct message_store *store, struct db_tx *tx, struct error *err) MUSTCHECK;

/* --- what stands in front of them (message_store_filter.c) ----------------------------------- */
void message_filter_prefetch(const struct message_filter *filter, uint64_t hash);
/* false: no row holds the id. */
bool message_filter_perhaps(const struct message_filter *filter, uint64_t hash);
/* false: no row of this generation's runs holds it. */
bool message_filter_may_hold(const struct message_filter *filter, unsigned generation,
                             uint64_t hash);
void message_filter_add(struct message_filter *filter, unsigned generation,
                        const struct message_key_item *items, size_t count);
int message_filter_save(const struct message_filter *filter, struct db_tx *tx, unsigned generation,
                        struct error *err) MUSTCHECK;
/* A step of merging full generations, when there are enough of them. */
int message_filter_merge(struct message_filter *filter, struct db_tx *tx, uint64_t full_runs,
                         struct error *err) MUSTCHECK;
int message_filter_load(struct message_filter *filter, struct db_tx *tx,
                        struct error *err) MUSTCHECK;
void message_filter_done(struct message_filter *filter);

/* --- folding (message_store_fold.c) ---------------------------------------------------------- */
int message_fold(struct event_folder *folder, struct db_tx *tx, const struct event *const *events,
                 size_t count, int64_t budget_us, bool *ret_more, struct error *err);
void message_fold_reset(struct event_folder *folder);
/* The round has been committed: the next one begins behind it. */
void message_fold_moved_on(struct message_store *store);
void message_fold_done(struct message_store *store);
int message_state_load(struct message_store *store, struct db_tx *tx, struct error *err) MUSTCHECK;

#endif
