#include "rig.h"

#include <stdio.h>

#include "contract/auth.h"
#include "contract/registration.h"
#include "contract/user.h"
#include "engine/message_store.h"
#include "kit/consumer.h"
#include "kit/limit.h"

/* --- databases -------------------------------------------------------------------------------- */

void rig_path(const char *name, char ret_path[512])
{
    snprintf(ret_path, 512, "%s/%s", test_dir(), name);
}

static struct db *open_db(struct rig *rig, const char *name, const struct db_schema *schemas,
                          size_t count)
{
    char path[512];
    struct db *db = NULL;
    rig_path(name, path);
    struct db_config config = {.path = path,
                               .sync = DB_SYNC_NORMAL,
                               .readers = 2,
                               .queue_max = 1000,
                               .batch_max = 100,
                               .clock = &rig->clock.clock};
    CHECK_OK(db_open(&config, &db, &rig->err), &rig->err);
    CHECK_OK(db_migrate(db, schemas, count, NULL, &rig->err), &rig->err);
    return db;
}

static void open_main(struct rig *rig)
{
    struct db_schema schemas[RIG_MODULES_MAX + 3] = {event_log_schema, message_store_schema,
                                                     kit_schema};
    size_t count = 3;
    for (const struct module *const *m = rig->kit.modules; *m != NULL; m++)
        if ((*m)->schema != NULL)
            schemas[count++] = *(*m)->schema;
    rig->kit.main_db = open_db(rig, "main.db", schemas, count);
}

/* The part of a room that has a database of its own, in the server too. */
static void open_part(struct rig *rig, const char *part, const char *name,
                      const struct db_schema *schema)
{
    if (schema == NULL)
        return;
    const struct db_schema schemas[] = {kit_schema, *schema};
    struct db *db = open_db(rig, name, schemas, ARRAY_LEN(schemas));
    rig->databases[rig->kit.database_count++] = (struct kit_database){part, db};
}

/* --- the log ---------------------------------------------------------------------------------- */

/* What the world says of an account; in most rigs the auth room is not there to say it. */
static const struct event_type *const account_types[] = {&auth_user_created_event,
                                                         &auth_user_changed_event,
                                                         &auth_user_deleted_event,
                                                         &user_updated_event,
                                                         &registration_profile_created_event,
                                                         &registration_activated_event,
                                                         &registration_failed_event,
                                                         NULL};

static size_t add_types(const struct event_type **types, size_t count,
                        const struct event_type *const *more)
{
    for (; more != NULL && *more != NULL; more++) {
        size_t at = 0;
        while (at < count && types[at] != *more)
            at++;
        types[at] = *more;
        count += at == count;
    }
    return count;
}

static void open_log(struct rig *rig)
{
    const struct event_type *types[128] = {NULL};
    size_t count = add_types(types, 0, account_types);
    for (const struct module *const *m = rig->kit.modules; *m != NULL; m++)
        count = add_types(types, count, (*m)->events);
    struct event_log_config log = {
        .db = rig->kit.main_db, .types = types, .tail_events_max = rig->tail_events_max};
    CHECK_OK(event_log_open(&log, &rig->kit.log, &rig->err), &rig->err);
}

/* --- the rooms -------------------------------------------------------------------------------- */

static void count_ephemeral(struct kit *kit, const struct event_type *type, const struct id *stream,
                            struct slice data, const struct audience *audience)
{
    CONTAINER_OF(kit, struct rig, kit)->told++;
}

void rig_start(struct rig *rig)
{
    struct kit *kit = &rig->kit;
    error_init(&rig->err);
    kit->config = rig->config;
    open_main(rig);
    kit->databases = rig->databases;
    kit->database_count = 0;
    for (const struct module *const *m = kit->modules; *m != NULL; m++) {
        open_part(rig, "user.search", "search.db", (*m)->search_schema);
        open_part(rig, "post.feed", "feed.db", (*m)->feed_schema);
    }
    open_log(rig);
    CHECK_OK(kv_memory_open(kit->clock, 4096, &kit->kv, &rig->err), &rig->err);
    for (size_t i = 0; kit->modules[i] != NULL; i++) {
        if (kit->modules[i]->start != NULL)
            CHECK_OK(kit->modules[i]->start(kit, &rig->states[i], &rig->err), &rig->err);
        rig->room = rig->states[i];
    }
    CHECK_OK(event_log_start(kit->log, &rig->err), &rig->err);
}

/* In the order of the server (app/house.c): closing the log folds, which needs the rooms. */
void rig_stop(struct rig *rig)
{
    struct kit *kit = &rig->kit;
    size_t count = 0;
    event_log_close(kit->log);
    while (kit->modules[count] != NULL)
        count++;
    while (count-- > 0)
        if (kit->modules[count]->stop != NULL)
            kit->modules[count]->stop(rig->states[count]);
    kit->kv->ops->close(kit->kv);
    while (kit->database_count > 0)
        db_close(rig->databases[--kit->database_count].db);
    db_close(kit->main_db);
}

void rig_reopen(struct rig *rig)
{
    rig_stop(rig);
    rig_start(rig);
}

static void load_config(struct rig *rig, const char *const *settings)
{
    static const char *const nothing[] = {NULL};
    const struct config_key *tables[RIG_MODULES_MAX + 2] = {kit_config};
    size_t count = 1;
    for (const struct module *const *m = rig->kit.modules; *m != NULL; m++)
        if ((*m)->config != NULL)
            tables[count++] = (*m)->config;
    struct config_source source = {.settings = settings != NULL ? settings : nothing};
    CHECK_OK(config_load(tables, &source, &rig->config, &rig->err), &rig->err);
}

void rig_open_modules(struct rig *rig, const struct module *const *modules,
                      const char *const *settings, size_t tail_events_max)
{
    *rig = (struct rig){.tail_events_max = tail_events_max};
    rig->kit = (struct kit){.clock = &rig->clock.clock,
                            .modules = modules,
                            .rooms = rig->states,
                            .ephemeral = count_ephemeral};
    clock_fake_init(&rig->clock, NOW);
    error_init(&rig->err);
    arena_init(&rig->arena, 64 << 20);
    load_config(rig, settings);
    rig_start(rig);
}

void rig_close(struct rig *rig)
{
    rig_stop(rig);
    config_free(rig->config);
    arena_done(&rig->arena);
}

void rig_clear(struct rig *rig)
{
    error_init(&rig->err);
    arena_reset(&rig->arena);
}
