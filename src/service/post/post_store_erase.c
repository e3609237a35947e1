/* Erasing somebody, a slice at a time, so that a person with a million marks holds up nobody. Each
 * step is the first one that still finds something; a slice does one step. */
#include "service/post/post_store.h"

#include "engine/db_one.h"

enum { SLICE_MAX = 256 };

static const struct db_sql sql_add = {
    "INSERT INTO post_erasure (user_id) VALUES (?1) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_next = {"SELECT user_id FROM post_erasure LIMIT 1"};
static const struct db_sql sql_done = {"DELETE FROM post_erasure WHERE user_id = ?1"};

/* The first column of each row. */
static int read_ids(struct db_tx *tx, const struct db_sql *sql, const struct id *key, unsigned max,
                    struct id ret_ids[SLICE_MAX], unsigned *ret_count, struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc = db_query(tx, sql, &rows, err, db_id(key), db_int(max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        ret_ids[(*ret_count)++] = db_col_id(&rows, 0);
        rc = 0;
    }
    return rc;
}

int post_store_erasure_add(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_add, err, db_id(user));
}

int post_store_erasure_next(struct db_tx *tx, struct id *ret_user, struct error *err)
{
    return db_one_id(tx, &sql_next, ret_user, err);
}

int post_store_erasure_done(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_done, err, db_id(user));
}

/* --- what others see: first ------------------------------------------------------------------- */

static const struct db_sql sql_hide = {
    "UPDATE post SET deleted_at = ?3 WHERE row IN"
    " (SELECT row FROM post WHERE user_id = ?1 AND deleted_at = 0 LIMIT ?2)"};

static int hide_posts(struct db_tx *tx, const struct id *user, unsigned max, int64_t at,
                      unsigned *ret_count, struct error *err)
{
    int rc = db_exec(tx, &sql_hide, err, db_id(user), db_int(max), db_int(at));
    *ret_count = (unsigned)db_changes(tx);
    return rc;
}

static const struct db_sql sql_comments = {"SELECT id FROM comment WHERE user_id = ?1 LIMIT ?2"};
static const struct db_sql sql_uncount_comment = {
    "UPDATE post_count SET comments = comments - 1 WHERE post_id ="
    " (SELECT post_id FROM comment WHERE id = ?1 AND deleted_at = 0)"};
static const struct db_sql sql_bury_comment = {
    "UPDATE comment SET user_id = NULL, text = '',"
    " deleted_at = CASE deleted_at WHEN 0 THEN ?2 ELSE deleted_at END WHERE id = ?1"};

static int bury_comments(struct db_tx *tx, const struct id *user, unsigned max, int64_t at,
                         unsigned *ret_count, struct error *err)
{
    struct id ids[SLICE_MAX];
    int rc = read_ids(tx, &sql_comments, user, max, ids, ret_count, err);
    for (unsigned i = 0; rc == 0 && i < *ret_count; i++) {
        rc = db_exec(tx, &sql_uncount_comment, err, db_id(&ids[i]));
        if (rc == 0)
            rc = db_exec(tx, &sql_bury_comment, err, db_id(&ids[i]), db_int(at));
    }
    return rc;
}

static const struct db_sql sql_likes = {
    "SELECT post_id FROM post_like INDEXED BY post_like_by_user WHERE user_id = ?1 LIMIT ?2"};

static int take_likes_back(struct db_tx *tx, const struct id *user, unsigned max, int64_t at,
                           unsigned *ret_count, struct error *err)
{
    struct id ids[SLICE_MAX];
    bool changed;
    int rc = read_ids(tx, &sql_likes, user, max, ids, ret_count, err);
    for (unsigned i = 0; rc == 0 && i < *ret_count; i++)
        rc = post_store_like(tx, &ids[i], user, false, at, &changed, err);
    return rc;
}

static const struct db_sql sql_bookmarks = {
    "DELETE FROM post_bookmark WHERE user_id = ?1 AND post_id IN"
    " (SELECT post_id FROM post_bookmark WHERE user_id = ?1 LIMIT ?2)"};

static int drop_bookmarks(struct db_tx *tx, const struct id *user, unsigned max, int64_t at,
                          unsigned *ret_count, struct error *err)
{
    (void)at;
    int rc = db_exec(tx, &sql_bookmarks, err, db_id(user), db_int(max));
    *ret_count = (unsigned)db_changes(tx);
    return rc;
}

/* --- what is left of the posts -----------------------------------------------------------------
 */

static const struct db_sql sql_posts = {"SELECT id FROM post WHERE user_id = ?1 LIMIT ?2"};
/* Of one post, in slices: what may be many. */
static const struct db_sql sql_of_post[] = {
    {"DELETE FROM post_like WHERE post_id = ?1 AND user_id IN"
     " (SELECT user_id FROM post_like WHERE post_id = ?1 LIMIT ?2)"},
    {"DELETE FROM post_bookmark WHERE post_id = ?1 AND user_id IN"
     " (SELECT user_id FROM post_bookmark WHERE post_id = ?1 LIMIT ?2)"},
    {"DELETE FROM comment WHERE id IN (SELECT id FROM comment WHERE post_id = ?1 LIMIT ?2)"},
    {"DELETE FROM post_edit WHERE post_id = ?1 AND version IN"
     " (SELECT version FROM post_edit WHERE post_id = ?1 LIMIT ?2)"},
};
static const struct db_sql sql_drop_count = {"DELETE FROM post_count WHERE post_id = ?1"};
static const struct db_sql sql_tags_of = {"SELECT tags FROM post WHERE id = ?1"};
static const struct db_sql sql_drop_tag = {"DELETE FROM post_tag WHERE tag = ?1 AND post_id = ?2"};
static const struct db_sql sql_drop_post = {"DELETE FROM post WHERE id = ?1"};

static int drop_tags(struct db_tx *tx, const struct id *post, struct error *err)
{
    struct db_rows rows;
    struct arena arena;
    struct slice rest = {0}, tag;
    int rc = db_one(tx, &sql_tags_of, &rows, err, db_id(post));
    arena_init(&arena, 64 << 10);
    if (rc > 0) {
        rest = db_col_copy(&rows, 0, &arena);
        db_rows_close(&rows);
        rc = 0;
    }
    for (bool more = rest.len > 0; rc == 0 && more;) {
        more = slice_cut(&rest, ' ', &tag);
        rc = db_exec(tx, &sql_drop_tag, err, db_text(tag), db_id(post));
    }
    arena_done(&arena);
    return rc;
}

static int drop_post(struct db_tx *tx, const struct id *post, unsigned max, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(sql_of_post); i++) {
        int rc = db_exec(tx, &sql_of_post[i], err, db_id(post), db_int(max));
        if (rc < 0 || db_changes(tx) == max)
            return rc; /* the rest of it next time */
    }
    int rc = drop_tags(tx, post, err);
    if (rc == 0)
        rc = db_exec(tx, &sql_drop_count, err, db_id(post));
    return rc < 0 ? rc : db_exec(tx, &sql_drop_post, err, db_id(post));
}

static int drop_posts(struct db_tx *tx, const struct id *user, unsigned max, int64_t at,
                      unsigned *ret_count, struct error *err)
{
    struct id ids[SLICE_MAX];
    unsigned few = max / 16 > 0 ? max / 16 : 1;
    (void)at;
    int rc = read_ids(tx, &sql_posts, user, few, ids, ret_count, err);
    for (unsigned i = 0; rc == 0 && i < *ret_count; i++)
        rc = drop_post(tx, &ids[i], max, err);
    return rc;
}

typedef int step_fn(struct db_tx *tx, const struct id *user, unsigned max, int64_t at,
                    unsigned *ret_count, struct error *err);
static step_fn *const steps[] = {hide_posts, bury_comments, take_likes_back, drop_bookmarks,
                                 drop_posts};

int post_store_erase(struct db_tx *tx, const struct id *user, unsigned rows, int64_t at,
                     bool *ret_more, struct error *err)
{
    unsigned count = 0;
    int rc = 0;
    rows = rows < SLICE_MAX ? rows : SLICE_MAX;
    for (size_t i = 0; rc == 0 && count == 0 && i < ARRAY_LEN(steps); i++)
        rc = steps[i](tx, user, rows, at, &count, err);
    *ret_more = count > 0;
    return rc;
}

/* --- export ------------------------------------------------------------------------------------
 */

static const struct db_sql sql_kept[] = {
    [POST_KEPT_POSTS] = {"SELECT id, NULL, 0 FROM post INDEXED BY post_by_user"
                         " WHERE user_id = ?1 AND deleted_at = 0 ORDER BY id"},
    [POST_KEPT_COMMENTS] = {"SELECT post_id, id, 0 FROM comment"
                            " WHERE user_id = ?1 AND deleted_at = 0 ORDER BY id"},
    [POST_KEPT_LIKES] = {"SELECT post_id, NULL, at FROM post_like INDEXED BY post_like_by_user"
                         " WHERE user_id = ?1 ORDER BY post_id"},
    [POST_KEPT_BOOKMARKS] = {"SELECT post_id, NULL, at FROM post_bookmark"
                             " WHERE user_id = ?1 ORDER BY at"},
};

int post_store_kept(struct db_tx *tx, enum post_kept_kind kind, const struct id *user,
                    post_kept_fn *each, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_kept[kind], &rows, err, db_id(user));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        struct post_kept kept = {db_col_id(&rows, 0), db_col_id(&rows, 1), db_col_int(&rows, 2)};
        rc = each(arg, &kept, err);
        if (rc < 0)
            db_rows_close(&rows);
    }
    return rc;
}
