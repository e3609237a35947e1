#include "kit/token_block.h"

#include <stdlib.h>

#include "base/hash.h"

struct entry {
    struct map_node node;
    struct list age;
    struct map *map; /* the one it stands in */
    struct id id;
    int64_t before_ms; /* users: tokens issued earlier */
    int64_t drop_ms;
};

void token_block_init(struct token_block *block, int64_t accepted_ms)
{
    *block = (struct token_block){
        .keep_ms = accepted_ms > TOKEN_BLOCK_KEEP_MS ? accepted_ms : TOKEN_BLOCK_KEEP_MS};
    pthread_mutex_init(&block->lock, NULL);
    map_init(&block->sessions);
    map_init(&block->users);
    list_init(&block->oldest_first);
}

static void drop(struct entry *entry)
{
    map_remove(entry->map, &entry->node);
    list_remove(&entry->age);
    free(entry);
}

void token_block_done(struct token_block *block)
{
    while (!list_empty(&block->oldest_first))
        drop(CONTAINER_OF(block->oldest_first.next, struct entry, age));
    map_done(&block->sessions);
    map_done(&block->users);
    pthread_mutex_destroy(&block->lock);
}

static bool has_id(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, struct entry, node)->id, key);
}

static struct entry *find(const struct map *map, const struct id *id)
{
    struct map_node *node = map_find(map, hash_id(id), has_id, id);
    return node != NULL ? CONTAINER_OF(node, struct entry, node) : NULL;
}

static void forget_expired(struct token_block *block, int64_t now_ms)
{
    while (!list_empty(&block->oldest_first)) {
        struct entry *entry = CONTAINER_OF(block->oldest_first.next, struct entry, age);
        if (entry->drop_ms > now_ms)
            return;
        drop(entry);
    }
}

static void add(struct token_block *block, struct map *map, const struct id *id, int64_t before_ms,
                int64_t now_ms)
{
    pthread_mutex_lock(&block->lock);
    forget_expired(block, now_ms);
    struct entry *entry = find(map, id);
    if (entry == NULL) {
        entry = xcalloc(1, sizeof *entry);
        entry->map = map;
        entry->id = *id;
        list_init(&entry->age);
        map_insert(map, &entry->node, hash_id(id));
    }
    if (before_ms > entry->before_ms)
        entry->before_ms = before_ms;
    entry->drop_ms = now_ms + block->keep_ms;
    list_remove(&entry->age);
    list_add_tail(&block->oldest_first, &entry->age);
    /* After the entry stands: whoever sees the new revision finds it. */
    atomic_fetch_add_explicit(&block->revision, 1, memory_order_release);
    pthread_mutex_unlock(&block->lock);
}

void token_block_session(struct token_block *block, const struct id *session, int64_t now_ms)
{
    add(block, &block->sessions, session, 0, now_ms);
}

void token_block_user(struct token_block *block, const struct id *user, int64_t before_ms,
                      int64_t now_ms)
{
    add(block, &block->users, user, before_ms, now_ms);
}

bool token_block_has(struct token_block *block, const struct principal *principal)
{
    pthread_mutex_lock(&block->lock);
    struct entry *user = find(&block->users, &principal->user);
    bool blocked = find(&block->sessions, &principal->session) != NULL ||
                   (user != NULL && principal->issued_ms < user->before_ms);
    pthread_mutex_unlock(&block->lock);
    return blocked;
}
