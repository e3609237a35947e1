/* Client ids: has this sender sent this to this chat before? Exact for all history, and for a new
 * id (nearly always) answered from memory.
 *
 * Exact set: the ids of versions that are still pinned, in a map. Beyond it, on disk: runs of
 * MESSAGE_KEY_RUN ids, each spread by hash over MESSAGE_KEY_BUCKETS rows. A run is small enough
 * that a fold round finds many new ids for each row it rewrites; one big table ordered by hash
 * would dirty a page per message. In front of the runs stand filters (message_store_filter.c), with
 * one false alarm in 1,000 for each generation of runs. That holds only while no run takes more
 * than its share: with twice as many ids it is one in 40, and each costs a look at 16 rows. A
 * generation is saved whenever SAVED_RUNS more are full: 2 MiB at once; at start the rows of the
 * runs since then are read again. What the filter lets through is compared with the message itself.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/message_store_internal.h"

enum { SAVED_RUNS = 4 };
_Static_assert(MESSAGE_FILTER_RUNS % SAVED_RUNS == 0, "a generation ends with being saved");

static const struct db_sql bucket_sql = {"SELECT data FROM message_key WHERE bucket = ?1"};
/* A row for each of MESSAGE_FILTER_RUNS runs, MESSAGE_KEY_BUCKETS apart. */
static const struct db_sql generation_sql = {
    "SELECT data FROM message_key WHERE bucket IN"
    " (?1, ?1 + 512, ?1 + 1024, ?1 + 1536, ?1 + 2048, ?1 + 2560, ?1 + 3072, ?1 + 3584, ?1 + 4096,"
    " ?1 + 4608, ?1 + 5120, ?1 + 5632, ?1 + 6144, ?1 + 6656, ?1 + 7168, ?1 + 7680)"};
_Static_assert(MESSAGE_FILTER_RUNS == 16 && MESSAGE_KEY_BUCKETS == 512, "generation_sql");
static const struct db_sql put_bucket_sql = {
    "INSERT INTO message_key (bucket, data) VALUES (?1, ?2)"
    " ON CONFLICT (bucket) DO UPDATE SET data = excluded.data"};
static const struct db_sql run_sql = {
    "SELECT data FROM message_key WHERE bucket >= ?1 AND bucket < ?2"};
static const struct db_sql chat_sql = {"SELECT chat FROM message_chat WHERE number = ?1"};

void message_store_hash(const struct message_store *store, struct message_key *key)
{
    char bytes[32 + 256];
    memcpy(bytes, key->chat.bytes, 16);
    memcpy(bytes + 16, key->sender.bytes, 16);
    /* The text itself is compared later. */
    size_t len = key->client_id.len < 256 ? key->client_id.len : 256;
    memcpy(bytes + 32, key->client_id.ptr, len);
    key->client_hash = siphash13(store->hash_key, bytes, 32 + len);
}

uint64_t message_key_hash(const struct message_store *store, const struct message_key *key)
{
    if (key->client_hash != 0)
        return key->client_hash;
    struct message_key own = *key;
    message_store_hash(store, &own);
    return own.client_hash;
}

/* --- rows ------------------------------------------------------------------------------------ */
static bool has_item(struct slice bucket, const struct message_key_item *item)
{
    for (size_t at = 0; at + MESSAGE_KEY_BYTES <= bucket.len; at += MESSAGE_KEY_BYTES)
        if (memcmp(bucket.ptr + at, item, MESSAGE_KEY_BYTES) == 0)
            return true;
    return false;
}

static int64_t bucket_row(uint64_t run, unsigned bucket)
{
    return (int64_t)(run * MESSAGE_KEY_BUCKETS + bucket);
}

static int read_bucket(struct db_tx *tx, int64_t row, struct buf *out, struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &bucket_sql, &rows, err, db_int(row));
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc == 1)
        buf_slice(out, db_col_blob(&rows, 0));
    if (rc >= 0)
        db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

int message_keys_rows(struct db_tx *tx, unsigned generation, unsigned bucket,
                      struct db_rows *ret_rows, struct error *err)
{
    uint64_t first = (uint64_t)generation * MESSAGE_FILTER_RUNS;
    return db_query(tx, &generation_sql, ret_rows, err, db_int(bucket_row(first, bucket)));
}

int message_keys_append(struct message_store *store, struct db_tx *tx,
                        const struct message_key_item *items, size_t count, struct error *err)
{
    struct message_state *state = &store->state;
    struct message_filter *filter = &store->filter;
    unsigned generation = (unsigned)(state->run / MESSAGE_FILTER_RUNS);
    int64_t row = bucket_row(state->run, message_key_bucket(items[0].hash));
    struct buf bucket;
    buf_init(&bucket, 16 << 20);
    int rc = read_bucket(tx, row, &bucket, err);
    size_t before = bucket.len;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        /* A round that is folded again after a failure finds its own rows. */
        if (!has_item(slice_of(bucket.ptr, before), &items[i]))
            buf_append(&bucket, &items[i], MESSAGE_KEY_BYTES);
    }
    if (rc == 0)
        message_filter_add(filter, generation, items, count);
    if (rc == 0 && bucket.len > before) {
        state->run_count += (bucket.len - before) / MESSAGE_KEY_BYTES;
        rc = db_exec(tx, &put_bucket_sql, err, db_int(row), db_blob(buf_view(&bucket)));
    }
    buf_done(&bucket);
    return rc == 0 ? message_filter_merge(filter, tx, state->run, err) : rc;
}

size_t message_keys_room(const struct message_store *store)
{
    return store->run_ids - store->state.run_count; /* a full one has been turned */
}

int message_keys_turn(struct message_store *store, struct db_tx *tx, struct error *err)
{
    struct message_state *state = &store->state;
    if (state->run_count < store->run_ids)
        return 0;
    unsigned generation = (unsigned)(state->run / MESSAGE_FILTER_RUNS);
    state->run++;
    state->run_count = 0;
    if (state->run % SAVED_RUNS != 0)
        return 0;
    return message_filter_save(&store->filter, tx, generation, err);
}

/* --- looking --------------------------------------------------------------------------------- */
struct client_key {
    struct message_store *store;
    struct db_tx *tx;
    const struct id *chat, *sender;
    struct slice client_id;
    uint64_t hash;
    uint64_t seq; /* found */
};

static bool version_is(const struct map_node *node, const void *arg)
{
    const struct client_key *key = arg;
    const struct message_version *v = CONTAINER_OF(node, struct message_version, key_node);
    return id_eq(&v->chat->id, key->chat) &&
           key->store->is_from(v->json, key->sender, key->client_id);
}

static int chat_has_number(struct client_key *key, uint32_t number, bool *ret_same,
                           struct error *err)
{
    struct db_rows rows;
    int rc = db_query(key->tx, &chat_sql, &rows, err, db_int(number));
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    struct id chat = rc == 1 ? db_col_id(&rows, 0) : (struct id){0};
    *ret_same = id_eq(&chat, key->chat);
    db_rows_close(&rows);
    return 0;
}

/* A record with the right hash: is it really this message? */
static int check_item(struct client_key *key, const struct message_key_item *item,
                      struct error *err)
{
    bool same;
    int rc = chat_has_number(key, item->number, &same, err);
    if (rc != 0 || !same)
        return rc;
    struct arena arena;
    struct message_ref ref;
    arena_init(&arena, 16 << 20);
    rc = message_store_get(key->store, key->tx, key->chat, item->seq, &arena, &ref, err);
    if (rc == 0 && key->store->is_from(ref.json, key->sender, key->client_id))
        key->seq = item->seq;
    if (rc == FAIL_NOT_FOUND) { /* removed since: nobody's id any more */
        error_init(err);
        rc = 0;
    }
    arena_done(&arena);
    return rc;
}

static int look_in_bucket(struct client_key *key, struct slice bucket, struct error *err)
{
    int rc = 0;
    for (size_t at = 0; rc == 0 && key->seq == 0 && at + MESSAGE_KEY_BYTES <= bucket.len;
         at += MESSAGE_KEY_BYTES) {
        struct message_key_item item = message_key_item_at(bucket.ptr + at);
        if (item.hash == key->hash)
            rc = check_item(key, &item, err);
    }
    return rc;
}

/* The rows of all its runs that may hold the id, by one statement: nearly every look here is a
 * false alarm of the filter, and finds nothing. */
static int look_in_generation(struct client_key *key, unsigned generation, struct error *err)
{
    struct db_rows rows;
    int rc = message_keys_rows(key->tx, generation, message_key_bucket(key->hash), &rows, err);
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        rc = look_in_bucket(key, db_col_blob(&rows, 0), err);
        if (rc != 0 || key->seq != 0) {
            db_rows_close(&rows);
            break;
        }
    }
    return rc;
}

/* A snapshot is enough: what is not committed yet is pinned. */
static int look_in_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct client_key *key = arg;
    const struct message_filter *filter = &key->store->filter;
    int rc = 0;
    key->tx = tx;
    for (unsigned i = filter->count; rc == 0 && key->seq == 0 && i-- > 0;)
        if (message_filter_may_hold(filter, i, key->hash))
            rc = look_in_generation(key, i, err);
    return rc;
}

void message_store_ahead(const struct message_store *store, const struct message_key *key)
{
    uint64_t hash = message_key_hash(store, key);
    map_prefetch(&store->keys, hash);
    message_filter_prefetch(&store->filter, hash);
}

int message_store_find_client_id(struct message_store *store, struct db_tx *tx,
                                 const struct message_key *what, uint64_t *ret_seq,
                                 struct error *err)
{
    struct client_key key = {.store = store,
                             .chat = &what->chat,
                             .sender = &what->sender,
                             .client_id = what->client_id,
                             .hash = message_key_hash(store, what)};
    struct message_filter *filter = &store->filter;
    message_filter_prefetch(filter, key.hash);
    struct map_node *node = map_find(&store->keys, key.hash, version_is, &key);
    if (node != NULL) {
        *ret_seq = CONTAINER_OF(node, struct message_version, key_node)->seq;
        return 0;
    }
    bool perhaps = message_filter_perhaps(filter, key.hash);
    atomic_fetch_add_explicit(&store->filter_checks, 1, memory_order_relaxed);
    if (perhaps)
        atomic_fetch_add_explicit(&store->filter_passes, 1, memory_order_relaxed);
    int rc = perhaps ? db_read_inside(tx, look_in_rows, &key, err) : 0;
    if (rc == 0)
        *ret_seq = key.seq;
    return rc;
}

/* --- start ----------------------------------------------------------------------------------- */
/* The open run and the full ones that no saved filter holds. All are of one generation. */
static int load_unsaved_runs(struct message_store *store, struct db_tx *tx, struct error *err)
{
    uint64_t run = store->state.run;
    unsigned generation = (unsigned)(run / MESSAGE_FILTER_RUNS);
    struct db_rows rows;
    int rc = db_query(tx, &run_sql, &rows, err, db_int(bucket_row(run - run % SAVED_RUNS, 0)),
                      db_int(bucket_row(run + 1, 0)));
    while (rc == 0 && (rc = db_next(&rows, err)) == 1) {
        struct slice data = db_col_blob(&rows, 0);
        for (size_t at = 0; at + MESSAGE_KEY_BYTES <= data.len; at += MESSAGE_KEY_BYTES) {
            struct message_key_item item = message_key_item_at(data.ptr + at);
            message_filter_add(&store->filter, generation, &item, 1);
        }
        rc = 0;
    }
    return rc;
}

int message_keys_load(struct message_store *store, struct db_tx *tx, struct error *err)
{
    int rc = message_filter_load(&store->filter, tx, err);
    return rc == 0 ? load_unsaved_runs(store, tx, err) : rc;
}
