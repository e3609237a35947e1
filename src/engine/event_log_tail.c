/* The tail: committed events that the stream index does not hold yet, in memory, found by stream.
 *
 * The writer thread alone adds (after each commit) and forgets (after each fold round). Readers
 * take one shard's lock for one lookup at a time, so the writer never waits for long; what keeps
 * their picture whole is the order of things: `folded` is advanced before anything is forgotten,
 * and a reader that finds it changed after its lookups does them again.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "engine/event_log_private.h"

static unsigned shard_of(uint64_t hash)
{
    return (unsigned)(hash >> 56) % LOG_TAIL_SHARDS;
}

static bool has_id(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, struct log_tail_stream, node)->id, key);
}

void log_tail_init(struct log_tail *tail, uint64_t folded)
{
    *tail = (struct log_tail){0};
    pthread_mutex_init(&tail->batches_lock, NULL);
    for (unsigned i = 0; i < LOG_TAIL_SHARDS; i++) {
        pthread_mutex_init(&tail->shards[i].lock, NULL);
        map_init(&tail->shards[i].streams);
    }
    atomic_store(&tail->head, folded);
    atomic_store(&tail->folded, folded);
}

void log_tail_done(struct log_tail *tail)
{
    log_tail_fold(tail, UINT64_MAX);
    for (unsigned i = 0; i < LOG_TAIL_SHARDS; i++) {
        map_done(&tail->shards[i].streams);
        pthread_mutex_destroy(&tail->shards[i].lock);
    }
    pthread_mutex_destroy(&tail->batches_lock);
    free(tail->batches);
}

/* --- adding ---------------------------------------------------------------------------------- */
static struct log_tail_stream *stream_for(struct log_tail *tail, struct map *map, uint64_t hash,
                                          const struct id *id)
{
    struct map_node *node = map_find(map, hash, has_id, id);
    if (node != NULL)
        return CONTAINER_OF(node, struct log_tail_stream, node);
    struct log_tail_stream *stream = xcalloc(1, sizeof *stream);
    stream->id = *id;
    map_insert(map, &stream->node, hash);
    tail->streams++;
    return stream;
}

static struct log_entry log_entry_of(struct event_batch *batch, unsigned i)
{
    return (struct log_entry){batch->events[i].pos, &batch->events[i], batch};
}

static void append(struct log_tail_stream *stream, struct log_entry entry)
{
    if (stream->end == stream->cap) {
        stream->cap = stream->cap != 0 ? stream->cap * 2 : 4;
        stream->entries = xrealloc(stream->entries, stream->cap * sizeof *stream->entries);
    }
    stream->entries[stream->end++] = entry;
}

static void add_event(struct log_tail *tail, struct log_entry entry)
{
    uint64_t hash = hash_id(&entry.event->stream);
    unsigned shard = shard_of(hash);
    pthread_mutex_lock(&tail->shards[shard].lock);
    append(stream_for(tail, &tail->shards[shard].streams, hash, &entry.event->stream), entry);
    pthread_mutex_unlock(&tail->shards[shard].lock);
}

static void keep_batch(struct log_tail *tail, struct event_batch *batch)
{
    if (tail->end == tail->cap && tail->first > tail->cap / 2) {
        memmove(tail->batches, tail->batches + tail->first,
                (tail->end - tail->first) * sizeof *tail->batches);
        tail->end -= tail->first;
        tail->first = 0;
    } else if (tail->end == tail->cap) {
        tail->cap = tail->cap != 0 ? tail->cap * 2 : 64;
        tail->batches = xrealloc(tail->batches, tail->cap * sizeof *tail->batches);
    }
    tail->batches[tail->end++] = batch;
}

void log_tail_add(struct log_tail *tail, struct event_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        add_event(tail, log_entry_of(batch, i));
    pthread_mutex_lock(&tail->batches_lock);
    keep_batch(tail, batch);
    pthread_mutex_unlock(&tail->batches_lock);
    atomic_fetch_add(&tail->events, batch->count);
    atomic_fetch_add(&tail->bytes, batch->bytes + batch->count * sizeof(struct log_entry));
    atomic_store(&tail->head, batch->head); /* last: whoever sees it finds the events */
}

/* --- forgetting ------------------------------------------------------------------------------ */
static void forget_entries(struct log_tail *tail, struct map *map, uint64_t pos)
{
    struct map_node *next;
    for (struct map_node *node = map_first(map); node != NULL; node = next) {
        next = map_next(map, node);
        struct log_tail_stream *stream = CONTAINER_OF(node, struct log_tail_stream, node);
        while (stream->first < stream->end && stream->entries[stream->first].pos <= pos)
            stream->first++;
        unsigned left = stream->end - stream->first;
        if (left == 0) {
            map_remove(map, node);
            free(stream->entries);
            free(stream);
            tail->streams--;
            continue;
        }
        memmove(stream->entries, stream->entries + stream->first, left * sizeof *stream->entries);
        stream->first = 0;
        stream->end = left;
    }
}

static void forget_batches(struct log_tail *tail, uint64_t pos)
{
    pthread_mutex_lock(&tail->batches_lock);
    while (tail->first < tail->end && tail->batches[tail->first]->head <= pos) {
        struct event_batch *batch = tail->batches[tail->first++];
        atomic_fetch_sub(&tail->events, batch->count);
        atomic_fetch_sub(&tail->bytes, batch->bytes + batch->count * sizeof(struct log_entry));
        event_batch_unref(batch);
    }
    if (tail->first == tail->end)
        tail->first = tail->end = 0;
    pthread_mutex_unlock(&tail->batches_lock);
}

void log_tail_fold(struct log_tail *tail, uint64_t pos)
{
    if (pos != UINT64_MAX)
        atomic_store(&tail->folded, pos);
    for (unsigned i = 0; i < LOG_TAIL_SHARDS; i++) {
        pthread_mutex_lock(&tail->shards[i].lock);
        forget_entries(tail, &tail->shards[i].streams, pos);
        pthread_mutex_unlock(&tail->shards[i].lock);
    }
    forget_batches(tail, pos);
}

/* --- picking: the `limit` smallest positions in a heap whose top is the greatest -------------- */
static uint64_t pos_at(const struct log_picks *picks, size_t i)
{
    return picks->entries[i].pos;
}

static void swap(struct log_picks *picks, size_t a, size_t b)
{
    struct log_entry entry = picks->entries[a];
    picks->entries[a] = picks->entries[b];
    picks->entries[b] = entry;
}

static void sift_up(struct log_picks *picks, size_t i)
{
    for (; i > 0 && pos_at(picks, (i - 1) / 2) < pos_at(picks, i); i = (i - 1) / 2)
        swap(picks, i, (i - 1) / 2);
}

static void sift_down(struct log_picks *picks, size_t i, size_t count)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= count)
            return;
        if (child + 1 < count && pos_at(picks, child + 1) > pos_at(picks, child))
            child++;
        if (pos_at(picks, i) >= pos_at(picks, child))
            return;
        swap(picks, i, child);
        i = child;
    }
}

static void add_pick(struct log_picks *picks, struct log_entry entry)
{
    if (picks->count == picks->cap) {
        picks->cap = picks->cap != 0 ? picks->cap * 2 : 64;
        picks->entries = xrealloc(picks->entries, picks->cap * sizeof *picks->entries);
    }
    event_batch_ref(entry.batch);
    picks->entries[picks->count++] = entry;
}

/* False when the entry is too late to be among the first `limit`. */
static bool pick(struct log_picks *picks, struct log_entry entry, size_t limit)
{
    if (picks->count == limit) {
        if (entry.pos >= pos_at(picks, 0))
            return false;
        event_batch_unref(picks->entries[0].batch);
        event_batch_ref(entry.batch);
        picks->entries[0] = entry;
        sift_down(picks, 0, picks->count);
        return true;
    }
    add_pick(picks, entry);
    sift_up(picks, picks->count - 1);
    return true;
}

/* In place: the greatest goes to the end, again and again. */
static void sort(struct log_picks *picks)
{
    for (size_t left = picks->count; left > 1; left--) {
        swap(picks, 0, left - 1);
        sift_down(picks, 0, left - 1);
    }
}

/* Index of the first entry with a position > after. */
static unsigned first_after(const struct log_tail_stream *stream, uint64_t after)
{
    unsigned low = stream->first, high = stream->end;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (stream->entries[middle].pos <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void pick_stream(struct log_tail *tail, const struct id *id, uint64_t after,
                        uint64_t through, size_t limit, struct log_picks *picks)
{
    uint64_t hash = hash_id(id);
    unsigned shard = shard_of(hash);
    pthread_mutex_lock(&tail->shards[shard].lock);
    struct map_node *node = map_find(&tail->shards[shard].streams, hash, has_id, id);
    if (node != NULL) {
        struct log_tail_stream *stream = CONTAINER_OF(node, struct log_tail_stream, node);
        for (unsigned i = first_after(stream, after); i < stream->end; i++)
            if (stream->entries[i].pos > through || !pick(picks, stream->entries[i], limit))
                break;
    }
    pthread_mutex_unlock(&tail->shards[shard].lock);
}

static void forget_picks(struct log_picks *picks)
{
    for (size_t i = 0; i < picks->count; i++)
        event_batch_unref(picks->entries[i].batch);
    picks->count = 0;
}

void log_tail_pick(struct log_tail *tail, const struct id *streams, const uint64_t *since,
                   size_t stream_count, uint64_t after, uint64_t through, size_t limit,
                   struct log_picks *ret_picks, uint64_t *ret_folded)
{
    *ret_picks = (struct log_picks){0};
    uint64_t folded;
    do {
        forget_picks(ret_picks);
        folded = atomic_load(&tail->folded);
        uint64_t from = after > folded ? after : folded;
        for (size_t i = 0; i < stream_count; i++) {
            uint64_t start = since != NULL && since[i] > from ? since[i] - 1 : from;
            pick_stream(tail, &streams[i], start, through, limit, ret_picks);
        }
    } while (atomic_load(&tail->folded) != folded);
    sort(ret_picks);
    *ret_folded = folded;
}

/* --- all streams ----------------------------------------------------------------------------- */
/* Index of the first batch that ends after `after`. */
static size_t batch_after(const struct log_tail *tail, uint64_t after)
{
    size_t low = tail->first, high = tail->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tail->batches[middle]->head <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static unsigned event_after(const struct event_batch *batch, uint64_t after)
{
    unsigned low = 0, high = batch->count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (batch->events[middle].pos <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool log_tail_range(struct log_tail *tail, uint64_t after, uint64_t through, size_t limit,
                    struct log_picks *ret_picks)
{
    *ret_picks = (struct log_picks){0};
    pthread_mutex_lock(&tail->batches_lock);
    for (size_t b = batch_after(tail, after); b < tail->end && ret_picks->count < limit; b++) {
        struct event_batch *batch = tail->batches[b];
        for (unsigned i = event_after(batch, after); i < batch->count; i++) {
            if (ret_picks->count == limit || batch->events[i].pos > through)
                break;
            add_pick(ret_picks, log_entry_of(batch, i));
        }
    }
    /* `folded` is advanced before batches are forgotten: not yet is still whole. */
    bool whole = atomic_load(&tail->folded) <= after;
    pthread_mutex_unlock(&tail->batches_lock);
    if (!whole)
        log_picks_done(ret_picks);
    return whole;
}

void log_picks_done(struct log_picks *picks)
{
    forget_picks(picks);
    free(picks->entries);
    *picks = (struct log_picks){0};
}
