/* What becomes of chats whose members delete their accounts: they leave groups and channels as they
 * would by themselves, so that an owner hands over and the last one ends the chat. Direct chats
 * stay with the other of the two, and so do all messages; what the person had set for themselves
 * goes.
 *
 * The consumer only notes who is to go; the job takes them out, one chat in a transaction, and goes
 * on after a crash where it was.
 */
#include "service/chat/chat_room.h"

enum { CHATS_AT_ONCE = 50, ARENA_BYTES_MAX = 1 << 20 };

static const struct db_sql sql_note = {
    "INSERT INTO chat_leaver (user_id) VALUES (?1) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_forget = {
    "UPDATE chat_member SET archived = 0, muted_until = 0"
    " WHERE user_id = ?1 AND (archived <> 0 OR muted_until <> 0)"};

int chat_note_leaver(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    (void)room;
    int rc = db_exec(tx, &sql_note, err, db_id(&event->stream));
    return rc < 0 ? rc : db_exec(tx, &sql_forget, err, db_id(&event->stream));
}

static const struct db_sql sql_leaver = {"SELECT user_id FROM chat_leaver LIMIT 1"};
static const struct db_sql sql_chats = {
    "SELECT m.chat_id FROM chat_member m JOIN chat c ON c.id = m.chat_id"
    " WHERE m.user_id = ?1 AND c.kind <> ?2 AND c.deleted_at IS NULL LIMIT ?3"};
static const struct db_sql sql_done = {"DELETE FROM chat_leaver WHERE user_id = ?1"};

struct leaving {
    struct id user; /* nil: nobody leaves */
    struct id chats[CHATS_AT_ONCE];
    size_t count;
};

static int read_ids(struct db_rows *rows, struct id *ret_ids, size_t max, size_t *ret_count,
                    struct error *err)
{
    size_t count = 0;
    int rc;
    while ((rc = db_next(rows, err)) > 0)
        if (count < max)
            ret_ids[count++] = db_col_id(rows, 0);
    *ret_count = count;
    return rc;
}

static int next_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct leaving *l = arg;
    struct db_rows rows;
    size_t found = 0;
    l->count = 0;
    int rc = db_query_n(tx, &sql_leaver, NULL, 0, &rows, err);
    if (rc == 0)
        rc = read_ids(&rows, &l->user, 1, &found, err);
    if (rc < 0 || found == 0)
        return rc;
    rc = db_query(tx, &sql_chats, &rows, err, db_id(&l->user), db_int(CHAT_DIRECT),
                  db_int(CHATS_AT_ONCE));
    return rc < 0 ? rc : read_ids(&rows, l->chats, CHATS_AT_ONCE, &l->count, err);
}

static int done_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct leaving *l = arg;
    return db_exec(tx, &sql_done, err, db_id(&l->user));
}

/* Gone meanwhile is as good. */
static int leave(struct chat_room *room, const struct id *user, const struct id *chat,
                 struct error *err)
{
    struct arena arena;
    struct error why;
    error_init(&why);
    arena_init(&arena, ARENA_BYTES_MAX);
    struct chat_call call = {.room = room, .user = *user, .arena = &arena, .err = &why};
    int rc = chat_remove_member(&call, chat, user);
    arena_done(&arena);
    if (rc == 0 || rc == FAIL_NOT_FOUND)
        return 0;
    return error_set(err, (enum fail)rc, why.code, "%s", why.detail);
}

int chat_take_out_leavers(void *arg, struct error *err)
{
    struct chat_room *room = arg;
    for (;;) {
        struct leaving l = {.count = 0};
        int rc = db_read(room->db, next_tx, &l, err);
        if (rc < 0 || id_is_nil(&l.user))
            return rc;
        for (size_t i = 0; rc == 0 && i < l.count; i++)
            rc = leave(room, &l.user, &l.chats[i], err);
        if (rc == 0 && l.count == 0)
            rc = db_write(room->db, done_tx, &l, err);
        if (rc < 0)
            return rc;
    }
}
