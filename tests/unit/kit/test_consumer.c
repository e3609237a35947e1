/* Consumers of the log: each event once whatever happens in between, those that wait for them, and
 * events that are needed longer than they are kept. */
#include <pthread.h>

#include "consumer_world.h"
#include "kit/consumer_private.h"

/* --- each event once ---------------------------------------------------------------------------
 */
static void a_few_events(void)
{
    emit(&other, 3);
    uint64_t pos = emit(&sent, 5);
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    check_seen(5);
    pos = emit(&other, 7); /* nothing for it: it moves on all the same */
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    check_seen(5);
}

TEST(a_consumer_of_another_database_is_given_what_it_wants)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(a_few_events);
    close_world();
}

static uint64_t last_pos;

static void wait_for_last(void)
{
    CHECK_INT(wait_for(last_pos, CORO_FOREVER), 0);
}

TEST(what_was_handled_is_not_handled_again_after_a_restart)
{
    open_world((struct event_log_config){0}, &clock_system);
    last_pos = emit(&sent, 1500); /* three steps of catching up */
    start_consumers();
    run(wait_for_last);
    check_seen(1500);
    last_pos = emit(&sent, 10);
    start_consumers();
    run(wait_for_last);
    check_seen(1510);
    close_world();
}

static void more_than_the_queue_holds(void)
{
    atomic_store(&seen.gated, true);
    uint64_t pos = emit(&sent, 1);
    for (int i = 0; i < 200; i++)
        pos = emit(i % 3 == 0 ? &other : &sent, 1);
    sem_wait(&seen.at_gate); /* it stood there all the time */
    sem_post(&seen.gate);
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    check_seen(1 + 133);
    pos = emit(&sent, 1); /* and it lives again */
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    check_seen(1 + 133 + 1);
}

TEST(a_consumer_whose_queue_overflows_reads_the_log)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(more_than_the_queue_holds);
    close_world();
}

enum { LARGE = 700, LARGES = 20 }; /* a batch is larger than one step of reading */
static _Atomic uint64_t busy_pos;

static void *emit_large(void *arg)
{
    (void)arg;
    for (int i = 0; i < LARGES; i++)
        atomic_store(&busy_pos, emit(&sent, LARGE));
    return NULL;
}

static void read_while_it_grows(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, emit_large, NULL);
    for (int i = 0; i < LARGES; i++) {
        atomic_store(&seen.gated, true);
        CHECK_INT(coro_sleep(2), 0);
        atomic_store(&seen.gated, false);
        sem_post(&seen.gate);
    }
    pthread_join(thread, NULL);
    CHECK_INT(wait_for(atomic_load(&busy_pos), CORO_FOREVER), 0);
    check_seen(LARGE * LARGES);
}

TEST(reading_up_to_the_middle_of_a_batch_repeats_nothing)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(read_while_it_grows);
    close_world();
}

/* --- failures ----------------------------------------------------------------------------------
 */
static void some_attempts_fail(void)
{
    atomic_store(&seen.failures, 2); /* the run, and one event of it */
    uint64_t pos = emit(&sent, 3);
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    CHECK_INT(atomic_load(&seen.count), 2 + 3);
}

TEST(an_attempt_that_fails_is_repeated)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(some_attempts_fail);
    close_world();
}

static const struct db_sql count_dead = {
    "SELECT count(*), max(pos), max(attempts), max(reason) FROM dead_letter WHERE consumer = ?1"};

static int check_dead(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &count_dead, &rows, err, db_text(SLICE("search")));
    if (rc == 0)
        rc = db_next(&rows, err);
    CHECK_INT(db_col_int(&rows, 0), 1);
    CHECK_INT(db_col_int(&rows, 1), *(uint64_t *)arg);
    CHECK_INT(db_col_int(&rows, 2), 3);
    CHECK_STR(db_col_text(&rows, 3), "The test says no.");
    db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

static void one_event_never_works(void)
{
    uint64_t poison = emit(&sent, 1) + 2;
    atomic_store(&seen.poison, poison);
    uint64_t pos = emit(&sent, 3);
    CHECK_INT(pos, poison + 1);
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(search_db, check_dead, &poison, &err), &err);
}

TEST(an_event_that_never_works_is_put_aside)
{
    consumers[0].attempts = 3;
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(one_event_never_works);
    close_world();
    consumers[0].attempts = 0;
}

static void stop_between_attempts(void)
{
    atomic_store(&seen.poison, emit(&sent, 1) + 1);
    (void)emit(&sent, 1);
    while (atomic_load(&seen.count) < 5) /* the pause is at least 400 ms now */
        CHECK_INT(coro_sleep(1), 0);
    CHECK_INT(coro_sleep(20), 0); /* the failed transaction comes home */
    consumers_stop(kit.consumers);
    CHECK(atomic_load(&seen.count) <= 6);
    unsigned count = atomic_load(&seen.count);
    CHECK_INT(coro_sleep(1000), 0);
    CHECK_INT(atomic_load(&seen.count), count); /* nothing runs after the stop */
}

TEST(a_consumer_that_is_stopped_while_it_retries_ends_at_once_and_loses_nothing)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(stop_between_attempts);
    last_pos = atomic_load(&seen.poison);
    atomic_store(&seen.poison, 0);
    unsigned before = atomic_load(&seen.count);
    start_consumers();
    run(wait_for_last);
    CHECK_INT(atomic_load(&seen.count), before + 1);
    CHECK_INT(seen.pos[before], last_pos);
    close_world();
}

static int exec(struct db_tx *tx, void *arg, struct error *err)
{
    return db_exec_n(tx, arg, NULL, 0, err);
}

TEST(a_position_behind_the_head_of_a_log_that_was_put_back_is_not_believed)
{
    static struct db_sql sql = {"INSERT INTO consumer_position VALUES ('search', 1000000)"};
    open_world((struct event_log_config){0}, &clock_system);
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(search_db, exec, &sql, &err), &err);
    start_consumers();
    run(a_few_events);
    close_world();
}

/* --- waiting -----------------------------------------------------------------------------------
 */
static struct coro *waiting;
static bool poking;

static void poke_main(void *arg)
{
    (void)arg;
    while (poking) {
        coro_wake(waiting, 0);
        coro_yield();
    }
}

static void wait_while_poked(void)
{
    struct error err;
    error_init(&err);
    waiting = coro_current();
    atomic_store(&seen.gated, true);
    uint64_t pos = emit(&sent, 1);
    sem_wait(&seen.at_gate); /* blocks the loop for a moment; the handler is on another thread */
    poking = true;
    CHECK_OK(coro_spawn(loop, poke_main, NULL, &err), &err);
    CHECK_INT(wait_for(pos, 20), FAIL_TIMEOUT);
    sem_post(&seen.gate);
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    poking = false;
    check_seen(1);
    CHECK_INT(wait_for(pos, 0), 0); /* there already */
    CHECK_INT(wait_for(pos + 1, 0), FAIL_TIMEOUT);
}

TEST(a_waiter_that_is_woken_by_somebody_else_waits_on)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(wait_while_poked);
    close_world();
}

static int cancelled_rc;

static void wait_main(void *arg)
{
    waiting = coro_current();
    cancelled_rc = wait_for(*(uint64_t *)arg, CORO_FOREVER);
    waiting = NULL;
}

static void cancel_a_waiter(void)
{
    struct error err;
    error_init(&err);
    uint64_t pos = emit(&sent, 1) + 1;
    CHECK_OK(coro_spawn(loop, wait_main, &pos, &err), &err);
    coro_yield();
    coro_cancel(waiting);
    while (waiting != NULL)
        coro_yield();
    CHECK_INT(cancelled_rc, FAIL_CANCELLED);
    CHECK_INT(wait_for(emit(&sent, 1), CORO_FOREVER), 0); /* nobody is told who has gone */
}

TEST(a_waiter_that_is_cancelled_leaves_nothing_behind)
{
    open_world((struct event_log_config){0}, &clock_system);
    start_consumers();
    run(cancel_a_waiter);
    close_world();
}

/* --- retention ---------------------------------------------------------------------------------
 */
static struct clock_fake fake;

static void let_it_trim(void)
{
    for (int i = 0; i < 50; i++) {
        clock_fake_advance(&fake, 60000);
        emit(&other, 1);
    }
}

static void old_events_are_still_needed(void)
{
    enum { DAY_MS = 86400000 };
    uint64_t pos = emit(&sent, 50);
    CHECK_INT(wait_for(pos, CORO_FOREVER), 0);
    atomic_store(&seen.gated, true);
    emit(&sent, 1);
    sem_wait(&seen.at_gate);
    uint64_t needed = emit(&sent, 20);
    clock_fake_advance(&fake, 30ll * DAY_MS);
    for (int i = 0; i < 200 && event_log_first(kit.log) < pos; i++)
        let_it_trim();
    let_it_trim();
    CHECK_INT(event_log_first(kit.log), pos + 1); /* it stands at pos */
    sem_post(&seen.gate);
    CHECK_INT(wait_for(needed, CORO_FOREVER), 0);
    check_seen(71);
    for (int i = 0; i < 200 && event_log_first(kit.log) <= needed; i++)
        let_it_trim();
    CHECK(event_log_first(kit.log) > needed);
}

TEST(a_consumer_that_is_behind_keeps_its_events)
{
    clock_fake_init(&fake, INT64_C(1795000000000));
    open_world((struct event_log_config){.tail_events_max = 16,
                                         .retention_ms = 86400000,
                                         .segment_bytes = 1}, /* a commit is a file */
               &fake.clock);
    start_consumers();
    run(old_events_are_still_needed);
    close_world();
}

/* --- two that hang -----------------------------------------------------------------------------
 */
static const struct consumer both[] = {{"search", sent_only, "room.search", handle, 0},
                                       {"again", sent_only, "room.search", handle, 0}};
static const struct module room_of_both = {
    .name = "room", .events = all_types, .consumers = both, .consumer_count = ARRAY_LEN(both)};
static const struct module *const modules_of_both[] = {&room_of_both, NULL};
static bool ticking;

static void tick_main(void *arg)
{
    (void)arg;
    while (ticking) {
        clock_fake_advance(&fake, 1);
        coro_yield();
    }
}

static void stop_while_both_hang(void)
{
    struct error err;
    error_init(&err);
    atomic_store(&seen.gated, true);
    emit(&sent, 1);
    sem_wait(&seen.at_gate); /* one has the writer, the other waits for it */
    for (int turns = 0; turns < 10; turns++)
        coro_yield();
    ticking = true;
    CHECK_OK(coro_spawn(loop, tick_main, NULL, &err), &err);
    int64_t began = loop_now_ms(loop);
    consumers_stop(kit.consumers);
    CHECK(loop_now_ms(loop) - began < 7500); /* 500 looks; each may be a turn or two late */
    sem_post(&seen.gate);
    for (unsigned i = 0; i < ARRAY_LEN(both); i++)
        while (!kit.consumers->units[i].ended)
            coro_yield();
    ticking = false;
}

/* It was five seconds for each of them. */
TEST(bug_consumers_that_hang_were_waited_for_one_after_the_other)
{
    clock_fake_init(&fake, INT64_C(1795000000000));
    loops_clock = &fake.clock;
    open_world((struct event_log_config){0}, &fake.clock);
    kit.modules = modules_of_both;
    start_consumers();
    run(stop_while_both_hang);
    close_world();
    loops_clock = NULL;
}
