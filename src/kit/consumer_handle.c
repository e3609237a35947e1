/* Handling events with retries, and the position that goes with them.
 *
 * The position is written in the transaction that handles events, so each event takes effect once.
 * An event that fails again and again is put aside as a dead letter, so that it holds up only
 * itself and only for a while.
 */
#include "base/log.h"
#include "base/metric.h"
#include "kit/consumer_private.h"

enum { ATTEMPTS_DEFAULT = 10, BACKOFF_FIRST_MS = 100, BACKOFF_LONGEST_MS = 30000 };

static const struct db_sql sql_bury = {
    "INSERT INTO dead_letter (id, consumer, pos, type, stream, data, reason, attempts, at) "
    "VALUES (?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};

struct attempt {
    struct consumer_unit *unit;
    const struct event *events;
    unsigned count;
    uint64_t position; /* after them */
    unsigned handled;
    const char *bury_reason; /* put the only event aside instead of handling it */
    unsigned attempts;
};

bool consumer_wants(const struct consumer_unit *u, const struct event *event)
{
    for (unsigned i = 0; i < u->type_count; i++)
        if (u->types[i] == event->type)
            return true;
    return u->type_count == 0;
}

static int bury(struct db_tx *tx, const struct attempt *a, const struct event *event,
                struct error *err)
{
    const struct consumer_unit *u = a->unit;
    struct id id = id_new(db_clock(tx));
    if (u->consumer->give_up != NULL) {
        int rc = u->consumer->give_up(u->room, tx, event, slice_str(a->bury_reason), err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return db_exec(tx, &sql_bury, err, db_text(slice_str(u->consumer->name)),
                   db_int((int64_t)event->pos), db_text(slice_str(event->type->name)),
                   db_id(&event->stream), db_text(event->data), db_text(slice_str(a->bury_reason)),
                   db_int(a->attempts), db_int(clock_wall_ms(db_clock(tx))), db_id(&id));
}

static int handle_in_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct attempt *a = arg;
    const struct consumer_unit *u = a->unit;
    a->handled = 0;
    for (unsigned i = 0; i < a->count; i++) {
        const struct event *event = &a->events[i];
        if (!consumer_wants(u, event))
            continue;
        int rc = a->bury_reason != NULL ? bury(tx, a, event, err)
                                        : u->consumer->handle(u->room, tx, event, err);
        if (rc < 0)
            return rc;
        a->handled++;
    }
    return consumer_set_position(tx, u->consumer->name, a->position, err);
}

void consumer_advance(struct consumer_unit *u, uint64_t position, bool saved)
{
    if (saved) {
        u->saved = position;
        u->saved_ms = clock_mono_ms(u->all->kit->clock);
    }
    /* A batch without an event for us may have moved it on while an older one was written. */
    if (position <= atomic_load(&u->position))
        return;
    atomic_store(&u->position, position);
    consumer_tell_waiters(u);
}

static int run_attempt(struct attempt *a, struct error *err)
{
    error_init(err);
    int rc = db_write(a->unit->db, handle_in_tx, a, err);
    if (rc == 0) {
        metric_add(a->unit->handled, a->handled);
        consumer_advance(a->unit, a->position, true);
    }
    return rc;
}

int consumer_pause(struct consumer_unit *u, int64_t ms)
{
    struct loop *loop = loop_current();
    int64_t until_ms = loop_now_ms(loop) + ms;
    int rc = 0;
    while (!u->all->stopping && rc != FAIL_CANCELLED && loop_now_ms(loop) < until_ms) {
        u->parked = true;
        rc = coro_park(until_ms - loop_now_ms(loop));
        u->parked = false;
    }
    return u->all->stopping || rc == FAIL_CANCELLED ? FAIL_CANCELLED : 0;
}

static int64_t backoff_ms(unsigned attempt)
{
    int64_t ms = BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < attempt && ms < BACKOFF_LONGEST_MS; i++)
        ms *= 2;
    return ms < BACKOFF_LONGEST_MS ? ms : BACKOFF_LONGEST_MS;
}

/* False when not even that can be written: the database itself is in trouble. */
static bool put_aside(struct attempt *a, const struct error *why, unsigned attempts)
{
    struct error err;
    a->bury_reason = why->detail;
    a->attempts = attempts;
    bool done = run_attempt(a, &err) == 0;
    a->bury_reason = NULL;
    struct kit *kit = a->unit->all->kit;
    if (done)
        metric_add(a->unit->dead, 1);
    if (done && kit->dead_letter_came != NULL)
        kit->dead_letter_came(kit);
    return done;
}

/* One event until it is handled or put aside. Negative only when told to end. */
static int handle_one(struct consumer_unit *u, const struct event *event)
{
    unsigned most = u->consumer->attempts != 0 ? u->consumer->attempts : ATTEMPTS_DEFAULT;
    struct attempt a = {.unit = u, .events = event, .count = 1, .position = event->pos};
    struct error err;
    for (unsigned attempt = 0;; attempt++) {
        if (u->all->stopping)
            return FAIL_CANCELLED;
        if (run_attempt(&a, &err) == 0)
            return 0;
        metric_add(u->failed, 1);
        log_warn("consumer failed", LOG_S("consumer", u->consumer->name), LOG_I("pos", event->pos),
                 LOG_I("attempt", attempt + 1), LOG_S("code", err.code),
                 LOG_S("detail", err.detail));
        if (attempt + 1 >= most && put_aside(&a, &err, attempt + 1))
            return 0;
        if (consumer_pause(u, backoff_ms(attempt)) < 0)
            return FAIL_CANCELLED;
    }
}

int consumer_handle_run(struct consumer_unit *u, const struct event *events, unsigned count,
                        uint64_t through)
{
    /* Reading the log may have come into the middle of a batch that is delivered later. */
    while (count > 0 && events->pos <= atomic_load(&u->position)) {
        events++;
        count--;
    }
    struct attempt a = {.unit = u, .events = events, .count = count, .position = through};
    struct error err;
    if (run_attempt(&a, &err) == 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        if (consumer_wants(u, &events[i]) && handle_one(u, &events[i]) < 0)
            return FAIL_CANCELLED;
    consumer_advance(u, through, false);
    return 0;
}

void consumer_save(struct consumer_unit *u)
{
    struct error err;
    struct attempt a = {.unit = u, .position = atomic_load(&u->position)};
    if (a.position != u->saved)
        (void)run_attempt(&a, &err);
}
