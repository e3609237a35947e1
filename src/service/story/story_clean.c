/* The clean-up (T02): what has expired goes, in chunks of a thousand rows, stories and viewers
 * counted together. Each chunk is a transaction of its own, and after it the writer belongs to the
 * others for several times as long as the chunk took, so that a million expired stories delay
 * nobody. Once a day the tables that are kept by person are swept in that order, in the same
 * chunks. Nobody sees a difference: readers look at the clock.
 */
#include <stdlib.h>

#include "base/metric.h"
#include "service/story/story_store.h"

enum { PAUSE_TIMES = 4, PAUSE_MIN_MS = 20 };

static int64_t now_ms(const struct story_room *room)
{
    return clock_wall_ms(room->kit->clock);
}

static int pause_after(int64_t took_ms, struct error *err)
{
    int64_t ms = took_ms * PAUSE_TIMES > PAUSE_MIN_MS ? took_ms * PAUSE_TIMES : PAUSE_MIN_MS;
    if (coro_current() == NULL) /* the command line and tests: nobody else writes */
        return 0;
    int rc = coro_sleep(ms);
    return rc < 0 ? error_set(err, rc, "cancelled", "Told to end.") : 0;
}

/* A write, and then the pause after it. */
static int write_and_pause(struct story_room *room, db_fn *fn, void *arg, struct error *err)
{
    int64_t began = clock_mono_ms(room->kit->clock);
    int rc = db_write(room->db, fn, arg, err);
    return rc == 0 ? pause_after(clock_mono_ms(room->kit->clock) - began, err) : rc;
}

/* --- by time -----------------------------------------------------------------------------------
 */

struct chunk {
    struct story_room *room;
    unsigned stories, views;
};

static int chunk_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct chunk *c = arg;
    return story_store_clean(tx, now_ms(c->room), STORY_CLEAN_CHUNK, &c->stories, &c->views, err);
}

static int clean_expired(struct story_room *room, struct error *err)
{
    struct chunk c;
    int rc;
    do {
        c = (struct chunk){.room = room};
        rc = write_and_pause(room, chunk_tx, &c, err);
        metric_add(room->cleaned_stories, c.stories);
        metric_add(room->cleaned_views, c.views);
    } while (rc == 0 && c.stories + c.views >= STORY_CLEAN_CHUNK);
    return rc;
}

/* --- by person ---------------------------------------------------------------------------------
 */

static int look_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return story_store_sweep_look(tx, arg, err);
}

static int sweep_tx(struct db_tx *tx, void *arg, struct error *err)
{
    return story_store_sweep(tx, arg, err);
}

static int sweep_table(struct story_room *room, struct story_sweep *sweep, struct error *err)
{
    int rc;
    do {
        rc = db_read(room->db, look_tx, sweep, err);
        if (rc == 0 && sweep->count > 0)
            rc = write_and_pause(room, sweep_tx, sweep, err);
    } while (rc == 0 && sweep->more);
    return rc;
}

static int sweep_persons(struct story_room *room, struct error *err)
{
    struct story_sweep *sweep = xcalloc(1, sizeof *sweep);
    int rc = 0;
    for (int table = 0; rc == 0 && table < STORY_SWEEP_TABLES; table++) {
        *sweep = (struct story_sweep){.table = (enum story_sweep_table)table, .now = now_ms(room)};
        rc = sweep_table(room, sweep, err);
    }
    free(sweep);
    return rc;
}

int story_clean(struct story_room *room, struct error *err)
{
    int64_t now = now_ms(room);
    int rc = clean_expired(room, err);
    if (rc == 0 && now >= room->sweep_at) {
        rc = sweep_persons(room, err);
        if (rc == 0)
            room->sweep_at = now + STORY_DAY_MS;
    }
    if (rc < 0 && rc != FAIL_CANCELLED)
        metric_add(room->clean_failures, 1);
    return rc;
}

int story_clean_job(void *room, struct error *err)
{
    return story_clean(room, err);
}
