/* The messages in memory: windows, pins, and who has to leave.
 *
 * put makes a version and pins it; the commit hook shows it to readers; when the fold has passed it
 * by one whole round it is unpinned and may go: out of the window once there are `keep` newer ones,
 * or with its whole chat when the shard is over its bytes and the chat was not used for longest.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/message_store_internal.h"

enum { SLOTS_FIRST = 8, EVICT_LOOKS = 8, PINS_FIRST = 64 };
#if defined(__SANITIZE_ADDRESS__)
static const unsigned idle_max = 0; /* a use after the end is found out */
#else
static const unsigned idle_max = 4096;
#endif

static size_t version_bytes(const struct message_version *v)
{
    return sizeof *v + v->json.len + 32;
}
static size_t slots_bytes(const struct message_chat *chat)
{
    return chat->slots != NULL ? (chat->mask + 1) * sizeof *chat->slots : 0;
}

struct message_shard *message_shard_of(struct message_store *store, const struct id *chat)
{
    return &store->shards[hash_id(chat) >> 32 & (MESSAGE_SHARDS - 1)];
}

static bool chat_is(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, struct message_chat, node)->id, key);
}

struct message_chat *message_chat_find(struct message_shard *shard, const struct id *chat)
{
    struct map_node *node = map_find(&shard->chats, hash_id(chat), chat_is, chat);
    return node != NULL ? CONTAINER_OF(node, struct message_chat, node) : NULL;
}

void message_chat_touch(struct message_shard *shard, struct message_chat *chat)
{
    list_remove(&chat->lru);
    list_add_head(&shard->lru, &chat->lru);
}

/* --- the JSON -------------------------------------------------------------------------------- */
/* Emitted in this commit it lies in the log's memory already, and stays there. */
static void borrow_json(struct message_version *v, struct slice json)
{
    struct event_memory *memory;
    struct slice data = event_emitted(v->store->log, v->pos, &memory);
    if (data.ptr == NULL || !slice_eq(data, json)) {
        v->json = slice_of(xmalloc(json.len), json.len);
        memcpy((char *)(uintptr_t)v->json.ptr, json.ptr, json.len);
        return;
    }
    event_memory_ref(memory);
    v->json = data;
    v->memory = memory;
}

static void drop_json(struct message_version *v)
{
    if (v->memory != NULL)
        event_memory_unref(v->memory);
    else
        free((char *)(uintptr_t)v->json.ptr);
}

/* It will stay when the log has let go of the events around it. Under the lock. */
static void own_json(struct message_version *v)
{
    if (v->memory == NULL)
        return;
    char *own = xmalloc(v->json.len);
    memcpy(own, v->json.ptr, v->json.len);
    event_memory_unref(v->memory);
    v->memory = NULL;
    v->json.ptr = own;
}

static struct message_version *take_version(struct message_store *store)
{
    struct message_version *v = store->idle;
    if (v == NULL)
        return xmalloc(sizeof *v);
    store->idle = v->old_next;
    store->idle_count--;
    __builtin_prefetch(store->idle, 1); /* for the next call */
    return v;
}

static void free_version(struct message_version *v)
{
    struct message_store *store = v->store;
    drop_json(v);
    if (store->idle_count >= idle_max) {
        free(v);
        return;
    }
    v->old_next = store->idle;
    store->idle = v;
    store->idle_count++;
}

/* --- leaving memory -------------------------------------------------------------------------- */
/* Not shown any more. Freed now or when it is unpinned. Under the lock. */
static void hide(struct message_shard *shard, struct message_version *v)
{
    v->shown = false;
    shard->bytes -= version_bytes(v);
    if (v->pinned)
        return;
    if (v->pos > shard->dropped_pos)
        shard->dropped_pos = v->pos;
    free_version(v);
}

static void free_chat(struct message_shard *shard, struct message_chat *chat)
{
    for (; chat->first < chat->next; chat->first++)
        hide(shard, chat->slots[chat->first & chat->mask]);
    while (chat->old != NULL) {
        struct message_version *v = chat->old;
        chat->old = v->old_next;
        hide(shard, v);
    }
    shard->bytes -= sizeof *chat + slots_bytes(chat);
    list_remove(&chat->lru);
    map_remove(&shard->chats, &chat->node);
    free(chat->slots);
    free(chat);
}

static void evict(struct message_store *store, struct message_shard *shard)
{
    for (int looks = 0; shard->bytes > store->shard_bytes_max && looks < EVICT_LOOKS; looks++) {
        struct message_chat *chat = CONTAINER_OF(shard->lru.prev, struct message_chat, lru);
        if (list_empty(&shard->lru))
            return;
        if (chat->pins == 0)
            free_chat(shard, chat);
        else
            message_chat_touch(shard, chat);
    }
}

/* The window keeps `keep` messages and all that are pinned. */
static void trim(struct message_store *store, struct message_shard *shard,
                 struct message_chat *chat)
{
    while (chat->next - chat->first > store->keep && !chat->slots[chat->first & chat->mask]->pinned)
        hide(shard, chat->slots[chat->first++ & chat->mask]);
}

/* --- coming in ------------------------------------------------------------------------------- */
struct message_chat *message_chat_make(struct message_store *store, const struct id *id)
{
    struct message_shard *shard = message_shard_of(store, id);
    struct message_chat *chat = message_chat_find(shard, id);
    if (chat != NULL)
        return chat;
    chat = xcalloc(1, sizeof *chat);
    chat->id = *id;
    chat->fold_end = &chat->fold_first;
    chat->staged_end = &chat->staged_first;
    list_init(&chat->lru);
    pthread_mutex_lock(&shard->lock);
    map_insert(&shard->chats, &chat->node, hash_id(id));
    list_add_head(&shard->lru, &chat->lru);
    shard->bytes += sizeof *chat;
    pthread_mutex_unlock(&shard->lock);
    return chat;
}

struct message_version *message_version_new(struct message_store *store,
                                            const struct message_key *key, uint64_t pos)
{
    struct message_version *v = take_version(store);
    *v = (struct message_version){.store = store,
                                  .sender = key->sender,
                                  .seq = key->seq,
                                  .pos = pos,
                                  .at_ms = key->at_ms,
                                  .fresh = key->at_ms != 0};
    borrow_json(v, key->json);
    v->chat = message_chat_make(store, &key->chat);
    return v;
}

static void grow_pins(struct message_pins *pins)
{
    size_t slots = pins->slots != NULL ? (pins->mask + 1) * 2 : PINS_FIRST;
    struct message_version **fresh = xcalloc(slots, sizeof *fresh);
    for (uint64_t number = pins->first; number < pins->end; number++)
        fresh[number & (slots - 1)] = pins->slots[number & pins->mask];
    free(pins->slots);
    pins->slots = fresh;
    pins->mask = slots - 1;
}

void message_version_pin(struct message_version *v, const struct message_key *key)
{
    struct message_store *store = v->store;
    struct message_pins *pins = &store->pinned;
    if (pins->slots == NULL || pins->end - pins->first > pins->mask)
        grow_pins(pins);
    v->pinned = true;
    v->chat->pins++;
    v->number = pins->end++;
    pins->slots[v->number & pins->mask] = v;
    atomic_fetch_add_explicit(&store->pinned_count, 1, memory_order_relaxed);
    if (key->client_id.ptr == NULL)
        return;
    v->keyed = true;
    map_insert(&store->keys, &v->key_node, message_key_hash(store, key));
}

void message_version_stage(struct message_version *v)
{
    *v->chat->staged_end = v;
    v->chat->staged_end = &v->old_next;
}

/* Transactions end in the order in which they began: it is the first, nearly always. */
void message_version_unstage(struct message_version *v)
{
    struct message_chat *chat = v->chat;
    struct message_version **at = &chat->staged_first;
    while (*at != v)
        at = &(*at)->old_next;
    *at = v->old_next;
    if (chat->staged_end == &v->old_next)
        chat->staged_end = at;
    v->old_next = NULL;
}

static void grow(struct message_shard *shard, struct message_chat *chat)
{
    size_t slots = chat->slots != NULL ? (chat->mask + 1) * 2 : SLOTS_FIRST;
    struct message_version **fresh = xcalloc(slots, sizeof *fresh);
    for (uint64_t seq = chat->first; seq < chat->next; seq++)
        fresh[seq & (slots - 1)] = chat->slots[seq & chat->mask];
    shard->bytes += slots * sizeof *fresh - slots_bytes(chat);
    free(chat->slots);
    chat->slots = fresh;
    chat->mask = slots - 1;
}

static void append(struct message_shard *shard, struct message_chat *chat,
                   struct message_version *v)
{
    if (chat->first == chat->next)
        chat->first = chat->next = v->seq;
    if (chat->slots == NULL || chat->next - chat->first > chat->mask)
        grow(shard, chat);
    chat->slots[chat->next++ & chat->mask] = v;
}

static void add_old(struct message_shard *shard, struct message_chat *chat,
                    struct message_version *v)
{
    struct message_version **at = &chat->old;
    while (*at != NULL && (*at)->seq != v->seq)
        at = &(*at)->old_next;
    struct message_version *older = *at;
    v->old_next = older != NULL ? older->old_next : NULL;
    *at = v;
    if (older != NULL)
        hide(shard, older);
}

/* A gap cannot be: sequences are gapless. If it happens the window starts anew, so that what it
 * says about the numbers it covers stays true. */
static void start_anew(struct message_shard *shard, struct message_chat *chat)
{
    for (; chat->first < chat->next; chat->first++) {
        struct message_version *v = chat->slots[chat->first & chat->mask];
        if (v->pinned)
            add_old(shard, chat, v);
        else
            hide(shard, v);
    }
}

void message_version_show(struct message_version *v)
{
    struct message_store *store = v->store;
    struct message_chat *chat = v->chat;
    struct message_shard *shard = message_shard_of(store, &chat->id);
    pthread_mutex_lock(&shard->lock);
    v->shown = true;
    shard->bytes += version_bytes(v);
    bool first_version = v->at_ms != 0;
    if (chat->first < chat->next && should_not(v->seq > chat->next))
        start_anew(shard, chat);
    if (v->seq >= chat->first && v->seq < chat->next) {
        struct message_version **slot = &chat->slots[v->seq & chat->mask];
        v->at_ms = (*slot)->at_ms;
        hide(shard, *slot);
        *slot = v;
    } else if (first_version && (chat->first == chat->next || v->seq == chat->next)) {
        append(shard, chat, v);
        trim(store, shard, chat);
    } else {
        add_old(shard, chat, v);
    }
    message_chat_touch(shard, chat);
    if (shard->bytes > store->shard_bytes_max)
        evict(store, shard);
    pthread_mutex_unlock(&shard->lock);
}

/* --- unpinning ------------------------------------------------------------------------------- */
static void unpin(struct message_version *v)
{
    struct message_store *store = v->store;
    v->pinned = false;
    v->chat->pins--;
    store->pinned.slots[v->number & store->pinned.mask] = NULL;
    atomic_fetch_sub_explicit(&store->pinned_count, 1, memory_order_relaxed);
    if (v->keyed)
        map_remove(&store->keys, &v->key_node);
    v->keyed = false;
}

void message_version_drop(struct message_version *v)
{
    unpin(v);
    free_version(v);
}

static void remove_old(struct message_shard *shard, struct message_chat *chat,
                       struct message_version *v)
{
    struct message_version **at = &chat->old;
    while (*at != v)
        at = &(*at)->old_next;
    *at = v->old_next;
    hide(shard, v);
}

static void release(struct message_version *v)
{
    struct message_store *store = v->store;
    struct message_chat *chat = v->chat;
    struct message_shard *shard = message_shard_of(store, &chat->id);
    pthread_mutex_lock(&shard->lock);
    unpin(v);
    if (!v->shown) {
        if (v->pos > shard->dropped_pos)
            shard->dropped_pos = v->pos;
        free_version(v);
    } else if (v->seq < chat->first || v->seq >= chat->next) {
        remove_old(shard, chat, v);
    } else {
        uint64_t seq = v->seq;
        trim(store, shard, chat);
        if (seq >= chat->first)
            own_json(v);
    }
    pthread_mutex_unlock(&shard->lock);
}

/* What release will look at of those that come soon. */
static void prefetch_release(const struct message_store *store)
{
    enum { AHEAD = 4 };
    uint64_t first = store->pinned.first;
    const struct message_version *soon = message_pinned(store, first + AHEAD),
                                 *sooner = message_pinned(store, first + AHEAD / 2);
    if (soon != NULL)
        prefetch(soon, sizeof *soon, true);
    if (sooner != NULL)
        map_prefetch(&store->keys, sooner->key_node.hash);
}

void message_release(struct message_store *store, unsigned count)
{
    struct message_pins *pins = &store->pinned;
    for (; count > 0 && pins->first < pins->end; pins->first++) {
        struct message_version *v = message_pinned(store, pins->first);
        if (v == NULL)
            continue;
        if (v->pos > store->release_pos || v->pos >= store->round_first)
            return;
        prefetch_release(store);
        release(v);
        count--;
    }
}

/* --- beginning and end ----------------------------------------------------------------------- */
void message_memory_init(struct message_store *store)
{
    for (size_t i = 0; i < MESSAGE_SHARDS; i++) {
        struct message_shard *shard = &store->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        map_init(&shard->chats);
        list_init(&shard->lru);
    }
    map_init(&store->keys);
}

void message_memory_done(struct message_store *store)
{
    store->release_pos = UINT64_MAX;
    message_release(store, UINT32_MAX);
    for (size_t i = 0; i < MESSAGE_SHARDS; i++) {
        struct message_shard *shard = &store->shards[i];
        while (!list_empty(&shard->lru))
            free_chat(shard, CONTAINER_OF(shard->lru.next, struct message_chat, lru));
        map_done(&shard->chats);
        pthread_mutex_destroy(&shard->lock);
    }
    map_done(&store->keys);
    free(store->pinned.slots);
    while (store->idle != NULL) {
        struct message_version *v = store->idle;
        store->idle = v->old_next;
        free(v);
    }
}
