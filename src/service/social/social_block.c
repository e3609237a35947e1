/* Blocking and muting. A block ends everything between two people and stands in memory before it is
 * answered; a mute only keeps somebody's things out of one's lists and streams. */
#include "kit/emit.h"
#include "service/social/social_room.h"

static int too_many(struct error *err, const char *code, const char *what, int64_t most)
{
    return error_set(err, FAIL_INVALID, code, "An account %s at most %lld others.", what,
                     (long long)most);
}

/* Follows and requests of one direction. */
static int end_direction(const struct social_act *act, struct db_tx *tx, const struct id *follower,
                         const struct id *target, struct error *err)
{
    const struct social_edge edge = {act->call->room, follower, target, act->call->correlation_id};
    bool asked;
    int rc = social_graph_unfollow(&edge, tx, err);
    return rc < 0 ? rc : social_graph_withdraw(&edge, tx, true, &asked, err);
}

static int tell_blocker(const struct social_act *act, struct db_tx *tx, bool blocked,
                        struct error *err)
{
    const struct social_block_changed data = {
        .user_id = act->call->user, .target_id = *act->target, .blocked = blocked};
    return kit_emit(act->call->room->kit, tx,
                    &(struct emit){.type = &social_block_changed_event,
                                   .stream = &act->call->user,
                                   .data = &data,
                                   .correlation_id = act->call->correlation_id},
                    NULL, err);
}

static int set_block(struct social_act *act, struct db_tx *tx, bool on, bool *ret_changed,
                     struct error *err)
{
    int rc = social_graph_block(act->call->room, tx, &act->call->user, act->target, on, ret_changed,
                                err);
    return rc < 0 || !*ret_changed ? rc : tell_blocker(act, tx, on, err);
}

static int block_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    const struct id *me = &act->call->user;
    int64_t most = act->call->room->blocks_max;
    bool changed;
    int rc = social_act_load(act, tx, err);
    if (rc == 0)
        rc = set_block(act, tx, true, &changed, err);
    if (rc == 0 && changed && act->me.blocks >= most)
        return too_many(err, "too_many_blocks", "blocks", most);
    if (rc == 0 && changed)
        rc = end_direction(act, tx, me, act->target, err);
    if (rc == 0 && changed)
        rc = end_direction(act, tx, act->target, me, err);
    if (rc == 0 && changed) /* neither watches anything of the other's any more */
        rc = kit_recheck_watches(act->call->room->kit, tx, me, err);
    if (rc == 0 && changed)
        rc = kit_recheck_watches(act->call->room->kit, tx, act->target, err);
    return rc < 0 ? rc : social_act_finish(act, tx, err);
}

int social_block(struct social_call *call, const struct id *target, struct social_relationship *ret)
{
    return social_act_run(call, target, "self_block", block_tx, ret);
}

static int unblock_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    bool changed;
    int rc = social_act_load(act, tx, err);
    if (rc == 0)
        rc = set_block(act, tx, false, &changed, err);
    return rc < 0 ? rc : social_act_finish(act, tx, err);
}

int social_unblock(struct social_call *call, const struct id *target,
                   struct social_relationship *ret)
{
    return social_act_run(call, target, "self_block", unblock_tx, ret);
}

/* --- mute ------------------------------------------------------------------------------------- */

static int set_mute(struct social_act *act, struct db_tx *tx, bool on, bool *ret_changed,
                    struct error *err)
{
    const struct id *me = &act->call->user;
    const struct social_edge edge = {act->call->room, me, act->target, act->call->correlation_id};
    int rc = on ? social_store_put(tx, SOCIAL_PAIRS_MUTE, me, act->target,
                                   clock_wall_ms(act->call->room->kit->clock), ret_changed, err)
                : social_store_drop(tx, SOCIAL_PAIRS_MUTE, me, act->target, ret_changed, err);
    if (rc < 0 || !*ret_changed)
        return rc;
    rc = social_store_count(tx, me, SOCIAL_COUNT_MUTES, on ? 1 : -1, err);
    return rc < 0 ? rc : social_graph_mute(&edge, tx, on, err);
}

static int mute_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    int64_t most = act->call->room->mutes_max;
    bool changed;
    int rc = social_act_load(act, tx, err);
    if (rc == 0)
        rc = set_mute(act, tx, true, &changed, err);
    if (rc == 0 && changed && act->me.mutes >= most)
        return too_many(err, "too_many_mutes", "mutes", most);
    return rc < 0 ? rc : social_act_finish(act, tx, err);
}

int social_mute(struct social_call *call, const struct id *target, struct social_relationship *ret)
{
    return social_act_run(call, target, "self_mute", mute_tx, ret);
}

static int unmute_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct social_act *act = arg;
    bool changed;
    int rc = social_act_load(act, tx, err);
    if (rc == 0)
        rc = set_mute(act, tx, false, &changed, err);
    return rc < 0 ? rc : social_act_finish(act, tx, err);
}

int social_unmute(struct social_call *call, const struct id *target,
                  struct social_relationship *ret)
{
    return social_act_run(call, target, "self_mute", unmute_tx, ret);
}
