/* The profile cache under several threads: what is forgotten is never seen again in its old form.
 * Run it under the thread sanitizer. */
#include <pthread.h>
#include <stdatomic.h>

#include "harness.h"
#include "service/user/user_cache.h"

enum { READERS = 2, PEOPLE = 8, EDITS = 300 };

struct shared {
    struct user_cache *cache;
    struct id ids[PEOPLE];
    _Atomic int64_t version[PEOPLE]; /* what the database says */
    _Atomic bool over;
    _Atomic int wrong;
};

/* As the rules do: memory, else the database, with the ticket taken before it is read. */
static int64_t look(struct shared *s, int i)
{
    struct user_profile p;
    struct arena arena;
    int64_t seen;
    arena_init(&arena, 65536);
    if (user_cache_get(s->cache, &s->ids[i], &arena, &p)) {
        seen = p.updated_at;
    } else {
        uint64_t ticket = user_cache_ticket(s->cache, &s->ids[i]);
        seen = atomic_load(&s->version[i]);
        p = (struct user_profile){
            .id = s->ids[i], .username = SLICE("somebody"), .updated_at = seen};
        user_cache_put(s->cache, ticket, &p);
    }
    arena_done(&arena);
    return seen;
}

static void *read_all(void *arg)
{
    struct shared *s = arg;
    for (int i = 0; !atomic_load(&s->over); i = (i + 1) % PEOPLE)
        look(s, i);
    return NULL;
}

TEST(after_a_change_nobody_sees_what_was_before)
{
    static struct shared s;
    pthread_t threads[READERS];
    s.cache = user_cache_new(&clock_system, 1000, 300000);
    for (int i = 0; i < PEOPLE; i++)
        s.ids[i] = id_new(&clock_system);
    for (int i = 0; i < READERS; i++)
        CHECK(pthread_create(&threads[i], NULL, read_all, &s) == 0);
    for (int edit = 1; edit <= EDITS; edit++)
        for (int i = 0; i < PEOPLE; i++) {
            atomic_store(&s.version[i], edit);
            user_cache_forget(s.cache, &s.ids[i]);
            if (look(&s, i) != edit)
                atomic_fetch_add(&s.wrong, 1);
        }
    atomic_store(&s.over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(s.wrong, 0);
    user_cache_free(s.cache);
}
