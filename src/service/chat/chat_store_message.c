/* SQL beside messages: what they said before, who reacted. */
#include "service/chat/chat_store.h"

#include "engine/db_one.h"

static const struct db_sql version_sql = {
    "SELECT coalesce(max(version), 0) FROM chat_message_edit WHERE chat_id = ?1 AND seq = ?2"};
static const struct db_sql add_edit_sql = {
    "INSERT INTO chat_message_edit (chat_id, seq, version, text, replaced_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"};
static const struct db_sql edits_sql = {
    "SELECT version, text, replaced_at FROM chat_message_edit"
    " WHERE chat_id = ?1 AND seq = ?2 ORDER BY version LIMIT ?3"};
static const struct db_sql drop_sqls[] = {
    {"DELETE FROM chat_message_edit WHERE chat_id = ?1 AND seq = ?2"},
    {"DELETE FROM chat_reaction WHERE chat_id = ?1 AND seq = ?2"},
};

int chat_store_add_edit(struct db_tx *tx, const struct chat_place *place, struct slice text,
                        int64_t now_ms, int64_t *ret_version, struct error *err)
{
    int64_t version;
    int rc =
        db_one_int(tx, &version_sql, &version, err, db_id(&place->chat_id), db_int(place->seq));
    if (rc < 0)
        return rc;
    if (++version > CHAT_EDITS_MAX)
        return error_set(err, FAIL_CONFLICT, "too_many_edits",
                         "A message can be edited %d times; this one has been.", CHAT_EDITS_MAX);
    *ret_version = version;
    return db_exec(tx, &add_edit_sql, err, db_id(&place->chat_id), db_int(place->seq),
                   db_int(version), db_text(text), db_int(now_ms));
}

int chat_store_edits(struct db_tx *tx, const struct chat_place *place, unsigned limit,
                     struct arena *arena, struct chat_edit_version **ret_versions,
                     size_t *ret_count, struct error *err)
{
    struct chat_edit_version *versions = arena_array(arena, limit, sizeof *versions);
    if (versions == NULL)
        return error_set(err, FAIL_TOO_LARGE, "page_too_large", "The list does not fit.");
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &edits_sql, &rows, err, db_id(&place->chat_id), db_int(place->seq),
                      db_int(limit));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        versions[count++] = (struct chat_edit_version){
            db_col_int(&rows, 0), db_col_copy(&rows, 1, arena), db_col_int(&rows, 2)};
        rc = 0;
        if (versions[count - 1].text.ptr == NULL) {
            db_rows_close(&rows);
            rc = error_set(err, FAIL_TOO_LARGE, "page_too_large", "The list does not fit.");
        }
    }
    *ret_versions = versions;
    *ret_count = count;
    return rc;
}

int chat_store_drop_extras(struct db_tx *tx, const struct chat_place *place, struct error *err)
{
    int rc = db_exec(tx, &drop_sqls[0], err, db_id(&place->chat_id), db_int(place->seq));
    if (rc == 0)
        rc = db_exec(tx, &drop_sqls[1], err, db_id(&place->chat_id), db_int(place->seq));
    return rc;
}

static const struct db_sql react_sql = {
    "INSERT INTO chat_reaction (chat_id, seq, emoji, user_id) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT DO NOTHING"};
static const struct db_sql unreact_sql = {
    "DELETE FROM chat_reaction WHERE chat_id = ?1 AND seq = ?2 AND emoji = ?3 AND user_id = ?4"};
static const struct db_sql reaction_count_sql = {
    "SELECT count(*) FROM chat_reaction WHERE chat_id = ?1 AND seq = ?2 AND emoji = ?3"};
static const struct db_sql reaction_users_sql = {
    "SELECT user_id FROM chat_reaction WHERE chat_id = ?1 AND seq = ?2 AND emoji = ?3"
    " ORDER BY user_id LIMIT ?4"};

int chat_store_react(struct db_tx *tx, const struct chat_react *what, const struct id *user,
                     bool *ret_changed, struct error *err)
{
    int rc = db_exec(tx, what->remove ? &unreact_sql : &react_sql, err, db_id(&what->chat_id),
                     db_int(what->seq), db_text(what->emoji), db_id(user));
    if (rc == 0)
        *ret_changed = db_changes(tx) > 0;
    return rc;
}

static int read_reaction_users(struct db_tx *tx, const struct chat_react *what, struct arena *arena,
                               struct schema_list *ret_users, struct error *err)
{
    struct id *users = arena_array(arena, CHAT_REACTION_USERS_SHOWN, sizeof *users);
    if (users == NULL)
        return error_set(err, FAIL_TOO_LARGE, "page_too_large", "The reactions do not fit.");
    struct db_rows rows;
    size_t count = 0;
    int rc = db_query(tx, &reaction_users_sql, &rows, err, db_id(&what->chat_id), db_int(what->seq),
                      db_text(what->emoji), db_int(CHAT_REACTION_USERS_SHOWN));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        users[count++] = db_col_id(&rows, 0);
        rc = 0;
    }
    *ret_users = (struct schema_list){users, count};
    return rc;
}

int chat_store_reaction(struct db_tx *tx, const struct chat_react *what, struct arena *arena,
                        struct chat_reaction *ret_reaction, struct error *err)
{
    int64_t count;
    int rc = db_one_int(tx, &reaction_count_sql, &count, err, db_id(&what->chat_id),
                        db_int(what->seq), db_text(what->emoji));
    if (rc < 0)
        return rc;
    *ret_reaction = (struct chat_reaction){.emoji = what->emoji, .count = count};
    return read_reaction_users(tx, what, arena, &ret_reaction->user_ids, err);
}
