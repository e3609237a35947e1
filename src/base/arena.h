/* Bump allocator with the lifetime of one request (or one transaction, one parse).
 *
 * Everything taken from it is freed at once by arena_reset, which keeps the first chunk, or
 * arena_done. Not for sharing between threads at the same time; handing a whole arena to another
 * thread while the owner is parked is how db_tx works and is fine.
 */
#ifndef PARLEY_BASE_ARENA_H
#define PARLEY_BASE_ARENA_H

#include "base/base.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    char *next, *end;
    size_t used_bytes; /* allocated from the system */
    size_t max_bytes;
    struct arena_chunk *lent; /* by the caller, or NULL */
};

void arena_init(struct arena *a, size_t max_bytes); /* allocates nothing */
/* The first chunk is the caller's memory: at least ARENA_CHUNK_HEAD, aligned to 16, there until
 * arena_done. It does not count towards max_bytes. */
#define ARENA_CHUNK_HEAD 16
void arena_init_in(struct arena *a, size_t max_bytes, void *memory, size_t size);
void arena_reset(struct arena *a);
void arena_done(struct arena *a);

void *arena_alloc_slow(struct arena *a, size_t size, size_t align) MUSTCHECK;

/* Uninitialised, aligned to 16; NULL when the arena's cap would be passed. */
static inline void *MUSTCHECK arena_alloc(struct arena *a, size_t size)
{
    size_t pad = (size_t)(-(uintptr_t)a->next & 15);
    if (LIKELY((size_t)(a->end - a->next) >= pad && (size_t)(a->end - a->next) - pad >= size &&
               a->next != NULL)) {
        char *p = a->next + pad;
        a->next = p + size;
        return p;
    }
    return arena_alloc_slow(a, size, 16);
}

void *arena_zalloc(struct arena *a, size_t size) MUSTCHECK;
/* count * size with overflow checked. */
void *arena_array(struct arena *a, size_t count, size_t size) MUSTCHECK;
/* Copy, with a terminating NUL after it that len does not count. ptr is NULL when full. */
struct slice arena_copy(struct arena *a, struct slice s) MUSTCHECK;
/* The same, with a-z for A-Z: for names, which are ASCII. */
struct slice arena_copy_lower(struct arena *a, struct slice s) MUSTCHECK;
struct slice arena_printf(struct arena *a, const char *fmt, ...) MUSTCHECK PRINTF_LIKE(2, 3);

#endif
