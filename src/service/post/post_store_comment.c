/* Comments. post_count.comments counts those that are not deleted, on all levels; replies of a
 * comment counts what a list of them shows, tombstones too. */
#include "service/post/post_store.h"

#include "engine/db_one.h"

#define COMMENT                                                                                    \
    "SELECT id, post_id, user_id, text, reply_to, depth, replies, created_at, edited_at,"          \
    " deleted_at FROM comment "
static const struct db_sql sql_get = {COMMENT "WHERE id = ?2 AND post_id = ?1"};

static bool read_comment(const struct db_rows *rows, struct arena *arena,
                         struct post_comment *ret_comment)
{
    *ret_comment = (struct post_comment){.id = db_col_id(rows, 0),
                                         .post_id = db_col_id(rows, 1),
                                         .user_id = db_col_id(rows, 2),
                                         .text = db_col_copy(rows, 3, arena),
                                         .reply_to = db_col_id(rows, 4),
                                         .depth = db_col_int(rows, 5),
                                         .reply_count = db_col_int(rows, 6),
                                         .created_at = db_col_int(rows, 7),
                                         .edited_at = db_col_int(rows, 8),
                                         .deleted_at = db_col_int(rows, 9)};
    return ret_comment->text.ptr != NULL;
}

static int too_large(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "The comments do not fit; ask for fewer.");
}

int post_store_comment(struct db_tx *tx, const struct id *post, const struct id *comment,
                       struct arena *arena, struct post_comment *ret_comment, bool *ret_found,
                       struct error *err)
{
    struct db_rows rows;
    *ret_found = false;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(post), db_id(comment));
    if (rc <= 0)
        return rc;
    *ret_found = read_comment(&rows, arena, ret_comment);
    db_rows_close(&rows);
    return *ret_found ? 0 : too_large(err);
}

static const struct db_sql sql_thread = {
    COMMENT "INDEXED BY comment_by_thread WHERE post_id = ?1 AND reply_to IS ?2 AND id > ?3"
            " ORDER BY id LIMIT ?4"};

int post_store_comments(struct db_tx *tx, const struct id *post, const struct id *reply_to,
                        const struct id *after, size_t max, struct arena *arena,
                        struct post_comment *ret, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc = db_query(tx, &sql_thread, &rows, err, db_id(post), db_id(reply_to),
                      db_blob(slice_of((const char *)after->bytes, sizeof *after)),
                      db_int((int64_t)max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        rc = 0;
        if (!read_comment(&rows, arena, &ret[(*ret_count)++])) {
            db_rows_close(&rows);
            return too_large(err);
        }
    }
    return rc;
}

static const struct db_sql sql_insert = {
    "INSERT INTO comment (id, post_id, reply_to, user_id, text, depth, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
static const struct db_sql sql_count_reply = {
    "UPDATE comment SET replies = replies + 1 WHERE id = ?1"};
static const struct db_sql sql_count = {
    "INSERT INTO post_count (post_id, comments) VALUES (?1, ?2)"
    " ON CONFLICT (post_id) DO UPDATE SET comments = comments + excluded.comments"};

int post_store_comment_insert(struct db_tx *tx, const struct post_comment *comment,
                              struct error *err)
{
    int rc = db_exec(tx, &sql_insert, err, db_id(&comment->id), db_id(&comment->post_id),
                     db_id(&comment->reply_to), db_id(&comment->user_id), db_text(comment->text),
                     db_int(comment->depth), db_int(comment->created_at));
    if (rc == 0 && !id_is_nil(&comment->reply_to))
        rc = db_exec(tx, &sql_count_reply, err, db_id(&comment->reply_to));
    if (rc == 0)
        rc = db_exec(tx, &sql_count, err, db_id(&comment->post_id), db_int(1));
    return rc;
}

static const struct db_sql sql_bury = {
    "UPDATE comment SET text = '', deleted_at = ?2 WHERE id = ?1 AND deleted_at = 0"};

int post_store_comment_bury(struct db_tx *tx, const struct post_comment *comment, int64_t at,
                            struct error *err)
{
    int rc = db_exec(tx, &sql_bury, err, db_id(&comment->id), db_int(at));
    if (rc == 0 && db_changes(tx) > 0)
        rc = db_exec(tx, &sql_count, err, db_id(&comment->post_id), db_int(-1));
    return rc;
}

static const struct db_sql sql_update = {
    "UPDATE comment SET text = ?2, edited_at = ?3 WHERE id = ?1"};

int post_store_comment_update(struct db_tx *tx, const struct post_comment *comment,
                              struct error *err)
{
    return db_exec(tx, &sql_update, err, db_id(&comment->id), db_text(comment->text),
                   db_int(comment->edited_at));
}
