/* post.changed: those who look at a post see its counts move, however many people press at once.
 *
 * The first change is told at once; whatever follows within 250 ms is told together at the end of
 * them. A post that changes has an entry here and a coroutine on the loop of the first change; both
 * go when it has been quiet for that long. When there are very many such posts at a time, the
 * counts of the others are read again with the next page or change.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/metric.h"
#include "service/post/post_room.h"

enum { QUIET_MS = 250, BEATING_MAX = 2048, POST_BYTES_MAX = 256 << 10 };

struct beat {
    struct map_node node;
    struct post_pulse *pulse;
    struct id post;
    bool again; /* under the lock */
};

struct post_pulse {
    struct post_room *room;
    pthread_mutex_t lock;
    struct map beats; /* under the lock */
    struct metric *skipped;
};

struct post_pulse *post_pulse_new(struct post_room *room)
{
    struct post_pulse *pulse = xcalloc(1, sizeof *pulse);
    pulse->room = room;
    pthread_mutex_init(&pulse->lock, NULL);
    map_init(&pulse->beats);
    pulse->skipped =
        metric_register(METRIC_COUNTER, "parley_post_changed_skipped_total",
                        "Changes of counts that were not told: too many posts changed.", NULL);
    return pulse;
}

void post_pulse_free(struct post_pulse *pulse)
{
    struct map_node *node = map_first(&pulse->beats), *next;
    for (; node != NULL; node = next) { /* of coroutines that a stopped loop dropped */
        next = map_next(&pulse->beats, node);
        map_remove(&pulse->beats, node);
        free(CONTAINER_OF(node, struct beat, node));
    }
    map_done(&pulse->beats);
    pthread_mutex_destroy(&pulse->lock);
    free(pulse);
}

static bool is_of(const struct map_node *node, const void *key)
{
    return id_eq(&CONTAINER_OF(node, struct beat, node)->post, key);
}

/* What became private is nobody's to look at any more. */
static void emit(struct post_pulse *pulse, const struct post *post)
{
    struct post anybody = *post;
    struct id stream = topic_stream(POST_TOPIC, &post->id);
    anybody.liked = anybody.bookmarked = false;
    if (post->visibility != SOCIAL_PRIVATE)
        kit_emit_ephemeral(pulse->room->kit, &post_changed_event, &stream, &anybody);
}

struct reading {
    const struct id *post;
    struct arena arena;
    struct post now;
    bool found;
};

static int read_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct id nobody;
    struct reading *r = arg;
    return post_store_get(tx, r->post, &nobody, &r->arena, &r->now, &r->found, err);
}

static void emit_present(struct beat *beat)
{
    struct reading r = {.post = &beat->post};
    struct error err;
    error_init(&err);
    arena_init(&r.arena, POST_BYTES_MAX);
    if (db_read(beat->pulse->room->db, read_tx, &r, &err) == 0 && r.found)
        emit(beat->pulse, &r.now);
    arena_done(&r.arena);
}

/* Whether it changed since it was last told; if not, or at the end, the entry is gone. */
static bool go_on(struct beat *beat, bool cancelled)
{
    struct post_pulse *pulse = beat->pulse;
    pthread_mutex_lock(&pulse->lock);
    bool again = beat->again && !cancelled;
    beat->again = false;
    if (!again)
        map_remove(&pulse->beats, &beat->node);
    pthread_mutex_unlock(&pulse->lock);
    return again;
}

static void beat_main(void *arg)
{
    struct beat *beat = arg;
    bool cancelled = coro_sleep(QUIET_MS) < 0;
    while (go_on(beat, cancelled)) {
        emit_present(beat);
        cancelled = coro_sleep(QUIET_MS) < 0;
    }
    free(beat);
}

/* The new entry, or NULL: one is there already, or there are too many. */
static struct beat *begin(struct post_pulse *pulse, const struct id *post)
{
    struct beat *beat = NULL;
    pthread_mutex_lock(&pulse->lock);
    struct map_node *node = map_find(&pulse->beats, hash_id(post), is_of, post);
    if (node != NULL) {
        CONTAINER_OF(node, struct beat, node)->again = true;
    } else if (pulse->beats.count >= BEATING_MAX) {
        metric_add(pulse->skipped, 1);
    } else {
        beat = xcalloc(1, sizeof *beat);
        *beat = (struct beat){.pulse = pulse, .post = *post};
        map_insert(&pulse->beats, &beat->node, hash_id(post));
    }
    pthread_mutex_unlock(&pulse->lock);
    return beat;
}

void post_pulse_changed(struct post_pulse *pulse, const struct post *post)
{
    struct error err;
    error_init(&err);
    if (coro_current() == NULL || pulse->room->kit->ephemeral == NULL)
        return; /* command line, tests: nobody looks */
    struct beat *beat = begin(pulse, &post->id);
    if (beat == NULL)
        return;
    emit(pulse, post);
    if (coro_spawn(loop_current(), beat_main, beat, &err) == 0)
        return;
    (void)go_on(beat, true);
    free(beat);
}
