/* Transactions from coroutines: many park on one loop, come home by one mail per commit, keep their
 * stacks until their function has run, and are not released early by a cancellation. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/fault.h"
#include "engine/db_sqlite.h"
#include "engine/event_log.h"
#include "harness.h"

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type *const types[] = {&sent, NULL};
static struct db *db;
static struct event_log *event_log;
static struct loop *loop;

static void open_all(unsigned queue_max)
{
    char path[200];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/main.db", test_dir());
    struct db_config config = {
        .path = path, .readers = 2, .queue_max = queue_max, .batch_max = 512};
    CHECK_OK(db_open(&config, &db, &err), &err);
    CHECK_OK(db_migrate(db, &event_log_schema, 1, NULL, &err), &err);
    CHECK_OK(event_log_open(&(struct event_log_config){.db = db, .types = types}, &event_log, &err),
             &err);
    CHECK_OK(event_log_start(event_log, &err), &err);
    CHECK_OK(loop_new(&(struct loop_config){.stacks_max = 2000}, &loop, &err), &err);
}

static void close_all(void)
{
    event_log_close(event_log);
    db_close(db);
    loop_free(loop);
}

struct start {
    struct mail mail;
    void (*fn)(void *arg);
    void *arg;
    size_t size;
    unsigned count;
};

static void start_all(struct mail *mail)
{
    struct start *s = CONTAINER_OF(mail, struct start, mail);
    struct error err;
    error_init(&err);
    for (unsigned i = 0; i < s->count; i++)
        CHECK_OK(coro_spawn(loop, s->fn, (char *)s->arg + i * s->size, &err), &err);
}

/* Runs `count` coroutines, each with its part of the array; the last one stops the loop. */
static unsigned running;
static void run(void (*fn)(void *arg), void *array, size_t size, unsigned count)
{
    struct start s = {
        .mail = {.deliver = start_all}, .fn = fn, .arg = array, .size = size, .count = count};
    running = count;
    loop_post(loop, &s.mail);
    loop_run(loop);
}

static void finished(void)
{
    if (--running == 0)
        loop_stop(loop);
}

/* --- many at once ---------------------------------------------------------------------------- */
enum { WRITERS = 500, EACH = 10 };

struct writer {
    struct id stream;
    uint64_t last;
};

struct seen {
    struct event_subscription subscription;
    uint64_t head;
};
static struct seen seen;

static void note_batch(struct event_subscription *sub, struct event_batch *batch)
{
    CHECK_INT(batch->prev_head, seen.head);
    seen.head = batch->head;
}

static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    struct writer *w = arg;
    struct event_draft draft = {.type = &sent, .stream = w->stream, .data = SLICE("{}")};
    return event_emit(event_log, tx, &draft, &w->last, err);
}

struct count {
    const struct writer *writer;
    unsigned events;
};

static int count_one(const struct event *event, void *arg, struct error *err)
{
    ++*(unsigned *)arg;
    return 0;
}

static int count_events(struct db_tx *tx, void *arg, struct error *err)
{
    struct count *c = arg;
    uint64_t through;
    return event_log_read_streams(event_log, tx, 0, &c->writer->stream, NULL, 1, 100, count_one,
                                  &c->events, &through, err);
}

static void write_and_read(void *arg)
{
    struct writer *w = arg;
    for (unsigned i = 1; i <= EACH; i++) {
        struct error err;
        error_init(&err);
        uint64_t before = w->last;
        CHECK_OK(db_write(db, emit, w, &err), &err);
        CHECK(w->last > before);
        /* Events are delivered first: whoever is acknowledged has seen his own. */
        CHECK(seen.head >= w->last);
        struct count c = {.writer = w};
        CHECK_OK(db_read(db, count_events, &c, &err), &err);
        CHECK_INT(c.events, i);
    }
    finished();
}

TEST(coroutines_share_commits_and_see_their_own_events_first)
{
    static struct writer writers[WRITERS];
    open_all(1000);
    seen = (struct seen){.subscription = {.loop = loop, .deliver = note_batch}};
    event_log_subscribe(event_log, &seen.subscription);
    for (unsigned i = 0; i < WRITERS; i++)
        writers[i] = (struct writer){.stream = id_new(&clock_system)};
    run(write_and_read, writers, sizeof writers[0], WRITERS);
    struct db_stats stats;
    db_stats(db, &stats);
    CHECK(stats.commits < stats.transactions / 2); /* they did share */
    CHECK_INT(event_log_head(event_log), WRITERS * EACH);
    close_all();
}

/* --- cancelling ------------------------------------------------------------------------------ */
struct cancelled {
    struct coro *coro;
    _Atomic bool may_go_on;
    bool ran;
    int result, next_wait;
};
static struct cancelled cancelled;

static int run_held(struct db_tx *tx, void *arg, struct error *err)
{
    struct cancelled *c = arg;
    while (!c->may_go_on)
        sched_yield();
    c->ran = true;
    return 0;
}

static void write_until_released(void *arg)
{
    struct cancelled *c = arg;
    struct error err;
    error_init(&err);
    c->coro = coro_current();
    c->result = db_write(db, run_held, c, &err);
    CHECK(c->ran); /* not earlier: the function works on this stack */
    c->next_wait = coro_sleep(1000000);
    finished();
}

static void cancel_then_release(void *arg)
{
    CHECK(cancelled.coro != NULL);
    coro_cancel(cancelled.coro);
    coro_yield(); /* it has run by now, and must have gone back to waiting */
    coro_yield();
    CHECK(!cancelled.ran);
    cancelled.may_go_on = true;
    finished();
}

static void (*const cancel_parts[])(void *arg) = {write_until_released, cancel_then_release};

static void run_part(void *arg)
{
    void (*const *part)(void *) = arg;
    (*part)(&cancelled);
}

TEST(a_cancelled_coroutine_waits_for_its_transaction_and_then_hears_of_it)
{
    open_all(1000);
    run(run_part, (void *)cancel_parts, sizeof cancel_parts[0], 2);
    CHECK_INT(cancelled.result, 0);
    CHECK_INT(cancelled.next_wait, FAIL_CANCELLED);
    close_all();
}

/* --- nobody waits ---------------------------------------------------------------------------- */
enum { LATERS = 200 };

struct later {
    struct arena arena;
    struct writer writer;
    struct error err;
    bool fail, accepted, ran;
    _Atomic bool looked_ahead;
    unsigned ends;
    int rc;
};

static int run_later(struct db_tx *tx, void *arg, struct error *err)
{
    struct later *l = arg;
    CHECK(!l->ran);
    l->ran = true;
    int rc = emit(tx, &l->writer, err);
    return rc == 0 && l->fail ? error_set(err, FAIL_CONFLICT, "undone", "undone by the test") : rc;
}

static void look_ahead(const void *arg)
{
    struct later *l = (struct later *)(uintptr_t)arg;
    CHECK(!l->ran);
    atomic_store(&l->looked_ahead, true);
}

static void later_done(void *arg, int rc)
{
    struct later *l = arg;
    l->rc = rc;
    l->ends++;
    CHECK(loop_current() == loop && coro_current() == NULL);
    CHECK(rc != 0 || seen.head >= l->writer.last); /* own events before the answer */
    finished();
}

static const struct db_work later_work = {run_later, look_ahead, later_done};

static void start_laters(void *arg)
{
    struct later *laters = arg;
    for (unsigned i = 0; i < LATERS; i++) {
        struct later *l = &laters[i];
        arena_init(&l->arena, 4096 + 64);
        error_init(&l->err);
        l->writer.stream = id_new(&clock_system);
        l->fail = i % 3 == 0;
        l->accepted = db_write_later(db, &l->arena, &later_work, l, &l->err) == 0;
        running += l->accepted;
        CHECK(l->accepted || strcmp(l->err.code, "busy") == 0);
        CHECK(l->ends == 0);
    }
    finished();
}

static void check_laters(const struct later *laters, int expected)
{
    unsigned accepted = 0, ahead = 0;
    for (unsigned i = 0; i < LATERS; i++) {
        const struct later *l = &laters[i];
        CHECK_INT(l->ends, l->accepted);
        CHECK(l->ran == l->accepted);
        accepted += l->accepted;
        ahead += l->looked_ahead;
        if (l->accepted)
            CHECK_INT(l->rc, l->fail ? FAIL_CONFLICT : expected);
    }
    CHECK(accepted >= 100); /* as many as may wait, and what the writer has taken meanwhile */
    CHECK(ahead > 0);
}

static void run_laters(int expected)
{
    static struct later laters[LATERS];
    memset(laters, 0, sizeof laters);
    struct error err;
    error_init(&err);
    seen = (struct seen){.subscription = {.loop = loop, .deliver = note_batch}};
    event_log_subscribe(event_log, &seen.subscription);
    seen.head = event_log_head(event_log);
    run(start_laters, laters, 0, 1);
    CHECK(coro_room(loop));
    check_laters(laters, expected);
    for (unsigned i = 0; i < LATERS; i++)
        arena_done(&laters[i].arena);
}

TEST(writes_that_nobody_waits_for_end_by_a_call)
{
    open_all(100);
    run_laters(0);
    close_all();
}

TEST(writes_that_nobody_waits_for_hear_of_a_failed_commit)
{
    open_all(100);
    CHECK(fault_set("db.commit=error"));
    run_laters(FAIL_STORAGE_FULL);
    CHECK(fault_set(""));
    close_all();
}

/* --- home in the same turn ------------------------------------------------------------------- */

static bool home;
static uint64_t transactions_before;

/* What was the job's memory is somebody else's. */
__attribute__((noinline)) static void use_stack(void)
{
    volatile char bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)0xff;
}

static int nothing(struct db_tx *tx, void *arg, struct error *err)
{
    return 0;
}

static void write_once(void *arg)
{
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(db, nothing, NULL, &err), &err);
    use_stack();
    home = true;
    coro_yield();
    finished();
}

/* Wakes the writer, which the turn's end would only do later, and stays until it sleeps again: then
 * the job is on its way home, and that mail is delivered in this very turn. */
static void wait_for_writer(struct mail *mail)
{
    struct db_stats stats;
    db_bell_ring(&db->writer.bell);
    do {
        sched_yield();
        db_stats(db, &stats);
    } while (stats.transactions == transactions_before || !db_bell_needed(&db->writer.bell));
}

TEST(a_job_that_mail_handed_over_may_be_home_in_the_same_turn)
{
    open_all(10);
    home = false;
    running = 1;
    struct start s = {.mail = {.deliver = start_all}, .fn = write_once, .count = 1};
    struct mail wait = {.deliver = wait_for_writer};
    while (!db_bell_needed(&db->writer.bell))
        sched_yield(); /* so that it has to be woken */
    struct db_stats stats;
    db_stats(db, &stats);
    transactions_before = stats.transactions;
    loop_post(loop, &s.mail);
    loop_post(loop, &wait);
    loop_run(loop);
    CHECK(home);
    close_all();
}
