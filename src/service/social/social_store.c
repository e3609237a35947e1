#include "service/social/social_store.h"

#include "engine/db_one.h"

/* --- people ----------------------------------------------------------------------------------- */

static const struct db_sql sql_person = {
    "SELECT is_private, is_active, follower_count, following_count, asking_count, block_count,"
    " mute_count FROM social_person WHERE user_id = ?1"};

int social_store_person(struct db_tx *tx, const struct id *user, struct social_person *ret,
                        struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_person, &rows, err, db_id(user));
    if (rc < 0)
        return rc;
    *ret = (struct social_person){.id = *user, .found = rc > 0};
    if (rc > 0) {
        ret->is_private = db_col_int(&rows, 0) != 0;
        ret->is_active = db_col_int(&rows, 1) != 0;
        ret->followers = db_col_int(&rows, 2);
        ret->following = db_col_int(&rows, 3);
        ret->asking = db_col_int(&rows, 4);
        ret->blocks = db_col_int(&rows, 5);
        ret->mutes = db_col_int(&rows, 6);
        db_rows_close(&rows);
    }
    return 0;
}

static const struct db_sql sql_add_person = {
    "INSERT INTO social_person (user_id) VALUES (?1) ON CONFLICT (user_id) DO NOTHING"};
static const struct db_sql sql_introduce = {
    "INSERT INTO social_person (user_id, is_private, is_active) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (user_id) DO NOTHING"};
static const struct db_sql sql_set_private = {
    "UPDATE social_person SET is_private = ?2 WHERE user_id = ?1"};
static const struct db_sql sql_set_active = {
    "UPDATE social_person SET is_active = ?2 WHERE user_id = ?1 AND is_active <> ?2"};
static const struct db_sql sql_drop_person = {"DELETE FROM social_person WHERE user_id = ?1"};

int social_store_add_person(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_add_person, err, db_id(user));
}

int social_store_introduce(struct db_tx *tx, const struct social_acquaintance *person,
                           struct error *err)
{
    return db_exec(tx, &sql_introduce, err, db_id(&person->user_id), db_int(person->is_private),
                   db_int(person->is_active));
}

int social_store_set_private(struct db_tx *tx, const struct id *user, bool is_private,
                             struct error *err)
{
    return db_exec(tx, &sql_set_private, err, db_id(user), db_int(is_private));
}

int social_store_set_active(struct db_tx *tx, const struct id *user, bool is_active,
                            struct error *err)
{
    return db_exec(tx, &sql_set_active, err, db_id(user), db_int(is_active));
}

int social_store_drop_person(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_drop_person, err, db_id(user));
}

#define COUNT(column)                                                                              \
    {                                                                                              \
        "UPDATE social_person SET " column " = " column " + ?2 WHERE user_id = ?1"                 \
    }
static const struct db_sql sql_count[] = {
    [SOCIAL_COUNT_FOLLOWERS] = COUNT("follower_count"),
    [SOCIAL_COUNT_FOLLOWING] = COUNT("following_count"),
    [SOCIAL_COUNT_ASKING] = COUNT("asking_count"),
    [SOCIAL_COUNT_BLOCKS] = COUNT("block_count"),
    [SOCIAL_COUNT_MUTES] = COUNT("mute_count"),
};

int social_store_count(struct db_tx *tx, const struct id *user, enum social_count count, int step,
                       struct error *err)
{
    return db_exec(tx, &sql_count[count], err, db_id(user), db_int(step));
}

/* --- follows ---------------------------------------------------------------------------------- */

static const struct db_sql sql_follow = {
    "SELECT made_at, muted, since_pos FROM following WHERE follower_id = ?1 AND target_id = ?2"};

int social_store_follow(struct db_tx *tx, const struct id *follower, const struct id *target,
                        struct social_follow_row *ret, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_follow, &rows, err, db_id(follower), db_id(target));
    if (rc < 0)
        return rc;
    *ret = (struct social_follow_row){.found = rc > 0};
    if (rc > 0) {
        ret->made_at = db_col_int(&rows, 0);
        ret->muted = db_col_int(&rows, 1) != 0;
        ret->since_pos = (uint64_t)db_col_int(&rows, 2);
        db_rows_close(&rows);
    }
    return 0;
}

static const struct db_sql sql_put_following = {
    "INSERT INTO following (follower_id, target_id, made_at, muted, since_pos)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"};
static const struct db_sql sql_put_follower = {
    "INSERT INTO follower (target_id, follower_id, made_at, muted) VALUES (?1, ?2, ?3, ?4)"};

int social_store_put_follow(struct db_tx *tx, const struct id *follower, const struct id *target,
                            const struct social_follow_row *row, struct error *err)
{
    int rc = db_exec(tx, &sql_put_following, err, db_id(follower), db_id(target),
                     db_int(row->made_at), db_int(row->muted), db_int((int64_t)row->since_pos));
    if (rc == 0)
        rc = db_exec(tx, &sql_put_follower, err, db_id(target), db_id(follower),
                     db_int(row->made_at), db_int(row->muted));
    return rc;
}

static const struct db_sql sql_drop_following = {
    "DELETE FROM following WHERE follower_id = ?1 AND target_id = ?2"};
static const struct db_sql sql_drop_follower = {
    "DELETE FROM follower WHERE target_id = ?1 AND follower_id = ?2"};

int social_store_drop_follow(struct db_tx *tx, const struct id *follower, const struct id *target,
                             struct error *err)
{
    int rc = db_exec(tx, &sql_drop_following, err, db_id(follower), db_id(target));
    if (rc == 0)
        rc = db_exec(tx, &sql_drop_follower, err, db_id(target), db_id(follower));
    return rc;
}

static const struct db_sql sql_mute_following = {
    "UPDATE following SET muted = ?3, since_pos = ?4 WHERE follower_id = ?1 AND target_id = ?2"};
static const struct db_sql sql_mute_follower = {
    "UPDATE follower SET muted = ?3 WHERE target_id = ?1 AND follower_id = ?2"};

int social_store_set_muted(struct db_tx *tx, const struct id *follower, const struct id *target,
                           bool muted, uint64_t since_pos, struct error *err)
{
    int rc = db_exec(tx, &sql_mute_following, err, db_id(follower), db_id(target), db_int(muted),
                     db_int((int64_t)since_pos));
    if (rc == 0)
        rc = db_exec(tx, &sql_mute_follower, err, db_id(target), db_id(follower), db_int(muted));
    return rc;
}

/* --- requests, blocks, mutes ------------------------------------------------------------------ */

static const struct db_sql sql_has[] = {
    [SOCIAL_PAIRS_REQUEST] = {"SELECT 1 FROM follow_request WHERE asker_id = ?1 AND target_id ="
                              " ?2"},
    [SOCIAL_PAIRS_BLOCK] = {"SELECT 1 FROM block WHERE blocker_id = ?1 AND blocked_id = ?2"},
    [SOCIAL_PAIRS_MUTE] = {"SELECT 1 FROM mute WHERE muter_id = ?1 AND muted_id = ?2"},
};
static const struct db_sql sql_put[] = {
    [SOCIAL_PAIRS_REQUEST] = {"INSERT INTO follow_request (asker_id, target_id, made_at)"
                              " VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"},
    [SOCIAL_PAIRS_BLOCK] = {"INSERT INTO block (blocker_id, blocked_id, made_at)"
                            " VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"},
    [SOCIAL_PAIRS_MUTE] = {"INSERT INTO mute (muter_id, muted_id, made_at)"
                           " VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"},
};
static const struct db_sql sql_drop[] = {
    [SOCIAL_PAIRS_REQUEST] = {"DELETE FROM follow_request WHERE asker_id = ?1 AND target_id = ?2"},
    [SOCIAL_PAIRS_BLOCK] = {"DELETE FROM block WHERE blocker_id = ?1 AND blocked_id = ?2"},
    [SOCIAL_PAIRS_MUTE] = {"DELETE FROM mute WHERE muter_id = ?1 AND muted_id = ?2"},
};

int social_store_has(struct db_tx *tx, enum social_pairs pairs, const struct id *by,
                     const struct id *about, bool *ret_has, struct error *err)
{
    return db_one_exists(tx, &sql_has[pairs], ret_has, err, db_id(by), db_id(about));
}

int social_store_put(struct db_tx *tx, enum social_pairs pairs, const struct id *by,
                     const struct id *about, int64_t made_at, bool *ret_changed, struct error *err)
{
    int rc = db_exec(tx, &sql_put[pairs], err, db_id(by), db_id(about), db_int(made_at));
    *ret_changed = rc == 0 && db_changes(tx) > 0;
    if (*ret_changed && pairs == SOCIAL_PAIRS_BLOCK)
        rc = social_store_pack(tx, by, about, true, err);
    return rc;
}

int social_store_drop(struct db_tx *tx, enum social_pairs pairs, const struct id *by,
                      const struct id *about, bool *ret_changed, struct error *err)
{
    int rc = db_exec(tx, &sql_drop[pairs], err, db_id(by), db_id(about));
    *ret_changed = rc == 0 && db_changes(tx) > 0;
    if (*ret_changed && pairs == SOCIAL_PAIRS_BLOCK)
        rc = social_store_pack(tx, by, about, false, err);
    return rc;
}

/* --- two people ------------------------------------------------------------------------------- */

static const struct db_sql sql_relation = {
    "SELECT"
    " EXISTS (SELECT 1 FROM following WHERE follower_id = ?1 AND target_id = ?2),"
    " EXISTS (SELECT 1 FROM follow_request WHERE target_id = ?2 AND asker_id = ?1),"
    " EXISTS (SELECT 1 FROM following WHERE follower_id = ?2 AND target_id = ?1),"
    " EXISTS (SELECT 1 FROM block WHERE blocker_id = ?1 AND blocked_id = ?2),"
    " EXISTS (SELECT 1 FROM block WHERE blocker_id = ?2 AND blocked_id = ?1),"
    " EXISTS (SELECT 1 FROM mute WHERE muter_id = ?1 AND muted_id = ?2),"
    " is_private, follower_count, following_count, is_active FROM social_person"
    " WHERE user_id = ?2"};

int social_store_relation(struct db_tx *tx, const struct id *viewer, const struct id *other,
                          struct social_relationship *ret, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_relation, &rows, err, db_id(viewer), db_id(other));
    if (rc < 0)
        return rc;
    *ret_found = rc > 0;
    *ret = (struct social_relationship){
        .user_id = *other, .relation = {.self = id_eq(viewer, other), .absent = rc == 0}};
    if (rc == 0)
        return 0;
    ret->relation.following = db_col_int(&rows, 0) != 0;
    ret->relation.requested = db_col_int(&rows, 1) != 0;
    ret->relation.followed_by = db_col_int(&rows, 2) != 0;
    ret->relation.blocking = db_col_int(&rows, 3) != 0;
    ret->relation.blocked_by = db_col_int(&rows, 4) != 0;
    ret->relation.muting = db_col_int(&rows, 5) != 0;
    ret->relation.is_private = db_col_int(&rows, 6) != 0;
    ret->follower_count = db_col_int(&rows, 7);
    ret->following_count = db_col_int(&rows, 8);
    ret->relation.absent = db_col_int(&rows, 9) == 0;
    db_rows_close(&rows);
    return 0;
}
