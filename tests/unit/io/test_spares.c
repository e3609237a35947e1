/* Records kept for next time: on a loop's thread only, up to a number, and none left behind. */
#include <stdlib.h>

#include "harness.h"
#include "io/loop.h"
#include "io/spares.h"

enum { KEPT = 3 };

static int made, freed;

static void free_record(struct spare *spare)
{
    freed++;
    free(spare);
}

static const struct spares_kind records = {SPARES_OPS, KEPT, free_record};
static const struct spares_kind others = {SPARES_EDGE, KEPT, free_record};

static struct spare *take(const struct spares_kind *kind)
{
    struct spare *spare = spares_take(kind);
    if (spare != NULL)
        return spare;
    made++;
    return xcalloc(1, sizeof *spare);
}

static void use(struct task *task)
{
    struct spare *first = take(&records), *second = take(&records);
    spares_keep(&records, first);
    CHECK(spares_take(&others) == NULL); /* each kind has its own */
    CHECK(take(&records) == first);
    CHECK_INT(made, 2);
    spares_keep(&records, first);
    spares_keep(&records, second);
    struct spare *many[KEPT + 2];
    for (int i = 0; i < KEPT + 2; i++)
        many[i] = take(&records);
    CHECK_INT(made, KEPT + 2);
    for (int i = 0; i < KEPT + 2; i++)
        spares_keep(&records, many[i]);
    CHECK_INT(freed, 2); /* only so many are kept */
    loop_stop(loop_current());
}

TEST(a_loop_keeps_some_and_frees_them_when_its_thread_leaves)
{
    struct loop *loop;
    struct error err;
    error_init(&err);
    made = freed = 0;
    CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
    struct task task;
    task_init(&task, use);
    loop_defer(loop, &task);
    loop_run(loop);
    CHECK_INT(freed, made);
    loop_free(loop);
}

TEST(without_a_loop_nothing_is_kept)
{
    made = freed = 0;
    spares_keep(&records, take(&records));
    CHECK(spares_take(&records) == NULL);
    CHECK_INT(freed, 1);
}
