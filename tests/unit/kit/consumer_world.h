/* A log, a second database and one loop, with consumers that the test writes: they run as in the
 * server, and the test is a coroutine of their loop. */
#ifndef PARLEY_TESTS_CONSUMER_WORLD_H
#define PARLEY_TESTS_CONSUMER_WORLD_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "harness.h"
#include "kit/consumer.h"

enum { SEEN_MAX = 20000 };

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type other = {.name = "message.other", .client = true};
static const struct event_type *const all_types[] = {&sent, &other, NULL};

/* What the handler of the search database has been given, on its writer thread. */
static struct {
    uint64_t pos[SEEN_MAX];
    _Atomic unsigned count;    /* given, whether it went well or not */
    _Atomic unsigned failures; /* so many more attempts fail */
    _Atomic uint64_t poison;   /* this position always fails */
    _Atomic bool gated;        /* waits for the gate, once */
    sem_t gate, at_gate;
} seen;

static struct kit kit;
static struct db *main_db, *search_db;
static struct loop *loop;
static struct loop *loops[1];
static const struct clock *loops_clock; /* NULL: the real one */
static void *states[1];

static int handle(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    (void)room, (void)tx;
    if (atomic_exchange(&seen.gated, false)) {
        sem_post(&seen.at_gate);
        sem_wait(&seen.gate);
    }
    unsigned at = atomic_fetch_add(&seen.count, 1);
    if (at < SEEN_MAX)
        seen.pos[at] = event->pos;
    if (event->pos == atomic_load(&seen.poison) || atomic_load(&seen.failures) > 0) {
        if (event->pos != atomic_load(&seen.poison))
            atomic_fetch_sub(&seen.failures, 1);
        return error_set(err, FAIL_INTERNAL, "no", "The test says no.");
    }
    return 0;
}

static const char *const sent_only[] = {"message.sent", NULL};
static struct consumer consumers[] = {{"search", sent_only, "room.search", handle, 0}};
static const struct module room = {.name = "room",
                                   .events = all_types,
                                   .consumers = consumers,
                                   .consumer_count = ARRAY_LEN(consumers)};
static const struct module *const modules[] = {&room, NULL};
static struct kit_database databases[1];

static struct db *open_db(const char *name, const struct db_schema *schemas, size_t count,
                          const struct clock *clock)
{
    char path[512];
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    struct db_config config = {
        .path = path, .readers = 1, .queue_max = 256, .batch_max = 64, .clock = clock};
    CHECK_OK(db_open(&config, &db, &err), &err);
    CHECK_OK(db_migrate(db, schemas, count, NULL, &err), &err);
    return db;
}

static void open_world(struct event_log_config log, const struct clock *clock)
{
    struct error err;
    error_init(&err);
    memset(&seen, 0, sizeof seen);
    sem_init(&seen.gate, 0, 0);
    sem_init(&seen.at_gate, 0, 0);
    struct db_schema schemas[] = {event_log_schema, kit_schema};
    main_db = open_db("main.db", schemas, 2, clock);
    search_db = open_db("search.db", &kit_schema, 1, clock);
    log.db = main_db;
    log.types = all_types;
    memset(&kit, 0, sizeof kit);
    CHECK_OK(event_log_open(&log, &kit.log, &err), &err);
    CHECK_OK(event_log_start(kit.log, &err), &err);
    CHECK_OK(loop_new(&(struct loop_config){.clock = loops_clock}, &loop, &err), &err);
    databases[0] = (struct kit_database){"room.search", search_db};
    loops[0] = loop;
    kit.clock = clock;
    kit.main_db = main_db;
    kit.databases = databases;
    kit.database_count = 1;
    kit.loops = loops;
    kit.loop_count = 1;
    kit.modules = modules;
    kit.rooms = states;
}

static void close_world(void)
{
    event_log_close(kit.log);
    db_close(search_db);
    db_close(main_db);
    loop_free(loop);
}

struct emission {
    const struct event_type *type;
    unsigned count;
    uint64_t pos; /* of the last */
};

static int emit_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct emission *e = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < e->count; i++) {
        struct event_draft draft = {
            .type = e->type, .stream = {.bytes = {1}}, .data = SLICE("{\"text\":\"hello\"}")};
        rc = event_emit(kit.log, tx, &draft, &e->pos, err);
    }
    return rc;
}

/* One transaction; the position of its last event. */
static uint64_t emit(const struct event_type *type, unsigned count)
{
    struct emission e = {.type = type, .count = count};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(main_db, emit_fn, &e, &err), &err);
    return e.pos;
}

/* They live as long as the process. */
static struct consumers *started[64];
static unsigned started_count;

static void start_consumers(void)
{
    struct error err;
    error_init(&err);
    CHECK_OK(consumers_start(&kit, &kit.consumers, &err), &err);
    started[started_count++] = kit.consumers;
}

static int wait_for(uint64_t pos, int64_t timeout_ms)
{
    struct error err;
    error_init(&err);
    return consumer_wait(kit.consumers, "search", pos, timeout_ms, &err);
}

/* The steps of a test, then the end of its consumers. */
static void (*steps)(void);
static void steps_main(void *arg)
{
    (void)arg;
    steps();
    atomic_store(&seen.failures, 0);
    consumers_stop(kit.consumers);
    loop_stop(loop);
}

static void run(void (*fn)(void))
{
    struct error err;
    error_init(&err);
    steps = fn;
    CHECK_OK(coro_spawn(loop, steps_main, NULL, &err), &err);
    loop_run(loop);
}

/* Every event once, in order. */
static void check_seen(unsigned count)
{
    CHECK_INT(atomic_load(&seen.count), count);
    for (unsigned i = 1; i < count && i < SEEN_MAX; i++)
        if (seen.pos[i] <= seen.pos[i - 1]) {
            test_fail(__FILE__, __LINE__, "event %llu came after %llu",
                      (unsigned long long)seen.pos[i], (unsigned long long)seen.pos[i - 1]);
            return;
        }
}

#endif
