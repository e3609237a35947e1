#include "app/placement.h"

#include <stdio.h>
#include <strings.h>

#include "app/roles.h"
#include "engine/db_one.h"

static const char placement_001[] =
    "CREATE TABLE room_place (\n"
    "    room TEXT PRIMARY KEY,\n"
    "    database TEXT NOT NULL -- main, or the name of the file beside it\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE room_left (\n"
    "    room TEXT NOT NULL,\n"
    "    database TEXT NOT NULL, -- where it was: what it has there is still to be dropped\n"
    "    PRIMARY KEY (room, database)\n"
    ") STRICT, WITHOUT ROWID;\n";
static const struct db_migration migrations[] = {{1, "room_place", placement_001}};
const struct db_schema placement_schema = {"placement", migrations, ARRAY_LEN(migrations)};

static const struct db_sql sql_tables = {
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1"};
static const struct db_sql sql_applied = {"SELECT 1 FROM schema_migration WHERE room = ?1"};
static const struct db_sql sql_place = {"SELECT database FROM room_place WHERE room = ?1"};
static const struct db_sql sql_record = {
    "INSERT INTO room_place (room, database) VALUES (?1, ?2) ON CONFLICT (room) DO NOTHING"};
static const struct db_sql sql_set = {
    "INSERT INTO room_place (room, database) VALUES (?1, ?2) "
    "ON CONFLICT (room) DO UPDATE SET database = excluded.database"};

static const struct db_sql sql_leave = {
    "INSERT INTO room_left (room, database) VALUES (?1, ?2) ON CONFLICT DO NOTHING"};
static const struct db_sql sql_left = {"SELECT database FROM room_left WHERE room = ?1 LIMIT 1"};
static const struct db_sql sql_dropped = {
    "DELETE FROM room_left WHERE room = ?1 AND database = ?2"};

/* --- configuration -----------------------------------------------------------------------------
 */

static const char field[] = "database.rooms";

static bool has_tables(size_t room)
{
    return all_modules[room]->schema != NULL;
}

static bool is_movable(size_t room)
{
    return has_tables(room) && all_modules[room]->stays == NULL;
}

static void list_movable(char *ret_text, size_t size)
{
    size_t at = 0;
    ret_text[0] = 0;
    for (size_t i = 0; i < all_module_count; i++)
        if (is_movable(i) && at < size)
            at += (size_t)snprintf(ret_text + at, size - at, "%s%s", at > 0 ? ", " : "",
                                   all_modules[i]->name);
}

static int check_room(struct slice room, size_t *ret_room, struct error *err)
{
    char movable[256];
    list_movable(movable, sizeof movable);
    for (size_t i = 0; i < all_module_count; i++) {
        if (!slice_eq(room, slice_str(all_modules[i]->name)))
            continue;
        *ret_room = i;
        if (is_movable(i))
            return 0;
        return error_field(err, field, "not_movable", "%s stays in main.db: %s. Movable: %s.",
                           all_modules[i]->name,
                           has_tables(i) ? all_modules[i]->stays : "it has no tables of its own",
                           movable);
    }
    return error_field(err, field, "unknown_room", "There is no room \"%.*s\". Movable: %s.",
                       SLICE_FMT(room), movable);
}

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return name.len > 0 && name.len <= PLACEMENT_NAME_MAX;
}

static int check_name(struct slice name, struct error *err)
{
    static const char *const derived[] = {"search", "feed"};
    if (!is_name(name))
        return error_field(err, field, "invalid_name",
                           "\"%.*s\" is no name of a database: 1 to %d letters, digits, - and _.",
                           SLICE_FMT(name), PLACEMENT_NAME_MAX);
    for (size_t i = 0; i < ARRAY_LEN(derived); i++)
        if (name.len == strlen(derived[i]) && strncasecmp(name.ptr, derived[i], name.len) == 0)
            return error_field(err, field, "name_taken",
                               "%s.db holds what is made again from main.db: name another.",
                               derived[i]);
    return 0;
}

int placement_parse(const char *item, size_t *ret_room, char *ret_name, struct error *err)
{
    struct slice name = slice_str(item), room;
    if (!slice_cut(&name, '=', &room))
        return error_field(err, field, "invalid_item",
                           "\"%s\" is not room=database, such as social=graph.", item);
    int rc = check_room(slice_trim(room), ret_room, err);
    name = slice_trim(name);
    if (rc == 0)
        rc = check_name(name, err);
    if (rc == 0 && !copy_str(ret_name, PLACEMENT_NAME_MAX + 1, name))
        rc = error_field(err, field, "invalid_name", "The name is too long.");
    return rc;
}

bool placement_is_file(const char *file)
{
    struct error err;
    struct slice name = slice_str(file);
    error_init(&err);
    if (name.len < 3 || strcmp(file + name.len - 3, ".db") != 0)
        return false;
    name.len -= 3;
    return !slice_eq(name, SLICE("main")) && check_name(name, &err) == 0;
}

bool placement_in_main(const struct placement *placement, size_t room)
{
    return strcmp(placement->name[room], "main") == 0;
}

int placement_read(const struct config *config, struct placement *ret_placement, struct error *err)
{
    bool said[PLACEMENT_ROOMS_MAX] = {false};
    int worst = 0;
    panic_if(all_module_count > PLACEMENT_ROOMS_MAX, "too many rooms");
    memset(ret_placement, 0, sizeof *ret_placement);
    for (size_t i = 0; i < all_module_count; i++)
        snprintf(ret_placement->name[i], sizeof ret_placement->name[i], "main");
    for (size_t i = 0; i < config_list_count(config, field); i++) {
        char name[PLACEMENT_NAME_MAX + 1];
        size_t room = 0;
        int rc = placement_parse(config_list_item(config, field, i), &room, name, err);
        if (rc == 0 && said[room])
            rc = error_field(err, field, "room_twice", "The room %s is there twice.",
                             all_modules[room]->name);
        if (rc < 0) {
            worst = rc;
            continue;
        }
        said[room] = true;
        memcpy(ret_placement->name[room], name, sizeof name);
    }
    return worst;
}

/* --- the record --------------------------------------------------------------------------------
 */

static int table_exists(struct db_tx *tx, const char *name, bool *ret_exists, struct error *err)
{
    return db_one_exists(tx, &sql_tables, ret_exists, err, db_text(slice_str(name)));
}

static int applied_here(struct db_tx *tx, const char *room, bool *ret_applied, struct error *err)
{
    bool exists = false;
    *ret_applied = false;
    int rc = table_exists(tx, "schema_migration", &exists, err);
    return rc == 0 && exists
               ? db_one_exists(tx, &sql_applied, ret_applied, err, db_text(slice_str(room)))
               : rc;
}

static int place_of(struct db_tx *tx, const char *room, bool recorded, char *ret_name,
                    struct error *err)
{
    struct db_rows rows;
    int rc = 0;
    ret_name[0] = 0;
    if (recorded) {
        rc = db_one(tx, &sql_place, &rows, err, db_text(slice_str(room)));
        if (rc < 0)
            return rc;
        if (rc > 0 && !copy_str(ret_name, PLACEMENT_NAME_MAX + 1, db_col_text(&rows, 0)))
            ret_name[0] = 0;
        db_rows_close(&rows);
        if (rc > 0)
            return 0;
    }
    bool applied = false;
    rc = applied_here(tx, room, &applied, err);
    if (rc == 0 && applied)
        memcpy(ret_name, "main", sizeof "main");
    return rc;
}

static int recorded_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct placement *p = arg;
    bool exists = false;
    int rc = table_exists(tx, "room_place", &exists, err);
    for (size_t i = 0; rc == 0 && i < all_module_count; i++)
        if (is_movable(i))
            rc = place_of(tx, all_modules[i]->name, exists, p->name[i], err);
    return rc;
}

int placement_recorded(struct db *main_db, struct placement *ret_placement, struct error *err)
{
    memset(ret_placement, 0, sizeof *ret_placement);
    return db_read(main_db, recorded_tx, ret_placement, err);
}

int placement_compare(const struct placement *wanted, const struct placement *recorded,
                      struct error *err)
{
    for (size_t i = 0; i < all_module_count; i++) {
        const char *room = all_modules[i]->name, *is = recorded->name[i];
        if (is[0] != 0 && strcmp(is, wanted->name[i]) != 0)
            return error_set(err, FAIL_CONFLICT, "room_elsewhere",
                             "the tables of %s are in %s.db, and database.rooms says %s.db: with "
                             "the server stopped, move them with `parley migrate --move %s=%s`, "
                             "or set database.rooms to %s=%s",
                             room, is, wanted->name[i], room, wanted->name[i], room, is);
    }
    return 0;
}

struct looking {
    const char *name;
    const struct placement *recorded;
};

static int check_tables_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct looking *l = arg;
    for (size_t i = 0; i < all_module_count; i++) {
        bool applied = false;
        if (strcmp(l->recorded->name[i], l->name) != 0)
            continue;
        int rc = applied_here(tx, all_modules[i]->name, &applied, err);
        if (rc < 0)
            return rc;
        if (!applied)
            return error_set(err, FAIL_CONFLICT, "room_missing",
                             "%s.db has no tables of %s, which live there: put the file back, or "
                             "restore a backup",
                             l->name, all_modules[i]->name);
    }
    return 0;
}

int placement_check_tables(struct db *db, const char *name, const struct placement *recorded,
                           struct error *err)
{
    struct looking l = {name, recorded};
    return db_read(db, check_tables_tx, &l, err);
}

static int record_tx(struct db_tx *tx, void *arg, struct error *err)
{
    const struct placement *p = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < all_module_count; i++)
        if (is_movable(i))
            rc = db_exec(tx, &sql_record, err, db_text(slice_str(all_modules[i]->name)),
                         db_text(slice_str(p->name[i])));
    return rc;
}

int placement_record(struct db *main_db, const struct placement *placement, struct error *err)
{
    return db_write(main_db, record_tx, (void *)placement, err);
}

int placement_move(struct db_tx *tx, const char *room, const char *from, const char *to,
                   struct error *err)
{
    int rc = db_exec(tx, &sql_set, err, db_text(slice_str(room)), db_text(slice_str(to)));
    if (rc == 0)
        rc = db_exec(tx, &sql_leave, err, db_text(slice_str(room)), db_text(slice_str(from)));
    return rc < 0 ? rc : placement_dropped(tx, room, to, err);
}

int placement_dropped(struct db_tx *tx, const char *room, const char *name, struct error *err)
{
    return db_exec(tx, &sql_dropped, err, db_text(slice_str(room)), db_text(slice_str(name)));
}

int placement_next_left(struct db_tx *tx, const char *room, char *ret_name, struct error *err)
{
    struct db_rows rows;
    int rc = db_one(tx, &sql_left, &rows, err, db_text(slice_str(room)));
    ret_name[0] = 0;
    if (rc > 0 && !copy_str(ret_name, PLACEMENT_NAME_MAX + 1, db_col_text(&rows, 0)))
        rc = error_set(err, FAIL_CONFLICT, "room_left", "main.db names a database wrongly.");
    db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}
