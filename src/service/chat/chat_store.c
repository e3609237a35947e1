#include "service/chat/chat_store.h"

#include <stdatomic.h>

#include "engine/db_one.h"

/* --- loading a chat -------------------------------------------------------------------------- */
static const struct db_sql chat_sql = {"SELECT kind, title, invite, created_by, created_at,"
                                       " (SELECT count(*) FROM chat_member WHERE chat_id = ?1)"
                                       " FROM chat WHERE id = ?1 AND deleted_at IS NULL"};
static const struct db_sql members_sql = {
    "SELECT user_id, role, joined_at, since_pos, read_seq, muted_until, archived"
    " FROM chat_member WHERE chat_id = ?1 ORDER BY user_id"};

static int read_chat(struct db_tx *tx, const struct id *chat, struct chat_view *ret_head,
                     size_t *ret_members, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &chat_sql, &rows, err, db_id(chat));
    if (rc < 0)
        return rc;
    if (rc == 0)
        return error_set(err, FAIL_NOT_FOUND, "chat_not_found", "There is no such chat.");
    *ret_head = (struct chat_view){.id = *chat,
                                   .kind = (int)db_col_int(&rows, 0),
                                   .invite = (int)db_col_int(&rows, 2),
                                   .created_by = db_col_id(&rows, 3),
                                   .created_at = db_col_int(&rows, 4)};
    struct slice title = db_col_text(&rows, 1);
    ret_head->title_len = title.len <= sizeof ret_head->title ? title.len : 0;
    if (ret_head->title_len > 0)
        memcpy(ret_head->title, title.ptr, title.len);
    *ret_members = (size_t)db_col_int(&rows, 5);
    db_rows_close(&rows);
    return 0;
}

static void read_member(const struct db_rows *rows, struct chat_member *ret_member)
{
    *ret_member = (struct chat_member){.user = db_col_id(rows, 0),
                                       .role = (int)db_col_int(rows, 1),
                                       .joined_at = db_col_int(rows, 2),
                                       .since_pos = (uint64_t)db_col_int(rows, 3)};
    atomic_init(&ret_member->read_seq, (uint64_t)db_col_int(rows, 4));
    atomic_init(&ret_member->muted_until, db_col_int(rows, 5));
    atomic_init(&ret_member->archived, db_col_int(rows, 6) != 0);
}

int chat_store_load(struct db_tx *tx, const struct id *chat, struct chat_view **ret_view,
                    struct error *err)
{
    struct chat_view head;
    size_t members = 0;
    int rc = read_chat(tx, chat, &head, &members, err);
    if (rc != 0)
        return rc;
    struct chat_view *view = chat_view_new(&head, members);
    struct db_rows rows;
    rc = db_query(tx, &members_sql, &rows, err, db_id(chat));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        panic_if(view->member_count == members, "members came between two reads of one snapshot");
        struct chat_member member;
        read_member(&rows, &member);
        chat_view_add(view, &member);
        rc = 0;
    }
    if (rc != 0) {
        chat_view_unref(view);
        return rc;
    }
    *ret_view = view;
    return 0;
}

/* --- changing chats -------------------------------------------------------------------------- */
static const struct db_sql insert_sql = {
    "INSERT INTO chat (id, kind, title, invite, created_by, created_at, active_at, member_count)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)"};
static const struct db_sql update_sql = {
    "UPDATE chat SET title = ?2, invite = ?3, member_count = ?4 WHERE id = ?1"};

int chat_store_insert(struct db_tx *tx, const struct chat_view *view, struct error *err)
{
    return db_exec(tx, &insert_sql, err, db_id(&view->id), db_int(view->kind),
                   db_text(chat_view_title(view)), db_int(view->invite), db_id(&view->created_by),
                   db_int(view->created_at), db_int((int64_t)view->member_count));
}

int chat_store_update(struct db_tx *tx, const struct chat_view *view, struct error *err)
{
    return db_exec(tx, &update_sql, err, db_id(&view->id), db_text(chat_view_title(view)),
                   db_int(view->invite), db_int((int64_t)view->member_count));
}

static const struct db_sql end_sqls[] = {
    {"UPDATE chat SET deleted_at = ?2, title = NULL WHERE id = ?1"},
    {"DELETE FROM chat_member WHERE chat_id = ?1"},
    {"DELETE FROM chat_message_edit WHERE chat_id = ?1"},
    {"DELETE FROM chat_reaction WHERE chat_id = ?1"},
};

int chat_store_end(struct db_tx *tx, const struct id *chat, int64_t now_ms, struct error *err)
{
    int rc = db_exec(tx, &end_sqls[0], err, db_id(chat), db_int(now_ms));
    for (size_t i = 1; rc == 0 && i < ARRAY_LEN(end_sqls); i++)
        rc = db_exec(tx, &end_sqls[i], err, db_id(chat));
    return rc;
}

static const struct db_sql find_direct_sql = {
    "SELECT chat_id FROM chat_direct WHERE low_id = ?1 AND high_id = ?2"};
static const struct db_sql insert_direct_sql = {
    "INSERT INTO chat_direct (low_id, high_id, chat_id) VALUES (?1, ?2, ?3)"};

int chat_store_find_direct(struct db_tx *tx, const struct id *one, const struct id *other,
                           struct id *ret_chat, struct error *err)
{
    bool swap = id_cmp(one, other) > 0;
    return db_one_id(tx, &find_direct_sql, ret_chat, err, db_id(swap ? other : one),
                     db_id(swap ? one : other));
}

int chat_store_insert_direct(struct db_tx *tx, const struct id *one, const struct id *other,
                             const struct id *chat, struct error *err)
{
    bool swap = id_cmp(one, other) > 0;
    return db_exec(tx, &insert_direct_sql, err, db_id(swap ? other : one),
                   db_id(swap ? one : other), db_id(chat));
}

/* --- members --------------------------------------------------------------------------------- */
static const struct db_sql insert_member_sql = {
    "INSERT INTO chat_member (chat_id, user_id, role, joined_at, since_pos, read_seq)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
static const struct db_sql remove_member_sql = {
    "DELETE FROM chat_member WHERE chat_id = ?1 AND user_id = ?2"};
static const struct db_sql role_sql = {
    "UPDATE chat_member SET role = ?3 WHERE chat_id = ?1 AND user_id = ?2"};
static const struct db_sql read_sql = {
    "UPDATE chat_member SET read_seq = ?3 WHERE chat_id = ?1 AND user_id = ?2 AND read_seq < ?3"};
static const struct db_sql own_sql = {
    "UPDATE chat_member SET archived = ?3, muted_until = ?4 WHERE chat_id = ?1 AND user_id = ?2"};
static const struct db_sql activity_sql = {
    "UPDATE chat SET last_seq = ?2, active_at = ?3 WHERE id = ?1 AND last_seq < ?2"};

int chat_store_insert_member(struct db_tx *tx, const struct id *chat,
                             const struct chat_member *member, struct error *err)
{
    return db_exec(tx, &insert_member_sql, err, db_id(chat), db_id(&member->user),
                   db_int(member->role), db_int(member->joined_at),
                   db_int((int64_t)member->since_pos), db_int((int64_t)member->read_seq));
}

int chat_store_remove_member(struct db_tx *tx, const struct id *chat, const struct id *user,
                             struct error *err)
{
    return db_exec(tx, &remove_member_sql, err, db_id(chat), db_id(user));
}

int chat_store_set_role(struct db_tx *tx, const struct id *chat, const struct id *user, int role,
                        struct error *err)
{
    return db_exec(tx, &role_sql, err, db_id(chat), db_id(user), db_int(role));
}

int chat_store_set_read(struct db_tx *tx, const struct id *chat, const struct id *user,
                        uint64_t seq, struct error *err)
{
    return db_exec(tx, &read_sql, err, db_id(chat), db_id(user), db_int((int64_t)seq));
}

int chat_store_set_own(struct db_tx *tx, const struct id *chat, const struct id *user,
                       bool archived, int64_t muted_until, struct error *err)
{
    return db_exec(tx, &own_sql, err, db_id(chat), db_id(user), db_int(archived),
                   db_int(muted_until));
}

int chat_store_set_activity(struct db_tx *tx, const struct id *chat, uint64_t last_seq,
                            int64_t active_at, struct error *err)
{
    return db_exec(tx, &activity_sql, err, db_id(chat), db_int((int64_t)last_seq),
                   db_int(active_at));
}

/* --- a user's chats -------------------------------------------------------------------------- */
static const struct db_sql count_sql = {"SELECT count(*) FROM chat_member WHERE user_id = ?1"};
static const struct db_sql list_sql = {
    "SELECT c.id, c.kind, c.title, c.invite, c.created_at, c.last_seq, c.active_at, m.role,"
    " m.read_seq, m.archived, m.muted_until, c.member_count,"
    " (SELECT p.user_id FROM chat_member p"
    "  WHERE c.kind = 0 AND p.chat_id = c.id AND p.user_id <> ?1)"
    " FROM chat_member m JOIN chat c ON c.id = m.chat_id WHERE m.user_id = ?1"
    " ORDER BY c.active_at DESC LIMIT ?2"};
static const struct db_sql streams_sql = {
    "SELECT chat_id, since_pos FROM chat_member WHERE user_id = ?1"};

static int read_count(struct db_tx *tx, const struct id *user, size_t *ret_count, struct error *err)
{
    int64_t count;
    int rc = db_one_int(tx, &count_sql, &count, err, db_id(user));
    if (rc == 0)
        *ret_count = (size_t)(count < CHAT_PER_USER_MAX ? count : CHAT_PER_USER_MAX);
    return rc;
}

static void read_row(const struct db_rows *rows, struct arena *arena, struct chat_row *ret_row)
{
    *ret_row = (struct chat_row){.chat = {.id = db_col_id(rows, 0),
                                          .kind = (int)db_col_int(rows, 1),
                                          .title = db_col_copy(rows, 2, arena),
                                          .settings = {.invite = (int)db_col_int(rows, 3)},
                                          .created_at = db_col_int(rows, 4),
                                          .last_seq = db_col_int(rows, 5),
                                          .my_role = (int)db_col_int(rows, 7),
                                          .read_seq = db_col_int(rows, 8),
                                          .archived = db_col_int(rows, 9) != 0,
                                          .muted_until = db_col_int(rows, 10),
                                          .member_count = db_col_int(rows, 11),
                                          .peer_id = db_col_id(rows, 12)},
                                 .active_at = db_col_int(rows, 6)};
}

int chat_store_list(struct db_tx *tx, const struct id *user, struct arena *arena,
                    struct chat_row **ret_rows, size_t *ret_count, struct error *err)
{
    size_t room, count = 0;
    int rc = read_count(tx, user, &room, err);
    if (rc != 0)
        return rc;
    struct chat_row *list = arena_array(arena, room + 1, sizeof *list);
    if (list == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_many_chats", "The list does not fit.");
    struct db_rows rows;
    rc = db_query(tx, &list_sql, &rows, err, db_id(user), db_int((int64_t)room));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        read_row(&rows, arena, &list[count++]);
        rc = 0;
    }
    *ret_rows = list;
    *ret_count = count;
    return rc;
}

int chat_store_streams(struct db_tx *tx, const struct id *user, stream_fn *fn, void *arg,
                       struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &streams_sql, &rows, err, db_id(user));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        struct id chat = db_col_id(&rows, 0);
        rc = fn(&chat, (uint64_t)db_col_int(&rows, 1), arg, err);
        if (rc != 0)
            db_rows_close(&rows);
    }
    return rc;
}
