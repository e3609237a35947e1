/* Lists of posts: only what they are ordered and seen by; the posts themselves are read one by one
 * afterwards, by their key. */
#include "service/post/post_store.h"

static int read_refs(struct db_rows *rows, size_t max, struct post_ref *ret, size_t *ret_count,
                     struct error *err)
{
    int rc = 0;
    *ret_count = 0;
    while (*ret_count < max && (rc = db_next(rows, err)) > 0)
        ret[(*ret_count)++] = (struct post_ref){.id = db_col_id(rows, 0),
                                                .user_id = db_col_id(rows, 1),
                                                .visibility = (int)db_col_int(rows, 2),
                                                .at = db_col_int(rows, 3)};
    if (rc > 0 || *ret_count == max)
        db_rows_close(rows);
    return rc < 0 ? rc : 0;
}

static const struct db_sql sql_by_user = {
    "SELECT id, user_id, visibility, 0 FROM post INDEXED BY post_by_user"
    " WHERE user_id = ?1 AND id < ?2 AND id >= ?3 AND visibility <= ?4 AND deleted_at = 0"
    " ORDER BY id DESC LIMIT ?5"};

static struct db_value key(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes)); /* nil too */
}

int post_store_by_user(struct db_tx *tx, const struct id *user, const struct id *before,
                       const struct id *floor, int visibility, size_t max, struct post_ref *ret,
                       size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_by_user, &rows, err, db_id(user), key(before), key(floor),
                      db_int(visibility), db_int((int64_t)max));
    return rc < 0 ? rc : read_refs(&rows, max, ret, ret_count, err);
}

static const struct db_sql sql_by_tag = {
    "SELECT p.id, p.user_id, p.visibility, 0 FROM post_tag t JOIN post p ON p.id = t.post_id"
    " WHERE t.tag = ?1 AND t.post_id < ?2 AND p.deleted_at = 0 ORDER BY t.post_id DESC LIMIT ?3"};

int post_store_by_tag(struct db_tx *tx, struct slice tag, const struct id *before, size_t max,
                      struct post_ref *ret, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_by_tag, &rows, err, db_text(tag), key(before), db_int((int64_t)max));
    return rc < 0 ? rc : read_refs(&rows, max, ret, ret_count, err);
}

static const struct db_sql sql_bookmarks = {
    "SELECT b.post_id, p.user_id, p.visibility, b.at"
    " FROM post_bookmark b INDEXED BY post_bookmark_by_time JOIN post p ON p.id = b.post_id"
    " WHERE b.user_id = ?1 AND (b.at, b.post_id) < (?2, ?3) AND p.deleted_at = 0"
    " ORDER BY b.at DESC, b.post_id DESC LIMIT ?4"};

int post_store_bookmarks(struct db_tx *tx, const struct id *user, const struct cursor *before,
                         size_t max, struct post_ref *ret, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_bookmarks, &rows, err, db_id(user), db_int(before->number),
                      key(&before->id), db_int((int64_t)max));
    return rc < 0 ? rc : read_refs(&rows, max, ret, ret_count, err);
}

static const struct db_sql sql_active = {
    "SELECT p.id, p.user_id, p.visibility, c.likes, c.comments, p.created_at"
    " FROM post_count c JOIN post p ON p.id = c.post_id"
    " WHERE c.post_id >= ?1 AND c.post_id < ?2 AND p.deleted_at = 0 AND p.visibility = 0"
    " AND c.likes + c.comments > 0 ORDER BY c.post_id DESC LIMIT ?3"};

int post_store_active(struct db_tx *tx, const struct id *from, const struct id *before, size_t max,
                      post_activity_fn *each, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_active, &rows, err, key(from), key(before), db_int((int64_t)max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        struct post_activity activity = {.ref = {.id = db_col_id(&rows, 0),
                                                 .user_id = db_col_id(&rows, 1),
                                                 .visibility = (int)db_col_int(&rows, 2)},
                                         .likes = db_col_int(&rows, 3),
                                         .comments = db_col_int(&rows, 4),
                                         .created_at = db_col_int(&rows, 5)};
        each(arg, &activity);
        rc = 0;
    }
    return rc;
}
