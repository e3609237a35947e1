#include "service/user/user_people.h"

int user_check_blocked(struct user_room *room, const struct id *viewer, const struct id *user,
                       struct error *err)
{
    const struct social_calls *social = room->social;
    struct social_relation relation;
    if (LIKELY(!social->blocked(social->room, viewer, user)))
        return 0;
    int rc = social->relations(social->room, viewer, user, 1, &relation, err);
    if (rc < 0)
        return rc;
    return relation.blocked_by ? user_not_found(err) : 0;
}

bool user_hides(const struct principal *viewer, const struct user_profile *profile)
{
    return !profile->is_active && !id_eq(&viewer->user, &profile->id) &&
           (viewer->scopes & SCOPE_MODERATE) == 0;
}

static size_t keep(struct user_room *room, const struct principal *viewer,
                   struct user_profile *profiles, size_t count, bool with_blocked)
{
    const struct social_calls *social = room->social;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (id_is_nil(&profiles[i].id) || !profiles[i].is_active ||
            (!with_blocked && social->blocked(social->room, &viewer->user, &profiles[i].id)))
            continue;
        user_profile_hide(&profiles[i]);
        profiles[kept++] = profiles[i];
    }
    return kept;
}

size_t user_keep_visible(struct user_room *room, const struct principal *viewer,
                         struct user_profile *profiles, size_t count)
{
    return keep(room, viewer, profiles, count, false);
}

/* --- lists -------------------------------------------------------------------------------------
 */

/* Whose list it is must be somebody whom the viewer may see. */
static int check_person(struct request *req, const struct id *person)
{
    struct user_room *room = req->room;
    struct user_profile profile;
    if (id_eq(person, &req->principal->user))
        return 0;
    int rc = user_check_blocked(room, &req->principal->user, person, &req->error);
    if (rc == 0)
        rc = user_get(room, person, req->arena, &profile, &req->error);
    if (rc == 0 && user_hides(req->principal, &profile))
        rc = user_not_found(&req->error);
    return rc;
}

static int reply_list(struct request *req, enum social_list list, const struct id *person)
{
    struct user_room *room = req->room;
    const struct social_calls *social = room->social;
    struct id ids[PAGE_LIMIT_MAX];
    struct user_profile *profiles = arena_array(req->arena, PAGE_LIMIT_MAX, sizeof *profiles);
    struct cursor next = {0};
    size_t count = 0;
    bool more = false;
    if (profiles == NULL)
        return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    int rc = check_person(req, person);
    if (rc == 0)
        rc = social->page(social->room, list, &req->principal->user, person, req->query, ids,
                          &count, &next, &more, &req->error);
    if (rc == 0)
        rc = user_get_many(room, ids, count, req->arena, profiles, &req->error);
    if (rc < 0)
        return rc;
    count = keep(room, req->principal, profiles, count, list == SOCIAL_LIST_BLOCKED);
    return request_reply_page(req, &user_profile_schema, profiles, count, more ? &next : NULL);
}

int user_followers_route(struct request *req)
{
    return reply_list(req, SOCIAL_LIST_FOLLOWERS, req->params);
}

int user_following_route(struct request *req)
{
    return reply_list(req, SOCIAL_LIST_FOLLOWING, req->params);
}

int user_requests_route(struct request *req)
{
    return reply_list(req, SOCIAL_LIST_REQUESTS, &req->principal->user);
}

int user_blocks_route(struct request *req)
{
    return reply_list(req, SOCIAL_LIST_BLOCKED, &req->principal->user);
}

int user_mutes_route(struct request *req)
{
    return reply_list(req, SOCIAL_LIST_MUTED, &req->principal->user);
}
