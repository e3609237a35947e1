#include "kit/activity.h"

#include <stdlib.h>

#include "base/metric.h"
#include "io/coro_mail.h"

enum { SLOTS_FIRST = 1024 };

struct mark {
    struct id user; /* nil: free */
    int64_t mono_ms;
};

/* Open addressing, never more than half full. */
struct table {
    struct mark *marks;
    size_t slots, count;
};

struct seen_by_loop {
    struct table active; /* only its loop touches it */
    struct table taken;  /* only who takes */
} __attribute__((aligned(64)));

struct activity {
    const struct clock *clock;
    unsigned loop_count;
    struct metric *dropped;
    struct seen_by_loop loops[];
};

struct activity *activity_new(const struct clock *clock, unsigned loops)
{
    struct activity *a = aligned_alloc(64, (sizeof *a + loops * sizeof a->loops[0] + 63) / 64 * 64);
    panic_if(a == NULL, "out of memory");
    memset(a, 0, sizeof *a + loops * sizeof a->loops[0]);
    a->clock = clock;
    a->loop_count = loops;
    a->dropped = metric_register(METRIC_COUNTER, "parley_activity_dropped_total",
                                 "Signs of life that did not fit between two writes.", NULL);
    return a;
}

void activity_free(struct activity *a)
{
    if (a == NULL)
        return;
    for (unsigned i = 0; i < a->loop_count; i++) {
        free(a->loops[i].active.marks);
        free(a->loops[i].taken.marks);
    }
    free(a);
}

/* --- marking -----------------------------------------------------------------------------------
 */

/* The last bytes of an id are random, and made here: nobody chooses them to collide. */
static size_t slot_of(const struct table *t, const struct id *user)
{
    uint64_t bits;
    memcpy(&bits, user->bytes + 8, sizeof bits);
    return (size_t)(bits * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (t->slots - 1);
}

static struct mark *find(const struct table *t, const struct id *user)
{
    size_t at = slot_of(t, user);
    while (!id_is_nil(&t->marks[at].user) && !id_eq(&t->marks[at].user, user))
        at = (at + 1) & (t->slots - 1);
    return &t->marks[at];
}

static bool grow(struct table *t)
{
    struct table larger = {.slots = t->slots > 0 ? t->slots * 2 : SLOTS_FIRST, .count = t->count};
    if (t->count >= ACTIVITY_USERS_MAX)
        return false;
    larger.marks = calloc(larger.slots, sizeof *larger.marks);
    if (larger.marks == NULL)
        return false;
    for (size_t i = 0; i < t->slots; i++)
        if (!id_is_nil(&t->marks[i].user))
            *find(&larger, &t->marks[i].user) = t->marks[i];
    free(t->marks);
    *t = larger;
    return true;
}

void activity_note(struct activity *a, unsigned loop, const struct id *user, int64_t mono_ms)
{
    struct table *t = &a->loops[loop].active;
    struct mark *mark = t->slots > 0 ? find(t, user) : NULL;
    if (mark != NULL && !id_is_nil(&mark->user)) {
        mark->mono_ms = mono_ms;
        return;
    }
    if (UNLIKELY(t->count * 2 >= t->slots)) {
        if (!grow(t)) {
            metric_add(a->dropped, 1);
            return;
        }
        mark = find(t, user);
    }
    *mark = (struct mark){*user, mono_ms};
    t->count++;
}

void activity_mark(struct activity *a, const struct id *user)
{
    struct loop *loop = loop_current();
    if (a != NULL && loop != NULL)
        activity_note(a, loop_index(loop), user, loop_now_ms(loop));
}

/* --- taking ------------------------------------------------------------------------------------
 */

struct visit {
    struct mail mail;
    struct seen_by_loop *of;
    struct coro_mail back;
};

/* What was taken before is empty again by now; its memory serves the next period. */
static void swap(struct seen_by_loop *of)
{
    struct table taken = of->active;
    of->active = of->taken;
    of->taken = taken;
}

static void visit(struct mail *mail)
{
    struct visit *v = CONTAINER_OF(mail, struct visit, mail);
    swap(v->of);
    coro_mail_post(&v->back);
}

static void go(struct seen_by_loop *of, struct loop *loop)
{
    struct visit v = {.mail.deliver = visit, .of = of};
    coro_mail_init(&v.back);
    loop_post(loop, &v.mail);
    coro_mail_await(&v.back);
}

static int by_id(const void *a, const void *b)
{
    return id_cmp(&((const struct activity_seen *)a)->user,
                  &((const struct activity_seen *)b)->user);
}

static size_t merge_same(struct activity_seen *seen, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !id_eq(&seen[kept - 1].user, &seen[i].user))
            seen[kept++] = seen[i];
        else if (seen[i].at_ms > seen[kept - 1].at_ms)
            seen[kept - 1].at_ms = seen[i].at_ms;
    }
    return kept;
}

static size_t empty_into(struct table *t, int64_t mono_to_wall_ms, struct activity_seen *seen)
{
    size_t count = 0;
    for (size_t i = 0; t->count > 0 && i < t->slots; i++)
        if (!id_is_nil(&t->marks[i].user))
            seen[count++] =
                (struct activity_seen){t->marks[i].user, t->marks[i].mono_ms + mono_to_wall_ms};
    if (t->count > 0)
        memset(t->marks, 0, t->slots * sizeof *t->marks);
    t->count = 0;
    return count;
}

void activity_take(struct activity *a, struct loop *const *loops, struct activity_seen **ret_seen,
                   size_t *ret_count)
{
    int64_t mono_to_wall_ms = clock_wall_ms(a->clock) - clock_mono_ms(a->clock);
    size_t total = 0, count = 0;
    *ret_seen = NULL;
    *ret_count = 0;
    for (unsigned i = 0; i < a->loop_count; i++) {
        if (loops != NULL)
            go(&a->loops[i], loops[i]);
        else
            swap(&a->loops[i]);
        total += a->loops[i].taken.count;
    }
    struct activity_seen *seen = total > 0 ? malloc(total * sizeof *seen) : NULL;
    if (seen == NULL)
        return;
    for (unsigned i = 0; i < a->loop_count; i++)
        count += empty_into(&a->loops[i].taken, mono_to_wall_ms, seen + count);
    qsort(seen, count, sizeof *seen, by_id);
    *ret_seen = seen;
    *ret_count = merge_same(seen, count);
}
