/* Answers and invitations. */
#include "service/calendar/calendar_store.h"

#include "engine/db_one.h"

#define RSVP "SELECT gathering_id, user_id, status, place, updated_at FROM rsvp WHERE "

static struct calendar_rsvp read_rsvp(const struct db_rows *rows)
{
    return (struct calendar_rsvp){
        .gathering_id = db_col_id(rows, 0),
        .user_id = db_col_id(rows, 1),
        .status = (int)db_col_int(rows, 2),
        .place = db_col_int(rows, 3),
        .updated_at = db_col_int(rows, 4),
    };
}

static int get_one(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args,
                   size_t count, struct calendar_rsvp *ret_rsvp, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one_n(tx, sql, args, count, &rows, err);
    *ret_found = rc > 0;
    if (rc <= 0)
        return rc;
    *ret_rsvp = read_rsvp(&rows);
    db_rows_close(&rows);
    return 0;
}

static const struct db_sql sql_get = {RSVP "gathering_id = ?1 AND user_id = ?2"};

int rsvp_store_get(struct db_tx *tx, const struct id *gathering, const struct id *user,
                   struct calendar_rsvp *ret_rsvp, bool *ret_found, struct error *err)
{
    return get_one(tx, &sql_get, DB_ARGS(db_id(gathering), db_id(user)), ret_rsvp, ret_found, err);
}

static const struct db_sql sql_put = {
    "INSERT INTO rsvp (gathering_id, user_id, status, place, updated_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (gathering_id, user_id) DO UPDATE SET"
    " status = excluded.status, place = excluded.place, updated_at = excluded.updated_at"};

int rsvp_store_put(struct db_tx *tx, const struct calendar_rsvp *rsvp, struct error *err)
{
    return db_exec(tx, &sql_put, err, db_id(&rsvp->gathering_id), db_id(&rsvp->user_id),
                   db_int(rsvp->status), db_int(rsvp->place), db_int(rsvp->updated_at));
}

static const struct db_sql sql_remove = {
    "DELETE FROM rsvp WHERE gathering_id = ?1 AND user_id = ?2"};

int rsvp_store_remove(struct db_tx *tx, const struct id *gathering, const struct id *user,
                      struct error *err)
{
    return db_exec(tx, &sql_remove, err, db_id(gathering), db_id(user));
}

static const struct db_sql sql_first_waiting = {
    RSVP "gathering_id = ?1 AND status = 3 ORDER BY place LIMIT 1"};

int rsvp_store_first_waiting(struct db_tx *tx, const struct id *gathering,
                             struct calendar_rsvp *ret_rsvp, bool *ret_found, struct error *err)
{
    return get_one(tx, &sql_first_waiting, DB_ARGS(db_id(gathering)), ret_rsvp, ret_found, err);
}

static const struct db_sql sql_position = {
    "SELECT count(*) FROM rsvp WHERE gathering_id = ?1 AND status = 3 AND place <= ?2"};

int rsvp_store_position(struct db_tx *tx, const struct id *gathering, int64_t place,
                        int64_t *ret_position, struct error *err)
{
    return db_one_int(tx, &sql_position, ret_position, err, db_id(gathering), db_int(place));
}

/* --- pages -------------------------------------------------------------------------------------
 */

static int collect(struct db_rows *rows, struct calendar_rsvp *ret_items, size_t *ret_count,
                   struct error *err)
{
    size_t count = 0;
    int rc;
    while ((rc = db_next(rows, err)) > 0)
        ret_items[count++] = read_rsvp(rows);
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_page = {
    RSVP "gathering_id = ?1 AND place > ?2 AND (?3 OR status <> 2) ORDER BY place LIMIT ?4"};
static const struct db_sql sql_page_of_status = {
    RSVP "gathering_id = ?1 AND place > ?2 AND status = ?3 ORDER BY place LIMIT ?4"};

int rsvp_store_page(struct db_tx *tx, const struct id *gathering, int status, bool with_no,
                    int64_t after_place, size_t limit, struct calendar_rsvp *ret_items,
                    size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    bool all = status == CALENDAR_NONE;
    int rc = db_query(tx, all ? &sql_page : &sql_page_of_status, &rows, err, db_id(gathering),
                      db_int(after_place), db_int(all ? with_no : status), db_int((int64_t)limit));
    return rc < 0 ? rc : collect(&rows, ret_items, ret_count, err);
}

static const struct db_sql sql_users = {
    "SELECT user_id FROM rsvp WHERE gathering_id = ?1 AND user_id > ?2"
    " AND (1 << status) & ?3 <> 0 ORDER BY user_id LIMIT ?4"};

/* The nil id as bytes that stand before all others, where db_id would bind NULL. */
static struct db_value after_id(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes));
}

int rsvp_store_users(struct db_tx *tx, const struct id *gathering, unsigned answers,
                     const struct id *after, size_t limit, struct id *ret_users, size_t *ret_count,
                     struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_users, &rows, err, db_id(gathering), after_id(after),
                      db_int(answers), db_int((int64_t)limit));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_users[count++] = db_col_id(&rows, 0);
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_of_user = {
    "SELECT r.gathering_id, r.user_id, r.status, r.place, r.updated_at FROM rsvp r"
    " JOIN gathering g ON g.gathering_id = r.gathering_id"
    " WHERE r.user_id = ?1 AND r.gathering_id > ?2 AND g.deleted_at IS NULL"
    " AND (?3 IS NULL OR g.host_id = ?3) ORDER BY r.gathering_id LIMIT ?4"};

int rsvp_store_of_user(struct db_tx *tx, const struct id *user, const struct id *host,
                       const struct id *after, size_t limit, struct calendar_rsvp *ret_items,
                       size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_of_user, &rows, err, db_id(user), after_id(after), db_id(host),
                      db_int((int64_t)limit));
    return rc < 0 ? rc : collect(&rows, ret_items, ret_count, err);
}

/* --- invitations -------------------------------------------------------------------------------
 */

static const struct db_sql sql_invite_count = {
    "SELECT count(*) FROM invite WHERE gathering_id = ?1"};
static const struct db_sql sql_invited = {
    "SELECT 1 FROM invite WHERE gathering_id = ?1 AND user_id = ?2"};

int invite_store_count(struct db_tx *tx, const struct id *gathering, int64_t *ret_count,
                       struct error *err)
{
    return db_one_int(tx, &sql_invite_count, ret_count, err, db_id(gathering));
}

int invite_store_get(struct db_tx *tx, const struct id *gathering, const struct id *user,
                     bool *ret_found, struct error *err)
{
    return db_one_exists(tx, &sql_invited, ret_found, err, db_id(gathering), db_id(user));
}

static const struct db_sql sql_invite = {
    "INSERT INTO invite (gathering_id, user_id, created_at) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (gathering_id, user_id) DO NOTHING"};
static const struct db_sql sql_uninvite = {
    "DELETE FROM invite WHERE gathering_id = ?1 AND user_id = ?2"};
static const struct db_sql sql_uninvite_user = {"DELETE FROM invite WHERE user_id = ?1"};

int invite_store_put(struct db_tx *tx, const struct id *gathering, const struct id *user,
                     int64_t now_ms, struct error *err)
{
    return db_exec(tx, &sql_invite, err, db_id(gathering), db_id(user), db_int(now_ms));
}

int invite_store_remove(struct db_tx *tx, const struct id *gathering, const struct id *user,
                        struct error *err)
{
    return db_exec(tx, &sql_uninvite, err, db_id(gathering), db_id(user));
}

int invite_store_remove_user(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &sql_uninvite_user, err, db_id(user));
}
