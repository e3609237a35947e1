/* Accounts, for administrators: lists by the user room, changes by the auth room. */
#include "contract/user.h"
#include "gateway/admin_room.h"
#include "service/auth/auth_admin.h"
#include "service/auth/auth_schema.h"
#include "service/user/user_admin_store.h"

enum { QUERY_BYTES_MAX = 254 };

struct users_query {
    struct page_query page;
    struct slice q;
    int role, is_active;
};
static const char *const truths[] = {"false", "true", NULL};
static const struct schema_field query_fields[] = {
    {"limit", "Items in a page.", SCHEMA_INT, .offset = offsetof(struct users_query, page.limit),
     .min = 1, .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     .offset = offsetof(struct users_query, page.cursor), .min = 1, .max = 200},
    {"q", "How the username begins; or exactly an e-mail address, a phone number or an id.",
     SCHEMA_STRING, SCHEMA_NO_BLANK, SCHEMA_AT(struct users_query, q), 1, QUERY_BYTES_MAX},
    {"role", "Only those who have it.", SCHEMA_ENUM, SCHEMA_AT(struct users_query, role),
     .names = role_names, .fallback = -1},
    {"is_active", "false: only those who are disabled or have left.", SCHEMA_ENUM,
     SCHEMA_AT(struct users_query, is_active), .names = truths, .fallback = -1},
};
SCHEMA_DEF(admin_users_query_schema, struct users_query, "AdminUsersQuery", "Which accounts.",
           query_fields);

struct user_patch_body {
    uint64_t present;
    int role;
    bool is_active;
};
enum { PATCH_ROLE, PATCH_ACTIVE };
static const struct schema_field patch_fields[] = {
    [PATCH_ROLE] = {"role", NULL, SCHEMA_ENUM, SCHEMA_AT(struct user_patch_body, role),
                    .names = role_names},
    [PATCH_ACTIVE] = {"is_active", "false: signed out everywhere, and nobody finds them.",
                      SCHEMA_BOOL, SCHEMA_AT(struct user_patch_body, is_active)},
};
SCHEMA_DEF_PATCH(admin_user_patch_schema, struct user_patch_body, "AdminUserPatch",
                 "What is left out stays as it is.", patch_fields);

static struct auth_call call_of(struct request *req)
{
    return (struct auth_call){
        .arena = req->arena, .headers = &req->headers, .correlation_id = req->correlation_id};
}

/* --- the list ----------------------------------------------------------------------------------
 */

static int reply_users(struct request *req, const struct id *ids, size_t count, struct slice next)
{
    struct user_profile *profiles = arena_array(req->arena, count + 1, sizeof *profiles);
    size_t kept = 0;
    if (profiles == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The page does not fit.");
    int rc =
        user_get_many(kit_room(req->kit, "user"), ids, count, req->arena, profiles, &req->error);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        if (!id_is_nil(&profiles[i].id)) /* gone meanwhile */
            profiles[kept++] = profiles[i];
    return request_reply_page_bytes(req, &user_profile_schema, profiles, kept, next);
}

/* An id, an e-mail address or a phone number is one account or none. */
static int reply_one(struct request *req, const struct users_query *query, const struct id *user)
{
    struct user_profile profile;
    struct error none;
    error_init(&none);
    int rc = user_get(kit_room(req->kit, "user"), user, req->arena, &profile, &none);
    bool fits = rc == 0 && (query->role < 0 || profile.role == query->role) &&
                (query->is_active < 0 || profile.is_active == (query->is_active != 0));
    if (rc < 0 && rc != FAIL_NOT_FOUND)
        return error_set(&req->error, (enum fail)rc, none.code, "%s", none.detail);
    return request_reply_page_bytes(req, &user_profile_schema, &profile, fits ? 1 : 0,
                                    (struct slice){0});
}

/* A page goes on behind a username, or below an id. */
static int take_place(struct request *req, struct user_admin_filter *filter,
                      uint8_t name[USER_ADMIN_NAME_BYTES])
{
    const struct users_query *query = req->query;
    bool given;
    if (filter->prefix.ptr == NULL)
        return cursor_decode_bytes(query->page.cursor, sizeof filter->before.bytes,
                                   filter->before.bytes, &given, &req->error);
    int rc =
        cursor_decode_bytes(query->page.cursor, USER_ADMIN_NAME_BYTES, name, &given, &req->error);
    if (rc == 0 && given)
        filter->after =
            slice_of((const char *)name, strnlen((const char *)name, USER_ADMIN_NAME_BYTES));
    return rc;
}

static int reply_list(struct request *req)
{
    const struct users_query *query = req->query;
    struct user_admin_filter filter = {
        .role = query->role, .is_active = query->is_active, .limit = (unsigned)query->page.limit};
    struct id ids[PAGE_LIMIT_MAX + 1];
    char names[PAGE_LIMIT_MAX + 1][USER_ADMIN_NAME_BYTES];
    uint8_t after[USER_ADMIN_NAME_BYTES];
    size_t count = 0;
    if (query->q.ptr != NULL)
        filter.prefix = arena_copy_lower(req->arena, query->q);
    int rc = take_place(req, &filter, after);
    if (rc == 0)
        rc = user_admin_list(kit_room(req->kit, "user"), &filter, ids, names, &count, &req->error);
    if (rc < 0)
        return rc;
    bool more = count > filter.limit;
    struct slice next = {0};
    if (more && filter.prefix.ptr != NULL)
        next = slice_of(names[filter.limit - 1], USER_ADMIN_NAME_BYTES);
    else if (more)
        next = slice_of((const char *)ids[filter.limit - 1].bytes, sizeof ids[0].bytes);
    return reply_users(req, ids, more ? filter.limit : count, next);
}

int admin_users_route(struct request *req)
{
    const struct users_query *query = req->query;
    struct auth_call call = call_of(req);
    struct id user = {{0}};
    bool exact = query->q.ptr != NULL && (id_parse(query->q, &user) || query->q.ptr[0] == '+' ||
                                          slice_find(query->q, '@') >= 0);
    if (!exact)
        return reply_list(req);
    if (id_is_nil(&user)) {
        int rc = auth_admin_find(kit_room(req->kit, "auth"), &call, query->q, &user, &req->error);
        if (rc < 0)
            return rc;
    }
    return reply_one(req, query, &user);
}

/* --- one account -------------------------------------------------------------------------------
 */

int admin_user_patch_route(struct request *req)
{
    const struct admin_id_params *params = req->params;
    const struct user_patch_body *body = req->body;
    struct auth_call call = call_of(req);
    struct auth_alteration what = {.set_role = schema_has(body->present, PATCH_ROLE),
                                   .role = (enum role)body->role,
                                   .set_active = schema_has(body->present, PATCH_ACTIVE),
                                   .active = body->is_active};
    struct user_profile profile;
    int rc = auth_admin_alter(kit_room(req->kit, "auth"), &call, &req->principal->user, &params->id,
                              &what, &req->error);
    if (rc == 0)
        rc = user_get(kit_room(req->kit, "user"), &params->id, req->arena, &profile, &req->error);
    if (rc < 0)
        return rc;
    /* The profile follows by event; the account is what was changed. */
    if (what.set_role)
        profile.role = body->role;
    if (what.set_active)
        profile.is_active = body->is_active;
    admin_tell(req->kit, ADMIN_USERS);
    return request_reply(req, 200, &user_profile_schema, &profile);
}

int admin_sessions_route(struct request *req)
{
    const struct admin_id_params *params = req->params;
    const struct page_query *page = req->query;
    struct auth *auth = kit_room(req->kit, "auth");
    struct auth_call call = call_of(req);
    struct principal who = {.user = params->id, .session = req->principal->session};
    struct auth_session *sessions = NULL;
    struct cursor cursor, next = {0};
    size_t count = 0;
    bool given;
    unsigned limit = (unsigned)page->limit;
    int rc = cursor_decode(page->cursor, &cursor, &given, &req->error);
    if (rc == 0)
        rc = auth_admin_check(auth, &call, &params->id, &req->error);
    if (rc == 0)
        rc = auth_sessions(auth, &call, &who, &cursor.id, limit, &sessions, &count, &req->error);
    if (rc < 0)
        return rc;
    bool more = count > limit;
    if (more)
        next.id = sessions[limit - 1].id;
    return request_reply_page(req, &auth_session_schema, sessions, more ? limit : count,
                              more ? &next : NULL);
}

int admin_end_sessions_route(struct request *req)
{
    const struct admin_id_params *params = req->params;
    struct auth_call call = call_of(req);
    int rc = auth_admin_end_sessions(kit_room(req->kit, "auth"), &call, &req->principal->user,
                                     &params->id, &req->error);
    return rc < 0 ? rc : request_reply_empty(req);
}
