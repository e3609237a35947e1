/* The message store's door: opening, putting, and what the log tells it. See message_store.h for
 * the idea, message_store_internal.h for the parts.
 */
#include "engine/message_store.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/message_store_internal.h"

enum { KEEP_DEFAULT = 50, BYTES_DEFAULT = 256 << 20, RELEASE_PER_PUT = 2, RELEASE_PER_FOLD = 512 };

static const struct db_sql state_sql = {
    "SELECT folded, next_chat, run, run_count, hash_key FROM message_state"};

/* --- putting --------------------------------------------------------------------------------- */
static void put_ended(struct db_hook *hook, bool committed)
{
    struct message_version *v = CONTAINER_OF(hook, struct message_version, hook);
    struct message_store *store = v->store;
    message_version_unstage(v);
    if (!committed) {
        message_version_drop(v);
        return;
    }
    message_version_show(v);
    message_release(store, RELEASE_PER_PUT);
}

int message_store_put(struct message_store *store, struct db_tx *tx, const struct message_key *key,
                      uint64_t pos, struct error *err)
{
    if (key->seq == 0 || key->seq > UINT32_MAX || key->json.len > UINT32_MAX)
        return error_set(err, FAIL_TOO_LARGE, "message_out_of_range",
                         "The message's number or size is out of range.");
    struct message_version *v = message_version_new(store, key, pos);
    message_version_pin(v, key);
    message_version_stage(v);
    v->hook.run = put_ended;
    db_on_end(tx, &v->hook);
    return 0;
}

/* --- the log's folder ------------------------------------------------------------------------ */
static void replay(struct event_folder *folder, const struct event *event)
{
    struct message_store *store = CONTAINER_OF(folder, struct message_store, folder);
    struct message_key key = {0};
    if (!store->key_of(event, &key))
        return;
    struct message_version *v = message_version_new(store, &key, event->pos);
    message_version_pin(v, &key);
    message_version_show(v);
}

/* What was folded in the round before this one may go; see the internal header. */
static void folded(struct event_folder *folder, uint64_t pos)
{
    struct message_store *store = CONTAINER_OF(folder, struct message_store, folder);
    store->release_pos = store->folded_pos;
    store->folded_pos = pos;
    message_fold_moved_on(store);
    message_release(store, RELEASE_PER_FOLD);
}

/* --- opening --------------------------------------------------------------------------------- */
int message_state_load(struct message_store *store, struct db_tx *tx, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &state_sql, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    struct slice key = rc == 1 ? db_col_blob(&rows, 4) : (struct slice){0};
    if (key.len != sizeof store->hash_key) {
        db_rows_close(&rows);
        return error_set(err, FAIL_INTERNAL, "damaged_message_state",
                         "The table message_state has no valid row.");
    }
    if (!store->state_stale) /* it never changes, and other threads read it */
        memcpy(store->hash_key, key.ptr, sizeof store->hash_key);
    store->state =
        (struct message_state){(uint64_t)db_col_int(&rows, 0), (uint64_t)db_col_int(&rows, 1),
                               (uint64_t)db_col_int(&rows, 2), (uint64_t)db_col_int(&rows, 3)};
    db_rows_close(&rows);
    store->state_stale = false;
    return 0;
}

static int load(struct db_tx *tx, void *arg, struct error *err)
{
    struct message_store *store = arg;
    int rc = message_state_load(store, tx, err);
    if (rc != 0)
        return rc;
    /* release_pos stays 0: after a crash the log may repeat a round that is in these tables
     * already, and the versions of a round stay pinned as long as it lasts. */
    return message_keys_load(store, tx, err);
}

int message_store_open(const struct message_store_config *config, struct message_store **ret_store,
                       struct error *err)
{
    struct message_store *store = aligned_alloc(64, (sizeof *store + 63) / 64 * 64);
    panic_if(store == NULL, "no memory for the message store");
    *store = (struct message_store){
        .log = config->log,
        .db = event_log_db(config->log),
        .key_of = config->key_of,
        .is_from = config->is_from,
        .round_first = UINT64_MAX,
        .run_ids = config->run_ids != 0 ? config->run_ids : MESSAGE_KEY_RUN,
        .keep = config->keep != 0 ? config->keep : KEEP_DEFAULT,
        .shard_bytes_max =
            (config->bytes_max != 0 ? config->bytes_max : BYTES_DEFAULT) / MESSAGE_SHARDS,
        .folder = {.name = "messages",
                   .fold = message_fold,
                   .reset = message_fold_reset,
                   .replay = replay,
                   .folded = folded},
    };
    message_memory_init(store);
    int rc = db_read(store->db, load, store, err);
    if (rc != 0) {
        message_store_close(store);
        return rc;
    }
    event_log_add_folder(config->log, &store->folder);
    *ret_store = store;
    return 0;
}

void message_store_close(struct message_store *store)
{
    message_fold_done(store);
    message_memory_done(store);
    message_filter_done(&store->filter);
    free(store);
}

void message_store_stats(struct message_store *store, struct message_store_stats *ret_stats)
{
    *ret_stats = (struct message_store_stats){
        .hits = atomic_load_explicit(&store->hits, memory_order_relaxed),
        .misses = atomic_load_explicit(&store->misses, memory_order_relaxed),
        .filter_checks = atomic_load_explicit(&store->filter_checks, memory_order_relaxed),
        .filter_passes = atomic_load_explicit(&store->filter_passes, memory_order_relaxed),
        .unfolded = atomic_load_explicit(&store->pinned_count, memory_order_relaxed),
    };
    for (size_t i = 0; i < MESSAGE_SHARDS; i++) {
        struct message_shard *shard = &store->shards[i];
        pthread_mutex_lock(&shard->lock);
        ret_stats->bytes += shard->bytes;
        pthread_mutex_unlock(&shard->lock);
    }
}
