/* Queries that give one row or none (engine/db_one.h), on every relational engine. */
#include "db_engine.h"
#include "engine/db_one.h"
#include "harness.h"

static const struct db_migration numbers[] = {
    {.number = 1,
     .name = "numbers",
     .sqlite = "CREATE TABLE number (n INTEGER PRIMARY KEY, id BLOB, twice INTEGER) STRICT"},
};
static const struct db_schema schema = {"test", numbers, 1};

static const struct db_sql sql_insert = {"INSERT INTO number (n, id, twice) VALUES (?1, ?2, ?3)"};
static const struct db_sql sql_from = {"SELECT twice, n FROM number WHERE n >= ?1 ORDER BY n"};
static const struct db_sql sql_id = {"SELECT id FROM number WHERE n = ?1"};
static const struct db_sql sql_count = {"SELECT count(*) FROM number"};
static const struct db_sql sql_wrong = {"SELECT n FROM letter WHERE n = ?1"};

static const struct id some_id = {{7, 1}};

static int fill(struct db_tx *tx, void *arg, struct error *err)
{
    int rc = db_exec(tx, &sql_insert, err, db_int(1), db_id(&some_id), db_int(2));
    if (rc == 0)
        rc = db_exec(tx, &sql_insert, err, db_int(5), db_null(), db_int(10));
    return rc == 0 ? db_exec(tx, &sql_insert, err, db_int(6), db_null(), db_null()) : rc;
}

static void in_read(db_fn *fn)
{
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(db_engine_open("one", &clock_system, &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    CHECK_OK(db_write(db, fill, NULL, &err), &err);
    CHECK_OK(db_read(db, fn, NULL, &err), &err);
    db_close(db);
}

/* --- the row itself ----------------------------------------------------------------------------
 */

static int read_rows(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    for (int twice = 0; twice < 2; twice++) { /* the statement is free again */
        CHECK_INT(db_one(tx, &sql_from, &rows, err, db_int(2)), 1);
        CHECK_INT(db_col_int(&rows, 0), 10);
        CHECK_INT(db_col_int(&rows, 1), 5);
        db_rows_close(&rows);
    }
    CHECK_INT(db_one(tx, &sql_from, &rows, err, db_int(7)), 0);
    db_rows_close(&rows);
    CHECK_INT(db_one(tx, &sql_count, &rows, err), 1);
    CHECK_INT(db_col_int(&rows, 0), 3);
    db_rows_close(&rows);
    return 0;
}

TEST(db_one_stands_at_the_first_row)
{
    in_read(read_rows);
}

/* --- one value ---------------------------------------------------------------------------------
 */

static int read_values(struct db_tx *tx, void *arg, struct error *err)
{
    int64_t value = -1;
    bool exists = false;
    struct id id = {{9}};
    CHECK_OK(db_one_int(tx, &sql_from, &value, err, db_int(2)), err);
    CHECK_INT(value, 10);
    CHECK_OK(db_one_exists(tx, &sql_from, &exists, err, db_int(6)), err);
    CHECK(exists);
    CHECK_OK(db_one_id(tx, &sql_id, &id, err, db_int(1)), err);
    CHECK(id_eq(&id, &some_id));
    CHECK_OK(db_one_int(tx, &sql_count, &value, err), err);
    CHECK_INT(value, 3);
    return 0;
}

TEST(db_one_value_is_that_of_the_first_row)
{
    in_read(read_values);
}

static int read_nothing(struct db_tx *tx, void *arg, struct error *err)
{
    int64_t value = -1;
    bool exists = true;
    struct id id = {{9}};
    CHECK_OK(db_one_int(tx, &sql_from, &value, err, db_int(7)), err);
    CHECK_INT(value, 0);
    CHECK_OK(db_one_exists(tx, &sql_from, &exists, err, db_int(7)), err);
    CHECK(!exists);
    CHECK_OK(db_one_id(tx, &sql_id, &id, err, db_int(2)), err);
    CHECK(id_is_nil(&id));
    /* A row with NULL in it is a row. */
    value = -1, id = some_id;
    CHECK_OK(db_one_int(tx, &sql_from, &value, err, db_int(6)), err);
    CHECK_INT(value, 0);
    CHECK_OK(db_one_id(tx, &sql_id, &id, err, db_int(5)), err);
    CHECK(id_is_nil(&id));
    CHECK_OK(db_one_exists(tx, &sql_id, &exists, err, db_int(5)), err);
    CHECK(exists);
    return 0;
}

TEST(db_one_value_without_a_row)
{
    in_read(read_nothing);
}

/* --- failures ----------------------------------------------------------------------------------
 */

static int read_wrongly(struct db_tx *tx, void *arg, struct error *err)
{
    struct error wrong;
    struct db_rows rows;
    int64_t value = -1;
    bool exists = true;
    struct id id = some_id;
    error_init(&wrong);
    CHECK(db_one(tx, &sql_wrong, &rows, &wrong, db_int(1)) < 0);
    CHECK(wrong.code != NULL);
    db_rows_close(&rows);
    CHECK(db_one_int(tx, &sql_wrong, &value, &wrong, db_int(1)) < 0);
    CHECK_INT(value, -1);
    CHECK(db_one_exists(tx, &sql_wrong, &exists, &wrong, db_int(1)) < 0);
    CHECK(exists);
    CHECK(db_one_id(tx, &sql_wrong, &id, &wrong, db_int(1)) < 0);
    CHECK(id_eq(&id, &some_id));
    return 0;
}

TEST(db_one_leaves_outputs_alone_when_it_fails)
{
    in_read(read_wrongly);
}
