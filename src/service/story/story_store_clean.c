#include "service/story/story_store.h"

/* --- what is kept by time ----------------------------------------------------------------------
 */

static const struct db_sql sql_expired = {
    "SELECT story_id FROM story WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2"};
static const struct db_sql sql_clean_views = {
    "DELETE FROM story_viewer WHERE (story_id, viewed_at, viewer_id) IN"
    " (SELECT story_id, viewed_at, viewer_id FROM story_viewer WHERE story_id = ?1 LIMIT ?2)"};
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
    for (unsigned i = 0; rc == 0 && i < count && left > 0; i++) {
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
        left--;
    }
    return rc;
}

/* --- what is kept by person ---------------------------------------------------------------------
 */

enum { LOOK_MAX = 5000 }; /* rows looked at in one go of a reader */

static const struct db_sql sql_look[] = {
    [STORY_SWEEP_AUTHORS] = {"SELECT user_id, expires_at, story_id FROM story_by_author"
                             " WHERE (user_id, expires_at, story_id) > (?1, ?2, ?3)"
                             " ORDER BY user_id, expires_at, story_id LIMIT ?4"},
    [STORY_SWEEP_SEEN] = {"SELECT viewer_id, 0, story_id FROM story_seen"
                          " WHERE (viewer_id, story_id) > (?1, ?3) AND ?2 = 0"
                          " ORDER BY viewer_id, story_id LIMIT ?4"},
};
static const struct db_sql sql_sweep[] = {
    [STORY_SWEEP_AUTHORS] = {"DELETE FROM story_by_author"
                             " WHERE user_id = ?1 AND expires_at = ?2 AND story_id = ?3"},
    [STORY_SWEEP_SEEN] = {"DELETE FROM story_seen"
                          " WHERE viewer_id = ?1 AND story_id = ?3 AND ?2 = 0"},
};

static struct db_value id_or_first(const struct id *id)
{
    return db_blob(slice_of((const char *)id->bytes, sizeof id->bytes)); /* nil is before all */
}

static bool has_expired(const struct story_sweep *sweep, const struct id *expired)
{
    return sweep->table == STORY_SWEEP_AUTHORS ? sweep->at.expires_at <= sweep->now
                                               : id_cmp(&sweep->at.story, expired) < 0;
}

int story_store_sweep_look(struct db_tx *tx, struct story_sweep *sweep, struct error *err)
{
    struct id expired = story_store_expired_id(sweep->now);
    struct db_rows rows;
    unsigned looked = 0;
    sweep->count = 0;
    int rc =
        db_query(tx, &sql_look[sweep->table], &rows, err, id_or_first(&sweep->at.person),
                 db_int(sweep->at.expires_at), id_or_first(&sweep->at.story), db_int(LOOK_MAX));
    if (rc < 0)
        return rc;
    while (sweep->count < STORY_CLEAN_CHUNK && (rc = db_next(&rows, err)) > 0) {
        sweep->at = (struct story_sweep_key){.person = db_col_id(&rows, 0),
                                             .expires_at = db_col_int(&rows, 1),
                                             .story = db_col_id(&rows, 2)};
        looked++;
        if (has_expired(sweep, &expired))
            sweep->keys[sweep->count++] = sweep->at;
    }
    sweep->more = looked == LOOK_MAX || sweep->count == STORY_CLEAN_CHUNK;
    if (rc > 0)
        db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

int story_store_sweep(struct db_tx *tx, const struct story_sweep *sweep, struct error *err)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < sweep->count; i++)
        rc = db_exec(tx, &sql_sweep[sweep->table], err, db_id(&sweep->keys[i].person),
                     db_int(sweep->keys[i].expires_at), db_id(&sweep->keys[i].story));
    return rc;
}
