/* Relays outboxes to the log.
 *
 * A unit is one database and one coroutine of the first loop, which alone reads and deletes there.
 * A commit wakes it by mail (at most one is on its way); it then takes rows in order, a step at a
 * time, until none is left. A step that main.db cannot take now is tried again, with longer and
 * longer pauses: nothing is passed over. Relayed rows are deleted many at a time, or when there
 * has been nothing to do for a second.
 *
 * `relayed` is what main.db says. Its transaction looks at the table itself, so that a row is
 * emitted once even if this process were wrong about it.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/metric.h"
#include "engine/db_one.h"
#include "kit/audit_chain.h"
#include "kit/emit.h"
#include "kit/outbox_private.h"

enum {
    STEP_ROWS = 256,
    STEP_BYTES_MAX = 4 << 20,
    LINKS_BYTES_MAX = 1 << 20, /* OUTBOX_LINKS_MAX of them fit */
    SWEEP_ROWS = 2048,         /* relayed and not deleted yet: no longer put off */
    IDLE_MS = 1000,
    BACKOFF_FIRST_MS = 20,
    BACKOFF_LONGEST_MS = 5000,
    STOP_LOOKS = 500,
    STOP_LOOK_MS = 10,
};

struct unit {
    struct outboxes *all;
    const char *name;
    struct db *db;
    struct id origin;
    uint64_t relayed, swept; /* rows up to here are in the log; are deleted */
    _Atomic int64_t waiting; /* committed and not relayed */
    struct metric *rows, *failures;
    struct mail mail;
    _Atomic bool mailed; /* the mail is on its way */
    struct coro *coro;
    bool parked, busy, ended;
};

struct outboxes {
    struct outboxes *next; /* among those that have ended */
    struct kit *kit;
    struct unit *units;
    unsigned count;
    unsigned held;
    bool running, stopping;
};

static const struct db_sql sql_origin = {"SELECT id FROM outbox_origin"};
static const struct db_sql sql_last_number = {
    "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"};
static const struct db_sql sql_waiting = {"SELECT count(*) FROM outbox WHERE number > ?1"};
static const struct db_sql sql_first_number = {"SELECT coalesce(min(number), 0) FROM outbox"};
static const struct db_sql sql_set_last = {
    "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'outbox'"};
static const struct db_sql sql_make_last = {
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?1)"};
static const struct db_sql sql_rows = {
    "SELECT number, kind, name, subject, data, correlation_id, links, id, actor, subject_kind, at "
    "FROM outbox WHERE number > ?1 ORDER BY number LIMIT ?2"};
static const struct db_sql sql_sweep = {"DELETE FROM outbox WHERE number <= ?1"};
static const struct db_sql sql_relayed = {"SELECT number FROM outbox_relayed WHERE origin = ?1"};
static const struct db_sql sql_set_relayed = {
    "INSERT INTO outbox_relayed (origin, number) VALUES (?1, ?2) "
    "ON CONFLICT (origin) DO UPDATE SET number = excluded.number"};

/* --- being told --------------------------------------------------------------------------------
 */

static void arrive(struct mail *mail)
{
    struct unit *u = CONTAINER_OF(mail, struct unit, mail);
    atomic_store(&u->mailed, false);
    if (u->parked) {
        u->parked = false;
        coro_wake(u->coro, 0);
    }
}

/* On the writer's thread. */
static void committed(void *arg, const struct id *nobody)
{
    struct unit *u = arg;
    (void)nobody;
    atomic_fetch_add(&u->waiting, 1);
    if (!atomic_exchange(&u->mailed, true))
        loop_post(u->all->kit->loops[0], &u->mail);
}

int outbox_poke_on_commit(struct kit *kit, struct db_tx *tx, struct error *err)
{
    struct outboxes *all = kit->outboxes;
    if (all == NULL || !all->running)
        return 0;
    for (unsigned i = 0; i < all->count; i++)
        if (all->units[i].db == db_tx_db(tx))
            return kit_after_commit(tx, committed, &all->units[i], &(struct id){{0}}, err);
    return 0;
}

/* --- one step ----------------------------------------------------------------------------------
 */

struct row {
    uint64_t number;
    int64_t kind, at;
    struct slice name, data, correlation_id, links, subject_kind;
    struct id subject, id, actor;
};

struct step {
    struct unit *unit;
    struct arena arena, links; /* links: of the row in hand */
    struct row *rows;
    unsigned count, emitted;
};

static bool copy(struct step *s, const struct db_rows *rows, int col, struct slice *ret)
{
    *ret = arena_copy(&s->arena, db_col_blob(rows, col));
    return ret->ptr != NULL || db_col_null(rows, col);
}

/* False when it does not fit any more. */
static bool take_row(struct step *s, const struct db_rows *rows)
{
    struct row *row = &s->rows[s->count];
    *row = (struct row){.number = (uint64_t)db_col_int(rows, 0),
                        .kind = db_col_int(rows, 1),
                        .subject = db_col_id(rows, 3),
                        .id = db_col_id(rows, 7),
                        .actor = db_col_id(rows, 8),
                        .at = db_col_int(rows, 10)};
    return copy(s, rows, 2, &row->name) && copy(s, rows, 4, &row->data) &&
           copy(s, rows, 5, &row->correlation_id) && copy(s, rows, 6, &row->links) &&
           copy(s, rows, 9, &row->subject_kind);
}

static int read_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *s = arg;
    struct db_rows rows;
    int rc =
        db_query(tx, &sql_rows, &rows, err, db_int((int64_t)s->unit->relayed), db_int(STEP_ROWS));
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        if (!take_row(s, &rows))
            break;
        s->count++;
    }
    if (rc > 0)
        db_rows_close(&rows);
    if (rc > 0 && s->count == 0)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "A row of an outbox is too large.");
    return rc < 0 ? rc : 0;
}

static const struct event_link *take_links(struct step *s, struct slice bytes, unsigned *ret_count)
{
    unsigned count = (unsigned)(bytes.len / OUTBOX_LINK_BYTES);
    arena_reset(&s->links);
    struct event_link *links = arena_array(&s->links, count > 0 ? count : 1, sizeof *links);
    for (unsigned i = 0; links != NULL && i < count; i++) {
        const char *at = bytes.ptr + (size_t)i * OUTBOX_LINK_BYTES;
        links[i].kind = (enum event_link_kind)at[0];
        memcpy(links[i].user.bytes, at + 1, sizeof links[i].user.bytes);
    }
    *ret_count = count;
    return links;
}

static int emit_row(struct step *s, struct db_tx *tx, const struct row *row, struct error *err)
{
    struct kit *kit = s->unit->all->kit;
    if (row->kind == OUTBOX_AUDIT) {
        struct audit_row entry = {.id = row->id,
                                  .action = row->name,
                                  .actor = row->actor,
                                  .subject_kind = row->subject_kind,
                                  .subject = row->subject,
                                  .detail = row->data,
                                  .correlation_id = row->correlation_id,
                                  .at = row->at};
        return audit_append(tx, &entry, err);
    }
    struct event_draft draft = {.type = kit_event_type(kit, row->name),
                                .stream = row->subject,
                                .data = row->data,
                                .correlation_id = row->correlation_id};
    if (draft.type == NULL || row->kind != OUTBOX_EVENT)
        return error_set(err, FAIL_CONFLICT, "outbox_unknown",
                         "the outbox of %s.db has the event %.*s, which this program does not "
                         "know: start the version that wrote it once, which relays it",
                         s->unit->name, SLICE_FMT(row->name));
    draft.links = take_links(s, row->links, &draft.link_count);
    if (draft.links == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "The links of an event do not fit.");
    return event_emit(kit->log, tx, &draft, NULL, err);
}

/* In main.db: the rows and their last number, or neither. */
static int relay_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *s = arg;
    int64_t stored;
    int rc = db_one_int(tx, &sql_relayed, &stored, err, db_id(&s->unit->origin));
    for (unsigned i = 0; rc == 0 && i < s->count; i++)
        if (s->rows[i].number > (uint64_t)stored) {
            rc = emit_row(s, tx, &s->rows[i], err);
            s->emitted++;
        }
    if (rc == 0 && s->emitted > 0)
        rc = db_exec(tx, &sql_set_relayed, err, db_id(&s->unit->origin),
                     db_int((int64_t)s->rows[s->count - 1].number));
    if (rc == 0 && fault("outbox.relay"))
        rc = error_set(err, FAIL_INTERNAL, "outbox_fault", "The fault point was hit.");
    return rc;
}

static int relay_step(struct unit *u, struct error *err)
{
    struct step s = {.unit = u};
    arena_init(&s.arena, STEP_BYTES_MAX);
    arena_init(&s.links, LINKS_BYTES_MAX);
    s.rows = arena_array(&s.arena, STEP_ROWS, sizeof *s.rows);
    panic_if(s.rows == NULL, "no memory for a step of the outbox");
    int rc = db_read(u->db, read_rows, &s, err);
    if (rc == 0 && s.count > 0)
        rc = db_write(u->all->kit->main_db, relay_rows, &s, err);
    if (rc == 0 && s.count > 0) {
        (void)fault("outbox.relayed");
        u->relayed = s.rows[s.count - 1].number;
        metric_add(u->rows, s.emitted);
        atomic_fetch_sub(&u->waiting, (int64_t)s.count);
    }
    arena_done(&s.links);
    arena_done(&s.arena);
    return rc < 0 ? rc : (int)s.count;
}

static int sweep_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct unit *u = arg;
    int rc = db_exec(tx, &sql_sweep, err, db_int((int64_t)u->relayed));
    if (rc == 0 && fault("outbox.sweep"))
        rc = error_set(err, FAIL_INTERNAL, "outbox_fault", "The fault point was hit.");
    return rc;
}

static int sweep(struct unit *u, struct error *err)
{
    uint64_t to = u->relayed;
    int rc = to > u->swept ? db_write(u->db, sweep_tx, u, err) : 0;
    if (rc == 0)
        u->swept = to;
    return rc;
}

int outboxes_step(struct outboxes *all, unsigned index, struct error *err)
{
    return relay_step(&all->units[index], err);
}

int outboxes_sweep(struct outboxes *all, unsigned index, struct error *err)
{
    return sweep(&all->units[index], err);
}

/* --- the coroutine -----------------------------------------------------------------------------
 */

/* Until woken, or told to stop. FAIL_TIMEOUT when neither happened. */
static int park(struct unit *u, int64_t ms)
{
    if (u->all->stopping || atomic_load(&u->mailed))
        return 0;
    u->parked = true;
    int rc = coro_park(ms);
    u->parked = false;
    return rc;
}

/* A new row does not cut the pause short. */
static void pause_ms(struct unit *u, int64_t ms)
{
    int64_t until = loop_now_ms(loop_current()) + ms;
    while (!u->all->stopping && loop_now_ms(loop_current()) < until)
        if (coro_sleep(STOP_LOOK_MS) < 0)
            return;
}

static int64_t work(struct unit *u, int64_t backoff)
{
    struct error err;
    error_init(&err);
    u->busy = true;
    int rc = relay_step(u, &err);
    if (rc > 0 && u->relayed - u->swept >= SWEEP_ROWS)
        rc = sweep(u, &err) < 0 ? err.kind : rc;
    u->busy = false;
    if (rc < 0) {
        metric_add(u->failures, 1);
        log_warn("outbox not relayed", LOG_S("database", u->name), LOG_S("code", err.code),
                 LOG_S("detail", err.detail), LOG_I("again_ms", backoff));
        pause_ms(u, backoff);
        return backoff * 2 < BACKOFF_LONGEST_MS ? backoff * 2 : BACKOFF_LONGEST_MS;
    }
    if (rc == 0 && park(u, u->relayed > u->swept ? IDLE_MS : CORO_FOREVER) == FAIL_TIMEOUT)
        (void)!sweep(u, &err); /* else with the next ones */
    return BACKOFF_FIRST_MS;
}

static void finish(struct unit *u)
{
    struct error err;
    error_init(&err);
    int rc = 1;
    while (rc > 0 && u->all->held == 0)
        rc = relay_step(u, &err);
    if (rc == 0 && u->all->held == 0)
        rc = sweep(u, &err);
    if (rc < 0)
        log_warn("outbox not empty at the end: the next start relays it",
                 LOG_S("database", u->name), LOG_S("code", err.code), LOG_S("detail", err.detail));
}

static void unit_main(void *arg)
{
    struct unit *u = arg;
    u->coro = coro_current();
    int64_t backoff = BACKOFF_FIRST_MS;
    while (!u->all->stopping) {
        if (u->all->held > 0)
            (void)!coro_sleep(STOP_LOOK_MS);
        else
            backoff = work(u, backoff);
    }
    finish(u);
    u->ended = true;
}

void outboxes_hold(struct outboxes *all)
{
    if (all == NULL)
        return;
    all->held++;
    for (unsigned i = 0; i < all->count; i++)
        while (all->units[i].busy && coro_sleep(1) == 0)
            continue;
}

void outboxes_release(struct outboxes *all)
{
    if (all != NULL)
        all->held--;
}

/* --- start and stop ----------------------------------------------------------------------------
 */

static int64_t unit_waiting(void *arg)
{
    const struct unit *u = arg;
    int64_t waiting = atomic_load(&u->waiting);
    return waiting > 0 ? waiting : 0;
}

int64_t outboxes_waiting(const struct outboxes *all)
{
    int64_t waiting = 0;
    for (unsigned i = 0; i < all->count; i++)
        waiting += unit_waiting(&all->units[i]);
    return waiting;
}

static void add_unit(struct outboxes *all, const struct kit_database *database)
{
    for (unsigned i = 0; i < all->count; i++)
        if (all->units[i].db == database->db)
            return;
    struct unit *u = &all->units[all->count++];
    *u = (struct unit){.all = all, .name = database->name, .db = database->db};
    u->mail.deliver = arrive;
    char labels[96];
    snprintf(labels, sizeof labels, "database=\"%s\"", u->name);
    u->rows = metric_register(METRIC_COUNTER, "parley_outbox_relayed_total",
                              "Events and audit entries relayed from another database to the log.",
                              labels);
    u->failures = metric_register(METRIC_COUNTER, "parley_outbox_failures_total",
                                  "Attempts at relaying that failed.", labels);
    metric_register_gauge_fn("parley_outbox_rows", "Committed and not relayed to the log yet.",
                             labels, unit_waiting, u);
}

static int load_relayed(struct db_tx *tx, void *arg, struct error *err)
{
    struct unit *u = arg;
    int64_t number;
    int rc = db_one_int(tx, &sql_relayed, &number, err, db_id(&u->origin));
    if (rc == 0)
        u->relayed = (uint64_t)number;
    return rc;
}

static int load_origin(struct db_tx *tx, void *arg, struct error *err)
{
    struct unit *u = arg;
    int rc = db_one_id(tx, &sql_origin, &u->origin, err);
    if (rc == 0 && id_is_nil(&u->origin))
        rc = error_set(err, FAIL_CONFLICT, "outbox_origin",
                       "%s.db has lost the row of outbox_origin: restore a backup", u->name);
    return rc;
}

/* An older copy of the database was put in its place: its next numbers must be above those that
 * main.db has as relayed. The other way round, with an older main.db, what was deleted here is not
 * in the log; that cannot be mended, but is said. */
static int check_numbers(struct db_tx *tx, void *arg, struct error *err)
{
    struct unit *u = arg;
    int64_t last = 0, first = 0, waiting = 0;
    int rc = db_one_int(tx, &sql_last_number, &last, err);
    if (rc == 0)
        rc = db_one_int(tx, &sql_first_number, &first, err);
    if (rc == 0)
        rc = db_one_int(tx, &sql_waiting, &waiting, err, db_int((int64_t)u->relayed));
    if (rc < 0)
        return rc;
    atomic_store(&u->waiting, waiting);
    if ((uint64_t)last > u->relayed && (first == 0 || (uint64_t)first > u->relayed + 1))
        log_warn("the log lacks events of this database: main.db is an older copy",
                 LOG_S("database", u->name), LOG_I("relayed", u->relayed), LOG_I("last", last));
    if ((uint64_t)last >= u->relayed)
        return 0;
    log_warn("outbox numbers go on from what main.db has: the database is an older copy",
             LOG_S("database", u->name), LOG_I("relayed", u->relayed), LOG_I("last", last));
    rc = db_exec(tx, &sql_set_last, err, db_int((int64_t)u->relayed));
    if (rc == 0 && db_changes(tx) == 0)
        rc = db_exec(tx, &sql_make_last, err, db_int((int64_t)u->relayed));
    return rc;
}

static int open_unit(struct unit *u, struct error *err)
{
    int rc = db_read(u->db, load_origin, u, err);
    if (rc == 0)
        rc = db_read(u->all->kit->main_db, load_relayed, u, err);
    if (rc == 0)
        rc = db_write(u->db, check_numbers, u, err);
    while (rc == 0) {
        rc = relay_step(u, err);
        if (rc <= 0)
            break;
        rc = 0;
    }
    if (rc == 0)
        rc = sweep(u, err);
    if (rc == FAIL_UNAVAILABLE || rc == FAIL_STORAGE_FULL) {
        log_warn("outbox not relayed at the start", LOG_S("database", u->name),
                 LOG_S("code", err->code), LOG_S("detail", err->detail));
        error_init(err);
        rc = 0;
    }
    return rc;
}

int outboxes_open(struct kit *kit, struct outboxes **ret_outboxes, struct error *err)
{
    struct outboxes *all = xcalloc(1, sizeof *all);
    all->kit = kit;
    all->units = xcalloc(kit->database_count + 1, sizeof *all->units);
    for (unsigned i = 0; i < kit->database_count; i++)
        if (kit->databases[i].name != NULL)
            add_unit(all, &kit->databases[i]);
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < all->count; i++)
        rc = open_unit(&all->units[i], err);
    *ret_outboxes = all;
    return rc;
}

int outboxes_start(struct outboxes *all, struct error *err)
{
    all->running = true;
    for (unsigned i = 0; i < all->count; i++) {
        int rc = coro_spawn(all->kit->loops[0], unit_main, &all->units[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void outboxes_stop(struct outboxes *all)
{
    if (all == NULL)
        return;
    all->stopping = true;
    for (unsigned i = 0; i < all->count; i++)
        if (all->units[i].parked) {
            all->units[i].parked = false;
            coro_wake(all->units[i].coro, 0);
        }
    for (unsigned i = 0; i < all->count; i++)
        for (int looks = 0; !all->units[i].ended && looks < STOP_LOOKS; looks++)
            if (coro_sleep(STOP_LOOK_MS) < 0)
                return;
}

/* The metrics read the units for as long as the process lives; without any, nothing does. */
void outboxes_free(struct outboxes *all)
{
    static struct outboxes *ended;
    if (all == NULL)
        return;
    if (all->count == 0) {
        free(all->units);
        free(all);
        return;
    }
    all->next = ended;
    ended = all;
}
