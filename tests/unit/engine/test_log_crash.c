/* A child process writes to the log from several threads, reports every acknowledged event through
 * a pipe, and dies: at a fault point, or by kill -9 at no point in particular. Then the log is
 * opened again: every acknowledged event must be there, once, where the acknowledgement said; the
 * stream index and a derived table must say the same as the log. The same file goes through one
 * crash after another.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/event_log.h"
#include "harness.h"

enum { WRITERS = 4, STREAMS = 7, NUMBERS_MAX = 1 << 20, TAIL_MAX = 40 };

static const struct event_type sent = {.name = "message.sent", .client = true};
static const struct event_type *const types[] = {&sent, NULL};
static struct id streams[STREAMS];

/* --- a derived table that follows in slices of 15 rows ---------------------------------------- */
static const struct db_migration copies[] = {
    {1, "copies",
     "CREATE TABLE copy (pos INTEGER PRIMARY KEY, data TEXT);"
     "CREATE TABLE mark (number INTEGER PRIMARY KEY)"}};
static const struct db_schema schemas[] = {{"copies", copies, 1}, {0}};
static const struct db_sql put_copy = {
    "INSERT INTO copy (pos, data) VALUES (?1, ?2) ON CONFLICT (pos) DO UPDATE SET data = ?2"};
static const struct db_sql same_copy = {"SELECT 1 FROM copy WHERE pos = ?1 AND data = ?2"};
static const struct db_sql count_copies = {"SELECT count(*) FROM copy"};
static const struct db_sql put_mark = {"INSERT INTO mark (number) VALUES (?1)"};
static const struct db_sql count_marks = {"SELECT count(*) FROM mark"};
static const struct db_sql has_mark = {"SELECT 1 FROM mark WHERE number = ?1"};

struct copier {
    struct event_folder folder;
    size_t next;
};

static int copy_fold(struct event_folder *folder, struct db_tx *tx,
                     const struct event *const *events, size_t count, int64_t budget_us,
                     bool *ret_more, struct error *err)
{
    struct copier *c = CONTAINER_OF(folder, struct copier, folder);
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < 15 && c->next < count; i++, c->next++)
        rc = db_exec(tx, &put_copy, err, db_int((int64_t)events[c->next]->pos),
                     db_text(events[c->next]->data));
    *ret_more = c->next < count;
    if (!*ret_more)
        c->next = 0;
    return rc;
}

static void copy_reset(struct event_folder *folder)
{
    CONTAINER_OF(folder, struct copier, folder)->next = 0;
}

/* --- the log --------------------------------------------------------------------------------- */
struct opened {
    struct db *db;
    struct event_log *log;
    struct copier copier;
};

static void open_log(struct opened *o)
{
    char path[200];
    struct error err;
    error_init(&err);
    snprintf(path, sizeof path, "%s/log.db", test_dir());
    struct db_config config = {.path = path, .readers = 1, .queue_max = 100, .batch_max = 100};
    CHECK_OK(db_open(&config, &o->db, &err), &err);
    CHECK_OK(db_migrate(o->db, &event_log_schema, 1, NULL, &err), &err);
    CHECK_OK(db_migrate(o->db, schemas, 1, NULL, &err), &err);
    struct event_log_config log_config = {.db = o->db, .types = types, .tail_events_max = TAIL_MAX};
    CHECK_OK(event_log_open(&log_config, &o->log, &err), &err);
    o->copier =
        (struct copier){.folder = {.name = "copies", .fold = copy_fold, .reset = copy_reset}};
    event_log_add_folder(o->log, &o->copier.folder);
    CHECK_OK(event_log_start(o->log, &err), &err);
}

static void close_log(struct opened *o)
{
    event_log_close(o->log);
    db_close(o->db);
}

/* --- the child ------------------------------------------------------------------------------- */
struct ack {
    uint64_t pos;
    uint32_t number, stream;
};

struct child {
    struct event_log *log;
    int pipe;
    uint32_t first_number;
    _Atomic uint32_t taken;
};

struct emission {
    struct event_log *log;
    struct ack acks[3];
    unsigned count;
};

/* Numbers of a transaction begin at a multiple of three. Some transactions change a table with
 * what they emit. */
static bool changes_table(uint64_t first_number)
{
    return first_number / 3 % 4 == 0;
}

static int emit(struct db_tx *tx, void *arg, struct error *err)
{
    struct emission *e = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < e->count; i++) {
        char data[32];
        int len = snprintf(data, sizeof data, "%u", e->acks[i].number);
        struct event_draft draft = {.type = &sent,
                                    .stream = streams[e->acks[i].stream],
                                    .data = slice_of(data, (size_t)len)};
        rc = event_emit(e->log, tx, &draft, &e->acks[i].pos, err);
    }
    if (rc == 0 && changes_table(e->acks[0].number))
        rc = db_exec(tx, &put_mark, err, db_int(e->acks[0].number));
    return rc;
}

static void *write_on(void *arg)
{
    struct child *c = arg;
    for (;;) {
        uint32_t number = c->first_number + atomic_fetch_add(&c->taken, 3);
        struct emission e = {.log = c->log, .count = 1 + number % 3};
        for (uint32_t i = 0; i < e.count; i++) {
            e.acks[i].number = number + i;
            e.acks[i].stream = (number / 3 + i) % STREAMS;
        }
        struct error err;
        error_init(&err);
        int rc;
        while ((rc = db_write(event_log_db(c->log), emit, &e, &err)) == FAIL_UNAVAILABLE ||
               rc == FAIL_STORAGE_FULL) {
            usleep(10000); /* a fold or a commit was made to fail */
            error_init(&err);
        }
        if (rc != 0)
            _exit(3);
        ssize_t bytes = (ssize_t)(e.count * sizeof e.acks[0]);
        if (write(c->pipe, e.acks, (size_t)bytes) != bytes)
            _exit(4);
    }
    return NULL;
}

_Noreturn static void be_child(int pipe, uint32_t first_number, const char *faults)
{
    struct opened o;
    open_log(&o);
    struct child c = {.log = o.log, .pipe = pipe, .first_number = first_number};
    if (!fault_set(faults))
        _exit(5);
    pthread_t threads[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_on, &c);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    _exit(6);
}

/* --- the parent ------------------------------------------------------------------------------ */
static struct ack *acked; /* by number; pos 0: not acknowledged */
static uint32_t next_number;

/* Reads acknowledgements until the child is dead; kills it after `kill_after` of them (0: it dies
 * by itself). */
static void crash(const char *faults, unsigned kill_after)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        be_child(fds[1], next_number, faults);
    }
    close(fds[1]);
    struct ack ack;
    unsigned count = 0;
    while (read(fds[0], &ack, sizeof ack) == (ssize_t)sizeof ack) {
        CHECK(ack.number >= next_number && ack.number < NUMBERS_MAX);
        acked[ack.number] = ack;
        if (++count == kill_after || count == 200000)
            kill(pid, SIGKILL);
    }
    close(fds[0]);
    int status;
    waitpid(pid, &status, 0);
    if (kill_after != 0)
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        CHECK(count < 200000 && !(WIFEXITED(status) && WEXITSTATUS(status) < 10)); /* the fault */
    next_number += 300000;
}

struct check {
    struct event_log *log;
    uint64_t last, count, acked_found;
    bool *seen;
    struct id stream;
    uint64_t in_stream[STREAMS], last_in_stream[STREAMS];
    struct db_tx *tx;
    uint64_t marks, copies;
};

static int64_t number_of(struct db_tx *tx, const struct db_sql *sql, const struct db_value *args,
                         size_t count, struct error *err)
{
    struct db_rows rows;
    int64_t number = 0;
    CHECK_OK(db_query_n(tx, sql, args, count, &rows, err), err);
    if (db_next(&rows, err) == 1) {
        number = db_col_int(&rows, 0);
        db_rows_close(&rows);
    }
    return number;
}

static unsigned stream_of(const struct event *event)
{
    unsigned i = 0;
    while (i < STREAMS && !id_eq(&event->stream, &streams[i]))
        i++;
    CHECK(i < STREAMS);
    return i % STREAMS;
}

static int check_event(const struct event *event, void *arg, struct error *err)
{
    struct check *c = arg;
    uint64_t number = NUMBERS_MAX;
    CHECK_INT(event->pos, c->last + 1);
    CHECK(slice_to_u64(event->data, &number) && number < NUMBERS_MAX);
    CHECK(!c->seen[number % NUMBERS_MAX]); /* once */
    c->seen[number % NUMBERS_MAX] = true;
    const struct ack *ack = &acked[number % NUMBERS_MAX];
    if (ack->pos != 0) {
        CHECK_INT(event->pos, ack->pos);
        c->acked_found++;
    }
    if (number % 3 == 0 && changes_table(number)) {
        const struct db_value args[] = {db_int((int64_t)number)};
        CHECK_INT(number_of(c->tx, &has_mark, args, 1, err), 1);
        c->marks++;
    }
    c->last = event->pos;
    c->in_stream[stream_of(event)]++;
    return 0;
}

static int check_in_stream(const struct event *event, void *arg, struct error *err)
{
    struct check *c = arg;
    CHECK(id_eq(&event->stream, &c->stream));
    CHECK(event->pos > c->last);
    c->last = event->pos;
    c->count++;
    return 0;
}

static int check_log(struct db_tx *tx, void *arg, struct error *err)
{
    struct check *c = arg;
    c->tx = tx;
    int rc = event_log_read(c->log, tx, 0, UINT32_MAX, check_event, c, err);
    CHECK_INT(number_of(tx, &count_marks, NULL, 0, err), c->marks); /* none without its event */
    for (unsigned i = 0; rc == 0 && i < STREAMS; i++) {
        uint64_t through;
        c->last = c->count = 0;
        c->stream = streams[i];
        rc = event_log_read_streams(c->log, tx, 0, &streams[i], NULL, 1, 1u << 30, check_in_stream,
                                    c, &through, err);
        CHECK_INT(c->count, c->in_stream[i]);
    }
    return rc;
}

static int check_copy(const struct event *event, void *arg, struct error *err)
{
    struct check *c = arg;
    const struct db_value args[] = {db_int((int64_t)event->pos), db_text(event->data)};
    CHECK_INT(number_of(c->tx, &same_copy, args, 2, err), 1);
    c->copies++;
    return 0;
}

static int check_copies(struct db_tx *tx, void *arg, struct error *err)
{
    struct check *c = arg;
    c->tx = tx;
    int rc = event_log_read(c->log, tx, 0, UINT32_MAX, check_copy, c, err);
    CHECK_INT(number_of(tx, &count_copies, NULL, 0, err), c->copies);
    return rc;
}

static void check_after_crash(void)
{
    struct opened o;
    struct error err;
    error_init(&err);
    uint64_t want = 0;
    for (uint32_t i = 0; i < NUMBERS_MAX; i++)
        want += acked[i].pos != 0;
    for (int again = 0; again < 2; again++) { /* with a tail, then after a clean close */
        open_log(&o);
        struct check c = {.log = o.log, .seen = xcalloc(NUMBERS_MAX, sizeof(bool))};
        CHECK_OK(db_read(o.db, check_log, &c, &err), &err);
        CHECK_INT(c.acked_found, want);
        if (again)
            CHECK_OK(db_read(o.db, check_copies, &c, &err), &err);
        free(c.seen);
        close_log(&o);
    }
}

static void begin(void)
{
    test_dir(); /* here, so that every child finds the same one */
    acked = xcalloc(NUMBERS_MAX, sizeof *acked);
    next_number = 0;
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = id_new(&clock_system);
}

static void crash_and_check(const char *faults, unsigned kill_after)
{
    next_number %= 300000 * 3;
    crash(faults, kill_after);
    check_after_crash();
}

TEST(nothing_acknowledged_is_lost_when_dying_around_a_commit)
{
    begin();
    crash_and_check("db.commit=exit@30", 0);
    crash_and_check("db.committed=exit@30", 0);
    crash_and_check("log.relay=exit@60", 0);
    free(acked);
}

TEST(nothing_is_lost_or_doubled_when_dying_in_a_fold_round)
{
    static const char *const faults[] = {"log.fold=exit@1", "log.fold=exit@2", "log.fold=exit@11"};
    begin();
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++)
        crash_and_check(faults[i], 0);
    free(acked);
}

TEST(nothing_acknowledged_is_lost_by_kill_9)
{
    begin();
    crash_and_check("", 50);
    crash_and_check("", 1000);
    crash_and_check("", 3333);
    free(acked);
}

TEST(a_fold_that_fails_for_a_while_catches_up)
{
    begin();
    crash_and_check("log.fold=error@2,db.commit=exit@200", 0);
    free(acked);
}

/* A commit that fails after its events were appended gives their positions again. */
TEST(what_a_failed_commit_appended_is_not_there)
{
    begin();
    crash_and_check("log.append=exit@30", 0);
    crash_and_check("db.commit=error@7,log.append=error@15,db.commit=exit@60", 0);
    free(acked);
}
