#include "realtime/handle_table.h"

#include <stdlib.h>

uint32_t handle_add(struct handle_table *table, void *object)
{
    uint32_t handle;
    if (table->first_free != 0) {
        handle = table->first_free - 1;
        table->first_free = (uint32_t)(table->cells[handle] >> 1);
    } else {
        if (table->top == table->cap) {
            panic_if(table->cap > UINT32_MAX / 4, "too many handles");
            table->cap = table->cap != 0 ? table->cap + table->cap / 2 : 64;
            table->cells = xrealloc(table->cells, table->cap * sizeof *table->cells);
        }
        handle = table->top++;
    }
    table->cells[handle] = (uintptr_t)object;
    table->count++;
    return handle;
}

void handle_remove(struct handle_table *table, uint32_t handle)
{
    table->cells[handle] = (uintptr_t)table->first_free << 1 | 1;
    table->first_free = handle + 1;
    table->count--;
}

void handle_table_done(struct handle_table *table)
{
    free(table->cells);
    *table = (struct handle_table){0};
}
