/* What every log must do, whichever stands behind the door (engine/event_log.h). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "harness.h"
#include "log_engine.h"

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type changed = {.name = "member.changed", .client = true};
static const struct event_type *const types[] = {&sent, &changed, NULL};

enum { STREAMS = 20, MODEL_MAX = 20000 };
static struct id streams[STREAMS];

/* What the log must hold: the stream number at every position. */
static unsigned model[MODEL_MAX + 1];
static uint64_t model_head;

static struct event_log *open_log(size_t tail_max, const struct clock *clock)
{
    struct event_log_config config = {
        .types = types, .tail_events_max = tail_max, .segment_bytes = 8192};
    struct event_log *log = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(log_engine_open(&config, clock, &log, &err), &err);
    return log;
}

static struct event_log *start_log(size_t tail_max)
{
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = id_new(&clock_system);
    model_head = 0;
    struct event_log *log = open_log(tail_max, &clock_system);
    struct error err;
    error_init(&err);
    CHECK_OK(event_log_start(log, &err), &err);
    return log;
}

struct emission {
    struct event_log *log;
    unsigned count; /* events in one transaction, of the streams below */
    unsigned stream[16];
    bool writes; /* a table too */
    int result;
    uint64_t pos[16];
};

static const struct db_sql make_table = {
    "CREATE TABLE IF NOT EXISTS suite_write (number INTEGER NOT NULL)"};
static const struct db_sql write_row = {"INSERT INTO suite_write (number) VALUES (1)"};

static int write_table(struct db_tx *tx, struct error *err)
{
    int rc = db_exec_n(tx, &make_table, NULL, 0, err);
    return rc == 0 ? db_exec_n(tx, &write_row, NULL, 0, err) : rc;
}

static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    struct emission *e = arg;
    for (unsigned i = 0; i < e->count; i++) {
        char text[40];
        int len = snprintf(text, sizeof text, "{\"stream\":%u}", e->stream[i]);
        struct event_draft draft = {
            .type = &sent, .stream = streams[e->stream[i]], .data = slice_of(text, (size_t)len)};
        int rc = event_emit(e->log, tx, &draft, &e->pos[i], err);
        if (rc != 0)
            return rc;
    }
    int rc = e->writes ? write_table(tx, err) : 0;
    if (rc == 0 && e->result != 0)
        rc = error_set(err, (enum fail)e->result, "told_to", "told to fail");
    return rc;
}

static void emit_one(struct event_log *log, unsigned stream)
{
    struct emission e = {
        .log = log, .count = 1, .stream = {stream}, .writes = random_below(3) == 0};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(event_log_db(log), emit, &e, &err), &err);
    CHECK(e.pos[0] == model_head + 1 && model_head < MODEL_MAX);
    model[++model_head] = stream;
}

static void emit_random(struct event_log *log, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        emit_one(log, (unsigned)(random_below(4) != 0 ? random_below(3) : random_below(STREAMS)));
}

/* --- one event ------------------------------------------------------------------------------- */
static int emit_rich(struct db_tx *tx, void *arg, struct error *err)
{
    struct event_link links[] = {{EVENT_FOLLOW, streams[3]}, {EVENT_UNFOLLOW, streams[4]}};
    struct event_draft draft = {.type = &changed,
                                .stream = streams[1],
                                .data = SLICE("{\"caf\303\251\":1}"),
                                .links = links,
                                .link_count = 2,
                                .correlation_id = SLICE("abc-123")};
    return event_emit(arg, tx, &draft, NULL, err);
}

static struct id seen_id;
static int64_t seen_at;

static int check_rich(const struct event *e, void *arg, struct error *err)
{
    CHECK_INT(e->pos, 1);
    CHECK_STR(slice_str(e->type->name), "member.changed");
    CHECK(id_eq(&e->stream, &streams[1]));
    CHECK_STR(e->data, "{\"caf\303\251\":1}");
    CHECK_STR(e->correlation_id, "abc-123");
    CHECK_INT(e->link_count, 2);
    CHECK(e->links[0].kind == EVENT_FOLLOW && id_eq(&e->links[0].user, &streams[3]));
    CHECK(e->links[1].kind == EVENT_UNFOLLOW && id_eq(&e->links[1].user, &streams[4]));
    CHECK(id_is_nil(&seen_id) || (id_eq(&seen_id, &e->id) && seen_at == e->at_ms));
    seen_id = e->id;
    seen_at = e->at_ms;
    ++*(int *)arg;
    return 0;
}

struct read_all {
    struct event_log *log;
    uint64_t after;
    event_fn *fn;
    void *arg;
};

static int read_all_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct read_all *r = arg;
    return event_log_read(r->log, tx, r->after, 100000, r->fn, r->arg, err);
}

static int read_stream_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct read_all *r = arg;
    uint64_t through;
    return event_log_read_streams(r->log, tx, r->after, &streams[1], NULL, 1, 10, r->fn, r->arg,
                                  &through, err);
}

static void read_rich_both_ways(struct event_log *log)
{
    struct error err;
    error_init(&err);
    int seen = 0;
    struct read_all r = {.log = log, .fn = check_rich, .arg = &seen};
    CHECK_OK(db_read(event_log_db(log), read_all_fn, &r, &err), &err);
    CHECK_OK(db_read(event_log_db(log), read_stream_fn, &r, &err), &err);
    CHECK_INT(seen, 2);
}

TEST(log_an_event_comes_back_whole_and_stays_the_same)
{
    struct event_log *log = start_log(0);
    struct error err;
    error_init(&err);
    seen_id = (struct id){{0}};
    CHECK_OK(db_write(event_log_db(log), emit_rich, log, &err), &err);
    CHECK_INT(event_log_head(log), 1);
    read_rich_both_ways(log); /* from the tail */
    log_engine_close(log);
    log = open_log(0, &clock_system);
    CHECK_OK(event_log_start(log, &err), &err);
    read_rich_both_ways(log); /* from the index */
    log_engine_close(log);
}

static int emit_large(struct db_tx *tx, void *arg, struct error *err)
{
    static char big[(1 << 20) + 1];
    struct event_draft draft = {
        .type = &sent, .stream = streams[0], .data = slice_of(big, sizeof big)};
    return event_emit(arg, tx, &draft, NULL, err);
}

static int emit_without_stream(struct db_tx *tx, void *arg, struct error *err)
{
    struct event_draft draft = {.type = &sent, .data = SLICE("{}")};
    return event_emit(arg, tx, &draft, NULL, err);
}

static int emit_without_data(struct db_tx *tx, void *arg, struct error *err)
{
    struct event_draft draft = {.type = &sent, .stream = streams[0]};
    return event_emit(arg, tx, &draft, NULL, err);
}

/* At once, so that it cannot fail the commit it would share with others. */
TEST(log_refuses_an_incomplete_event)
{
    struct event_log *log = start_log(0);
    struct error err;
    error_init(&err);
    CHECK_INT(db_write(event_log_db(log), emit_without_stream, log, &err), FAIL_INTERNAL);
    CHECK_STR(slice_str(err.code), "event_incomplete");
    error_init(&err);
    CHECK_INT(db_write(event_log_db(log), emit_without_data, log, &err), FAIL_INTERNAL);
    log_engine_close(log);
}

TEST(log_refuses_what_is_too_large)
{
    struct event_log *log = start_log(0);
    struct error err;
    error_init(&err);
    CHECK_INT(db_write(event_log_db(log), emit_large, log, &err), FAIL_TOO_LARGE);
    CHECK_STR(slice_str(err.code), "event_too_large");
    CHECK_INT(event_log_head(log), 0);
    log_engine_close(log);
}

/* --- positions ------------------------------------------------------------------------------- */
static int count_in_order(const struct event *e, void *arg, struct error *err)
{
    uint64_t *last = arg;
    CHECK(e->pos == *last + 1);
    char text[40];
    snprintf(text, sizeof text, "{\"stream\":%u}", model[e->pos]);
    CHECK_STR(e->data, text);
    CHECK(id_eq(&e->stream, &streams[model[e->pos]]));
    *last = e->pos;
    return 0;
}

static void check_whole_log(struct event_log *log)
{
    uint64_t last = 0;
    struct read_all r = {.log = log, .fn = count_in_order, .arg = &last};
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(event_log_db(log), read_all_fn, &r, &err), &err);
    CHECK_INT(last, model_head);
    CHECK_INT(event_log_head(log), model_head);
}

TEST(log_an_undone_transaction_gives_its_positions_back)
{
    struct event_log *log = start_log(0);
    struct error err;
    error_init(&err);
    emit_one(log, 1);
    struct emission failing = {
        .log = log, .count = 3, .stream = {4, 5, 6}, .result = FAIL_FORBIDDEN};
    CHECK_INT(db_write(event_log_db(log), emit, &failing, &err), FAIL_FORBIDDEN);
    emit_one(log, 2);
    check_whole_log(log);
    log_engine_close(log);
}

/* --- many streams, against a model ----------------------------------------------------------- */
struct streams_read {
    struct event_log *log;
    struct id ids[STREAMS];
    unsigned numbers[STREAMS];
    uint64_t since[STREAMS];
    unsigned count, limit;
    uint64_t after, through;
    uint64_t expected, given;
};

static bool model_wants(const struct streams_read *r, uint64_t pos)
{
    for (unsigned i = 0; i < r->count; i++)
        if (r->numbers[i] == model[pos])
            return pos >= r->since[i];
    return false;
}

static int check_next(const struct event *e, void *arg, struct error *err)
{
    struct streams_read *r = arg;
    do {
        r->expected++;
    } while (r->expected <= model_head && !model_wants(r, r->expected));
    CHECK_INT(e->pos, r->expected);
    r->given++;
    return 0;
}

static int streams_read_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct streams_read *r = arg;
    r->expected = r->after;
    r->given = 0;
    return event_log_read_streams(r->log, tx, r->after, r->ids, r->since, r->count, r->limit,
                                  check_next, r, &r->through, err);
}

/* A page after another until nothing is left; every event exactly once. */
static void check_streams(struct event_log *log, uint64_t after)
{
    struct streams_read r = {.log = log, .after = after, .limit = 1 + (unsigned)random_below(50)};
    unsigned first = (unsigned)random_below(STREAMS);
    r.count = (unsigned)random_below(STREAMS + 1);
    for (unsigned i = 0; i < r.count; i++) {
        r.numbers[i] = (first + i) % STREAMS;
        r.ids[i] = streams[r.numbers[i]];
        r.since[i] = random_below(3) == 0 ? random_below(model_head + 2) : 0;
    }
    struct error err;
    error_init(&err);
    do {
        CHECK_OK(db_read(event_log_db(log), streams_read_fn, &r, &err), &err);
        CHECK(r.given <= r.limit && r.through >= r.after);
        if (r.given < r.limit)
            CHECK_INT(r.through, r.after > model_head ? r.after : model_head);
        else
            CHECK_INT(r.through, r.expected);
        r.after = r.through;
    } while (r.given == r.limit);
    for (r.expected++; r.expected <= model_head; r.expected++)
        CHECK(!model_wants(&r, r.expected));
}

static void check_many(struct event_log *log, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        check_streams(log, random_below(model_head + 3));
}

TEST(log_streams_from_the_tail)
{
    struct event_log *log = start_log(100000);
    check_many(log, 5);
    emit_random(log, 500);
    check_many(log, 100);
    log_engine_close(log);
}

TEST(log_streams_from_index_and_tail_and_after_reopening)
{
    struct event_log *log = start_log(100); /* folds all the time */
    struct error err;
    error_init(&err);
    for (unsigned i = 0; i < 20; i++) {
        emit_random(log, 150);
        check_many(log, 10);
    }
    struct event_log_stats stats;
    event_log_stats(log, &stats);
    CHECK(stats.folded > 0);
    CHECK_INT(stats.head, 3000);
    check_whole_log(log);
    log_engine_close(log);
    log = open_log(100, &clock_system);
    CHECK_OK(event_log_start(log, &err), &err);
    event_log_stats(log, &stats);
    CHECK_INT(stats.folded, stats.head); /* a clean close folds everything */
    check_many(log, 50);
    emit_random(log, 150);
    check_many(log, 50);
    check_whole_log(log);
    log_engine_close(log);
}

/* A snapshot that was taken before the tail was folded away must miss nothing. */
struct stale {
    struct streams_read r;
    bool writes;
    pthread_t thread;
};

static void *emit_until_folded(void *arg)
{
    struct stale *s = arg;
    struct event_log *log = s->r.log;
    struct event_log_stats stats;
    event_log_stats(log, &stats);
    uint64_t target = stats.head;
    for (unsigned i = 0; stats.folded < target; i++) {
        struct emission e = {.log = log, .count = 1, .stream = {i % STREAMS}, .writes = s->writes};
        struct error err;
        error_init(&err);
        CHECK_OK(db_write(event_log_db(log), emit, &e, &err), &err);
        event_log_stats(log, &stats);
    }
    return NULL;
}

static int ignore(const struct event *e, void *arg, struct error *err)
{
    return 1;
}

static int stale_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct stale *s = arg;
    int rc = event_log_read(s->r.log, tx, 0, 1, ignore, NULL, err); /* takes the snapshot */
    pthread_create(&s->thread, NULL, emit_until_folded, s);
    pthread_join(s->thread, NULL);
    return rc == 0 ? streams_read_fn(tx, &s->r, err) : rc;
}

/* What was written since may be given when no table was changed with it, never otherwise. */
static void read_stale(bool writes)
{
    struct event_log *log = start_log(100);
    emit_random(log, 90);
    struct stale s = {.r = {.log = log, .count = 3, .limit = 1000}, .writes = writes};
    for (unsigned i = 0; i < 3; i++) {
        s.r.numbers[i] = i;
        s.r.ids[i] = streams[i];
    }
    uint64_t seen = model_head;
    while (model_head < 10000) { /* what the other thread will write, as far as it comes */
        model_head++;
        model[model_head] = (unsigned)((model_head - seen - 1) % STREAMS);
    }
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(event_log_db(log), stale_fn, &s, &err), &err);
    if (writes)
        CHECK_INT(s.r.through, seen);
    else
        CHECK(s.r.through >= seen && s.r.through <= event_log_head(log));
    uint64_t want = 0;
    for (uint64_t pos = 1; pos <= s.r.through; pos++)
        want += model[pos] < 3;
    CHECK_INT(s.r.given, want);
    log_engine_close(log);
}

TEST(log_a_snapshot_older_than_the_fold_misses_nothing)
{
    read_stale(false);
}

TEST(log_a_snapshot_is_given_no_event_of_a_change_that_it_does_not_see)
{
    read_stale(true);
}

/* --- the relay ------------------------------------------------------------------------------- */
struct follower {
    struct event_subscription subscription;
    struct loop *loop;
    pthread_t thread;
    uint64_t head; /* loop thread */
    _Atomic uint64_t seen;
    _Atomic unsigned events;
    _Atomic bool gap;
};

static void follow(struct event_subscription *sub, struct event_batch *batch)
{
    struct follower *f = CONTAINER_OF(sub, struct follower, subscription);
    if (f->head == 0)
        f->head = sub->joined;
    bool joins = batch->prev_head == f->head && batch->events[batch->count - 1].pos == batch->head;
    for (unsigned i = 0; i < batch->count; i++)
        joins &= batch->events[i].pos > batch->prev_head + i && batch->events[i].data.len > 0;
    if (!joins)
        f->gap = true;
    f->head = batch->head;
    f->events += batch->count;
    f->seen = batch->head;
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void *emit_many(void *arg)
{
    for (unsigned i = 0; i < 200; i++) {
        struct emission e = {.log = arg, .count = 2, .stream = {i % STREAMS, 1}};
        struct error err;
        error_init(&err);
        CHECK_OK(db_write(event_log_db(arg), emit, &e, &err), &err);
        CHECK(e.pos[1] == e.pos[0] + 1);
        CHECK(event_log_head(arg) >= e.pos[1]); /* acknowledged means visible */
    }
    return NULL;
}

enum { FOLLOWERS = 2, EMITTERS = 4 };

TEST(log_every_loop_gets_every_batch_in_order_without_gaps)
{
    struct event_log *log = start_log(100);
    struct follower followers[FOLLOWERS] = {0};
    pthread_t emitters[EMITTERS];
    struct error err;
    error_init(&err);
    emit_random(log, 10);
    for (unsigned i = 0; i < EMITTERS; i++)
        pthread_create(&emitters[i], NULL, emit_many, log);
    for (unsigned i = 0; i < FOLLOWERS; i++) { /* joining in the middle of it */
        struct follower *f = &followers[i];
        CHECK_OK(loop_new(&(struct loop_config){.index = i}, &f->loop, &err), &err);
        f->subscription = (struct event_subscription){.loop = f->loop, .deliver = follow};
        event_log_subscribe(log, &f->subscription);
        pthread_create(&f->thread, NULL, run_loop, f->loop);
    }
    for (unsigned i = 0; i < EMITTERS; i++)
        pthread_join(emitters[i], NULL);
    struct emission last = {.log = log, .count = 1}; /* after everybody has joined */
    CHECK_OK(db_write(event_log_db(log), emit, &last, &err), &err);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        struct follower *f = &followers[i];
        while (f->seen < event_log_head(log))
            sched_yield();
        CHECK(!f->gap);
        CHECK_INT(f->events, event_log_head(log) - f->subscription.joined);
    }
    log_engine_close(log);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        loop_stop(followers[i].loop);
        pthread_join(followers[i].thread, NULL);
        loop_free(followers[i].loop);
    }
}

/* --- folders --------------------------------------------------------------------------------- */
struct copier { /* a derived table: one row per event, written in slices of 10 */
    struct event_folder folder;
    size_t next;
    uint64_t folded;
    unsigned replayed, failures_left, resets;
};

static const struct db_migration copies[] = {
    {1, "copies", "CREATE TABLE copy (pos INTEGER PRIMARY KEY, data TEXT)"}};
static const struct db_schema copy_schema = {"copies", copies, 1};
static const struct db_sql put_copy = {
    "INSERT INTO copy (pos, data) VALUES (?1, ?2) ON CONFLICT (pos) DO UPDATE SET data = ?2"};
static const struct db_sql count_copies = {"SELECT count(*), max(pos) FROM copy"};

static int copy_fold(struct event_folder *folder, struct db_tx *tx,
                     const struct event *const *events, size_t count, int64_t budget_us,
                     bool *ret_more, struct error *err)
{
    struct copier *c = CONTAINER_OF(folder, struct copier, folder);
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < 10 && c->next < count; i++, c->next++) {
        CHECK(c->next == 0 || events[c->next]->pos > events[c->next - 1]->pos);
        rc = db_exec(tx, &put_copy, err, db_int((int64_t)events[c->next]->pos),
                     db_text(events[c->next]->data));
    }
    if (c->next >= 20 && c->failures_left > 0) {
        c->failures_left--;
        return error_set(err, FAIL_INTERNAL, "told_to", "told to fail");
    }
    *ret_more = c->next < count;
    if (!*ret_more)
        c->next = 0;
    return rc;
}

static void copy_reset(struct event_folder *folder)
{
    struct copier *c = CONTAINER_OF(folder, struct copier, folder);
    c->next = 0;
    c->resets++;
}

static void copy_replay(struct event_folder *folder, const struct event *event)
{
    CONTAINER_OF(folder, struct copier, folder)->replayed++;
}

static void copy_folded(struct event_folder *folder, uint64_t pos)
{
    CONTAINER_OF(folder, struct copier, folder)->folded = pos;
}

static int count_copies_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &count_copies, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    CHECK_INT(db_col_int(&rows, 0), model_head);
    CHECK_INT(db_col_int(&rows, 1), model_head);
    return rc < 0 ? rc : 0;
}

TEST(log_folders_follow_and_survive_failed_slices)
{
    struct event_log *log = start_log(100);
    log_engine_close(log);
    struct copier c = {.folder = {.name = "copies",
                                  .fold = copy_fold,
                                  .replay = copy_replay,
                                  .reset = copy_reset,
                                  .folded = copy_folded},
                       .failures_left = 1};
    struct error err;
    error_init(&err);
    log = open_log(100, &clock_system);
    CHECK_OK(db_migrate(event_log_db(log), &copy_schema, 1, NULL, &err), &err);
    event_log_add_folder(log, &c.folder);
    CHECK_OK(event_log_start(log, &err), &err);
    emit_random(log, 250);
    log_engine_close(log);
    CHECK_INT(c.folded, model_head);
    CHECK_INT(c.resets, 1);
    CHECK_INT(c.replayed, 0);
    log = open_log(100, &clock_system);
    CHECK_OK(db_read(event_log_db(log), count_copies_fn, NULL, &err), &err);
    CHECK_OK(event_log_start(log, &err), &err);
    check_many(log, 20);
    log_engine_close(log);
}

/* --- time ------------------------------------------------------------------------------------ */
static int times_rise(const struct event *e, void *arg, struct error *err)
{
    int64_t *last = arg;
    CHECK(e->at_ms >= *last);
    *last = e->at_ms;
    return 0;
}

TEST(log_time_never_goes_back)
{
    streams[0] = id_new(&clock_system);
    struct clock_fake fake;
    clock_fake_init(&fake, 2000000000000);
    struct error err;
    error_init(&err);
    struct event_log *log = open_log(0, &fake.clock);
    CHECK_OK(event_log_start(log, &err), &err);
    struct emission e = {.log = log, .count = 1};
    CHECK_OK(db_write(event_log_db(log), emit, &e, &err), &err);
    log_engine_close(log);
    fake.wall_ms = 1000000000000; /* the operator sets the clock back; a restart, too */
    log = open_log(0, &fake.clock);
    CHECK_OK(event_log_start(log, &err), &err);
    e.log = log;
    CHECK_OK(db_write(event_log_db(log), emit, &e, &err), &err);
    int64_t last = 2000000000000;
    struct read_all r = {.log = log, .fn = times_rise, .arg = &last};
    CHECK_OK(db_read(event_log_db(log), read_all_fn, &r, &err), &err);
    log_engine_close(log);
}
