/* A log, a hub and one loop: sessions as in the server, without sockets; the test is a coroutine of
 * the loop. */
#ifndef PARLEY_TESTS_REALTIME_WORLD_H
#define PARLEY_TESTS_REALTIME_WORLD_H

#include <stdio.h>

#include "base/metric.h"
#include "harness.h"
#include "realtime/poll.h"
#include "realtime/realtime.h"
#include "realtime/session.h"

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type inner = {.name = "inner", .client = false};
static const struct event_type *const types[] = {&sent, &inner, NULL};
static const struct module *const modules[] = {NULL};

static struct kit kit;
static struct realtime realtime;
static struct hub *hubs[1];
static struct loop *loop;
static struct loop *loops[1];
static size_t loop_stacks;                    /* coroutines of the loop; 0: the usual number */
static struct event_subscription last_served; /* after the hub, in each turn */
static uint64_t served;

static const struct id user = {.bytes = {9, 8, 7}};

static void note_served(struct event_subscription *sub, struct event_batch *batch)
{
    (void)sub;
    served = batch->head;
}

static void open_engines(void)
{
    char path[512];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/main.db", test_dir());
    struct db_config db = {.path = path, .readers = 1, .queue_max = 256, .batch_max = 64};
    CHECK_OK(db_open(&db, &kit.main_db, &err), &err);
    CHECK_OK(db_migrate(kit.main_db, &event_log_schema, 1, NULL, &err), &err);
    struct event_log_config log = {.db = kit.main_db, .types = types};
    CHECK_OK(event_log_open(&log, &kit.log, &err), &err);
    CHECK_OK(event_log_start(kit.log, &err), &err);
    struct token_config tokens = {.clock = &clock_system,
                                  .issuer = "parley",
                                  .audience = "parley",
                                  .access_ttl_ms = 60000,
                                  .cache_ms = 60000};
    CHECK_OK(token_authority_new(&tokens, &kit.tokens, &err), &err);
    CHECK_OK(loop_new(&(struct loop_config){.stacks_max = loop_stacks}, &loop, &err), &err);
}

static void open_world(void)
{
    memset(&kit, 0, sizeof kit);
    memset(&realtime, 0, sizeof realtime);
    served = 0;
    open_engines();
    loops[0] = loop;
    kit.clock = &clock_system;
    kit.loops = loops;
    kit.loop_count = 1;
    kit.modules = modules;
    realtime = (struct realtime){.kit = &kit,
                                 .hubs = hubs,
                                 .epoch = 7,
                                 .queue_bytes_max = 1 << 20,
                                 .recent_bytes_max = 1 << 20,
                                 .heartbeat_ms = 25000};
    struct metric *ignored = metric_register(METRIC_COUNTER, "test_total", "Ignored.", NULL);
    realtime.sessions_opened = realtime.resyncs = realtime.resumed = ignored;
    hubs[0] = hub_new(&realtime, loop);
    hub_subscribe(hubs[0]);
    last_served = (struct event_subscription){.loop = loop, .deliver = note_served};
    event_log_subscribe(kit.log, &last_served);
}

static void (*steps)(void);
static void steps_main(void *arg)
{
    (void)arg;
    steps();
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

/* Mail that a loop never takes would be lost with its batches. */
static void take_mail(void)
{
    while (served < event_log_head(kit.log))
        coro_yield();
}

static void close_world(void)
{
    run(take_mail);
    hub_free(hubs[0]);
    token_authority_free(kit.tokens);
    event_log_close(kit.log);
    db_close(kit.main_db);
    loop_free(loop);
}

struct emission {
    const struct event_type *type;
    unsigned count;
    size_t bytes;
    uint64_t pos;
};

static int emit_fn(struct db_tx *tx, void *arg, struct error *err)
{
    static char text[256 << 10];
    struct emission *e = arg;
    int rc = 0;
    memset(text, 'x', e->bytes);
    text[0] = text[e->bytes - 1] = '"';
    struct event_draft draft = {.type = e->type, .stream = user, .data = slice_of(text, e->bytes)};
    for (unsigned i = 0; rc == 0 && i < e->count; i++)
        rc = event_emit(kit.log, tx, &draft, &e->pos, err);
    return rc;
}

/* One transaction of events on the user's stream; the position of the last. */
static inline uint64_t emit(const struct event_type *type, unsigned count, size_t bytes)
{
    struct emission e = {.type = type, .count = count, .bytes = bytes};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(kit.main_db, emit_fn, &e, &err), &err);
    return e.pos;
}

#endif
