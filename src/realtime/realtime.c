/* The realtime module: its routes, its tables, its start. */
#include "realtime/realtime.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "engine/db_one.h"
#include "realtime/ops.h"
#include "realtime/poll.h"
#include "realtime/realtime_open.h"
#include "realtime/session.h"
#include "realtime/ticket.h"
#include "realtime/watch.h"
#include "realtime/ws_session.h"

/* --- events of its own -------------------------------------------------------------------------
 */

struct ready_data {
    struct id user_id, session_id;
    int64_t heartbeat;
};
static const struct schema_field ready_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct ready_data, user_id)},
    {"session_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct ready_data, session_id)},
    {"heartbeat", "Seconds between the server's pings.", SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct ready_data, heartbeat), .min = 1, .max = 3600},
};
static SCHEMA_DEF(ready_schema, struct ready_data, "Ready", "The stream has begun.", ready_fields);
const struct event_type realtime_ready_event = {
    "ready", true, &ready_schema,
    "First on every transport; pos is the position that the stream continues from."};

struct resync_data {
    struct slice reason;
};
static const struct schema_field resync_fields[] = {
    {"reason", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct resync_data, reason),
     .max = 64},
};
static SCHEMA_DEF(resync_schema, struct resync_data, "Resync", "Read your lists again.",
                  resync_fields);
const struct event_type realtime_resync_event = {
    "resync", true, &resync_schema,
    "The given position is older than what is kept: events were left out."};

static const struct event_type *const realtime_events[] = {&realtime_ready_event,
                                                           &realtime_resync_event, NULL};

/* --- routes ------------------------------------------------------------------------------------
 */

static const struct route_error socket_errors[] = {
    {400, "invalid_pos"},       {403, "origin_not_allowed"},      {426, "upgrade_required"},
    {426, "websocket_version"}, {400, "bad_websocket_handshake"}, {0}};
static const struct route_error stream_errors[] = {{400, "invalid_pos"},
                                                   {401, "invalid_ticket"},
                                                   {403, "origin_not_allowed"},
                                                   {403, "forbidden"},
                                                   {404, "unknown_topic"},
                                                   {422, "invalid_id"},
                                                   {0}};
static const struct route_error updates_errors[] = {{400, "invalid_pos"},
                                                    {413, "too_many_streams"},
                                                    {429, "too_many_polls"},
                                                    {503, "going_away"},
                                                    {0}};

static const struct route realtime_routes[] = {
    {HTTP_GET, "/ws", "realtime", "Open a WebSocket",
     "Resumes after ?pos=. Without a token in the handshake the first frame must be the op auth.",
     realtime_open_socket, ROUTE_PUBLIC | ROUTE_STREAM, .limit = LIMIT_NONE,
     .query = &realtime_socket_query_schema, .status = 101, .errors = socket_errors},
    {HTTP_GET, "/api/v1/stream", "realtime", "Open an event stream",
     "Server-Sent Events. Resumes after Last-Event-ID or ?pos=.", realtime_open_stream,
     ROUTE_PUBLIC | ROUTE_ASKS_ITSELF | ROUTE_STREAM, .limit = LIMIT_NONE,
     .query = &realtime_stream_query_schema, .answer_type = "text/event-stream", .status = 200,
     .errors = stream_errors},
    {HTTP_POST, "/api/v1/stream/ticket", "realtime", "Make a ticket for an event stream",
     "For EventSource, which cannot send a token. It ends with the session.", ticket_create,
     ROUTE_NO_BODY | ROUTE_SECRET, .answer = &ticket_schema, .status = 201},
    {HTTP_GET, "/api/v1/updates", "realtime", "Long polling",
     "Waits until something has come after ?pos=, or the time is up.", poll_updates, 0,
     .limit = LIMIT_NONE, .query = &poll_query_schema, .answer = &poll_answer_schema, .status = 200,
     .errors = updates_errors},
};

/* --- ops ---------------------------------------------------------------------------------------
 */

/* auth and ping are answered by the transport itself before ops are looked up; they stand in the
 * table so that the description lists them. */
static int answered_by_transport(struct request *req)
{
    return error_set(&req->error, FAIL_BAD_REQUEST, "unknown_op",
                     "This op is for a socket's own use.");
}

static const struct op realtime_ops[] = {
    {"auth", "Signs the socket in, or brings a fresh token to one that is signed in.",
     answered_by_transport, &ws_auth_schema, NULL},
    {"ping", "Answers with empty data.", answered_by_transport, NULL, NULL},
    {"watch", "Names what the client looks at: live changes of it follow until the next watch.",
     watch_op, &watch_schema, &watch_answer_schema},
};

/* --- start -------------------------------------------------------------------------------------
 */

static const char realtime_001[] =
    "CREATE TABLE stream_ticket (\n"
    "    ticket BLOB PRIMARY KEY, -- digest of the text\n"
    "    user_id BLOB NOT NULL,\n"
    "    session_id BLOB NOT NULL,\n"
    "    role INTEGER NOT NULL,\n"
    "    expires_at INTEGER NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX stream_ticket_session ON stream_ticket (session_id);\n"
    "CREATE INDEX stream_ticket_user ON stream_ticket (user_id);\n"
    "CREATE INDEX stream_ticket_expires ON stream_ticket (expires_at);\n"
    "CREATE TABLE log_epoch (\n"
    "    epoch INTEGER NOT NULL -- says which log a client's position is of\n"
    ") STRICT;\n"
    "INSERT INTO log_epoch VALUES (abs(random() % 4294967296));\n";

static const struct db_migration realtime_migrations[] = {{1, "realtime", realtime_001}};
static const struct db_schema realtime_schema = {"realtime", realtime_migrations,
                                                 ARRAY_LEN(realtime_migrations)};

static const struct config_key realtime_config[] = {
    {"realtime.heartbeat", CONFIG_DURATION, "25s", 1000, 600000,
     .doc = "Time between the server's pings."},
    {"realtime.auth_timeout", CONFIG_DURATION, "10s", 100, 600000,
     .doc = "How long a socket may stay without signing in."},
    {"realtime.queue_max", CONFIG_SIZE, "1m", 4096, 1 << 30,
     .doc = "Bytes that may wait for a slow socket before it is closed with 4008."},
    {"realtime.recent_max", CONFIG_SIZE, "4m", 65536, 1 << 30,
     .doc = "Newest events kept in memory per loop for sockets that join."},
    {"realtime.message_max", CONFIG_SIZE, "128k", 1024, 16 << 20,
     .doc = "Largest frame that a client may send."},
    {"realtime.ops_per_second", CONFIG_INT, "100", 1, 1000000,
     .doc = "Ops of one socket in a second (with limits.per_user on)."},
    {"origins", CONFIG_LIST, "",
     .doc = "Origins of other sites that may use the API from a browser; * for any."},
    {0},
};

static const struct db_sql sql_epoch = {"SELECT epoch FROM log_epoch"};

static int read_epoch(struct db_tx *tx, void *arg, struct error *err)
{
    struct realtime *rt = arg;
    int64_t epoch;
    int rc = db_one_int(tx, &sql_epoch, &epoch, err);
    if (rc == 0)
        rt->epoch = (uint32_t)epoch;
    return rc;
}

struct ephemeral {
    struct mail mail;
    struct hub *hub;
    const char *name;
    struct id stream, except, by; /* nil: nobody */
    size_t len;
    char data[];
};

static void deliver_ephemeral(struct mail *mail)
{
    struct ephemeral *e = CONTAINER_OF(mail, struct ephemeral, mail);
    struct audience audience = {.except = id_is_nil(&e->except) ? NULL : &e->except,
                                .by = id_is_nil(&e->by) ? NULL : &e->by};
    hub_broadcast_ephemeral(e->hub, &e->stream, e->name, slice_of(e->data, e->len), &audience);
    free(e);
}

static void send_ephemeral(struct kit *kit, const struct event_type *type, const struct id *stream,
                           struct slice data, const struct audience *audience)
{
    struct realtime *rt = kit->realtime;
    static const struct id nobody;
    for (unsigned i = 0; i < kit->loop_count; i++) {
        struct ephemeral *e = xmalloc(sizeof *e + data.len);
        e->mail.deliver = deliver_ephemeral;
        e->hub = rt->hubs[i];
        e->name = type->name;
        e->stream = *stream;
        e->except = audience != NULL && audience->except != NULL ? *audience->except : nobody;
        e->by = audience != NULL && audience->by != NULL ? *audience->by : nobody;
        e->len = data.len;
        memcpy(e->data, data.ptr, data.len);
        loop_post(kit->loops[i], &e->mail);
    }
}

struct subscribing {
    struct mail mail;
    struct hub *hub;
};

static void subscribe(struct mail *mail)
{
    struct subscribing *s = CONTAINER_OF(mail, struct subscribing, mail);
    hub_subscribe(s->hub);
    free(s);
}

static void start_metrics(struct realtime *rt)
{
    rt->sessions_opened = metric_register(METRIC_COUNTER, "parley_sessions_opened_total",
                                          "Realtime sessions that signed in.", NULL);
    rt->sessions_failed =
        metric_register(METRIC_COUNTER, "parley_sessions_failed_total",
                        "Sessions that signed in and could not be given their events.", NULL);
    rt->sessions_slow = metric_register(METRIC_COUNTER, "parley_sessions_slow_total",
                                        "Sessions closed because they did not read.", NULL);
    rt->ops_total =
        metric_register(METRIC_COUNTER, "parley_ops_total", "Socket ops started.", NULL);
    rt->ops_failed =
        metric_register(METRIC_COUNTER, "parley_ops_failed_total", "Socket ops refused.", NULL);
    rt->resumed = metric_register(METRIC_COUNTER, "parley_sessions_resumed_total",
                                  "Sessions that came back with a position.", NULL);
    rt->resyncs = metric_register(METRIC_COUNTER, "parley_sessions_resync_total",
                                  "Sessions whose position was too old.", NULL);
}

static int64_t count_sessions(void *arg)
{
    return (int64_t)realtime_sessions(arg);
}

static int realtime_start(struct kit *kit, void **ret_room, struct error *err)
{
    struct realtime *rt = xcalloc(1, sizeof *rt);
    rt->kit = kit;
    rt->started_ms = clock_wall_ms(kit->clock);
    rt->queue_bytes_max = (size_t)config_int(kit->config, "realtime.queue_max");
    rt->recent_bytes_max = (size_t)config_int(kit->config, "realtime.recent_max");
    rt->message_bytes_max = (uint32_t)config_int(kit->config, "realtime.message_max");
    rt->heartbeat_ms = config_int(kit->config, "realtime.heartbeat");
    rt->auth_timeout_ms = config_int(kit->config, "realtime.auth_timeout");
    rt->ops_per_second = config_bool(kit->config, "limits.per_user")
                             ? (uint32_t)config_int(kit->config, "realtime.ops_per_second")
                             : 0;
    int rc = db_read(kit->main_db, read_epoch, rt, err);
    if (rc < 0) {
        free(rt);
        return rc;
    }
    start_metrics(rt);
    metric_register_gauge_fn("parley_sessions", "Realtime sessions now.", NULL, count_sessions, rt);
    rt->hubs = xcalloc(kit->loop_count, sizeof(struct hub *));
    for (unsigned i = 0; i < kit->loop_count; i++)
        rt->hubs[i] = hub_new(rt, kit->loops[i]);
    kit->realtime = rt;
    kit->ephemeral = send_ephemeral;
    kit->recheck_watches = watch_recheck;
    *ret_room = rt;
    return 0;
}

void realtime_go(struct realtime *realtime)
{
    ops_collect(realtime);
    for (unsigned i = 0; i < realtime->kit->loop_count; i++) {
        struct subscribing *s = xcalloc(1, sizeof *s);
        s->hub = realtime->hubs[i];
        s->mail.deliver = subscribe;
        loop_post(realtime->kit->loops[i], &s->mail);
    }
}

static void realtime_stop(void *room)
{
    struct realtime *rt = room;
    for (unsigned i = 0; i < rt->kit->loop_count; i++)
        hub_free(rt->hubs[i]);
    ops_free(rt);
    free(rt->hubs);
    free(rt);
}

struct hub *realtime_hub(struct realtime *realtime)
{
    return realtime->hubs[loop_index(loop_current())];
}

uint32_t realtime_seconds(const struct realtime *realtime)
{
    int64_t seconds = (clock_wall_ms(realtime->kit->clock) - realtime->started_ms) / 1000;
    return seconds > 0 ? (uint32_t)seconds : 0; /* the clock may have been set back */
}

size_t realtime_sessions(struct realtime *realtime)
{
    size_t count = 0;
    for (unsigned i = 0; i < realtime->kit->loop_count; i++)
        count += realtime->hubs[i]->sessions.count;
    return count;
}

/* --- draining ----------------------------------------------------------------------------------
 */

enum { DRAIN_STEP_MS = 50 };

struct drain_step {
    struct mail mail;
    struct hub *hub;
    size_t count;
};

static void drain_some(struct mail *mail)
{
    struct drain_step *step = CONTAINER_OF(mail, struct drain_step, mail);
    hub_drain(step->hub, step->count);
    free(step);
}

void realtime_drain(struct realtime *realtime, int64_t timeout_ms)
{
    size_t total = realtime_sessions(realtime);
    int64_t steps = timeout_ms / DRAIN_STEP_MS > 0 ? timeout_ms / DRAIN_STEP_MS : 1;
    /* Even pace over half the time; the other half is for those who are slow to leave. */
    size_t pace = total * 2 / ((size_t)steps * realtime->kit->loop_count) + 16;
    for (int64_t i = 0; i < steps; i++) {
        for (unsigned l = 0; l < realtime->kit->loop_count; l++) {
            struct drain_step *step = xcalloc(1, sizeof *step);
            step->hub = realtime->hubs[l];
            step->count = pace;
            step->mail.deliver = drain_some;
            loop_post(realtime->kit->loops[l], &step->mail);
        }
        if (coro_sleep(DRAIN_STEP_MS) < 0 || realtime_sessions(realtime) == 0)
            return;
    }
}

static const char *const revoked_types[] = {"session.revoked", NULL};
static const struct consumer realtime_consumers[] = {
    {"realtime.tickets", revoked_types, NULL, ticket_on_revoked, 0},
};
static const struct job realtime_jobs[] = {
    {"realtime.tickets", 3600 * 1000, ticket_clean},
};

const struct module realtime_module = {
    .name = "realtime",
    .routes = realtime_routes,
    .route_count = ARRAY_LEN(realtime_routes),
    .ops = realtime_ops,
    .op_count = ARRAY_LEN(realtime_ops),
    .events = realtime_events,
    .consumers = realtime_consumers,
    .consumer_count = ARRAY_LEN(realtime_consumers),
    .jobs = realtime_jobs,
    .job_count = ARRAY_LEN(realtime_jobs),
    .config = realtime_config,
    .schema = &realtime_schema,
    .stays = "its epoch is the log's",
    .start = realtime_start,
    .stop = realtime_stop,
};
