#include "people.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void people_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("people-fill: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t people_random(struct people *p)
{
    p->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(p->state);
}

double people_uniform(struct people *p)
{
    return (double)(people_random(p) >> 11) * 0x1p-53;
}

/* UUIDv7 (RFC 9562, 5.7) of a time and two numbers. */
static struct id make_id(int64_t at_ms, uint64_t a, uint64_t b)
{
    struct id id;
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char)(at_ms >> (8 * (5 - i)));
    id.bytes[6] = (unsigned char)(0x70 | (a & 0x0f));
    id.bytes[7] = (unsigned char)(a >> 4);
    for (int i = 0; i < 8; i++)
        id.bytes[8 + i] = (unsigned char)(b >> (8 * i));
    id.bytes[8] = (unsigned char)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

int64_t people_user_time(const struct people *p, uint32_t user)
{
    return p->now_ms - 2 * YEAR_MS + (int64_t)user * 30;
}

struct id people_user_id(const struct people *p, uint32_t user)
{
    uint64_t r = mix(p->seed ^ user);
    return make_id(people_user_time(p, user), r >> 52, mix(r));
}

int64_t people_post_time(const struct people *p, uint32_t post)
{
    return p->now_ms - YEAR_MS + (int64_t)((double)YEAR_MS * post / p->posts);
}

struct id people_post_id(const struct people *p, uint32_t post)
{
    uint64_t r = mix(p->seed ^ 0x706f7374 ^ ((uint64_t)post << 32));
    return make_id(people_post_time(p, post), r >> 52, mix(r));
}

uint32_t people_author(const struct people *p, uint32_t post)
{
    return (uint32_t)(mix(p->seed + 77 + post) % p->users);
}

/* Names that sound like some: as many different first names and surnames as a large town has. */
void people_name(const struct people *p, uint32_t user, char *name, size_t size)
{
    static const char *const heads[] = {"An", "Ber", "Ca", "Da", "El", "Fe", "Gre", "Ha", "Is",
                                        "Jo", "Ka",  "Li", "Ma", "Na", "Ol", "Pe",  "Ro", "Sa",
                                        "Ta", "Ul",  "Vi", "Wa", "Xe", "Ya", "Ze"};
    static const char *const middles[] = {"la", "mi", "no", "ri", "sa",
                                          "to", "vi", "be", "do", "ke"};
    static const char *const tails[] = {"n", "s", "ra", "lle", "rt", "na", "us", "x", "ne", "l"};
    uint64_t r = mix(p->seed ^ 0x6e616d65 ^ ((uint64_t)user << 20));
#define PICK(list, bits) list[((r >> (bits)) & 0xffff) % (sizeof(list) / sizeof *(list))]
    const char *first = PICK(heads, 0), *second = PICK(middles, 8), *third = PICK(tails, 16);
    const char *family = PICK(heads, 24), *line = PICK(middles, 32), *end = PICK(tails, 40);
    snprintf(name, size, "%s%s%s %s%s%s%s", first, second, third, family, line, PICK(middles, 48),
             end);
#undef PICK
}

/* --- SQLite ------------------------------------------------------------------------------------
 */

void people_exec(sqlite3 *db, const char *sql)
{
    char *problem = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &problem) != SQLITE_OK)
        people_die("%s: %s", sql, problem);
}

static sqlite3 *open_db(const char *data, const char *name)
{
    char path[4096];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/%s", data, name);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        people_die("cannot open %s", path);
    people_exec(db, "PRAGMA synchronous = OFF");
    people_exec(db, "PRAGMA cache_size = -262144");
    people_exec(db, "PRAGMA temp_store = FILE");
    return db;
}

static uint64_t number(const char *name, const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0')
        people_die("%s is a number, not \"%s\"", name, text);
    return value;
}

void people_open(struct people *p, const char *data, const char *users, const char *edges,
                 const char *posts, const char *seed)
{
    *p = (struct people){.users = (uint32_t)number("USERS", users),
                         .edges = number("EDGES", edges),
                         .posts = (uint32_t)number("POSTS", posts),
                         .seed = number("SEED", seed),
                         .now_ms = (int64_t)time(NULL) / 86400 * 86400000};
    if (p->users < 2 * READER_FOLLOWS)
        people_die("at least %d users", 2 * READER_FOLLOWS);
    p->state = p->seed;
    p->main = open_db(data, "main.db");
    p->search = open_db(data, "search.db");
}

void people_close(struct people *p)
{
    people_exec(p->main, "PRAGMA wal_checkpoint(TRUNCATE)");
    people_exec(p->search, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(p->main);
    sqlite3_close(p->search);
}

void people_begin(sqlite3 *db)
{
    people_exec(db, "BEGIN IMMEDIATE");
}

void people_commit(sqlite3 *db)
{
    people_exec(db, "COMMIT");
}

sqlite3_stmt *people_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        people_die("%s: %s", sql, sqlite3_errmsg(db));
    return statement;
}

void people_run(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        people_die("%s: %s", sqlite3_sql(statement), sqlite3_errmsg(sqlite3_db_handle(statement)));
    sqlite3_reset(statement);
}

void people_bind_id(sqlite3_stmt *statement, int at, const struct id *id)
{
    sqlite3_bind_blob(statement, at, id->bytes, sizeof id->bytes, SQLITE_TRANSIENT);
}

void people_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}
