/* What the chat room knows about people as such: their chat profiles, those who are to be taken out
 * of their chats, what they may take along. Nothing of it is in the chats' memory. */
#include "engine/db_one.h"
#include "service/chat/chat_store.h"

/* --- profiles -------------------------------------------------------------------------------- */
static const struct db_sql insert_sql = {
    "INSERT INTO chat_profile (user_id, created_at) VALUES (?1, ?2) "
    "ON CONFLICT (user_id) DO NOTHING"};
static const struct db_sql remove_sql = {"DELETE FROM chat_profile WHERE user_id = ?1"};

int chat_store_insert_profile(struct db_tx *tx, const struct id *user, int64_t now_ms,
                              struct error *err)
{
    return db_exec(tx, &insert_sql, err, db_id(user), db_int(now_ms));
}

int chat_store_remove_profile(struct db_tx *tx, const struct id *user, bool *ret_removed,
                              struct error *err)
{
    int rc = db_exec(tx, &remove_sql, err, db_id(user));
    if (rc == 0)
        *ret_removed = db_changes(tx) > 0;
    return rc;
}

static const struct db_sql after_sql = {"SELECT after FROM chat_acquaintance"};
static const struct db_sql set_after_sql = {"UPDATE chat_acquaintance SET after = ?1"};
static const struct db_sql end_sql = {"DELETE FROM chat_acquaintance"};

int chat_store_acquaintance(struct db_tx *tx, bool *ret_due, struct id *ret_after,
                            struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &after_sql, &rows, err);
    if (rc < 0)
        return rc;
    *ret_due = rc > 0;
    if (rc > 0)
        *ret_after = db_col_id(&rows, 0);
    db_rows_close(&rows);
    return 0;
}

int chat_store_set_acquaintance(struct db_tx *tx, const struct id *after, struct error *err)
{
    return after != NULL ? db_exec(tx, &set_after_sql, err, db_id(after))
                         : db_exec(tx, &end_sql, err);
}

/* --- people who go --------------------------------------------------------------------------- */
static const struct db_sql note_sql = {
    "INSERT INTO chat_leaver (user_id) VALUES (?1) ON CONFLICT DO NOTHING"};
static const struct db_sql forget_sql = {
    "UPDATE chat_member SET archived = 0, muted_until = 0"
    " WHERE user_id = ?1 AND (archived <> 0 OR muted_until <> 0)"};

int chat_store_add_leaver(struct db_tx *tx, const struct id *user, struct error *err)
{
    int rc = db_exec(tx, &note_sql, err, db_id(user));
    return rc < 0 ? rc : db_exec(tx, &forget_sql, err, db_id(user));
}

static const struct db_sql leaver_sql = {"SELECT user_id FROM chat_leaver LIMIT 1"};
static const struct db_sql left_sql = {
    "SELECT m.chat_id FROM chat_member m JOIN chat c ON c.id = m.chat_id"
    " WHERE m.user_id = ?1 AND c.kind <> ?2 AND c.deleted_at IS NULL LIMIT ?3"};
static const struct db_sql done_sql = {"DELETE FROM chat_leaver WHERE user_id = ?1"};

int chat_store_leaver(struct db_tx *tx, struct id *ret_user, struct error *err)
{
    return db_one_id(tx, &leaver_sql, ret_user, err);
}

int chat_store_chats_to_leave(struct db_tx *tx, const struct id *user, struct id *ret_chats,
                              size_t max, size_t *ret_count, struct error *err)
{
    struct db_rows rows;
    size_t count = 0;
    int rc =
        db_query(tx, &left_sql, &rows, err, db_id(user), db_int(CHAT_DIRECT), db_int((int64_t)max));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0)
        if (count < max)
            ret_chats[count++] = db_col_id(&rows, 0);
    if (rc == 0)
        *ret_count = count;
    return rc;
}

int chat_store_remove_leaver(struct db_tx *tx, const struct id *user, struct error *err)
{
    return db_exec(tx, &done_sql, err, db_id(user));
}

/* --- what a person may take along ------------------------------------------------------------ */
static const struct db_sql next_sql = {
    "SELECT c.id, c.kind, c.title, m.role, m.joined_at, m.archived, m.muted_until"
    " FROM chat_member m JOIN chat c ON c.id = m.chat_id"
    " WHERE m.user_id = ?1 AND m.chat_id > ?2 AND c.deleted_at IS NULL"
    " ORDER BY m.chat_id LIMIT 1"};

int chat_store_next_membership(struct db_tx *tx, const struct id *user, struct slice after,
                               struct arena *arena, struct chat_membership *ret_membership,
                               bool *ret_found, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &next_sql, &rows, err, db_id(user), db_blob(after));
    if (rc < 0)
        return rc;
    *ret_found = rc > 0;
    if (rc > 0)
        *ret_membership = (struct chat_membership){.chat_id = db_col_id(&rows, 0),
                                                   .kind = (int)db_col_int(&rows, 1),
                                                   .title = db_col_copy(&rows, 2, arena),
                                                   .role = (int)db_col_int(&rows, 3),
                                                   .joined_at = db_col_int(&rows, 4),
                                                   .archived = db_col_int(&rows, 5) != 0,
                                                   .muted_until = db_col_int(&rows, 6)};
    db_rows_close(&rows);
    return 0;
}
