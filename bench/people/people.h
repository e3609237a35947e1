/* The people of the benchmark, by number: ids, names, times; and SQLite without ceremony. Every
 * failure ends the program with a sentence. */
#ifndef BENCH_PEOPLE_H
#define BENCH_PEOPLE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define READERS 1000        /* people who follow */
#define READER_FOLLOWS 1000 /* so many each */
#define YEAR_MS INT64_C(31536000000)

struct id {
    unsigned char bytes[16];
};

struct people {
    sqlite3 *main, *search, *feed; /* feed NULL: the folder has none */
    uint32_t users, posts;
    uint64_t edges, seed, state;
    int64_t now_ms; /* today's midnight: what is recent to the server is recent here */
};

_Noreturn void people_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void people_open(struct people *p, const char *data, const char *users, const char *edges,
                 const char *posts, const char *seed);
void people_close(struct people *p);

uint64_t people_random(struct people *p);
double people_uniform(struct people *p); /* [0, 1) */

struct id people_user_id(const struct people *p, uint32_t user); /* increasing */
int64_t people_user_time(const struct people *p, uint32_t user);
void people_name(const struct people *p, uint32_t user, char *name, size_t size);
struct id people_post_id(const struct people *p, uint32_t post); /* increasing */
int64_t people_post_time(const struct people *p, uint32_t post);
uint32_t people_author(const struct people *p, uint32_t post);

void people_exec(sqlite3 *db, const char *sql);
void people_begin(sqlite3 *db);
void people_commit(sqlite3 *db);
sqlite3_stmt *people_prepare(sqlite3 *db, const char *sql);
void people_run(sqlite3_stmt *statement); /* to its end, and ready for the next */
void people_bind_id(sqlite3_stmt *statement, int at, const struct id *id);
void people_bind_text(sqlite3_stmt *statement, int at, const char *text);

#endif
