/* The story routes: decode, call the rule, encode. At the bottom the room's descriptor. */
#include "kit/told.h"
#include "service/story/story_room.h"
#include "service/story/story_store.h"

extern const struct db_schema story_db_schema; /* embedded by the build */

/* --- schemas -----------------------------------------------------------------------------------
 */

static const struct schema_field new_fields[] = {
    {"text", "1 to 2,000 characters; may be left out when there is a medium.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_CHARACTERS, SCHEMA_AT(struct story_new, text), 1,
     STORY_TEXT_CHARS_MAX},
    {"media_id", "A picture or a video.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct story_new, media_id)},
    {"visibility", NULL, SCHEMA_ENUM, SCHEMA_AT(struct story_new, visibility),
     .names = story_visibility_names, .fallback = SOCIAL_PUBLIC},
};
static SCHEMA_DEF(new_schema, struct story_new, "StoryNew", "What to post for a day.", new_fields);

struct story_params {
    struct id id;
};
static const struct schema_field story_id_fields[] = {
    {"id", "The story.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct story_params, id)},
};
static SCHEMA_DEF(story_params_schema, struct story_params, "StoryParams", NULL, story_id_fields);
static const struct schema_field author_id_fields[] = {
    {"id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct story_params, id)},
};
static SCHEMA_DEF(author_params_schema, struct story_params, "StoryAuthorParams", NULL,
                  author_id_fields);

static const struct schema_field viewer_fields[] = {
    {"user_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct story_viewer, user_id)},
    {"viewed_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct story_viewer, viewed_at)},
};
static SCHEMA_DEF(viewer_schema, struct story_viewer, "StoryViewer", "Who has seen a story.",
                  viewer_fields);

/* --- routes ------------------------------------------------------------------------------------
 */

static struct story_call call_of(struct request *req)
{
    return (struct story_call){.room = req->room,
                               .user = req->principal->user,
                               .moderates = (req->principal->scopes & SCOPE_MODERATE) != 0,
                               .correlation_id = req->correlation_id,
                               .arena = req->arena,
                               .err = &req->error};
}

static const struct id *id_param(const struct request *req)
{
    const struct story_params *params = req->params;
    return &params->id;
}

static int post_route(struct request *req)
{
    struct story_call call = call_of(req);
    struct story story;
    int rc = story_post(&call, req->body, &story);
    return rc == 0 ? request_reply(req, 201, &story_schema, &story) : rc;
}

static int reply_page(struct request *req, const struct story_page *page)
{
    return request_reply_page_bytes(req, &story_schema, page->items, page->count, page->next);
}

static int bar_route(struct request *req)
{
    struct story_call call = call_of(req);
    struct story_page page;
    int rc = story_bar(&call, req->query, &page);
    return rc == 0 ? reply_page(req, &page) : rc;
}

static int list_route(struct request *req)
{
    struct story_call call = call_of(req);
    struct story_page page;
    int rc = story_list(&call, id_param(req), req->query, &page);
    return rc == 0 ? reply_page(req, &page) : rc;
}

static int view_route(struct request *req)
{
    struct story_call call = call_of(req);
    int rc = story_view(&call, id_param(req));
    return rc == 0 ? request_reply_empty(req) : rc;
}

static int viewers_route(struct request *req)
{
    struct story_call call = call_of(req);
    struct story_viewers page;
    int rc = story_viewers(&call, id_param(req), req->query, &page);
    return rc == 0 ? request_reply_page(req, &viewer_schema, page.items, page.count,
                                        page.more ? &page.next : NULL)
                   : rc;
}

static int delete_route(struct request *req)
{
    struct story_call call = call_of(req);
    int rc = story_delete(&call, id_param(req));
    return rc == 0 ? request_reply_empty(req) : rc;
}

static const struct route_error post_errors[] = {{429, "too_many_stories"}, {0}};
static const struct route_error story_errors[] = {{404, "story_not_found"}, {0}};
static const struct route_error own_errors[] = {{404, "story_not_found"}, {403, "not_author"}, {0}};
static const struct route_error list_errors[] = {
    {404, "user_not_found"}, {400, "invalid_cursor"}, {0}};
static const struct route_error bar_errors[] = {{400, "invalid_cursor"}, {0}};

static const struct route story_routes[] = {
    {HTTP_POST, "/api/v1/stories", "stories", "Post a story",
     "It is there for 24 hours. At most ten in 24 hours, deleted ones included; after that 429 "
     "with "
     "the time at which the next one may be posted.",
     post_route, .limit = LIMIT_DATA, .body = &new_schema, .answer = &story_schema, .status = 201,
     .errors = post_errors},
    {HTTP_GET, "/api/v1/stories", "stories", "Stories of those whom one follows, and one's own",
     "Authors with something unseen first, then those who posted last; of an author the oldest "
     "story first. Without muted authors.",
     bar_route, .limit = LIMIT_DATA, .query = &page_query_schema, .answer = &story_schema,
     .answer_list = true, .status = 200, .errors = bar_errors},
    {HTTP_GET, "/api/v1/users/{id}/stories", "stories", "A person's stories",
     "Those that the asking person may see (moderators: all), oldest first.", list_route,
     .limit = LIMIT_DATA, .params = &author_params_schema, .query = &page_query_schema,
     .answer = &story_schema, .answer_list = true, .status = 200, .errors = list_errors},
    {HTTP_PUT, "/api/v1/stories/{id}/view", "stories", "Say that one has seen a story",
     "Counted once; one's own views are not counted.", view_route, .flags = ROUTE_NO_BODY,
     .limit = LIMIT_DATA, .params = &story_params_schema, .status = 204, .errors = story_errors},
    {HTTP_GET, "/api/v1/stories/{id}/viewers", "stories", "Who has seen one's story",
     "For its author, newest first; without people whom a block stands between or who "
     "are switched off; viewer_count counts them.",
     viewers_route, .limit = LIMIT_DATA, .params = &story_params_schema,
     .query = &page_query_schema, .answer = &viewer_schema, .answer_list = true, .status = 200,
     .errors = own_errors},
    {HTTP_DELETE, "/api/v1/stories/{id}", "stories", "Delete a story",
     "One's own, or any as a moderator.", delete_route, .limit = LIMIT_DATA,
     .params = &story_params_schema, .status = 204, .errors = own_errors},
};

/* --- the room ----------------------------------------------------------------------------------
 */

static const char *const story_needs[] = {"social", "user", NULL};
static const char *const erase_types[] = {"user.deleted", NULL};
static const struct consumer story_consumers[] = {
    {.name = "story.erase", .types = erase_types, .handle = story_forget_person},
};
static const struct job story_jobs[] = {
    {"story.clean", .run = story_clean_job, .every_key = "story.clean_every"},
};
static int is_there(struct db_tx *tx, const struct id *user, struct slice data, struct arena *arena,
                    bool *ret_there, struct error *err)
{
    int64_t now_ms = clock_wall_ms(db_clock(tx));
    struct story told, now;
    (void)user; /* stories are for nobody alone */
    int rc = schema_decode(&story_schema, data, arena, &told, err);
    if (rc == 0)
        rc = story_store_get(tx, &told.id, now_ms, arena, &now, ret_there, err);
    *ret_there = rc == 0 && *ret_there && now.expires_at > now_ms;
    return rc;
}

static int review(void *room, const struct principal *principal, struct told_event *events,
                  unsigned count, struct arena *arena, struct error *err)
{
    static const struct event_type *const shown[] = {&story_posted_event, NULL};
    const struct story_room *r = room;
    return told_review(r->db, shown, is_there, &principal->user, events, count, arena, err);
}

static const struct event_type *const story_events[] = {&story_posted_event, &story_deleted_event,
                                                        &story_viewed_event, NULL};

const struct module story_module = {
    .name = "story",
    .needs = story_needs,
    .routes = story_routes,
    .route_count = ARRAY_LEN(story_routes),
    .events = story_events,
    .consumers = story_consumers,
    .consumer_count = ARRAY_LEN(story_consumers),
    .jobs = story_jobs,
    .job_count = ARRAY_LEN(story_jobs),
    .config = story_config,
    .schema = &story_db_schema,
    .start = story_start,
    .stop = story_stop,
    .review = review,
    .export_person = story_export,
};
