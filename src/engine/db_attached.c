/* One transaction over several database files, for commands that run while no server does. The
 * writer connection attaches them and is the only one that any of the files has. */
#include <stdio.h>

#include "engine/db_sqlite.h"

struct attaching {
    const struct db_attached *files;
    size_t count;
    const char *script;
};

static int attach(struct db_conn *conn, const struct db_attached *file, struct error *err)
{
    char *text = sqlite3_mprintf("ATTACH %Q AS %Q; PRAGMA %w.synchronous=FULL", file->path,
                                 file->name, file->name);
    if (text == NULL)
        return error_set(err, FAIL_UNAVAILABLE, "busy", "Out of memory.");
    int rc = db_conn_script(conn, text, err);
    sqlite3_free(text);
    return rc;
}

static void detach(struct db_conn *conn, const struct db_attached *file)
{
    struct error late;
    error_init(&late);
    char *text = sqlite3_mprintf("DETACH %Q", file->name);
    if (text != NULL)
        should_not(db_conn_script(conn, text, &late) != 0);
    sqlite3_free(text);
}

static int run(struct db *db, void *arg, struct error *err)
{
    const struct attaching *a = arg;
    struct db_conn *conn = &db->writer.conn;
    struct error late;
    size_t attached = 0;
    int rc = 0;
    while (rc == 0 && attached < a->count) {
        rc = attach(conn, &a->files[attached], err);
        attached += rc == 0;
    }
    if (rc == 0)
        rc = db_conn_script(conn, "BEGIN IMMEDIATE; PRAGMA defer_foreign_keys=ON", err);
    if (rc == 0)
        rc = db_conn_script(conn, a->script, err);
    if (rc == 0)
        rc = db_conn_script(conn, "COMMIT", err);
    error_init(&late);
    if (rc != 0 && sqlite3_get_autocommit(conn->sqlite) == 0)
        should_not(db_conn_script(conn, "ROLLBACK", &late) != 0);
    while (attached > 0)
        detach(conn, &a->files[--attached]);
    return rc;
}

int db_run_attached(struct db *db, const struct db_attached *files, size_t count,
                    const char *script, struct error *err)
{
    struct attaching a = {files, count, script};
    return db_outside(db, run, &a, err);
}
