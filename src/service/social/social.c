/* Following: check, load, decide, write in one transaction, emit, return. */
#include "service/social/social.h"
#include "kit/emit.h"

#include "kit/consumer.h"
#include "service/social/social_room.h"

enum { SETTLE_MS = 2000 };

int social_not_found(struct error *err)
{
    return error_set(err, FAIL_NOT_FOUND, "user_not_found", "There is no such user.");
}

void social_settle(struct social_room *room)
{
    struct error ignored;
    error_init(&ignored);
    if (room->kit->consumers != NULL)
        (void)!consumer_wait(room->kit->consumers, "social.people", event_log_head(room->kit->log),
                             SETTLE_MS, &ignored);
}

/* --- shared by the changes -------------------------------------------------------------------- */

int social_write(struct social_call *call, db_fn *fn, void *arg)
{
    int rc = db_write(call->room->db, fn, arg, call->err);
    if (rc != FAIL_NOT_FOUND)
        return rc;
    social_settle(call->room);
    error_init(call->err);
    return db_write(call->room->db, fn, arg, call->err);
}

int social_act_load(struct social_act *act, struct db_tx *tx, struct error *err)
{
    bool blocked = false;
    int rc = social_store_person(tx, &act->call->user, &act->me, err);
    if (rc == 0)
        rc = social_store_person(tx, act->target, &act->them, err);
    if (rc == 0)
        rc = social_store_has(tx, SOCIAL_PAIRS_BLOCK, act->target, &act->call->user, &blocked, err);
    if (rc < 0)
        return rc;
    return !act->me.found || !act->them.found || blocked ? social_not_found(err) : 0;
}

int social_act_finish(struct social_act *act, struct db_tx *tx, struct error *err)
{
    bool found;
    return social_store_relation(tx, &act->call->user, act->target, &act->result, &found, err);
}

int social_act_run(struct social_call *call, const struct id *target, const char *self, db_fn *fn,
                   struct social_relationship *ret)
{
    struct social_act act = {.call = call, .target = target};
    if (id_eq(&call->user, target))
        return error_set(call->err, FAIL_INVALID, self, "That is yourself.");
    int rc = social_write(call, fn, &act);
    if (rc == 0 && ret != NULL)
        *ret = act.result;
    return rc;
}

static struct social_edge edge_to(const struct social_act *act)
{
    return (struct social_edge){.room = act->call->room,
                                .follower = &act->call->user,
                                .target = act->target,
                                .correlation_id = act->call->correlation_id};
}

static struct social_edge edge_from(const struct social_act *act)
{
    return (struct social_edge){.room = act->call->room,
                                .follower = act->target,
                                .target = &act->call->user,
                                .correlation_id = act->call->correlation_id};
}

/* --- reading ---------------------------------------------------------------------------------- */

struct look {
    const struct id *viewer, *other;
    struct social_relationship result;
    bool found;
};

static int look_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct look *look = arg;
    return social_store_relation(tx, look->viewer, look->other, &look->result, &look->found, err);
}

int social_get(struct social_call *call, const struct id *target, struct social_relationship *ret)
{
    struct look look = {.viewer = &call->user, .other = target};
    int rc = db_read(call->room->db, look_tx, &look, call->err);
    if (rc == 0 && look.result.relation.absent) { /* or it only seems so */
        social_settle(call->room);
        rc = db_read(call->room->db, look_tx, &look, call->err);
    }
    if (rc < 0)
        return rc;
    const struct social_relation *how = &look.result.relation;
    if (!look.found || how->blocked_by || (how->absent && !how->self && !call->moderates))
        return social_not_found(call->err);
    *ret = look.result;
    return 0;
}

/* --- following -------------------------------------------------------------------------------- */

/* Somebody who is switched off is not there to be followed, nor to be let in. */
static int meet(struct social_act *act, struct db_tx *tx, struct error *err)
{
    int rc = social_act_load(act, tx, err);
    return rc < 0 || act->them.is_active ? rc : social_not_found(err);
}

static int may_follow(const struct social_act *act, struct db_tx *tx, struct error *err)
{
    bool blocking;
    int64_t most = act->call->room->follows_max;
    int rc =
        social_store_has(tx, SOCIAL_PAIRS_BLOCK, &act->call->user, act->target, &blocking, err);
    if (rc < 0)
        return rc;
    if (blocking)
        return error_set(err, FAIL_CONFLICT, "blocking", "You have blocked this person.");
    if (act->me.following + act->me.asking >= most)
        return error_set(err, FAIL_INVALID, "too_many_follows",
                         "An account follows at most %lld others, requests included.",
                         (long long)most);
    return 0;
}

static int follow_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    struct social_edge edge = edge_to(act);
    struct social_follow_row row;
    bool asked;
    int rc = meet(act, tx, err);
    if (rc == 0)
        rc = social_store_follow(tx, edge.follower, edge.target, &row, err);
    if (rc < 0 || row.found)
        return rc < 0 ? rc : social_act_finish(act, tx, err);
    rc = social_store_has(tx, SOCIAL_PAIRS_REQUEST, edge.follower, edge.target, &asked, err);
    if (rc < 0 || (asked && act->them.is_private))
        return rc < 0 ? rc : social_act_finish(act, tx, err);
    if (asked) { /* it is public by now */
        rc = social_graph_withdraw(&edge, tx, false, &asked, err);
        act->me.asking--;
    }
    if (rc == 0)
        rc = may_follow(act, tx, err);
    if (rc == 0)
        rc = act->them.is_private ? social_graph_ask(&edge, tx, err)
                                  : social_graph_follow(&edge, tx, err);
    return rc < 0 ? rc : social_act_finish(act, tx, err);
}

int social_follow(struct social_call *call, const struct id *target,
                  struct social_relationship *ret)
{
    return social_act_run(call, target, "self_follow", follow_tx, ret);
}

static int unfollow_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    struct social_edge edge = edge_to(act);
    bool asked;
    int rc = social_act_load(act, tx, err);
    if (rc == 0)
        rc = social_graph_unfollow(&edge, tx, err);
    if (rc == 0)
        rc = social_graph_withdraw(&edge, tx, true, &asked, err);
    if (rc == 0) /* what is for followers is not for them any more */
        rc = kit_recheck_watches(act->call->room->kit, tx, edge.follower, err);
    return rc < 0 ? rc : social_act_finish(act, tx, err);
}

int social_unfollow(struct social_call *call, const struct id *target,
                    struct social_relationship *ret)
{
    return social_act_run(call, target, "self_follow", unfollow_tx, ret);
}

/* --- requests --------------------------------------------------------------------------------- */

static int accept_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    struct social_edge edge = edge_from(act);
    struct social_follow_row row;
    bool asked;
    int rc = meet(act, tx, err);
    if (rc == 0)
        rc = social_graph_withdraw(&edge, tx, false, &asked, err);
    if (rc == 0 && asked)
        return social_graph_follow(&edge, tx, err);
    if (rc == 0)
        rc = social_store_follow(tx, edge.follower, edge.target, &row, err);
    if (rc < 0 || row.found)
        return rc;
    return error_set(err, FAIL_NOT_FOUND, "request_not_found",
                     "They have not asked to follow you.");
}

int social_accept(struct social_call *call, const struct id *asker)
{
    return social_act_run(call, asker, "self_follow", accept_tx, NULL);
}

static int refuse_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    struct social_edge edge = edge_from(act);
    bool asked;
    int rc = social_act_load(act, tx, err);
    return rc < 0 ? rc : social_graph_withdraw(&edge, tx, true, &asked, err);
}

int social_refuse(struct social_call *call, const struct id *asker)
{
    return social_act_run(call, asker, "self_follow", refuse_tx, NULL);
}
