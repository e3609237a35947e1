/* The social routes: decode, call the rule, encode. At the bottom the room's descriptor. */
#include <stdlib.h>

#include "service/social/social_room.h"
#include "service/social/social_schema.h"

extern const struct db_schema social_db_schema; /* embedded by the build */

static int check_match(struct social_call *call, struct slice current_json)
{
    return request_check_match(call->unchanged_arg, current_json);
}

static struct social_call call_of(struct request *req)
{
    bool matches = request_header_value(req, "if-match").ptr != NULL;
    return (struct social_call){.room = req->room,
                                .user = req->principal->user,
                                .moderates = (req->principal->scopes & SCOPE_MODERATE) != 0,
                                .correlation_id = req->correlation_id,
                                .unchanged = matches ? check_match : NULL,
                                .unchanged_arg = req,
                                .err = &req->error};
}

/* --- two people ------------------------------------------------------------------------------- */

static int change(struct request *req, social_change_fn *rule)
{
    struct social_call call = call_of(req);
    const struct social_params *params = req->params;
    struct social_relationship how;
    int rc = rule(&call, &params->id, &how);
    return rc < 0 ? rc : request_reply(req, 200, &social_relationship_schema, &how);
}

static int relationship_route(struct request *req)
{
    return change(req, social_get);
}

static int follow_route(struct request *req)
{
    return change(req, social_follow);
}

static int unfollow_route(struct request *req)
{
    return change(req, social_unfollow);
}

static int block_route(struct request *req)
{
    return change(req, social_block);
}

static int unblock_route(struct request *req)
{
    return change(req, social_unblock);
}

static int mute_route(struct request *req)
{
    return change(req, social_mute);
}

static int unmute_route(struct request *req)
{
    return change(req, social_unmute);
}

static int accept_route(struct request *req)
{
    struct social_call call = call_of(req);
    const struct social_params *params = req->params;
    int rc = social_accept(&call, &params->id);
    return rc < 0 ? rc : request_reply_empty(req);
}

static int refuse_route(struct request *req)
{
    struct social_call call = call_of(req);
    const struct social_params *params = req->params;
    int rc = social_refuse(&call, &params->id);
    return rc < 0 ? rc : request_reply_empty(req);
}

/* --- reports ---------------------------------------------------------------------------------- */

static int report_route(struct request *req)
{
    struct social_call call = call_of(req);
    struct social_report report;
    int rc = social_report(&call, req->body, &report);
    return rc < 0 ? rc : request_reply(req, 201, &social_report_schema, &report);
}

static int reports_route(struct request *req)
{
    struct social_call call = call_of(req);
    struct social_report_page page;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    int rc = social_reports(&call, req->query, &arena, &page);
    if (rc == 0)
        rc = request_reply_page(req, &social_report_schema, page.items, page.count,
                                page.more ? &page.next : NULL);
    arena_done(&arena);
    return rc;
}

static int reply_report(struct request *req, const struct social_report *report)
{
    int rc = request_reply(req, 200, &social_report_schema, report);
    if (rc == 0)
        request_etag(req);
    return rc;
}

static int report_get_route(struct request *req)
{
    struct social_call call = call_of(req);
    const struct social_params *params = req->params;
    struct social_report report;
    int rc = social_report_get(&call, &params->id, req->arena, &report);
    return rc < 0 ? rc : reply_report(req, &report);
}

static int handle_route(struct request *req)
{
    struct social_call call = call_of(req);
    const struct social_params *params = req->params;
    struct social_report report;
    int rc = social_report_handle(&call, &params->id, req->body, req->arena, &report);
    return rc < 0 ? rc : reply_report(req, &report);
}

/* --- tables ----------------------------------------------------------------------------------- */

#define USER "/api/v1/users/{id}"
#define REQUEST "/api/v1/follow-requests/{user_id}"
/* Every relation is set by PUT and ended by DELETE, and both answer with how the two stand then. */
#define PAIR .params = &social_params_schema, .answer = &social_relationship_schema, .status = 200

static const struct route social_routes[] = {
    {HTTP_GET, USER "/relationship", "social", "How you stand to somebody", NULL,
     relationship_route, PAIR, .errors = ROUTE_ERRORS({404, "user_not_found"})},
    {HTTP_PUT, USER "/follow", "social", "Follow somebody",
     "A private account is asked: follow_requested, until they answer or become public.",
     follow_route, PAIR, .flags = ROUTE_NO_BODY,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {409, "blocking"}, {422, "self_follow"},
                            {422, "too_many_follows"})},
    {HTTP_DELETE, USER "/follow", "social", "Follow somebody no longer",
     "Takes a request back as well.", unfollow_route, PAIR,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {422, "self_follow"})},
    {HTTP_PUT, USER "/block", "social", "Block somebody",
     "To them you are not there any more. Follows and requests end, both ways; direct chats stay "
     "to be read, nobody writes in them.",
     block_route, PAIR, .flags = ROUTE_NO_BODY,
     .errors =
         ROUTE_ERRORS({404, "user_not_found"}, {422, "self_block"}, {422, "too_many_blocks"})},
    {HTTP_DELETE, USER "/block", "social", "Block somebody no longer",
     "Follows that the block ended do not come back.", unblock_route, PAIR,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {422, "self_block"})},
    {HTTP_PUT, USER "/mute", "social", "Mute somebody",
     "What they publish is left out of your lists and live events. They do not learn of it.",
     mute_route, PAIR, .flags = ROUTE_NO_BODY,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {422, "self_mute"}, {422, "too_many_mutes"})},
    {HTTP_DELETE, USER "/mute", "social", "Mute somebody no longer", NULL, unmute_route, PAIR,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {422, "self_mute"})},
    {HTTP_PUT, REQUEST, "social", "Let somebody follow you", NULL, accept_route,
     .flags = ROUTE_NO_BODY, .params = &social_asker_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {404, "request_not_found"})},
    {HTTP_DELETE, REQUEST, "social", "Refuse a follow request", "They may ask again.", refuse_route,
     .params = &social_asker_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "user_not_found"})},
    {HTTP_POST, "/api/v1/reports", "social", "Report something to the moderators",
     "The same thing once while the report is open.", report_route,
     .body = &social_report_new_schema, .answer = &social_report_schema, .status = 201,
     .errors = ROUTE_ERRORS({404, "user_not_found"}, {409, "already_reported"},
                            {422, "self_report"}, {422, "too_many_reports"})},
    {HTTP_GET, "/api/v1/admin/reports", "admin", "Reports", "Newest first; for moderators.",
     reports_route, .scopes = SCOPE_MODERATE, .query = &social_report_query_schema,
     .answer = &social_report_schema, .answer_list = true, .status = 200},
    {HTTP_GET, "/api/v1/admin/reports/{id}", "admin", "Read a report", "For moderators.",
     report_get_route, .scopes = SCOPE_MODERATE, .params = &social_report_params_schema,
     .answer = &social_report_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "report_not_found"})},
    {HTTP_PATCH, "/api/v1/admin/reports/{id}", "admin", "Handle a report",
     "What was done is in the audit log. With If-Match it is refused (412) when another moderator "
     "was faster.",
     handle_route, .scopes = SCOPE_MODERATE, .params = &social_report_params_schema,
     .body = &social_report_patch_schema, .answer = &social_report_schema, .etag = true,
     .status = 200,
     .errors = ROUTE_ERRORS({404, "report_not_found"}, {409, "already_reported"}, {412, "stale"})},
};

static const struct config_key social_config[] = {
    {"social.follows_max", CONFIG_INT, "10000", 1, 100000,
     .doc = "How many others an account can follow, requests included."},
    {"social.blocks_max", CONFIG_INT, "10000", 1, 100000,
     .doc = "How many others an account can block."},
    {"social.mutes_max", CONFIG_INT, "10000", 1, 100000,
     .doc = "How many others an account can mute."},
    {"social.reports_max", CONFIG_INT, "100", 1, 100000,
     .doc = "Reports of one person that nobody has handled yet."},
    {0},
};

static const char *const people_types[] = {"user.created",         "user.updated",
                                           "user.account_changed", "user.creation_failed",
                                           "user.deleted",         NULL};
static const struct consumer social_consumers[] = {
    {.name = "social.people", .types = people_types, .handle = social_follow_people},
};
static const struct job social_jobs[] = {
    {.name = "social.duties", .every_ms = 1000, .run = social_duties},
};
static const struct event_type *const social_events[] = {
    &social_follow_changed_event, &social_block_changed_event, &social_follow_linked_event, NULL};

/* --- the room --------------------------------------------------------------------------------- */

static int load_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_room *room = arg;
    return social_store_packs(tx, room->blocks, err);
}

static int start(struct kit *kit, void **ret_room, struct error *err)
{
    struct social_room *room = xcalloc(1, sizeof *room);
    room->kit = kit;
    room->db = kit_db(kit, "social");
    room->blocks = social_blocks_new();
    room->follows_max = config_int(kit->config, "social.follows_max");
    room->blocks_max = config_int(kit->config, "social.blocks_max");
    room->mutes_max = config_int(kit->config, "social.mutes_max");
    room->reports_max = config_int(kit->config, "social.reports_max");
    atomic_init(&room->duties, true); /* what the last run left */
    social_calls_init(room);
    int rc = db_read(room->db, load_tx, room, err);
    if (rc < 0) {
        social_blocks_free(room->blocks);
        free(room);
        return rc;
    }
    kit->blocked = room->calls.blocked;
    kit->blocked_room = room;
    *ret_room = room;
    return 0;
}

static void stop(void *arg)
{
    struct social_room *room = arg;
    social_blocks_free(room->blocks);
    free(room);
}

static const void *calls(void *arg)
{
    const struct social_room *room = arg;
    return &room->calls;
}

const struct module social_module = {
    .name = "social",
    .routes = social_routes,
    .route_count = ARRAY_LEN(social_routes),
    .events = social_events,
    .consumers = social_consumers,
    .consumer_count = ARRAY_LEN(social_consumers),
    .jobs = social_jobs,
    .job_count = ARRAY_LEN(social_jobs),
    .config = social_config,
    .schema = &social_db_schema,
    .start = start,
    .stop = stop,
    .calls = calls,
    .streams = social_streams,
    .export_person = social_export,
};
