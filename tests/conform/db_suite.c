/* What every relational engine must do, whichever stands behind the door (engine/db.h). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "db_engine.h"
#include "harness.h"

static const struct db_migration things[] = {
    {.number = 1,
     .name = "things",
     .sqlite = "CREATE TABLE thing (id BLOB PRIMARY KEY, name TEXT UNIQUE, size INTEGER,"
               " weight REAL, extra BLOB) STRICT"},
};
static const struct db_schema schema = {"test", things, 1};

static const struct db_sql insert_thing = {
    "INSERT INTO thing (id, name, size, weight, extra) VALUES (?1, ?2, ?3, ?4, ?5)"};
static const struct db_sql select_thing = {
    "SELECT id, name, size, extra, name FROM thing WHERE name = ?1"};
static const struct db_sql count_things = {"SELECT count(*) FROM thing"};
static const struct db_sql rename_all = {"UPDATE thing SET size = size + 1"};

static struct db *open_db(void)
{
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(db_engine_open("conform", &clock_system, &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    return db;
}

struct thing {
    const char *name;
    int64_t size;
    int result; /* returned by the transaction */
    struct db_hook hook;
    int hook_calls, hook_committed;
    char detail[100];
};

static void note_end(struct db_hook *hook, bool committed)
{
    struct thing *t = CONTAINER_OF(hook, struct thing, hook);
    t->hook_calls++;
    t->hook_committed = committed;
}

static int add_thing(struct db_tx *tx, void *arg, struct error *err)
{
    struct thing *t = arg;
    struct id id = id_new(db_clock(tx));
    CHECK(db_tx_writes(tx));
    t->hook.run = note_end;
    db_on_end(tx, &t->hook);
    int rc =
        db_exec(tx, &insert_thing, err, db_id(&id), db_text(slice_str(t->name)), db_int(t->size),
                (struct db_value){.type = DB_REAL, .real = 1.5}, db_blob(SLICE("\0\1")));
    if (rc != 0)
        return rc;
    CHECK_INT(db_changes(tx), 1);
    return t->result == 0 ? 0 : error_set(err, (enum fail)t->result, "told_to", "told to fail");
}

static int find_thing(struct db_tx *tx, void *arg, struct error *err)
{
    struct thing *t = arg;
    struct db_rows rows;
    int rc = db_query(tx, &select_thing, &rows, err, db_text(slice_str(t->name)));
    if (rc != 0)
        return rc;
    rc = db_next(&rows, err);
    t->size = rc == 1 ? db_col_int(&rows, 2) : -1;
    if (rc == 1) {
        CHECK_STR(db_col_text(&rows, 1), t->name);
        CHECK_INT(db_col_blob(&rows, 3).len, 2);
        struct id id = db_col_id(&rows, 0);
        CHECK(!id_is_nil(&id));
    }
    db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

static int count_fn(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    int rc = db_query_n(tx, &count_things, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc == 1)
        *(int64_t *)arg = db_col_int(&rows, 0);
    return rc < 0 ? rc : 0; /* the row is left open: the end of the transaction closes it */
}

static int64_t count(struct db *db)
{
    int64_t n = -1;
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(db, count_fn, &n, &err), &err);
    return n;
}

TEST(db_what_was_written_is_read)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    struct thing t = {.name = "chair", .size = 7};
    CHECK_OK(db_write(db, add_thing, &t, &err), &err);
    CHECK_INT(t.hook_calls, 1);
    CHECK_INT(t.hook_committed, 1);
    struct thing found = {.name = "chair"};
    CHECK_OK(db_read(db, find_thing, &found, &err), &err);
    CHECK_INT(found.size, 7);
    struct thing missing = {.name = "table"};
    CHECK_OK(db_read(db, find_thing, &missing, &err), &err);
    CHECK_INT(missing.size, -1);
    db_close(db);
}

TEST(db_a_failed_transaction_leaves_nothing)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    struct thing t = {.name = "ghost", .result = FAIL_FORBIDDEN};
    CHECK_INT(db_write(db, add_thing, &t, &err), FAIL_FORBIDDEN);
    CHECK_STR(slice_str(err.code), "told_to");
    CHECK_INT(t.hook_calls, 1);
    CHECK_INT(t.hook_committed, 0);
    CHECK_INT(count(db), 0);
    db_close(db);
}

TEST(db_a_unique_violation_is_a_conflict_and_names_the_column)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    struct thing a = {.name = "one"}, b = {.name = "one"};
    CHECK_OK(db_write(db, add_thing, &a, &err), &err);
    CHECK_INT(db_write(db, add_thing, &b, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "unique_violation");
    CHECK(strstr(err.detail, "name") != NULL);
    CHECK_INT(b.hook_committed, 0);
    CHECK_INT(count(db), 1);
    db_close(db);
}

static int write_in_read(struct db_tx *tx, void *arg, struct error *err)
{
    CHECK(!db_tx_writes(tx));
    return db_exec_n(tx, &rename_all, NULL, 0, err);
}

TEST(db_read_cannot_write)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    CHECK_INT(db_read(db, write_in_read, NULL, &err), FAIL_INTERNAL);
    CHECK_STR(slice_str(err.code), "read_only");
    db_close(db);
}

/* --- a read is one snapshot ------------------------------------------------------------------ */
struct snapshot {
    struct db *db;
    int64_t before, after;
};

static void *add_meanwhile(void *arg)
{
    struct thing t = {.name = "meanwhile"};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(arg, add_thing, &t, &err), &err);
    return NULL;
}

static int count_twice(struct db_tx *tx, void *arg, struct error *err)
{
    struct snapshot *s = arg;
    int rc = count_fn(tx, &s->before, err);
    pthread_t thread;
    pthread_create(&thread, NULL, add_meanwhile, s->db);
    pthread_join(thread, NULL);
    return rc == 0 ? count_fn(tx, &s->after, err) : rc;
}

TEST(db_read_sees_one_snapshot)
{
    struct snapshot s = {.db = open_db()};
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(s.db, count_twice, &s, &err), &err);
    CHECK_INT(s.before, 0);
    CHECK_INT(s.after, 0);
    CHECK_INT(count(s.db), 1);
    db_close(s.db);
}

/* --- many at once: each isolated, all grouped ------------------------------------------------ */
enum { THREADS = 8, EACH = 50 };

struct worker {
    struct db *db;
    unsigned number;
};

static void *add_many(void *arg)
{
    const struct worker *w = arg;
    for (unsigned i = 0; i < EACH; i++) {
        char name[40];
        snprintf(name, sizeof name, "%u-%u", w->number, i);
        struct thing t = {.name = name, .size = i, .result = i % 5 == 4 ? FAIL_CONFLICT : 0};
        struct error err;
        error_init(&err);
        CHECK_INT(db_write(w->db, add_thing, &t, &err), t.result);
        struct thing found = {.name = name};
        error_init(&err);
        CHECK_OK(db_read(w->db, find_thing, &found, &err), &err);
        CHECK_INT(found.size, t.result == 0 ? (int64_t)i : -1); /* own writes are seen at once */
    }
    return NULL;
}

TEST(db_concurrent_transactions_stand_or_fall_alone)
{
    struct db *db = open_db();
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){db, i};
        pthread_create(&threads[i], NULL, add_many, &workers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(count(db), THREADS * EACH * 4 / 5);
    struct db_stats stats;
    db_stats(db, &stats);
    CHECK_INT(stats.failures, THREADS * EACH / 5);
    CHECK_INT(stats.queue_now, 0);
    db_close(db);
}

static const struct db_sql select_names = {"SELECT name FROM thing ORDER BY name"};

/* Goes on as if the column were NULL. */
static int rename_by_copy(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows rows;
    struct slice name = {0};
    int rc = db_query_n(tx, &select_names, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc > 0) {
        name = db_col_copy(&rows, 0, arg);
        db_rows_close(&rows);
        rc = db_tx_writes(tx) ? db_exec_n(tx, &rename_all, NULL, 0, err) : 0;
    }
    CHECK(rc < 0 || name.ptr == NULL || name.len == 5);
    return rc;
}

TEST(db_what_does_not_fit_into_the_arena_fails_the_transaction)
{
    struct db *db = open_db();
    struct thing thing = {.name = "thing", .size = 7};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(db, add_thing, &thing, &err), &err);
    for (int writes = 0; writes < 2; writes++) {
        struct arena full, roomy;
        arena_init(&full, 1);
        arena_init(&roomy, 1000);
        int (*run)(struct db *, db_fn *, void *, struct error *) = writes ? db_write : db_read;
        error_init(&err);
        CHECK_INT(run(db, rename_by_copy, &full, &err), FAIL_TOO_LARGE);
        CHECK_STR(slice_str(err.code), "result_too_large");
        error_init(&err);
        CHECK_OK(run(db, rename_by_copy, &roomy, &err), &err);
        arena_done(&full);
        arena_done(&roomy);
    }
    struct thing found = {.name = "thing"};
    CHECK_OK(db_read(db, find_thing, &found, &err), &err);
    CHECK_INT(found.size, 8); /* once, not twice */
    db_close(db);
}

static int nested(struct db_tx *tx, void *arg, struct error *err)
{
    struct db_rows outer, inner;
    int rc = db_query_n(tx, &select_names, NULL, 0, &outer, err);
    while (rc == 0 && (rc = db_next(&outer, err)) == 1) {
        rc = db_query_n(tx, &select_names, NULL, 0, &inner, err);
        while (rc == 0 && (rc = db_next(&inner, err)) == 1) {
            ++*(int *)arg;
            rc = 0;
        }
    }
    return rc;
}

TEST(db_the_same_statement_inside_itself)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    struct thing a = {.name = "a"}, b = {.name = "b"};
    CHECK_OK(db_write(db, add_thing, &a, &err), &err);
    CHECK_OK(db_write(db, add_thing, &b, &err), &err);
    int pairs = 0;
    CHECK_OK(db_read(db, nested, &pairs, &err), &err);
    CHECK_INT(pairs, 4);
    db_close(db);
}

TEST(db_is_there_after_reopening)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    struct thing t = {.name = "durable", .size = 3};
    CHECK_OK(db_write(db, add_thing, &t, &err), &err);
    db_close(db);
    db = open_db();
    CHECK_INT(count(db), 1);
    db_close(db);
}

/* --- migrations ------------------------------------------------------------------------------ */
static const struct db_migration more[] = {
    {.number = 1,
     .name = "things",
     .sqlite = "CREATE TABLE thing (id BLOB PRIMARY KEY, name TEXT UNIQUE, size INTEGER,"
               " weight REAL, extra BLOB) STRICT"},
    {.number = 2,
     .name = "colours",
     .sqlite = "ALTER TABLE thing ADD COLUMN colour TEXT; CREATE INDEX thing_size ON thing (size)"},
};
static const struct db_migration edited[] = {
    {.number = 1, .name = "things", .sqlite = "CREATE TABLE thing (id BLOB PRIMARY KEY)"},
};
static const struct db_migration broken[] = {
    {.number = 1, .name = "half", .sqlite = "CREATE TABLE half (id INTEGER); CREATE NONSENSE"},
};

TEST(db_migrations_are_applied_once)
{
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    unsigned applied = 99;
    CHECK_OK(db_engine_open("conform", &clock_system, &db, &err), &err);
    struct db_schema two = {"test", more, 2};
    CHECK_INT(db_migrate_check(db, &two, 1, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "schema_older");
    error_init(&err);
    CHECK_OK(db_migrate(db, &schema, 1, &applied, &err), &err);
    CHECK_INT(applied, 1);
    CHECK_OK(db_migrate(db, &two, 1, &applied, &err), &err);
    CHECK_INT(applied, 1);
    CHECK_OK(db_migrate(db, &two, 1, &applied, &err), &err);
    CHECK_INT(applied, 0);
    CHECK_OK(db_migrate_check(db, &two, 1, &err), &err);
    db_close(db);
}

TEST(db_a_newer_or_edited_schema_is_refused)
{
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(db_engine_open("conform", &clock_system, &db, &err), &err);
    CHECK_OK(db_migrate(db, &(struct db_schema){"test", more, 2}, 1, NULL, &err), &err);
    CHECK_INT(db_migrate(db, &schema, 1, NULL, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "schema_newer");
    error_init(&err);
    CHECK_INT(db_migrate_check(db, &schema, 1, &err), FAIL_CONFLICT);
    error_init(&err);
    struct db_schema changed = {"test", edited, 1};
    db_close(db);
    CHECK_OK(db_engine_open("other", &clock_system, &db, &err), &err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    CHECK_INT(db_migrate(db, &changed, 1, NULL, &err), FAIL_CONFLICT);
    CHECK_STR(slice_str(err.code), "schema_changed");
    db_close(db);
}

TEST(db_a_failing_migration_leaves_nothing_and_says_which)
{
    struct db *db = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(db_engine_open("conform", &clock_system, &db, &err), &err);
    struct db_schema bad = {"test", broken, 1};
    CHECK(db_migrate(db, &bad, 1, NULL, &err) < 0);
    CHECK(strstr(err.detail, "half") != NULL);
    CHECK(strstr(err.detail, "test") != NULL);
    error_init(&err);
    CHECK_OK(db_migrate(db, &schema, 1, NULL, &err), &err);
    db_close(db);
}

/* --- backup ---------------------------------------------------------------------------------- */
TEST(db_backup_while_writing_is_consistent)
{
    struct db *db = open_db();
    struct error err;
    error_init(&err);
    char path[200];
    snprintf(path, sizeof path, "%s/copy.db", test_dir());
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){db, i};
        pthread_create(&threads[i], NULL, add_many, &workers[i]);
    }
    CHECK_OK(db_backup(db, path, NULL, &err), &err);
    CHECK_INT(db_backup(db, path, NULL, &err), FAIL_CONFLICT);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    db_close(db);
    struct db *copy = NULL;
    error_init(&err);
    CHECK_OK(db_engine_open("copy", &clock_system, &copy, &err), &err);
    CHECK_OK(db_migrate_check(copy, &schema, 1, &err), &err);
    int64_t n = count(copy);
    CHECK(n >= 0 && n <= THREADS * EACH);
    struct thing t = {.name = "after", .size = 1};
    CHECK_OK(db_write(copy, add_thing, &t, &err), &err);
    CHECK_INT(count(copy), n + 1);
    db_close(copy);
}
