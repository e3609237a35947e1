#include "service/story/story_store.h"

static const struct db_sql sql_insert = {
    "INSERT INTO story (story_id, user_id, text, media_id, visibility, created_at, expires_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};

int story_store_insert(struct db_tx *tx, const struct story *s, struct error *err)
{
    return db_exec(tx, &sql_insert, err, db_id(&s->id), db_id(&s->user_id), db_text(s->text),
                   db_id(&s->media_id), db_int(s->visibility), db_int(s->created_at),
                   db_int(s->expires_at));
}

static const struct db_sql sql_get = {
    "SELECT user_id, text, media_id, visibility, created_at, expires_at, viewer_count FROM story"
    " WHERE story_id = ?1 AND expires_at > ?2 AND deleted_at = 0"};

int story_store_get(struct db_tx *tx, const struct id *story, int64_t now, struct arena *arena,
                    struct story *ret_story, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_get, &rows, err, db_id(story), db_int(now));
    if (rc < 0 || (rc = db_next(&rows, err)) < 0)
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
    "SELECT created_at FROM story WHERE user_id = ?1 AND expires_at > ?2"
    " ORDER BY expires_at DESC LIMIT ?3"};

int story_store_day(struct db_tx *tx, const struct id *user, int64_t now, int64_t max,
                    int64_t *ret_count, int64_t *ret_frees_at, struct error *err)
{
    struct db_rows rows;
    int64_t count = 0, oldest = now;
    int rc = db_query(tx, &sql_day, &rows, err, db_id(user), db_int(now), db_int(max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        oldest = db_col_int(&rows, 0);
        count++;
    }
    *ret_count = count;
    *ret_frees_at = oldest + STORY_DAY_MS;
    return rc;
}

static const struct db_sql sql_delete = {
    "UPDATE story SET deleted_at = ?2, text = NULL, media_id = NULL WHERE story_id = ?1"};

int story_store_delete(struct db_tx *tx, const struct id *story, int64_t now, struct error *err)
{
    return db_exec(tx, &sql_delete, err, db_id(story), db_int(now));
}

/* --- views -------------------------------------------------------------------------------------
 */

static const struct db_sql sql_view = {
    "INSERT INTO story_view (viewer_id, story_id, viewed_at) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (viewer_id, story_id) DO NOTHING"};
static const struct db_sql sql_count_view = {
    "UPDATE story SET viewer_count = viewer_count + 1 WHERE story_id = ?1"};
static const struct db_sql sql_has_viewed = {
    "SELECT 1 FROM story_view WHERE viewer_id = ?1 AND story_id = ?2"};

int story_store_has_viewed(struct db_tx *tx, const struct id *story, const struct id *viewer,
                           bool *ret_viewed, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_has_viewed, &rows, err, db_id(viewer), db_id(story));
    if (rc < 0 || (rc = db_next(&rows, err)) < 0)
        return rc;
    *ret_viewed = rc > 0;
    if (rc > 0)
        db_rows_close(&rows);
    return 0;
}

int story_store_view(struct db_tx *tx, const struct id *story, const struct id *viewer, int64_t now,
                     bool *ret_new, struct error *err)
{
    int rc = db_exec(tx, &sql_view, err, db_id(viewer), db_id(story), db_int(now));
    if (rc < 0)
        return rc;
    *ret_new = db_changes(tx) > 0;
    return *ret_new ? db_exec(tx, &sql_count_view, err, db_id(story)) : 0;
}

/* --- clean-up ----------------------------------------------------------------------------------
 */

static const struct db_sql sql_expired = {
    "SELECT story_id FROM story WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2"};
static const struct db_sql sql_clean_views = {
    "DELETE FROM story_view WHERE (viewer_id, story_id) IN"
    " (SELECT viewer_id, story_id FROM story_view WHERE story_id = ?1 LIMIT ?2)"};
static const struct db_sql sql_clean_story = {"DELETE FROM story WHERE story_id = ?1"};

static int list_expired(struct db_tx *tx, int64_t now, unsigned max, struct id *ids,
                        unsigned *ret_count, struct error *err)
{
    struct db_rows rows;
    unsigned count = 0;
    int rc = db_query(tx, &sql_expired, &rows, err, db_int(now), db_int(max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ids[count++] = db_col_id(&rows, 0);
    *ret_count = count;
    return rc;
}

int story_store_clean(struct db_tx *tx, int64_t now, unsigned max, unsigned *ret_stories,
                      unsigned *ret_views, struct error *err)
{
    struct id ids[STORY_CLEAN_CHUNK];
    unsigned count, left = max < STORY_CLEAN_CHUNK ? max : STORY_CLEAN_CHUNK;
    *ret_stories = *ret_views = 0;
    int rc = list_expired(tx, now, left, ids, &count, err);
    for (unsigned i = 0; rc == 0 && i < count; i++) {
        rc = db_exec(tx, &sql_clean_views, err, db_id(&ids[i]), db_int(left));
        if (rc < 0)
            break;
        unsigned gone = (unsigned)db_changes(tx);
        *ret_views += gone;
        left -= gone;
        if (left == 0) /* it may have more: the story goes with the last of them */
            break;
        rc = db_exec(tx, &sql_clean_story, err, db_id(&ids[i]));
        *ret_stories += 1;
        if (--left == 0)
            break;
    }
    return rc;
}

/* --- a person who goes -------------------------------------------------------------------------
 */

static const struct db_sql sql_erase = {
    "UPDATE story SET deleted_at = ?2, expires_at = ?2, text = NULL, media_id = NULL"
    " WHERE user_id = ?1 AND expires_at > ?2"};
static const struct db_sql sql_uncount = {
    "UPDATE story SET viewer_count = viewer_count - 1"
    " WHERE story_id IN (SELECT story_id FROM story_view WHERE viewer_id = ?1)"};
static const struct db_sql sql_erase_views = {"DELETE FROM story_view WHERE viewer_id = ?1"};

int story_store_erase(struct db_tx *tx, const struct id *user, int64_t now, struct error *err)
{
    int rc = db_exec(tx, &sql_erase, err, db_id(user), db_int(now));
    if (rc == 0)
        rc = db_exec(tx, &sql_uncount, err, db_id(user));
    return rc == 0 ? db_exec(tx, &sql_erase_views, err, db_id(user)) : rc;
}
