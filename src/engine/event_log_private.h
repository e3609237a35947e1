/* What the files of the embedded log (event_log_*.c) share.
 *
 * Threads: emitting, committing, relaying and folding happen on the database's writer thread.
 * Readers look into the tail from any thread under its shard locks. Whatever else is read by other
 * threads is atomic.
 */
#ifndef PARLEY_ENGINE_EVENT_LOG_PRIVATE_H
#define PARLEY_ENGINE_EVENT_LOG_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "engine/db_outside.h"
#include "engine/event_log.h"
#include "engine/event_log_segment.h"

enum {
    LOG_EVENT_BYTES_MAX = 1 << 20,   /* data of one event */
    LOG_LINKS_MAX = 10000,           /* of one event */
    LOG_COMMIT_BYTES_MAX = 64 << 20, /* data of one commit */
    LOG_INDEX_ROW = 512,             /* positions in a row of the stream index */
    LOG_TAIL_SHARDS = 32,
    LOG_TAIL_REFUSED = 8, /* nothing is emitted on top of a tail so many times the allowed length */
    LOG_IDLE_FOLD_EVENTS = 4096, /* fold a tail longer than this when nothing else is to do */
    LOG_TRIM_ROWS = 5000,        /* deleted at once */
};

/* --- types: pointer to number and back (event_log_types.c) ----------------------------------- */
struct log_types {
    const struct event_type **by_number; /* [0, numbers), NULL: no such number */
    size_t numbers;
    struct log_type_slot {
        const struct event_type *type;
        uint32_t number;
    } * slots;
    size_t mask;
    struct event_type *strangers; /* in the table, but not in this program */
    size_t stranger_count;
};
int log_types_load(struct log_types *types, const struct event_type *const *known, struct db_tx *tx,
                   struct error *err) MUSTCHECK;
void log_types_done(struct log_types *types);
/* 0: not registered. */
uint32_t log_type_number(const struct log_types *types, const struct event_type *type);

/* --- rows (event_log_row.c) ------------------------------------------------------------------ */
struct log_draft {
    const struct event_type *type;
    uint32_t type_number;
    struct id stream;
    struct slice data, correlation_id; /* in memory; so are the links */
    const struct event_link *links;
    unsigned link_count;
    struct event_memory *memory;
};
struct id log_event_id(const uint8_t salt[16], uint64_t pos, int64_t at_ms);
/* Links and correlation id in one blob: flags, number of links, links, the rest is the correlation
 * id. Nothing to say: nothing is written. */
void log_meta_encode(struct buf *out, const struct event_link *links, unsigned link_count,
                     struct slice correlation_id);
/* The current row of "pos, at, type, stream, data, meta"; its bytes live until the next one. */
struct log_row log_row_of(const struct db_rows *rows);
int log_row_insert(struct db_tx *tx, const struct log_row *row, struct error *err) MUSTCHECK;
/* Turns stored events into what they were; keeps the memory for links. */
struct log_row_reader {
    const struct event_log *log;
    struct event_link *links;
    size_t links_cap;
};
int log_row_event(struct log_row_reader *reader, const struct log_row *row, struct event *ret_event,
                  struct error *err) MUSTCHECK;
void log_row_reader_done(struct log_row_reader *reader);

/* --- table and segments as one (event_log_source.c) --------------------------------------------
 */
/* Which positions are rows of the table: the newest ranges, in order. A snapshot of the database
 * shows those of its time, while segments show all that is committed; so whoever wants both as of
 * one moment stops below the first row that the snapshot does not have. */
struct log_table_ranges {
    pthread_mutex_t lock;
    struct log_table_range {
        uint64_t first, last;
    } ring[1024];
    uint64_t added;
    uint64_t whole_from; /* every range above this position is in the ring */
};
/* The writer thread's, before the tail's head moves there. */
void log_table_add(struct log_table_ranges *ranges, uint64_t first, uint64_t last);
/* The greatest position, at most `head`, up to which a snapshot that has all rows <= `seen` misses
 * none. Any thread. */
uint64_t log_table_whole(struct log_table_ranges *ranges, uint64_t seen, uint64_t head);

/* Events after `after` and at most `through`, in order. */
struct log_source {
    struct event_log *log;
    struct db_tx *tx;
    uint64_t through, given;
    struct log_row_reader reader;
    struct db_rows rows;
    struct log_row row; /* of the table, not given yet */
    bool rows_open, row_waits;
    struct log_segment_cursor cursor;
    struct log_row record; /* of a segment, not given yet */
    bool record_waits;
};
void log_source_init(struct log_source *source, struct event_log *log, struct db_tx *tx);
int log_source_open(struct log_source *source, uint64_t after, uint64_t through,
                    struct error *err) MUSTCHECK;
/* 1, or 0 at the end; the event's bytes live until the next call. */
int log_source_next(struct log_source *source, struct event *ret_event,
                    struct error *err) MUSTCHECK;
/* The event at this position, from an initialized source that is not open: 1, 0: trimmed. */
int log_source_at(struct log_source *source, uint64_t pos, struct event *ret_event,
                  struct error *err) MUSTCHECK;
void log_source_close(struct log_source *source); /* may be opened again */
void log_source_done(struct log_source *source);

/* --- memory of events (event_log_memory.c) ---------------------------------------------------- */
struct log_pool;
struct log_memory { /* writer thread */
    struct log_pool *pool;
    struct event_memory *current; /* the next event goes there */
    bool current_held;            /* it is among the pieces */
    struct event_memory **pieces; /* of this commit, a reference each */
    size_t count, cap;
    size_t taken; /* bytes of this commit */
};
struct log_memory_mark {
    const struct event_memory *current;
    size_t used, taken;
};
void log_memory_init(struct log_memory *memory);
void log_memory_done(struct log_memory *memory);
/* Aligned to 16 bytes; NULL when the commit has LOG_COMMIT_BYTES_MAX already. */
char *log_memory_take(struct log_memory *memory, size_t bytes, struct event_memory **ret_piece);
struct log_memory_mark log_memory_mark(const struct log_memory *memory);
void log_memory_undo(struct log_memory *memory, const struct log_memory_mark *mark);
/* The commit's end: its pieces go to the batch (room for memory->count), or are dropped. */
size_t log_memory_give(struct log_memory *memory, struct event_memory **pieces);
void log_memory_drop(struct log_memory *memory);
void log_memory_rest(struct log_memory *memory); /* nothing to do: what is kept goes back */

/* --- batches (event_log_batch.c) ------------------------------------------------------------- */
struct log_bytes_needed {
    size_t events, links, bytes;
};
/* One allocation for everything; events, links and bytes are filled by log_batch_add. */
struct log_batch_maker {
    struct event_batch *batch;
    struct event_link *links;
    char *bytes;
};
void log_batch_start(struct log_batch_maker *maker, struct log_bytes_needed needed,
                     uint64_t prev_head);
void log_batch_add(struct log_batch_maker *maker, const struct event *event); /* copied */
/* Room for so many events, whose bytes lie in the commit's memory; takes that over. */
struct event_batch *log_batch_over(struct log_memory *memory, size_t events, uint64_t prev_head);

/* --- the tail (event_log_tail.c) ------------------------------------------------------------- */
struct log_entry {
    uint64_t pos; /* the event's, which itself is cold by the time it is folded */
    const struct event *event;
    struct event_batch *batch;
};
struct log_tail_stream {
    struct map_node node;
    struct id id;
    struct log_entry *entries; /* by position */
    unsigned first, end, cap;
};
struct log_tail {
    struct {
        pthread_mutex_t lock;
        struct map streams;
    } shards[LOG_TAIL_SHARDS];
    _Atomic uint64_t head, folded;
    _Atomic size_t events, bytes;
    /* Oldest at `first`; changed by the writer thread alone, under the lock. */
    pthread_mutex_t batches_lock;
    struct event_batch **batches;
    size_t first, end, cap;
    size_t streams; /* writer thread */
};
void log_tail_init(struct log_tail *tail, uint64_t folded);
void log_tail_done(struct log_tail *tail);
void log_tail_add(struct log_tail *tail, struct event_batch *batch); /* takes the reference */
void log_tail_fold(struct log_tail *tail, uint64_t pos); /* forgets everything up to pos */
/* The first `limit` events of these streams after `after`, at most `through`, in order. Each holds
 * a reference to its batch, given back by log_picks_done. *ret_folded: the picks are complete above
 * this position. */
struct log_picks {
    struct log_entry *entries;
    size_t count, cap;
};
void log_tail_pick(struct log_tail *tail, const struct id *streams, const uint64_t *since,
                   size_t stream_count, uint64_t after, uint64_t through, size_t limit,
                   struct log_picks *ret_picks, uint64_t *ret_folded);
void log_picks_done(struct log_picks *picks);
/* The first `limit` events of any stream after `after`, at most `through`; false when some of them
 * are folded away already. */
bool log_tail_range(struct log_tail *tail, uint64_t after, uint64_t through, size_t limit,
                    struct log_picks *ret_picks);

/* --- the stream index (event_log_index.c) ---------------------------------------------------- */
struct log_index_round {
    struct log_tail_stream **streams; /* sorted by id, for neighbouring pages */
    size_t count, next;
    uint64_t through;
    struct buf positions;
};
void log_index_start(struct log_index_round *round, struct log_tail *tail, uint64_t through);
int log_index_slice(struct log_index_round *round, struct db_tx *tx, int64_t until_ns,
                    bool *ret_more, struct error *err) MUSTCHECK;
void log_index_end(struct log_index_round *round);
struct log_index_row {
    uint64_t first_pos, last_pos;
    unsigned count;
    uint64_t positions[LOG_INDEX_ROW];
};
/* The row that holds the first position > after, or the next one behind it: 1, 0 when there is
 * none. */
int log_index_row_after(struct db_tx *tx, const struct id *stream, uint64_t after,
                        struct log_index_row *ret_row, struct error *err) MUSTCHECK;

/* --- the log itself -------------------------------------------------------------------------- */
struct log_mark { /* where a transaction's drafts begin: it may be undone alone */
    struct db_hook hook;
    struct event_log *log;
    size_t drafts;
    struct log_memory_mark memory;
};

struct log_fold {
    bool active, closing, failed;
    uint64_t through;
    const struct event **events;
    size_t count, cap;
    struct log_index_round index;
    bool index_done, finished;   /* finished: this slice advances `folded` */
    struct event_folder *folder; /* next to be given the round */
    uint64_t paid;               /* head at the last slice: events above it owe the fold time */
    int64_t cost_ns;             /* of an event, as the last rounds had it */
    int64_t slice_ns, spent_ns;  /* when the slice began, 0: none; what the round took so far */
    int64_t retry_ns;
};

struct log_trim {
    int64_t next_ns;
    uint64_t first;    /* of the slice that is not committed yet, 0: none */
    uint64_t segments; /* dropped through here when it is committed, 0: none */
    bool sweeping;
    struct id sweep_stream;
    uint64_t sweep_pos;
};

struct event_log {
    struct db *db;
    struct event_log_config config;
    const struct clock *clock;
    struct log_types types;
    uint8_t salt[16];
    /* the commit that is being collected */
    struct log_draft *drafts;
    size_t draft_count, draft_cap;
    size_t plain;      /* so many of them belong to transactions that changed no table ... */
    size_t into_table; /* ... and so many of this commit are rows, the last ones */
    struct log_segments segments;
    struct log_table_ranges table;
    struct log_memory memory;
    struct buf meta;
    struct arena marks;
    const struct db_tx *marked_tx;
    struct event_batch *batch; /* between its rows and the end of the commit */
    int64_t last_at_ms, batch_at_ms;
    int64_t row_bytes;                     /* moving average, for retention by size */
    int64_t last_commit_ns, commit_gap_ns; /* the gap: between the last two */
    struct log_tail tail;
    _Atomic uint64_t first;
    /* relay */
    pthread_mutex_t relay_lock;
    struct event_subscription *subscriptions;
    uint64_t relayed_head;
    struct event_batch *held[64]; /* not delivered yet because of a fault, oldest first */
    unsigned held_count;
    /* backup */
    struct log_copy {
        struct db_copy_hook hook;
        struct log_segment_cursor cursor;
        uint64_t after, through;
        bool running; /* nothing is dropped meanwhile */
    } copy;
    /* fold and retention */
    struct db_worker worker;
    struct event_folder *folders, **folders_end;
    struct log_fold fold;
    struct log_trim trim;
    void *hold_arg; /* set before hold_fn */
    uint64_t (*_Atomic hold_fn)(void *arg);
    _Atomic uint64_t fold_failures;
};

/* Than so many times what the configuration allows, in events or in bytes. Any thread. */
static inline bool log_tail_longer_than(const struct event_log *log, size_t times)
{
    return atomic_load_explicit(&log->tail.events, memory_order_relaxed) >
               times * log->config.tail_events_max ||
           atomic_load_explicit(&log->tail.bytes, memory_order_relaxed) >
               times * log->config.tail_bytes_max;
}
int log_before_commit(void *arg, struct db_tx *tx, struct error *err);
void log_after_commit(void *arg, struct db_tx *tx, bool committed);
/* Takes the reference. */
void log_relay(struct event_log *log, struct event_batch *batch);
void log_relay_held(struct event_log *log);

void log_copy_init(struct event_log *log); /* event_log_copy.c */

/* The background worker (event_log_fold.c, event_log_trim.c). */
void log_fold_init(struct event_log *log);
void log_fold_done(struct event_log *log);
bool log_trim_due(const struct event_log *log);
int log_trim_slice(struct event_log *log, struct db_tx *tx, struct error *err) MUSTCHECK;
void log_trim_ended(struct event_log *log, bool committed);

#endif
