/* bench-log-append [FOLDER [PRESENT_ROWS]]: durable events per second and processor time per event,
 * for 1, 100 and 1000 coroutines that each wait for one transaction after another, a transaction
 * being one event of 450 bytes; beside them SQLite without anything around it, in the same run.
 *
 * "writer" is the processor time of the writer thread, in which all of SQLite, the fold and the
 * relay happen; "all" is that of the whole process, with the coroutines and their wake-ups.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/event_log.h"
#include "raw_append.h"

enum { STREAMS = 1000, PRESENT = 1000000, DATA_BYTES = 450 };

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type *const types[] = {&sent, NULL};

struct bench {
    struct db *db;
    struct event_log *log;
    struct loop *loop;
    struct id streams[STREAMS];
    char data[DATA_BYTES];
    int64_t left; /* transactions to be begun */
    unsigned running;
    uint64_t seen;
};

struct one {
    struct bench *bench;
    unsigned events, stream;
};

static void must(int rc, const struct error *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", err->code, err->detail);
    exit(1);
}

static double seconds(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    struct one *one = arg;
    struct bench *b = one->bench;
    struct event_draft draft = {.type = &sent, .data = slice_of(b->data, sizeof b->data)};
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < one->events; i++) {
        draft.stream = b->streams[(one->stream + i) % STREAMS];
        rc = event_emit(b->log, tx, &draft, NULL, err);
    }
    return rc;
}

struct cpu {
    double user, system;
};

static int thread_cpu(struct db_tx *tx, void *arg, struct error *err)
{
    struct rusage use;
    getrusage(RUSAGE_THREAD, &use);
    *(struct cpu *)arg =
        (struct cpu){(double)use.ru_utime.tv_sec * 1e6 + (double)use.ru_utime.tv_usec,
                     (double)use.ru_stime.tv_sec * 1e6 + (double)use.ru_stime.tv_usec};
    return 0;
}

static struct cpu writer_cpu(struct bench *b)
{
    struct cpu cpu = {0};
    struct error err;
    error_init(&err);
    must(db_write(b->db, thread_cpu, &cpu, &err), &err);
    return cpu;
}

static void write_on(void *arg)
{
    struct bench *b = arg;
    struct one one = {.bench = b, .events = 1};
    struct error err;
    while (b->left > 0) {
        b->left--;
        one.stream = (unsigned)(b->left % STREAMS);
        error_init(&err);
        must(db_write(b->db, emit, &one, &err), &err);
    }
    if (--b->running == 0)
        loop_stop(b->loop);
}

struct start {
    struct mail mail;
    struct bench *bench;
    unsigned writers;
};

static void start_writers(struct mail *mail)
{
    struct start *s = CONTAINER_OF(mail, struct start, mail);
    struct error err;
    error_init(&err);
    s->bench->running = s->writers;
    for (unsigned i = 0; i < s->writers; i++)
        must(coro_spawn(s->bench->loop, write_on, s->bench, &err), &err);
}

static void deliver(struct event_subscription *sub, struct event_batch *batch)
{
    (void)sub, (void)batch;
}

static void measure(struct bench *b, unsigned writers, int64_t rows)
{
    struct error err;
    error_init(&err);
    must(loop_new(&(struct loop_config){.stacks_max = 2000}, &b->loop, &err), &err);
    struct event_subscription *sub = xcalloc(1, sizeof *sub);
    *sub = (struct event_subscription){.loop = b->loop, .deliver = deliver};
    if (writers == 1000) /* the last one, since there is no leaving: the loop is freed below */
        event_log_subscribe(b->log, sub);
    struct db_stats before, after;
    db_stats(b->db, &before);
    struct cpu from = writer_cpu(b);
    double wall = seconds(CLOCK_MONOTONIC), all = seconds(CLOCK_PROCESS_CPUTIME_ID);
    b->left = rows;
    struct start start = {.mail = {.deliver = start_writers}, .bench = b, .writers = writers};
    loop_post(b->loop, &start.mail);
    loop_run(b->loop);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    all = seconds(CLOCK_PROCESS_CPUTIME_ID) - all;
    struct cpu to = writer_cpu(b);
    db_stats(b->db, &after);
    printf("{\"engine\": \"log\", \"writers\": %u, \"rows\": %lld, \"rows_per_s\": %.0f, "
           "\"rows_per_commit\": %.1f, \"writer_user_us_per_row\": %.2f, "
           "\"writer_system_us_per_row\": %.2f, \"all_cpu_us_per_row\": %.2f}\n",
           writers, (long long)rows, (double)rows / wall,
           (double)rows / (double)(after.commits - before.commits),
           (to.user - from.user) / (double)rows, (to.system - from.system) / (double)rows,
           all * 1e6 / (double)rows);
}

static void fill(struct bench *b, int64_t rows)
{
    struct one one = {.bench = b, .events = 5000};
    struct error err;
    error_init(&err);
    for (int64_t done = 0; done < rows; done += one.events)
        must(db_write(b->db, emit, &one, &err), &err);
}

static void open_log(struct bench *b, const char *folder, struct error *err)
{
    char path[300];
    snprintf(path, sizeof path, "%s/log.db", folder);
    struct db_config db = {.path = path, .readers = 1, .queue_max = 10000, .batch_max = 512};
    must(db_open(&db, &b->db, err), err);
    must(db_migrate(b->db, &event_log_schema, 1, NULL, err), err);
    struct event_log_config config = {.db = b->db, .types = types};
    double start = seconds(CLOCK_MONOTONIC);
    must(event_log_open(&config, &b->log, err), err);
    must(event_log_start(b->log, err), err);
    struct event_log_stats stats;
    event_log_stats(b->log, &stats);
    printf("{\"open_ms\": %.1f, \"head\": %llu, \"tail_events\": %zu}\n",
           (seconds(CLOCK_MONOTONIC) - start) * 1e3, (unsigned long long)stats.head,
           stats.tail_events);
}

/* A process that ends without closing leaves its tail to the next start. */
static void leave_tail(struct bench *b, const char *folder)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct error err;
        error_init(&err);
        open_log(b, folder, &err);
        fill(b, 30000);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "/tmp/parley-bench-log";
    int64_t present = argc > 2 ? strtoll(argv[2], NULL, 10) : PRESENT;
    char command[300];
    snprintf(command, sizeof command, "%s/raw.db", folder);
    static struct bench b;
    struct error err;
    error_init(&err);
    for (unsigned i = 0; i < STREAMS; i++)
        b.streams[i] = id_new(&clock_system);
    memset(b.data, 'x', sizeof b.data);
    raw_append(command, present, 300000, 1000);
    raw_append(":memory:", 0, 300000, 1000);
    open_log(&b, folder, &err);
    fill(&b, present);
    measure(&b, 1, 3000);
    measure(&b, 100, 200000);
    measure(&b, 1000, 400000);
    event_log_close(b.log);
    db_close(b.db);
    open_log(&b, folder, &err);
    event_log_close(b.log);
    db_close(b.db);
    leave_tail(&b, folder);
    open_log(&b, folder, &err); /* as after a crash */
    event_log_close(b.log);
    db_close(b.db);
    return 0;
}
