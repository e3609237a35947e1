#include "gateway/operations.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "gateway/engine_metrics.h"
#include "gateway/engines_state.h"
#include "gateway/openapi.h"
#include "kit/idempotency.h"

enum { DOCUMENT_MAX = 8 << 20 };

struct operations {
    struct kit *kit;
    struct edge *edge;
    int64_t started_ms; /* monotonic */
    struct buf openapi, asyncapi;
};

struct health_engine {
    struct slice name, status;
};
static const struct schema_field engine_fields[] = {
    {"name", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct health_engine, name),
     .max = 64},
    {"status", "ok or failing", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct health_engine, status), .max = 64},
};
static SCHEMA_DEF(engine_schema, struct health_engine, "HealthEngine", "One engine.",
                  engine_fields);

struct health {
    struct slice status;
    int64_t timestamp, uptime;
    struct schema_list engines;
};
static const struct schema_field health_fields[] = {
    {"status", "ok, draining or failing", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct health, status), .max = 16},
    {"timestamp", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct health, timestamp)},
    {"uptime", "Seconds since start.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct health, uptime), .min = 0, .max = INT64_MAX},
    {"engines", "Each engine and how it does.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct health, engines), .of = &engine_schema},
};
static SCHEMA_DEF(health_schema, struct health, "Health", "State of this process.", health_fields);

static int health_route(struct request *req)
{
    struct operations *o = req->room;
    struct engines_state now = engines_state(req->kit, req->arena);
    bool draining = atomic_load(&o->edge->draining);
    struct health_engine engines[] = {
        {SLICE("database"), engines_word(now.database)},
        {SLICE("log"), engines_word(now.log)},
        {SLICE("ephemeral"), engines_word(now.ephemeral)},
    };
    bool all = now.database && now.log && now.ephemeral;
    struct health health = {.status = draining ? SLICE("draining") : engines_word(all),
                            .timestamp = clock_wall_ms(req->kit->clock),
                            .uptime = (clock_mono_ms(req->kit->clock) - o->started_ms) / 1000,
                            .engines = {engines, ARRAY_LEN(engines)}};
    return request_reply(req, draining || !now.database || !now.log ? 503 : 200, &health_schema,
                         &health);
}

struct probe {
    struct slice status;
};
static const struct schema_field probe_fields[] = {
    {"status", "ok or draining", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct probe, status),
     .max = 16},
};
static SCHEMA_DEF(probe_schema, struct probe, "Probe", "The answer to a probe.", probe_fields);

static int live_route(struct request *req)
{
    return request_reply(req, 200, &probe_schema, &(struct probe){SLICE("ok")});
}

static int ready_route(struct request *req)
{
    struct operations *o = req->room;
    bool draining = atomic_load(&o->edge->draining);
    struct probe probe = {draining ? SLICE("draining") : SLICE("ok")};
    return request_reply(req, draining ? 503 : 200, &probe_schema, &probe);
}

static int metrics_route(struct request *req)
{
    req->status = 200;
    metric_write(&req->answer);
    return 0;
}

static int document(struct request *req, const struct buf *text)
{
    int rc = request_reply_json(req, 200, buf_view(text));
    if (rc == 0)
        request_etag(req);
    return rc;
}

static int openapi_route(struct request *req)
{
    struct operations *o = req->room;
    return document(req, &o->openapi);
}

static int asyncapi_route(struct request *req)
{
    struct operations *o = req->room;
    return document(req, &o->asyncapi);
}

static const struct route operations_routes[] = {
    {HTTP_GET, "/health", "operations", "State of this process and its engines",
     "503 while draining, or when the database does not answer or the log takes nothing.",
     health_route, ROUTE_PUBLIC, .limit = LIMIT_NONE, .answer = &health_schema, .status = 200,
     .other_status = 503, .other_answer = &health_schema},
    {HTTP_GET, "/livez", "operations", "Whether the process runs", NULL, live_route,
     ROUTE_PUBLIC | ROUTE_AT_ONCE, .limit = LIMIT_NONE, .answer = &probe_schema, .status = 200},
    {HTTP_GET, "/readyz", "operations", "Whether to send traffic here", "503 while draining.",
     ready_route, ROUTE_PUBLIC | ROUTE_AT_ONCE, .limit = LIMIT_NONE, .answer = &probe_schema,
     .status = 200, .other_status = 503, .other_answer = &probe_schema},
    {HTTP_GET, "/metrics", "operations", "Prometheus metrics", NULL, metrics_route, ROUTE_PUBLIC,
     .limit = LIMIT_NONE, .answer_type = "text/plain; version=0.0.4; charset=utf-8", .status = 200},
    {HTTP_GET, "/api/v1/openapi.json", "operations", "This description", NULL, openapi_route,
     ROUTE_PUBLIC | ROUTE_HIDDEN, .limit = LIMIT_NONE, .etag = true, .status = 200},
    {HTTP_GET, "/api/v1/asyncapi.json", "operations", "Description of the realtime interface", NULL,
     asyncapi_route, ROUTE_PUBLIC | ROUTE_HIDDEN, .limit = LIMIT_NONE, .etag = true, .status = 200},
};

static int64_t surprises(void *arg)
{
    (void)arg;
    return (int64_t)should_not_total();
}

static int64_t log_lines_dropped(void *arg)
{
    (void)arg;
    return (int64_t)log_dropped();
}

static int operations_start(struct kit *kit, void **ret_room, struct error *err)
{
    (void)err;
    struct operations *o = xcalloc(1, sizeof *o);
    o->kit = kit;
    o->started_ms = clock_mono_ms(kit->clock);
    buf_init(&o->openapi, DOCUMENT_MAX);
    buf_init(&o->asyncapi, DOCUMENT_MAX);
    metric_register_counter_fn("parley_should_not_total", "Things that should not have happened.",
                               NULL, surprises, NULL);
    metric_register_counter_fn("parley_log_dropped_total", "Log lines dropped.", NULL,
                               log_lines_dropped, NULL);
    engine_metrics_register(kit);
    *ret_room = o;
    return 0;
}

static void operations_stop(void *room)
{
    struct operations *o = room;
    buf_done(&o->openapi);
    buf_done(&o->asyncapi);
    free(o);
}

void operations_go(struct kit *kit, struct edge *edge, const char *version)
{
    struct operations *o = kit_room(kit, operations_module.name);
    o->edge = edge;
    openapi_write(kit->modules, version, &o->openapi);
    asyncapi_write(kit->modules, version, &o->asyncapi);
    panic_if(!buf_ok(&o->openapi) || !buf_ok(&o->asyncapi), "the API description is too large");
}

static int clean_keys(void *room, struct error *err)
{
    struct operations *o = room;
    return idempotency_clean(o->kit, err);
}

static const struct job operations_jobs[] = {{"idempotency.clean", 600 * 1000, clean_keys}};

const struct module operations_module = {
    .name = "operations",
    .routes = operations_routes,
    .route_count = ARRAY_LEN(operations_routes),
    .jobs = operations_jobs,
    .job_count = ARRAY_LEN(operations_jobs),
    .start = operations_start,
    .stop = operations_stop,
};
