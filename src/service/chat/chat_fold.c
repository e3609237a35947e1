/* Follows the log in large batches for what a send does not write itself: when a chat was last
 * active (for the list's order) and that one's own messages count as read. Idempotent: both only
 * ever grow, so a round that is repeated changes nothing.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "service/chat/chat_room.h"

/* The newest message of a sender in a chat, in this round. */
struct pair {
    struct id chat, sender;
    uint64_t seq;
    int64_t at_ms;
};

enum step { STEP_COLLECT, STEP_WRITE };
enum { COLLECTS_PER_LOOK = 32, WRITES_PER_LOOK = 4 }; /* at the clock */

struct chat_fold {
    struct chat_room *room;
    const struct event *const *events; /* NULL between rounds */
    size_t event_count, next;
    uint64_t first_pos; /* of the events: positions have no gaps */
    struct message_cursor cursor;
    enum step step;
    struct pair *pairs;
    size_t pair_count;
    uint32_t *slots; /* index of a pair + 1 */
    size_t mask;
};

static void round_end(struct chat_fold *fold)
{
    free(fold->pairs);
    free(fold->slots);
    fold->pairs = NULL;
    fold->slots = NULL;
    fold->events = NULL;
}

static void round_begin(struct chat_fold *fold, const struct event *const *events, size_t count)
{
    round_end(fold);
    size_t slots = 64;
    while (slots < count * 2)
        slots *= 2;
    fold->events = events;
    fold->event_count = count;
    fold->next = fold->pair_count = 0;
    fold->first_pos = events[0]->pos;
    fold->step = STEP_COLLECT;
    fold->pairs = xmalloc(count * sizeof *fold->pairs);
    fold->slots = xcalloc(slots, sizeof *fold->slots);
    fold->mask = slots - 1;
}

static void reset(struct event_folder *folder)
{
    struct chat_fold *fold = CONTAINER_OF(folder, struct chat_room, folder)->fold;
    fold->cursor = (struct message_cursor){0};
    round_end(fold);
}

/* The newly sent message that events[index] tells of. */
static bool message_of(struct chat_fold *fold, size_t index, struct message_head *ret_head)
{
    const struct event *event = fold->events[index];
    struct message_key key;
    if (message_store_head(fold->room->messages, &fold->cursor, fold->first_pos + index, ret_head))
        return ret_head->fresh;
    if (event->type != &chat_message_sent_event || !chat_key_of(event, &key))
        return false;
    *ret_head = (struct message_head){key.chat, key.sender, key.seq, key.at_ms, true};
    return true;
}

static void collect(struct chat_fold *fold, size_t index)
{
    struct message_head key;
    if (!message_of(fold, index, &key))
        return;
    size_t at = (hash_id(&key.chat) ^ hash_mix(hash_id(&key.sender))) & fold->mask;
    for (; fold->slots[at] != 0; at = (at + 1) & fold->mask) {
        struct pair *pair = &fold->pairs[fold->slots[at] - 1];
        if (id_eq(&pair->chat, &key.chat) && id_eq(&pair->sender, &key.sender)) {
            pair->seq = key.seq;
            pair->at_ms = key.at_ms;
            return;
        }
    }
    fold->pairs[fold->pair_count++] = (struct pair){key.chat, key.sender, key.seq, key.at_ms};
    fold->slots[at] = (uint32_t)fold->pair_count;
}

/* In the order of the tables, the newest of a chat last. */
static int by_chat(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = id_cmp(&x->chat, &y->chat);
    return order != 0 ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static int write_pair(struct chat_fold *fold, struct db_tx *tx, size_t index, struct error *err)
{
    const struct pair *pair = &fold->pairs[index], *after = pair + 1;
    int rc = chat_store_set_read(tx, &pair->chat, &pair->sender, pair->seq, err);
    bool newest = index + 1 == fold->pair_count || !id_eq(&after->chat, &pair->chat);
    if (rc == 0 && newest)
        rc = chat_store_set_activity(tx, &pair->chat, pair->seq, pair->at_ms, err);
    return rc;
}

static int work(struct chat_fold *fold, struct db_tx *tx, int64_t until_ns, bool *ret_more,
                struct error *err)
{
    const struct clock *clock = db_clock(tx);
    for (unsigned steps = 1;; steps++) {
        if (fold->step == STEP_COLLECT && fold->next == fold->event_count) {
            qsort(fold->pairs, fold->pair_count, sizeof *fold->pairs, by_chat);
            fold->step = STEP_WRITE;
            fold->next = 0;
        }
        if (fold->step == STEP_WRITE && fold->next == fold->pair_count)
            return 0;
        unsigned look = fold->step == STEP_COLLECT ? COLLECTS_PER_LOOK : WRITES_PER_LOOK;
        *ret_more = steps % look == 0 && clock_mono_ns(clock) >= until_ns;
        if (*ret_more)
            return 0;
        if (fold->step == STEP_COLLECT) {
            collect(fold, fold->next++);
            continue;
        }
        int rc = write_pair(fold, tx, fold->next++, err);
        if (rc != 0)
            return rc;
    }
}

static int fold_round(struct event_folder *folder, struct db_tx *tx,
                      const struct event *const *events, size_t count, int64_t budget_us,
                      bool *ret_more, struct error *err)
{
    struct chat_fold *fold = CONTAINER_OF(folder, struct chat_room, folder)->fold;
    *ret_more = false;
    if (count == 0)
        return 0;
    if (fold->events != events || fold->event_count != count)
        round_begin(fold, events, count);

    int64_t now_ns = clock_mono_ns(db_clock(tx)), until_ns;
    if (__builtin_add_overflow(budget_us * 1000, now_ns, &until_ns)) /* no end */
        until_ns = INT64_MAX;
    int rc = work(fold, tx, until_ns, ret_more, err);
    if (rc == 0 && !*ret_more)
        round_end(fold);
    return rc;
}

void chat_fold_init(struct chat_room *room)
{
    room->fold = xcalloc(1, sizeof *room->fold);
    room->fold->room = room;
    room->folder = (struct event_folder){.name = "chat", .fold = fold_round, .reset = reset};
    event_log_add_folder(room->log, &room->folder);
}

void chat_fold_done(struct chat_room *room)
{
    round_end(room->fold);
    free(room->fold);
}
