/* Segments: the files beside the database to which the log appends what is nothing but events.
 *
 * A transaction that only emits needs no table: its events are durable when one append to the
 * newest segment is. Which ones those are is decided in event_log_commit.c; everything else is a
 * row of the table `log`. Both hold events under the positions of one log, and event_log_source.c
 * reads them as one.
 *
 *     <database file>.log/<first position, 16 hex digits>.segment
 *         head     magic, the log's salt, first position; first and last of the segment before
 *         batch    magic, bytes, check, first position, events; then a record for each event
 *         ...
 *     <the same>.index   beside a segment that is full or was closed cleanly; can be made again
 *
 * Numbers are little-endian. The check is SipHash-1-3 under the salt, so that neither half a batch
 * nor a batch of another log counts. A batch at or above the first position of the next segment is
 * void: it belonged to a commit that failed and could not be removed.
 *
 * Threads: the writer thread appends, rolls and drops; any thread reads what is published.
 */
#ifndef PARLEY_ENGINE_EVENT_LOG_SEGMENT_H
#define PARLEY_ENGINE_EVENT_LOG_SEGMENT_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"

enum {
    LOG_SEGMENT_BYTES = 32 << 20,  /* a segment that has grown to this is full */
    LOG_SEGMENT_MARK = 64 << 10,   /* bytes between two marks */
    LOG_SEGMENT_HEAD = 64,         /* bytes of a segment's head */
    LOG_RECORD_BYTES_MAX = 2 << 20 /* LOG_EVENT_BYTES_MAX and the longest meta fit */
};

/* An event as it is stored: a row of the table or a record of a segment. Bytes are borrowed. */
struct log_row {
    uint64_t pos;
    int64_t at_ms;
    uint32_t type_number;
    struct id stream;
    struct slice data, meta; /* meta may be absent */
};

/* Where a batch or a record begins; every LOG_SEGMENT_MARK bytes or somewhat more. */
struct log_segment_mark {
    uint64_t pos, offset;
};
/* What is known of a segment's content. */
struct log_segment_extent {
    uint64_t last;             /* greatest position; first - 1 while it is empty */
    uint64_t bytes;            /* of the file that count */
    int64_t first_at, last_at; /* wall ms; 0 while it is empty */
    struct log_segment_mark *marks;
    size_t mark_count, mark_cap;
};
/* The segment before: its first position, 0 when there was none, and the last one that counts. */
struct log_segment_before {
    uint64_t first, last;
};
struct log_segment {
    struct log_segment *next; /* newer */
    _Atomic unsigned refs;
    int fd;
    uint64_t first; /* every position below is in older segments, or nowhere */
    struct log_segment_before before;
    struct log_segment_extent extent; /* of the newest: under the lock */
};

struct log_segments {
    char *folder;
    uint8_t salt[16];
    bool sync;            /* an append is durable when it returns */
    size_t segment_bytes; /* LOG_SEGMENT_BYTES unless a test wants less */
    pthread_mutex_t lock; /* the list, and the newest segment's extent */
    struct log_segment *oldest, *newest;
    /* writer thread */
    struct buf batch; /* of the commit that is being collected */
    uint32_t batch_events;
    uint64_t batch_first;
    struct log_segment_extent batch_extent; /* what the newest segment's gets by the batch */
    uint64_t batch_mark_due;                /* offset from which on it gets the next mark */
    bool appended;                          /* the batch is in the file, not published yet */
    bool leftover;                          /* the newest file may have bytes beyond its extent */
    bool unsynced;
};

/* Opens what is there (nothing: no folder is made) and removes what a crash left behind the last
 * whole batch. must_reach: the position up to which the database has seen segments. A damaged,
 * foreign or missing segment is refused, saying what to do. Waits for the disk. */
struct log_segments_config {
    const char *database; /* path of the database file */
    const uint8_t *salt;  /* 16 bytes */
    bool sync;
    size_t segment_bytes; /* 0: LOG_SEGMENT_BYTES */
    uint64_t must_reach;
};
int log_segments_open(struct log_segments *s, const struct log_segments_config *config,
                      struct error *err) MUSTCHECK;
void log_segments_close(struct log_segments *s);
uint64_t log_segments_last(struct log_segments *s);   /* greatest position, 0: none */
int64_t log_segments_last_at(struct log_segments *s); /* wall ms of it, 0: none */
uint64_t log_segments_begin(struct log_segments *s);  /* what was before this has been dropped */
struct log_segments_size {
    uint64_t files, bytes;
};
struct log_segments_size log_segments_size(struct log_segments *s);

/* --- appending (writer thread): ready, add ..., append, end ---------------------------------- */
/* Before positions above `head` are given (again): nothing that a failed commit left holds one. */
int log_segments_ready(struct log_segments *s, uint64_t head, struct error *err) MUSTCHECK;
int log_segments_add(struct log_segments *s, const struct log_row *row,
                     struct error *err) MUSTCHECK;
/* Durable when it returns 0. What fails is undone by log_segments_end(s, false). */
int log_segments_append(struct log_segments *s, struct error *err) MUSTCHECK;
void log_segments_end(struct log_segments *s, bool committed);
int log_segments_flush(struct log_segments *s, struct error *err) MUSTCHECK; /* when !sync */

/* --- retention (writer thread) --------------------------------------------------------------- */
/* Seals the newest segment when it began before `at_ms`, so that it can be dropped some day. */
void log_segments_seal(struct log_segments *s, int64_t at_ms);
/* The last position of the oldest segment when that is sealed, ends at or below `limit` and is
 * older than `at_ms` or ends at or below `many`; else 0. */
uint64_t log_segments_old(struct log_segments *s, int64_t at_ms, uint64_t many, uint64_t limit);
void log_segments_drop(struct log_segments *s, uint64_t last); /* whole segments up to there */

/* --- reading (any thread) -------------------------------------------------------------------- */
struct log_segment_cursor {
    struct log_segments *segments;
    struct log_segment *segment; /* counted; NULL: nowhere yet */
    uint64_t offset, end;        /* the next item, and where the segment's content ends */
    uint64_t pos;                /* given last, or where the seek began */
    char *block;
    size_t block_cap, block_len;
    uint64_t block_offset;
};
/* 1 and the first record with after < pos <= through, 0: there is none. Bytes live until the next
 * call. Going upwards is cheap. */
int log_segment_next(struct log_segment_cursor *c, uint64_t after, uint64_t through,
                     struct log_row *ret_row, struct error *err) MUSTCHECK;
void log_segment_cursor_done(struct log_segment_cursor *c);

/* --- the format (event_log_segment.c) -------------------------------------------------------- */
enum { LOG_BATCH_HEAD = 32, LOG_RECORD_HEAD = 48 };
struct log_segment_item { /* a batch's head or a record */
    bool batch;
    uint64_t bytes; /* of a batch: its head alone */
    uint64_t body;  /* of a batch: bytes of its records */
    uint64_t check;
    uint32_t events;
    struct log_row row; /* of a batch: only pos, its first */
};
void log_segment_put_head(char out[LOG_SEGMENT_HEAD], const uint8_t salt[16], uint64_t first,
                          struct log_segment_before before);
bool log_segment_get_head(const char in[LOG_SEGMENT_HEAD], const uint8_t salt[16],
                          uint64_t *ret_first, struct log_segment_before *ret_before);
/* false: these bytes begin neither (or a record that is longer than what is there). */
bool log_segment_get_item(struct slice in, struct log_segment_item *ret_item);
/* How many bytes have to be there for what begins here (at least four are); at most
 * LOG_RECORD_BYTES_MAX. */
size_t log_segment_item_bytes(struct slice in);
void log_segment_put_record(struct buf *out, const struct log_row *row);
/* Fills the head of a batch whose records follow LOG_BATCH_HEAD bytes of room. */
void log_segment_seal_batch(struct buf *batch, const uint8_t salt[16], uint64_t first,
                            uint32_t events);
void log_extent_mark(struct log_segment_extent *extent, uint64_t pos, uint64_t offset);
/* Reads a segment from its first batch; positions at or above `void_at` do not count.
 * *ret_broken: it ends before the file does; *ret_more: a whole batch follows behind that. */
void log_segment_scan(struct slice file, const uint8_t salt[16], uint64_t first, uint64_t void_at,
                      struct log_segment_extent *ret_extent, bool *ret_broken, bool *ret_more);

/* --- what the files of the segments share ----------------------------------------------------- */
void log_segments_init(struct log_segments *s, const struct log_segments_config *config);
/* Owns fd. */
struct log_segment *log_segment_new(int fd, uint64_t first, struct log_segment_before before);
void log_segment_unref(struct log_segment *segment);
void log_segment_path(const struct log_segments *s, uint64_t first, const char *kind,
                      char ret_path[PATH_MAX]);
void log_segment_write_index(const struct log_segments *s, const struct log_segment *segment);

#endif
