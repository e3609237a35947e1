#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Chunks double from 4 KiB to 64 KiB; anything larger gets a chunk of its own. */
enum { CHUNK_FIRST = 4096, CHUNK_LARGEST = 65536 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of the whole allocation */
    _Alignas(16) char bytes[];
};

_Static_assert(offsetof(struct arena_chunk, bytes) == ARENA_CHUNK_HEAD, "arena.h says so");

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

static void use_chunk(struct arena *a, struct arena_chunk *chunk)
{
    a->chunk = chunk;
    a->next = chunk->bytes;
    a->end = (char *)chunk + chunk->size;
}

void arena_init_in(struct arena *a, size_t max_bytes, void *memory, size_t size)
{
    struct arena_chunk *chunk = memory;
    chunk->older = NULL;
    chunk->size = size;
    arena_init(a, max_bytes);
    a->lent = chunk;
    use_chunk(a, chunk);
}

void arena_reset(struct arena *a)
{
    if (a->chunk == NULL)
        return;
    while (a->chunk->older != NULL) {
        struct arena_chunk *chunk = a->chunk;
        a->chunk = chunk->older;
        a->used_bytes -= chunk->size;
        free(chunk);
    }
    use_chunk(a, a->chunk);
}

void arena_done(struct arena *a)
{
    while (a->chunk != NULL) {
        struct arena_chunk *older = a->chunk->older;
        if (a->chunk != a->lent)
            free(a->chunk);
        a->chunk = older;
    }
    *a = (struct arena){.max_bytes = a->max_bytes};
}

void *arena_alloc_slow(struct arena *a, size_t size, size_t align)
{
    size_t want = sizeof(struct arena_chunk) + align + CHUNK_FIRST;
    if (a->chunk != NULL)
        want = a->chunk->size * 2 < CHUNK_LARGEST ? a->chunk->size * 2 : CHUNK_LARGEST;
    size_t need;
    if (__builtin_add_overflow(size, sizeof(struct arena_chunk) + align, &need))
        return NULL;
    if (want < need)
        want = need;
    if (want > a->max_bytes - a->used_bytes) {
        want = need;
        if (need > a->max_bytes || a->used_bytes > a->max_bytes - need)
            return NULL;
    }
    struct arena_chunk *chunk = malloc(want);
    if (chunk == NULL)
        return NULL;
    chunk->older = a->chunk;
    chunk->size = want;
    a->used_bytes += want;
    use_chunk(a, chunk);
    char *p = a->next + (-(uintptr_t)a->next & (align - 1));
    a->next = p + size;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return arena_alloc(a, bytes);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *p = s.ptr != NULL ? arena_alloc(a, s.len + 1) : NULL;
    if (p == NULL)
        return (struct slice){0};
    memcpy(p, s.ptr, s.len);
    p[s.len] = 0;
    return slice_of(p, s.len);
}

struct slice arena_copy_lower(struct arena *a, struct slice s)
{
    struct slice copy = arena_copy(a, s);
    char *text = (char *)copy.ptr; /* our own copy */
    for (size_t i = 0; i < copy.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] | 0x20);
    return copy;
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *p = len >= 0 ? arena_alloc(a, (size_t)len + 1) : NULL;
    if (p != NULL)
        vsnprintf(p, (size_t)len + 1, fmt, again);
    va_end(again);
    return p != NULL ? slice_of(p, (size_t)len) : (struct slice){0};
}
