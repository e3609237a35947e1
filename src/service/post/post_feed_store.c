#include "service/post/post_feed_store.h"

#include "engine/db_one.h"

/* The nil id is a key here too: the first of all. */
static struct db_value key(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes));
}

/* --- reading -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_user = {"SELECT floor, read_at FROM feed_user WHERE user_id = ?1"};

int feed_store_user(struct db_tx *tx, const struct id *user, struct feed_user *ret_user,
                    struct error *err)
{
    struct db_rows rows;
    *ret_user = (struct feed_user){.floor = post_id_last};
    int rc = db_one(tx, &sql_user, &rows, err, key(user));
    if (rc <= 0)
        return rc;
    *ret_user = (struct feed_user){
        .built = true, .floor = db_col_id(&rows, 0), .read_at = db_col_int(&rows, 1)};
    db_rows_close(&rows);
    return 0;
}

static int give_rows(struct db_rows *rows, feed_entry_fn *each, void *arg, struct error *err)
{
    int rc;
    while ((rc = db_next(rows, err)) > 0) {
        struct id post = db_col_id(rows, 0), author = db_col_id(rows, 1);
        if (each(arg, &post, &author) != 0) {
            db_rows_close(rows);
            return 0;
        }
    }
    return rc;
}

static const struct db_sql sql_entries = {
    "SELECT post_id, author_id FROM feed_entry"
    " WHERE user_id = ?1 AND post_id < ?2 AND post_id >= ?3 ORDER BY post_id DESC"};

int feed_store_entries(struct db_tx *tx, const struct id *user, const struct id *before,
                       const struct id *floor, feed_entry_fn *each, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_entries, &rows, err, key(user), key(before), key(floor));
    return rc < 0 ? rc : give_rows(&rows, each, arg, err);
}

static const struct db_sql sql_pending = {
    "SELECT other_id, user_id FROM feed_task WHERE kind = 1 ORDER BY place DESC LIMIT ?1"};

int feed_store_pending(struct db_tx *tx, size_t max, feed_entry_fn *each, void *arg,
                       struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_pending, &rows, err, db_int((int64_t)max));
    return rc < 0 ? rc : give_rows(&rows, each, arg, err);
}

static const struct db_sql sql_bigs = {"SELECT NULL, author_id FROM feed_big ORDER BY author_id"};

int feed_store_bigs(struct db_tx *tx, feed_entry_fn *each, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_bigs, &rows, err);
    return rc < 0 ? rc : give_rows(&rows, each, arg, err);
}

/* --- tasks -------------------------------------------------------------------------------------
 */

static const struct db_sql sql_put_task = {
    "INSERT OR IGNORE INTO feed_task (kind, user_id, other_id) VALUES (?1, ?2, ?3)"};

int feed_store_put_task(struct db_tx *tx, enum feed_task_kind kind, const struct id *user,
                        const struct id *other, struct error *err)
{
    return db_exec(tx, &sql_put_task, err, db_int(kind), key(user),
                   other != NULL ? key(other) : db_null());
}

static const struct db_sql sql_tasks = {
    "SELECT t.place, t.kind, t.user_id, t.other_id, t.after,"
    " EXISTS (SELECT 1 FROM feed_user u WHERE u.user_id = t.user_id), b.leaving"
    " FROM feed_task t LEFT JOIN feed_big b"
    " ON b.author_id = CASE t.kind WHEN 2 THEN t.other_id ELSE t.user_id END"
    " ORDER BY t.place LIMIT ?1"};

int feed_store_tasks(struct db_tx *tx, size_t max, struct feed_task *ret_tasks, size_t *ret_count,
                     struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc = db_query(tx, &sql_tasks, &rows, err, db_int((int64_t)max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        ret_tasks[(*ret_count)++] = (struct feed_task){.place = db_col_int(&rows, 0),
                                                       .kind = (int)db_col_int(&rows, 1),
                                                       .user = db_col_id(&rows, 2),
                                                       .other = db_col_id(&rows, 3),
                                                       .after = db_col_id(&rows, 4),
                                                       .built = db_col_int(&rows, 5) != 0,
                                                       .big = !db_col_null(&rows, 6),
                                                       .leaving = db_col_int(&rows, 6) != 0};
        rc = 0;
    }
    return rc;
}

static const struct db_sql sql_drop_task = {"DELETE FROM feed_task WHERE place = ?1"};
static const struct db_sql sql_requeue = {
    "INSERT INTO feed_task (kind, user_id, other_id, after) VALUES (?1, ?2, ?3, ?4)"};

int feed_store_end_turn(struct db_tx *tx, const struct feed_task *task, bool again,
                        struct error *err)
{
    int rc = db_exec(tx, &sql_drop_task, err, db_int(task->place));
    if (rc == 0 && again)
        rc = db_exec(tx, &sql_requeue, err, db_int(task->kind), key(&task->user), key(&task->other),
                     key(&task->after));
    return rc;
}

/* --- entries -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_put = {
    "INSERT OR IGNORE INTO feed_entry (user_id, post_id, author_id)"
    " SELECT user_id, ?2, ?3 FROM feed_user WHERE user_id = ?1"};

int feed_store_put(struct db_tx *tx, const struct id *user, const struct id *post,
                   const struct id *author, struct error *err)
{
    return db_exec(tx, &sql_put, err, key(user), key(post), key(author));
}

static const struct db_sql sql_raise = {
    "UPDATE feed_user SET floor = ?2 WHERE user_id = ?1 AND floor < ?2"};
static const struct db_sql sql_set_floor = {"UPDATE feed_user SET floor = ?2 WHERE user_id = ?1"};

int feed_store_raise_floor(struct db_tx *tx, const struct id *user, const struct id *floor,
                           struct error *err)
{
    return db_exec(tx, &sql_raise, err, key(user), key(floor));
}

int feed_store_set_floor(struct db_tx *tx, const struct id *user, const struct id *floor,
                         struct error *err)
{
    return db_exec(tx, &sql_set_floor, err, key(user), key(floor));
}

static const struct db_sql sql_add_user = {
    "INSERT INTO feed_user (user_id, floor, read_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_touch = {"UPDATE feed_user SET read_at = ?2 WHERE user_id = ?1"};

int feed_store_add_user(struct db_tx *tx, const struct id *user, int64_t now_ms, struct error *err)
{
    return db_exec(tx, &sql_add_user, err, key(user), key(&post_id_last), db_int(now_ms));
}

int feed_store_touch(struct db_tx *tx, const struct id *user, int64_t now_ms, struct error *err)
{
    return db_exec(tx, &sql_touch, err, key(user), db_int(now_ms));
}

static const struct db_sql sql_nth = {
    "SELECT post_id FROM feed_entry WHERE user_id = ?1 ORDER BY post_id DESC LIMIT 1 OFFSET ?2"};
static const struct db_sql sql_cut = {"DELETE FROM feed_entry WHERE user_id = ?1 AND post_id < ?2"};

static int nth(struct db_tx *tx, const struct id *user, int n, struct id *ret_post, bool *ret_found,
               struct error *err)
{
    int rc = db_one_id(tx, &sql_nth, ret_post, err, key(user), db_int(n));
    *ret_found = rc == 0 && !id_is_nil(ret_post);
    return rc;
}

int feed_store_trim(struct db_tx *tx, const struct id *user, int kept, int slack, struct error *err)
{
    struct id last;
    bool found;
    int rc = nth(tx, user, kept + slack, &last, &found, err);
    if (rc < 0 || !found)
        return rc;
    rc = nth(tx, user, kept - 1, &last, &found, err);
    if (rc == 0)
        rc = feed_store_raise_floor(tx, user, &last, err);
    return rc < 0 ? rc : db_exec(tx, &sql_cut, err, key(user), key(&last));
}

static const struct db_sql sql_drop_author = {
    "DELETE FROM feed_entry WHERE user_id = ?1 AND author_id = ?2"};

int feed_store_drop_author(struct db_tx *tx, const struct id *user, const struct id *author,
                           struct error *err)
{
    return db_exec(tx, &sql_drop_author, err, key(user), key(author));
}

/* --- people ------------------------------------------------------------------------------------
 */

static const struct db_sql sql_drop_entries = {"DELETE FROM feed_entry WHERE user_id = ?1"};
static const struct db_sql sql_drop_user = {"DELETE FROM feed_user WHERE user_id = ?1"};
static const struct db_sql sql_drop_big = {"DELETE FROM feed_big WHERE author_id = ?1"};

int feed_store_drop_user(struct db_tx *tx, const struct id *user, struct error *err)
{
    int rc = db_exec(tx, &sql_drop_entries, err, key(user));
    return rc < 0 ? rc : db_exec(tx, &sql_drop_user, err, key(user));
}

static const struct db_sql sql_idle = {
    "SELECT user_id FROM feed_user WHERE read_at < ?1 ORDER BY read_at LIMIT ?2"};

int feed_store_idle(struct db_tx *tx, int64_t before_ms, size_t max, struct id *ret_users,
                    size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc = db_query(tx, &sql_idle, &rows, err, db_int(before_ms), db_int((int64_t)max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        ret_users[(*ret_count)++] = db_col_id(&rows, 0);
        rc = 0;
    }
    return rc;
}

static const struct db_sql sql_set_big = {
    "INSERT INTO feed_big (author_id, leaving) VALUES (?1, ?2)"
    " ON CONFLICT (author_id) DO UPDATE SET leaving = excluded.leaving"};

int feed_store_set_big(struct db_tx *tx, const struct id *author, bool leaving, struct error *err)
{
    return db_exec(tx, &sql_set_big, err, key(author), db_int(leaving));
}

static const struct db_sql sql_big = {"SELECT leaving FROM feed_big WHERE author_id = ?1"};

int feed_store_big(struct db_tx *tx, const struct id *author, bool *ret_big, bool *ret_leaving,
                   struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_big, &rows, err, key(author));
    *ret_big = rc > 0;
    *ret_leaving = rc > 0 && db_col_int(&rows, 0) != 0;
    if (rc > 0)
        db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

static const struct db_sql sql_drop_leave = {
    "DELETE FROM feed_task WHERE kind >= 3 AND kind = 4 AND user_id = ?1"};

int feed_store_stay_big(struct db_tx *tx, const struct id *author, struct error *err)
{
    int rc = feed_store_set_big(tx, author, false, err);
    return rc < 0 ? rc : db_exec(tx, &sql_drop_leave, err, key(author));
}

int feed_store_drop_big(struct db_tx *tx, const struct id *author, struct error *err)
{
    return db_exec(tx, &sql_drop_big, err, key(author));
}
