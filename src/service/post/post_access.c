/* Who may see a post. The relation is asked before the transaction; inside it the post is looked at
 * once more, because it may have been deleted or hidden meanwhile. */
#include "service/post/post_room.h"

int post_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "post_not_found", "There is no such post.");
}

int post_take(struct post_call *call, const struct limit_rule *rule)
{
    if (rule->count == 0)
        return 0;
    const char *user = (const char *)call->who.user.bytes;
    return limit_take(call->room->kit->kv, rule, slice_of(user, sizeof call->who.user.bytes),
                      call->headers, call->err);
}

/* Moderators see what is reported to them. */
bool post_may_see(const struct post_call *call, const struct social_relation *relation,
                  int visibility)
{
    return social_may_see(relation, (enum social_visibility)visibility) ||
           (call->who.scopes & SCOPE_MODERATE) != 0;
}

int post_relate(struct post_call *call, const struct id *users, size_t count,
                struct social_relation *ret_relations)
{
    const struct social_calls *social = call->room->social;
    return social->relations(social->room, &call->who.user, users, count, ret_relations, call->err);
}

struct look {
    const struct id *id;
    struct post_head *head;
};

static int look_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct look *look = arg;
    return post_store_head(tx, look->id, look->head, err);
}

static bool there(const struct post_call *call, const struct post_seen *seen)
{
    return seen->head.found && seen->head.deleted_at == 0 &&
           post_may_see(call, &seen->relation, seen->head.visibility);
}

int post_look(struct post_call *call, const struct id *id, struct post_seen *ret_seen)
{
    const struct social_calls *social = call->room->social;
    struct post_seen seen;
    struct look look = {.id = id, .head = &seen.head};
    int rc = db_read(call->room->db, look_tx, &look, call->err);
    if (rc < 0)
        return rc;
    if (!seen.head.found || seen.head.deleted_at != 0)
        return post_not_found(call->err);
    rc = social->relations(social->room, &call->who.user, &seen.head.user_id, 1, &seen.relation,
                           call->err);
    if (rc < 0)
        return rc;
    if (!there(call, &seen))
        return post_not_found(call->err);
    *ret_seen = seen;
    return 0;
}

int post_look_again(struct db_tx *tx, const struct post_call *call, struct post_seen *seen,
                    struct error *err)
{
    struct id id = seen->head.id;
    int rc = post_store_head(tx, &id, &seen->head, err);
    if (rc < 0)
        return rc;
    return there(call, seen) ? 0 : post_not_found(err);
}
