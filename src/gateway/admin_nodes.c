/* This process and who is connected to it. */
#include "gateway/admin_room.h"
#include "gateway/engines_state.h"
#include "kit/audit.h"
#include "kit/consumer.h"
#include "realtime/connections.h"

enum { CONSUMERS_MAX = 128 };

/* --- nodes -------------------------------------------------------------------------------------
 */

struct lag {
    struct slice name;
    int64_t lag;
};
static const struct schema_field lag_fields[] = {
    {"name", NULL, SCHEMA_STRING, SCHEMA_AT(struct lag, name)},
    {"lag", "Positions of the log behind the head.", SCHEMA_INT, SCHEMA_AT(struct lag, lag)},
};
static SCHEMA_DEF(lag_schema, struct lag, "ConsumerLag", "How far behind a consumer is.",
                  lag_fields);

struct node_engines {
    struct slice database, log, ephemeral;
};
static const struct schema_field engine_fields[] = {
    {"database", "ok or failing", SCHEMA_STRING, SCHEMA_AT(struct node_engines, database)},
    {"log", "ok or failing", SCHEMA_STRING, SCHEMA_AT(struct node_engines, log)},
    {"ephemeral", "ok or failing", SCHEMA_STRING, SCHEMA_AT(struct node_engines, ephemeral)},
};
static SCHEMA_DEF(engines_schema, struct node_engines, "EngineStates", "How each engine does.",
                  engine_fields);

struct node {
    struct id id;
    struct slice address, version;
    struct schema_list roles, consumers;
    int64_t started_at, uptime_s, sessions, loops, log_head;
    struct node_engines engines;
};
static const struct schema_field node_fields[] = {
    {"id", "Of this run of the process.", SCHEMA_ID, SCHEMA_AT(struct node, id)},
    {"address", "Where it listens.", SCHEMA_STRING, SCHEMA_AT(struct node, address)},
    {"version", NULL, SCHEMA_STRING, SCHEMA_AT(struct node, version)},
    {"roles", "Which parts it runs.", SCHEMA_LIST, SCHEMA_AT(struct node, roles),
     .element = SCHEMA_STRING},
    {"started_at", NULL, SCHEMA_TIME, SCHEMA_AT(struct node, started_at)},
    {"uptime_s", "Seconds.", SCHEMA_INT, SCHEMA_AT(struct node, uptime_s)},
    {"sessions", "Live connections.", SCHEMA_INT, SCHEMA_AT(struct node, sessions)},
    {"loops", "Event loops.", SCHEMA_INT, SCHEMA_AT(struct node, loops)},
    {"engines", NULL, SCHEMA_OBJECT, SCHEMA_AT(struct node, engines), .of = &engines_schema},
    {"log_head", "Position of the newest event.", SCHEMA_INT, SCHEMA_AT(struct node, log_head)},
    {"consumers", NULL, SCHEMA_LIST, SCHEMA_AT(struct node, consumers), .of = &lag_schema},
};
SCHEMA_DEF(admin_node_schema, struct node, "Node", "A process of this platform.", node_fields);

static struct node_engines ask_engines(struct kit *kit, struct arena *arena)
{
    struct engines_state now = engines_state(kit, arena);
    return (struct node_engines){engines_word(now.database), engines_word(now.log),
                                 engines_word(now.ephemeral)};
}

static struct schema_list list_lags(struct kit *kit, struct lag lags[CONSUMERS_MAX])
{
    struct consumer_lag all[CONSUMERS_MAX];
    unsigned count = kit->consumers != NULL ? consumers_lag(kit->consumers, all, CONSUMERS_MAX) : 0;
    count = count < CONSUMERS_MAX ? count : CONSUMERS_MAX;
    for (unsigned i = 0; i < count; i++)
        lags[i] = (struct lag){slice_str(all[i].name), (int64_t)all[i].events};
    return (struct schema_list){lags, count};
}

int admin_nodes_route(struct request *req)
{
    struct admin *admin = req->room;
    struct kit *kit = req->kit;
    struct slice roles[] = {slice_str(config_string(kit->config, "roles"))};
    struct lag lags[CONSUMERS_MAX];
    struct node node = {
        .id = admin->node,
        .address = slice_str(admin->address),
        .version = slice_str(admin->version),
        .roles = {roles, ARRAY_LEN(roles)},
        .consumers = list_lags(kit, lags),
        .started_at = admin->started_ms,
        .uptime_s = (clock_mono_ms(kit->clock) - admin->started_mono_ms) / 1000,
        .sessions = (int64_t)realtime_sessions(kit->realtime),
        .loops = kit->loop_count,
        .log_head = (int64_t)event_log_head(kit->log),
        .engines = ask_engines(kit, req->arena),
    };
    return request_reply_page(req, &admin_node_schema, &node, 1, NULL);
}

/* --- connections -------------------------------------------------------------------------------
 */

struct connections_query {
    struct page_query page;
    struct id user_id;
};
static const struct schema_field query_fields[] = {
    {"limit", "Items in a page.", SCHEMA_INT,
     .offset = offsetof(struct connections_query, page.limit), .min = 1, .max = PAGE_LIMIT_MAX,
     .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     .offset = offsetof(struct connections_query, page.cursor), .min = 1, .max = 200},
    {"user_id", "Only this user's.", SCHEMA_ID, SCHEMA_AT(struct connections_query, user_id)},
};
SCHEMA_DEF(admin_connections_query_schema, struct connections_query, "ConnectionsQuery",
           "Which connections.", query_fields);

struct connection {
    struct slice id, transport, peer;
    struct id user_id, session_id;
    int64_t connected_at, queued_bytes, follows, watches;
};
static const struct schema_field connection_fields[] = {
    {"id", "Good until the connection ends.", SCHEMA_STRING, SCHEMA_AT(struct connection, id)},
    {"user_id", NULL, SCHEMA_ID, SCHEMA_AT(struct connection, user_id)},
    {"session_id", NULL, SCHEMA_ID, SCHEMA_AT(struct connection, session_id)},
    {"transport", "websocket, event-stream or long-poll.", SCHEMA_STRING,
     SCHEMA_AT(struct connection, transport)},
    {"peer", "The client's address.", SCHEMA_STRING, SCHEMA_AT(struct connection, peer)},
    {"connected_at", "To the second.", SCHEMA_TIME, SCHEMA_AT(struct connection, connected_at)},
    {"queued_bytes", "What the client has still to take.", SCHEMA_INT,
     SCHEMA_AT(struct connection, queued_bytes)},
    {"follows", "How many streams reach it.", SCHEMA_INT, SCHEMA_AT(struct connection, follows)},
    {"watches", "How many topics it looks at.", SCHEMA_INT, SCHEMA_AT(struct connection, watches)},
};
SCHEMA_DEF(admin_connection_schema, struct connection, "Connection", "A live connection.",
           connection_fields);

struct connection_params {
    struct slice id;
};
static const struct schema_field params_fields[] = {
    {"id", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct connection_params, id), 1,
     CONNECTION_ID_MAX},
};
SCHEMA_DEF(admin_connection_params_schema, struct connection_params, "ConnectionParams", NULL,
           params_fields);

int admin_connections_route(struct request *req)
{
    const struct connections_query *query = req->query;
    struct connection_view views[PAGE_LIMIT_MAX];
    struct connection items[PAGE_LIMIT_MAX];
    struct cursor cursor, next;
    unsigned count;
    bool given, more;
    int rc = cursor_decode(query->page.cursor, &cursor, &given, &req->error);
    if (rc < 0)
        return rc;
    connections_list(req->kit->realtime, id_is_nil(&query->user_id) ? NULL : &query->user_id,
                     &cursor, (unsigned)query->page.limit, views, &count, &next, &more);
    for (unsigned i = 0; i < count; i++)
        items[i] = (struct connection){.id = slice_str(views[i].id),
                                       .transport = slice_str(views[i].transport),
                                       .peer = slice_str(views[i].peer),
                                       .user_id = views[i].user,
                                       .session_id = views[i].session,
                                       .connected_at = views[i].connected_ms,
                                       .queued_bytes = (int64_t)views[i].queued_bytes,
                                       .follows = views[i].follows,
                                       .watches = views[i].watches};
    return request_reply_page(req, &admin_connection_schema, items, count, more ? &next : NULL);
}

static int audit_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct request *req = arg;
    const struct connection_params *params = req->params;
    struct audit_entry entry = {
        .action = "connection.closed",
        .actor = &req->principal->user,
        .subject_kind = "connection",
        .detail = arena_printf(req->arena, "{\"connection\":\"%.*s\"}", SLICE_FMT(params->id)),
        .correlation_id = req->correlation_id};
    return audit_write(req->kit, tx, &entry, err);
}

/* Closing is no transaction: what was closed is on record right after. */
int admin_close_connection_route(struct request *req)
{
    const struct connection_params *params = req->params;
    if (!connections_close(req->kit->realtime, params->id))
        return error_set(&req->error, FAIL_NOT_FOUND, "connection_not_found",
                         "There is no such connection any more.");
    int rc = db_write(req->kit->main_db, audit_tx, req, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}
