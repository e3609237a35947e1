/* What is particular to the embedded log: retention, the relay when delivery fails, folding when
 * nobody writes, writers that wait for a fold that cannot keep up. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/event_log.h"
#include "harness.h"

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type *const types[] = {&sent, NULL};
static const int64_t day_ms = 86400000;

enum { STREAMS = 10 };
/* As struct clock_fake, for several threads. */
static struct {
    struct clock clock;
    _Atomic int64_t wall_ms, mono_ns;
    _Atomic int64_t look_ns; /* what looking at it takes */
} fake;
static struct id streams[STREAMS];
static struct db *db;
static struct event_log *event_log;

static int64_t fake_wall_ms(const struct clock *clock)
{
    return fake.wall_ms;
}

static int64_t fake_mono_ns(const struct clock *clock)
{
    return atomic_fetch_add(&fake.mono_ns, fake.look_ns);
}

static void advance(int64_t ms)
{
    fake.wall_ms += ms;
    fake.mono_ns += ms * 1000000;
}

static void open_log(struct event_log_config config)
{
    char path[200];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/log.db", test_dir());
    struct db_config db_config = {
        .path = path, .readers = 1, .queue_max = 100, .batch_max = 100, .clock = &fake.clock};
    CHECK_OK(db_open(&db_config, &db, &err), &err);
    CHECK_OK(db_migrate(db, &event_log_schema, 1, NULL, &err), &err);
    config.db = db;
    config.types = types;
    CHECK_OK(event_log_open(&config, &event_log, &err), &err);
    CHECK_OK(event_log_start(event_log, &err), &err);
}

static void start(struct event_log_config config)
{
    fake.clock = (struct clock){fake_wall_ms, fake_mono_ns};
    fake.wall_ms = 1700000000000;
    fake.mono_ns = 1000000000;
    fake.look_ns = 0;
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = id_new(&fake.clock);
    open_log(config);
}

static void stop(void)
{
    event_log_close(event_log);
    db_close(db);
}

struct emission {
    unsigned count, stream;
    uint64_t pos;
};

static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    struct emission *e = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < e->count; i++) {
        struct event_draft draft = {.type = &sent,
                                    .stream = streams[(e->stream + i) % STREAMS],
                                    .data = SLICE("{\"text\":\"forty bytes of data, or so\"}")};
        rc = event_emit(event_log, tx, &draft, &e->pos, err);
    }
    return rc;
}

static void emit_many(unsigned count)
{
    struct emission e = {.count = count};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(db, emit, &e, &err), &err);
}

static int nothing(struct db_tx *tx, void *arg, struct error *err)
{
    return 0;
}

static struct event_log_stats stats_now(void)
{
    struct event_log_stats stats;
    event_log_stats(event_log, &stats);
    return stats;
}

/* Lets the writer thread pass by its duties once. */
static void tick(int64_t ms)
{
    struct error err;
    error_init(&err);
    advance(ms);
    CHECK_OK(db_write(db, nothing, NULL, &err), &err);
    CHECK_OK(db_write(db, nothing, NULL, &err), &err); /* after the duties of the one before */
}

static void tick_until_folded(void)
{
    while (stats_now().folded < stats_now().head)
        tick(1000);
}

static void tick_until_first(uint64_t first)
{
    for (int i = 0; i < 1000 && event_log_first(event_log) < first; i++)
        tick(60000);
}

/* --- retention ------------------------------------------------------------------------------- */
static const struct db_sql count_old = {
    "SELECT (SELECT count(*) FROM log WHERE pos < ?1),"
    " (SELECT count(*) FROM log_stream WHERE last_pos < ?1), (SELECT count(*) FROM log_stream)"};

struct old {
    uint64_t first;
    int64_t rows, index_rows, all_index_rows;
};

static int count_old_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct old *old = arg;
    struct db_rows rows;
    int rc = db_query(tx, &count_old, &rows, err, db_int((int64_t)old->first));
    if (rc == 0)
        rc = db_next(&rows, err);
    old->rows = db_col_int(&rows, 0);
    old->index_rows = db_col_int(&rows, 1);
    old->all_index_rows = db_col_int(&rows, 2);
    return rc < 0 ? rc : 0;
}

static struct old old_before(uint64_t first)
{
    struct old old = {.first = first};
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(db, count_old_fn, &old, &err), &err);
    return old;
}

TEST(old_rows_and_their_index_go_and_the_head_stays)
{
    start((struct event_log_config){.tail_events_max = 100, .retention_ms = day_ms});
    for (unsigned i = 0; i < 12; i++)
        emit_many(1000);
    tick_until_folded();
    CHECK_INT(event_log_first(event_log), 1);
    tick(day_ms / 2);
    CHECK_INT(event_log_first(event_log), 1); /* not old yet */
    emit_many(200);
    tick_until_folded();
    fake.wall_ms += day_ms / 2 + 1000;
    tick_until_first(12001);
    CHECK_INT(event_log_first(event_log), 12001);
    struct old old;
    for (int i = 0; i < 100 && (old = old_before(12001)).index_rows > 0; i++)
        tick(200);
    CHECK_INT(old.rows, 0);
    CHECK_INT(stats_now().segments, 2); /* what is not old, and the one that is written to */
    CHECK_INT(old.index_rows, 0);
    CHECK(old.all_index_rows > 0);
    fake.wall_ms += 2 * day_ms;
    tick_until_first(12201);
    stop();
    open_log((struct event_log_config){.retention_ms = day_ms}); /* now the log has no row at all */
    CHECK_INT(event_log_first(event_log), 12201);
    CHECK_INT(event_log_head(event_log), 12200);
    struct emission e = {.count = 1};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(db, emit, &e, &err), &err);
    CHECK_INT(e.pos, 12201); /* a position is never given twice */
    stop();
}

TEST(a_log_that_is_too_large_is_cut)
{
    start((struct event_log_config){
        .tail_events_max = 100, .retention_bytes = 200000, .segment_bytes = 20000});
    for (unsigned i = 0; i < 20; i++)
        emit_many(1000);
    tick_until_folded();
    for (int i = 0; i < 20; i++)
        tick(60000);
    struct event_log_stats stats = stats_now();
    CHECK(stats.first > 15000 && stats.first < stats.head);
    CHECK_INT(old_before(stats.first).rows, 0);
    CHECK(stats.segment_bytes < 600000 && stats.segments < 30);
    stop();
}

/* --- delivery that fails --------------------------------------------------------------------- */
struct follower {
    struct event_subscription subscription;
    uint64_t head;
    unsigned batches;
};

static void follow(struct event_subscription *sub, struct event_batch *batch)
{
    struct follower *f = CONTAINER_OF(sub, struct follower, subscription);
    CHECK_INT(batch->prev_head, f->head);
    f->head = batch->head;
    if (++f->batches == 3)
        loop_stop(sub->loop);
}

TEST(a_batch_whose_delivery_fails_comes_with_the_next_one)
{
    start((struct event_log_config){0});
    struct error err;
    error_init(&err);
    struct loop *loop;
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    struct follower f = {.subscription = {.loop = loop, .deliver = follow}};
    event_log_subscribe(event_log, &f.subscription);
    CHECK(fault_set("log.relay=error@2"));
    emit_many(1);
    emit_many(2);
    emit_many(3);
    CHECK(fault_set(""));
    loop_run(loop); /* until the third batch has come */
    CHECK_INT(f.head, 6);
    stop();
    loop_free(loop);
}

TEST(a_batch_whose_delivery_fails_comes_without_a_next_one)
{
    start((struct event_log_config){0});
    struct error err;
    error_init(&err);
    struct loop *loop;
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    struct follower f = {.subscription = {.loop = loop, .deliver = follow}, .batches = 1};
    event_log_subscribe(event_log, &f.subscription);
    CHECK(fault_set("log.relay=error"));
    emit_many(1);
    emit_many(2);
    CHECK(fault_set(""));
    loop_run(loop);
    CHECK_INT(f.head, 3);
    stop();
    loop_free(loop);
}

/* --- folding --------------------------------------------------------------------------------- */
TEST(a_tail_is_folded_when_nobody_writes)
{
    start((struct event_log_config){.tail_events_max = 100000});
    emit_many(5000);
    CHECK_INT(stats_now().folded, 0);
    advance(1000); /* the writer finds out by itself, within a second */
    while (stats_now().tail_events > 0)
        usleep(1000);
    CHECK_INT(stats_now().folded, 5000);
    stop();
}

/* However little time its slices have: at twice the allowed length each commit is followed by one.
 */
TEST(a_fold_keeps_pace_with_those_who_write)
{
    enum { ALLOWED = 1000, WRITTEN = 20000, ROUND_SLICES = 100 };
    start((struct event_log_config){.tail_events_max = ALLOWED});
    fake.look_ns = 1500000;
    size_t longest = 0;
    for (unsigned i = 0; i < WRITTEN / STREAMS; i++) {
        emit_many(STREAMS);
        size_t now = stats_now().tail_events;
        longest = now > longest ? now : longest;
    }
    CHECK(stats_now().folded > WRITTEN / 2);
    CHECK(longest >= ALLOWED && longest < 2 * ALLOWED + ROUND_SLICES * STREAMS);
    CHECK_INT(stats_now().fold_failures, 0);
    stop();
}

static void refused_while_nothing_can_be_folded(const struct event_log_config *config)
{
    start(*config);
    CHECK(fault_set("log.fold=error"));
    struct emission e = {.count = 1};
    struct error err;
    error_init(&err);
    int rc = 0;
    for (int i = 0; rc == 0 && i < 1000; i++)
        rc = db_write(db, emit, &e, &err);
    CHECK_INT(rc, FAIL_UNAVAILABLE);
    CHECK_STR(slice_str(err.code), "log_backlog");
    CHECK(stats_now().refuses);
    CHECK(stats_now().tail_events <= 81);
    CHECK(stats_now().fold_failures > 0);
    CHECK(fault_set(""));
    advance(1000);
    tick(1);
    error_init(&err);
    CHECK_OK(db_write(db, emit, &e, &err), &err);
    CHECK(!stats_now().refuses);
    stop();
}

TEST(a_fold_that_cannot_be_done_stops_the_log_from_growing_in_memory)
{
    refused_while_nothing_can_be_folded(&(struct event_log_config){.tail_events_max = 10});
    refused_while_nothing_can_be_folded(&(struct event_log_config){.tail_bytes_max = 500});
}
