/* From an emitted event to a committed one: drafts are collected while the transactions of a commit
 * run, become an immutable batch and rows just before it, and after it the batch goes to the tail
 * and to every loop. A transaction that is undone takes its drafts, and thereby their
 * positions, back.
 */
#include <stdlib.h>

#include "engine/event_log_private.h"

/* --- emitting -------------------------------------------------------------------------------- */
static void take_back(struct db_hook *hook, bool committed)
{
    struct log_mark *mark = CONTAINER_OF(hook, struct log_mark, hook);
    struct event_log *log = mark->log;
    if (committed || log->draft_count <= mark->drafts)
        return;
    log->draft_count = mark->drafts;
    log_memory_undo(&log->memory, &mark->memory);
}

static int begin_transaction(struct event_log *log, struct db_tx *tx, struct error *err)
{
    if (!db_batch_wrote(log->db))
        log->plain = log->draft_count; /* of transactions that have ended */
    struct log_mark *mark = arena_alloc(&log->marks, sizeof *mark);
    if (mark == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "too many transactions in one commit");
    *mark = (struct log_mark){.hook = {.run = take_back},
                              .log = log,
                              .drafts = log->draft_count,
                              .memory = log_memory_mark(&log->memory)};
    db_on_end(tx, &mark->hook);
    log->marked_tx = tx;
    return 0;
}

static int check(const struct event_log *log, const struct event_draft *draft, uint32_t number,
                 struct error *err)
{
    panic_if(number == 0, "event type %s is not registered", draft->type->name);
    /* Here and not at COMMIT, where it would fail the neighbours too. */
    if (id_is_nil(&draft->stream) || draft->data.ptr == NULL)
        return error_set(err, FAIL_INTERNAL, "event_incomplete",
                         "a %s event has no stream or no data", draft->type->name);
    if (draft->data.len > LOG_EVENT_BYTES_MAX)
        return error_set(err, FAIL_TOO_LARGE, "event_too_large",
                         "the data of a %s event has %zu bytes, at most %d are allowed",
                         draft->type->name, draft->data.len, LOG_EVENT_BYTES_MAX);
    if (draft->link_count > LOG_LINKS_MAX)
        return error_set(err, FAIL_TOO_LARGE, "event_too_large",
                         "a %s event links %u users, at most %d are allowed", draft->type->name,
                         draft->link_count, LOG_LINKS_MAX);
    if (log_tail_longer_than(log, LOG_TAIL_REFUSED))
        return error_set(err, FAIL_UNAVAILABLE, "log_backlog",
                         "the log's tail cannot be folded: see the server's log");
    return 0;
}

static struct log_draft *next_draft(struct event_log *log)
{
    if (log->draft_count == log->draft_cap) {
        log->draft_cap = log->draft_cap != 0 ? log->draft_cap * 2 : 256;
        log->drafts = xrealloc(log->drafts, log->draft_cap * sizeof *log->drafts);
    }
    return &log->drafts[log->draft_count];
}

static struct slice copy_to(char **at, struct slice bytes)
{
    if (bytes.ptr == NULL)
        return bytes;
    struct slice copy = slice_of(*at, bytes.len);
    memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

/* The only copy that is made of an event: links first, they want to be aligned. */
static bool keep_bytes(struct log_memory *memory, const struct event_draft *draft,
                       struct log_draft *kept)
{
    size_t link_bytes = draft->link_count * sizeof *draft->links;
    char *at = log_memory_take(memory, link_bytes + draft->data.len + draft->correlation_id.len,
                               &kept->memory);
    if (at == NULL)
        return false;
    if (link_bytes != 0) {
        memcpy(at, draft->links, link_bytes);
        kept->links = (const struct event_link *)(const void *)at;
        kept->link_count = draft->link_count;
        at += link_bytes;
    }
    kept->data = copy_to(&at, draft->data);
    kept->correlation_id = copy_to(&at, draft->correlation_id);
    return true;
}

int event_emit(struct event_log *log, struct db_tx *tx, const struct event_draft *draft,
               uint64_t *ret_pos, struct error *err)
{
    uint32_t number = log_type_number(&log->types, draft->type);
    int rc = check(log, draft, number, err);
    if (rc == 0 && log->marked_tx != tx)
        rc = begin_transaction(log, tx, err);
    if (rc != 0)
        return rc;
    struct log_draft *kept = next_draft(log);
    *kept = (struct log_draft){.type = draft->type, .type_number = number, .stream = draft->stream};
    if (!keep_bytes(&log->memory, draft, kept))
        return error_set(err, FAIL_UNAVAILABLE, "busy", "too much data in one commit");
    log->draft_count++;
    if (ret_pos != NULL)
        *ret_pos = atomic_load_explicit(&log->tail.head, memory_order_relaxed) + log->draft_count;
    return 0;
}

struct slice event_emitted(struct event_log *log, uint64_t pos, struct event_memory **ret_memory)
{
    uint64_t head = atomic_load_explicit(&log->tail.head, memory_order_relaxed);
    if (pos <= head || pos > head + log->draft_count)
        return (struct slice){0};
    const struct log_draft *draft = &log->drafts[pos - head - 1];
    *ret_memory = draft->memory;
    return draft->data;
}

/* --- committing ------------------------------------------------------------------------------ */
static struct event event_of(struct event_log *log, size_t index)
{
    const struct log_draft *draft = &log->drafts[index];
    uint64_t pos = atomic_load_explicit(&log->tail.head, memory_order_relaxed) + index + 1;
    return (struct event){
        .pos = pos,
        .at_ms = log->batch_at_ms,
        .type = draft->type,
        .stream = draft->stream,
        .id = log_event_id(log->salt, pos, log->batch_at_ms),
        .data = draft->data,
        .links = draft->links,
        .link_count = draft->link_count,
        .correlation_id = draft->correlation_id,
    };
}

static int row_of(struct event_log *log, size_t index, struct log_row *ret, struct error *err)
{
    const struct event *event = &log->batch->events[index];
    *ret = (struct log_row){.pos = event->pos,
                            .at_ms = event->at_ms,
                            .type_number = log->drafts[index].type_number,
                            .stream = event->stream,
                            .data = event->data};
    if (event->link_count == 0 && event->correlation_id.ptr == NULL)
        return 0;
    buf_clear(&log->meta);
    log_meta_encode(&log->meta, event->links, event->link_count, event->correlation_id);
    if (!buf_ok(&log->meta))
        return error_set(err, FAIL_TOO_LARGE, "event_too_large", "too many links");
    ret->meta = buf_view(&log->meta);
    return 0;
}

/* What comes before the first change of a table in this commit goes to the newest segment, what
 * comes after it into the table, with that change: so whatever a crash leaves is a beginning of the
 * commit, and no event stands there without what it tells of. */
static int store(struct event_log *log, struct db_tx *tx, size_t plain, struct error *err)
{
    struct log_row row;
    uint64_t head = atomic_load_explicit(&log->tail.head, memory_order_relaxed);
    int rc = log_segments_ready(&log->segments, head, err);
    for (size_t i = 0; rc == 0 && i < log->batch->count; i++) {
        rc = row_of(log, i, &row, err);
        if (rc == 0)
            rc = i < plain ? log_segments_add(&log->segments, &row, err)
                           : log_row_insert(tx, &row, err);
    }
    return rc == 0 ? log_segments_append(&log->segments, err) : rc;
}

static struct event_batch *make_batch(struct event_log *log)
{
    uint64_t head = atomic_load_explicit(&log->tail.head, memory_order_relaxed);
    struct event_batch *batch = log_batch_over(&log->memory, log->draft_count, head);
    for (size_t i = 0; i < log->draft_count; i++)
        batch->events[i] = event_of(log, i);
    batch->count = (unsigned)log->draft_count;
    batch->head = head + log->draft_count;
    return batch;
}

int log_before_commit(void *arg, struct db_tx *tx, struct error *err)
{
    struct event_log *log = arg;
    if (log->draft_count == 0)
        return 0;
    int64_t now = clock_wall_ms(log->clock);
    log->batch_at_ms = now > log->last_at_ms ? now : log->last_at_ms; /* never back */
    size_t plain = db_batch_wrote(log->db) ? log->plain : log->draft_count;
    log->into_table = log->draft_count - plain;
    log->batch = make_batch(log);
    return store(log, tx, plain, err);
}

static void publish(struct event_log *log, struct event_batch *batch)
{
    int64_t row_bytes = (int64_t)(batch->bytes / batch->count);
    log->row_bytes += (row_bytes - log->row_bytes) / 16;
    log->last_at_ms = log->batch_at_ms;
    if (log->into_table != 0)
        log_table_add(&log->table, batch->head - log->into_table + 1, batch->head);
    event_batch_ref(batch); /* the relay's, until every loop has its own */
    log_tail_add(&log->tail, batch);
    log_relay(log, batch);
}

void log_after_commit(void *arg, struct db_tx *tx, bool committed)
{
    struct event_log *log = arg;
    log_segments_end(&log->segments, committed);
    if (log->batch != NULL && committed)
        publish(log, log->batch);
    else if (log->batch != NULL)
        event_batch_unref(log->batch);
    log->batch = NULL;
    int64_t now_ns = clock_mono_ns(log->clock);
    log->commit_gap_ns = now_ns - log->last_commit_ns;
    log->last_commit_ns = now_ns;
    log->draft_count = log->plain = log->into_table = 0;
    log_memory_drop(&log->memory);
    arena_reset(&log->marks);
    log->marked_tx = NULL;
}
