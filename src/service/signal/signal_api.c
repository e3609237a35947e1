/* The signal routes: decode, call the rule, encode. At the bottom the room's descriptor. */
#include <stdlib.h>

#include "base/metric.h"
#include "service/signal/signal_room.h"

extern const struct db_schema signal_db_schema; /* embedded by the build */

/* --- schemas -----------------------------------------------------------------------------------
 */

/* The fields of what a signal says: in a new one, and, all of them optional, in a patch. */
#define TERMS(type, member, needed)                                                                \
    [SIGNAL_PATCH_SYMBOL] = {"symbol",                                                             \
                             "1 to 20 of A-Z, 0-9 and . / - :, in any letter case.",               \
                             SCHEMA_STRING,                                                        \
                             needed,                                                               \
                             SCHEMA_AT(type, member symbol),                                       \
                             .example = "\"BTC/USD\""},                                            \
    [SIGNAL_PATCH_SIDE] = {"side",                                                                 \
                           NULL,                                                                   \
                           SCHEMA_ENUM,                                                            \
                           needed,                                                                 \
                           SCHEMA_AT(type, member side),                                           \
                           .names = signal_side_names},                                            \
    [SIGNAL_PATCH_ENTRY_PRICE] =                                                                   \
        {"entry_price",                                                                            \
         "A decimal number above 0 as text; at most 18 digits before and after the point.",        \
         SCHEMA_STRING,                                                                            \
         needed,                                                                                   \
         SCHEMA_AT(type, member entry_price),                                                      \
         0,                                                                                        \
         SIGNAL_PRICE_CHARS_MAX,                                                                   \
         .example = "\"64250.5\""},                                                                \
    [SIGNAL_PATCH_STOP_LOSS] = {"stop_loss",                                                       \
                                "Below the entry price to buy, above it to sell.",                 \
                                SCHEMA_STRING,                                                     \
                                SCHEMA_NULLABLE,                                                   \
                                SCHEMA_AT(type, member stop_loss),                                 \
                                0,                                                                 \
                                SIGNAL_PRICE_CHARS_MAX},                                           \
    [SIGNAL_PATCH_TAKE_PROFIT] = {"take_profit",                                                   \
                                  "Above the entry price to buy, below it to sell.",               \
                                  SCHEMA_STRING,                                                   \
                                  SCHEMA_NULLABLE,                                                 \
                                  SCHEMA_AT(type, member take_profit),                             \
                                  0,                                                               \
                                  SIGNAL_PRICE_CHARS_MAX},                                         \
    [SIGNAL_PATCH_NOTE] = {"note",                                                                 \
                           "At most 2,000 characters.",                                            \
                           SCHEMA_STRING,                                                          \
                           SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_CHARACTERS,                  \
                           SCHEMA_AT(type, member note),                                           \
                           1,                                                                      \
                           SIGNAL_NOTE_CHARS_MAX},

static const struct schema_field new_fields[] = {TERMS(struct signal_terms, , SCHEMA_REQUIRED)};
static SCHEMA_DEF(new_schema, struct signal_terms, "TradeSignalNew", "A trade to propose.",
                  new_fields);
static const struct schema_field patch_fields[] = {TERMS(struct signal_patch, terms., 0)};
static SCHEMA_DEF_PATCH(patch_schema, struct signal_patch, "TradeSignalPatch",
                        "What is left out stays as it is.", patch_fields);

static const struct schema_field decision_fields[] = {
    {"status", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct signal_decision, status),
     .names = signal_status_names},
    {"reason", "At most 500 characters; needed to reject.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_CHARACTERS,
     SCHEMA_AT(struct signal_decision, reason), 1, SIGNAL_REASON_CHARS_MAX},
};
static SCHEMA_DEF(decision_schema, struct signal_decision, "TradeSignalDecision", NULL,
                  decision_fields);

struct signal_params {
    struct id id;
};
static const struct schema_field id_fields[] = {
    {"id", "The signal.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct signal_params, id)},
};
static SCHEMA_DEF(params_schema, struct signal_params, "TradeSignalParams", NULL, id_fields);

struct admin_query {
    struct page_query page;
    int status; /* -1: any */
};
static const struct schema_field admin_query_fields[] = {
    {"limit", "Items in a page.", SCHEMA_INT, .offset = offsetof(struct admin_query, page.limit),
     .min = 1, .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     .offset = offsetof(struct admin_query, page.cursor), .min = 1, .max = 200},
    {"status", "Only these.", SCHEMA_ENUM, SCHEMA_AT(struct admin_query, status),
     .names = signal_status_names, .fallback = -1},
};
static SCHEMA_DEF(admin_query_schema, struct admin_query, "TradeSignalQuery", NULL,
                  admin_query_fields);

static const struct schema_field step_fields[] = {
    {"status", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct signal_step, status),
     .names = signal_status_names},
    {"reason", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct signal_step, reason)},
    {"by_user_id", "null: somebody who is gone.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct signal_step, by_user_id)},
    {"at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct signal_step, at)},
};
static SCHEMA_DEF(step_schema, struct signal_step, "TradeSignalStep",
                  "One step of what became of a signal.", step_fields);

/* --- routes ------------------------------------------------------------------------------------
 */

static struct signal_call call_of(struct request *req)
{
    return (struct signal_call){.room = req->room,
                                .principal = req->principal,
                                .correlation_id = req->correlation_id,
                                .arena = req->arena,
                                .headers = &req->headers,
                                .err = &req->error};
}

static const struct id *id_param(const struct request *req)
{
    const struct signal_params *params = req->params;
    return &params->id;
}

static int reply_signal(struct request *req, int status, const struct trade_signal *signal)
{
    int rc = request_reply(req, status, &trade_signal_schema, signal);
    if (rc == 0)
        request_etag(req);
    return rc;
}

static int create_route(struct request *req)
{
    struct signal_call call = call_of(req);
    struct trade_signal signal;
    int rc = signal_create(&call, req->body, &signal);
    return rc == 0 ? reply_signal(req, 201, &signal) : rc;
}

static int get_route(struct request *req)
{
    struct signal_call call = call_of(req);
    struct trade_signal signal;
    int rc = signal_get(&call, id_param(req), &signal);
    return rc == 0 ? reply_signal(req, 200, &signal) : rc;
}

/* If-Match is compared with the signal as it is now, and the write then insists on that one. */
static int expected_version(struct request *req, int64_t *ret_updated_at)
{
    struct signal_call call = call_of(req);
    struct trade_signal current;
    struct buf json;
    *ret_updated_at = 0;
    if (request_header_value(req, "if-match").ptr == NULL)
        return 0;
    int rc = signal_get(&call, id_param(req), &current);
    if (rc < 0)
        return rc;
    buf_init(&json, 65536);
    schema_encode(&trade_signal_schema, &current, &json);
    rc = request_check_match(req, buf_view(&json));
    buf_done(&json);
    *ret_updated_at = current.updated_at;
    return rc;
}

static int update_route(struct request *req)
{
    struct signal_call call = call_of(req);
    struct trade_signal signal;
    int64_t expected;
    int rc = expected_version(req, &expected);
    if (rc == 0)
        rc = signal_update(&call, id_param(req), req->body, expected, &signal);
    return rc == 0 ? reply_signal(req, 200, &signal) : rc;
}

static int decide_route(struct request *req)
{
    struct signal_call call = call_of(req);
    struct trade_signal signal;
    int64_t expected;
    int rc = expected_version(req, &expected);
    if (rc == 0)
        rc = signal_decide(&call, id_param(req), req->body, expected, &signal);
    return rc == 0 ? reply_signal(req, 200, &signal) : rc;
}

static int delete_route(struct request *req)
{
    struct signal_call call = call_of(req);
    int64_t expected;
    int rc = expected_version(req, &expected);
    if (rc == 0)
        rc = signal_delete(&call, id_param(req), expected);
    return rc == 0 ? request_reply_empty(req) : rc;
}

static int reply_list(struct request *req, enum signal_list list, int status,
                      const struct page_query *page)
{
    struct signal_call call = call_of(req);
    struct signal_query query = {.list = list, .status = status, .page = page};
    struct signal_page found;
    int rc = signal_page(&call, &query, &found);
    return rc == 0 ? request_reply_page_json(req, found.items, found.count,
                                             found.more ? &found.next : NULL)
                   : rc;
}

static int own_route(struct request *req)
{
    return reply_list(req, SIGNAL_LIST_OWN, 0, req->query);
}

static int approved_route(struct request *req)
{
    return reply_list(req, SIGNAL_LIST_APPROVED, 0, req->query);
}

static int admin_route(struct request *req)
{
    const struct admin_query *query = req->query;
    return reply_list(req, query->status >= 0 ? SIGNAL_LIST_STATUS : SIGNAL_LIST_ALL, query->status,
                      &query->page);
}

static int history_route(struct request *req)
{
    struct signal_call call = call_of(req);
    struct signal_history page;
    int rc = signal_history(&call, id_param(req), req->query, &page);
    return rc == 0 ? request_reply_page(req, &step_schema, page.items, page.count,
                                        page.more ? &page.next : NULL)
                   : rc;
}

static const struct route_error create_errors[] = {{429, "too_many_signals"}, {0}};
static const struct route_error list_errors[] = {{400, "invalid_cursor"}, {0}};
static const struct route_error get_errors[] = {{404, "signal_not_found"}, {0}};
static const struct route_error update_errors[] = {
    {404, "signal_not_found"}, {403, "not_author"}, {409, "signal_decided"}, {412, "stale"}, {0}};
static const struct route_error delete_errors[] = {
    {404, "signal_not_found"}, {403, "not_author"}, {409, "signal_decided"}, {412, "stale"}, {0}};
static const struct route_error decide_errors[] = {
    {404, "signal_not_found"}, {409, "invalid_transition"}, {412, "stale"}, {0}};
static const struct route_error history_errors[] = {
    {404, "signal_not_found"}, {400, "invalid_cursor"}, {0}};

#define SIGNALS "/api/v1/trade-signals"
#define TAG "trade signals"
#define ONE .params = &params_schema, .answer = &trade_signal_schema, .etag = true, .status = 200
#define LIST .answer = &trade_signal_schema, .answer_list = true, .status = 200

static const struct route signal_routes[] = {
    {HTTP_POST, SIGNALS, TAG, "Propose a trade", "It waits for the decision of an admin.",
     create_route, .body = &new_schema, .answer = &trade_signal_schema, .etag = true, .status = 201,
     .errors = create_errors},
    {HTTP_GET, SIGNALS, TAG, "One's own signals", "Newest first.", own_route,
     .query = &page_query_schema, LIST, .errors = list_errors},
    {HTTP_GET, SIGNALS "/approved", TAG, "The public board",
     "Approved signals, those that were approved last first. Needs no token; with one, without "
     "people whom a block stands between. Authors whose accounts are switched off are left out.",
     approved_route, .flags = ROUTE_PUBLIC, .query = &page_query_schema, LIST,
     .errors = list_errors},
    {HTTP_GET, SIGNALS "/{id}", TAG, "Read a signal",
     "Approved and closed ones are for everybody, others for their author and admins.", get_route,
     ONE, .errors = get_errors},
    {HTTP_PATCH, SIGNALS "/{id}", TAG, "Edit one's signal",
     "While it is pending; a rejected one becomes pending again. Approved and closed ones stay as "
     "they are (409). With If-Match the edit is refused (412) when somebody was faster.",
     update_route, .body = &patch_schema, ONE, .errors = update_errors},
    {HTTP_DELETE, SIGNALS "/{id}", TAG, "Delete one's signal", "While it is pending or rejected.",
     delete_route, .params = &params_schema, .status = 204, .errors = delete_errors},
    {HTTP_GET, SIGNALS "/{id}/history", TAG, "What became of a signal", "Oldest first.",
     history_route, .params = &params_schema, .query = &page_query_schema, .answer = &step_schema,
     .answer_list = true, .status = 200, .errors = history_errors},
    {HTTP_GET, "/api/v1/admin/trade-signals", "admin", "All trade signals", "Newest first.",
     admin_route, .scopes = SCOPE_ADMIN, .query = &admin_query_schema, LIST, .errors = list_errors},
    {HTTP_PUT, "/api/v1/admin/trade-signals/{id}/status", "admin", "Decide on a trade signal",
     "A pending one can be approved or rejected (with a reason), an approved one closed; anything "
     "else is 409 invalid_transition. With If-Match the decision is refused (412) when the author "
     "has edited it since.",
     decide_route, .scopes = SCOPE_ADMIN, .body = &decision_schema, ONE, .errors = decide_errors},
};

/* --- the room ----------------------------------------------------------------------------------
 */

enum { DAY_MS = 24 * 3600 * 1000 };

static const char *const signal_needs[] = {"social", NULL};
static const char *const erase_types[] = {"user.deleted", NULL};
static const struct consumer signal_consumers[] = {
    {.name = "signal.erase", .types = erase_types, .handle = signal_forget_person},
};
static const struct topic signal_topics[] = {
    {.kind = SIGNAL_TOPIC,
     .alone = true,
     .doc = "The public board: signal.changed when a signal is approved or closed."},
};
static const struct event_type *const signal_events[] = {&signal_created_event,
                                                         &signal_updated_event,
                                                         &signal_deleted_event,
                                                         &signal_status_changed_event,
                                                         &signal_decided_event,
                                                         &signal_changed_event,
                                                         NULL};
static const struct config_key signal_config[] = {
    {"signal.cache_ttl", CONFIG_DURATION, "10m", 300000, 900000,
     .doc = "How long trade signals are kept in the cache; a change is seen at once (X02)."},
    {"signal.signals_per_day", CONFIG_INT, "100", 1, 1000000,
     .doc = "Trade signals that a person may propose in 24 hours; off with limits.per_user=off."},
    {0},
};

static void register_metrics(struct signal_room *room)
{
    static const char *const labels[] = {
        [SIGNAL_APPROVED] = "status=\"approved\"",
        [SIGNAL_REJECTED] = "status=\"rejected\"",
        [SIGNAL_CLOSED] = "status=\"closed\"",
    };
    room->created = metric_register(METRIC_COUNTER, "parley_trade_signals_created_total",
                                    "Trade signals proposed.", NULL);
    for (size_t i = SIGNAL_APPROVED; i < ARRAY_LEN(labels); i++)
        room->decided[i] = metric_register(METRIC_COUNTER, "parley_trade_signals_decided_total",
                                           "Decisions on trade signals.", labels[i]);
}

static int start(struct kit *kit, void **ret_room, struct error *err)
{
    struct signal_room *room = xcalloc(1, sizeof *room);
    (void)err;
    room->kit = kit;
    room->db = kit_db(kit, "signal");
    room->social = kit_calls(kit, "social");
    room->cache = cache_new(kit, "signals", config_int(kit->config, "signal.cache_ttl"));
    room->create_limit =
        (struct limit_rule){.name = "signals",
                            .kind = LIMIT_WINDOW,
                            .count = config_bool(kit->config, "limits.per_user")
                                         ? config_int(kit->config, "signal.signals_per_day")
                                         : 0,
                            .period_ms = DAY_MS,
                            .code = "too_many_signals"};
    register_metrics(room);
    *ret_room = room;
    return 0;
}

static void stop(void *arg)
{
    struct signal_room *room = arg;
    cache_free(room->cache);
    free(room);
}

const struct module signal_module = {
    .name = "signal",
    .needs = signal_needs,
    .routes = signal_routes,
    .route_count = ARRAY_LEN(signal_routes),
    .events = signal_events,
    .consumers = signal_consumers,
    .consumer_count = ARRAY_LEN(signal_consumers),
    .config = signal_config,
    .schema = &signal_db_schema,
    .start = start,
    .stop = stop,
    .topics = signal_topics,
    .topic_count = ARRAY_LEN(signal_topics),
    .export_person = signal_export,
};
