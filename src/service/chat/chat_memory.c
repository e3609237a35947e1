#include "service/chat/chat_memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "service/chat/chat_store.h"

enum {
    SHARDS = 64,
    MEMBERS_PER_CHAT = 32, /* on average, at most, over all chats in memory */
    EVICT_LOOKS = 64,
};

struct shard {
    pthread_mutex_t lock;
    struct map entries;
} __attribute__((aligned(64)));

struct chat_memory {
    struct shard shards[SHARDS];
    struct message_store *messages;
    size_t chats_max;
    struct list lru; /* writer: most recently loaded first */
    _Atomic size_t chats, members;
    _Atomic uint64_t hits, misses;
};

/* --- views ----------------------------------------------------------------------------------- */
struct chat_view *chat_view_new(const struct chat_view *from, size_t members)
{
    struct chat_view *view = xmalloc(sizeof *view + members * sizeof *view->members);
    memcpy(view, from, sizeof *view);
    view->refs = 1;
    view->member_count = 0;
    return view;
}

void chat_view_add(struct chat_view *view, const struct chat_member *from)
{
    struct chat_member *to = &view->members[view->member_count++];
    to->user = from->user;
    to->role = from->role;
    to->joined_at = from->joined_at;
    to->since_pos = from->since_pos;
    atomic_init(&to->read_seq, atomic_load_explicit(&from->read_seq, memory_order_relaxed));
    atomic_init(&to->muted_until, atomic_load_explicit(&from->muted_until, memory_order_relaxed));
    atomic_init(&to->archived, atomic_load_explicit(&from->archived, memory_order_relaxed));
}

struct chat_view *chat_view_copy(const struct chat_view *from, size_t more,
                                 const struct id *without)
{
    struct chat_view *view = chat_view_new(from, from->member_count + more);
    for (size_t i = 0; i < from->member_count; i++)
        if (without == NULL || !id_eq(&from->members[i].user, without))
            chat_view_add(view, &from->members[i]);
    return view;
}

static struct chat_view *view_ref(struct chat_view *view)
{
    atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    return view;
}

void chat_view_unref(struct chat_view *view)
{
    if (view != NULL && atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) == 1)
        free(view);
}

struct chat_member *chat_view_member(struct chat_view *view, const struct id *user)
{
    size_t low = 0, high = view->member_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = id_cmp(&view->members[middle].user, user);
        if (order == 0)
            return &view->members[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- entries --------------------------------------------------------------------------------- */
static struct shard *shard_of(struct chat_memory *memory, const struct id *chat)
{
    return &memory->shards[hash_id(chat) >> 32 & (SHARDS - 1)];
}

static bool entry_is(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, struct chat_entry, node)->id, key);
}

static struct chat_entry *find(struct chat_memory *memory, const struct id *chat)
{
    struct map_node *node =
        map_find(&shard_of(memory, chat)->entries, hash_id(chat), entry_is, chat);
    return node != NULL ? CONTAINER_OF(node, struct chat_entry, node) : NULL;
}

static void use_view(struct chat_entry *entry, struct chat_view *view)
{
    struct chat_memory *memory = entry->memory;
    size_t before = entry->view != NULL ? entry->view->member_count : 0;
    atomic_fetch_add_explicit(&memory->members, view->member_count - before, memory_order_relaxed);
    chat_view_unref(entry->view);
    entry->view = view;
}

static void publish(struct chat_entry *entry, struct chat_view *view)
{
    struct shard *shard = shard_of(entry->memory, &entry->id);
    pthread_mutex_lock(&shard->lock);
    struct chat_view *old = entry->published;
    entry->published = view != NULL ? view_ref(view) : NULL;
    pthread_mutex_unlock(&shard->lock);
    chat_view_unref(old);
}

static void forget(struct chat_entry *entry)
{
    struct chat_memory *memory = entry->memory;
    struct shard *shard = shard_of(memory, &entry->id);
    pthread_mutex_lock(&shard->lock);
    map_remove(&shard->entries, &entry->node);
    pthread_mutex_unlock(&shard->lock);
    list_remove(&entry->lru);
    atomic_fetch_sub_explicit(&memory->chats, 1, memory_order_relaxed);
    if (entry->view != NULL)
        atomic_fetch_sub_explicit(&memory->members, entry->view->member_count,
                                  memory_order_relaxed);
    chat_view_unref(entry->view);
    chat_view_unref(entry->published);
    free(entry);
}

/* Second chance: an entry that was used since the last look stays for another round. */
static void evict(struct chat_memory *memory)
{
    for (int looks = 0; looks < EVICT_LOOKS && !list_empty(&memory->lru); looks++) {
        if (memory->chats <= memory->chats_max &&
            memory->members <= memory->chats_max * MEMBERS_PER_CHAT)
            return;
        struct chat_entry *entry = CONTAINER_OF(memory->lru.prev, struct chat_entry, lru);
        if (entry->pending == 0 &&
            !atomic_exchange_explicit(&entry->used, false, memory_order_relaxed))
            forget(entry);
        else {
            list_remove(&entry->lru);
            list_add_head(&memory->lru, &entry->lru);
        }
    }
}

static struct chat_entry *insert(struct chat_memory *memory, const struct id *chat)
{
    evict(memory);
    struct chat_entry *entry = xcalloc(1, sizeof *entry);
    entry->id = *chat;
    entry->memory = memory;
    entry->used = true;
    list_add_head(&memory->lru, &entry->lru);
    atomic_fetch_add_explicit(&memory->chats, 1, memory_order_relaxed);
    struct shard *shard = shard_of(memory, chat);
    pthread_mutex_lock(&shard->lock);
    map_insert(&shard->entries, &entry->node, hash_id(chat));
    pthread_mutex_unlock(&shard->lock);
    return entry;
}

/* --- the writer's side ----------------------------------------------------------------------- */
static void count_own(void *arg, const struct id *sender, uint64_t seq)
{
    struct chat_member *member = chat_view_member(arg, sender);
    if (member != NULL && seq > member->read_seq)
        member->read_seq = seq;
}

/* Own messages count as read; those that the fold has not passed yet are not in the rows. */
static int load_view(struct chat_memory *memory, struct db_tx *tx, const struct id *chat,
                     struct chat_view **ret_view, uint64_t *ret_last, struct error *err)
{
    struct chat_view *view;
    uint64_t last;
    int rc = chat_store_load(tx, chat, &view, err);
    if (rc != 0)
        return rc;
    rc = message_store_last_seq(memory->messages, tx, chat, &last, err);
    if (rc != 0) {
        chat_view_unref(view);
        return rc;
    }
    message_store_each_recent(memory->messages, chat, count_own, view);
    *ret_view = view;
    *ret_last = last;
    return 0;
}

int chat_memory_load(struct chat_memory *memory, struct db_tx *tx, const struct id *chat,
                     struct chat_entry **ret_entry, struct error *err)
{
    struct chat_entry *entry = find(memory, chat);
    if (LIKELY(entry != NULL && !entry->stale)) {
        atomic_store_explicit(&entry->used, true, memory_order_relaxed);
        *ret_entry = entry;
        return 0;
    }
    atomic_fetch_add_explicit(&memory->misses, 1, memory_order_relaxed);
    struct chat_view *view;
    uint64_t last;
    int rc = load_view(memory, tx, chat, &view, &last, err);
    if (rc != 0) {
        if (entry != NULL && entry->pending == 0)
            forget(entry);
        return rc;
    }
    if (entry == NULL)
        entry = insert(memory, chat);
    entry->stale = false;
    entry->last_seq = last;
    use_view(entry, view);
    /* Nothing in this commit has changed it: whoever does loads it first. */
    atomic_store_explicit(&entry->published_seq, last, memory_order_release);
    publish(entry, view);
    *ret_entry = entry;
    return 0;
}

struct chat_entry *chat_memory_create(struct chat_memory *memory, struct chat_view *view)
{
    struct chat_entry *entry = insert(memory, &view->id);
    use_view(entry, view);
    return entry;
}

static void ended(struct db_hook *base, bool committed)
{
    struct chat_hook *hook = CONTAINER_OF(base, struct chat_hook, hook);
    struct chat_entry *entry = hook->entry;
    entry->pending--;
    if (!committed)
        entry->stale = true;
    if (committed && hook->seq != 0)
        atomic_store_explicit(&entry->published_seq, hook->seq, memory_order_release);
    if (committed && hook->view != NULL)
        publish(entry, hook->view);
    chat_view_unref(hook->view);
}

static void stage(struct chat_entry *entry, struct db_tx *tx, struct chat_hook *hook)
{
    entry->pending++;
    hook->entry = entry;
    hook->hook.run = ended;
    db_on_end(tx, &hook->hook);
}

void chat_memory_sent(struct chat_entry *entry, struct db_tx *tx, struct chat_hook *hook,
                      struct chat_member *sender, uint64_t seq)
{
    entry->last_seq = seq;
    atomic_store_explicit(&sender->read_seq, seq, memory_order_relaxed);
    hook->view = NULL;
    hook->seq = seq;
    stage(entry, tx, hook);
}

void chat_memory_changed(struct chat_entry *entry, struct db_tx *tx, struct chat_hook *hook,
                         struct chat_view *view)
{
    hook->seq = 0;
    hook->view = view != NULL ? view_ref(view) : NULL;
    if (view != NULL && view != entry->view)
        use_view(entry, view);
    stage(entry, tx, hook);
}

/* --- the readers' side ----------------------------------------------------------------------- */
bool chat_memory_look(struct chat_memory *memory, const struct id *chat, struct chat_look *ret_look)
{
    struct shard *shard = shard_of(memory, chat);
    pthread_mutex_lock(&shard->lock);
    struct chat_entry *entry = find(memory, chat);
    bool found = entry != NULL && entry->published != NULL;
    if (found) {
        ret_look->view = view_ref(entry->published);
        ret_look->last_seq = atomic_load_explicit(&entry->published_seq, memory_order_acquire);
        atomic_store_explicit(&entry->used, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&shard->lock);
    atomic_fetch_add_explicit(found ? &memory->hits : &memory->misses, 1, memory_order_relaxed);
    return found;
}

/* --- beginning and end ----------------------------------------------------------------------- */
struct chat_memory *chat_memory_open(struct message_store *messages, size_t chats_max)
{
    struct chat_memory *memory = aligned_alloc(64, sizeof *memory);
    panic_if(memory == NULL, "no memory for the chat memory");
    memset(memory, 0, sizeof *memory);
    memory->messages = messages;
    memory->chats_max = chats_max;
    list_init(&memory->lru);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&memory->shards[i].lock, NULL);
    return memory;
}

void chat_memory_close(struct chat_memory *memory)
{
    while (!list_empty(&memory->lru))
        forget(CONTAINER_OF(memory->lru.next, struct chat_entry, lru));
    for (size_t i = 0; i < SHARDS; i++) {
        map_done(&memory->shards[i].entries);
        pthread_mutex_destroy(&memory->shards[i].lock);
    }
    free(memory);
}

void chat_memory_stats(struct chat_memory *memory, struct chat_memory_stats *ret_stats)
{
    *ret_stats = (struct chat_memory_stats){
        .hits = atomic_load_explicit(&memory->hits, memory_order_relaxed),
        .misses = atomic_load_explicit(&memory->misses, memory_order_relaxed),
        .chats = atomic_load_explicit(&memory->chats, memory_order_relaxed),
        .members = atomic_load_explicit(&memory->members, memory_order_relaxed),
    };
}
