/* The social room at its size, without sockets.
 *
 *     bench-social FOLDER [people 100000] [follows 1000000] [blocks 1000000]
 *
 * Fills the tables (every tenth follow is of one person, the rest are between random people), then
 * times what rooms ask: fan-out, relations of a page of authors, lists newest first, a follow by
 * its rule with its events, and the blocks: loading them at start, and asking for a pair when
 * nobody has blocked anybody and when everybody has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "service/social/social_room.h"

enum { PIECE = 20000, ASKED = 4000000 };

struct bench {
    struct kit kit;
    struct db *db;
    struct event_log *log;
    struct config *config;
    struct social_room *room;
    char path[400];
    struct id *people;
    unsigned count;
    struct error err;
};

static double now_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void must(int rc, const struct error *err)
{
    panic_if(rc != 0, "%s: %s", err->code != NULL ? err->code : "?", err->detail);
}

static unsigned below(unsigned most)
{
    static uint64_t state = 20261121;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((state >> 33) % most);
}

static void say(const char *what, double ms, double count, const char *unit)
{
    printf("{\"what\": \"%s\", \"ms\": %.1f, \"count\": %.0f, \"%s\": %.3f}\n", what, ms, count,
           unit, ms * 1e3 / (count > 0 ? count : 1));
    fflush(stdout);
}

/* --- the house -------------------------------------------------------------------------------- */

static void open_house(struct bench *b)
{
    static const struct event_type *const types[] = {&social_follow_changed_event,
                                                     &social_block_changed_event,
                                                     &social_follow_linked_event, NULL};
    const struct db_schema schemas[] = {event_log_schema, *social_module.schema};
    const struct db_config config = {
        .path = b->path, .readers = 1, .queue_max = 1000, .batch_max = 100, .clock = &clock_system};
    must(db_open(&config, &b->db, &b->err), &b->err);
    must(db_migrate(b->db, schemas, ARRAY_LEN(schemas), NULL, &b->err), &b->err);
    const struct event_log_config log = {.db = b->db, .types = types};
    must(event_log_open(&log, &b->log, &b->err), &b->err);
    b->kit =
        (struct kit){.config = b->config, .clock = &clock_system, .main_db = b->db, .log = b->log};
}

static void start_room(struct bench *b)
{
    void *room;
    must(social_module.start(&b->kit, &room, &b->err), &b->err);
    must(event_log_start(b->log, &b->err), &b->err);
    b->room = room;
}

static void close_house(struct bench *b)
{
    social_module.stop(b->room);
    event_log_close(b->log);
    db_close(b->db);
}

/* --- filling ---------------------------------------------------------------------------------- */

struct piece {
    struct bench *b;
    uint64_t from, to;
};

static int people_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct piece *p = arg;
    int rc = 0;
    for (uint64_t i = p->from; rc == 0 && i < p->to; i++)
        rc = social_store_add_person(tx, &p->b->people[i], err);
    return rc;
}

static int follow_one(struct bench *b, struct db_tx *tx, uint64_t number, struct error *err)
{
    const struct id *follower = &b->people[1 + below(b->count - 1)];
    const struct id *target = number % 10 == 0 ? &b->people[0] : &b->people[below(b->count)];
    struct social_follow_row row;
    int rc = social_store_follow(tx, follower, target, &row, err);
    if (rc < 0 || row.found || id_eq(follower, target))
        return rc;
    row = (struct social_follow_row){.made_at = (int64_t)number, .since_pos = number};
    rc = social_store_put_follow(tx, follower, target, &row, err);
    if (rc == 0)
        rc = social_store_count(tx, target, SOCIAL_COUNT_FOLLOWERS, 1, err);
    return rc < 0 ? rc : social_store_count(tx, follower, SOCIAL_COUNT_FOLLOWING, 1, err);
}

static int follows_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct piece *p = arg;
    int rc = 0;
    for (uint64_t i = p->from; rc == 0 && i < p->to; i++)
        rc = follow_one(p->b, tx, i, err);
    return rc;
}

static int blocks_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct piece *p = arg;
    int rc = 0;
    for (uint64_t i = p->from; rc == 0 && i < p->to; i++) {
        bool changed;
        const struct id *by = &p->b->people[below(p->b->count)];
        rc = social_store_put(tx, SOCIAL_PAIRS_BLOCK, by, &p->b->people[below(p->b->count)],
                              (int64_t)i, &changed, err);
    }
    return rc;
}

static void fill(struct bench *b, const char *what, db_fn *fn, uint64_t count)
{
    struct stat file;
    double from = now_ms();
    for (uint64_t i = 0; i < count; i += PIECE) {
        struct piece piece = {b, i, i + PIECE < count ? i + PIECE : count};
        must(db_write(b->db, fn, &piece, &b->err), &b->err);
    }
    say(what, now_ms() - from, (double)count, "us_each");
    if (stat(b->path, &file) == 0)
        printf("{\"file_mb\": %lld}\n", (long long)file.st_size >> 20);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void fan_out(struct bench *b)
{
    const struct social_calls *calls = &b->room->calls;
    static struct id ids[1000];
    struct id after = {{0}};
    size_t count = 1000, all = 0;
    double from = now_ms();
    while (count == 1000) {
        must(calls->followers(calls->room, &b->people[0], &after, 1000, ids, &count, &b->err),
             &b->err);
        all += count;
        if (count > 0)
            after = ids[count - 1];
    }
    say("followers of one person, 1000 at a time", now_ms() - from, (double)all, "us_each");
}

static void relations(struct bench *b)
{
    const struct social_calls *calls = &b->room->calls;
    struct social_relation how[50];
    struct id others[50];
    enum { TIMES = 400 };
    double from = now_ms();
    for (unsigned i = 0; i < TIMES; i++) {
        for (unsigned k = 0; k < 50; k++)
            others[k] = b->people[below(b->count)];
        must(calls->relations(calls->room, &b->people[below(b->count)], others, 50, how, &b->err),
             &b->err);
    }
    say("relations to 50 people", now_ms() - from, TIMES, "us_each");
}

static void lists(struct bench *b)
{
    const struct social_calls *calls = &b->room->calls;
    struct page_query query = {.limit = 50};
    struct cursor next = {0};
    struct buf text;
    struct id ids[50];
    size_t count;
    bool more = true;
    unsigned pages = 0;
    buf_init(&text, 200);
    double from = now_ms();
    for (; more && pages < 500; pages++) {
        must(calls->page(calls->room, SOCIAL_LIST_FOLLOWERS, &b->people[1], &b->people[0], &query,
                         ids, &count, &next, &more, &b->err),
             &b->err);
        buf_clear(&text);
        cursor_encode(&next, &text);
        query.cursor = buf_view(&text);
    }
    say("a page of 50 followers, newest first", now_ms() - from, pages, "us_each");
    buf_done(&text);
}

static void rules(struct bench *b)
{
    enum { TIMES = 300 };
    struct social_relationship how;
    double from = now_ms();
    for (unsigned i = 0; i < TIMES; i++) {
        error_init(&b->err);
        struct social_call call = {
            .room = b->room, .user = b->people[1 + below(b->count - 1)], .err = &b->err};
        const struct id *target = &b->people[below(b->count)];
        if (!id_eq(&call.user, target) && social_follow(&call, target, &how) == 0)
            must(social_unfollow(&call, target, &how), &b->err);
    }
    say("follow and unfollow, one after the other, each on the disk", now_ms() - from, TIMES,
        "us_each");
}

static void ask_blocks(struct bench *b, const char *what)
{
    const struct social_calls *calls = &b->room->calls;
    unsigned found = 0;
    double from = now_ms();
    for (unsigned i = 0; i < ASKED; i++)
        found += calls->blocked(calls->room, &b->people[i % b->count],
                                &b->people[(i * 7 + 1) % b->count]);
    double ms = now_ms() - from;
    printf("{\"what\": \"%s\", \"ns_each\": %.1f, \"found\": %u}\n", what, ms * 1e6 / ASKED, found);
}

/* --- all of it -------------------------------------------------------------------------------- */

static uint64_t number(int argc, char **argv, int at, uint64_t fallback)
{
    uint64_t value = fallback;
    panic_if(argc > at && !slice_to_u64(slice_str(argv[at]), &value), "%s is no number", argv[at]);
    return value;
}

static void fill_all(struct bench *b, uint64_t follows)
{
    fill(b, "people", people_tx, b->count);
    fill(b, "follows", follows_tx, follows);
}

static void ask_all(struct bench *b)
{
    fan_out(b);
    relations(b);
    lists(b);
    rules(b);
    ask_blocks(b, "blocked, nobody has");
}

static void block_all(struct bench *b, uint64_t blocks)
{
    fill(b, "blocks", blocks_tx, blocks);
    close_house(b);
    open_house(b);
    double from = now_ms();
    start_room(b);
    say("start with these blocks", now_ms() - from, 1, "us_each");
    ask_blocks(b, "blocked, one in so many has");
}

int main(int argc, char **argv)
{
    panic_if(argc < 2, "usage: bench-social FOLDER [people] [follows] [blocks]");
    static const char *const settings[] = {NULL};
    const struct config_key *tables[] = {social_module.config, NULL};
    const struct config_source source = {.settings = settings};
    struct bench b = {.count = (unsigned)number(argc, argv, 2, 100000)};
    error_init(&b.err);
    must(config_load(tables, &source, &b.config, &b.err), &b.err);
    snprintf(b.path, sizeof b.path, "%s/bench.db", argv[1]);
    b.people = xcalloc(b.count, sizeof *b.people);
    for (unsigned i = 0; i < b.count; i++)
        b.people[i] = id_new(&clock_system);
    open_house(&b);
    start_room(&b);
    fill_all(&b, number(argc, argv, 3, 1000000));
    ask_all(&b);
    block_all(&b, number(argc, argv, 4, 1000000));
    close_house(&b);
    free(b.people);
    config_free(b.config);
    return 0;
}
