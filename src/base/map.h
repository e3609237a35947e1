/* Intrusive hash map: nodes live in the caller's structs, the map owns only its slot array.
 *
 * Open addressing with linear probing, power-of-two slots, doubles at load 5/8. A slot holds the
 * hash beside the node, so that looking for what is not there reads one or two cache lines of slots
 * and no node. Hash and equality are the caller's, so one map serves keys of any shape;
 * neighbouring hashes share a slot's neighbourhood, so they have to be well mixed (base/hash.h).
 * Not thread-safe. No limit of its own: whoever inserts bounds it.
 *
 *     struct map_node *n = map_find(&m, hash_id(&id), chat_has_id, &id);
 *     struct chat *c = n ? CONTAINER_OF(n, struct chat, node) : NULL;
 */
#ifndef PARLEY_BASE_MAP_H
#define PARLEY_BASE_MAP_H

#include "base/base.h"

struct map_node {
    uint64_t hash;
};

struct map_slot {
    uint64_t hash;
    struct map_node *node; /* NULL: empty */
};

struct map {
    struct map_slot *slots; /* NULL while empty */
    size_t mask;            /* of the hash: where the search for a slot begins */
    size_t overflow;        /* slots behind the last of those */
    size_t count;
};

typedef bool map_eq_fn(const struct map_node *node, const void *key);

void map_init(struct map *m);
void map_done(struct map *m); /* frees the slots; nodes are the caller's */
struct map_node *map_find(const struct map *m, uint64_t hash, map_eq_fn *eq, const void *key);
void map_insert(struct map *m, struct map_node *node, uint64_t hash); /* key must be absent */
void map_remove(struct map *m, struct map_node *node);                /* must be present */
/* Walk: for (n = map_first(m); n; n = next) { next = map_next(m, n); ... n may be removed ... } */
struct map_node *map_first(const struct map *m);
struct map_node *map_next(const struct map *m, const struct map_node *node);

/* Worth it some hundred nanoseconds before map_find, map_insert or map_remove. */
static inline void map_prefetch(const struct map *m, uint64_t hash)
{
    if (m->slots != NULL)
        __builtin_prefetch(&m->slots[hash & m->mask]);
}
/* The node that is most likely meant, when the slot is in the cache already. */
static inline void map_prefetch_node(const struct map *m, uint64_t hash)
{
    if (m->slots != NULL)
        __builtin_prefetch(m->slots[hash & m->mask].node);
}

#endif
