/* The index keeps no texts of its own (external content), so what it forgets has to be told to it
 * word for word: every change first takes the old values out. */
#include "service/user/user_store.h"

#include "engine/db_one.h"

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
    int rc = db_one(tx, &sql_get, &rows, err, db_id(user));
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

/* Ranking by bm25 would count every document that has the word, which for one letter is a good part
 * of all: so a step looks at a bounded number and orders these. */
static const struct db_sql sql_names = {
    "SELECT user_id FROM user_document WHERE username >= ?1 AND username < ?2 AND is_active = 1"
    " ORDER BY username LIMIT ?3"};
static const struct db_sql sql_match = {
    "SELECT d.user_id FROM"
    " (SELECT rowid AS doc_id FROM user_fts WHERE user_fts MATCH ?1 LIMIT ?2) hit"
    " JOIN user_document d ON d.doc_id = hit.doc_id WHERE d.is_active = 1"
    " ORDER BY length(d.full_name), d.username"};

static void append(struct user_search_hits *hits, size_t known, struct id user)
{
    for (size_t i = 0; i < known; i++)
        if (id_eq(&hits->ids[i], &user))
            return;
    if (hits->count < ARRAY_LEN(hits->ids))
        hits->ids[hits->count++] = user;
}

static int append_all(struct db_rows *rows, struct user_search_hits *hits, struct error *err)
{
    size_t known = hits->count; /* a step by itself gives nobody twice */
    int rc;
    while ((rc = db_next(rows, err)) > 0)
        append(hits, known, db_col_id(rows, 0));
    return rc;
}

int user_search_store_names(struct db_tx *tx, struct slice begins, struct user_search_hits *hits,
                            struct error *err)
{
    struct db_rows rows;
    char beyond[USER_SEARCH_NAME_MAX + 1]; /* no username has a byte like its last */
    if (begins.len == 0 || begins.len > USER_SEARCH_NAME_MAX)
        return 0;
    memcpy(beyond, begins.ptr, begins.len);
    beyond[begins.len] = '\x7f';
    int rc = db_query(tx, &sql_names, &rows, err, db_text(begins),
                      db_text(slice_of(beyond, begins.len + 1)), db_int(USER_SEARCH_STEP));
    return rc < 0 ? rc : append_all(&rows, hits, err);
}

int user_search_store_match(struct db_tx *tx, struct slice match, struct user_search_hits *hits,
                            struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &sql_match, &rows, err, db_text(match), db_int(USER_SEARCH_STEP));
    return rc < 0 ? rc : append_all(&rows, hits, err);
}
