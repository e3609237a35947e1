#include "service/user/user_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"

enum { SHARDS = 16, JSON_BYTES_MAX = 65536 };

/* One allocation: the entry, then the texts of the profile, then both encodings. */
struct entry {
    struct map_node node;
    struct list age; /* in its shard, looked at last first */
    int64_t until_ms;
    struct user_profile profile;
    struct slice json[2];
    char etag[2][REQUEST_ETAG_MAX];
};

struct shard {
    pthread_mutex_t lock;
    struct map map;
    struct list by_age;
    uint64_t forgotten; /* counts user_cache_forget */
} __attribute__((aligned(64)));

struct user_cache {
    const struct clock *clock;
    int64_t ttl_ms;
    size_t shard_max;
    struct shard shards[SHARDS];
};

struct user_cache *user_cache_new(const struct clock *clock, size_t entries_max, int64_t ttl_ms)
{
    struct user_cache *cache = aligned_alloc(64, sizeof *cache);
    panic_if(cache == NULL, "out of memory");
    memset(cache, 0, sizeof *cache);
    cache->clock = clock;
    cache->ttl_ms = ttl_ms;
    cache->shard_max = entries_max / SHARDS > 0 ? entries_max / SHARDS : 1;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        map_init(&cache->shards[i].map);
        list_init(&cache->shards[i].by_age);
    }
    return cache;
}

static void drop(struct shard *shard, struct entry *entry)
{
    map_remove(&shard->map, &entry->node);
    list_remove(&entry->age);
    free(entry);
}

void user_cache_free(struct user_cache *cache)
{
    if (cache == NULL)
        return;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        while (!list_empty(&shard->by_age))
            drop(shard, CONTAINER_OF(shard->by_age.next, struct entry, age));
        map_done(&shard->map);
        pthread_mutex_destroy(&shard->lock);
    }
    free(cache);
}

/* Ids come from clients here, so the hash is a keyed one. */
static uint64_t hash_of(const struct id *user)
{
    return hash_bytes(user->bytes, sizeof user->bytes);
}

static struct shard *shard_of(struct user_cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 60];
}
_Static_assert(SHARDS == 16, "shard_of takes four bits");

static bool is_user(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, struct entry, node)->profile.id, key);
}

/* Under the lock. */
static struct entry *find(struct user_cache *cache, struct shard *shard, uint64_t hash,
                          const struct id *user)
{
    struct map_node *node = map_find(&shard->map, hash, is_user, user);
    if (node == NULL)
        return NULL;
    struct entry *entry = CONTAINER_OF(node, struct entry, node);
    if (entry->until_ms <= clock_mono_ms(cache->clock)) {
        drop(shard, entry);
        return NULL;
    }
    list_remove(&entry->age);
    list_add_head(&shard->by_age, &entry->age);
    return entry;
}

bool user_cache_json(struct user_cache *cache, const struct id *user, enum user_view view,
                     struct buf *out, char ret_etag[REQUEST_ETAG_MAX])
{
    uint64_t hash = hash_of(user);
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    const struct entry *entry = find(cache, shard, hash, user);
    if (entry != NULL && view == USER_VIEW_OTHERS && !entry->profile.is_active)
        entry = NULL; /* who may see it is decided with the profile at hand */
    if (entry != NULL) {
        buf_slice(out, entry->json[view]);
        memcpy(ret_etag, entry->etag[view], REQUEST_ETAG_MAX);
    }
    pthread_mutex_unlock(&shard->lock);
    return entry != NULL;
}

static const size_t texts[] = {
    offsetof(struct user_profile, username), offsetof(struct user_profile, full_name),
    offsetof(struct user_profile, email),    offsetof(struct user_profile, phone),
    offsetof(struct user_profile, bio),      offsetof(struct user_profile, avatar_url)};

static struct slice *text_of(struct user_profile *profile, size_t i)
{
    return (struct slice *)(void *)((char *)profile + texts[i]);
}

static bool copy_profile(const struct user_profile *from, struct arena *arena,
                         struct user_profile *ret_profile)
{
    struct user_profile copy = *from;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct slice *text = text_of(&copy, i);
        if (text->ptr == NULL)
            continue;
        *text = arena_copy(arena, *text);
        if (text->ptr == NULL)
            return false;
    }
    *ret_profile = copy;
    return true;
}

bool user_cache_get(struct user_cache *cache, const struct id *user, struct arena *arena,
                    struct user_profile *ret_profile)
{
    uint64_t hash = hash_of(user);
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    const struct entry *entry = find(cache, shard, hash, user);
    bool got = entry != NULL && copy_profile(&entry->profile, arena, ret_profile);
    pthread_mutex_unlock(&shard->lock);
    return got;
}

uint64_t user_cache_ticket(struct user_cache *cache, const struct id *user)
{
    struct shard *shard = shard_of(cache, hash_of(user));
    pthread_mutex_lock(&shard->lock);
    uint64_t ticket = shard->forgotten;
    pthread_mutex_unlock(&shard->lock);
    return ticket;
}

static struct slice put_text(char **at, struct slice text)
{
    if (text.ptr == NULL)
        return text;
    struct slice copy = {*at, text.len};
    memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

void user_profile_etag(const struct user_profile *shown, char ret_etag[REQUEST_ETAG_MAX])
{
    struct user_profile steady = *shown;
    struct buf json;
    steady.last_seen = 0;
    buf_init(&json, JSON_BYTES_MAX);
    schema_encode(&user_profile_schema, &steady, &json);
    request_etag_make(buf_view(&json), ret_etag);
    buf_done(&json);
}

static struct entry *make_entry(const struct user_profile views[2], const struct buf json[2])
{
    const struct user_profile *profile = &views[USER_VIEW_OWN];
    struct user_profile copy = *profile;
    size_t size = json[0].len + json[1].len;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        size += text_of(&copy, i)->len;
    struct entry *entry = xcalloc(1, sizeof *entry + size);
    char *at = (char *)(entry + 1);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *text_of(&copy, i) = put_text(&at, *text_of(&copy, i));
    entry->profile = copy;
    for (int view = 0; view < 2; view++) {
        entry->json[view] = put_text(&at, buf_view(&json[view]));
        user_profile_etag(&views[view], entry->etag[view]);
    }
    return entry;
}

static void insert(struct user_cache *cache, uint64_t ticket, struct entry *entry)
{
    uint64_t hash = hash_of(&entry->profile.id);
    struct shard *shard = shard_of(cache, hash);
    entry->until_ms = clock_mono_ms(cache->clock) + cache->ttl_ms;
    pthread_mutex_lock(&shard->lock);
    if (shard->forgotten != ticket) {
        free(entry);
    } else {
        struct entry *old = find(cache, shard, hash, &entry->profile.id);
        if (old != NULL)
            drop(shard, old);
        else if (shard->map.count >= cache->shard_max)
            drop(shard, CONTAINER_OF(shard->by_age.prev, struct entry, age));
        map_insert(&shard->map, &entry->node, hash);
        list_add_head(&shard->by_age, &entry->age);
    }
    pthread_mutex_unlock(&shard->lock);
}

void user_cache_put(struct user_cache *cache, uint64_t ticket, const struct user_profile *profile)
{
    struct user_profile views[2] = {*profile, *profile};
    struct buf json[2];
    user_profile_hide(&views[USER_VIEW_OTHERS]);
    for (int view = 0; view < 2; view++) {
        buf_init(&json[view], JSON_BYTES_MAX);
        schema_encode(&user_profile_schema, &views[view], &json[view]);
    }
    if (buf_ok(&json[0]) && buf_ok(&json[1]))
        insert(cache, ticket, make_entry(views, json));
    buf_done(&json[0]);
    buf_done(&json[1]);
}

void user_cache_forget(struct user_cache *cache, const struct id *user)
{
    uint64_t hash = hash_of(user);
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->lock);
    shard->forgotten++;
    struct entry *entry = find(cache, shard, hash, user);
    if (entry != NULL)
        drop(shard, entry);
    pthread_mutex_unlock(&shard->lock);
}
