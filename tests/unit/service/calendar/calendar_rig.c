#include "calendar_rig.h"

#include <stdio.h>

#include "contract/auth.h"
#include "kit/consumer.h"

static const struct module *const modules[] = {&social_module, &user_module, &calendar_module,
                                               NULL};

static void count_ephemeral(struct kit *kit, const struct event_type *type, const struct id *stream,
                            struct slice data, const struct audience *audience)
{
    CONTAINER_OF(kit, struct calendar_rig, kit)->told++;
}

static void open_db(struct calendar_rig *rig, const char *name, const struct db_schema *schemas,
                    size_t count, struct db **ret_db)
{
    char path[512];
    unsigned applied;
    snprintf(path, sizeof path, "%s/%s", test_dir(), name);
    struct db_config config = {.path = path,
                               .sync = DB_SYNC_NORMAL,
                               .readers = 1,
                               .queue_max = 64,
                               .batch_max = 16,
                               .clock = &rig->clock.clock};
    CHECK_OK(db_open(&config, ret_db, &rig->err), &rig->err);
    CHECK_OK(db_migrate(*ret_db, schemas, count, &applied, &rig->err), &rig->err);
}

static void open_engines(struct calendar_rig *rig)
{
    static const struct event_type *types[64];
    size_t count = 0;
    for (int m = 0; modules[m] != NULL; m++)
        for (int i = 0; modules[m]->events != NULL && modules[m]->events[i] != NULL; i++)
            types[count++] = modules[m]->events[i];
    types[count] = NULL;
    const struct db_schema main_schemas[] = {event_log_schema, kit_schema, *social_module.schema,
                                             *user_module.schema, *calendar_module.schema};
    const struct db_schema search_schemas[] = {kit_schema, *user_module.search_schema};
    open_db(rig, "main.db", main_schemas, ARRAY_LEN(main_schemas), &rig->db);
    open_db(rig, "search.db", search_schemas, ARRAY_LEN(search_schemas), &rig->search_db);
    struct event_log_config log = {.db = rig->db, .types = types};
    CHECK_OK(event_log_open(&log, &rig->log, &rig->err), &rig->err);
}

static void load_config(struct calendar_rig *rig, const char *const *settings)
{
    static const char *const nothing[] = {NULL};
    const struct config_key *tables[8] = {kit_config};
    size_t count = 1;
    for (int m = 0; modules[m] != NULL; m++)
        if (modules[m]->config != NULL)
            tables[count++] = modules[m]->config;
    struct config_source source = {.settings = settings != NULL ? settings : nothing};
    CHECK_OK(config_load(tables, &source, &rig->config, &rig->err), &rig->err);
}

static void start(struct calendar_rig *rig)
{
    open_engines(rig);
    rig->databases[0] = (struct kit_database){"user.search", rig->search_db};
    rig->kit = (struct kit){.config = rig->config,
                            .clock = &rig->clock.clock,
                            .main_db = rig->db,
                            .databases = rig->databases,
                            .database_count = 1,
                            .log = rig->log,
                            .modules = modules,
                            .rooms = rig->states,
                            .ephemeral = count_ephemeral};
    CHECK_OK(kv_memory_open(&rig->clock.clock, 4096, &rig->kit.kv, &rig->err), &rig->err);
    for (int m = 0; modules[m] != NULL; m++)
        CHECK_OK(modules[m]->start(&rig->kit, &rig->states[m], &rig->err), &rig->err);
    CHECK_OK(event_log_start(rig->log, &rig->err), &rig->err);
    rig->room = rig->states[2];
}

static void stop(struct calendar_rig *rig)
{
    for (int m = 2; m >= 0; m--)
        modules[m]->stop(rig->states[m]);
    rig->kit.kv->ops->close(rig->kit.kv);
    event_log_close(rig->log);
    db_close(rig->search_db);
    db_close(rig->db);
}

void rig_open(struct calendar_rig *rig, const char *const *settings)
{
    *rig = (struct calendar_rig){0};
    clock_fake_init(&rig->clock, NOW);
    error_init(&rig->err);
    arena_init(&rig->arena, 16 << 20);
    load_config(rig, settings);
    start(rig);
}

void rig_reopen(struct calendar_rig *rig)
{
    stop(rig);
    start(rig);
}

void rig_close(struct calendar_rig *rig)
{
    stop(rig);
    config_free(rig->config);
    arena_done(&rig->arena);
}

/* --- people ------------------------------------------------------------------------------------
 */

struct feeding {
    const struct consumer *consumer;
    void *room;
    struct event event;
};

static int feed_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct feeding *f = arg;
    return f->consumer->handle(f->room, tx, &f->event, err);
}

static bool wants(const struct consumer *consumer, const char *name)
{
    for (int i = 0; consumer->types != NULL && consumer->types[i] != NULL; i++)
        if (strcmp(consumer->types[i], name) == 0)
            return true;
    return false;
}

/* An event to every consumer that is here. */
static void feed(struct calendar_rig *rig, const struct event_type *type, const struct id *stream,
                 const void *data)
{
    struct buf json;
    buf_init(&json, 65536);
    schema_encode(type->data, data, &json);
    error_init(&rig->err);
    for (int m = 0; modules[m] != NULL; m++)
        for (size_t i = 0; i < modules[m]->consumer_count; i++) {
            const struct consumer *consumer = &modules[m]->consumers[i];
            struct feeding f = {consumer,
                                rig->states[m],
                                {.type = type, .stream = *stream, .data = buf_view(&json)}};
            struct db *db = kit_db(&rig->kit, consumer->db != NULL ? consumer->db : "");
            if (wants(consumer, type->name))
                CHECK_OK(db_write(db, feed_tx, &f, &rig->err), &rig->err);
        }
    buf_done(&json);
}

struct id rig_person(struct calendar_rig *rig)
{
    char name[ID_TEXT_LEN + 1];
    struct auth_user_created created = {.id = id_new(&rig->clock.clock),
                                        .created_at = clock_wall_ms(&rig->clock.clock)};
    id_format(&created.id, name);
    created.username = slice_str(name);
    feed(rig, &auth_user_created_event, &created.id, &created);
    return created.id;
}

void rig_delete_person(struct calendar_rig *rig, const struct id *user)
{
    struct auth_user_deleted deleted = {.user_id = *user,
                                        .deleted_at = clock_wall_ms(&rig->clock.clock)};
    feed(rig, &auth_user_deleted_event, user, &deleted);
}

void rig_block(struct calendar_rig *rig, const struct id *who, const struct id *whom)
{
    struct social_call call = {.room = rig->states[0], .user = *who, .err = &rig->err};
    struct social_relationship how;
    struct social_block_changed block = {*who, *whom, true};
    error_init(&rig->err);
    CHECK_OK(social_block(&call, whom, &how), &rig->err);
    feed(rig, &social_block_changed_event, who, &block);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct calendar_call *rig_as(struct calendar_rig *rig, const struct id *user)
{
    error_init(&rig->err);
    arena_reset(&rig->arena);
    rig->call = (struct calendar_call){
        .room = rig->room, .user = *user, .arena = &rig->arena, .err = &rig->err};
    return &rig->call;
}

struct gathering rig_gathering(struct calendar_rig *rig, const struct id *host, int64_t capacity)
{
    char starts[TIME_TEXT_LEN + 1], ends[TIME_TEXT_LEN + 1];
    struct gathering g = {0};
    int64_t now = clock_wall_ms(&rig->clock.clock);
    time_format(now + 48 * HOUR, starts);
    time_format(now + 50 * HOUR, ends);
    struct gathering_input in = {.present = 1 << GATHERING_TITLE | 1 << GATHERING_STARTS_AT |
                                            1 << GATHERING_ENDS_AT | 1 << GATHERING_TIME_ZONE |
                                            1 << GATHERING_CAPACITY,
                                 .title = SLICE("A walk"),
                                 .starts_at = slice_str(starts),
                                 .ends_at = slice_str(ends),
                                 .time_zone = SLICE("Europe/Berlin"),
                                 .capacity = capacity};
    CHECK_OK(gathering_create(rig_as(rig, host), &in, &g), &rig->err);
    return g;
}

struct gathering rig_get(struct calendar_rig *rig, const struct id *user, const struct id *id)
{
    struct gathering g = {0};
    CHECK_OK(gathering_get(rig_as(rig, user), id, &g), &rig->err);
    return g;
}

struct calendar_rsvp rig_answer(struct calendar_rig *rig, const struct id *user,
                                const struct id *id, enum calendar_answer answer)
{
    struct calendar_rsvp rsvp = {0};
    CHECK_OK(calendar_answer(rig_as(rig, user), id, answer, &rsvp), &rig->err);
    return rsvp;
}

void rig_capacity(struct calendar_rig *rig, const struct id *host, const struct id *id,
                  int64_t capacity)
{
    struct gathering g;
    struct gathering_input in = {.present = 1 << GATHERING_CAPACITY, .capacity = capacity};
    CHECK_OK(gathering_edit(rig_as(rig, host), id, &in, &g), &rig->err);
}

void rig_start_at(struct calendar_rig *rig, const struct id *host, const struct id *id,
                  int64_t starts_at)
{
    char starts[TIME_TEXT_LEN + 1], ends[TIME_TEXT_LEN + 1];
    struct gathering g;
    time_format(starts_at, starts);
    time_format(starts_at + HOUR, ends);
    struct gathering_input in = {.present = 1 << GATHERING_STARTS_AT | 1 << GATHERING_ENDS_AT,
                                 .starts_at = slice_str(starts),
                                 .ends_at = slice_str(ends)};
    CHECK_OK(gathering_edit(rig_as(rig, host), id, &in, &g), &rig->err);
}

struct counting {
    struct calendar_rig *rig;
    const struct event_type *type;
    const struct id *stream;
    uint64_t pos;
    unsigned count, seen;
};

static int count_one(const struct event *event, void *arg, struct error *err)
{
    struct counting *c = arg;
    c->pos = event->pos;
    c->seen++;
    c->count += event->type == c->type && (c->stream == NULL || id_eq(&event->stream, c->stream));
    return 0;
}

static int count_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct counting *c = arg;
    int rc;
    do {
        c->seen = 0;
        rc = event_log_read(c->rig->log, tx, c->pos, 1000, count_one, c, err);
    } while (rc == 0 && c->seen > 0);
    return rc;
}

unsigned rig_count_events(struct calendar_rig *rig, const struct event_type *type,
                          const struct id *stream)
{
    struct counting c = {.rig = rig, .type = type, .stream = stream};
    error_init(&rig->err);
    CHECK_OK(db_read(rig->db, count_tx, &c, &rig->err), &rig->err);
    return c.count;
}

struct number {
    const struct db_sql *sql;
    int64_t value;
};

static int number_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct number *n = arg;
    struct db_rows rows;
    int rc = db_query_n(tx, n->sql, NULL, 0, &rows, err);
    if (rc < 0 || (rc = db_next(&rows, err)) < 0)
        return rc;
    n->value = rc > 0 ? db_col_int(&rows, 0) : -1;
    if (rc > 0)
        db_rows_close(&rows);
    return 0;
}

int64_t rig_number(struct calendar_rig *rig, const struct db_sql *sql)
{
    struct number n = {.sql = sql};
    error_init(&rig->err);
    CHECK_OK(db_read(rig->db, number_tx, &n, &rig->err), &rig->err);
    return n.value;
}
