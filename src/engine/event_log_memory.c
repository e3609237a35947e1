/* Where the bytes of events live: pieces that emitted events are laid into one after the other,
 * for good. An event is copied once, when it is emitted; its batch, its row and whoever keeps the
 * data longer (the message store) point to it there. A piece is counted, and shared by the batches
 * that lie in it; the last one to let go, on whatever thread, gives it back to the log for the next
 * events, so that a busy log does not ask the system for the same pages again and again.
 */
#include <stdlib.h>

#include "engine/event_log_private.h"

#if defined(__SANITIZE_ADDRESS__)
static const unsigned kept_max = 0; /* what is used after it was given back is found out */
#else
static const unsigned kept_max = 256;
#endif

enum { PIECE_BYTES = 64 << 10 };

struct event_memory {
    _Atomic unsigned refs;
    struct log_pool *pool;
    struct event_memory *next; /* in the pool */
    size_t size, used;         /* used: the writer thread's */
    _Alignas(16) char bytes[];
};

struct log_pool {
    _Atomic unsigned refs; /* the log and every piece that is not in it */
    pthread_mutex_t lock;
    struct event_memory *first;
    unsigned count;
};

/* --- the pool -------------------------------------------------------------------------------- */
static struct log_pool *pool_new(void)
{
    struct log_pool *pool = xcalloc(1, sizeof *pool);
    atomic_init(&pool->refs, 1);
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static void pool_empty(struct log_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct event_memory *piece = pool->first, *next;
    pool->first = NULL;
    pool->count = 0;
    pthread_mutex_unlock(&pool->lock);
    for (; piece != NULL; piece = next) {
        next = piece->next;
        free(piece);
    }
}

static void pool_unref(struct log_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1)
        return;
    pool_empty(pool);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct event_memory *pool_take(struct log_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct event_memory *piece = pool->first;
    if (piece != NULL) {
        pool->first = piece->next;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return piece;
}

static bool pool_keep(struct log_pool *pool, struct event_memory *piece)
{
    pthread_mutex_lock(&pool->lock);
    bool keep = pool->count < kept_max;
    if (keep) {
        piece->next = pool->first;
        pool->first = piece;
        pool->count++;
    }
    pthread_mutex_unlock(&pool->lock);
    return keep;
}

/* --- pieces ---------------------------------------------------------------------------------- */
static struct event_memory *piece_new(struct log_pool *pool, size_t size)
{
    struct event_memory *piece = size == PIECE_BYTES ? pool_take(pool) : NULL;
    if (piece == NULL)
        piece = xmalloc(sizeof *piece + size);
    piece->pool = pool;
    piece->size = size;
    piece->used = 0;
    atomic_init(&piece->refs, 1);
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return piece;
}

void event_memory_ref(struct event_memory *piece)
{
    atomic_fetch_add_explicit(&piece->refs, 1, memory_order_relaxed);
}

void event_memory_unref(struct event_memory *piece)
{
    if (atomic_fetch_sub_explicit(&piece->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct log_pool *pool = piece->pool;
    if (piece->size != PIECE_BYTES || !pool_keep(pool, piece))
        free(piece);
    pool_unref(pool);
}

/* --- the commit that is being collected ------------------------------------------------------- */
void log_memory_init(struct log_memory *memory)
{
    *memory = (struct log_memory){.pool = pool_new()};
}

void log_memory_done(struct log_memory *memory)
{
    log_memory_drop(memory);
    if (memory->current != NULL)
        event_memory_unref(memory->current);
    pool_unref(memory->pool);
    free(memory->pieces);
}

void log_memory_rest(struct log_memory *memory)
{
    pool_empty(memory->pool);
}

static void add_piece(struct log_memory *memory, struct event_memory *piece)
{
    if (memory->count == memory->cap) {
        memory->cap = memory->cap != 0 ? memory->cap * 2 : 16;
        memory->pieces = xrealloc(memory->pieces, memory->cap * sizeof(struct event_memory *));
    }
    memory->pieces[memory->count++] = piece;
}

/* The piece that has `bytes` free; it is among the commit's pieces. */
static struct event_memory *piece_for(struct log_memory *memory, size_t bytes)
{
    if (bytes > PIECE_BYTES) {
        add_piece(memory, piece_new(memory->pool, bytes));
        return memory->pieces[memory->count - 1];
    }
    struct event_memory *current = memory->current;
    if (current == NULL || current->size - current->used < bytes) {
        if (current != NULL)
            event_memory_unref(current);
        memory->current = current = piece_new(memory->pool, PIECE_BYTES);
        memory->current_held = false;
    }
    if (!memory->current_held) {
        event_memory_ref(current);
        add_piece(memory, current);
        memory->current_held = true;
    }
    return current;
}

char *log_memory_take(struct log_memory *memory, size_t bytes, struct event_memory **ret_piece)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > LOG_COMMIT_BYTES_MAX - memory->taken)
        return NULL;
    struct event_memory *piece = piece_for(memory, bytes);
    char *at = piece->bytes + piece->used;
    piece->used += bytes;
    memory->taken += bytes;
    *ret_piece = piece;
    return at;
}

struct log_memory_mark log_memory_mark(const struct log_memory *memory)
{
    const struct event_memory *current = memory->current;
    return (struct log_memory_mark){current, current != NULL ? current->used : 0, memory->taken};
}

/* What was laid into other pieces meanwhile stays unused until they are given back. */
void log_memory_undo(struct log_memory *memory, const struct log_memory_mark *mark)
{
    if (memory->current != NULL && memory->current == mark->current)
        memory->current->used = mark->used;
    memory->taken = mark->taken;
}

size_t log_memory_give(struct log_memory *memory, struct event_memory **pieces)
{
    size_t count = memory->count;
    if (count != 0)
        memcpy(pieces, memory->pieces, count * sizeof(struct event_memory *));
    memory->count = memory->taken = 0;
    memory->current_held = false;
    return count;
}

void log_memory_drop(struct log_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        event_memory_unref(memory->pieces[i]);
    memory->count = memory->taken = 0;
    memory->current_held = false;
}
