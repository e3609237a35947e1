/* Likes and bookmarks. A count moves in the transaction in which a row came or went, by what has
 * changed: it cannot drift. Likes of one post that come together are written together (group
 * commit): its count is one page of one commit however many they are. */
#include "service/post/post_store.h"

static const struct db_sql sql_like = {
    "INSERT INTO post_like (post_id, user_id, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_unlike = {
    "DELETE FROM post_like WHERE post_id = ?1 AND user_id = ?2"};
static const struct db_sql sql_count_likes = {
    "INSERT INTO post_count (post_id, likes) VALUES (?1, ?2)"
    " ON CONFLICT (post_id) DO UPDATE SET likes = likes + excluded.likes"};

int post_store_like(struct db_tx *tx, const struct id *post, const struct id *user, bool on,
                    int64_t at, bool *ret_changed, struct error *err)
{
    int rc = on ? db_exec(tx, &sql_like, err, db_id(post), db_id(user), db_int(at))
                : db_exec(tx, &sql_unlike, err, db_id(post), db_id(user));
    bool changed = rc == 0 && db_changes(tx) > 0;
    if (changed)
        rc = db_exec(tx, &sql_count_likes, err, db_id(post), db_int(on ? 1 : -1));
    *ret_changed = changed;
    return rc;
}

static const struct db_sql sql_bookmark = {
    "INSERT INTO post_bookmark (user_id, post_id, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_unbookmark = {
    "DELETE FROM post_bookmark WHERE user_id = ?1 AND post_id = ?2"};

int post_store_bookmark(struct db_tx *tx, const struct id *user, const struct id *post, bool on,
                        int64_t at, struct error *err)
{
    return on ? db_exec(tx, &sql_bookmark, err, db_id(user), db_id(post), db_int(at))
              : db_exec(tx, &sql_unbookmark, err, db_id(user), db_id(post));
}

static const struct db_sql sql_likers = {
    "SELECT user_id, at FROM post_like INDEXED BY post_like_by_time"
    " WHERE post_id = ?1 AND (at, user_id) < (?2, ?3) ORDER BY at DESC, user_id DESC LIMIT ?4"};

int post_store_likers(struct db_tx *tx, const struct id *post, const struct cursor *before,
                      size_t max, struct post_liker *ret, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc = db_query(tx, &sql_likers, &rows, err, db_id(post), db_int(before->number),
                      db_blob(slice_of((const char *)before->id.bytes, sizeof(struct id))),
                      db_int((int64_t)max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        ret[(*ret_count)++] = (struct post_liker){db_col_id(&rows, 0), db_col_int(&rows, 1)};
        rc = 0;
    }
    return rc;
}
