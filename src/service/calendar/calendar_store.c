/* Gatherings: their rows, whole or only what decides about places. */
#include "service/calendar/calendar_store.h"

#include "engine/db_one.h"

enum { DAY_MS = 86400000 };

static const struct db_sql sql_get = {
    "SELECT gathering_id, host_id, title, description, place, link, starts_at, ends_at, time_zone,"
    " capacity, visibility, yes_count, maybe_count, waiting_count, sequence, cancelled_at,"
    " created_at, updated_at FROM gathering WHERE gathering_id = ?1 AND deleted_at IS NULL"};

static void read_gathering(const struct db_rows *rows, struct arena *arena, struct gathering *ret)
{
    *ret = (struct gathering){
        .id = db_col_id(rows, 0),
        .host_id = db_col_id(rows, 1),
        .title = db_col_copy(rows, 2, arena),
        .description = db_col_copy(rows, 3, arena),
        .place = db_col_copy(rows, 4, arena),
        .link = db_col_copy(rows, 5, arena),
        .starts_at = db_col_int(rows, 6),
        .ends_at = db_col_int(rows, 7),
        .time_zone = db_col_copy(rows, 8, arena),
        .capacity = db_col_int(rows, 9),
        .visibility = (int)db_col_int(rows, 10),
        .yes_count = db_col_int(rows, 11),
        .maybe_count = db_col_int(rows, 12),
        .waiting_count = db_col_int(rows, 13),
        .sequence = db_col_int(rows, 14),
        .cancelled_at = db_col_int(rows, 15),
        .created_at = db_col_int(rows, 16),
        .updated_at = db_col_int(rows, 17),
        .my_status = CALENDAR_NONE,
    };
}

int gathering_store_get(struct db_tx *tx, const struct id *id, struct arena *arena,
                        struct gathering *ret_gathering, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(id));
    *ret_found = rc > 0;
    if (rc <= 0)
        return rc;
    bool described = !db_col_null(&rows, 3);
    read_gathering(&rows, arena, ret_gathering);
    db_rows_close(&rows);
    /* The arena is full from some column on; the last text tells. */
    if (ret_gathering->time_zone.ptr == NULL ||
        (described && ret_gathering->description.ptr == NULL))
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The event does not fit.");
    return 0;
}

static struct db_value time_or_null(int64_t ms)
{
    return ms != 0 ? db_int(ms) : db_null();
}

static struct db_value is_long(const struct gathering *g)
{
    return db_int(g->ends_at - g->starts_at > DAY_MS);
}

/* The index keeps no texts of its own (external content), so what it forgets has to be told to it
 * word for word: before the row changes. */
static const struct db_sql sql_unindex = {
    "INSERT INTO gathering_fts (gathering_fts, rowid, title, place)"
    " SELECT 'delete', doc_id, title, place FROM gathering WHERE gathering_id = ?1"};
static const struct db_sql sql_index = {
    "INSERT INTO gathering_fts (rowid, title, place)"
    " SELECT doc_id, title, place FROM gathering WHERE gathering_id = ?1"};

static const struct db_sql sql_insert = {
    "INSERT INTO gathering (gathering_id, host_id, title, description, place, link, starts_at,"
    " ends_at, time_zone, is_long, capacity, visibility, created_at, updated_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"};

int gathering_store_insert(struct db_tx *tx, const struct gathering *g, struct error *err)
{
    int rc =
        db_exec(tx, &sql_insert, err, db_id(&g->id), db_id(&g->host_id), db_text(g->title),
                db_text(g->description), db_text(g->place), db_text(g->link), db_int(g->starts_at),
                db_int(g->ends_at), db_text(g->time_zone), is_long(g), time_or_null(g->capacity),
                db_int(g->visibility), db_int(g->created_at), db_int(g->updated_at));
    return rc < 0 ? rc : db_exec(tx, &sql_index, err, db_id(&g->id));
}

static const struct db_sql sql_update = {
    "UPDATE gathering SET title = ?2, description = ?3, place = ?4, link = ?5, starts_at = ?6,"
    " ends_at = ?7, time_zone = ?8, is_long = ?9, capacity = ?10, visibility = ?11, sequence = ?12,"
    " cancelled_at = ?13, updated_at = ?14 WHERE gathering_id = ?1"};

int gathering_store_update(struct db_tx *tx, const struct gathering *g, struct error *err)
{
    int rc = db_exec(tx, &sql_unindex, err, db_id(&g->id));
    if (rc == 0)
        rc = db_exec(tx, &sql_update, err, db_id(&g->id), db_text(g->title),
                     db_text(g->description), db_text(g->place), db_text(g->link),
                     db_int(g->starts_at), db_int(g->ends_at), db_text(g->time_zone), is_long(g),
                     time_or_null(g->capacity), db_int(g->visibility), db_int(g->sequence),
                     time_or_null(g->cancelled_at), db_int(g->updated_at));
    return rc < 0 ? rc : db_exec(tx, &sql_index, err, db_id(&g->id));
}

/* --- going -------------------------------------------------------------------------------------
 */

static const struct db_sql sql_delete = {
    "UPDATE gathering SET deleted_at = ?2 WHERE gathering_id = ?1 AND deleted_at IS NULL"};

int gathering_store_delete(struct db_tx *tx, const struct id *id, int64_t now_ms, struct error *err)
{
    return db_exec(tx, &sql_delete, err, db_id(id), db_int(now_ms));
}

/* The host is gone: what is over goes at once, what was cancelled when it is over. */
static const struct db_sql sql_forsake = {
    "UPDATE gathering SET deleted_at = ?2 WHERE host_id = ?1 AND deleted_at IS NULL"
    " AND ends_at <= ?2"};
static const struct db_sql sql_forsake_later = {
    "UPDATE gathering SET orphan = 1 WHERE host_id = ?1 AND deleted_at IS NULL"};

int gathering_store_forsake(struct db_tx *tx, const struct id *host, int64_t now_ms,
                            struct error *err)
{
    int rc = db_exec(tx, &sql_forsake, err, db_id(host), db_int(now_ms));
    return rc < 0 ? rc : db_exec(tx, &sql_forsake_later, err, db_id(host));
}

static const struct db_sql sql_forsaken = {
    "UPDATE gathering SET deleted_at = ?1 WHERE orphan = 1 AND deleted_at IS NULL"
    " AND ends_at <= ?1"};
static const struct db_sql sql_oldest_deleted = {
    "SELECT gathering_id FROM gathering WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1"};
static const struct db_sql sql_clean_rsvps = {
    "DELETE FROM rsvp WHERE gathering_id = ?1 AND user_id IN"
    " (SELECT user_id FROM rsvp WHERE gathering_id = ?1 LIMIT ?2)"};
static const struct db_sql sql_clean_invites = {"DELETE FROM invite WHERE gathering_id = ?1"};
static const struct db_sql sql_remove = {"DELETE FROM gathering WHERE gathering_id = ?1"};

static int clean_one(struct db_tx *tx, const struct id *id, unsigned limit, struct error *err)
{
    int rc = db_exec(tx, &sql_clean_rsvps, err, db_id(id), db_int(limit));
    if (rc < 0 || db_changes(tx) == (int64_t)limit)
        return rc;
    rc = db_exec(tx, &sql_clean_invites, err, db_id(id));
    if (rc == 0)
        rc = db_exec(tx, &sql_unindex, err, db_id(id));
    return rc < 0 ? rc : db_exec(tx, &sql_remove, err, db_id(id));
}

static int collect_ids(struct db_rows *rows, size_t limit, struct id *ret_ids, size_t *ret_count,
                       struct error *err)
{
    size_t count = 0;
    int rc;
    while ((rc = db_next(rows, err)) > 0) {
        ret_ids[count++] = db_col_id(rows, 0);
        if (count == limit) {
            db_rows_close(rows);
            break;
        }
    }
    *ret_count = count;
    return rc < 0 ? rc : 0;
}

int gathering_store_clean(struct db_tx *tx, int64_t now_ms, unsigned limit, bool *ret_more,
                          struct error *err)
{
    struct db_rows rows;
    struct id id;
    size_t count = 0;
    int rc = db_exec(tx, &sql_forsaken, err, db_int(now_ms));
    if (rc == 0)
        rc = db_query_n(tx, &sql_oldest_deleted, NULL, 0, &rows, err);
    if (rc == 0)
        rc = collect_ids(&rows, 1, &id, &count, err);
    *ret_more = rc == 0 && count > 0;
    return *ret_more ? clean_one(tx, &id, limit, err) : rc;
}

/* --- finding -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_of_host = {
    "SELECT gathering_id FROM gathering WHERE host_id = ?1 AND deleted_at IS NULL"
    " AND (?3 OR (ends_at > ?2 AND cancelled_at IS NULL)) LIMIT ?4"};

int gathering_store_of_host(struct db_tx *tx, const struct id *host, int64_t after_ms, bool all,
                            size_t limit, struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_of_host, &rows, err, db_id(host), db_int(after_ms), db_int(all),
                      db_int((int64_t)limit));
    return rc < 0 ? rc : collect_ids(&rows, limit, ret_ids, ret_count, err);
}

static const struct db_sql sql_free = {
    "SELECT gathering_id FROM gathering INDEXED BY gathering_free WHERE waiting_count > 0"
    " AND (capacity IS NULL OR yes_count < capacity) AND cancelled_at IS NULL"
    " AND deleted_at IS NULL AND ends_at > ?1 LIMIT ?2"};

int gathering_store_with_free_places(struct db_tx *tx, int64_t now_ms, size_t limit,
                                     struct id *ret_ids, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_free, &rows, err, db_int(now_ms), db_int((int64_t)limit));
    return rc < 0 ? rc : collect_ids(&rows, limit, ret_ids, ret_count, err);
}

/* --- places ------------------------------------------------------------------------------------
 */

static const struct db_sql sql_places = {
    "SELECT host_id, starts_at, ends_at, cancelled_at, capacity, yes_count, maybe_count,"
    " waiting_count, next_place FROM gathering WHERE gathering_id = ?1 AND deleted_at IS NULL"};

int places_store_get(struct db_tx *tx, const struct id *id, struct places *ret_places,
                     bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_places, &rows, err, db_id(id));
    *ret_found = rc > 0;
    if (rc <= 0)
        return rc;
    *ret_places = (struct places){
        .id = *id,
        .host_id = db_col_id(&rows, 0),
        .starts_at = db_col_int(&rows, 1),
        .ends_at = db_col_int(&rows, 2),
        .cancelled_at = db_col_int(&rows, 3),
        .capacity = db_col_int(&rows, 4),
        .yes_count = db_col_int(&rows, 5),
        .maybe_count = db_col_int(&rows, 6),
        .waiting_count = db_col_int(&rows, 7),
        .next_place = db_col_int(&rows, 8),
    };
    db_rows_close(&rows);
    return 0;
}

static const struct db_sql sql_put_places = {
    "UPDATE gathering SET yes_count = ?2, maybe_count = ?3, waiting_count = ?4, next_place = ?5"
    " WHERE gathering_id = ?1"};

int places_store_put(struct db_tx *tx, const struct places *places, struct error *err)
{
    return db_exec(tx, &sql_put_places, err, db_id(&places->id), db_int(places->yes_count),
                   db_int(places->maybe_count), db_int(places->waiting_count),
                   db_int(places->next_place));
}
