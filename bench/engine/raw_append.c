/* The peer: one thread, one connection, a prepared INSERT, nothing around it. */
#include "raw_append.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(sqlite3 *db, int ok)
{
    if (ok)
        return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void append(sqlite3 *db, sqlite3_stmt *insert, int64_t first, int64_t rows, int batch)
{
    static char data[450];
    memset(data, 'x', sizeof data);
    for (int64_t at = first; at < first + rows;) {
        must(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
        for (int i = 0; i < batch && at < first + rows; i++, at++) {
            sqlite3_bind_int64(insert, 1, at);
            sqlite3_bind_int64(insert, 2, 1700000000000);
            sqlite3_bind_int64(insert, 3, 1);
            sqlite3_bind_blob(insert, 4, data, 16, SQLITE_STATIC);
            sqlite3_bind_text(insert, 5, data, sizeof data, SQLITE_STATIC);
            sqlite3_bind_null(insert, 6);
            must(db, sqlite3_step(insert) == SQLITE_DONE);
            sqlite3_reset(insert);
        }
        must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    }
}

void raw_append(const char *path, int64_t present, int64_t rows, int batch)
{
    sqlite3 *db;
    sqlite3_stmt *insert;
    must(NULL, sqlite3_open(path, &db) == SQLITE_OK);
    must(db, sqlite3_exec(db,
                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                          "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4096;"
                          "CREATE TABLE log (pos INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
                          " type INTEGER NOT NULL, stream BLOB NOT NULL, data TEXT NOT NULL,"
                          " meta BLOB)",
                          NULL, NULL, NULL) == SQLITE_OK);
    must(db, sqlite3_prepare_v2(db, "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6)", -1, &insert,
                                NULL) == SQLITE_OK);
    append(db, insert, 1, present, 10000);
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    append(db, insert, present + 1, rows, batch);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    getrusage(RUSAGE_THREAD, &after);
    double system = (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e6 +
                    (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec);
    printf("{\"engine\": \"raw sqlite\", \"batch\": %d, \"rows\": %lld, \"rows_per_s\": %.0f, "
           "\"user_us_per_row\": %.2f, \"system_us_per_row\": %.2f}\n",
           batch, (long long)rows, (double)rows / wall, (cpu * 1e6 - system) / (double)rows,
           system / (double)rows);
    sqlite3_finalize(insert);
    sqlite3_close(db);
}
