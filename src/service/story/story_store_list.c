#include "service/story/story_store.h"

/* Answered from what is kept by person alone. */
static const struct db_sql sql_glance = {
    "SELECT a.story_id, v.viewed_at FROM story_by_author a LEFT JOIN story_seen v"
    " ON v.viewer_id = ?2 AND v.story_id = a.story_id"
    " WHERE a.user_id = ?1 AND a.expires_at > ?3 AND a.expires_at <= ?4 AND a.deleted = 0"};

int story_store_glance(struct db_tx *tx, const struct id *author, const struct id *viewer,
                       int64_t now, int64_t as_of, struct story_glance *ret_glance,
                       struct error *err)
{
    struct db_rows rows;
    *ret_glance = (struct story_glance){0};
    int rc = db_query(tx, &sql_glance, &rows, err, db_id(author), db_id(viewer), db_int(now),
                      db_int(as_of + STORY_DAY_MS));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct id story = db_col_id(&rows, 0);
        if (id_cmp(&story, &ret_glance->newest) > 0)
            ret_glance->newest = story;
        if (db_col_null(&rows, 1) || db_col_int(&rows, 1) > as_of)
            ret_glance->unseen = true;
    }
    if (id_eq(author, viewer))
        ret_glance->unseen = false;
    return rc;
}

static const struct db_sql sql_active = {
    "SELECT s.story_id, s.text, s.media_id, s.visibility, s.created_at, s.expires_at,"
    " s.viewer_count, v.viewed_at FROM story_by_author a CROSS JOIN story s LEFT JOIN story_seen v"
    " ON v.viewer_id = ?2 AND v.story_id = s.story_id"
    " WHERE a.user_id = ?1 AND a.expires_at > ?3 AND a.expires_at <= ?4 AND a.deleted = 0"
    " AND (a.expires_at, a.story_id) > (?5, ?6) AND s.story_id = a.story_id"
    " ORDER BY a.expires_at, a.story_id LIMIT ?7"};

static int64_t expiry_of(int64_t created_at)
{
    int64_t at;
    return __builtin_add_overflow(created_at, STORY_DAY_MS, &at) ? INT64_MAX : at;
}

static bool read_story(const struct db_rows *rows, const struct story_span *span,
                       struct arena *arena, struct story *ret_story)
{
    bool own = span->viewer != NULL && id_eq(span->viewer, span->author);
    *ret_story = (struct story){
        .id = db_col_id(rows, 0),
        .user_id = *span->author,
        .text = db_col_copy(rows, 1, arena),
        .media_id = db_col_id(rows, 2),
        .visibility = (int)db_col_int(rows, 3),
        .created_at = db_col_int(rows, 4),
        .expires_at = db_col_int(rows, 5),
        .viewer_count = own ? db_col_int(rows, 6) : -1,
        .viewed = own || !db_col_null(rows, 7),
    };
    return ret_story->text.ptr != NULL || db_col_null(rows, 1);
}

int story_store_active(struct db_tx *tx, const struct story_span *span, struct arena *arena,
                       struct story *ret_stories, size_t *count, struct error *err)
{
    struct db_rows rows;
    static const struct id nobody;
    const struct id *after = &span->after;
    /* The nil id binds NULL, which is after nothing. */
    struct db_value after_id = db_blob(slice_of((const char *)after->bytes, sizeof after->bytes));
    int rc = db_query(tx, &sql_active, &rows, err, db_id(span->author),
                      db_id(span->viewer != NULL ? span->viewer : &nobody), db_int(span->now),
                      db_int(expiry_of(span->until)), db_int(expiry_of(span->after_created)),
                      after_id, db_int((int64_t)span->max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        if (read_story(&rows, span, arena, &ret_stories[*count])) {
            *count += 1;
            continue;
        }
        db_rows_close(&rows);
        return error_set(err, FAIL_TOO_LARGE, "too_large", "Too many stories at once.");
    }
    return rc;
}

static const struct db_sql sql_viewers = {
    "SELECT viewer_id, viewed_at FROM story_viewer WHERE story_id = ?1"
    " AND (viewed_at, viewer_id) < (?2, ?3) ORDER BY viewed_at DESC, viewer_id DESC LIMIT ?4"};

int story_store_viewers(struct db_tx *tx, const struct id *story, const struct cursor *before,
                        size_t max, struct story_viewer *ret_viewers, size_t *ret_count,
                        struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    struct slice id = slice_of((const char *)before->id.bytes, sizeof before->id.bytes);
    int rc = db_query(tx, &sql_viewers, &rows, err, db_id(story), db_int(before->number),
                      db_blob(id), db_int((int64_t)max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_viewers[count++] = (struct story_viewer){.user_id = db_col_id(&rows, 0),
                                                     .viewed_at = db_col_int(&rows, 1)};
    *ret_count = count;
    return rc;
}

static const struct db_sql sql_views = {
    "SELECT story_id, viewed_at FROM story_seen v WHERE viewer_id = ?1"
    " AND EXISTS (SELECT 1 FROM story s WHERE s.story_id = v.story_id) ORDER BY story_id"};

int story_store_each_view(struct db_tx *tx, const struct id *viewer,
                          int (*fn)(const struct story_viewed *viewed, void *arg,
                                    struct error *err),
                          void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_views, &rows, err, db_id(viewer));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct story_viewed viewed = {
            .story_id = db_col_id(&rows, 0), .user_id = *viewer, .viewed_at = db_col_int(&rows, 1)};
        rc = fn(&viewed, arg, err);
        if (rc != 0) {
            db_rows_close(&rows);
            return rc;
        }
    }
    return rc;
}
