/* bench-client-ids [FOLDER [MILLIONS]]: what a new client id costs the writer beside so many that
 * are there already: filling in the ids alone (no messages), which is the fold's part, and asking
 * for new ones in the way that sending does, fetched ahead by two. One line for each step.
 *
 * Not through the store's door, since a hundred million messages would take an hour.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/random.h"
#include "engine/event_log.h"
#include "engine/message_store_internal.h"

enum { LOOKS = 200000, AHEAD = 2 };

static const struct event_type *const types[] = {NULL};

static void must(int rc, const struct error *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", err->code, err->detail);
    exit(1);
}

static double thread_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool no_key(const struct event *event, struct message_key *ret_key)
{
    return false;
}

static bool not_from(struct slice json, const struct id *sender, struct slice client_id)
{
    return false;
}

struct work {
    struct message_store *store;
    double seconds; /* of the writer's time */
    uint64_t count;
};

/* One run, as a round of the fold fills it. */
static int fill(struct db_tx *tx, void *arg, struct error *err)
{
    enum { BUCKET_IDS = MESSAGE_KEY_RUN / MESSAGE_KEY_BUCKETS };
    struct work *work = arg;
    struct message_key_item items[BUCKET_IDS];
    double begin = thread_seconds();
    int rc = 0;
    for (uint64_t bucket = 0; rc == 0 && bucket < MESSAGE_KEY_BUCKETS; bucket++) {
        random_bytes(items, sizeof items);
        for (unsigned i = 0; i < BUCKET_IDS; i++)
            items[i].hash = items[i].hash >> 9 | bucket << 55;
        rc = message_keys_append(work->store, tx, items, BUCKET_IDS, err);
    }
    if (rc == 0)
        rc = message_keys_turn(work->store, tx, err);
    work->seconds += thread_seconds() - begin;
    return rc;
}

static int look(struct db_tx *tx, void *arg, struct error *err)
{
    struct work *work = arg;
    struct message_key keys[AHEAD + 1] = {0};
    double begin = thread_seconds();
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < LOOKS; i++) {
        struct message_key *next = &keys[i % (AHEAD + 1)];
        random_bytes(&next->client_hash, sizeof next->client_hash);
        message_store_ahead(work->store, next);
        uint64_t seq;
        if (i >= AHEAD)
            rc = message_store_find_client_id(work->store, tx, &keys[(i + 1) % (AHEAD + 1)], &seq,
                                              err);
    }
    work->seconds = thread_seconds() - begin;
    return rc;
}

static void step(struct db *db, struct message_store *store, uint64_t runs)
{
    struct error err;
    error_init(&err);
    struct work filling = {.store = store};
    while (store->state.run < runs) {
        must(db_write(db, fill, &filling, &err), &err);
        filling.count += MESSAGE_KEY_RUN;
    }
    struct work looking = {.store = store};
    struct message_store_stats before, after;
    message_store_stats(store, &before);
    must(db_write(db, look, &looking, &err), &err);
    message_store_stats(store, &after);
    double checks = (double)(after.filter_checks - before.filter_checks);
    printf("%9.1f million ids: %4.0f ns a new id, false alarms %.3f %%; filled at %.2f us an id\n",
           (double)runs * MESSAGE_KEY_RUN / 1e6, looking.seconds * 1e9 / LOOKS,
           (double)(after.filter_passes - before.filter_passes) / checks * 100,
           filling.count != 0 ? filling.seconds * 1e6 / (double)filling.count : 0.0);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "client-ids";
    uint64_t runs = (argc > 2 ? strtoull(argv[2], NULL, 10) : 100) * 1000000 / MESSAGE_KEY_RUN;
    char path[500];
    struct error err;
    error_init(&err);
    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/ids.db", folder);
    const struct db_config config = {
        .path = path, .readers = 1, .queue_max = 10, .batch_max = 10, .clock = &clock_system};
    const struct db_schema schemas[] = {event_log_schema, message_store_schema};
    struct db *db;
    struct event_log *log;
    struct message_store *store;
    must(db_open(&config, &db, &err), &err);
    must(db_migrate(db, schemas, 2, NULL, &err), &err);
    must(event_log_open(&(struct event_log_config){.db = db, .types = types}, &log, &err), &err);
    must(message_store_open(&(struct message_store_config){log, no_key, not_from}, &store, &err),
         &err);
    must(event_log_start(log, &err), &err);
    for (uint64_t at = 16; at < runs; at *= 2)
        step(db, store, at);
    step(db, store, runs);
    event_log_close(log);
    message_store_close(store);
    db_close(db);
    return 0;
}
