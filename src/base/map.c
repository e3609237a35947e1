#include "base/map.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 8 };

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_done(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

struct map_node *map_find(const struct map *m, uint64_t hash, map_eq_fn *eq, const void *key)
{
    if (m->slots == NULL)
        return NULL;
    for (struct map_node *n = m->slots[hash & m->mask]; n != NULL; n = n->next)
        if (n->hash == hash && eq(n, key))
            return n;
    return NULL;
}

static void grow(struct map *m)
{
    size_t slots = m->slots != NULL ? (m->mask + 1) * 2 : SLOTS_FIRST;
    struct map_node **fresh = xcalloc(slots, sizeof *fresh);
    for (size_t i = 0; m->slots != NULL && i <= m->mask; i++) {
        struct map_node *next;
        for (struct map_node *n = m->slots[i]; n != NULL; n = next) {
            next = n->next;
            struct map_node **slot = &fresh[n->hash & (slots - 1)];
            n->next = *slot;
            *slot = n;
        }
    }
    free(m->slots);
    m->slots = fresh;
    m->mask = slots - 1;
}

void map_insert(struct map *m, struct map_node *node, uint64_t hash)
{
    if (m->slots == NULL || m->count > m->mask)
        grow(m);
    node->hash = hash;
    struct map_node **slot = &m->slots[hash & m->mask];
    node->next = *slot;
    *slot = node;
    m->count++;
}

void map_remove(struct map *m, struct map_node *node)
{
    struct map_node **at = &m->slots[node->hash & m->mask];
    while (*at != node) {
        panic_if(*at == NULL, "map_remove of a node that is not there");
        at = &(*at)->next;
    }
    *at = node->next;
    m->count--;
}

static struct map_node *first_from(const struct map *m, size_t slot)
{
    for (; slot <= m->mask; slot++)
        if (m->slots[slot] != NULL)
            return m->slots[slot];
    return NULL;
}

struct map_node *map_first(const struct map *m)
{
    return m->slots != NULL ? first_from(m, 0) : NULL;
}

struct map_node *map_next(const struct map *m, const struct map_node *node)
{
    if (node->next != NULL)
        return node->next;
    return first_from(m, (node->hash & m->mask) + 1);
}
