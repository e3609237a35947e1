/* Migrations: numbered scripts per room, each applied once, in one transaction together with the
 * row in schema_migration that says so. The recorded checksum shows a script that was edited after
 * it had run; a recorded number that this program does not have shows a newer database. Rooms that
 * are not asked about are left alone.
 *
 * Concurrent starts cannot race: the lock file lets one process in.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "engine/db_sqlite.h"

static const char table[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
                            "room TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
                            "checksum TEXT NOT NULL, applied_at INTEGER NOT NULL,"
                            "PRIMARY KEY (room, number)) STRICT, WITHOUT ROWID";
static const struct db_sql has_table = {
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'"};
static const struct db_sql select_applied = {
    "SELECT number, name, checksum FROM schema_migration WHERE room = ?1 ORDER BY number"};
static const struct db_sql insert_applied = {
    "INSERT INTO schema_migration (room, number, name, checksum, applied_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"};

struct checksum {
    char text[17];
};

/* Against accidents, not against an attacker, who could change the row as well. */
static struct checksum checksum_of(const struct db_migration *m)
{
    static const uint8_t key[16] = "parley-migration";
    struct checksum sum;
    snprintf(sum.text, sizeof sum.text, "%016" PRIx64,
             siphash13(key, m->sqlite, strlen(m->sqlite)));
    return sum;
}

static int check_row(const struct db_schema *schema, const struct db_rows *rows, size_t *applied,
                     struct error *err)
{
    int64_t number = db_col_int(rows, 0);
    if (number > (int64_t)schema->count)
        return error_set(err, FAIL_CONFLICT, "schema_newer",
                         "the database is newer than this program: %s has migration %" PRId64
                         " (%.*s), this program knows %zu: start the newer version, or restore a "
                         "backup made by this one",
                         schema->room, number, SLICE_FMT(db_col_text(rows, 1)), schema->count);
    if (number != (int64_t)*applied + 1)
        return error_set(err, FAIL_CONFLICT, "schema_gap",
                         "migration %zu of %s is not recorded, but %" PRId64
                         " is: restore a backup",
                         *applied + 1, schema->room, number);
    const struct db_migration *m = &schema->migrations[number - 1];
    if (!slice_eq(db_col_text(rows, 2), slice_str(checksum_of(m).text)))
        return error_set(err, FAIL_CONFLICT, "schema_changed",
                         "migration %" PRId64 " (%s) of %s was applied with another text: a "
                         "migration never changes, add a new one instead",
                         number, m->name, schema->room);
    ++*applied;
    return 0;
}

/* How many of the schema's migrations are recorded, all of them checked. */
static int count_applied(struct db_tx *tx, const struct db_schema *schema, size_t *ret_applied,
                         struct error *err)
{
    struct db_rows rows;
    size_t applied = 0;
    int rc = db_query_n(tx, &has_table, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc <= 0) {
        *ret_applied = 0;
        return rc;
    }
    db_rows_close(&rows);
    rc = db_query(tx, &select_applied, &rows, err, db_text(slice_str(schema->room)));
    if (rc != 0)
        return rc;
    while ((rc = db_next(&rows, err)) == 1) {
        rc = check_row(schema, &rows, &applied, err);
        if (rc != 0) {
            db_rows_close(&rows);
            return rc;
        }
    }
    if (rc == 0)
        *ret_applied = applied;
    return rc;
}

struct step {
    const struct db_schema *schema;
    const struct db_migration *migration;
    size_t applied;
};

static int count_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *step = arg;
    return count_applied(tx, step->schema, &step->applied, err);
}

static int apply_fn(struct db_tx *tx, void *arg, struct error *err)
{
    const struct step *step = arg;
    const struct db_migration *m = step->migration;
    struct checksum sum = checksum_of(m);
    int rc = db_tx_script(tx, table, err);
    if (rc == 0)
        rc = db_tx_script(tx, m->sqlite, err);
    if (rc == 0)
        rc = db_exec(tx, &insert_applied, err, db_text(slice_str(step->schema->room)),
                     db_int(m->number), db_text(slice_str(m->name)), db_text(slice_str(sum.text)),
                     db_int(clock_wall_ms(db_clock(tx))));
    if (rc == 0 || err == NULL)
        return rc;
    struct error why = *err;
    error_init(err);
    return error_set(err, (enum fail)why.kind, why.code, "migration %d (%s) of %s: %s", m->number,
                     m->name, step->schema->room, why.detail);
}

static int migrate_one(struct db *db, const struct db_schema *schema, unsigned *applied,
                       struct error *err)
{
    struct step step = {.schema = schema};
    int rc = db_read(db, count_fn, &step, err);
    for (size_t i = step.applied; rc == 0 && i < schema->count; i++) {
        step.migration = &schema->migrations[i];
        panic_if(step.migration->number != (int)i + 1, "migrations of %s are not numbered 1..%zu",
                 schema->room, schema->count);
        rc = db_write(db, apply_fn, &step, err);
        *applied += rc == 0;
    }
    return rc;
}

int db_migrate(struct db *db, const struct db_schema *schemas, size_t count, unsigned *ret_applied,
               struct error *err)
{
    unsigned applied = 0;
    int rc = 0;
    /* Refuse before anything is changed. */
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = db_read(db, count_fn, &(struct step){.schema = &schemas[i]}, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = migrate_one(db, &schemas[i], &applied, err);
    if (rc == 0 && ret_applied != NULL)
        *ret_applied = applied;
    return rc;
}

int db_migrate_check(struct db *db, const struct db_schema *schemas, size_t count,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct step step = {.schema = &schemas[i]};
        int rc = db_read(db, count_fn, &step, err);
        if (rc != 0)
            return rc;
        if (step.applied != schemas[i].count)
            return error_set(err, FAIL_CONFLICT, "schema_older",
                             "the database is older than this program: %s has %zu of %zu "
                             "migrations: run `parley migrate`",
                             schemas[i].room, step.applied, schemas[i].count);
    }
    return 0;
}
