/* The record of sagas: steps count once, a saga ends once, and what comes late finds it ended. */
#include <stdio.h>

#include "harness.h"
#include "kit/consumer.h" /* kit_schema */
#include "kit/saga.h"

static struct clock_fake fake;
static struct db *db;
static struct arena arena;
static struct error err;
static const struct id ann = {{1}}, bob = {{2}};

static const char *const parts[] = {"house", "garden", NULL};
static const struct saga_kind move_in = {"move-in", parts};
static const struct saga_kind move_out = {"move-out", parts};

static void open_world(void)
{
    char path[512];
    error_init(&err);
    clock_fake_init(&fake, INT64_C(1795000000000));
    snprintf(path, sizeof path, "%s/main.db", test_dir());
    struct db_config config = {
        .path = path, .readers = 1, .queue_max = 16, .batch_max = 16, .clock = &fake.clock};
    CHECK_OK(db_open(&config, &db, &err), &err);
    CHECK_OK(db_migrate(db, &kit_schema, 1, NULL, &err), &err);
    arena_init(&arena, 4 << 20);
}

static void close_world(void)
{
    arena_done(&arena);
    db_close(db);
}

struct call {
    const struct saga_kind *kind;
    const struct id *subject;
    const char *step;
    int64_t number;
    enum saga_standing standing;
    bool ended;
    struct id subjects[8];
    unsigned count;
    struct saga_view *sagas;
    size_t saga_count;
};

static void write_call(db_fn *fn, struct call *call)
{
    clock_fake_advance(&fake, 1);
    error_init(&err);
    CHECK_OK(db_write(db, fn, call, &err), &err);
}

static int begin_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_begin(tx, c->kind, c->subject, "asked", c->number, e);
}

static void begin(const struct saga_kind *kind, const struct id *subject, int64_t timeout_ms)
{
    write_call(begin_fn, &(struct call){.kind = kind, .subject = subject, .number = timeout_ms});
}

static int step_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_step(tx, c->kind, c->subject, c->step, &c->standing, e);
}

static enum saga_standing step(const struct saga_kind *kind, const struct id *subject,
                               const char *name)
{
    struct call c = {.kind = kind, .subject = subject, .step = name};
    write_call(step_fn, &c);
    return c.standing;
}

static int complete_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_complete(tx, c->kind, c->subject, "done", &c->ended, e);
}

static bool complete(const struct id *subject)
{
    struct call c = {.kind = &move_in, .subject = subject};
    write_call(complete_fn, &c);
    return c.ended;
}

static int compensate_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_compensate(tx, c->kind, c->subject, "given up", SLICE("No roof."), &c->ended, e);
}

static bool compensate(const struct id *subject)
{
    struct call c = {.kind = &move_in, .subject = subject};
    write_call(compensate_fn, &c);
    return c.ended;
}

static int undone_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_undone(tx, c->kind, c->subject, c->step, e);
}

static void undone(const struct id *subject, const char *name)
{
    write_call(undone_fn, &(struct call){.kind = &move_in, .subject = subject, .step = name});
}

static int list_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    struct id nil = {{0}};
    return saga_list(tx, (int)c->number, c->subject != NULL ? c->subject : &nil, 2, &arena,
                     &c->sagas, &c->saga_count, e);
}

static struct call list(int state, const struct id *before)
{
    struct call c = {.number = state, .subject = before};
    error_init(&err);
    CHECK_OK(db_read(db, list_fn, &c, &err), &err);
    return c;
}

static void check_steps(const struct saga_view *saga, const char *const *names)
{
    const struct saga_step_view *steps = saga->steps.items;
    size_t count = 0;
    for (; names[count] != NULL; count++)
        if (count < saga->steps.count)
            CHECK_STR(steps[count].name, names[count]);
    CHECK_INT(saga->steps.count, count);
    CHECK_STR(saga->step, names[count - 1]);
}

TEST(a_saga_is_complete_when_every_part_is_there)
{
    static const char *const names[] = {"asked", "garden", "house", "done", NULL};
    open_world();
    begin(&move_in, &ann, 60000);
    CHECK(!complete(&ann));
    CHECK_INT(step(&move_in, &ann, "garden"), SAGA_GOES_ON);
    CHECK(!complete(&ann));
    CHECK_INT(step(&move_in, &ann, "garden"), SAGA_GOES_ON); /* the event came again */
    CHECK_INT(step(&move_in, &ann, "house"), SAGA_GOES_ON);
    CHECK(complete(&ann));
    CHECK(!complete(&ann));
    CHECK(!compensate(&ann));
    undone(&ann, "house removed"); /* nothing of a complete saga is undone */
    CHECK_INT(step(&move_in, &ann, "attic"), SAGA_HAS_ENDED);
    struct call c = list(-1, NULL);
    CHECK_INT(c.saga_count, 1);
    CHECK_INT(c.sagas[0].state, SAGA_COMPLETED);
    CHECK_INT(c.sagas[0].started_at, INT64_C(1795000000001));
    CHECK_INT(c.sagas[0].deadline_at, INT64_C(1795000060001));
    CHECK_INT(c.sagas[0].ended_at, INT64_C(1795000000007));
    CHECK(c.sagas[0].error.ptr == NULL);
    check_steps(&c.sagas[0], names);
    close_world();
}

TEST(a_saga_that_is_given_up_stays_so_and_names_what_was_undone)
{
    static const char *const names[] = {"asked", "house", "given up", "house removed", NULL};
    open_world();
    begin(&move_in, &ann, 60000);
    CHECK_INT(step(&move_in, &ann, "house"), SAGA_GOES_ON);
    CHECK(compensate(&ann));
    CHECK(!compensate(&ann));
    CHECK_INT(step(&move_in, &ann, "garden"), SAGA_HAS_ENDED);
    CHECK(!complete(&ann));
    undone(&ann, "house removed");
    undone(&ann, "house removed");
    begin(&move_in, &ann, 60000); /* the event came again: no new one */
    struct call c = list(SAGA_COMPENSATED, NULL);
    CHECK_INT(c.saga_count, 1);
    CHECK_STR(c.sagas[0].error, "No roof.");
    check_steps(&c.sagas[0], names);
    CHECK_INT(list(SAGA_RUNNING, NULL).saga_count, 0);
    close_world();
}

TEST(kinds_and_subjects_are_apart)
{
    open_world();
    begin(&move_in, &ann, 60000);
    CHECK_INT(step(&move_out, &ann, "house"), SAGA_UNKNOWN);
    CHECK_INT(step(&move_in, &bob, "house"), SAGA_UNKNOWN);
    begin(&move_out, &ann, 60000);
    CHECK(compensate(&ann));
    CHECK_INT(step(&move_out, &ann, "house"), SAGA_GOES_ON);
    CHECK(!complete(&bob));
    CHECK(!compensate(&bob));
    CHECK_INT(list(-1, NULL).saga_count, 2);
    close_world();
}

static int overdue_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_overdue(tx, &move_in, 8, c->subjects, &c->count, e);
}

TEST(what_runs_past_its_deadline_is_overdue)
{
    struct call c = {0};
    open_world();
    begin(&move_in, &ann, 60000);
    begin(&move_in, &bob, 50000);
    begin(&move_out, &bob, 1);
    CHECK_OK(db_read(db, overdue_fn, &c, &err), &err);
    CHECK_INT(c.count, 0);
    clock_fake_advance(&fake, 61000);
    CHECK_OK(db_read(db, overdue_fn, &c, &err), &err);
    CHECK_INT(c.count, 2);
    CHECK(id_eq(&c.subjects[0], &bob));
    CHECK(compensate(&bob));
    CHECK_OK(db_read(db, overdue_fn, &c, &err), &err);
    CHECK_INT(c.count, 1);
    CHECK(id_eq(&c.subjects[0], &ann));
    close_world();
}

TEST(a_page_goes_on_where_the_last_one_ended)
{
    open_world();
    for (uint8_t i = 1; i <= 5; i++)
        begin(&move_in, &(struct id){{i}}, 60000);
    struct call page = list(SAGA_RUNNING, NULL);
    CHECK_INT(page.saga_count, 2);
    CHECK_INT(page.sagas[0].subject.bytes[0], 5);
    begin(&move_in, &(struct id){{6}}, 60000);
    page = list(-1, &page.sagas[1].id);
    CHECK_INT(page.sagas[0].subject.bytes[0], 3);
    page = list(SAGA_RUNNING, &page.sagas[1].id);
    CHECK_INT(page.saga_count, 1);
    CHECK_INT(page.sagas[0].subject.bytes[0], 1);
    close_world();
}

static int sweep_fn(struct db_tx *tx, void *arg, struct error *e)
{
    struct call *c = arg;
    return saga_sweep(tx, clock_wall_ms(&fake.clock) - 1000, 1, &c->number, e);
}

TEST(what_has_ended_is_forgotten_later_and_what_runs_is_not)
{
    struct call c = {0};
    open_world();
    for (uint8_t i = 1; i <= 3; i++)
        begin(&move_in, &(struct id){{i}}, 60000);
    CHECK(compensate(&ann));
    CHECK(compensate(&bob));
    write_call(sweep_fn, &c);
    CHECK_INT(c.number, 0);
    clock_fake_advance(&fake, 2000);
    write_call(sweep_fn, &c);
    CHECK_INT(c.number, 1);
    write_call(sweep_fn, &c);
    CHECK_INT(c.number, 1);
    write_call(sweep_fn, &c);
    CHECK_INT(c.number, 0);
    struct call page = list(-1, NULL);
    CHECK_INT(page.saga_count, 1);
    CHECK_INT(page.sagas[0].subject.bytes[0], 3);
    CHECK_INT(page.sagas[0].steps.count, 1);
    close_world();
}
