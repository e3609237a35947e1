/* The index keeps no texts of its own (external content), so what it forgets has to be told to it
 * word for word: every change first takes the old values out. */
#include "service/user/user_store.h"

enum { TEXT_BYTES_MAX = 4096 };

struct document {
    int64_t doc_id;
    struct slice username, full_name;
    bool found;
};

static const struct db_sql sql_get = {
    "SELECT doc_id, username, full_name FROM user_document WHERE user_id = ?1"};

static int get(struct db_tx *tx, const struct id *user, struct arena *arena, struct document *ret,
               struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_get, &rows, err, db_id(user));
    if (rc < 0)
        return rc;
    rc = db_next(&rows, err);
    ret->found = rc > 0;
    if (rc > 0) {
        ret->doc_id = db_col_int(&rows, 0);
        ret->username = db_col_copy(&rows, 1, arena);
        ret->full_name = db_col_copy(&rows, 2, arena);
        db_rows_close(&rows);
    }
    return rc < 0 ? rc : 0;
}

static const struct db_sql sql_unindex = {
    "INSERT INTO user_fts (user_fts, rowid, username, full_name) VALUES ('delete', ?1, ?2, ?3)"};
static const struct db_sql sql_put = {
    "INSERT INTO user_document (user_id, username, full_name, is_active) VALUES (?1, ?2, ?3, 1)"
    " ON CONFLICT (user_id) DO UPDATE SET username = excluded.username,"
    " full_name = excluded.full_name"};
static const struct db_sql sql_index = {
    "INSERT INTO user_fts (rowid, username, full_name)"
    " SELECT doc_id, username, full_name FROM user_document WHERE user_id = ?1"};

int user_search_store_put(struct db_tx *tx, const struct id *user, struct slice username,
                          struct slice full_name, struct error *err)
{
    struct arena arena;
    struct document old = {.found = false};
    if (full_name.ptr == NULL)
        full_name = SLICE("");
    arena_init(&arena, TEXT_BYTES_MAX);
    int rc = get(tx, user, &arena, &old, err);
    if (rc == 0 && old.found)
        rc = db_exec(tx, &sql_unindex, err, db_int(old.doc_id), db_text(old.username),
                     db_text(old.full_name));
    if (rc == 0)
        rc = db_exec(tx, &sql_put, err, db_id(user), db_text(username), db_text(full_name));
    if (rc == 0)
        rc = db_exec(tx, &sql_index, err, db_id(user));
    arena_done(&arena);
    return rc;
}

static const struct db_sql sql_remove = {"DELETE FROM user_document WHERE user_id = ?1"};

int user_search_store_remove(struct db_tx *tx, const struct id *user, struct error *err)
{
    struct arena arena;
    struct document old = {.found = false};
    arena_init(&arena, TEXT_BYTES_MAX);
    int rc = get(tx, user, &arena, &old, err);
    if (rc == 0 && old.found)
        rc = db_exec(tx, &sql_unindex, err, db_int(old.doc_id), db_text(old.username),
                     db_text(old.full_name));
    if (rc == 0 && old.found)
        rc = db_exec(tx, &sql_remove, err, db_id(user));
    arena_done(&arena);
    return rc;
}

static const struct db_sql sql_set_active = {
    "UPDATE user_document SET is_active = ?2 WHERE user_id = ?1 AND is_active <> ?2"};

int user_search_store_set_active(struct db_tx *tx, const struct id *user, bool active,
                                 bool *ret_changed, struct error *err)
{
    int rc = db_exec(tx, &sql_set_active, err, db_id(user), db_int(active));
    *ret_changed = rc == 0 && db_changes(tx) > 0;
    return rc;
}

/* At most 2000 matches are ranked: a word that half of all people have is no search. The exact
 * username is among them in any case. */
static const struct db_sql sql_find = {
    "WITH hit (doc, score) AS ("
    " SELECT * FROM (SELECT rowid, bm25(user_fts, 4.0, 1.0) FROM user_fts"
    "  WHERE user_fts MATCH ?1 LIMIT 2000)"
    " UNION ALL SELECT doc_id, 0 FROM user_document WHERE username = ?2)"
    " SELECT d.user_id FROM hit JOIN user_document d ON d.doc_id = hit.doc"
    " WHERE d.is_active = 1 GROUP BY d.doc_id"
    " ORDER BY d.username = ?2 DESC, substr(d.username, 1, length(?2)) = ?2 DESC, min(score),"
    " d.username LIMIT ?3 OFFSET ?4"};

int user_search_store_find(struct db_tx *tx, struct slice match, struct slice username,
                           unsigned skip, unsigned max, struct id *ret_ids, size_t *ret_count,
                           struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &sql_find, &rows, err, db_text(match), db_text(username), db_int(max),
                      db_int(skip));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        ret_ids[count++] = db_col_id(&rows, 0);
    *ret_count = count;
    return rc;
}
