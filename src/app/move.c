/* Moving a room's tables to another database.
 *
 *     1  what the outboxes hold is relayed: a database may have no room left afterwards
 *     2  the target gets the room's tables, empty, by its own migrations
 *     3  one transaction copies rows, consumer positions and dead letters there and counts them;
 *        what an earlier attempt left there goes first
 *     4  one transaction in main.db puts the target on record: from here on it is moved
 *     5  the room's tables are dropped where they were
 *
 * After a crash before 4 the record names the old place, which is whole; after it, the new one.
 * The command given again goes on from either. main.db is open all the time, and its lock keeps
 * servers out. */
#include "app/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/house.h"
#include "app/options.h"
#include "app/roles.h"
#include "base/fault.h"
#include "kit/consumer.h"
#include "kit/outbox.h"

enum { TABLES_MAX = 64, TABLE_NAME_MAX = 64, SCRIPT_BYTES_MAX = 64 << 10, PATH_BYTES = 4096 };

struct table {
    char name[TABLE_NAME_MAX];
    bool is_index; /* a full-text index over another table of the room */
};

struct move {
    const struct config *config;
    const struct module *room;
    size_t room_index;
    char from[PLACEMENT_NAME_MAX + 1], to[PLACEMENT_NAME_MAX + 1];
    char left[PLACEMENT_NAME_MAX + 1]; /* where it was before */
    struct db *main_db;
    struct table tables[TABLES_MAX];
    unsigned table_count;
};

static int path_of(const struct move *m, const char *name, char *ret_path, struct error *err)
{
    char file[PLACEMENT_NAME_MAX + 16];
    snprintf(file, sizeof file, "%s.db", name);
    if (engines_path(m->config, file, ret_path, PATH_BYTES))
        return 0;
    return error_set(err, FAIL_INVALID, "data_folder", "The path of the data folder is too long.");
}

static int open_file(const struct move *m, const char *name, struct db **ret_db, struct error *err)
{
    char path[PATH_BYTES];
    int rc = path_of(m, name, path, err);
    struct db_config c = {.path = path,
                          .sync = DB_SYNC_FULL,
                          .readers = 1,
                          .queue_max = 64,
                          .batch_max = 64,
                          .clock = &clock_system};
    return rc < 0 ? rc : db_open(&c, ret_db, err);
}

/* --- what there is to move ---------------------------------------------------------------------
 */

static const struct db_sql sql_room_tables = {
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', "
    "'virtual') AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migration'"};

static int list_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct move *m = arg;
    struct db_rows rows;
    int rc = db_query_n(tx, &sql_room_tables, NULL, 0, &rows, err);
    if (rc < 0)
        return rc;
    while ((rc = db_next(&rows, err)) > 0) {
        struct table *table = &m->tables[m->table_count++];
        panic_if(m->table_count == TABLES_MAX ||
                     !copy_str(table->name, sizeof table->name, db_col_text(&rows, 0)),
                 "%s has too many tables", m->room->name);
        table->is_index = slice_eq(db_col_text(&rows, 1), SLICE("virtual"));
    }
    return rc;
}

static void remove_scratch(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char file[PATH_BYTES + 16];
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        (void)unlink(file);
    }
}

/* The room's migrations say themselves which tables are its own: they make them in an empty file.
 */
static int list_tables(struct move *m, struct error *err)
{
    static const char scratch[] = "move.scratch";
    char path[PATH_BYTES];
    struct db *db;
    int rc = path_of(m, scratch, path, err);
    if (rc < 0)
        return rc;
    remove_scratch(path);
    rc = open_file(m, scratch, &db, err);
    if (rc < 0)
        return rc;
    rc = db_migrate(db, m->room->schema, 1, NULL, err);
    if (rc == 0)
        rc = db_read(db, list_tx, m, err);
    db_close(db);
    remove_scratch(path);
    return rc;
}

/* "'social.people', 'social.others'": the consumers whose positions are in the room's database. */
static void put_consumers(const struct move *m, struct buf *out)
{
    buf_lit(out, "''");
    for (size_t i = 0; i < m->room->consumer_count; i++)
        if (m->room->consumers[i].db == NULL)
            buf_printf(out, ", '%s'", m->room->consumers[i].name);
}

/* --- the steps ---------------------------------------------------------------------------------
 */

/* Everything is opened where it is on record, once: migrations, and what the outboxes hold. */
static int relay_rest(struct move *m, struct error *err)
{
    struct house house = {0};
    int rc = engines_require(m->config, err);
    if (rc == 0)
        rc = house_open(&house, m->config, &clock_system, err);
    if (rc < 0)
        return rc;
    memcpy(m->from, house.engines.placement.name[m->room_index], sizeof m->from);
    rc = outboxes_open(&house.kit, &house.kit.outboxes, err);
    if (rc == 0 && outboxes_waiting(house.kit.outboxes) > 0)
        rc = error_set(err, FAIL_UNAVAILABLE, "outbox_waits",
                       "main.db does not take what an outbox holds: see whether its disk is full");
    house_close(&house);
    outboxes_free(house.kit.outboxes);
    return rc;
}

static int make_tables(struct move *m, struct error *err)
{
    const struct db_schema schemas[] = {kit_schema, outbox_schema, *m->room->schema};
    struct db *db;
    if (strcmp(m->to, "main") == 0)
        return db_migrate(m->main_db, m->room->schema, 1, NULL, err);
    int rc = open_file(m, m->to, &db, err);
    if (rc < 0)
        return rc;
    rc = db_migrate(db, schemas, ARRAY_LEN(schemas), NULL, err);
    db_close(db);
    return rc;
}

static void put_copy(struct buf *out, const char *from, const char *to, const char *table)
{
    buf_printf(out,
               "DELETE FROM %s.%s; INSERT INTO %s.%s SELECT * FROM %s.%s; "
               "INSERT INTO temp.moved SELECT '%s', (SELECT count(*) FROM %s.%s) - "
               "(SELECT count(*) FROM %s.%s);\n",
               to, table, to, table, from, table, table, from, table, to, table);
}

static void put_kit_copy(const struct move *m, struct buf *out, const char *from, const char *to,
                         const char *table, const char *column)
{
    buf_printf(out, "DELETE FROM %s.%s WHERE %s IN (", to, table, column);
    put_consumers(m, out);
    buf_printf(out, "); INSERT INTO %s.%s SELECT * FROM %s.%s WHERE %s IN (", to, table, from,
               table, column);
    put_consumers(m, out);
    buf_lit(out, ");\n");
}

static void put_script(const struct move *m, struct buf *out, const char *from, const char *to)
{
    buf_lit(out, "CREATE TEMP TABLE moved (name TEXT, missing INTEGER CHECK (missing = 0));\n");
    for (unsigned i = 0; i < m->table_count; i++)
        if (!m->tables[i].is_index)
            put_copy(out, from, to, m->tables[i].name);
    for (unsigned i = 0; i < m->table_count; i++)
        if (m->tables[i].is_index)
            buf_printf(out, "INSERT INTO %s.%s (%s) VALUES ('rebuild');\n", to, m->tables[i].name,
                       m->tables[i].name);
    put_kit_copy(m, out, from, to, "consumer_position", "name");
    put_kit_copy(m, out, from, to, "dead_letter", "consumer");
    buf_lit(out, "DROP TABLE temp.moved;\n");
}

static int run_script(struct move *m, const struct db_attached *files, size_t count,
                      struct buf *script, struct error *err)
{
    buf_char(script, 0);
    panic_if(!buf_ok(script), "%s has too many tables", m->room->name);
    return db_run_attached(m->main_db, files, count, script->ptr, err);
}

static int copy_rows(struct move *m, struct error *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    bool from_main = strcmp(m->from, "main") == 0, to_main = strcmp(m->to, "main") == 0;
    struct db_attached files[2];
    struct buf script;
    size_t count = 0;
    int rc = path_of(m, m->from, from, err);
    if (rc == 0)
        rc = path_of(m, m->to, to, err);
    if (rc < 0)
        return rc;
    if (!from_main)
        files[count++] = (struct db_attached){"source", from};
    if (!to_main)
        files[count++] = (struct db_attached){"target", to};
    buf_init(&script, SCRIPT_BYTES_MAX);
    put_script(m, &script, from_main ? "main" : "source", to_main ? "main" : "target");
    rc = run_script(m, files, count, &script, err);
    buf_done(&script);
    return rc;
}

static int record_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct move *m = arg;
    return placement_move(tx, m->room->name, m->from, m->to, err);
}

static void put_drops(const struct move *m, struct buf *out, const char *where)
{
    for (int indexes = 1; indexes >= 0; indexes--) /* they read the others */
        for (unsigned i = 0; i < m->table_count; i++)
            if (m->tables[i].is_index == (indexes == 1))
                buf_printf(out, "DROP TABLE IF EXISTS %s.%s;\n", where, m->tables[i].name);
    buf_printf(out, "DELETE FROM %s.consumer_position WHERE name IN (", where);
    put_consumers(m, out);
    buf_printf(out, "); DELETE FROM %s.dead_letter WHERE consumer IN (", where);
    put_consumers(m, out);
    buf_printf(out, "); DELETE FROM %s.schema_migration WHERE room = '%s';\n", where,
               m->room->schema->room);
}

static int drop_at(struct move *m, const char *name, struct error *err)
{
    char path[PATH_BYTES];
    bool in_main = strcmp(name, "main") == 0;
    struct db_attached file = {"old", path};
    struct buf script;
    int rc = path_of(m, name, path, err);
    if (rc < 0 || access(path, F_OK) != 0)
        return rc; /* the whole file was removed */
    buf_init(&script, SCRIPT_BYTES_MAX);
    put_drops(m, &script, in_main ? "main" : "old");
    rc = run_script(m, &file, in_main ? 0 : 1, &script, err);
    buf_done(&script);
    return rc;
}

static int left_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct move *m = arg;
    return placement_next_left(tx, m->room->name, m->left, err);
}

static int dropped_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct move *m = arg;
    return placement_dropped(tx, m->room->name, m->left, err);
}

/* Also what a crash after an earlier move's record has left. */
static int drop_left(struct move *m, struct error *err)
{
    for (;;) {
        int rc = db_read(m->main_db, left_tx, m, err);
        if (rc < 0 || m->left[0] == 0)
            return rc;
        rc = drop_at(m, m->left, err);
        if (rc == 0)
            rc = db_write(m->main_db, dropped_tx, m, err);
        if (rc < 0)
            return rc;
    }
}

static int move_tables(struct move *m, struct error *err)
{
    int rc = 0;
    if (strcmp(m->from, m->to) != 0) {
        rc = make_tables(m, err);
        if (rc == 0 && fault("move.made"))
            rc = error_set(err, FAIL_INTERNAL, "move_fault", "The fault point was hit.");
        if (rc == 0)
            rc = copy_rows(m, err);
        if (rc == 0 && fault("move.copied"))
            rc = error_set(err, FAIL_INTERNAL, "move_fault", "The fault point was hit.");
        if (rc == 0)
            rc = db_write(m->main_db, record_tx, m, err);
        if (rc == 0 && fault("move.recorded"))
            rc = error_set(err, FAIL_INTERNAL, "move_fault", "The fault point was hit.");
    }
    return rc < 0 ? rc : drop_left(m, err);
}

static int move(struct move *m, const char *item, struct error *err)
{
    int rc = placement_parse(item, &m->room_index, m->to, err);
    if (rc < 0)
        return rc;
    m->room = all_modules[m->room_index];
    rc = relay_rest(m, err);
    if (rc == 0)
        rc = list_tables(m, err);
    if (rc == 0)
        rc = open_file(m, "main", &m->main_db, err);
    if (rc < 0)
        return rc;
    rc = move_tables(m, err);
    db_close(m->main_db);
    return rc;
}

int move_room(const struct config *config, const char *item)
{
    struct error err;
    struct move m = {.config = config};
    error_init(&err);
    if (move(&m, item, &err) < 0)
        return options_complain("migrate", &err);
    if (strcmp(m.from, m.to) == 0)
        printf("%s is in %s.db; nothing of it is left elsewhere\n", m.room->name, m.to);
    else
        printf("moved %s (%u tables) from %s.db to %s.db; set database.rooms to match: %s=%s\n",
               m.room->name, m.table_count, m.from, m.to, m.room->name, m.to);
    return 0;
}
