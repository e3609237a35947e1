#include "gateway/engine_metrics.h"

#include <stdio.h>

#include "base/metric.h"
#include "io/loop.h"

/* One number of a stats struct: where its owner is, and which field. */
struct number {
    enum { OF_DB, OF_LOG, OF_LOOP, OF_POOL } of;
    enum metric_kind kind;
    size_t offset;
    const char *name, *help;
    int scale; /* to nanoseconds, for what is counted in microseconds */
};

static const struct number numbers[] = {
    {OF_DB, METRIC_COUNTER, offsetof(struct db_stats, commits), "parley_db_commits_total",
     "Group commits, each one disk sync."},
    {OF_DB, METRIC_COUNTER, offsetof(struct db_stats, transactions), "parley_db_transactions_total",
     "Transactions run by the writer."},
    {OF_DB, METRIC_COUNTER, offsetof(struct db_stats, failures), "parley_db_failures_total",
     "Transactions and commits that failed."},
    {OF_DB, METRIC_COUNTER, offsetof(struct db_stats, checkpoints), "parley_db_checkpoints_total",
     "Checkpoints of the write-ahead log."},
    {OF_DB, METRIC_COUNTER, offsetof(struct db_stats, commit_us_total),
     "parley_db_commit_seconds_total", "Time spent in COMMIT, sync included.", 1000},
    {OF_DB, METRIC_GAUGE, offsetof(struct db_stats, queue_now), "parley_db_queue",
     "Transactions that wait for the writer."},
    {OF_DB, METRIC_GAUGE, offsetof(struct db_stats, wal_bytes), "parley_db_wal_bytes",
     "Size of the write-ahead log."},
    {OF_LOG, METRIC_GAUGE, offsetof(struct event_log_stats, head), "parley_log_head",
     "Newest position of the log."},
    {OF_LOG, METRIC_GAUGE, offsetof(struct event_log_stats, first), "parley_log_first",
     "Oldest position that is kept."},
    {OF_LOG, METRIC_GAUGE, offsetof(struct event_log_stats, tail_events), "parley_log_tail_events",
     "Events not folded yet, served from memory."},
    {OF_LOG, METRIC_GAUGE, offsetof(struct event_log_stats, tail_bytes), "parley_log_tail_bytes",
     "Memory of those events."},
    {OF_LOG, METRIC_GAUGE, offsetof(struct event_log_stats, segments), "parley_log_segments",
     "Files of the log beside the database."},
    {OF_LOG, METRIC_GAUGE, offsetof(struct event_log_stats, segment_bytes),
     "parley_log_segment_bytes", "Size of those files."},
    {OF_LOOP, METRIC_COUNTER, offsetof(struct loop_stats, turns), "parley_loop_turns_total",
     "Turns of an event loop."},
    {OF_LOOP, METRIC_COUNTER, offsetof(struct loop_stats, mails), "parley_loop_mails_total",
     "Mails from other threads."},
    {OF_LOOP, METRIC_GAUGE, offsetof(struct loop_stats, coroutines), "parley_loop_coroutines",
     "Coroutines under way."},
    {OF_LOOP, METRIC_GAUGE, offsetof(struct loop_stats, longest_turn_us),
     "parley_loop_longest_turn_seconds", "Longest turn since the last scrape.", 1000},
    {OF_POOL, METRIC_GAUGE, 0, "parley_offload_queue", "Jobs that wait for a pool's thread."},
};

/* What a scrape calls; lives as long as the process, as the series do. */
struct source {
    const struct number *number;
    void *owner;
};

static int64_t read_number(void *arg)
{
    const struct source *s = arg;
    union {
        struct db_stats db;
        struct event_log_stats log;
        struct loop_stats loop;
    } stats;
    memset(&stats, 0, sizeof stats);
    switch (s->number->of) {
    case OF_DB: db_stats(s->owner, &stats.db); break;
    case OF_LOG: event_log_stats(s->owner, &stats.log); break;
    case OF_LOOP: loop_stats(s->owner, &stats.loop); break;
    case OF_POOL: return offload_queued(s->owner);
    }
    int64_t value; /* every field that the table names has 64 bits */
    memcpy(&value, (const char *)&stats + s->number->offset, sizeof value);
    return value * (s->number->scale != 0 ? s->number->scale : 1);
}

static void add(int of, void *owner, const char *labels)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const struct number *n = &numbers[i];
        if ((int)n->of != of)
            continue;
        struct source *s = xcalloc(1, sizeof *s);
        *s = (struct source){n, owner};
        if (n->kind == METRIC_COUNTER)
            metric_register_counter_fn(n->name, n->help, labels, read_number, s);
        else
            metric_register_gauge_fn(n->name, n->help, labels, read_number, s);
    }
}

void engine_metrics_register(struct kit *kit)
{
    char labels[64];
    add(OF_DB, kit->main_db, "database=\"main\"");
    for (unsigned i = 0; i < kit->database_count; i++) {
        const struct kit_database *d = &kit->databases[i];
        if (kit_database_again(kit, i))
            continue;
        snprintf(labels, sizeof labels, "database=\"%s\"", d->name != NULL ? d->name : d->room);
        add(OF_DB, d->db, labels);
    }
    add(OF_LOG, kit->log, NULL);
    for (unsigned i = 0; i < kit->loop_count; i++) {
        snprintf(labels, sizeof labels, "loop=\"%u\"", i);
        add(OF_LOOP, kit->loops[i], labels);
    }
    add(OF_POOL, kit->crypto, "pool=\"crypto\"");
    add(OF_POOL, kit->blocking, "pool=\"blocking\"");
}
