#include "post_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "contract/auth.h"
#include "contract/registration.h"
#include "engine/kv.h"
#include "kit/audit.h"
#include "kit/consumer.h"
#include "service/user/user.h"

static const struct event_type *const auth_types[] = {
    &auth_user_created_event, &auth_user_changed_event, &auth_user_deleted_event,
    &registration_failed_event, NULL};
/* Stands for the auth room: its events only. */
static const struct module auth_events = {.name = "auth", .events = auth_types};
static const struct module *const modules[] = {&social_module, &user_module, &post_module,
                                               &auth_events, NULL};
enum { SOCIAL, USER, POST, ROOMS };

static void open_db(struct post_rig *rig, const char *name, const struct db_schema *schemas,
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

static void open_engines(struct post_rig *rig)
{
    static const struct event_type *types[64];
    size_t count = 0;
    for (int m = 0; modules[m] != NULL; m++)
        for (int i = 0; modules[m]->events != NULL && modules[m]->events[i] != NULL; i++)
            types[count++] = modules[m]->events[i];
    types[count] = NULL;
    const struct db_schema main_schemas[] = {event_log_schema, kit_schema, *social_module.schema,
                                             *user_module.schema, *post_module.schema};
    const struct db_schema search_schemas[] = {kit_schema, *user_module.search_schema};
    const struct db_schema feed_schemas[] = {kit_schema, *post_module.feed_schema};
    open_db(rig, "main.db", main_schemas, ARRAY_LEN(main_schemas), &rig->main_db);
    open_db(rig, "search.db", search_schemas, ARRAY_LEN(search_schemas), &rig->search_db);
    open_db(rig, "feed.db", feed_schemas, ARRAY_LEN(feed_schemas), &rig->feed_db);
    struct event_log_config log = {.db = rig->main_db, .types = types};
    CHECK_OK(event_log_open(&log, &rig->log, &rig->err), &rig->err);
    CHECK_OK(kv_memory_open(&rig->clock.clock, 4096, &rig->kv, &rig->err), &rig->err);
}

static void start(struct post_rig *rig)
{
    rig->databases[0] = (struct kit_database){"user.search", rig->search_db};
    rig->databases[1] = (struct kit_database){"post.feed", rig->feed_db};
    rig->kit = (struct kit){.config = rig->config,
                            .clock = &rig->clock.clock,
                            .main_db = rig->main_db,
                            .databases = rig->databases,
                            .database_count = ARRAY_LEN(rig->databases),
                            .log = rig->log,
                            .kv = rig->kv,
                            .modules = modules,
                            .rooms = rig->states};
    for (int i = 0; i < ROOMS; i++)
        CHECK_OK(modules[i]->start(&rig->kit, &rig->states[i], &rig->err), &rig->err);
    CHECK_OK(event_log_start(rig->log, &rig->err), &rig->err);
    rig->room = rig->states[POST];
}

static void stop(struct post_rig *rig)
{
    for (int i = ROOMS - 1; i >= 0; i--)
        modules[i]->stop(rig->states[i]);
    rig->kv->ops->close(rig->kv);
    event_log_close(rig->log);
    db_close(rig->feed_db);
    db_close(rig->search_db);
    db_close(rig->main_db);
}

void rig_open(struct post_rig *rig, const char *const *settings)
{
    const struct config_key *tables[] = {kit_config, social_module.config, post_module.config,
                                         user_module.config, NULL};
    static const char *const nothing[] = {"limits.per_user=off", NULL};
    *rig = (struct post_rig){0};
    clock_fake_init(&rig->clock, NOW);
    error_init(&rig->err);
    arena_init(&rig->arena, 64 << 20);
    struct config_source source = {.settings = settings != NULL ? settings : nothing};
    CHECK_OK(config_load(tables, &source, &rig->config, &rig->err), &rig->err);
    open_engines(rig);
    start(rig);
}

void rig_reopen(struct post_rig *rig, bool lose_feed)
{
    struct feed_sizes sizes = rig->room->feed->sizes;
    char path[512];
    stop(rig);
    if (lose_feed) {
        snprintf(path, sizeof path, "%s/feed.db", test_dir());
        CHECK_INT(unlink(path), 0);
        rig->feed_pos = 0;
    }
    open_engines(rig);
    start(rig);
    rig->room->feed->sizes = sizes;
}

void rig_close(struct post_rig *rig)
{
    stop(rig);
    config_free(rig->config);
    arena_done(&rig->arena);
}

/* --- consumers ---------------------------------------------------------------------------------
 */

struct pump {
    struct post_rig *rig;
    bool feed;
    uint64_t pos;
    struct event event; /* owned copy */
    bool found;
    void *room;
    const struct consumer *consumer;
};

static int keep_next(const struct event *event, void *arg, struct error *err)
{
    struct pump *p = arg;
    p->found = true;
    p->event = *event;
    p->event.data = slice_of(xstrndup(event->data.ptr, event->data.len), event->data.len);
    return 1;
}

static int next_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct pump *p = arg;
    return event_log_read(p->rig->log, tx, p->pos, 1, keep_next, p, err);
}

static int handle_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct pump *p = arg;
    return p->consumer->handle(p->room, tx, &p->event, err);
}

static bool wants(const struct consumer *consumer, const struct event *event)
{
    for (int i = 0; consumer->types[i] != NULL; i++)
        if (strcmp(consumer->types[i], event->type->name) == 0)
            return true;
    return false;
}

static void give(struct post_rig *rig, struct pump *p)
{
    for (int m = 0; m < ROOMS; m++)
        for (size_t i = 0; i < modules[m]->consumer_count; i++) {
            p->consumer = &modules[m]->consumers[i];
            p->room = rig->states[m];
            bool feed = p->consumer->db != NULL && strcmp(p->consumer->db, "post.feed") == 0;
            if (feed != p->feed || !wants(p->consumer, &p->event))
                continue;
            const char *db = p->consumer->db != NULL ? p->consumer->db : modules[m]->name;
            error_init(&rig->err);
            CHECK_OK(db_write(kit_db(&rig->kit, db), handle_tx, p, &rig->err), &rig->err);
        }
}

static void pump(struct post_rig *rig, bool feed, uint64_t *pos)
{
    for (;;) {
        struct pump p = {.rig = rig, .feed = feed, .pos = *pos};
        error_init(&rig->err);
        CHECK_OK(db_read(rig->main_db, next_tx, &p, &rig->err), &rig->err);
        if (!p.found)
            return;
        *pos = p.event.pos;
        give(rig, &p);
        free((char *)p.event.data.ptr);
    }
}

void rig_pump(struct post_rig *rig)
{
    pump(rig, false, &rig->pos);
    pump(rig, true, &rig->feed_pos);
}

bool rig_work(struct post_rig *rig)
{
    bool did = false, more;
    error_init(&rig->err);
    CHECK_OK(post_feed_step(rig->room->feed, &did, &more, &rig->err), &rig->err);
    return did;
}

void rig_settle(struct post_rig *rig)
{
    rig_pump(rig);
    while (rig_work(rig))
        continue;
}

/* --- people ------------------------------------------------------------------------------------
 */

struct emitting {
    struct post_rig *rig;
    const struct event_type *type;
    const struct id *user;
    const void *data;
};

static int emit_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct emitting *e = arg;
    struct emit event = {.type = e->type, .stream = e->user, .data = e->data};
    return kit_emit(&e->rig->kit, tx, &event, NULL, err);
}

static void emit(struct post_rig *rig, const struct event_type *type, const struct id *user,
                 const void *data)
{
    struct emitting e = {rig, type, user, data};
    error_init(&rig->err);
    CHECK_OK(db_write(rig->main_db, emit_tx, &e, &rig->err), &rig->err);
    rig_pump(rig);
}

struct id rig_person(struct post_rig *rig, const char *username)
{
    struct auth_user_created created = {
        .id = id_new(&rig->clock.clock), .username = slice_str(username), .created_at = NOW};
    emit(rig, &auth_user_created_event, &created.id, &created);
    return created.id;
}

void rig_delete_person(struct post_rig *rig, const struct id *user)
{
    struct auth_user_deleted gone = {.user_id = *user, .deleted_at = NOW};
    emit(rig, &auth_user_deleted_event, user, &gone);
}

struct post_call *rig_as(struct post_rig *rig, const struct id *user)
{
    error_init(&rig->err);
    arena_reset(&rig->arena);
    rig->call = (struct post_call){
        .room = rig->room, .who = {.user = *user}, .arena = &rig->arena, .err = &rig->err};
    return &rig->call;
}

struct post rig_post(struct post_rig *rig, const struct id *user, const char *text, int visibility)
{
    struct post post = {0};
    struct post_create what = {.text = slice_str(text), .visibility = visibility};
    CHECK_OK(post_create(rig_as(rig, user), &what, &post), &rig->err);
    return post;
}

int rig_social(struct post_rig *rig, social_change_fn *change, const struct id *who,
               const struct id *whom)
{
    struct social_relationship how;
    error_init(&rig->err);
    struct social_call call = {.room = rig->states[SOCIAL], .user = *who, .err = &rig->err};
    return change(&call, whom, &how);
}

size_t rig_list_all(struct post_rig *rig, const struct id *user, rig_list_fn *list, int64_t limit,
                    struct id *ret_ids, size_t max)
{
    size_t count = 0;
    struct cursor next = {0};
    bool more = true;
    for (bool given = false; more && count < max; given = true) {
        struct post_page page = {0};
        struct buf text;
        struct page_query query = {.limit = limit};
        buf_init(&text, 200);
        if (given) {
            cursor_encode(&next, &text);
            query.cursor = buf_view(&text);
        }
        CHECK_OK(list(rig_as(rig, user), &query, &page), &rig->err);
        buf_done(&text);
        if ((int64_t)page.count > limit)
            test_fail(__FILE__, __LINE__, "a page of %zu for %lld", page.count, (long long)limit);
        for (size_t i = 0; i < page.count && count < max; i++)
            ret_ids[count++] = page.items[i].id;
        more = page.more;
        next = page.next;
    }
    return count;
}

/* --- looking behind ----------------------------------------------------------------------------
 */

struct counting {
    struct post_rig *rig;
    const struct event_type *type;
    const struct id *stream;
    unsigned count;
};

static int count_one(const struct event *event, void *arg, struct error *err)
{
    struct counting *c = arg;
    c->count += event->type == c->type && (c->stream == NULL || id_eq(&event->stream, c->stream));
    return 0;
}

static int count_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct counting *c = arg;
    return event_log_read(c->rig->log, tx, 0, 1000000, count_one, c, err);
}

unsigned rig_count_events(struct post_rig *rig, const struct event_type *type,
                          const struct id *stream)
{
    struct counting c = {.rig = rig, .type = type, .stream = stream};
    error_init(&rig->err);
    CHECK_OK(db_read(rig->main_db, count_tx, &c, &rig->err), &rig->err);
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
    if (rc > 0) {
        n->value = db_col_int(&rows, 0);
        db_rows_close(&rows);
    }
    return rc < 0 ? rc : 0;
}

int64_t rig_number(struct db *db, const char *sql)
{
    /* A statement is found by its address: each text gets one of its own. */
    static struct number numbers[64];
    static size_t used;
    struct error err;
    size_t at = 0;
    while (at < used && numbers[at].sql.text != sql)
        at++;
    if (at == used)
        numbers[used++].sql.text = sql;
    numbers[at].value = -1;
    error_init(&err);
    CHECK_OK(db_read(db, number_tx, &numbers[at], &err), &err);
    return numbers[at].value;
}
