/* The user routes: decode, call the rule, encode. At the bottom the room's descriptor. */
#include <stdlib.h>

#include "contract/auth.h"
#include "service/user/user_contact.h"
#include "service/user/user_export.h"
#include "service/user/user_people.h"

extern const struct db_schema user_db_schema, user_search_db_schema; /* embedded by the build */

/* Whoever signs up waits for the profile: after 0.7 s the registration is given up. */
enum { USER_PROFILE_ATTEMPTS = 4 };

enum {
    CACHE_ENTRIES_MAX = 16384,
    CACHE_TTL_MS = 300000,
    READS_TTL_MS = 1000, /* for those who came while one was being read */
    URL_BYTES_MAX = 500,
    QUERY_BYTES_MAX = 400
};

/* --- schemas -----------------------------------------------------------------------------------
 */

static const struct schema_field patch_fields[] = {
    [USER_PATCH_FULL_NAME] = {"full_name", "At most 100 characters; null removes it.",
                              SCHEMA_STRING,
                              SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE |
                                  SCHEMA_CHARACTERS,
                              SCHEMA_AT(struct user_patch, full_name), 1, USER_NAME_CHARS_MAX},
    [USER_PATCH_BIO] = {"bio", "At most 500 characters; null removes it.", SCHEMA_STRING,
                        SCHEMA_NULLABLE | SCHEMA_CHARACTERS, SCHEMA_AT(struct user_patch, bio), 0,
                        USER_BIO_CHARS_MAX},
    [USER_PATCH_AVATAR_URL] = {"avatar_url", "An https address or a path here; null removes it.",
                               SCHEMA_STRING, SCHEMA_NULLABLE | SCHEMA_ONE_LINE,
                               SCHEMA_AT(struct user_patch, avatar_url), 1, URL_BYTES_MAX,
                               .format = "uri-reference"},
    [USER_PATCH_IS_PRIVATE] = {"is_private",
                               "True: who wants to follow asks first, and what one publishes is "
                               "for followers.",
                               SCHEMA_BOOL, SCHEMA_AT(struct user_patch, is_private)},
    [USER_PATCH_BY_EMAIL] = {"discoverable_by_email",
                             "Whether searching for exactly this e-mail address finds the person.",
                             SCHEMA_BOOL, SCHEMA_AT(struct user_patch, discoverable_by_email)},
    [USER_PATCH_BY_PHONE] = {"discoverable_by_phone",
                             "Whether searching for exactly this phone number finds the person.",
                             SCHEMA_BOOL, SCHEMA_AT(struct user_patch, discoverable_by_phone)},
};
SCHEMA_DEF_PATCH(user_patch_schema, struct user_patch, "UserPatch",
                 "What is left out stays as it is.", patch_fields);

struct user_params {
    struct id id;
};
static const struct schema_field id_fields[] = {
    {"id", "The user.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct user_params, id)},
};
SCHEMA_DEF(user_params_schema, struct user_params, "UserParams", NULL, id_fields);

struct name_params {
    struct slice username;
};
static const struct schema_field name_fields[] = {
    {"username", "In any letter case.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct name_params, username), 1, 64},
};
SCHEMA_DEF(user_name_params_schema, struct name_params, "UsernameParams", NULL, name_fields);

struct search_query {
    struct page_query page;
    struct slice q;
};
static const struct schema_field search_fields[] = {
    {"limit", "Items in a page.", SCHEMA_INT, .offset = offsetof(struct search_query, page.limit),
     .min = 1, .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     .offset = offsetof(struct search_query, page.cursor), .min = 1, .max = 200},
    {"q",
     "Words, or beginnings of words, of username or full name, or an address; at most 100 "
     "characters.",
     SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct search_query, q), 1, QUERY_BYTES_MAX},
};
SCHEMA_DEF(user_search_query_schema, struct search_query, "UserSearch", "Whom to look for.",
           search_fields);

/* --- routes ------------------------------------------------------------------------------------
 */

static int reply_with_etag(struct request *req, const struct user_profile *shown)
{
    char etag[REQUEST_ETAG_MAX];
    int rc = request_reply(req, 200, &user_profile_schema, shown);
    if (rc < 0)
        return rc;
    user_profile_etag(shown, etag);
    request_etag_known(req, etag);
    return 0;
}

/* From memory without looking at the profile; else read, put into memory, and tried again. */
static int reply_profile(struct request *req, const struct id *user, enum user_view view)
{
    struct user_room *room = req->room;
    struct user_profile profile;
    char etag[REQUEST_ETAG_MAX];
    req->status = 200;
    int rc = view == USER_VIEW_OTHERS
                 ? user_check_blocked(room, &req->principal->user, user, &req->error)
                 : 0;
    if (rc < 0)
        return rc;
    if (user_cache_json(room->cache, user, view, &req->answer, etag)) {
        request_etag_known(req, etag);
        return 0;
    }
    rc = user_get(room, user, req->arena, &profile, &req->error);
    if (rc == 0 && user_hides(req->principal, &profile))
        rc = user_not_found(&req->error);
    if (rc < 0)
        return rc;
    if (view == USER_VIEW_OTHERS)
        user_profile_hide(&profile);
    return reply_with_etag(req, &profile);
}

static int me_route(struct request *req)
{
    return reply_profile(req, &req->principal->user, USER_VIEW_OWN);
}

static int user_route(struct request *req)
{
    const struct user_params *params = req->params;
    bool own = id_eq(&params->id, &req->principal->user);
    return reply_profile(req, &params->id, own ? USER_VIEW_OWN : USER_VIEW_OTHERS);
}

static int name_route(struct request *req)
{
    const struct name_params *params = req->params;
    struct user_profile profile;
    int rc = user_get_by_name(req->room, params->username, req->arena, &profile, &req->error);
    if (rc == 0)
        rc = user_check_blocked(req->room, &req->principal->user, &profile.id, &req->error);
    if (rc == 0 && user_hides(req->principal, &profile))
        rc = user_not_found(&req->error);
    if (rc < 0)
        return rc;
    if (!id_eq(&profile.id, &req->principal->user))
        user_profile_hide(&profile);
    return reply_with_etag(req, &profile);
}

/* If-Match is compared with the profile as it is now, and the write then insists on that one. */
static int expected_version(struct request *req, int64_t *ret_updated_at)
{
    struct user_profile current;
    struct buf json;
    *ret_updated_at = 0;
    if (request_header_value(req, "if-match").ptr == NULL)
        return 0;
    int rc = user_get(req->room, &req->principal->user, req->arena, &current, &req->error);
    if (rc < 0)
        return rc;
    buf_init(&json, 65536);
    current.last_seen = 0; /* as user_profile_etag has it */
    schema_encode(&user_profile_schema, &current, &json);
    rc = request_check_match(req, buf_view(&json));
    buf_done(&json);
    *ret_updated_at = current.updated_at;
    return rc;
}

static int update_route(struct request *req)
{
    struct user_profile profile;
    int64_t expected;
    int rc = expected_version(req, &expected);
    if (rc == 0)
        rc = user_update(req->room, &req->principal->user, req->body, expected, req->correlation_id,
                         req->arena, &profile, &req->error);
    return rc < 0 ? rc : reply_with_etag(req, &profile);
}

/* Results are ranked, so the cursor is a place in the ranking. */
static int search_place(struct request *req, unsigned *ret_skip)
{
    const struct search_query *query = req->query;
    struct cursor cursor;
    bool given;
    int rc = cursor_decode(query->page.cursor, &cursor, &given, &req->error);
    if (rc < 0)
        return rc;
    if (cursor.number < 0 || cursor.number >= USER_SEARCH_RESULTS_MAX)
        return error_set(&req->error, FAIL_BAD_REQUEST, "invalid_cursor",
                         "The cursor is not one that this server gave.");
    *ret_skip = (unsigned)cursor.number;
    return 0;
}

static int search_route(struct request *req)
{
    const struct search_query *query = req->query;
    unsigned skip = 0, limit = (unsigned)query->page.limit;
    struct id ids[PAGE_LIMIT_MAX + 1];
    struct user_profile *profiles = arena_array(req->arena, PAGE_LIMIT_MAX + 1, sizeof *profiles);
    size_t count = 0;
    if (profiles == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    int rc = search_place(req, &skip);
    if (rc == 0)
        rc = user_search(req->room, query->q, skip, limit, req->arena, ids, &count, &req->error);
    bool more = count > limit && skip + limit < USER_SEARCH_RESULTS_MAX;
    if (count > limit)
        count = limit;
    if (rc == 0)
        rc = user_get_many(req->room, ids, count, req->arena, profiles, &req->error);
    if (rc < 0)
        return rc;
    struct cursor next = {.number = skip + limit};
    count = user_keep_visible(req->room, req->principal, profiles, count);
    return request_reply_page(req, &user_profile_schema, profiles, count, more ? &next : NULL);
}

static const struct route_error not_found_errors[] = {{404, "user_not_found"}, {0}};
static const struct route_error list_errors[] = {
    {404, "user_not_found"}, {403, "private_account"}, {403, "blocking"}, {0}};
static const struct route_error export_errors[] = {
    {429, "too_many_exports"}, {413, "export_too_large"}, {0}};
static const struct route_error update_errors[] = {{404, "user_not_found"}, {412, "stale"}, {0}};

static const struct route user_routes[] = {
    {HTTP_GET, "/api/v1/users/me", "users", "Read one's own profile", NULL, me_route,
     .limit = LIMIT_DATA, .answer = &user_profile_schema, .etag = true, .status = 200,
     .errors = not_found_errors},
    {HTTP_PATCH, "/api/v1/users/me", "users", "Edit one's own profile",
     "What is left out stays as it is. With If-Match the edit is refused (412) when somebody was "
     "faster.",
     update_route, .limit = LIMIT_DATA, .body = &user_patch_schema, .answer = &user_profile_schema,
     .etag = true, .status = 200, .errors = update_errors},
    {HTTP_GET, "/api/v1/users/me/export", "users", "Export everything about oneself",
     "A document {\"exported_at\", \"items\": [{\"kind\", \"data\"}]} with all that is kept about "
     "the "
     "person: profile, account, sessions, relations, chats, own messages, posts and so on. Five in "
     "an "
     "hour; one is made at a time.",
     user_export_route, ROUTE_STREAM, .limit = LIMIT_DATA, .answer_type = "application/json",
     .download = true, .status = 200, .errors = export_errors},
    {HTTP_GET, "/api/v1/users/{id}", "users", "Read a profile",
     "E-mail, phone and last sign-in are shown only to the person. Whoever was blocked by them, or "
     "asks for somebody who has left, gets 404.",
     user_route, .limit = LIMIT_DATA, .params = &user_params_schema, .answer = &user_profile_schema,
     .etag = true, .status = 200, .errors = not_found_errors},
    {HTTP_GET, "/api/v1/users/by-username/{username}", "users", "Read a profile by username", NULL,
     name_route, .limit = LIMIT_DATA, .params = &user_name_params_schema,
     .answer = &user_profile_schema, .etag = true, .status = 200, .errors = not_found_errors},
    {HTTP_GET, "/api/v1/users", "users", "Find people",
     "The exact username comes first, then usernames that begin so, then who has all of the words, "
     "then who has words that begin so; at most 150 of each. A whole e-mail address or phone "
     "number "
     "(E.164) finds whose it is, when they allow it.",
     search_route, .limit = LIMIT_DATA, .query = &user_search_query_schema,
     .answer = &user_profile_schema, .answer_list = true, .status = 200},
    {HTTP_GET, "/api/v1/users/{id}/followers", "social", "List who follows somebody",
     "Newest first. Of a private account only its followers see the list.", user_followers_route,
     .limit = LIMIT_DATA, .params = &user_params_schema, .query = &page_query_schema,
     .answer = &user_profile_schema, .answer_list = true, .status = 200, .errors = list_errors},
    {HTTP_GET, "/api/v1/users/{id}/following", "social", "List whom somebody follows",
     "Newest first. Of a private account only its followers see the list.", user_following_route,
     .limit = LIMIT_DATA, .params = &user_params_schema, .query = &page_query_schema,
     .answer = &user_profile_schema, .answer_list = true, .status = 200, .errors = list_errors},
    {HTTP_GET, "/api/v1/follow-requests", "social", "List who asks to follow oneself",
     "Newest first.", user_requests_route, .limit = LIMIT_DATA, .query = &page_query_schema,
     .answer = &user_profile_schema, .answer_list = true, .status = 200},
    {HTTP_GET, "/api/v1/users/me/blocks", "social", "List whom one has blocked", "Newest first.",
     user_blocks_route, .limit = LIMIT_DATA, .query = &page_query_schema,
     .answer = &user_profile_schema, .answer_list = true, .status = 200},
    {HTTP_GET, "/api/v1/users/me/mutes", "social", "List whom one has muted", "Newest first.",
     user_mutes_route, .limit = LIMIT_DATA, .query = &page_query_schema,
     .answer = &user_profile_schema, .answer_list = true, .status = 200},
};

/* --- the room ----------------------------------------------------------------------------------
 */

static const char *const profile_types[] = {"user.created",         "user.account_changed",
                                            "user.contact_changed", "user.creation_failed",
                                            "user.deleted",         NULL};
static const char *const search_types[] = {"user.created",         "user.updated",
                                           "user.account_changed", "user.creation_failed",
                                           "user.deleted",         NULL};
static const struct consumer user_consumers[] = {
    {.name = "user.profiles",
     .types = profile_types,
     .handle = user_follow_profiles,
     .attempts = USER_PROFILE_ATTEMPTS,
     .give_up = user_give_up_profile},
    {.name = "user.search",
     .types = search_types,
     .db = "user.search",
     .handle = user_follow_search},
};
static const struct event_type *const user_events[] = {&user_updated_event, NULL};

static int get_call(void *room, const struct id *user, struct arena *arena,
                    struct user_profile *ret_profile, struct error *err)
{
    return user_get(room, user, arena, ret_profile, err);
}

static int check_all_call(void *room, const struct id *users, size_t count, struct id *ret_missing,
                          struct error *err)
{
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct user_profile *profiles = arena_array(&arena, count, sizeof *profiles);
    int rc = profiles != NULL ? user_get_many(room, users, count, &arena, profiles, err)
                              : error_set(err, FAIL_TOO_LARGE, "too_many", "Too many users.");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!id_is_nil(&profiles[i].id) && profiles[i].is_active)
            continue;
        if (ret_missing != NULL)
            *ret_missing = users[i];
        rc = user_not_found(err);
    }
    arena_done(&arena);
    return rc;
}

static void stop(void *arg)
{
    struct user_room *room = arg;
    user_write_seen_last(room);
    cache_free(room->reads);
    user_cache_free(room->cache);
    free(room);
}

static int start(struct kit *kit, void **ret_room, struct error *err)
{
    struct user_room *room = xcalloc(1, sizeof *room);
    room->kit = kit;
    room->db = kit_db(kit, "user");
    room->search_db = kit_db(kit, "user.search");
    room->social = kit_calls(kit, "social");
    room->cache = user_cache_new(kit->clock, CACHE_ENTRIES_MAX, CACHE_TTL_MS);
    room->reads = cache_new(kit, "user.profile", READS_TTL_MS);
    room->calls = (struct user_calls){.room = room,
                                      .get = get_call,
                                      .check_all = check_all_call,
                                      .find_names = user_find_names,
                                      .everybody = user_everybody};
    int rc = user_contact_start(room, err);
    if (rc == 0)
        rc = user_introduce(room, err);
    if (rc < 0) {
        stop(room);
        return rc;
    }
    *ret_room = room;
    return 0;
}

static const void *calls(void *arg)
{
    struct user_room *room = arg;
    return &room->calls;
}

static const struct job user_jobs[] = {
    {"user.seen", 30 * 1000, user_write_seen},
};

static const char *const user_needs[] = {"social", NULL};

const struct module user_module = {
    .name = "user",
    .needs = user_needs,
    .routes = user_routes,
    .route_count = ARRAY_LEN(user_routes),
    .events = user_events,
    .consumers = user_consumers,
    .consumer_count = ARRAY_LEN(user_consumers),
    .jobs = user_jobs,
    .job_count = ARRAY_LEN(user_jobs),
    .schema = &user_db_schema,
    .stays = "it takes part in the saga of auth",
    .search_schema = &user_search_db_schema,
    .start = start,
    .stop = stop,
    .calls = calls,
    .export_person = user_export_person,
};
