/* The clean-up (T02): what has expired goes, in chunks of a thousand rows, stories and views
 * counted together. Each chunk is a transaction of its own, and after it the writer belongs to the
 * others for several times as long as the chunk took, so that a million expired stories delay
 * nobody. Nobody sees a difference: readers look at the clock.
 */
#include "base/metric.h"
#include "service/story/story_store.h"

enum { PAUSE_TIMES = 4, PAUSE_MIN_MS = 20 };

struct chunk {
    struct story_room *room;
    unsigned stories, views;
};

static int chunk_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct chunk *c = arg;
    return story_store_clean(tx, clock_wall_ms(c->room->kit->clock), STORY_CLEAN_CHUNK, &c->stories,
                             &c->views, err);
}

static int pause_after(int64_t took_ms, struct error *err)
{
    int64_t ms = took_ms * PAUSE_TIMES > PAUSE_MIN_MS ? took_ms * PAUSE_TIMES : PAUSE_MIN_MS;
    if (coro_current() == NULL) /* the command line and tests: nobody else writes */
        return 0;
    int rc = coro_sleep(ms);
    return rc < 0 ? error_set(err, rc, "cancelled", "Told to end.") : 0;
}

static int clean_chunk(struct story_room *room, unsigned *ret_gone, struct error *err)
{
    struct chunk c = {.room = room};
    int64_t began = clock_mono_ms(room->kit->clock);
    int rc = db_write(room->db, chunk_tx, &c, err);
    if (rc < 0)
        return rc;
    metric_add(room->cleaned_stories, c.stories);
    metric_add(room->cleaned_views, c.views);
    *ret_gone = c.stories + c.views;
    return *ret_gone < STORY_CLEAN_CHUNK
               ? 0
               : pause_after(clock_mono_ms(room->kit->clock) - began, err);
}

int story_clean(struct story_room *room, struct error *err)
{
    unsigned gone = 0;
    int rc;
    do
        rc = clean_chunk(room, &gone, err);
    while (rc == 0 && gone >= STORY_CLEAN_CHUNK);
    if (rc < 0 && rc != FAIL_CANCELLED)
        metric_add(room->clean_failures, 1);
    return rc;
}

int story_clean_job(void *room, struct error *err)
{
    return story_clean(room, err);
}
