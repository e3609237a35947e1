#include "service/story/story_store.h"

#include "engine/db_one.h"

static const struct db_sql sql_insert = {
    "INSERT INTO story (story_id, user_id, text, media_id, visibility, created_at, expires_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
static const struct db_sql sql_insert_by_author = {
    "INSERT INTO story_by_author (user_id, expires_at, story_id) VALUES (?1, ?2, ?3)"};
/* The page is written anyway. */
static const struct db_sql sql_forget_expired = {
    "DELETE FROM story_by_author WHERE user_id = ?1 AND expires_at <= ?2"};

int story_store_insert(struct db_tx *tx, const struct story *s, struct error *err)
{
    int rc = db_exec(tx, &sql_insert, err, db_id(&s->id), db_id(&s->user_id), db_text(s->text),
                     db_id(&s->media_id), db_int(s->visibility), db_int(s->created_at),
                     db_int(s->expires_at));
    if (rc == 0)
        rc = db_exec(tx, &sql_insert_by_author, err, db_id(&s->user_id), db_int(s->expires_at),
                     db_id(&s->id));
    return rc == 0
               ? db_exec(tx, &sql_forget_expired, err, db_id(&s->user_id), db_int(s->created_at))
               : rc;
}

static const struct db_sql sql_get = {
    "SELECT user_id, text, media_id, visibility, created_at, expires_at, viewer_count FROM story"
    " WHERE story_id = ?1 AND expires_at > ?2 AND deleted_at = 0"};

int story_store_get(struct db_tx *tx, const struct id *story, int64_t now, struct arena *arena,
                    struct story *ret_story, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(story), db_int(now));
    if (rc < 0)
        return rc;
    *ret_found = rc > 0;
    if (rc == 0)
        return 0;
    *ret_story = (struct story){
        .id = *story,
        .user_id = db_col_id(&rows, 0),
        .text = db_col_copy(&rows, 1, arena),
        .media_id = db_col_id(&rows, 2),
        .visibility = (int)db_col_int(&rows, 3),
        .created_at = db_col_int(&rows, 4),
        .expires_at = db_col_int(&rows, 5),
        .viewer_count = db_col_int(&rows, 6),
    };
    bool fits = ret_story->text.ptr != NULL || db_col_null(&rows, 1);
    db_rows_close(&rows);
    return fits ? 0 : error_set(err, FAIL_TOO_LARGE, "too_large", "The story does not fit.");
}

/* Deleted ones are counted: deleting gives no further turn. */
static const struct db_sql sql_day = {
    "SELECT expires_at FROM story_by_author WHERE user_id = ?1 AND expires_at > ?2"
    " ORDER BY expires_at DESC LIMIT ?3"};

int story_store_day(struct db_tx *tx, const struct id *user, int64_t now, int64_t max,
                    int64_t *ret_count, int64_t *ret_frees_at, struct error *err)
{
    struct db_rows rows;
    int64_t count = 0, frees_at = now;
    int rc = db_query(tx, &sql_day, &rows, err, db_id(user), db_int(now), db_int(max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        frees_at = db_col_int(&rows, 0);
        count++;
    }
    *ret_count = count;
    *ret_frees_at = frees_at;
    return rc;
}

static const struct db_sql sql_delete = {
    "UPDATE story SET deleted_at = ?2, text = NULL, media_id = NULL WHERE story_id = ?1"};
static const struct db_sql sql_delete_by_author = {
    "UPDATE story_by_author SET deleted = 1"
    " WHERE user_id = ?1 AND expires_at = ?2 AND story_id = ?3"};

int story_store_delete(struct db_tx *tx, const struct story *s, int64_t now, struct error *err)
{
    int rc = db_exec(tx, &sql_delete, err, db_id(&s->id), db_int(now));
    return rc == 0 ? db_exec(tx, &sql_delete_by_author, err, db_id(&s->user_id),
                             db_int(s->expires_at), db_id(&s->id))
                   : rc;
}

/* --- views -------------------------------------------------------------------------------------
 */

static const struct db_sql sql_see = {
    "INSERT INTO story_seen (viewer_id, story_id, viewed_at) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (viewer_id, story_id) DO NOTHING"};
static const struct db_sql sql_viewer = {
    "INSERT INTO story_viewer (story_id, viewed_at, viewer_id) VALUES (?2, ?3, ?1)"};
static const struct db_sql sql_count_view = {
    "UPDATE story SET viewer_count = viewer_count + 1 WHERE story_id = ?1"};
/* The page is written anyway. */
static const struct db_sql sql_unsee_expired = {
    "DELETE FROM story_seen WHERE viewer_id = ?1 AND story_id < ?2"};
static const struct db_sql sql_has_viewed = {
    "SELECT 1 FROM story_seen WHERE viewer_id = ?1 AND story_id = ?2"};

/* Stories with a lower id have expired for certain: an id holds when it was made, give or take what
 * a generator may run ahead of the clock. */
struct id story_store_expired_id(int64_t now)
{
    uint64_t at = (uint64_t)(now - STORY_DAY_MS - 60000);
    struct id id = {{0}};
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(at >> (40 - 8 * i));
    return id;
}

int story_store_has_viewed(struct db_tx *tx, const struct id *story, const struct id *viewer,
                           bool *ret_viewed, struct error *err)
{
    return db_one_exists(tx, &sql_has_viewed, ret_viewed, err, db_id(viewer), db_id(story));
}

int story_store_view(struct db_tx *tx, const struct id *story, const struct id *viewer, int64_t now,
                     bool *ret_new, struct error *err)
{
    struct id expired = story_store_expired_id(now);
    int rc = db_exec(tx, &sql_see, err, db_id(viewer), db_id(story), db_int(now));
    *ret_new = rc == 0 && db_changes(tx) > 0;
    if (rc < 0 || !*ret_new)
        return rc;
    rc = db_exec(tx, &sql_viewer, err, db_id(viewer), db_id(story), db_int(now));
    if (rc == 0)
        rc = db_exec(tx, &sql_count_view, err, db_id(story));
    return rc == 0 ? db_exec(tx, &sql_unsee_expired, err, db_id(viewer), db_id(&expired)) : rc;
}

/* --- a person who goes -------------------------------------------------------------------------
 */

static const struct db_sql sql_erase[] = {
    {"UPDATE story SET deleted_at = ?2, expires_at = ?2, text = NULL, media_id = NULL"
     " WHERE story_id IN"
     " (SELECT story_id FROM story_by_author WHERE user_id = ?1 AND expires_at > ?2)"},
    {"DELETE FROM story_by_author WHERE user_id = ?1 AND ?2 > 0"},
    {"UPDATE story SET viewer_count = viewer_count - 1 WHERE story_id IN"
     " (SELECT story_id FROM story_seen WHERE viewer_id = ?1 AND ?2 > 0)"},
    {"DELETE FROM story_viewer WHERE (story_id, viewed_at, viewer_id) IN"
     " (SELECT story_id, viewed_at, viewer_id FROM story_seen WHERE viewer_id = ?1 AND ?2 > 0)"},
    {"DELETE FROM story_seen WHERE viewer_id = ?1 AND ?2 > 0"},
};

int story_store_erase(struct db_tx *tx, const struct id *user, int64_t now, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(sql_erase); i++)
        rc = db_exec(tx, &sql_erase[i], err, db_id(user), db_int(now));
    return rc;
}
