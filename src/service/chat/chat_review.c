/* Messages for somebody who was away: the log keeps their texts for days, also of those that were
 * deleted since. */
#include "service/chat/chat_room.h"

struct review {
    struct chat_room *room;
    struct told_event *events;
    unsigned count;
    struct arena *arena;
};

/* Our own encoding: it is the last member. */
static bool is_tombstone(struct slice json)
{
    static const char alive[] = "\"deleted_at\":null}";
    size_t len = sizeof alive - 1;
    return json.len < len || memcmp(json.ptr + json.len - len, alive, len) != 0;
}

static bool shows_text(const struct event_type *type)
{
    return type == &chat_message_sent_event || type == &chat_message_updated_event ||
           type == &chat_reaction_changed_event;
}

static int look(const struct review *r, struct db_tx *tx, struct told_event *told,
                struct error *err)
{
    const struct event event = {.pos = told->pos, .type = told->type, .data = told->data};
    struct message_key key;
    struct message_ref now;
    if (!chat_key_of(&event, &key))
        return 0;
    int rc = message_store_get(r->room->messages, tx, &key.chat, key.seq, r->arena, &now, err);
    if (rc == FAIL_NOT_FOUND) { /* the whole chat is gone */
        error_init(err);
        told->type = NULL;
        return 0;
    }
    if (rc < 0 || !is_tombstone(now.json))
        return rc;
    if (told->type == &chat_message_sent_event)
        told->data = now.json; /* in its place: seqs have no gaps */
    else
        told->type = NULL;
    return 0;
}

static int review_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct review *r = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < r->count; i++)
        if (r->events[i].type != NULL && shows_text(r->events[i].type))
            rc = look(r, tx, &r->events[i], err);
    return rc;
}

int chat_review(void *room, const struct principal *principal, struct told_event *events,
                unsigned count, struct arena *arena, struct error *err)
{
    (void)principal; /* whoever follows the chat sees its history */
    struct review r = {room, events, count, arena};
    for (unsigned i = 0; i < count; i++)
        if (events[i].type != NULL && shows_text(events[i].type))
            return chat_read_db(r.room, review_tx, &r, err);
    return 0;
}
