#include "app/engines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/backup.h"
#include "app/roles.h"
#include "engine/message_store.h"
#include "kit/consumer.h"
#include "kit/outbox.h"

enum { WRITER_QUEUE = 16384, WRITER_BATCH = 4096, KV_ENTRIES = 1 << 20, EVENT_TYPES_MAX = 256 };

bool engines_path(const struct config *config, const char *name, char *ret_path, size_t size)
{
    int len = snprintf(ret_path, size, "%s/%s", config_string(config, "data"), name);
    return len > 0 && (size_t)len < size;
}

int engines_check_finished(const struct config *config, struct error *err)
{
    char path[4096];
    if (!engines_path(config, ENGINES_RESTORE_MARK, path, sizeof path) || access(path, F_OK) != 0)
        return 0;
    return error_set(err, FAIL_CONFLICT, "restore_unfinished",
                     "%.80s holds a restore that has not finished (" ENGINES_RESTORE_MARK
                     "): unless it still runs, empty the folder and give parley restore again.",
                     config_string(config, "data"));
}

int engines_require(const struct config *config, struct error *err)
{
    char path[4096];
    int rc = engines_check_finished(config, err);
    if (rc < 0)
        return rc;
    if (engines_path(config, "main.db", path, sizeof path) && access(path, F_OK) == 0)
        return 0;
    if (errno == EACCES)
        return error_errno(err, errno, "data_folder", "The data folder %s cannot be read",
                           config_string(config, "data"));
    return error_set(err, FAIL_NOT_FOUND, "no_data_folder",
                     "%.100s is no data folder of Parley (it has no main.db): name the right one "
                     "with --data, or make one with parley serve or parley migrate.",
                     config_string(config, "data"));
}

static int make_folder(const struct config *config, struct error *err)
{
    const char *dir = config_string(config, "data");
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "data_folder", "The data folder %s cannot be made", dir);
    return 0;
}

/* What search.db and feed.db hold can be made again; what main.db and the rooms' own hold cannot.
 */
static const char remove_it[] = "stop the server if it runs and remove this file: what it holds is "
                                "made again from main.db when the server starts";

static int open_one(struct engines *e, const struct config *config, const char *name,
                    enum db_sync sync, unsigned readers, const char *cure, struct db **ret_db,
                    struct error *err)
{
    char path[4096];
    if (!engines_path(config, name, path, sizeof path))
        return error_set(err, FAIL_INVALID, "data_folder",
                         "The path of the data folder is too long.");
    struct db_config c = {.path = path,
                          .sync = sync,
                          .readers = readers,
                          .queue_max = WRITER_QUEUE,
                          .batch_max = WRITER_BATCH,
                          .cure = cure,
                          .clock = e->clock};
    return db_open(&c, ret_db, err);
}

/* All schemas of a database: the kit's own, the log's, and those of the rooms that live there. The
 * search file holds what the user room's search consumer keeps. */
static size_t main_schemas(const struct engines *e, struct db_schema *ret_schemas)
{
    size_t count = 0;
    ret_schemas[count++] = event_log_schema;
    ret_schemas[count++] = kit_schema;
    ret_schemas[count++] = message_store_schema;
    ret_schemas[count++] = outbox_relay_schema;
    ret_schemas[count++] = placement_schema;
    for (size_t i = 0; i < all_module_count; i++)
        if (all_modules[i]->schema != NULL && placement_in_main(&e->placement, i))
            ret_schemas[count++] = *all_modules[i]->schema;
    return count;
}

static size_t own_schemas(const struct engines *e, const char *name, struct db_schema *ret_schemas)
{
    size_t count = 0;
    ret_schemas[count++] = kit_schema;
    ret_schemas[count++] = outbox_schema;
    for (size_t i = 0; i < all_module_count; i++)
        if (all_modules[i]->schema != NULL && strcmp(e->placement.name[i], name) == 0)
            ret_schemas[count++] = *all_modules[i]->schema;
    return count;
}

static size_t search_schemas(struct db_schema *ret_schemas)
{
    size_t count = 0;
    ret_schemas[count++] = kit_schema;
    for (size_t i = 0; i < all_module_count; i++)
        if (all_modules[i]->search_schema != NULL)
            ret_schemas[count++] = *all_modules[i]->search_schema;
    return count;
}

/* The index of home feeds: what it has can be made again, and says itself how far it reaches. */
static size_t feed_schemas(struct db_schema *ret_schemas)
{
    size_t count = 0;
    ret_schemas[count++] = kit_schema;
    for (size_t i = 0; i < all_module_count; i++)
        if (all_modules[i]->feed_schema != NULL)
            ret_schemas[count++] = *all_modules[i]->feed_schema;
    return count;
}

static int bring(struct db *db, const struct db_schema *schemas, size_t count,
                 enum engines_migrate migrate, unsigned *applied, struct error *err)
{
    unsigned now = 0;
    int rc = migrate == ENGINES_APPLY ? db_migrate(db, schemas, count, &now, err)
                                      : db_migrate_check(db, schemas, count, err);
    *applied += now;
    return rc;
}

/* Where each room is: what is on record decides, and what the configuration says must agree. */
static int place_rooms(struct engines *e, const struct config *config,
                       struct placement *ret_recorded, struct error *err)
{
    int rc = placement_read(config, &e->placement, err);
    if (rc == 0)
        rc = placement_recorded(e->main_db, ret_recorded, err);
    for (size_t i = 0; rc == 0 && e->as_recorded && i < all_module_count; i++)
        if (ret_recorded->name[i][0] != 0)
            memcpy(e->placement.name[i], ret_recorded->name[i], sizeof e->placement.name[i]);
    return rc < 0 ? rc : placement_compare(&e->placement, ret_recorded, err);
}

static bool has_own(const struct engines *e, const char *name)
{
    for (unsigned i = 0; i < e->own_count; i++)
        if (strcmp(e->own[i].name, name) == 0)
            return true;
    return false;
}

static int open_own(struct engines *e, const struct config *config, enum db_sync sync,
                    unsigned readers, struct error *err)
{
    char file[PLACEMENT_NAME_MAX + 4];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < all_module_count; i++) {
        const char *name = e->placement.name[i];
        if (placement_in_main(&e->placement, i) || has_own(e, name))
            continue;
        snprintf(file, sizeof file, "%s.db", name);
        snprintf(e->own[e->own_count].name, sizeof e->own[0].name, "%s", name);
        rc = open_one(e, config, file, sync, readers, NULL, &e->own[e->own_count].db, err);
        e->own_count += rc == 0;
    }
    return rc;
}

static int bring_own(struct engines *e, const struct placement *recorded,
                     enum engines_migrate migrate, unsigned *applied, struct error *err)
{
    struct db_schema schemas[64];
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < e->own_count; i++) {
        rc = placement_check_tables(e->own[i].db, e->own[i].name, recorded, err);
        if (rc == 0)
            rc = bring(e->own[i].db, schemas, own_schemas(e, e->own[i].name, schemas), migrate,
                       applied, err);
    }
    return rc;
}

int engines_open_databases(struct engines *e, const struct config *config,
                           enum engines_migrate migrate, unsigned *ret_applied, struct error *err)
{
    struct db_schema schemas[64];
    struct placement recorded;
    enum db_sync sync = (enum db_sync)config_enum(config, "db.sync");
    unsigned readers = (unsigned)config_int(config, "db.readers");
    *ret_applied = 0;
    int rc = e->restoring ? 0 : engines_check_finished(config, err);
    if (rc == 0)
        rc = make_folder(config, err);
    if (rc == 0)
        rc = open_one(e, config, "main.db", sync, readers, NULL, &e->main_db, err);
    /* Once more: a restore that has begun since did not see main.db when it looked. */
    if (rc == 0 && !e->restoring)
        rc = engines_check_finished(config, err);
    if (rc == 0)
        backup_sweep(config_string(config, "data"));
    if (rc == 0)
        rc = place_rooms(e, config, &recorded, err);
    if (rc == 0)
        rc = open_one(e, config, "search.db", sync, 1, remove_it, &e->search_db, err);
    if (rc == 0) /* a lost end of it is read again from the log */
        rc = open_one(e, config, "feed.db", DB_SYNC_NORMAL, readers, remove_it, &e->feed_db, err);
    if (rc == 0)
        rc = open_own(e, config, sync, readers, err);
    if (rc == 0) /* before main.db: what is on record there is whole */
        rc = bring_own(e, &recorded, migrate, ret_applied, err);
    if (rc == 0)
        rc = bring(e->main_db, schemas, main_schemas(e, schemas), migrate, ret_applied, err);
    if (rc == 0)
        rc = placement_record(e->main_db, &e->placement, err);
    if (rc == 0)
        rc = bring(e->search_db, schemas, search_schemas(schemas), migrate, ret_applied, err);
    if (rc == 0)
        rc = bring(e->feed_db, schemas, feed_schemas(schemas), migrate, ret_applied, err);
    if (realpath(config_string(config, "data"), e->data_dir) == NULL && rc == 0)
        rc = error_errno(err, errno, "data_folder", "The data folder cannot be found");
    return rc;
}

static int open_log(struct engines *e, const struct config *config, struct error *err)
{
    const struct event_type *types[EVENT_TYPES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < all_module_count; i++) {
        const struct event_type *const *list = all_modules[i]->events;
        for (; list != NULL && *list != NULL; list++) {
            panic_if(count + 1 == EVENT_TYPES_MAX, "too many event types");
            types[count++] = *list;
        }
    }
    types[count] = NULL;
    struct event_log_config c = {.db = e->main_db,
                                 .types = types,
                                 .retention_ms = config_int(config, "events.retention"),
                                 .retention_bytes = config_int(config, "events.retention_bytes")};
    return event_log_open(&c, &e->log, err);
}

static int open_mailer(struct engines *e, const struct config *config, struct error *err)
{
    char folder[4096];
    if (!engines_path(config, "spool", folder, sizeof folder))
        return error_set(err, FAIL_INVALID, "data_folder",
                         "The path of the data folder is too long.");
    struct mailer_spool_config c = {.folder = folder,
                                    .from = slice_str(config_string(config, "mail.from")),
                                    .clock = e->clock,
                                    .pool = e->blocking,
                                    .files_max = (unsigned)config_int(config, "mail.spool_files"),
                                    .age_max_ms = config_int(config, "mail.spool_age")};
    return mailer_spool_open(&c, &e->mailer, err);
}

int engines_open_rest(struct engines *e, const struct config *config, struct error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = cores > 0 ? (unsigned)cores : 1;
    struct offload_config crypto = {
        .name = "crypto", .threads = threads, .queue_max = 256, .nice = 10};
    struct offload_config blocking = {.name = "blocking", .threads = 2, .queue_max = 1024};
    struct offload_config packing = {
        .name = "packing", .threads = threads, .queue_max = 64, .nice = 10};
    struct token_config tokens = {.clock = e->clock,
                                  .issuer = "parley",
                                  .audience = "parley",
                                  .access_ttl_ms = config_int(config, "auth.access_ttl"),
                                  .leeway_ms = 30000,
                                  .cache_ms = 60000};
    int rc = open_log(e, config, err);
    if (rc == 0)
        rc = kv_memory_open(e->clock, KV_ENTRIES, &e->kv, err);
    if (rc == 0)
        rc = offload_new(&crypto, &e->crypto, err);
    if (rc == 0)
        rc = offload_new(&blocking, &e->blocking, err);
    if (rc == 0)
        rc = offload_new(&packing, &e->packing, err);
    if (rc == 0)
        rc = token_authority_new(&tokens, &e->tokens, err);
    if (rc == 0)
        rc = open_mailer(e, config, err);
    return rc;
}

void engines_close(struct engines *e)
{
    if (e->tokens != NULL)
        token_authority_free(e->tokens);
    if (e->crypto != NULL)
        offload_free(e->crypto);
    if (e->blocking != NULL)
        offload_free(e->blocking);
    if (e->packing != NULL)
        offload_free(e->packing);
    if (e->mailer != NULL)
        e->mailer->ops->close(e->mailer);
    if (e->kv != NULL)
        e->kv->ops->close(e->kv);
    if (e->log != NULL)
        event_log_close(e->log);
    for (unsigned i = 0; i < e->own_count; i++)
        db_close(e->own[i].db);
    if (e->feed_db != NULL)
        db_close(e->feed_db);
    if (e->search_db != NULL)
        db_close(e->search_db);
    if (e->main_db != NULL)
        db_close(e->main_db);
    memset(e, 0, sizeof *e);
}

void engines_fill(struct engines *e, const struct config *config, struct kit *kit)
{
    unsigned count = 0;
    e->databases[count++] = (struct kit_database){"user.search", e->search_db, NULL};
    e->databases[count++] = (struct kit_database){"post.feed", e->feed_db, NULL};
    for (size_t i = 0; i < all_module_count; i++)
        for (unsigned own = 0; own < e->own_count; own++)
            if (strcmp(e->placement.name[i], e->own[own].name) == 0)
                e->databases[count++] =
                    (struct kit_database){all_modules[i]->name, e->own[own].db, e->own[own].name};
    kit->config = config;
    kit->clock = e->clock;
    kit->main_db = e->main_db;
    kit->databases = e->databases;
    kit->database_count = count;
    kit->log = e->log;
    kit->kv = e->kv;
    kit->mailer = e->mailer;
    kit->crypto = e->crypto;
    kit->blocking = e->blocking;
    kit->packing = e->packing;
    kit->tokens = e->tokens;
    kit->data_dir = e->data_dir;
    kit->modules = all_modules;
}
