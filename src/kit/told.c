#include "kit/told.h"

struct review {
    const struct event_type *const *types;
    told_fn *look;
    const struct id *user;
    struct told_event *events;
    unsigned count;
    struct arena *arena;
};

static bool concerns(const struct review *r, const struct told_event *told)
{
    for (unsigned i = 0; told->type != NULL && r->types[i] != NULL; i++)
        if (r->types[i] == told->type)
            return true;
    return false;
}

static int review_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct review *r = arg;
    for (unsigned i = 0; i < r->count; i++) {
        bool there = true;
        if (!concerns(r, &r->events[i]))
            continue;
        int rc = r->look(tx, r->user, r->events[i].data, r->arena, &there, err);
        if (rc < 0)
            return rc;
        if (!there)
            r->events[i].type = NULL;
    }
    return 0;
}

int told_review(struct db *db, const struct event_type *const *types, told_fn *look,
                const struct id *user, struct told_event *events, unsigned count,
                struct arena *arena, struct error *err)
{
    struct review r = {types, look, user, events, count, arena};
    for (unsigned i = 0; i < count; i++)
        if (concerns(&r, &events[i]))
            return db_read(db, review_tx, &r, err);
    return 0;
}
