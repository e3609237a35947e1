/* The log: whatever somebody else may see is a row here, written in the same transaction as the
 * change (outbox), with a position in commit order. Sockets, caches, search, notifications and
 * brokers are readers of it with a cursor. Losing a wake-up costs latency, never an event.
 *
 * Embedded engine: the table `log` of the main database, and segments beside its file.
 * event_emit queues the event in its transaction. Just before COMMIT the writer appends what comes
 * from transactions that only emit to the newest segment and syncs that, and inserts the rest as
 * rows; after it the relay hands the batch to every subscribed loop. What orders by stream (the
 * stream index) and what is derived (message blocks) follows later in large batches, the FOLD:
 * `log_state.folded` says up to where, written in the same transaction; the newest events, the
 * TAIL (folded, head], are kept in memory and rebuilt from the log at start.
 */
#ifndef PARLEY_ENGINE_EVENT_LOG_H
#define PARLEY_ENGINE_EVENT_LOG_H

#include "engine/db.h"

struct event_log;

/* Declared as constants by the room that emits them; registered at start by name. */
struct event_type {
    const char *name; /* "message.sent" */
    bool client;      /* clients see it; else for consumers inside only */
    const struct schema *data;
    const char *doc;
};

/* Whom an event makes a follower of its stream, or no longer one: realtime applies it in order. */
enum event_link_kind { EVENT_FOLLOW = 1, EVENT_UNFOLLOW = 2 };
struct event_link {
    enum event_link_kind kind;
    struct id user;
};

struct event {
    uint64_t pos;  /* 1, 2, 3 ... in commit order, without gaps */
    int64_t at_ms; /* wall clock at commit */
    const struct event_type *type;
    struct id stream;  /* chat id, or user id: whoever follows it sees the event */
    struct id id;      /* CloudEvents id */
    struct slice data; /* JSON, exactly what clients get as `data` */
    const struct event_link *links;
    unsigned link_count;
    struct slice correlation_id; /* may be absent */
};

struct event_draft {
    const struct event_type *type;
    struct id stream;
    struct slice data; /* copied */
    const struct event_link *links;
    unsigned link_count;
    struct slice correlation_id;
};
/* Inside db_write: queues the event; *ret_pos (may be NULL) is its position if this transaction
 * commits. */
int event_emit(struct event_log *log, struct db_tx *tx, const struct event_draft *draft,
               uint64_t *ret_pos, struct error *err) MUSTCHECK;

/* Memory that holds events' bytes; counted, any thread. */
struct event_memory;
void event_memory_ref(struct event_memory *memory);
void event_memory_unref(struct event_memory *memory);
/* Inside db_write: the data of an event emitted in this commit, where it will stay, and the memory
 * that holds it (borrowed: take a reference to keep the data). Absent: no such event. */
struct slice event_emitted(struct event_log *log, uint64_t pos, struct event_memory **ret_memory);

/* A committed group: immutable, shared between threads. */
struct event_batch {
    _Atomic unsigned refs;
    uint64_t prev_head; /* head before this batch: batches join without gaps */
    uint64_t head;      /* head after it */
    unsigned count;
    struct event *events;
    size_t bytes; /* memory it holds */
    struct event_memory **memory;
    size_t memory_count; /* pieces that its events' bytes lie in, counted */
};
void event_batch_ref(struct event_batch *batch);
void event_batch_unref(struct event_batch *batch);

/* Every committed batch, in order, on the given loop: deliver(sub, batch) borrows the batch. Those
 * of one loop are served in the order in which they subscribed. */
struct event_subscription {
    struct event_subscription *next;
    struct loop *loop;
    void (*deliver)(struct event_subscription *sub, struct event_batch *batch);
    uint64_t joined; /* set by event_log_subscribe: the first batch's prev_head is this */
};
void event_log_subscribe(struct event_log *log, struct event_subscription *sub); /* any thread */

/* Retention stops at whoever still needs the rows: those above what fn(arg) returns (UINT64_MAX:
 * none are needed) are kept, however old and however many. fn is called on the writer thread, must
 * not wait, and is good until event_log_close. One holder; any thread, before or during traffic. */
void event_log_hold(struct event_log *log, uint64_t (*fn)(void *arg), void *arg);

uint64_t event_log_head(struct event_log *log);  /* last committed position; any thread */
uint64_t event_log_first(struct event_log *log); /* oldest kept position */

/* Reading back, inside db_read or db_write. fn returns 0 to go on, 1 to stop, < 0 to fail; event
 * and data are borrowed for the call. */
typedef int event_fn(const struct event *event, void *arg, struct error *err);
/* Everything after `after`, in order, at most `limit`. */
int event_log_read(struct event_log *log, struct db_tx *tx, uint64_t after, unsigned limit,
                   event_fn *fn, void *arg, struct error *err) MUSTCHECK;
/* Events of any of these streams after `after`, in position order, at most `limit`; `since[i]`:
 * only positions >= since[i] of stream i (0: all). Uses the stream index up to the fold and the
 * tail above it. *ret_through: every matching event up to this position has been given. When
 * nothing was cut off by limit it is at least the last row that the transaction's snapshot has, and
 * below the first one that it has not: no event is given whose change the snapshot does not see.
 * The streams are different from each other; limit is at least 1. */
int event_log_read_streams(struct event_log *log, struct db_tx *tx, uint64_t after,
                           const struct id *streams, const uint64_t *since, size_t stream_count,
                           unsigned limit, event_fn *fn, void *arg, uint64_t *ret_through,
                           struct error *err) MUSTCHECK;

/* A derived table that follows the log in batches, e.g. the message blocks. `fold` gets events in
 * order, in slices, on the writer thread, in the transaction that later advances `folded`; a crash
 * repeats a whole round, so it must be idempotent. `replay` is called at start, before traffic, for
 * each event of the tail. `folded` tells that everything <= pos is now in the tables (memory that
 * served it may go). */
struct event_folder {
    struct event_folder *next;
    const char *name;
    /* round of events given at once so the folder can sort; called repeatedly with the same round
     * until *ret_more is false. */
    int (*fold)(struct event_folder *folder, struct db_tx *tx, const struct event *const *events,
                size_t count, int64_t budget_us, bool *ret_more, struct error *err);
    void (*replay)(struct event_folder *folder, const struct event *event);
    /* A slice did not commit: forget where the round was, it begins anew. NULL for a folder that
     * keeps nothing between two slices. */
    void (*reset)(struct event_folder *folder);
    void (*folded)(struct event_folder *folder, uint64_t pos);
};

struct event_log_config {
    struct db *db;
    const struct event_type *const *types; /* NULL-terminated: all types of all rooms */
    size_t tail_events_max;                /* fold when the tail is this long (0: 65536) ... */
    size_t tail_bytes_max; /* ... or this large (0: 32 MiB); above four times either, writers
                            * wait; above eight times, emits are refused */
    int64_t retention_ms;  /* log rows older than this are trimmed (0: 7 days) */
    int64_t retention_bytes;
    size_t segment_bytes; /* of a file beside the database (0: retention_bytes / 8, <= 32 MiB) */
};
/* After db_migrate (event_log_schema is among the schemas). Reads the tail. */
int event_log_open(const struct event_log_config *config, struct event_log **ret_log,
                   struct error *err) MUSTCHECK;
void event_log_add_folder(struct event_log *log, struct event_folder *folder);
/* Replays the tail into the folders; call once, after the last add_folder, before traffic. */
int event_log_start(struct event_log *log, struct error *err) MUSTCHECK;
void event_log_close(struct event_log *log); /* folds what is left */
extern const struct db_schema event_log_schema;
struct db *event_log_db(struct event_log *log);

struct event_log_stats {
    uint64_t head, first, folded;
    size_t tail_events, tail_bytes;
    uint64_t segments, segment_bytes; /* files beside the database */
    uint64_t fold_failures; /* slices that did not commit; they are tried again every second */
    bool refuses;           /* event_emit fails with log_backlog */
};
void event_log_stats(struct event_log *log, struct event_log_stats *ret_stats);

#endif
