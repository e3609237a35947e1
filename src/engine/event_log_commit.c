/* From an emitted event to a committed one: drafts are collected while the transactions of a commit
 * run, become an immutable batch and rows just before it, and after it the batch goes to the tail
 * and to every loop. A transaction that is undone takes its drafts, and thereby their
 * positions, back.
 */
#include <stdlib.h>

#include "engine/event_log_private.h"

static const struct db_sql insert_row = {
    "INSERT INTO log (pos, at, type, stream, data, meta) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};

/* --- emitting -------------------------------------------------------------------------------- */
static void take_back(struct db_hook *hook, bool committed)
{
    struct log_mark *mark = CONTAINER_OF(hook, struct log_mark, hook);
    struct event_log *log = mark->log;
    if (committed || log->draft_count <= mark->drafts)
        return;
    log->draft_count = mark->drafts;
    log->bytes.len = mark->bytes;
}

static int begin_transaction(struct event_log *log, struct db_tx *tx, struct error *err)
{
    struct log_mark *mark = arena_alloc(&log->marks, sizeof *mark);
    if (mark == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "too many transactions in one commit");
    *mark = (struct log_mark){.hook = {.run = take_back},
                              .log = log,
                              .drafts = log->draft_count,
                              .bytes = log->bytes.len};
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
    if (atomic_load_explicit(&log->tail.events, memory_order_relaxed) >
        8 * log->config.tail_events_max)
        return error_set(err, FAIL_UNAVAILABLE, "log_backlog",
                         "the log's tail cannot be folded: see the server's log");
    return 0;
}

static struct log_draft *next_draft(struct event_log *log, unsigned link_count)
{
    if (link_count > log->link_cap) {
        log->link_scratch = xrealloc(log->link_scratch, link_count * sizeof *log->link_scratch);
        log->link_cap = link_count;
    }
    if (log->draft_count == log->draft_cap) {
        log->draft_cap = log->draft_cap != 0 ? log->draft_cap * 2 : 256;
        log->drafts = xrealloc(log->drafts, log->draft_cap * sizeof *log->drafts);
    }
    return &log->drafts[log->draft_count];
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
    struct buf *bytes = &log->bytes;
    size_t before = bytes->len;
    struct log_draft *kept = next_draft(log, draft->link_count);
    *kept = (struct log_draft){.type = draft->type,
                               .type_number = number,
                               .stream = draft->stream,
                               .data_at = bytes->len,
                               .data_bytes = draft->data.len};
    buf_slice(bytes, draft->data);
    kept->correlated = draft->correlation_id.ptr != NULL;
    kept->correlation_at = bytes->len;
    kept->correlation_bytes = draft->correlation_id.len;
    buf_slice(bytes, draft->correlation_id);
    kept->links_at = bytes->len;
    kept->link_count = draft->link_count;
    buf_append(bytes, draft->links, draft->link_count * sizeof *draft->links);
    if (!buf_ok(bytes)) {
        bytes->failed = false;
        bytes->len = before;
        return error_set(err, FAIL_UNAVAILABLE, "busy", "too much data in one commit");
    }
    log->draft_count++;
    if (ret_pos != NULL)
        *ret_pos = atomic_load_explicit(&log->tail.head, memory_order_relaxed) + log->draft_count;
    return 0;
}

/* --- committing ------------------------------------------------------------------------------ */
/* The draft as an event, pointing into the log's buffers. */
static struct event event_of(struct event_log *log, size_t index, struct event_link *links)
{
    const struct log_draft *draft = &log->drafts[index];
    const char *bytes = log->bytes.ptr;
    uint64_t pos = atomic_load_explicit(&log->tail.head, memory_order_relaxed) + index + 1;
    struct event event = {
        .pos = pos,
        .at_ms = log->batch_at_ms,
        .type = draft->type,
        .stream = draft->stream,
        .id = log_event_id(log->salt, pos, log->batch_at_ms),
        .data = slice_of(bytes + draft->data_at, draft->data_bytes),
        .link_count = draft->link_count,
    };
    if (draft->correlated)
        event.correlation_id = slice_of(bytes + draft->correlation_at, draft->correlation_bytes);
    if (draft->link_count != 0) { /* they lie unaligned among the bytes */
        memcpy(links, bytes + draft->links_at, draft->link_count * sizeof *links);
        event.links = links;
    }
    return event;
}

static int insert(struct event_log *log, struct db_tx *tx, const struct event *event,
                  uint32_t type_number, struct error *err)
{
    struct slice meta = {0};
    if (event->link_count != 0 || event->correlation_id.ptr != NULL) {
        buf_clear(&log->meta);
        log_meta_encode(&log->meta, event->links, event->link_count, event->correlation_id);
        if (!buf_ok(&log->meta))
            return error_set(err, FAIL_TOO_LARGE, "event_too_large", "too many links");
        meta = buf_view(&log->meta);
    }
    return db_exec(tx, &insert_row, err, db_int((int64_t)event->pos), db_int(event->at_ms),
                   db_int(type_number), db_id(&event->stream), db_text(event->data), db_blob(meta));
}

static struct event_batch *make_batch(struct event_log *log)
{
    struct log_bytes_needed needed = {.events = log->draft_count, .bytes = log->bytes.len};
    for (size_t i = 0; i < log->draft_count; i++)
        needed.links += log->drafts[i].link_count;
    struct log_batch_maker maker;
    log_batch_start(&maker, needed, atomic_load_explicit(&log->tail.head, memory_order_relaxed));
    for (size_t i = 0; i < log->draft_count; i++) {
        struct event event = event_of(log, i, log->link_scratch);
        log_batch_add(&maker, &event);
    }
    return maker.batch;
}

int log_before_commit(void *arg, struct db_tx *tx, struct error *err)
{
    struct event_log *log = arg;
    if (log->draft_count == 0)
        return 0;
    int64_t now = clock_wall_ms(log->clock);
    log->batch_at_ms = now > log->last_at_ms ? now : log->last_at_ms; /* never back */
    log->batch = make_batch(log);
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < log->batch->count; i++)
        rc = insert(log, tx, &log->batch->events[i], log->drafts[i].type_number, err);
    return rc;
}

static void publish(struct event_log *log, struct event_batch *batch)
{
    int64_t row_bytes = (int64_t)(batch->bytes / batch->count);
    log->row_bytes += (row_bytes - log->row_bytes) / 16;
    log->last_at_ms = log->batch_at_ms;
    event_batch_ref(batch); /* the relay's, until every loop has its own */
    log_tail_add(&log->tail, batch);
    log_relay(log, batch);
}

void log_after_commit(void *arg, struct db_tx *tx, bool committed)
{
    struct event_log *log = arg;
    if (log->batch != NULL && committed)
        publish(log, log->batch);
    else if (log->batch != NULL)
        event_batch_unref(log->batch);
    log->batch = NULL;
    log->last_commit_ns = clock_mono_ns(log->clock);
    log->draft_count = 0;
    buf_clear(&log->bytes);
    arena_reset(&log->marks);
    log->marked_tx = NULL;
}
