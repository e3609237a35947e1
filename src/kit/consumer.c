/* Consumers of the log.
 *
 * Each consumer is one coroutine on the first loop. It is in one of two states: it LIVES when its
 * position is the head that the relay last delivered; then new batches come from memory and those
 * without an event of its types cost a pointer comparison each. Otherwise it CATCHES UP by reading
 * the log table. Batches that wait for a busy consumer are kept in a short queue; when that is full
 * they are let go and the consumer catches up from the table instead.
 *
 * The position is written in the transaction that handles events, so each event takes effect once.
 * A position that moves only past foreign events is written now and then, to save work at the next
 * start; losing it costs re-reading, nothing else.
 */
#include "kit/consumer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"

enum {
    PENDING_MAX = 64,
    READ_BATCH = 512,
    TYPES_MAX = 16,
    ATTEMPTS_DEFAULT = 10,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LONGEST_MS = 30000,
    SAVE_EVERY_MS = 60000,
};

struct waiter {
    struct waiter *next;
    struct loop *loop;
    struct coro *coro;
    uint64_t pos;
    struct mail mail;
    bool done; /* taken off the list, its mail is on the way */
};

struct unit {
    struct consumers *all;
    const struct module *module;
    const struct consumer *consumer;
    void *room;
    struct db *db;
    const struct event_type *types[TYPES_MAX]; /* none: every type */
    unsigned type_count;
    _Atomic uint64_t position; /* everything up to here has been handled */
    uint64_t saved;            /* what the table says */
    int64_t saved_ms;
    struct event_batch *pending[PENDING_MAX];
    unsigned pending_first, pending_count;
    uint64_t delivered; /* head of the newest batch seen */
    bool live;          /* what is not handled yet stands in `pending`, or holds nothing for us */
    bool busy;          /* a pending batch is being handled */
    struct coro *coro;
    bool parked, ended;
    struct metric *handled, *failed, *dead;
    pthread_mutex_t waiters_lock;
    struct waiter *waiters;
};

struct consumers {
    struct kit *kit;
    struct event_subscription subscription;
    struct unit *units;
    unsigned count;
    bool stopping;
};

static const struct db_sql sql_position = {"SELECT pos FROM consumer_position WHERE name = ?1"};
static const struct db_sql sql_save = {"INSERT INTO consumer_position (name, pos) VALUES (?1, ?2) "
                                       "ON CONFLICT (name) DO UPDATE SET pos = excluded.pos"};
static const struct db_sql sql_bury = {
    "INSERT INTO dead_letter (consumer, pos, type, stream, data, reason, attempts, at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};

static bool wants(const struct unit *u, const struct event *event)
{
    for (unsigned i = 0; i < u->type_count; i++)
        if (u->types[i] == event->type)
            return true;
    return u->type_count == 0;
}

static bool batch_wanted(const struct unit *u, const struct event_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        if (wants(u, &batch->events[i]))
            return true;
    return false;
}

/* --- waiting for a consumer --------------------------------------------------------------------
 */

static void waiter_wake(struct mail *mail)
{
    struct waiter *w = CONTAINER_OF(mail, struct waiter, mail);
    coro_wake(w->coro, 0);
}

static void tell_waiters(struct unit *u)
{
    uint64_t position = atomic_load(&u->position);
    pthread_mutex_lock(&u->waiters_lock);
    struct waiter **at = &u->waiters;
    while (*at != NULL) {
        struct waiter *w = *at;
        if (w->pos > position) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->done = true;
        w->mail.deliver = waiter_wake;
        loop_post(w->loop, &w->mail);
    }
    pthread_mutex_unlock(&u->waiters_lock);
}

static bool withdraw(struct unit *u, struct waiter *w)
{
    pthread_mutex_lock(&u->waiters_lock);
    bool was_done = w->done;
    for (struct waiter **at = &u->waiters; *at != NULL && !was_done; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    pthread_mutex_unlock(&u->waiters_lock);
    return !was_done;
}

static struct unit *find(struct consumers *consumers, const char *name)
{
    for (unsigned i = 0; i < consumers->count; i++)
        if (strcmp(consumers->units[i].consumer->name, name) == 0)
            return &consumers->units[i];
    return NULL;
}

int consumer_wait(struct consumers *consumers, const char *name, uint64_t pos, int64_t timeout_ms,
                  struct error *err)
{
    struct unit *u = consumers != NULL ? find(consumers, name) : NULL;
    if (u == NULL)
        return error_set(err, FAIL_TIMEOUT, "consumer_behind", "%s does not run here.", name);
    struct waiter w = {.loop = loop_current(), .coro = coro_current(), .pos = pos};
    pthread_mutex_lock(&u->waiters_lock);
    bool there = atomic_load(&u->position) >= pos;
    if (!there) {
        w.next = u->waiters;
        u->waiters = &w;
    }
    pthread_mutex_unlock(&u->waiters_lock);
    if (there)
        return 0;
    int rc = coro_park(timeout_ms);
    if (rc == 0)
        return 0;
    /* The mail may be on its way: the waiter lives on this stack, so it must arrive first. */
    if (!withdraw(u, &w)) {
        while (coro_park(CORO_FOREVER) != 0)
            continue;
        return 0;
    }
    return error_set(err, rc, "consumer_behind", "%s has not come that far yet.", name);
}

/* --- handling ----------------------------------------------------------------------------------
 */

struct attempt {
    struct unit *unit;
    const struct event *events;
    unsigned count;
    uint64_t position; /* after them */
    unsigned handled;
    const char *bury_reason; /* put the only event aside instead of handling it */
    unsigned attempts;
};

static int save_position(struct db_tx *tx, const struct unit *u, uint64_t position,
                         struct error *err)
{
    return db_exec(tx, &sql_save, err, db_text(slice_str(u->consumer->name)),
                   db_int((int64_t)position));
}

static int handle_in_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct attempt *a = arg;
    const struct unit *u = a->unit;
    a->handled = 0;
    for (unsigned i = 0; i < a->count; i++) {
        const struct event *event = &a->events[i];
        if (!wants(u, event))
            continue;
        int rc;
        if (a->bury_reason != NULL)
            rc = db_exec(tx, &sql_bury, err, db_text(slice_str(u->consumer->name)),
                         db_int((int64_t)event->pos), db_text(slice_str(event->type->name)),
                         db_id(&event->stream), db_text(event->data),
                         db_text(slice_str(a->bury_reason)), db_int(a->attempts),
                         db_int(clock_wall_ms(db_clock(tx))));
        else
            rc = u->consumer->handle(u->room, tx, event, err);
        if (rc < 0)
            return rc;
        a->handled++;
    }
    return save_position(tx, u, a->position, err);
}

static void advance(struct unit *u, uint64_t position, bool saved)
{
    atomic_store(&u->position, position);
    if (saved) {
        u->saved = position;
        u->saved_ms = clock_mono_ms(u->all->kit->clock);
    }
    tell_waiters(u);
}

static int run_attempt(struct attempt *a, struct error *err)
{
    error_init(err);
    int rc = db_write(a->unit->db, handle_in_tx, a, err);
    if (rc == 0) {
        metric_add(a->unit->handled, a->handled);
        advance(a->unit, a->position, true);
    }
    return rc;
}

static int pause_after(unsigned attempt)
{
    int64_t ms = BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < attempt && ms < BACKOFF_LONGEST_MS; i++)
        ms *= 2;
    return coro_sleep(ms < BACKOFF_LONGEST_MS ? ms : BACKOFF_LONGEST_MS);
}

/* One event until it is handled or put aside. Negative only when told to end. */
static int handle_one(struct unit *u, const struct event *event)
{
    unsigned most = u->consumer->attempts != 0 ? u->consumer->attempts : ATTEMPTS_DEFAULT;
    struct attempt a = {.unit = u, .events = event, .count = 1, .position = event->pos};
    struct error err;
    for (unsigned attempt = 0;; attempt++) {
        if (run_attempt(&a, &err) == 0)
            return 0;
        if (u->all->stopping)
            return FAIL_CANCELLED;
        metric_add(u->failed, 1);
        log_warn("consumer failed", LOG_S("consumer", u->consumer->name), LOG_I("pos", event->pos),
                 LOG_I("attempt", attempt + 1), LOG_S("code", err.code),
                 LOG_S("detail", err.detail));
        if (attempt + 1 >= most && a.bury_reason == NULL) {
            a.bury_reason = err.detail;
            a.attempts = attempt + 1;
            struct error bury_err;
            if (run_attempt(&a, &bury_err) == 0) {
                metric_add(u->dead, 1);
                return 0;
            }
            a.bury_reason = NULL; /* the database itself is in trouble: go on trying */
        }
        if (pause_after(attempt) < 0)
            return FAIL_CANCELLED;
    }
}

/* A run of events whose last position is `through`. All in one transaction; when that fails, one by
 * one, so that a bad event holds up only itself. */
static int handle_run(struct unit *u, const struct event *events, unsigned count, uint64_t through)
{
    struct attempt a = {.unit = u, .events = events, .count = count, .position = through};
    struct error err;
    if (run_attempt(&a, &err) == 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        if (wants(u, &events[i]) && handle_one(u, &events[i]) < 0)
            return FAIL_CANCELLED;
    advance(u, through, false);
    return 0;
}

/* --- catching up from the table ----------------------------------------------------------------
 */

struct reading {
    struct unit *unit;
    struct arena arena;
    struct event *events;
    unsigned count;
    uint64_t last; /* position of the last row seen, wanted or not */
    unsigned seen;
};

static int keep_event(const struct event *event, void *arg, struct error *err)
{
    struct reading *r = arg;
    r->last = event->pos;
    r->seen++;
    if (!wants(r->unit, event))
        return 0;
    struct event *copy = &r->events[r->count];
    *copy = *event;
    copy->links = NULL;
    copy->link_count = 0;
    copy->data = arena_copy(&r->arena, event->data);
    copy->correlation_id = (struct slice){0};
    if (copy->data.ptr == NULL)
        return r->count > 0 ? 1
                            : error_set(err, FAIL_TOO_LARGE, "event_too_large",
                                        "An event of the log does not fit into memory.");
    r->count++;
    return 0;
}

static int read_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    return event_log_read(r->unit->all->kit->log, tx, atomic_load(&r->unit->position), READ_BATCH,
                          keep_event, r, err);
}

/* One step; true when everything delivered so far has been handled. */
static bool catch_up(struct unit *u)
{
    struct kit *kit = u->all->kit;
    uint64_t head = u->delivered;
    if (atomic_load(&u->position) >= head)
        return true;
    struct reading r = {.unit = u};
    arena_init(&r.arena, 64u << 20);
    r.events = arena_array(&r.arena, READ_BATCH, sizeof *r.events);
    panic_if(r.events == NULL, "no memory for a consumer's batch");
    struct error err;
    error_init(&err);
    int rc = db_read(kit->main_db, read_rows, &r, &err);
    if (rc < 0)
        (void)pause_after(3);
    else if (r.count > 0)
        (void)handle_run(u, r.events, r.count, r.last);
    else
        advance(u, r.seen > 0 ? r.last : head, false);
    arena_done(&r.arena);
    return atomic_load(&u->position) >= u->delivered;
}

/* --- the coroutine -----------------------------------------------------------------------------
 */

static struct event_batch *take_pending(struct unit *u)
{
    struct event_batch *batch = u->pending[u->pending_first];
    u->pending_first = (u->pending_first + 1) % PENDING_MAX;
    u->pending_count--;
    return batch;
}

static void drop_pending(struct unit *u)
{
    while (u->pending_count > 0)
        event_batch_unref(take_pending(u));
}

static void work_pending(struct unit *u)
{
    struct event_batch *batch = take_pending(u);
    u->busy = true;
    if (batch->head > atomic_load(&u->position))
        (void)handle_run(u, batch->events, batch->count, batch->head);
    u->busy = false;
    event_batch_unref(batch);
}

static void save_now(struct unit *u)
{
    struct error err;
    struct attempt a = {.unit = u, .position = atomic_load(&u->position)};
    if (a.position != u->saved)
        (void)run_attempt(&a, &err);
}

/* Nothing to do: what was delivered and not kept held nothing for this consumer. */
static int rest(struct unit *u)
{
    if (atomic_load(&u->position) < u->delivered)
        advance(u, u->delivered, false);
    if (clock_mono_ms(u->all->kit->clock) - u->saved_ms > SAVE_EVERY_MS)
        save_now(u);
    if (u->pending_count > 0 || !u->live)
        return 0;
    u->parked = true;
    int rc = coro_park(SAVE_EVERY_MS);
    u->parked = false;
    return rc == FAIL_CANCELLED ? rc : 0;
}

static void unit_main(void *arg)
{
    struct unit *u = arg;
    u->coro = coro_current();
    while (!u->all->stopping) {
        if (!u->live) {
            u->live = catch_up(u);
            coro_yield();
        } else if (u->pending_count > 0) {
            work_pending(u);
        } else if (rest(u) < 0) {
            break;
        }
    }
    drop_pending(u);
    save_now(u);
    u->ended = true;
}

static void wake(struct unit *u)
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
    for (unsigned i = 0; i < all->count; i++) {
        struct unit *u = &all->units[i];
        u->delivered = batch->head;
        if (!u->live)
            continue;
        if (!batch_wanted(u, batch)) {
            if (u->pending_count == 0 && !u->busy)
                advance(u, batch->head, false);
        } else if (u->pending_count < PENDING_MAX) {
            event_batch_ref(batch);
            u->pending[(u->pending_first + u->pending_count++) % PENDING_MAX] = batch;
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
    struct unit *u = arg;
    struct db_rows rows;
    int rc = db_query(tx, &sql_position, &rows, err, db_text(slice_str(u->consumer->name)));
    if (rc < 0)
        return rc;
    rc = db_next(&rows, err);
    if (rc > 0)
        u->saved = (uint64_t)db_col_int(&rows, 0);
    db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

static const struct event_type *type_named(struct kit *kit, const char *name)
{
    for (int m = 0; kit->modules[m] != NULL; m++) {
        const struct event_type *const *types = kit->modules[m]->events;
        for (int i = 0; types != NULL && types[i] != NULL; i++)
            if (strcmp(types[i]->name, name) == 0)
                return types[i];
    }
    return NULL;
}

static struct metric *unit_metric(const struct unit *u, const char *name, const char *help)
{
    char labels[96];
    snprintf(labels, sizeof labels, "consumer=\"%s\"", u->consumer->name);
    return metric_register(METRIC_COUNTER, name, help, labels);
}

static int64_t unit_lag(void *arg)
{
    struct unit *u = arg;
    int64_t lag = (int64_t)(event_log_head(u->all->kit->log) - atomic_load(&u->position));
    return lag > 0 ? lag : 0;
}

static void name_unit(struct unit *u, struct kit *kit)
{
    const char *const *names = u->consumer->types;
    for (; names != NULL && *names != NULL; names++) {
        panic_if(u->type_count == TYPES_MAX, "%s: too many event types", u->consumer->name);
        const struct event_type *type = type_named(kit, *names);
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

static int init_unit(struct unit *u, struct consumers *all, unsigned module,
                     const struct consumer *consumer, struct error *err)
{
    struct kit *kit = all->kit;
    *u = (struct unit){.all = all,
                       .module = kit->modules[module],
                       .consumer = consumer,
                       .room = kit->rooms[module],
                       .saved_ms = clock_mono_ms(kit->clock)};
    u->db = kit_db(kit, consumer->db != NULL ? consumer->db : kit->modules[module]->name);
    pthread_mutex_init(&u->waiters_lock, NULL);
    name_unit(u, kit);
    int rc = db_read(u->db, read_position, u, err);
    atomic_store(&u->position, u->saved);
    return rc;
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
        struct unit *u = &all->units[i];
        u->delivered = event_log_head(all->kit->log);
        struct error err;
        error_init(&err);
        int rc = coro_spawn(all->kit->loops[0], unit_main, u, &err);
        panic_if(rc < 0, "no coroutine for the consumer %s", u->consumer->name);
    }
}

int consumers_start(struct kit *kit, struct consumers **ret_consumers, struct error *err)
{
    struct consumers *all = xcalloc(1, sizeof *all);
    all->kit = kit;
    all->units = xcalloc(count_consumers(kit), sizeof *all->units);
    for (unsigned m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->consumer_count; i++) {
            struct unit *u = &all->units[all->count++];
            int rc = init_unit(u, all, m, &kit->modules[m]->consumers[i], err);
            if (rc < 0) {
                free(all->units);
                free(all);
                return rc;
            }
        }
    all->subscription.loop = kit->loops[0];
    all->subscription.deliver = deliver;
    struct starting *s = xcalloc(1, sizeof *s);
    s->all = all;
    s->mail.deliver = begin;
    *ret_consumers = all;
    loop_post(kit->loops[0], &s->mail);
    return 0;
}

void consumers_stop(struct consumers *all)
{
    all->stopping = true;
    for (unsigned i = 0; i < all->count; i++)
        wake(&all->units[i]);
    for (unsigned i = 0; i < all->count; i++)
        for (int tries = 0; !all->units[i].ended && tries < 500; tries++)
            if (coro_sleep(10) < 0)
                return;
}
