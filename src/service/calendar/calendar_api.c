/* Routes and the room's descriptor: decode, call the rule, encode. */
#include "contract/auth.h"
#include "kit/told.h"
#include "service/calendar/calendar_room.h"

extern const struct db_schema calendar_db_schema; /* made from schema/ by the build */

enum { PAGE_ARENA_MAX = 32 << 20, BODY_MAX = 128 << 10, MINUTE_MS = 60000 };

/* --- between requests and rules ----------------------------------------------------------------
 */
static int check_match(struct calendar_call *call, struct slice current_json)
{
    return request_check_match(call->unchanged_arg, current_json);
}

static struct calendar_call call_of(struct request *req)
{
    struct calendar_call call = {.room = req->room,
                                 .arena = req->arena,
                                 .correlation_id = req->correlation_id,
                                 .headers = &req->headers,
                                 .err = &req->error};
    if (req->principal != NULL)
        call.user = req->principal->user;
    call.moderates = req->principal != NULL && (req->principal->scopes & SCOPE_MODERATE) != 0;
    if (request_header_value(req, "if-match").ptr != NULL) {
        call.unchanged = check_match;
        call.unchanged_arg = req;
    }
    return call;
}

static const struct id *id_of(const struct request *req)
{
    return &((const struct gathering_params *)req->params)->id;
}

static int reply_gathering(struct request *req, int rc, int status, const struct gathering *g)
{
    if (rc == 0)
        rc = request_reply(req, status, &gathering_schema, g);
    if (rc == 0)
        request_etag(req);
    return rc;
}

static int reply_empty(struct request *req, int rc)
{
    return rc == 0 ? request_reply_empty(req) : rc;
}

static int reply_calendar(struct request *req, int rc)
{
    if (rc < 0) {
        buf_clear(&req->answer);
        return rc;
    }
    req->status = 200;
    request_header(req, "content-disposition", "attachment; filename=\"calendar.ics\"");
    request_header(req, "cache-control", "private, no-cache");
    request_etag(req);
    return 0;
}

/* --- gatherings --------------------------------------------------------------------------------
 */
static int create(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct gathering g;
    return reply_gathering(req, gathering_create(&call, req->body, &g), 201, &g);
}

static int list(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct gathering_list page;
    struct arena arena;
    arena_init(&arena, PAGE_ARENA_MAX);
    call.arena = &arena;
    int rc = gathering_list(&call, req->query, &page);
    if (rc == 0)
        rc = request_reply_page(req, &gathering_schema, page.items, page.count,
                                page.more ? &page.next : NULL);
    arena_done(&arena);
    return rc;
}

static int get(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct gathering g;
    return reply_gathering(req, gathering_get(&call, id_of(req), &g), 200, &g);
}

static int edit(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct gathering g;
    return reply_gathering(req, gathering_edit(&call, id_of(req), req->body, &g), 200, &g);
}

static int cancel(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct gathering g;
    return reply_gathering(req, gathering_cancel(&call, id_of(req), &g), 200, &g);
}

static int delete (struct request *req)
{
    struct calendar_call call = call_of(req);
    return reply_empty(req, gathering_delete(&call, id_of(req)));
}

/* --- answers -----------------------------------------------------------------------------------
 */
static int answer(struct request *req)
{
    struct calendar_call call = call_of(req);
    const struct rsvp_input *in = req->body;
    struct calendar_rsvp rsvp;
    int rc = calendar_answer(&call, id_of(req), (enum calendar_answer)in->status, &rsvp);
    return rc == 0 ? request_reply(req, 200, &calendar_rsvp_schema, &rsvp) : rc;
}

static int attendees(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct rsvp_list page;
    int rc = calendar_attendees(&call, id_of(req), req->query, &page);
    return rc < 0 ? rc
                  : request_reply_page(req, &calendar_rsvp_schema, page.items, page.count,
                                       page.more ? &page.next : NULL);
}

static int invite(struct request *req)
{
    struct calendar_call call = call_of(req);
    const struct gathering_params *params = req->params;
    return reply_empty(req, calendar_invite(&call, &params->id, &params->user_id));
}

static int uninvite(struct request *req)
{
    struct calendar_call call = call_of(req);
    const struct gathering_params *params = req->params;
    return reply_empty(req, calendar_uninvite(&call, &params->id, &params->user_id));
}

/* --- iCalendar ---------------------------------------------------------------------------------
 */
static int file(struct request *req)
{
    struct calendar_call call = call_of(req);
    return reply_calendar(req, calendar_file(&call, id_of(req), &req->answer));
}

static int feed_of(struct request *req, struct calendar_call *call)
{
    struct arena arena;
    arena_init(&arena, PAGE_ARENA_MAX);
    call->arena = &arena;
    int rc = calendar_feed(call, &req->answer);
    arena_done(&arena);
    return reply_calendar(req, rc);
}

static int feed(struct request *req)
{
    struct calendar_call call = call_of(req);
    return feed_of(req, &call);
}

static int public_feed(struct request *req)
{
    struct calendar_call call = call_of(req);
    const struct link_params *params = req->params;
    int rc = calendar_link_find(req->room, params->file, &call.user, &req->error);
    return rc < 0 ? rc : feed_of(req, &call);
}

static int make_link(struct request *req)
{
    struct calendar_call call = call_of(req);
    struct calendar_link link;
    int rc = calendar_link_make(&call, &link);
    if (rc < 0)
        return rc;
    request_header(req, "cache-control", "no-store");
    return request_reply(req, 201, &calendar_link_schema, &link);
}

static int end_link(struct request *req)
{
    struct calendar_call call = call_of(req);
    return reply_empty(req, calendar_link_end(&call));
}

/* --- tables ------------------------------------------------------------------------------------
 */
#define EVENTS "/api/v1/events"
#define EVENT EVENTS "/{id}"
#define CALENDAR_FILE                                                                              \
    .answer_type = "text/calendar; charset=utf-8", .etag = true, .download = true, .status = 200
#define ICS_DOC                                                                                    \
    "iCalendar (RFC 5545), type text/calendar, with the time zones that its times need. "

static const struct route calendar_routes[] = {
    {HTTP_POST, EVENTS, "events", "Make an event",
     "Times without an offset are local in time_zone. One that the clocks there skip "
     "(local_time_skipped) or show twice (local_time_ambiguous) is refused.",
     create, .body = &gathering_new_schema, .body_max = BODY_MAX, .answer = &gathering_schema,
     .etag = true, .status = 201, .errors = ROUTE_ERRORS({429, "too_many_events"})},
    {HTTP_GET, EVENTS, "events", "Events",
     "In order of their start; without `from` those that are not over. A page may be short and "
     "have a next_cursor all the same.",
     list, .query = &gathering_query_schema, .answer = &gathering_schema, .answer_list = true,
     .status = 200, .errors = ROUTE_ERRORS({400, "invalid_cursor"})},
    {HTTP_GET, EVENT, "events", "One event", NULL, get, .params = &gathering_params_schema,
     .answer = &gathering_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "event_not_found"})},
    {HTTP_PATCH, EVENT, "events", "Edit an event",
     "Only its host. More places go to those who wait; fewer take none away.", edit,
     .params = &gathering_params_schema, .body = &gathering_patch_schema, .body_max = BODY_MAX,
     .answer = &gathering_schema, .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "event_not_found"}, {403, "host_only"}, {409, "event_cancelled"},
                            {412, "stale"})},
    {HTTP_POST, EVENT "/cancel", "events", "Cancel an event",
     "Only its host. It stays, as cancelled, in lists and calendars.", cancel,
     .flags = ROUTE_NO_BODY, .params = &gathering_params_schema, .answer = &gathering_schema,
     .etag = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "event_not_found"}, {403, "host_only"}, {409, "event_over"},
                            {412, "stale"})},
    {HTTP_DELETE, EVENT, "events", "Delete an event",
     "Its host's: one that is still to come and that others have answered is cancelled; any "
     "other, also one that was cancelled before, is gone. Anybody's, as a moderator: it is gone.",
     delete, .params = &gathering_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "event_not_found"}, {403, "host_only"}, {412, "stale"})},
    {HTTP_PUT, EVENT "/rsvp", "events", "Answer an event",
     "yes is a place, or one in the waiting line when all are taken; the first in the line gets "
     "the next free place. The same answer again changes nothing.",
     answer, .params = &gathering_params_schema, .body = &rsvp_input_schema,
     .answer = &calendar_rsvp_schema, .status = 200,
     .errors =
         ROUTE_ERRORS({404, "event_not_found"}, {409, "event_cancelled"}, {409, "event_over"})},
    {HTTP_GET, EVENT "/attendees", "events", "Answers to an event",
     "In order of arrival; only the host sees who does not come. People whose accounts are "
     "switched "
     "off are left out, but keep their places and are counted.",
     attendees, .params = &gathering_params_schema, .query = &rsvp_query_schema,
     .answer = &calendar_rsvp_schema, .answer_list = true, .status = 200,
     .errors = ROUTE_ERRORS({404, "event_not_found"}, {403, "host_only"}, {400, "invalid_cursor"})},
    {HTTP_PUT, EVENT "/invites/{user_id}", "events", "Invite somebody",
     "Only its host. Who is invited may see it and answer whatever its visibility is.", invite,
     .flags = ROUTE_NO_BODY, .params = &invite_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "event_not_found"}, {403, "host_only"}, {404, "user_not_found"},
                            {409, "too_many_invites"})},
    {HTTP_DELETE, EVENT "/invites/{user_id}", "events", "Take an invitation back",
     "Only its host. The answer of the person goes too, and their place to who waits.", uninvite,
     .params = &invite_params_schema, .status = 204,
     .errors = ROUTE_ERRORS({404, "event_not_found"}, {403, "host_only"})},
    {HTTP_GET, EVENT "/calendar.ics", "events", "One event for a calendar", ICS_DOC, file,
     .params = &gathering_params_schema, CALENDAR_FILE,
     .errors = ROUTE_ERRORS({404, "event_not_found"})},
    {HTTP_GET, "/api/v1/users/me/calendar.ics", "events", "My calendar",
     ICS_DOC "What I host and what I answered with yes or maybe, from 90 days ago on; at most the "
             "1,000 that were made last.",
     feed, CALENDAR_FILE},
    {HTTP_POST, "/api/v1/users/me/calendar-link", "events", "A secret address of my calendar",
     "For calendar programs, which cannot sign in. It is shown once; making a new one ends the one "
     "before.",
     make_link, .flags = ROUTE_NO_BODY | ROUTE_SECRET, .answer = &calendar_link_schema,
     .status = 201},
    {HTTP_DELETE, "/api/v1/users/me/calendar-link", "events", "End the secret address", NULL,
     end_link, .status = 204},
    {HTTP_GET, "/api/v1/calendars/{file}", "events", "A calendar by its secret address",
     ICS_DOC "No token is needed: the address is the secret.", public_feed,
     .flags = ROUTE_PUBLIC | ROUTE_SECRET, .params = &link_params_schema, CALENDAR_FILE,
     .errors = ROUTE_ERRORS({404, "calendar_not_found"})},
};

static const struct event_type *const calendar_events[] = {
    &gathering_created_event,   &gathering_updated_event,
    &gathering_cancelled_event, &gathering_invited_event,
    &gathering_changed_event,   &calendar_rsvp_changed_event,
    &calendar_reminder_event,   NULL};

static const char *const people_types[] = {"user.deleted", "block.changed", NULL};
static const struct consumer calendar_consumers[] = {
    {.name = "calendar.people", .types = people_types, .handle = calendar_follow_people},
};

static const struct job calendar_jobs[] = {
    {.name = "calendar.reminders", .every_key = "calendar.remind_every", .run = calendar_remind},
    {"calendar.sweep", MINUTE_MS, calendar_sweep},
};

static int may_watch(void *room, const struct principal *principal, const struct id *of,
                     struct error *err)
{
    struct arena arena;
    struct gathering g;
    struct calendar_call call = {
        .room = room, .user = principal->user, .arena = &arena, .err = err};
    arena_init(&arena, 64 << 10);
    int rc = gathering_get(&call, of, &g);
    arena_done(&arena);
    return rc;
}

static int is_there(struct db_tx *tx, const struct id *user, struct slice data, struct arena *arena,
                    bool *ret_there, struct error *err)
{
    struct gathering told, now;
    (void)user; /* a private one may be told to those it was told to, and to whom it invites */
    int rc = schema_decode(&gathering_schema, data, arena, &told, err);
    return rc < 0 ? rc : gathering_store_get(tx, &told.id, arena, &now, ret_there, err);
}

static int review(void *room, const struct principal *principal, struct told_event *events,
                  unsigned count, struct arena *arena, struct error *err)
{
    static const struct event_type *const shown[] = {
        &gathering_created_event, &gathering_updated_event, &gathering_invited_event, NULL};
    const struct calendar_room *r = room;
    return told_review(r->db, shown, is_there, &principal->user, events, count, arena, err);
}

static const struct topic calendar_topics[] = {
    {.kind = CALENDAR_TOPIC,
     .doc = "An event that one looks at: event.changed.",
     .check = may_watch},
};

static const char *const calendar_needs[] = {"social", "user", NULL};

const struct module calendar_module = {
    .name = "calendar",
    .needs = calendar_needs,
    .routes = calendar_routes,
    .route_count = ARRAY_LEN(calendar_routes),
    .events = calendar_events,
    .consumers = calendar_consumers,
    .consumer_count = ARRAY_LEN(calendar_consumers),
    .jobs = calendar_jobs,
    .job_count = ARRAY_LEN(calendar_jobs),
    .config = calendar_config,
    .schema = &calendar_db_schema,
    .start = calendar_start,
    .stop = calendar_stop,
    .calls = calendar_calls,
    .review = review,
    .topics = calendar_topics,
    .topic_count = ARRAY_LEN(calendar_topics),
    .export_person = calendar_export_person,
};
