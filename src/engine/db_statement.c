/* Statements: prepared once per connection and found by the address of their db_sql.
 *
 * A statement that is still giving rows when it is asked for again gets a twin, which stays in the
 * cache too. Statements left open by a transaction function are reset when it ends. The first
 * statement that writes opens the transaction's savepoint, so that a transaction which only emits
 * events pays for none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/db_sqlite.h"

static const struct db_sql savepoint_sql = {"SAVEPOINT job"};

void db_tx_init(struct db_tx *tx, struct db *db, struct db_conn *conn, bool writes)
{
    *tx = (struct db_tx){.db = db, .conn = conn, .writes = writes, .hooks_end = NULL};
    tx->hooks_end = &tx->hooks;
}

/* --- errors ---------------------------------------------------------------------------------- */
static int unique_violation(const char *message, struct error *err)
{
    const char *columns = strstr(message, ": ");
    return error_set(err, FAIL_CONFLICT, "unique_violation", "%s",
                     columns != NULL ? columns + 2 : message);
}

/* A quota or a file size limit is an I/O error to SQLite; the WAL's file knows which. */
static int wal_errno(sqlite3 *sqlite)
{
    sqlite3_file *wal = NULL;
    int cause = 0;
    if (sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK &&
        wal != NULL && wal->pMethods != NULL)
        wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &cause);
    return cause;
}

static bool no_space(sqlite3 *sqlite, int extended)
{
    if ((extended & 0xff) == SQLITE_FULL)
        return true;
    if (extended != SQLITE_IOERR_WRITE)
        return false;
    int cause = wal_errno(sqlite);
    return cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
}

int db_conn_error(struct db_conn *conn, int code, const char *what, struct error *err)
{
    const char *message = sqlite3_errmsg(conn->sqlite);
    int extended = sqlite3_extended_errcode(conn->sqlite);
    code &= 0xff;
    const char *path = sqlite3_db_filename(conn->sqlite, "main");
    if (no_space(conn->sqlite, extended))
        return error_set(err, FAIL_STORAGE_FULL, "storage_full", "no space left for %s", path);
    switch (code) {
    case SQLITE_CONSTRAINT:
        if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
            extended == SQLITE_CONSTRAINT_ROWID)
            return unique_violation(message, err);
        if (extended == SQLITE_CONSTRAINT_FOREIGNKEY)
            return error_set(err, FAIL_CONFLICT, "foreign_key_violation", "%s", message);
        return error_set(err, FAIL_INTERNAL, "constraint_violation", "%s", message);
    case SQLITE_TOOBIG: return error_set(err, FAIL_TOO_LARGE, "value_too_large", "%s", message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, FAIL_UNAVAILABLE, "busy", "the database is locked: %s", message);
    case SQLITE_INTERRUPT:
        return error_set(err, FAIL_TIMEOUT, "query_timeout", "the query ran longer than %d ms",
                         DB_READ_MAX_MS);
    case SQLITE_READONLY: return db_unwritable(path, message, err);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return db_damaged(path, message, conn->cure, err);
    default: return error_set(err, FAIL_INTERNAL, "database_error", "%s: %s", what, message);
    }
}

/* --- the cache ------------------------------------------------------------------------------- */
static struct db_statement **slot_of(struct db_conn *conn, const struct db_sql *sql)
{
    return &conn->slots[hash_mix((uintptr_t)sql) % DB_STATEMENT_SLOTS];
}

static int prepare(struct db_conn *conn, const struct db_sql *sql, struct db_statement **ret,
                   struct error *err)
{
    sqlite3_stmt *stmt;
    const char *rest;
    int rc =
        sqlite3_prepare_v3(conn->sqlite, sql->text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &rest);
    if (rc != SQLITE_OK)
        return db_conn_error(conn, rc, sql->text, err);
    panic_if(stmt == NULL || *rest != 0, "not one statement: %s", sql->text);
    struct db_statement *statement = xcalloc(1, sizeof *statement);
    *statement = (struct db_statement){.sql = sql, .stmt = stmt, .conn = conn};
    list_init(&statement->link);
    struct db_statement **slot = slot_of(conn, sql);
    statement->next = *slot;
    *slot = statement;
    *ret = statement;
    return 0;
}

static int find(struct db_conn *conn, const struct db_sql *sql, struct db_statement **ret,
                struct error *err)
{
    for (struct db_statement *s = *slot_of(conn, sql); s != NULL; s = s->next) {
        if (s->sql == sql && !s->in_use) {
            *ret = s;
            return 0;
        }
    }
    return prepare(conn, sql, ret, err);
}

void db_conn_close(struct db_conn *conn)
{
    for (unsigned i = 0; i < DB_STATEMENT_SLOTS; i++) {
        struct db_statement *next;
        for (struct db_statement *s = conn->slots[i]; s != NULL; s = next) {
            next = s->next;
            sqlite3_finalize(s->stmt);
            free(s);
        }
        conn->slots[i] = NULL;
    }
    if (conn->sqlite != NULL)
        should_not(sqlite3_close(conn->sqlite) != SQLITE_OK);
    conn->sqlite = NULL;
}

static void put_back(struct db_statement *statement)
{
    sqlite3_reset(statement->stmt);
    statement->in_use = false;
    list_remove(&statement->link);
}

void db_tx_close_rows(struct db_tx *tx)
{
    struct list *open = &tx->conn->open;
    while (!list_empty(open))
        put_back(CONTAINER_OF(open->next, struct db_statement, link));
}

/* --- running --------------------------------------------------------------------------------- */
int db_conn_run(struct db_conn *conn, const struct db_sql *sql, struct error *err)
{
    struct db_statement *statement;
    int rc = find(conn, sql, &statement, err);
    if (rc != 0)
        return rc;
    int step = sqlite3_step(statement->stmt);
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        rc = db_conn_error(conn, step, sql->text, err);
    sqlite3_reset(statement->stmt);
    return rc;
}

int db_conn_script(struct db_conn *conn, const char *text, struct error *err)
{
    int rc = sqlite3_exec(conn->sqlite, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_conn_error(conn, rc, "script", err);
}

static int open_savepoint(struct db_tx *tx, struct error *err)
{
    int rc = db_conn_run(tx->conn, &savepoint_sql, err);
    tx->savepoint = rc == 0;
    tx->db->writer.batch_wrote = true;
    return rc;
}

/* The batch's transaction on the writer connection begins with its first statement. */
static int enter(struct db_tx *tx, struct error *err)
{
    struct db_writer *w = &tx->db->writer;
    return tx->conn == &w->conn && !w->begun ? db_writer_begin(w, err) : 0;
}

int db_tx_script(struct db_tx *tx, const char *text, struct error *err)
{
    int rc = enter(tx, err);
    if (rc == 0 && !tx->savepoint)
        rc = open_savepoint(tx, err);
    if (rc != 0)
        return rc;
    return db_conn_script(tx->conn, text, err);
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_value *value)
{
    switch (value->type) {
    case DB_INT: return sqlite3_bind_int64(stmt, at, value->integer);
    case DB_REAL: return sqlite3_bind_double(stmt, at, value->real);
    case DB_TEXT:
        return sqlite3_bind_text64(stmt, at, value->bytes.ptr, value->bytes.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(stmt, at, value->bytes.ptr, value->bytes.len, SQLITE_STATIC);
    case DB_NULL: break;
    }
    return sqlite3_bind_null(stmt, at);
}

static int bind_all(struct db_statement *statement, const struct db_value *args, size_t count,
                    struct error *err)
{
    int want = sqlite3_bind_parameter_count(statement->stmt);
    panic_if((size_t)want != count, "%zu arguments for %d parameters: %s", count, want,
             statement->sql->text);
    for (size_t i = 0; i < count; i++) {
        int rc = bind_one(statement->stmt, (int)i + 1, &args[i]);
        if (rc != SQLITE_OK)
            return db_conn_error(statement->conn, rc, statement->sql->text, err);
    }
    return 0;
}

/* A read transaction refuses statements that write; a write transaction opens its savepoint. */
static int may_write(struct db_tx *tx, struct db_statement *statement, struct error *err)
{
    if (tx->savepoint || sqlite3_stmt_readonly(statement->stmt) != 0)
        return 0;
    if (!tx->writes)
        return error_set(err, FAIL_INTERNAL, "read_only", "a read transaction cannot write: %s",
                         statement->sql->text);
    return open_savepoint(tx, err);
}

static int start(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args,
                 size_t count, struct db_statement **ret, struct error *err)
{
    struct db_statement *statement;
    int rc = enter(tx, err);
    if (rc == 0)
        rc = find(tx->conn, sql, &statement, err);
    if (rc == 0)
        rc = may_write(tx, statement, err);
    if (rc == 0)
        rc = bind_all(statement, args, count, err);
    if (rc == 0)
        *ret = statement;
    return rc;
}

int db_exec_n(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args, size_t count,
              struct error *err)
{
    struct db_statement *statement;
    int rc = start(tx, sql, args, count, &statement, err);
    if (rc != 0)
        return rc;
    int step;
    do {
        step = sqlite3_step(statement->stmt);
    } while (step == SQLITE_ROW);
    if (step != SQLITE_DONE)
        rc = db_conn_error(tx->conn, step, sql->text, err);
    else
        tx->changes = sqlite3_changes64(tx->conn->sqlite);
    sqlite3_reset(statement->stmt);
    return rc;
}

int64_t db_changes(struct db_tx *tx)
{
    return tx->changes;
}

int db_query_n(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args,
               size_t count, struct db_rows *ret_rows, struct error *err)
{
    struct db_statement *statement;
    int rc = start(tx, sql, args, count, &statement, err);
    if (rc != 0)
        return rc;
    statement->in_use = true;
    list_add_tail(&tx->conn->open, &statement->link);
    *ret_rows = (struct db_rows){.tx = tx, .statement = statement};
    return 0;
}

int db_next(struct db_rows *rows, struct error *err)
{
    struct db_statement *statement = rows->statement;
    if (statement == NULL)
        return 0;
    int step = sqlite3_step(statement->stmt);
    if (step == SQLITE_ROW)
        return 1;
    int rc =
        step == SQLITE_DONE ? 0 : db_conn_error(statement->conn, step, statement->sql->text, err);
    db_rows_close(rows);
    return rc;
}

void db_rows_close(struct db_rows *rows)
{
    if (rows->statement != NULL)
        put_back(rows->statement);
    rows->statement = NULL;
}

/* --- columns --------------------------------------------------------------------------------- */
static sqlite3_stmt *stmt_of(const struct db_rows *rows)
{
    const struct db_statement *statement = rows->statement;
    panic_if(statement == NULL, "a column was read after the last row");
    return statement->stmt;
}

bool db_col_null(const struct db_rows *rows, int col)
{
    return sqlite3_column_type(stmt_of(rows), col) == SQLITE_NULL;
}

int64_t db_col_int(const struct db_rows *rows, int col)
{
    return sqlite3_column_int64(stmt_of(rows), col);
}

struct slice db_col_blob(const struct db_rows *rows, int col)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    if (sqlite3_column_type(stmt, col) == SQLITE_NULL)
        return (struct slice){0};
    const char *bytes = sqlite3_column_blob(stmt, col);
    /* A blob without bytes is NULL to SQLite, but not absent to us. */
    return slice_of(bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(stmt, col));
}

struct slice db_col_text(const struct db_rows *rows, int col)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    if (sqlite3_column_type(stmt, col) == SQLITE_NULL)
        return (struct slice){0};
    const char *text = (const char *)sqlite3_column_text(stmt, col);
    return slice_of(text != NULL ? text : "", (size_t)sqlite3_column_bytes(stmt, col));
}

struct id db_col_id(const struct db_rows *rows, int col)
{
    struct slice bytes = db_col_blob(rows, col);
    struct id id = {{0}};
    if (bytes.len == sizeof id.bytes)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    else
        should_not(bytes.ptr != NULL); /* not an id: the query names a wrong column */
    return id;
}

struct slice db_col_copy(const struct db_rows *rows, int col, struct arena *arena)
{
    struct slice bytes = db_col_blob(rows, col); /* of a text: its UTF-8 */
    struct slice copy = arena_copy(arena, bytes);
    if (bytes.ptr != NULL && copy.ptr == NULL)
        rows->tx->no_room = true;
    return copy;
}

/* --- the rest of a transaction --------------------------------------------------------------- */
int db_tx_result(const struct db_tx *tx, int rc, struct error *err)
{
    if (rc < 0 || !tx->no_room)
        return rc;
    return error_set(err, FAIL_TOO_LARGE, "result_too_large",
                     "What was read is larger than a request may hold; ask for less at once.");
}

void db_on_end(struct db_tx *tx, struct db_hook *hook)
{
    panic_if(!tx->writes, "db_on_end inside db_read");
    hook->next = NULL;
    *tx->hooks_end = hook;
    tx->hooks_end = &hook->next;
}

void db_tx_run_hooks(struct db_tx *tx, bool committed)
{
    struct db_hook *next;
    for (struct db_hook *hook = tx->hooks; hook != NULL; hook = next) {
        next = hook->next; /* the hook's memory may be given up by run */
        hook->run(hook, committed);
    }
    tx->hooks = NULL;
    tx->hooks_end = &tx->hooks;
}

bool db_tx_writes(const struct db_tx *tx)
{
    return tx->writes;
}

struct db *db_tx_db(const struct db_tx *tx)
{
    return tx->db;
}

const struct clock *db_clock(struct db_tx *tx)
{
    return tx->conn->clock;
}
