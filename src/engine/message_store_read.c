/* Reading: memory first, blocks for what it does not hold.
 *
 * A page is a range of sequence numbers. Memory is copied under the shard's lock; what lies before
 * the window comes from block rows of the caller's snapshot, unless memory has a later version. If
 * memory has dropped a version that this snapshot does not have yet (the snapshot is older than the
 * fold of that version), the page cannot be right and says so: "snapshot_old".
 */
#include <stdatomic.h>

#include "engine/message_store_internal.h"

static const struct db_sql last_sql = {
    "SELECT last_seq FROM message_block WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1"};
static const struct db_sql range_sql = {
    "SELECT key, data FROM message_block WHERE key BETWEEN ?1 AND ?2 ORDER BY key"};
static const struct db_sql folded_sql = {"SELECT folded FROM message_state"};

/* Wanted: low <= seq <= high, at most MESSAGE_PAGE_MAX of them; refs[i] is seq low + i. */
struct range {
    uint64_t low, high;
    bool open; /* backwards: ends at the chat's last message, which is not known yet */
    uint64_t dropped_pos;
    uint64_t from_blocks; /* greatest seq that memory's window does not answer for, 0: none */
    struct message_ref refs[MESSAGE_PAGE_MAX];
};

static void limit_low(struct range *range, unsigned limit)
{
    range->low = range->high >= limit ? range->high - limit + 1 : 1;
}

/* The chat's last message is known now. */
static void end_at(struct range *range, uint64_t last, unsigned limit)
{
    if (range->high > last) {
        range->high = last;
        if (range->open)
            limit_low(range, limit);
    }
    range->open = false;
}

static struct range range_of(uint64_t before, uint64_t after, unsigned limit)
{
    struct range range = {0};
    if (limit > MESSAGE_PAGE_MAX)
        limit = MESSAGE_PAGE_MAX;
    if (after > 0) {
        range.low = after < UINT64_MAX ? after + 1 : after;
        range.high = range.low <= UINT64_MAX - limit ? range.low + limit - 1 : UINT64_MAX;
    } else {
        range.open = true;
        range.high = before > 0 ? before - 1 : UINT64_MAX;
        limit_low(&range, limit);
    }
    return range;
}

static bool copy_version(const struct message_version *v, struct arena *arena,
                         struct message_ref *ret_ref)
{
    struct slice json = arena_copy(arena, v->json);
    *ret_ref = (struct message_ref){v->seq, v->pos, json};
    return json.ptr != NULL;
}

static int arena_full(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "page_too_large",
                     "The page is too large; ask for fewer messages.");
}

/* Copies the window's part of the range and the old versions in it. Under the lock. */
static bool copy_memory(const struct message_chat *chat, struct range *range, struct arena *arena)
{
    bool ok = true;
    for (const struct message_version *v = chat->old; v != NULL; v = v->old_next)
        if (v->seq >= range->low && v->seq <= range->high)
            ok &= copy_version(v, arena, &range->refs[v->seq - range->low]);
    uint64_t seq = chat->first > range->low ? chat->first : range->low;
    for (; seq < chat->next && seq <= range->high; seq++)
        ok &= copy_version(chat->slots[seq & chat->mask], arena, &range->refs[seq - range->low]);
    return ok;
}

static int ask_memory(struct message_store *store, const struct id *id, unsigned limit,
                      struct range *range, struct arena *arena, struct error *err)
{
    struct message_shard *shard = message_shard_of(store, id);
    bool ok = true;
    pthread_mutex_lock(&shard->lock);
    range->dropped_pos = shard->dropped_pos;
    struct message_chat *chat = message_chat_find(shard, id);
    range->from_blocks = range->high;
    if (chat != NULL) {
        message_chat_touch(shard, chat);
        if (chat->next > chat->first) {
            end_at(range, chat->next - 1, limit);
            range->from_blocks = chat->first - 1 < range->high ? chat->first - 1 : range->high;
        }
        if (range->low <= range->high && !range->open)
            ok = copy_memory(chat, range, arena);
    }
    pthread_mutex_unlock(&shard->lock);
    return ok ? 0 : arena_full(err);
}

static int block_last(struct db_tx *tx, uint64_t number, uint64_t *ret_seq, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &last_sql, &rows, err, db_int(message_block_key(number, 0)),
                      db_int(message_block_key(number + 1, 0)));
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    *ret_seq = rc == 1 ? (uint64_t)db_col_int(&rows, 0) : 0;
    db_rows_close(&rows);
    return 0;
}

/* Takes from one block what the range wants and memory has not given in a later version. */
static int take_block(const struct db_rows *rows, uint64_t first, struct range *range,
                      struct buf *scratch, struct arena *arena, struct error *err)
{
    struct message_entry entries[MESSAGE_BLOCK];
    unsigned count;
    int rc = message_block_decode(db_col_blob(rows, 1), scratch, entries, &count, err);
    for (unsigned i = 0; rc == 0 && i < count; i++) {
        uint64_t seq = first + i;
        if (seq < range->low || seq > range->from_blocks || entries[i].pos == 0)
            continue;
        struct message_ref *ref = &range->refs[seq - range->low];
        if (ref->pos >= entries[i].pos)
            continue;
        *ref = (struct message_ref){seq, entries[i].pos, arena_copy(arena, entries[i].json)};
        if (ref->json.ptr == NULL)
            return arena_full(err);
    }
    return rc;
}

static int take_blocks(struct db_tx *tx, uint64_t number, struct range *range, struct arena *arena,
                       struct error *err)
{
    struct buf scratch;
    buf_init(&scratch, 128 << 20);
    struct db_rows rows;
    int rc = db_query(tx, &range_sql, &rows, err,
                      db_int(message_block_key(number, message_block_of(range->low))),
                      db_int(message_block_key(number, message_block_of(range->from_blocks))));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        uint64_t key = (uint64_t)db_col_int(&rows, 0);
        uint64_t block = key & ((UINT64_C(1) << MESSAGE_BLOCK_BITS) - 1);
        rc = take_block(&rows, block * MESSAGE_BLOCK + 1, range, &scratch, arena, err);
        if (rc != 0)
            db_rows_close(&rows);
    }
    buf_done(&scratch);
    return rc;
}

static int check_snapshot(struct db_tx *tx, const struct range *range, struct error *err)
{
    if (db_tx_writes(tx) || range->dropped_pos == 0)
        return 0;
    struct db_rows rows;
    int rc = db_query_n(tx, &folded_sql, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    uint64_t folded = rc == 1 ? (uint64_t)db_col_int(&rows, 0) : 0;
    db_rows_close(&rows);
    if (folded >= range->dropped_pos)
        return 0;
    error_set(err, FAIL_UNAVAILABLE, "snapshot_old", "The messages have moved on; try again.");
    return FAIL_UNAVAILABLE;
}

static int ask_blocks(struct db_tx *tx, const struct id *chat, unsigned limit, struct range *range,
                      struct arena *arena, struct error *err)
{
    uint64_t number, last;
    int rc = check_snapshot(tx, range, err);
    if (rc == 0)
        rc = message_chat_number(tx, chat, &number, err);
    if (rc != 0 || number == 0)
        return rc;
    rc = block_last(tx, number, &last, err);
    if (rc != 0 || last == 0)
        return rc;
    end_at(range, last, limit);
    if (range->from_blocks > last)
        range->from_blocks = last;
    if (range->from_blocks < range->low)
        return 0;
    return take_blocks(tx, number, range, arena, err);
}

/* What was found, in the asked order and without what is not there. */
static unsigned give(const struct range *range, bool ascending, unsigned limit,
                     struct message_ref *ret_refs)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MESSAGE_PAGE_MAX && count < limit; i++) {
        const struct message_ref *ref = &range->refs[ascending ? i : MESSAGE_PAGE_MAX - 1 - i];
        if (ref->pos != 0)
            ret_refs[count++] = *ref;
    }
    return count;
}

static int read_range(struct message_store *store, struct db_tx *tx, const struct id *chat,
                      unsigned limit, struct range *range, struct arena *arena, struct error *err)
{
    int rc = ask_memory(store, chat, limit, range, arena, err);
    if (rc != 0 || range->low > range->high)
        return rc;
    if (!range->open && range->from_blocks < range->low)
        return 0;
    /* Without a window in memory the places of old versions were not known before. */
    bool places_unknown = range->open;
    rc = ask_blocks(tx, chat, limit, range, arena, err);
    if (rc == 0 && places_unknown && !range->open) {
        struct message_shard *shard = message_shard_of(store, chat);
        pthread_mutex_lock(&shard->lock);
        struct message_chat *memory = message_chat_find(shard, chat);
        bool ok = memory == NULL || copy_memory(memory, range, arena);
        pthread_mutex_unlock(&shard->lock);
        rc = ok ? 0 : arena_full(err);
    }
    return rc;
}

int message_store_page(struct message_store *store, struct db_tx *tx, const struct id *chat,
                       uint64_t before, uint64_t after, unsigned limit, struct arena *arena,
                       struct message_ref *ret_refs, unsigned *ret_count, struct error *err)
{
    struct range range = range_of(before, after, limit);
    int rc = read_range(store, tx, chat, limit, &range, arena, err);
    if (rc == 0)
        *ret_count = give(&range, after > 0, limit, ret_refs);
    return rc;
}

/* The writer sees what earlier transactions of the same commit have put. */
static const struct message_version *find_staged(struct message_store *store, const struct id *id,
                                                 uint64_t seq)
{
    const struct message_chat *chat = message_chat_find(message_shard_of(store, id), id);
    const struct message_version *found = NULL;
    if (chat != NULL)
        for (const struct message_version *v = chat->staged_first; v != NULL; v = v->old_next)
            if (v->seq == seq)
                found = v;
    return found;
}

int message_store_get(struct message_store *store, struct db_tx *tx, const struct id *chat,
                      uint64_t seq, struct arena *arena, struct message_ref *ret_ref,
                      struct error *err)
{
    struct range range = {.low = seq, .high = seq};
    const struct message_version *staged = db_tx_writes(tx) ? find_staged(store, chat, seq) : NULL;
    if (staged != NULL)
        return copy_version(staged, arena, ret_ref) ? 0 : arena_full(err);
    int rc = seq > 0 ? read_range(store, tx, chat, 1, &range, arena, err) : 0;
    if (rc != 0)
        return rc;
    if (range.refs[0].pos == 0)
        return error_set(err, FAIL_NOT_FOUND, "message_not_found",
                         "There is no message with this number in the chat.");
    *ret_ref = range.refs[0];
    return 0;
}

bool message_store_recent(struct message_store *store, const struct id *id, uint64_t last_seq,
                          uint64_t before, uint64_t after, unsigned limit, struct arena *arena,
                          struct message_ref *ret_refs, unsigned *ret_count)
{
    struct range range = range_of(before, after, limit);
    end_at(&range, last_seq, limit);
    *ret_count = 0;
    bool whole = range.low > range.high;
    struct message_shard *shard = message_shard_of(store, id);
    pthread_mutex_lock(&shard->lock);
    struct message_chat *chat = message_chat_find(shard, id);
    if (!whole && chat != NULL && chat->first <= range.low && chat->next > range.high) {
        message_chat_touch(shard, chat);
        whole = copy_memory(chat, &range, arena);
    }
    pthread_mutex_unlock(&shard->lock);
    atomic_fetch_add_explicit(whole ? &store->hits : &store->misses, 1, memory_order_relaxed);
    if (whole)
        *ret_count = give(&range, after > 0, limit, ret_refs);
    return whole;
}

int message_store_last_seq(struct message_store *store, struct db_tx *tx, const struct id *chat,
                           uint64_t *ret_seq, struct error *err)
{
    int64_t at_ms;
    uint64_t seq = 0, number, last = 0;
    if (message_store_newest(store, chat, &seq, &at_ms)) {
        *ret_seq = seq;
        return 0;
    }
    int rc = message_chat_number(tx, chat, &number, err);
    if (rc == 0 && number != 0)
        rc = block_last(tx, number, &last, err);
    if (rc == 0)
        *ret_seq = last;
    return rc;
}

bool message_store_newest(struct message_store *store, const struct id *id, uint64_t *ret_seq,
                          int64_t *ret_at_ms)
{
    struct message_shard *shard = message_shard_of(store, id);
    pthread_mutex_lock(&shard->lock);
    const struct message_chat *chat = message_chat_find(shard, id);
    bool found = chat != NULL && chat->next > chat->first;
    if (found) {
        *ret_seq = chat->next - 1;
        *ret_at_ms = chat->slots[*ret_seq & chat->mask]->at_ms;
    }
    pthread_mutex_unlock(&shard->lock);
    return found;
}

void message_store_each_recent(struct message_store *store, const struct id *id,
                               void (*fn)(void *arg, const struct id *sender, uint64_t seq),
                               void *arg)
{
    struct message_shard *shard = message_shard_of(store, id);
    pthread_mutex_lock(&shard->lock);
    const struct message_chat *chat = message_chat_find(shard, id);
    for (uint64_t seq = chat != NULL ? chat->first : 0; chat != NULL && seq < chat->next; seq++)
        fn(arg, &chat->slots[seq & chat->mask]->sender, seq);
    pthread_mutex_unlock(&shard->lock);
}
