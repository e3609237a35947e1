/* last_seen: what the loops have marked (kit/activity.h), written in batches (U05).
 *
 * Profiles in memory are not touched: a cached last_seen is up to five minutes old, which is what
 * presence is for, and the entity tag does not cover it.
 */
#include <stdlib.h>

#include "kit/activity.h"
#include "service/user/user_room.h"
#include "service/user/user_store.h"

enum { ROWS_MAX = 1000 }; /* in one transaction: a few milliseconds of the writer */

struct chunk {
    const struct activity_seen *seen;
    size_t count;
};

static int write_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct chunk *c = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < c->count; i++)
        rc = user_store_set_seen(tx, &c->seen[i].user, c->seen[i].at_ms, err);
    return rc;
}

static int write_all(struct user_room *room, struct loop *const *loops, struct error *err)
{
    struct activity_seen *seen;
    size_t count;
    int rc = 0;
    if (room->kit->activity == NULL)
        return 0;
    activity_take(room->kit->activity, loops, &seen, &count);
    for (size_t at = 0; rc == 0 && at < count; at += ROWS_MAX) {
        struct chunk c = {seen + at, count - at < ROWS_MAX ? count - at : ROWS_MAX};
        rc = db_write(room->db, write_tx, &c, err);
    }
    free(seen);
    return rc;
}

int user_write_seen(void *room, struct error *err)
{
    return write_all(room, ((struct user_room *)room)->kit->loops, err);
}

void user_write_seen_last(struct user_room *room)
{
    struct error lost;
    error_init(&lost);
    (void)!write_all(room, NULL, &lost); /* the times of the last half minute, at worst */
}
