/* The fold: a round of log events becomes block rows and client id rows.
 *
 * A round is worked off in slices, each in a transaction of its own: first every event is hung on
 * its chat (so the round is sorted by chat without sorting), then chat by chat the blocks are
 * written, then bucket by bucket the client ids, as many at a time as a run has room for. The log
 * moves its own mark when the round is through; a crash or a failed slice repeats the whole round,
 * which changes nothing that is there already: positions decide in blocks, and a client id is not
 * added to the same run twice. (It may be in two when the first one became full in the round that
 * was cut off: that costs its bytes and nothing else.)
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/message_store_internal.h"

struct message_fold_item {
    struct message_fold_item *next; /* of the same chat, by position */
    uint64_t seq, pos;
    bool fresh;        /* the first version */
    struct slice json; /* in the event, which lives as long as the round */
};

enum step { STEP_SCAN, STEP_BLOCKS, STEP_KEYS, STEP_DONE };

struct message_fold {
    const struct event *const *events; /* NULL between rounds */
    size_t count;
    enum step step;
    size_t next;                        /* event, chat or key to go on with */
    uint64_t first_pos;                 /* of the events: positions have no gaps */
    struct message_cursor cursor, from; /* from: where the round began */
    struct message_fold_item *items;
    struct message_chat **chats;
    size_t chat_count;
    struct message_key_item *keys, *keys_sorted; /* by position; those of a portion by bucket */
    size_t key_count, key_first;                 /* key_first: where the portion begins */
    size_t portion;
    struct message_entry entries[MESSAGE_BLOCK];
    struct buf row, old, scratch;
    struct message_store *store;
};

static const struct db_sql block_sql = {"SELECT data FROM message_block WHERE key = ?1"};
static const struct db_sql put_block_sql = {
    "INSERT INTO message_block (key, last_seq, data) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (key) DO UPDATE SET last_seq = excluded.last_seq, data = excluded.data"};
static const struct db_sql put_chat_sql = {
    "INSERT INTO message_chat (number, chat) VALUES (?1, ?2)"};
static const struct db_sql put_state_sql = {
    "UPDATE message_state SET folded = ?1, next_chat = ?2, run = ?3, run_count = ?4"};

/* --- a round's beginning and end ------------------------------------------------------------- */
static void round_end(struct message_fold *fold)
{
    for (size_t i = 0; i < fold->chat_count; i++) {
        fold->chats[i]->fold_first = NULL;
        fold->chats[i]->fold_end = &fold->chats[i]->fold_first;
        fold->chats[i]->pins--;
    }
    free(fold->items);
    free(fold->chats);
    free(fold->keys);
    free(fold->keys_sorted);
    fold->items = NULL;
    fold->chats = NULL;
    fold->keys = fold->keys_sorted = NULL;
    fold->chat_count = fold->key_count = fold->key_first = 0;
    fold->events = NULL;
    fold->store->round_first = UINT64_MAX;
}

static void round_begin(struct message_fold *fold, const struct event *const *events, size_t count)
{
    round_end(fold);
    fold->events = events;
    fold->count = count;
    fold->step = STEP_SCAN;
    fold->next = 0;
    fold->first_pos = events[0]->pos;
    fold->store->round_first = fold->first_pos;
    panic_if(events[count - 1]->pos - fold->first_pos != count - 1, "a round with a gap");
    fold->cursor = fold->from;
    /* Not cleared: clearing them at once would keep the writers waiting. */
    fold->items = xmalloc(count * sizeof *fold->items);
    fold->chats = xmalloc(count * sizeof *fold->chats);
    fold->keys = xmalloc(count * sizeof *fold->keys);
    fold->keys_sorted = xmalloc(count * sizeof *fold->keys_sorted);
}

/* Chat numbers and counts are perhaps those of a slice that was undone: they are read again. */
void message_fold_reset(struct event_folder *folder)
{
    struct message_store *store = CONTAINER_OF(folder, struct message_store, folder);
    struct message_fold *fold = store->fold;
    if (fold == NULL)
        return;
    for (size_t i = 0; i < fold->chat_count; i++)
        fold->chats[i]->number = 0;
    store->state_stale = store->filter.stale = true;
    round_end(fold);
}

/* --- step 1: events to chats ----------------------------------------------------------------- */
static int number_chat(struct message_store *store, struct db_tx *tx, struct message_chat *chat,
                       struct error *err)
{
    if (chat->number != 0)
        return 0;
    uint64_t number;
    int rc = message_chat_number(tx, &chat->id, &number, err);
    if (rc == 0 && number == 0) {
        number = store->state.next_chat;
        rc = db_exec(tx, &put_chat_sql, err, db_int((int64_t)number), db_id(&chat->id));
        if (rc == 0)
            store->state.next_chat++;
    }
    if (rc == 0)
        chat->number = number;
    return rc;
}

/* The version that the event at this position became when it was emitted, still pinned: what it
 * says need not be read out of the event's JSON once more. NULL: none. */
static const struct message_version *version_at(const struct message_store *store,
                                                struct message_cursor *cursor, uint64_t pos)
{
    enum { AHEAD = 6 };
    const struct message_version *v = NULL;
    if (cursor->next < store->pinned.first)
        cursor->next = store->pinned.first;
    for (; cursor->next < store->pinned.end; cursor->next++) {
        v = message_pinned(store, cursor->next);
        if (v != NULL && v->pos >= pos)
            break;
    }
    const struct message_version *soon = message_pinned(store, cursor->next + AHEAD);
    if (soon != NULL)
        prefetch(soon, sizeof *soon, false);
    return v != NULL && v->pos == pos ? v : NULL;
}

bool message_store_head(const struct message_store *store, struct message_cursor *cursor,
                        uint64_t pos, struct message_head *ret_head)
{
    const struct message_version *v = version_at(store, cursor, pos);
    if (v == NULL)
        return false;
    *ret_head = (struct message_head){v->chat->id, v->sender, v->seq, v->at_ms, v->fresh};
    return true;
}

static bool read_version(struct message_fold *fold, uint64_t pos, struct message_fold_item *item,
                         struct message_chat **ret_chat, uint64_t *ret_hash)
{
    const struct message_version *v = version_at(fold->store, &fold->cursor, pos);
    if (v == NULL)
        return false;
    *item = (struct message_fold_item){
        .seq = v->seq, .pos = v->pos, .fresh = v->fresh, .json = v->json};
    *ret_chat = v->chat;
    *ret_hash = v->keyed ? v->key_node.hash : 0;
    return true;
}

/* For an event that became no version here. */
static bool read_event(struct message_fold *fold, const struct event *event,
                       struct message_fold_item *item, struct message_chat **ret_chat,
                       uint64_t *ret_hash)
{
    struct message_store *store = fold->store;
    struct message_key key = {0};
    if (!store->key_of(event, &key) || should_not(key.seq == 0 || key.seq > UINT32_MAX))
        return false;
    *item = (struct message_fold_item){
        .seq = key.seq, .pos = event->pos, .fresh = key.at_ms != 0, .json = key.json};
    *ret_chat = message_chat_make(store, &key.chat);
    *ret_hash = key.client_id.ptr != NULL ? message_key_hash(store, &key) : 0;
    return true;
}

static int scan_event(struct message_fold *fold, struct db_tx *tx, size_t index, struct error *err)
{
    struct message_fold_item *item = &fold->items[index];
    struct message_chat *chat;
    uint64_t hash; /* 0: no client id */
    if (!read_version(fold, fold->first_pos + index, item, &chat, &hash) &&
        !read_event(fold, fold->events[index], item, &chat, &hash))
        return 0;
    if (chat->fold_first == NULL) {
        chat->pins++;
        fold->chats[fold->chat_count++] = chat;
    }
    *chat->fold_end = item;
    chat->fold_end = &item->next;
    int rc = number_chat(fold->store, tx, chat, err);
    if (rc == 0 && hash != 0)
        fold->keys[fold->key_count++] =
            (struct message_key_item){hash, (uint32_t)chat->number, (uint32_t)item->seq};
    return rc;
}

/* Chats in the order of their rows. */
static int by_number(const void *a, const void *b)
{
    const struct message_chat *const *x = a, *const *y = b;
    return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* Counting sort by bucket. */
static void sort_keys(struct message_fold *fold)
{
    const struct message_key_item *keys = fold->keys + fold->key_first;
    unsigned start[MESSAGE_KEY_BUCKETS + 1] = {0};
    for (size_t i = 0; i < fold->portion; i++)
        start[message_key_bucket(keys[i].hash) + 1]++;
    for (unsigned i = 0; i < MESSAGE_KEY_BUCKETS; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < fold->portion; i++)
        fold->keys_sorted[start[message_key_bucket(keys[i].hash)]++] = keys[i];
}

/* The next of the round's ids, as many as the current run has room for: a run that holds more than
 * its share spoils the filter, which is as large as the ids of its runs need it. */
static void next_portion(struct message_fold *fold)
{
    size_t left = fold->key_count - fold->key_first, room = message_keys_room(fold->store);
    fold->portion = left < room ? left : room;
    fold->next = 0;
    sort_keys(fold);
}

static int step_scan(struct message_fold *fold, struct db_tx *tx, struct error *err)
{
    int rc = scan_event(fold, tx, fold->next, err);
    if (rc != 0)
        return rc;
    if (++fold->next == fold->count) {
        qsort(fold->chats, fold->chat_count, sizeof(struct message_chat *), by_number);
        fold->step = STEP_BLOCKS;
        fold->next = 0;
    }
    return 0;
}

/* --- step 2: blocks -------------------------------------------------------------------------- */
static int read_block(struct message_fold *fold, struct db_tx *tx, int64_t key, unsigned *ret_count,
                      struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &block_sql, &rows, err, db_int(key));
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc != 1)
        return rc;
    buf_clear(&fold->old);
    buf_slice(&fold->old, db_col_blob(&rows, 0));
    db_rows_close(&rows);
    return message_block_decode(buf_view(&fold->old), &fold->scratch, fold->entries, ret_count,
                                err);
}

/* Writes the block of *item with all items in a row that fall into it; *item moves on. */
static int fold_block(struct message_fold *fold, struct db_tx *tx, const struct message_chat *chat,
                      struct message_fold_item **item, struct error *err)
{
    uint64_t block = message_block_of((*item)->seq), first = block * MESSAGE_BLOCK + 1;
    int64_t key = message_block_key(chat->number, block);
    unsigned count = 0;
    bool begins = (*item)->seq == first && (*item)->fresh; /* nothing is there before it */
    int rc = begins ? 0 : read_block(fold, tx, key, &count, err);
    if (rc != 0)
        return rc;
    for (; *item != NULL && message_block_of((*item)->seq) == block; *item = (*item)->next) {
        unsigned at = (unsigned)((*item)->seq - first);
        for (; count <= at; count++)
            fold->entries[count] = (struct message_entry){0};
        if ((*item)->pos >= fold->entries[at].pos)
            fold->entries[at] = (struct message_entry){(*item)->pos, (*item)->json};
    }
    message_block_encode(fold->entries, count, &fold->row);
    if (!buf_ok(&fold->row))
        return error_set(err, FAIL_INTERNAL, "block_too_large", "A message block is too large.");
    return db_exec(tx, &put_block_sql, err, db_int(key), db_int((int64_t)(first + count - 1)),
                   db_blob(buf_view(&fold->row)));
}

static int step_blocks(struct message_fold *fold, struct db_tx *tx, struct error *err)
{
    int rc = 0;
    if (fold->next < fold->chat_count) {
        struct message_chat *chat = fold->chats[fold->next++];
        struct message_fold_item *item = chat->fold_first;
        while (rc == 0 && item != NULL)
            rc = fold_block(fold, tx, chat, &item, err);
    }
    if (rc == 0 && fold->next == fold->chat_count) {
        fold->step = STEP_KEYS;
        next_portion(fold);
    }
    return rc;
}

/* --- step 3: client ids ---------------------------------------------------------------------- */
static int step_keys(struct message_fold *fold, struct db_tx *tx, struct error *err)
{
    int rc = 0;
    size_t first = fold->next, end = first;
    while (end < fold->portion && message_key_bucket(fold->keys_sorted[end].hash) ==
                                      message_key_bucket(fold->keys_sorted[first].hash))
        end++;
    if (end > first)
        rc = message_keys_append(fold->store, tx, fold->keys_sorted + first, end - first, err);
    fold->next = end;
    if (rc != 0 || end < fold->portion)
        return rc;
    rc = message_keys_turn(fold->store, tx, err);
    fold->key_first += fold->portion;
    if (fold->key_first == fold->key_count)
        fold->step = STEP_DONE;
    else
        next_portion(fold);
    return rc;
}

/* --- the folder's door ----------------------------------------------------------------------- */
static int work(struct message_fold *fold, struct db_tx *tx, int64_t until_ns, struct error *err)
{
    const struct clock *clock = db_clock(tx);
    int rc = 0;
    unsigned steps = 0;
    while (rc == 0 && fold->step != STEP_DONE) {
        if (fold->step == STEP_SCAN)
            rc = step_scan(fold, tx, err);
        else
            rc = fold->step == STEP_BLOCKS ? step_blocks(fold, tx, err) : step_keys(fold, tx, err);
        /* The clock costs as much as scanning an event. */
        if ((fold->step != STEP_SCAN || ++steps % 32 == 0) && clock_mono_ns(clock) >= until_ns)
            break;
    }
    return rc;
}

int message_fold(struct event_folder *folder, struct db_tx *tx, const struct event *const *events,
                 size_t count, int64_t budget_us, bool *ret_more, struct error *err)
{
    struct message_store *store = CONTAINER_OF(folder, struct message_store, folder);
    if (store->fold == NULL) {
        store->fold = xcalloc(1, sizeof *store->fold);
        store->fold->store = store;
        buf_init(&store->fold->row, 128 << 20);
        buf_init(&store->fold->old, 128 << 20);
        buf_init(&store->fold->scratch, 128 << 20);
    }
    struct message_fold *fold = store->fold;
    *ret_more = false;
    if (count == 0)
        return 0;
    if (fold->events != events || fold->count != count)
        round_begin(fold, events, count);
    int rc = store->state_stale ? message_state_load(store, tx, err) : 0;
    int64_t now_ns = clock_mono_ns(db_clock(tx)), until_ns;
    if (__builtin_add_overflow(budget_us * 1000, now_ns, &until_ns)) /* no end */
        until_ns = INT64_MAX;
    if (rc == 0)
        rc = work(fold, tx, until_ns, err);
    if (rc != 0)
        return rc;
    *ret_more = fold->step != STEP_DONE;
    if (!*ret_more)
        store->state.folded = events[count - 1]->pos;
    const struct message_state *state = &store->state;
    rc = db_exec(tx, &put_state_sql, err, db_int((int64_t)state->folded),
                 db_int((int64_t)state->next_chat), db_int((int64_t)state->run),
                 db_int((int64_t)state->run_count));
    if (rc == 0 && !*ret_more)
        round_end(fold);
    return rc;
}

void message_fold_moved_on(struct message_store *store)
{
    if (store->fold != NULL)
        store->fold->from = store->fold->cursor;
}

void message_fold_done(struct message_store *store)
{
    struct message_fold *fold = store->fold;
    if (fold == NULL)
        return;
    round_end(fold);
    buf_done(&fold->row);
    buf_done(&fold->old);
    buf_done(&fold->scratch);
    free(fold);
    store->fold = NULL;
}
