/* Catching up: a consumer that is not at the head reads the log, one transaction's worth at a time,
 * and handles what it wants of it. */
#include "kit/consumer_private.h"

enum { READ_BATCH = 512, READ_BYTES_MAX = 64 << 20, READ_AGAIN_MS = 800 };

struct reading {
    struct consumer_unit *unit;
    struct arena arena;
    struct event *events;
    unsigned count;
    uint64_t last; /* position of the last row taken, wanted or not; 0: none */
};

/* Stops (1) before an event that does not fit: it is the first of the next step. */
static int keep_event(const struct event *event, void *arg, struct error *err)
{
    struct reading *r = arg;
    if (consumer_wants(r->unit, event)) {
        struct event *copy = &r->events[r->count];
        *copy = *event;
        copy->links = NULL;
        copy->link_count = 0;
        copy->correlation_id = (struct slice){0};
        copy->data = arena_copy(&r->arena, event->data);
        if (copy->data.ptr == NULL && r->count > 0)
            return 1;
        if (copy->data.ptr == NULL)
            return error_set(err, FAIL_TOO_LARGE, "event_too_large",
                             "An event of the log does not fit into memory.");
        r->count++;
    }
    r->last = event->pos;
    return 0;
}

static int read_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    return event_log_read(r->unit->all->kit->log, tx, atomic_load(&r->unit->position), READ_BATCH,
                          keep_event, r, err);
}

bool consumer_catch_up(struct consumer_unit *u)
{
    struct kit *kit = u->all->kit;
    uint64_t head = u->delivered;
    if (atomic_load(&u->position) >= head)
        return true;
    struct reading r = {.unit = u};
    arena_init(&r.arena, READ_BYTES_MAX);
    r.events = arena_array(&r.arena, READ_BATCH, sizeof *r.events);
    panic_if(r.events == NULL, "no memory for a consumer's batch");
    struct error err;
    error_init(&err);
    int rc = db_read(kit->main_db, read_rows, &r, &err);
    if (rc < 0)
        (void)!consumer_pause(u, READ_AGAIN_MS);
    else if (r.count > 0)
        (void)!consumer_handle_run(u, r.events, r.count, r.last);
    else
        consumer_advance(u, r.last != 0 ? r.last : head, false);
    arena_done(&r.arena);
    return atomic_load(&u->position) >= u->delivered;
}
