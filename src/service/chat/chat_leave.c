/* What becomes of chats whose members delete their accounts: they leave groups and channels as they
 * would by themselves, so that an owner hands over and the last one ends the chat. Direct chats
 * stay with the other of the two, and so do all messages; what the person had set for themselves
 * goes.
 *
 * The consumer only notes who is to go; the job takes them out, one chat in a transaction, and goes
 * on after a crash where it was.
 */
#include "service/chat/chat_room.h"
#include "service/chat/chat_store.h"

enum { CHATS_AT_ONCE = 50, ARENA_BYTES_MAX = 1 << 20 };

int chat_note_leaver(void *room, struct db_tx *tx, const struct event *event, struct error *err)
{
    (void)room;
    return chat_store_add_leaver(tx, &event->stream, err);
}

struct leaving {
    struct id user; /* nil: nobody leaves */
    struct id chats[CHATS_AT_ONCE];
    size_t count;
};

static int next_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct leaving *l = arg;
    int rc = chat_store_leaver(tx, &l->user, err);
    if (rc < 0 || id_is_nil(&l->user))
        return rc;
    return chat_store_chats_to_leave(tx, &l->user, l->chats, CHATS_AT_ONCE, &l->count, err);
}

static int done_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct leaving *l = arg;
    return chat_store_remove_leaver(tx, &l->user, err);
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
