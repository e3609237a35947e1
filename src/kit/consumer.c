/* Consumers of the log.
 *
 * Each consumer is one coroutine on the first loop. It is in one of two states: it LIVES when its
 * position is the head that the relay last delivered; then new batches come from memory and those
 * without an event of its types cost a pointer comparison each. Otherwise it CATCHES UP by reading
 * the log table. Batches that wait for a busy consumer are kept in a short queue; when that is full
 * they are let go and the consumer catches up from the table instead.
 *
 * A position that moves only past foreign events is written now and then, to save work at the next
 * start; losing it costs re-reading, nothing else. What a consumer has still to handle is held in
 * the log (event_log_hold).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "kit/consumer_private.h"

enum { SAVE_EVERY_MS = 60000 };

static bool batch_wanted(const struct consumer_unit *u, const struct event_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        if (consumer_wants(u, &batch->events[i]))
            return true;
    return false;
}

/* --- the coroutine -----------------------------------------------------------------------------
 */

static struct event_batch *take_pending(struct consumer_unit *u)
{
    struct event_batch *batch = u->pending[u->pending_first];
    u->pending_first = (u->pending_first + 1) % CONSUMER_PENDING_MAX;
    u->pending_count--;
    return batch;
}

static void drop_pending(struct consumer_unit *u)
{
    while (u->pending_count > 0)
        event_batch_unref(take_pending(u));
}

static void work_pending(struct consumer_unit *u)
{
    struct event_batch *batch = take_pending(u);
    u->busy = true;
    if (batch->head > atomic_load(&u->position) &&
        consumer_handle_run(u, batch->events, batch->count, batch->head) < 0)
        u->live = false;
    u->busy = false;
    event_batch_unref(batch);
}

/* Nothing to do: what was delivered and not kept held nothing for this consumer. */
static int rest(struct consumer_unit *u)
{
    if (atomic_load(&u->position) < u->delivered)
        consumer_advance(u, u->delivered, false);
    if (clock_mono_ms(u->all->kit->clock) - u->saved_ms > SAVE_EVERY_MS)
        consumer_save(u);
    if (u->pending_count > 0 || !u->live)
        return 0;
    u->parked = true;
    int rc = coro_park(SAVE_EVERY_MS);
    u->parked = false;
    return rc == FAIL_CANCELLED ? rc : 0;
}

static void unit_main(void *arg)
{
    struct consumer_unit *u = arg;
    u->coro = coro_current();
    while (!u->all->stopping) {
        if (!u->live) {
            u->live = consumer_catch_up(u);
            coro_yield();
        } else if (u->pending_count > 0) {
            work_pending(u);
        } else if (rest(u) < 0) {
            break;
        }
    }
    drop_pending(u);
    consumer_save(u);
    u->ended = true;
}

static void wake(struct consumer_unit *u)
{
    if (u->parked) {
        u->parked = false;
        coro_wake(u->coro, 0);
    }
}

/* On the first loop, after every commit. */
static void deliver(struct event_subscription *sub, struct event_batch *batch)
{
    struct consumers *all = CONTAINER_OF(sub, struct consumers, subscription);
    for (unsigned i = 0; i < all->count && !all->stopping; i++) {
        struct consumer_unit *u = &all->units[i];
        u->delivered = batch->head;
        if (!u->live)
            continue;
        if (!batch_wanted(u, batch)) {
            if (u->pending_count == 0 && !u->busy)
                consumer_advance(u, batch->head, false);
        } else if (u->pending_count < CONSUMER_PENDING_MAX) {
            event_batch_ref(batch);
            u->pending[(u->pending_first + u->pending_count++) % CONSUMER_PENDING_MAX] = batch;
            wake(u);
        } else {
            u->live = false;
            drop_pending(u);
        }
    }
}

/* --- start and stop ----------------------------------------------------------------------------
 */

static int read_position(struct db_tx *tx, void *arg, struct error *err)
{
    struct consumer_unit *u = arg;
    return consumer_get_position(tx, u->consumer->name, &u->saved, err);
}

static struct metric *unit_metric(const struct consumer_unit *u, const char *name, const char *help)
{
    char labels[96];
    snprintf(labels, sizeof labels, "consumer=\"%s\"", u->consumer->name);
    return metric_register(METRIC_COUNTER, name, help, labels);
}

static int64_t unit_lag(void *arg)
{
    struct consumer_unit *u = arg;
    int64_t lag = (int64_t)(event_log_head(u->all->kit->log) - atomic_load(&u->position));
    return lag > 0 ? lag : 0;
}

unsigned consumers_lag(const struct consumers *consumers, struct consumer_lag *ret_lags,
                       unsigned max)
{
    for (unsigned i = 0; i < consumers->count && i < max; i++)
        ret_lags[i] = (struct consumer_lag){consumers->units[i].consumer->name,
                                            (uint64_t)unit_lag(&consumers->units[i])};
    return consumers->count;
}

static void name_unit(struct consumer_unit *u, struct kit *kit)
{
    const char *const *names = u->consumer->types;
    for (; names != NULL && *names != NULL; names++) {
        panic_if(u->type_count == CONSUMER_TYPES_MAX, "%s: too many event types",
                 u->consumer->name);
        const struct event_type *type = kit_event_type(kit, slice_str(*names));
        panic_if(type == NULL, "%s: no room emits %s", u->consumer->name, *names);
        u->types[u->type_count++] = type;
    }
    u->handled = unit_metric(u, "parley_consumer_events_total", "Events handled by a consumer.");
    u->failed = unit_metric(u, "parley_consumer_failures_total", "Attempts that failed.");
    u->dead = unit_metric(u, "parley_consumer_dead_letters_total", "Events put aside.");
    char labels[96];
    snprintf(labels, sizeof labels, "consumer=\"%s\"", u->consumer->name);
    metric_register_gauge_fn("parley_consumer_lag_events", "Log positions behind the head.", labels,
                             unit_lag, u);
}

/* A database that was put back from an older copy may end before a consumer's position in another
 * file: the positions behind its head will be given to other events. */
static int load_position(struct consumer_unit *u, struct error *err)
{
    uint64_t head = event_log_head(u->all->kit->log);
    int rc = db_read(u->db, read_position, u, err);
    if (rc == 0 && u->saved > head) {
        log_warn("consumer set back to the head of the log", LOG_S("consumer", u->consumer->name),
                 LOG_I("pos", u->saved), LOG_I("head", head));
        u->saved = head;
    }
    atomic_store(&u->position, u->saved);
    return rc;
}

static void init_unit(struct consumer_unit *u, struct consumers *all, unsigned module,
                      const struct consumer *consumer)
{
    struct kit *kit = all->kit;
    *u = (struct consumer_unit){.all = all,
                                .consumer = consumer,
                                .room = kit->rooms[module],
                                .saved_ms = clock_mono_ms(kit->clock)};
    u->db = kit_db(kit, consumer->db != NULL ? consumer->db : kit->modules[module]->name);
    pthread_mutex_init(&u->waiters_lock, NULL);
}

static unsigned count_consumers(const struct kit *kit)
{
    unsigned count = 0;
    for (int m = 0; kit->modules[m] != NULL; m++)
        count += (unsigned)kit->modules[m]->consumer_count;
    return count;
}

struct starting {
    struct mail mail;
    struct consumers *all;
};

/* On the first loop: from here on batches arrive. */
static void begin(struct mail *mail)
{
    struct starting *s = CONTAINER_OF(mail, struct starting, mail);
    struct consumers *all = s->all;
    free(s);
    event_log_subscribe(all->kit->log, &all->subscription);
    for (unsigned i = 0; i < all->count; i++) {
        struct consumer_unit *u = &all->units[i];
        u->delivered = all->subscription.joined;
        struct error err;
        error_init(&err);
        int rc = coro_spawn(all->kit->loops[0], unit_main, u, &err);
        panic_if(rc < 0, "no coroutine for the consumer %s", u->consumer->name);
    }
}

/* Everything up to here has been handled by all. */
static uint64_t least_position(void *arg)
{
    const struct consumers *all = arg;
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < all->count; i++) {
        uint64_t position = atomic_load(&all->units[i].position);
        least = position < least ? position : least;
    }
    return least;
}

static void add_units(struct consumers *all)
{
    struct kit *kit = all->kit;
    all->units = xcalloc(count_consumers(kit), sizeof *all->units);
    for (unsigned m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->consumer_count; i++)
            init_unit(&all->units[all->count++], all, m, &kit->modules[m]->consumers[i]);
}

static void free_units(struct consumers *all)
{
    for (unsigned i = 0; i < all->count; i++)
        pthread_mutex_destroy(&all->units[i].waiters_lock);
    free(all->units);
    free(all);
}

int consumers_start(struct kit *kit, struct consumers **ret_consumers, struct error *err)
{
    struct consumers *all = xcalloc(1, sizeof *all);
    all->kit = kit;
    add_units(all);
    for (unsigned i = 0; i < all->count; i++) {
        int rc = load_position(&all->units[i], err);
        if (rc < 0) {
            free_units(all);
            return rc;
        }
    }
    for (unsigned i = 0; i < all->count; i++)
        name_unit(&all->units[i], kit);
    event_log_hold(kit->log, least_position, all);
    all->subscription.loop = kit->loops[0];
    all->subscription.deliver = deliver;
    struct starting *s = xcalloc(1, sizeof *s);
    s->all = all;
    s->mail.deliver = begin;
    *ret_consumers = all;
    loop_post(kit->loops[0], &s->mail);
    return 0;
}

static bool all_ended(const struct consumers *all)
{
    for (unsigned i = 0; i < all->count; i++)
        if (!all->units[i].ended)
            return false;
    return true;
}

void consumers_stop(struct consumers *all)
{
    enum { LOOK_MS = 10, LOOKS = 500 };
    all->stopping = true;
    for (unsigned i = 0; i < all->count; i++)
        wake(&all->units[i]);
    for (int looks = 0; looks < LOOKS && !all_ended(all); looks++)
        if (coro_sleep(LOOK_MS) < 0)
            return;
}
