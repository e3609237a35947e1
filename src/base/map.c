/* Slots stand in the order in which their searches begin, and do not wrap around: some more follow
 * the last beginning. So insertions and removals only shift neighbours and never change the order,
 * and a walk meets everybody once whatever is removed meanwhile. */
#include "base/map.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 8, OVERFLOW_FIRST = 8 };

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_done(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

/* One more, which is always empty: it ends every search. */
static size_t slot_count(const struct map *m)
{
    return m->mask + 1 + m->overflow + 1;
}

struct map_node *map_find(const struct map *m, uint64_t hash, map_eq_fn *eq, const void *key)
{
    if (m->slots == NULL)
        return NULL;
    for (const struct map_slot *slot = &m->slots[hash & m->mask]; slot->node != NULL; slot++)
        if (slot->hash == hash && eq(slot->node, key))
            return slot->node;
    return NULL;
}

static size_t home(const struct map *m, const struct map_slot *slot)
{
    return slot->hash & m->mask;
}

/* False when all slots from where it belongs on are taken. */
static bool place(struct map *m, struct map_slot entry)
{
    struct map_slot *slot = &m->slots[home(m, &entry)], *empty;
    while (slot->node != NULL && home(m, slot) <= home(m, &entry))
        slot++;
    for (empty = slot; empty->node != NULL; empty++)
        ;
    if (empty == &m->slots[slot_count(m) - 1])
        return false;
    memmove(slot + 1, slot, (size_t)(empty - slot) * sizeof *slot);
    *slot = entry;
    return true;
}

static bool move_all(const struct map *from, struct map *to)
{
    size_t slots = from->slots != NULL ? slot_count(from) : 0;
    for (size_t i = 0; i < slots; i++)
        if (from->slots[i].node != NULL && !place(to, from->slots[i]))
            return false;
    return true;
}

/* Hashes that crowd together get more room behind the end, not ever more slots: a map is never
 * larger than 16 times what is in it, whatever its hashes are. */
static void grow(struct map *m)
{
    bool crowded = m->slots != NULL && m->count < (m->mask + 1) / 8;
    struct map fresh = {.mask = m->mask, .overflow = m->overflow, .count = m->count};
    if (m->slots == NULL)
        fresh.mask = SLOTS_FIRST - 1, fresh.overflow = OVERFLOW_FIRST;
    else if (!crowded)
        fresh.mask = m->mask * 2 + 1;
    for (bool moved = false; !moved; moved = move_all(m, &fresh)) {
        free(fresh.slots);
        if (crowded || fresh.slots != NULL)
            fresh.overflow *= 2;
        fresh.slots = xcalloc(slot_count(&fresh), sizeof *fresh.slots);
    }
    free(m->slots);
    *m = fresh;
}

void map_insert(struct map *m, struct map_node *node, uint64_t hash)
{
    if (m->slots == NULL || m->count >= (m->mask + 1) / 8 * 5)
        grow(m);
    node->hash = hash;
    while (!place(m, (struct map_slot){hash, node}))
        grow(m);
    m->count++;
}

static size_t slot_of(const struct map *m, const struct map_node *node)
{
    size_t at = node->hash & m->mask;
    while (m->slots[at].node != node) {
        panic_if(m->slots[at].node == NULL, "a node that is not in its map");
        at++;
    }
    return at;
}

void map_remove(struct map *m, struct map_node *node)
{
    struct map_slot *slot = &m->slots[slot_of(m, node)], *end = slot + 1;
    while (end->node != NULL && home(m, end) < (size_t)(end - m->slots))
        end++;
    memmove(slot, slot + 1, (size_t)(end - slot - 1) * sizeof *slot);
    end[-1] = (struct map_slot){0};
    m->count--;
}

static struct map_node *first_from(const struct map *m, size_t at)
{
    for (size_t slots = slot_count(m); at < slots; at++)
        if (m->slots[at].node != NULL)
            return m->slots[at].node;
    return NULL;
}

struct map_node *map_first(const struct map *m)
{
    return m->slots != NULL ? first_from(m, 0) : NULL;
}

struct map_node *map_next(const struct map *m, const struct map_node *node)
{
    return first_from(m, slot_of(m, node) + 1);
}
