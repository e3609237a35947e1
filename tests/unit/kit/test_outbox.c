/* The outbox of a room that lives in a database of its own: what it says comes to the log once, in
 * order, whatever is interrupted between the steps. The relay's steps are called one by one; the
 * process "dies" by dropping the relay and opening another over the same files. */
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/schema.h"
#include "engine/db_one.h"
#include "harness.h"
#include "kit/consumer.h" /* kit_schema */
#include "kit/emit.h"
#include "kit/outbox.h"

struct said {
    int64_t number;
};
static const struct schema_field said_fields[] = {
    {"number", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct said, number)}};
static SCHEMA_DEF(said_schema, struct said, "Said", "For the test.", said_fields);
static const struct event_type said_event = {"room.said", true, &said_schema, "For the test."};
static const struct event_type gone_event = {"room.gone", true, &said_schema, "Not of any room."};
static const struct event_type *const types[] = {&said_event, NULL};
static const struct module room = {.name = "room", .events = types};
static const struct module *const modules[] = {&room, NULL};

static const char made[] = "CREATE TABLE thing (number INTEGER PRIMARY KEY) STRICT";
static const struct db_migration room_migrations[] = {{1, "thing", made}};
static const struct db_schema room_schema = {"room", room_migrations, 1};

static struct clock_fake fake;
static struct kit kit;
static struct kit_database databases[1];
static struct db *room_db;
static struct error err;
static const struct id stream = {{1}}, friend_id = {{2}};
static char folder[512];

static struct db *open_db(const char *name, const struct db_schema *schemas, size_t count)
{
    char path[600];
    struct db *db = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct db_config config = {
        .path = path, .readers = 1, .queue_max = 64, .batch_max = 16, .clock = &fake.clock};
    CHECK_OK(db_open(&config, &db, &err), &err);
    CHECK_OK(db_migrate(db, schemas, count, NULL, &err), &err);
    return db;
}

static void open_engines(const char *name)
{
    const struct db_schema of_main[] = {event_log_schema, kit_schema, outbox_relay_schema};
    const struct db_schema of_room[] = {kit_schema, outbox_schema, room_schema};
    error_init(&err);
    memset(&kit, 0, sizeof kit);
    kit.clock = &fake.clock;
    kit.modules = modules;
    kit.main_db = open_db("main.db", of_main, ARRAY_LEN(of_main));
    room_db = open_db(name, of_room, ARRAY_LEN(of_room));
    databases[0] = (struct kit_database){"room", room_db, "graph"};
    kit.databases = databases;
    kit.database_count = 1;
    struct event_log_config log = {.db = kit.main_db, .types = types};
    CHECK_OK(event_log_open(&log, &kit.log, &err), &err);
    CHECK_OK(event_log_start(kit.log, &err), &err);
}

static void close_engines(void)
{
    event_log_close(kit.log);
    db_close(room_db);
    db_close(kit.main_db);
    outboxes_free(kit.outboxes);
}

static void open_world(void)
{
    clock_fake_init(&fake, INT64_C(1795000000000));
    snprintf(folder, sizeof folder, "%s", test_dir());
    open_engines("graph.db");
}

static void open_relay(void)
{
    error_init(&err);
    CHECK_OK(outboxes_open(&kit, &kit.outboxes, &err), &err);
}

/* --- the room ----------------------------------------------------------------------------------
 */

static const struct db_sql sql_thing = {"INSERT INTO thing (number) VALUES (?1)"};
static const struct db_sql sql_things = {"SELECT count(*) FROM thing"};
static const struct db_sql sql_rows = {"SELECT count(*) FROM outbox"};

struct change {
    int64_t number;
    bool fails, audited;
    uint64_t pos;
};

static int change_tx(struct db_tx *tx, void *arg, struct error *e)
{
    struct change *c = arg;
    struct said data = {c->number};
    struct event_link link = {EVENT_FOLLOW, friend_id};
    struct emit event = {.type = &said_event,
                         .stream = &stream,
                         .data = &data,
                         .links = &link,
                         .link_count = 1,
                         .correlation_id = SLICE("request-1")};
    struct audit_entry entry = {.action = "thing.made",
                                .actor = &friend_id,
                                .subject_kind = "thing",
                                .subject = &stream,
                                .detail = SLICE("{\"a\":1}")};
    int rc = db_exec(tx, &sql_thing, e, db_int(c->number));
    if (rc == 0)
        rc = kit_emit(&kit, tx, &event, &c->pos, e);
    if (rc == 0 && c->audited)
        rc = audit_write(&kit, tx, &entry, e);
    return rc == 0 && c->fails ? error_set(e, FAIL_INTERNAL, "no", "The test says no.") : rc;
}

static int change(struct change c)
{
    error_init(&err);
    return db_write(room_db, change_tx, &c, &err);
}

static void make(int64_t first, int64_t last)
{
    for (int64_t i = first; i <= last; i++)
        CHECK_OK(change((struct change){.number = i}), &err);
}

/* --- looking ------------------------------------------------------------------------------------
 */

struct count {
    const struct db_sql *sql;
    int64_t value;
};

static int count_tx(struct db_tx *tx, void *arg, struct error *e)
{
    struct count *c = arg;
    return db_one_int(tx, c->sql, &c->value, e);
}

static int64_t count(struct db *db, const struct db_sql *sql)
{
    struct count c = {.sql = sql};
    error_init(&err);
    CHECK_OK(db_read(db, count_tx, &c, &err), &err);
    return c.value;
}

struct told {
    int64_t numbers[600];
    unsigned count;
    bool links_and_ids;
};

static int tell(const struct event *event, void *arg, struct error *e)
{
    struct told *t = arg;
    char text[64];
    (void)e;
    snprintf(text, sizeof text, "%.*s", SLICE_FMT(event->data));
    if (t->count < ARRAY_LEN(t->numbers) &&
        sscanf(text, "{\"number\":%" SCNd64 "}", &t->numbers[t->count]) == 1)
        t->count++;
    t->links_and_ids = t->links_and_ids && event->link_count == 1 &&
                       event->links[0].kind == EVENT_FOLLOW &&
                       id_eq(&event->links[0].user, &friend_id) && id_eq(&event->stream, &stream) &&
                       slice_eq(event->correlation_id, SLICE("request-1"));
    return 0;
}

static int told_tx(struct db_tx *tx, void *arg, struct error *e)
{
    return event_log_read(kit.log, tx, 0, 100000, tell, arg, e);
}

/* The log tells of 1, 2, 3 ... last, each once, in this order. */
static void check_told(int64_t last)
{
    struct told t = {.links_and_ids = true};
    error_init(&err);
    CHECK_OK(db_read(kit.main_db, told_tx, &t, &err), &err);
    CHECK_INT(t.count, last);
    CHECK(t.links_and_ids);
    for (unsigned i = 0; i < t.count; i++)
        CHECK_INT(t.numbers[i], i + 1);
}

static int step(void)
{
    error_init(&err);
    return outboxes_step(kit.outboxes, 0, &err);
}

static int sweep(void)
{
    error_init(&err);
    return outboxes_sweep(kit.outboxes, 0, &err);
}

/* --- tests -------------------------------------------------------------------------------------
 */

TEST(in_order_and_once)
{
    open_world();
    open_relay();
    struct change c = {.number = 1};
    CHECK_OK(db_write(room_db, change_tx, &c, &err), &err);
    CHECK_INT(c.pos, 1); /* the least that it can be */
    make(2, 500);
    check_told(0);
    CHECK_INT(step(), 256);
    check_told(256);
    CHECK_INT(step(), 244);
    CHECK_INT(step(), 0);
    check_told(500);
    CHECK_INT(count(room_db, &sql_rows), 500);
    CHECK_OK(sweep(), &err);
    CHECK_INT(count(room_db, &sql_rows), 0);
    make(501, 503); /* their numbers are above those that are gone */
    CHECK_INT(step(), 3);
    check_told(503);
    close_engines();
}

TEST(undone_says_nothing)
{
    open_world();
    open_relay();
    CHECK_INT(change((struct change){.number = 1, .fails = true}), FAIL_INTERNAL);
    CHECK_INT(step(), 0);
    CHECK_INT(count(room_db, &sql_things), 0);
    make(1, 1);
    CHECK_INT(step(), 1);
    check_told(1);
    close_engines();
}

/* Death after each step: committed; in main's transaction; relayed; in the sweep; swept. */
TEST(death_between_the_steps)
{
    open_world();
    make(1, 3); /* nobody relays: the process that wrote them has died */
    close_engines();
    open_engines("graph.db");
    open_relay();
    check_told(3);
    CHECK_INT(count(room_db, &sql_rows), 0);

    make(4, 5);
    CHECK(fault_set("outbox.relay=error"));
    CHECK_INT(step(), FAIL_INTERNAL);
    CHECK(fault_set(""));
    check_told(3); /* neither the events nor the number */
    close_engines();
    open_engines("graph.db");
    open_relay();
    check_told(5);

    make(6, 7);
    CHECK_INT(step(), 2); /* relayed, not deleted */
    CHECK_INT(count(room_db, &sql_rows), 2);
    close_engines();
    open_engines("graph.db");
    open_relay();
    check_told(7);
    CHECK_INT(count(room_db, &sql_rows), 0);

    make(8, 9);
    CHECK_INT(step(), 2);
    CHECK(fault_set("outbox.sweep=error"));
    CHECK_INT(sweep(), FAIL_INTERNAL);
    CHECK(fault_set(""));
    CHECK_INT(count(room_db, &sql_rows), 2);
    make(10, 10);
    CHECK_INT(step(), 1);
    CHECK_OK(sweep(), &err);
    check_told(10);
    CHECK_INT(count(room_db, &sql_rows), 0);
    close_engines();
}

TEST(a_full_log_is_tried_again)
{
    open_world();
    open_relay();
    make(1, 2);
    CHECK(fault_set("db.commit=error@1"));
    int rc = step();
    CHECK(fault_set(""));
    CHECK(rc < 0);
    check_told(0);
    CHECK_INT(step(), 2);
    check_told(2);
    close_engines();
}

static const struct db_sql sql_forget = {"DELETE FROM outbox_relayed"};

static int exec_tx(struct db_tx *tx, void *arg, struct error *e)
{
    return db_exec_n(tx, arg, NULL, 0, e);
}

/* A copy of the room's database from before is put in its place: what is said from then on has
 * numbers that main.db has not seen. */
TEST(an_older_copy)
{
    char path[600];
    open_world();
    open_relay();
    make(1, 2);
    CHECK_INT(step(), 2);
    CHECK_OK(sweep(), &err);
    snprintf(path, sizeof path, "%s/older.db", folder);
    CHECK_OK(db_backup(room_db, path, NULL, &err), &err);
    make(3, 5);
    CHECK_INT(step(), 3);
    close_engines();
    open_engines("older.db");
    open_relay();
    CHECK_INT(count(room_db, &sql_things), 2);
    make(6, 7);
    CHECK_INT(step(), 2);
    check_told(7);
    close_engines();
}

/* A database that is begun anew is not the one whose numbers main.db has. */
TEST(begun_anew)
{
    open_world();
    open_relay();
    make(1, 4);
    CHECK_INT(step(), 4);
    close_engines();
    open_engines("anew.db");
    open_relay();
    make(5, 6);
    CHECK_INT(step(), 2);
    check_told(6);
    close_engines();
}

static int gone_tx(struct db_tx *tx, void *arg, struct error *e)
{
    struct said data = {1};
    (void)arg;
    return kit_emit(&kit, tx, &(struct emit){.type = &gone_event, .stream = &stream, .data = &data},
                    NULL, e);
}

TEST(an_unknown_event_is_not_passed_over)
{
    open_world();
    CHECK_OK(db_write(room_db, gone_tx, NULL, &err), &err);
    make(1, 1);
    struct outboxes *all;
    CHECK_INT(outboxes_open(&kit, &all, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "outbox_unknown");
    check_told(0);
    outboxes_free(all); /* what was begun is given also when it fails */
    close_engines();
}

static const struct db_sql sql_entries = {
    "SELECT count(*) FROM audit WHERE action = 'thing.made' AND subject_kind = 'thing' "
    "AND detail = '{\"a\":1}'"};

TEST(the_audit_log)
{
    open_world();
    open_relay();
    CHECK_OK(change((struct change){.number = 1, .audited = true}), &err);
    CHECK_OK(change((struct change){.number = 2, .audited = true}), &err);
    CHECK_INT(count(kit.main_db, &sql_entries), 0);
    CHECK_INT(step(), 4);
    CHECK_INT(count(kit.main_db, &sql_entries), 2);
    check_told(2);
    struct audit_mark end;
    error_init(&err);
    CHECK_OK(audit_verify(&kit, NULL, &end, &err), &err);
    CHECK_INT(end.seq, 2);
    /* The test can fail: without main's number the rows are told again. */
    CHECK_OK(db_write(kit.main_db, exec_tx, (void *)&sql_forget, &err), &err);
    close_engines();
    open_engines("graph.db");
    open_relay();
    CHECK_INT(count(kit.main_db, &sql_entries), 4);
    close_engines();
}
