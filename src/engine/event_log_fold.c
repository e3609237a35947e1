/* The fold: what is derived from the log follows it in rounds, on the writer thread, between
 * commits. A round covers everything above `folded` that was committed when it began; the stream
 * index and then each added folder work through it in slices of a few milliseconds, each slice a
 * transaction of its own; the last one advances log_state.folded. A crash or a failed slice
 * repeats the whole round, so folders are idempotent.
 *
 * A round begins when the tail is long, or somewhat long and nobody writes, or at close. It keeps
 * pace with what is written: every new event owes the fold what folding one has cost lately, times
 * how much too long the tail is. So the work of a round is spread over three quarters of the time
 * that the next one takes to fill up, and writers neither stand still for it nor are slower in one
 * half of the time than in the other. When the tail is four times too long all the same, slices
 * have no end.
 */
#include <stdlib.h>

#include "base/fault.h"
#include "engine/event_log_private.h"

static const struct db_sql advance = {
    "UPDATE log_state SET folded = ?1, head = max(head, ?1), last_at = max(last_at, ?2),"
    " segments = max(segments, ?3)"};

enum {
    RETRY_MS = 1000,
    IDLE_MS = 1000,
    QUIET_NS = 10 * 1000 * 1000, /* between two commits: few would meet a slice */
    SLICE_ALWAYS_AT = 2,         /* after every commit, however small */
    WRITERS_WAIT_AT = 4,
    COST_NS_AT_FIRST = 2000, /* of an event, until rounds have told */
    COST_NS_MIN = 300,
    COST_NS_MAX = 20000,
    SLICE_MIN_US = 2000, /* a slice is a transaction: fewer, larger ones cost less */
    SLICE_MAX_US = 8000, /* nobody is acknowledged meanwhile; longer when the tail is too long */
};

static struct event_log *log_of(struct db_worker *worker)
{
    return CONTAINER_OF(worker, struct event_log, worker);
}

static bool may_try(const struct event_log *log)
{
    return !log->fold.failed || clock_mono_ns(log->clock) >= log->fold.retry_ns;
}

/* What the events since the last slice owe the fold, in microseconds. */
static int64_t owed_us(const struct event_log *log)
{
    uint64_t fresh = atomic_load_explicit(&log->tail.head, memory_order_relaxed) - log->fold.paid;
    size_t events = atomic_load_explicit(&log->tail.events, memory_order_relaxed);
    size_t bytes = atomic_load_explicit(&log->tail.bytes, memory_order_relaxed);
    double length = (double)events / (double)log->config.tail_events_max;
    if (length < (double)bytes / (double)log->config.tail_bytes_max)
        length = (double)bytes / (double)log->config.tail_bytes_max;
    double owed = (double)fresh * (double)log->fold.cost_ns / 1000 * length;
    double most = length > 1 ? SLICE_MAX_US * length : SLICE_MAX_US;
    return (int64_t)(owed < most ? owed : most);
}

static bool overdue(struct db_worker *worker)
{
    struct event_log *log = log_of(worker);
    if (log_tail_longer_than(log, 1) && may_try(log))
        return !log->fold.active || owed_us(log) >= SLICE_MIN_US ||
               log_tail_longer_than(log, SLICE_ALWAYS_AT);
    return log_trim_due(log);
}

static bool ready(struct db_worker *worker)
{
    struct event_log *log = log_of(worker);
    if (log->held_count != 0)
        log_relay_held(log);
    if (!may_try(log))
        return false;
    bool idle = clock_mono_ns(log->clock) - log->last_commit_ns >= IDLE_MS * INT64_C(1000000);
    if (idle)
        log_memory_rest(&log->memory);
    /* That the queue is empty says little when commits come every millisecond. */
    if (log->fold.active)
        return idle || log->commit_gap_ns >= QUIET_NS;
    return idle && atomic_load(&log->tail.events) > LOG_IDLE_FOLD_EVENTS;
}

/* --- a round --------------------------------------------------------------------------------- */
static void start_round(struct event_log *log)
{
    struct log_fold *f = &log->fold;
    struct log_tail *tail = &log->tail;
    size_t count = atomic_load(&tail->events);
    if (f->cap < count) {
        free(f->events);
        f->events = xmalloc(count * sizeof *f->events);
        f->cap = count;
    }
    f->count = 0;
    for (size_t b = tail->first; b < tail->end; b++)
        for (unsigned i = 0; i < tail->batches[b]->count; i++)
            f->events[f->count++] = &tail->batches[b]->events[i];
    f->through = atomic_load(&tail->head);
    f->folder = log->folders;
    f->index_done = f->finished = false;
    f->spent_ns = 0;
    f->active = true;
    log_index_start(&f->index, tail, f->through);
}

static int fold_index(struct event_log *log, struct db_tx *tx, int64_t until_ns, struct error *err)
{
    bool more;
    int rc = log_index_slice(&log->fold.index, tx, until_ns, &more, err);
    if (rc == 0 && !more)
        log->fold.index_done = true;
    return rc;
}

static int fold_folder(struct event_log *log, struct db_tx *tx, int64_t until_ns, struct error *err)
{
    struct log_fold *f = &log->fold;
    int64_t left_us = (until_ns - clock_mono_ns(log->clock)) / 1000;
    bool more = false;
    int rc =
        f->folder->fold(f->folder, tx, f->events, f->count, left_us > 0 ? left_us : 0, &more, err);
    if (rc == 0 && !more)
        f->folder = f->folder->next;
    return rc;
}

static int fold_slice(struct event_log *log, struct db_tx *tx, int64_t budget_us, struct error *err)
{
    struct log_fold *f = &log->fold;
    if (fault("log.fold"))
        return error_set(err, FAIL_STORAGE_FULL, "storage_full", "fault point log.fold");
    if (!f->active)
        start_round(log);
    bool whole = f->closing || log_tail_longer_than(log, WRITERS_WAIT_AT);
    int64_t until_ns = whole ? INT64_MAX : clock_mono_ns(log->clock) + budget_us * INT64_C(1000);
    int rc = 0;
    do {
        if (!f->index_done)
            rc = fold_index(log, tx, until_ns, err);
        else if (f->folder != NULL)
            rc = fold_folder(log, tx, until_ns, err);
        else
            break;
    } while (rc == 0 && clock_mono_ns(log->clock) < until_ns);
    if (rc != 0 || !f->index_done || f->folder != NULL)
        return rc;
    f->finished = true;
    rc = log_segments_flush(&log->segments, err); /* nothing is folded that could still be lost */
    return rc != 0
               ? rc
               : db_exec(tx, &advance, err, db_int((int64_t)f->through), db_int(log->last_at_ms),
                         db_int((int64_t)log_segments_last(&log->segments)));
}

static int work(struct db_worker *worker, struct db_tx *tx, int64_t budget_us, bool *ret_more,
                struct error *err)
{
    struct event_log *log = log_of(worker);
    struct log_fold *f = &log->fold;
    bool folding = f->active || log_tail_longer_than(log, 1) || f->closing || !log_trim_due(log);
    if (folding && may_try(log) && atomic_load(&log->tail.events) != 0) {
        /* What came before the round began owes it nothing: that is what it folds. */
        int64_t owed = f->active ? owed_us(log) : 0;
        f->slice_ns = clock_mono_ns(log->clock);
        int rc = fold_slice(log, tx, owed > budget_us ? owed : budget_us, err);
        f->paid = atomic_load(&log->tail.head);
        *ret_more = !f->finished;
        return rc;
    }
    *ret_more = false;
    return log_trim_slice(log, tx, err);
}

/* Commits of slices included: they keep the writers waiting too. */
static void learn_cost(struct log_fold *f)
{
    if (f->count < LOG_IDLE_FOLD_EVENTS) /* what any round costs would count for too much */
        return;
    int64_t cost_ns = f->spent_ns / (int64_t)f->count;
    cost_ns = f->cost_ns + (cost_ns - f->cost_ns) / 4;
    f->cost_ns = cost_ns < COST_NS_MIN ? COST_NS_MIN : cost_ns;
    if (f->cost_ns > COST_NS_MAX)
        f->cost_ns = COST_NS_MAX;
}

static void round_done(struct event_log *log)
{
    struct log_fold *f = &log->fold;
    learn_cost(f);
    for (struct event_folder *folder = log->folders; folder != NULL; folder = folder->next)
        if (folder->folded != NULL)
            folder->folded(folder, f->through);
    log_index_end(&f->index); /* points into the tail, as folders may do until here */
    log_tail_fold(&log->tail, f->through);
    f->active = f->finished = false;
}

static void round_failed(struct event_log *log)
{
    struct log_fold *f = &log->fold;
    if (f->active)
        log_index_end(&f->index);
    for (struct event_folder *folder = log->folders; folder != NULL; folder = folder->next)
        if (folder->reset != NULL)
            folder->reset(folder);
    f->active = f->finished = false;
    f->failed = true;
    f->retry_ns = clock_mono_ns(log->clock) + RETRY_MS * INT64_C(1000000);
    atomic_fetch_add_explicit(&log->fold_failures, 1, memory_order_relaxed);
}

static void ended(struct db_worker *worker, bool committed)
{
    struct event_log *log = log_of(worker);
    struct log_fold *f = &log->fold;
    log_trim_ended(log, committed);
    if (f->slice_ns != 0)
        f->spent_ns += clock_mono_ns(log->clock) - f->slice_ns;
    f->slice_ns = 0;
    if (!committed) {
        round_failed(log);
        return;
    }
    f->failed = false;
    if (f->finished)
        round_done(log);
}

void log_fold_init(struct event_log *log)
{
    log->worker =
        (struct db_worker){.overdue = overdue, .ready = ready, .work = work, .ended = ended};
    log->fold.cost_ns = COST_NS_AT_FIRST;
}

void log_fold_done(struct event_log *log)
{
    log_index_end(&log->fold.index);
    free(log->fold.events);
}
