/* 32-bit names for objects: half the size of a pointer, and stable while the object lives. Free
 * cells are chained through the cells themselves (odd values: the next free index). */
#ifndef PARLEY_REALTIME_HANDLE_TABLE_H
#define PARLEY_REALTIME_HANDLE_TABLE_H

#include "base/base.h"

struct handle_table {
    uintptr_t *cells;
    uint32_t cap;
    uint32_t first_free;    /* index + 1; 0: none */
    uint32_t top;           /* cells ever used */
    _Atomic uint32_t count; /* in use; read by any thread */
};

uint32_t handle_add(struct handle_table *table, void *object);
void handle_remove(struct handle_table *table, uint32_t handle);
void handle_table_done(struct handle_table *table);

static inline void *handle_get(const struct handle_table *table, uint32_t handle)
{
    return (void *)table->cells[handle];
}

/* For walks over 0..top-1: NULL for a free cell. */
static inline void *handle_peek(const struct handle_table *table, uint32_t handle)
{
    uintptr_t cell = table->cells[handle];
    return (cell & 1) != 0 ? NULL : (void *)cell;
}

#endif
