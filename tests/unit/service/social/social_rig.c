#include "social_rig.h"

#include <stdio.h>

#include "contract/auth.h"
#include "contract/user.h"
#include "kit/consumer.h"

static void open_engines(struct social_rig *rig)
{
    static const struct event_type *const types[] = {&social_follow_changed_event,
                                                     &social_block_changed_event,
                                                     &social_follow_linked_event, NULL};
    const struct db_schema schemas[] = {event_log_schema, kit_schema, *social_module.schema};
    char path[512];
    unsigned applied;
    snprintf(path, sizeof path, "%s/main.db", test_dir());
    struct db_config config = {.path = path,
                               .sync = DB_SYNC_NORMAL,
                               .readers = 1,
                               .queue_max = 64,
                               .batch_max = 16,
                               .clock = &rig->clock.clock};
    CHECK_OK(db_open(&config, &rig->db, &rig->err), &rig->err);
    CHECK_OK(db_migrate(rig->db, schemas, ARRAY_LEN(schemas), &applied, &rig->err), &rig->err);
    struct event_log_config log = {.db = rig->db, .types = types};
    CHECK_OK(event_log_open(&log, &rig->log, &rig->err), &rig->err);
}

static void start(struct social_rig *rig)
{
    void *room = NULL;
    rig->kit = (struct kit){
        .config = rig->config, .clock = &rig->clock.clock, .main_db = rig->db, .log = rig->log};
    CHECK_OK(social_module.start(&rig->kit, &room, &rig->err), &rig->err);
    CHECK_OK(event_log_start(rig->log, &rig->err), &rig->err);
    rig->room = room;
}

static void stop(struct social_rig *rig)
{
    social_module.stop(rig->room);
    event_log_close(rig->log);
    db_close(rig->db);
}

void rig_open(struct social_rig *rig, const char *const *settings)
{
    static const struct config_key none[] = {{0}};
    const struct config_key *tables[] = {social_module.config, none, NULL};
    static const char *const nothing[] = {NULL};
    *rig = (struct social_rig){0};
    clock_fake_init(&rig->clock, NOW);
    error_init(&rig->err);
    struct config_source source = {.settings = settings != NULL ? settings : nothing};
    CHECK_OK(config_load(tables, &source, &rig->config, &rig->err), &rig->err);
    open_engines(rig);
    start(rig);
}

void rig_reopen(struct social_rig *rig)
{
    stop(rig);
    open_engines(rig);
    start(rig);
}

void rig_close(struct social_rig *rig)
{
    stop(rig);
    config_free(rig->config);
}

/* --- events that come in ---------------------------------------------------------------------- */

struct feeding {
    struct social_rig *rig;
    struct event event;
};

static int feed_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct feeding *f = arg;
    return social_follow_people(f->rig->room, tx, &f->event, err);
}

static void feed(struct social_rig *rig, const struct event_type *type, const struct id *user,
                 const void *data)
{
    struct feeding f = {.rig = rig, .event = {.type = type, .stream = *user}};
    struct buf json;
    buf_init(&json, 65536);
    schema_encode(type->data, data, &json);
    f.event.data = buf_view(&json);
    error_init(&rig->err);
    CHECK_OK(db_write(rig->db, feed_tx, &f, &rig->err), &rig->err);
    buf_done(&json);
}

struct id rig_person(struct social_rig *rig)
{
    struct auth_user_created created = {
        .id = id_new(&rig->clock.clock), .username = SLICE("somebody"), .created_at = NOW};
    feed(rig, &auth_user_created_event, &created.id, &created);
    return created.id;
}

void rig_private(struct social_rig *rig, const struct id *user, bool is_private)
{
    const struct user_profile profile = {.id = *user,
                                         .username = SLICE("somebody"),
                                         .is_active = true,
                                         .is_private = is_private,
                                         .created_at = NOW,
                                         .updated_at = NOW};
    feed(rig, &user_updated_event, user, &profile);
}

void rig_active(struct social_rig *rig, const struct id *user, bool is_active)
{
    const struct auth_user_changed changed = {.user_id = *user, .is_active = is_active};
    feed(rig, &auth_user_changed_event, user, &changed);
}

void rig_delete(struct social_rig *rig, const struct id *user)
{
    const struct auth_user_deleted deleted = {.user_id = *user, .deleted_at = NOW};
    feed(rig, &auth_user_deleted_event, user, &deleted);
}

void rig_duties(struct social_rig *rig)
{
    error_init(&rig->err);
    CHECK_OK(social_duties(rig->room, &rig->err), &rig->err);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct social_call *rig_as(struct social_rig *rig, const struct id *user)
{
    error_init(&rig->err);
    rig->call = (struct social_call){.room = rig->room, .user = *user, .err = &rig->err};
    return &rig->call;
}

struct social_relationship rig_relation(struct social_rig *rig, const struct id *viewer,
                                        const struct id *other)
{
    struct social_relationship how = {0};
    CHECK_OK(social_get(rig_as(rig, viewer), other, &how), &rig->err);
    return how;
}

bool rig_blocked(struct social_rig *rig, const struct id *a, const struct id *b)
{
    return rig->room->calls.blocked(rig->room, a, b);
}

size_t rig_list(struct social_rig *rig, enum social_list list, const struct id *viewer,
                const struct id *person, int64_t limit, struct cursor *cursor, struct id *ret_ids,
                bool *ret_more)
{
    struct buf text;
    size_t count = 0;
    bool more = false;
    struct page_query query = {.limit = limit};
    buf_init(&text, 200);
    if (cursor != NULL && !id_is_nil(&cursor->id)) {
        cursor_encode(cursor, &text);
        query.cursor = buf_view(&text);
    }
    struct cursor next = {0};
    error_init(&rig->err);
    CHECK_OK(rig->room->calls.page(rig->room, list, viewer, person, &query, ret_ids, &count, &next,
                                   &more, &rig->err),
             &rig->err);
    buf_done(&text);
    if (cursor != NULL)
        *cursor = next;
    if (ret_more != NULL)
        *ret_more = more;
    return count;
}

/* --- looking behind --------------------------------------------------------------------------- */

struct counting {
    struct social_rig *rig;
    const struct event_type *type;
    const struct id *stream;
    unsigned count;
    uint64_t last;
};

static int count_one(const struct event *event, void *arg, struct error *err)
{
    struct counting *c = arg;
    c->count += event->type == c->type && (c->stream == NULL || id_eq(&event->stream, c->stream));
    c->last = event->pos;
    return 0;
}

static int count_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct counting *c = arg;
    return event_log_read(c->rig->log, tx, 0, 1000000, count_one, c, err);
}

unsigned rig_count_events(struct social_rig *rig, const struct event_type *type,
                          const struct id *stream)
{
    struct counting c = {.rig = rig, .type = type, .stream = stream};
    error_init(&rig->err);
    CHECK_OK(db_read(rig->db, count_tx, &c, &rig->err), &rig->err);
    return c.count;
}

struct number {
    struct db_sql sql;
    int64_t value;
};

static int number_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct number *n = arg;
    struct db_rows rows;
    int rc = db_query_n(tx, &n->sql, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    n->value = rc > 0 ? db_col_int(&rows, 0) : -1;
    if (rc > 0)
        db_rows_close(&rows);
    return 0;
}

int64_t rig_number(struct social_rig *rig, const char *sql)
{
    /* A statement is found by its address: each text gets one of its own. */
    static struct number numbers[32];
    static size_t used;
    size_t at = 0;
    while (at < used && numbers[at].sql.text != sql)
        at++;
    if (at == used)
        numbers[used++].sql.text = sql;
    error_init(&rig->err);
    CHECK_OK(db_read(rig->db, number_tx, &numbers[at], &rig->err), &rig->err);
    return numbers[at].value;
}
