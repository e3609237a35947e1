#include "service/social/social_store.h"

#include "engine/db_one.h"

/* The nil id too: the first of all. */
static struct db_value id_bytes(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes));
}

/* --- lists, newest first ---------------------------------------------------------------------- */

#define LIST(table, person, other)                                                                 \
    {                                                                                              \
        "SELECT " other ", made_at FROM " table " WHERE " person " = ?1 AND (made_at, " other      \
        ") < (?2, ?3) ORDER BY made_at DESC, " other " DESC"                                       \
    }
static const struct db_sql sql_list[] = {
    [SOCIAL_LIST_FOLLOWERS] = LIST("follower", "target_id", "follower_id"),
    [SOCIAL_LIST_FOLLOWING] = LIST("following", "follower_id", "target_id"),
    [SOCIAL_LIST_REQUESTS] = LIST("follow_request", "target_id", "asker_id"),
    [SOCIAL_LIST_BLOCKED] = LIST("block", "blocker_id", "blocked_id"),
    [SOCIAL_LIST_MUTED] = LIST("mute", "muter_id", "muted_id"),
};
/* What a person has made, oldest first. */
#define MADE(table, person, other)                                                                 \
    {                                                                                              \
        "SELECT " other ", made_at FROM " table " WHERE " person " = ?1 ORDER BY made_at, " other  \
    }
static const struct db_sql sql_made[] = {
    [SOCIAL_LIST_FOLLOWERS] = MADE("follower", "target_id", "follower_id"),
    [SOCIAL_LIST_FOLLOWING] = MADE("following", "follower_id", "target_id"),
    [SOCIAL_LIST_REQUESTS] = {"SELECT target_id, made_at FROM follow_request WHERE asker_id = ?1"
                              " ORDER BY made_at, target_id"},
    [SOCIAL_LIST_BLOCKED] = MADE("block", "blocker_id", "blocked_id"),
    [SOCIAL_LIST_MUTED] = MADE("mute", "muter_id", "muted_id"),
};

static int give_rows(struct db_rows *rows, social_row_fn *fn, void *arg, struct error *err)
{
    int rc = 0;
    while (rc == 0 && (rc = db_next(rows, err)) == 1) {
        struct social_list_row row = {db_col_id(rows, 0), db_col_int(rows, 1)};
        rc = fn(&row, arg, err);
        if (rc != 0)
            db_rows_close(rows);
    }
    return rc < 0 ? rc : 0;
}

int social_store_list(struct db_tx *tx, enum social_list list, const struct id *person,
                      const struct cursor *after, social_row_fn *fn, void *arg, struct error *err)
{
    struct cursor from = {.number = INT64_MAX};
    struct db_rows rows;
    if (after != NULL)
        from = *after;
    int rc = db_query(tx, &sql_list[list], &rows, err, db_id(person), db_int(from.number),
                      id_bytes(&from.id));
    return rc < 0 ? rc : give_rows(&rows, fn, arg, err);
}

int social_store_made(struct db_tx *tx, enum social_list list, const struct id *person,
                      social_row_fn *fn, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_made[list], &rows, err, db_id(person));
    return rc < 0 ? rc : give_rows(&rows, fn, arg, err);
}

/* --- fan-out: two ranges of a primary key ----------------------------------------------------- */

static const struct db_sql sql_followers = {
    "SELECT follower_id FROM follower WHERE target_id = ?1 AND follower_id > ?2 AND muted = 0"
    " ORDER BY follower_id LIMIT ?3"};
static const struct db_sql sql_following = {
    "SELECT target_id FROM following WHERE follower_id = ?1 AND target_id > ?2 AND muted = 0"
    " ORDER BY target_id LIMIT ?3"};

static int read_ids(struct db_rows *rows, struct id *ret_ids, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    int rc;
    while ((rc = db_next(rows, err)) > 0)
        ret_ids[count++] = db_col_id(rows, 0);
    *ret_count = count;
    return rc;
}

int social_store_fan(struct db_tx *tx, bool followers, const struct id *person,
                     const struct id *after, size_t limit, struct id *ret_ids, size_t *ret_count,
                     struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, followers ? &sql_followers : &sql_following, &rows, err, db_id(person),
                      id_bytes(after), db_int((int64_t)limit));
    return rc < 0 ? rc : read_ids(&rows, ret_ids, ret_count, err);
}

static const struct db_sql sql_streams = {
    "SELECT target_id, since_pos FROM following WHERE follower_id = ?1 AND muted = 0"};

int social_store_streams(struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                         struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_streams, &rows, err, db_id(user));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        struct id author = db_col_id(&rows, 0);
        struct id stream = topic_stream(SOCIAL_AUTHOR_TOPIC, &author);
        rc = fn(&stream, (uint64_t)db_col_int(&rows, 1), arg, err);
        if (rc != 0)
            db_rows_close(&rows);
    }
    return rc;
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* Both halves are ranges of an index; the limit stands on each, so that neither is read whole. */
#define EITHER(first, first_key, second, second_key, by, about)                                    \
    {                                                                                              \
        "SELECT * FROM (SELECT " by ", " about " FROM " first " WHERE " first_key                  \
        " = ?1 LIMIT ?2) UNION ALL SELECT * FROM (SELECT " by ", " about " FROM " second           \
        " WHERE " second_key " = ?1 LIMIT ?2) LIMIT ?2"                                            \
    }
static const struct db_sql sql_pairs[] = {
    [SOCIAL_TABLE_FOLLOWS] =
        EITHER("following", "follower_id", "follower", "target_id", "follower_id", "target_id"),
    [SOCIAL_TABLE_REQUESTS] = EITHER("follow_request", "asker_id", "follow_request", "target_id",
                                     "asker_id", "target_id"),
    [SOCIAL_TABLE_BLOCKS] =
        EITHER("block", "blocker_id", "block", "blocked_id", "blocker_id", "blocked_id"),
    [SOCIAL_TABLE_MUTES] = EITHER("mute", "muter_id", "mute", "muted_id", "muter_id", "muted_id"),
};

int social_store_pairs(struct db_tx *tx, enum social_table table, const struct id *person,
                       size_t limit, struct social_pair *ret_pairs, size_t *ret_count,
                       struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_pairs[table], &rows, err, db_id(person), db_int((int64_t)limit));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_pairs[count++] = (struct social_pair){db_col_id(&rows, 0), db_col_id(&rows, 1)};
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_askers = {
    "SELECT asker_id FROM follow_request WHERE target_id = ?1 LIMIT ?2"};

int social_store_askers(struct db_tx *tx, const struct id *target, size_t limit, struct id *ret_ids,
                        size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_askers, &rows, err, db_id(target), db_int((int64_t)limit));
    return rc < 0 ? rc : read_ids(&rows, ret_ids, ret_count, err);
}

static const struct db_sql sql_put_duty = {
    "INSERT INTO social_duty (user_id, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_drop_duty = {
    "DELETE FROM social_duty WHERE user_id = ?1 AND kind = ?2"};
static const struct db_sql sql_next_duty = {"SELECT user_id, kind FROM social_duty LIMIT 1"};

int social_store_put_duty(struct db_tx *tx, const struct id *user, int kind, struct error *err)
{
    return db_exec(tx, &sql_put_duty, err, db_id(user), db_int(kind));
}

int social_store_drop_duty(struct db_tx *tx, const struct id *user, int kind, struct error *err)
{
    return db_exec(tx, &sql_drop_duty, err, db_id(user), db_int(kind));
}

int social_store_next_duty(struct db_tx *tx, struct id *ret_user, int *ret_kind, bool *ret_found,
                           struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_next_duty, &rows, err);
    if (rc < 0)
        return rc;
    *ret_found = rc > 0;
    if (rc > 0) {
        *ret_user = db_col_id(&rows, 0);
        *ret_kind = (int)db_col_int(&rows, 1);
        db_rows_close(&rows);
    }
    return 0;
}
