/* Mutex and condition between coroutines: order, time-outs, cancellation. */
#include "harness.h"
#include "in_loop.h"
#include "io/coro.h"

static void spawn(void (*fn)(void *), void *arg)
{
    struct error err = {0};
    CHECK_OK(coro_spawn(loop_current(), fn, arg, &err), &err);
}

struct scene {
    struct coro_mutex mutex;
    struct coro_cond cond;
    int order[16], count, inside, most_inside;
    bool signalled;
};

struct role {
    struct scene *scene;
    struct coro *coro;
    int number, result;
    int64_t timeout_ms;
    bool ended;
};

static void enter_and_leave(void *arg)
{
    struct role *role = arg;
    struct scene *scene = role->scene;
    role->coro = coro_current();
    role->result = coro_mutex_lock(&scene->mutex, role->timeout_ms);
    if (role->result == 0) {
        if (++scene->inside > scene->most_inside)
            scene->most_inside = scene->inside;
        scene->order[scene->count++] = role->number;
        coro_yield();
        scene->inside--;
        coro_mutex_unlock(&scene->mutex);
    }
    role->ended = true;
}

static void first_come_first_served(void *arg)
{
    struct scene scene = {0};
    (void)arg;
    coro_mutex_init(&scene.mutex);
    CHECK_INT(coro_mutex_lock(&scene.mutex, CORO_FOREVER), 0);
    CHECK_INT(coro_mutex_lock(&scene.mutex, 0), FAIL_TIMEOUT);
    struct role roles[8];
    for (int i = 0; i < 8; i++) {
        roles[i] = (struct role){.scene = &scene, .number = i, .timeout_ms = CORO_FOREVER};
        spawn(enter_and_leave, &roles[i]);
    }
    coro_yield();
    CHECK_INT(scene.count, 0);
    coro_cancel(roles[3].coro);
    coro_mutex_unlock(&scene.mutex);
    /* Handed over already: nobody can slip in, not even who has just let go. */
    CHECK_INT(coro_mutex_lock(&scene.mutex, 0), FAIL_TIMEOUT);
    for (int i = 0; i < 30; i++)
        coro_yield();
    static const int expected[] = {0, 1, 2, 4, 5, 6, 7};
    CHECK_INT(scene.count, 7);
    for (int i = 0; i < 7; i++)
        CHECK_INT(scene.order[i], expected[i]);
    CHECK_INT(scene.most_inside, 1);
    CHECK_INT(roles[3].result, FAIL_CANCELLED);
    CHECK(!scene.mutex.locked);
    stop();
}

TEST(a_mutex_is_handed_on_in_order)
{
    run_in_loop(first_come_first_served, NULL);
}

static void granted_and_cancelled(void *arg)
{
    (void)arg;
    struct scene scene = {0};
    coro_mutex_init(&scene.mutex);
    CHECK_INT(coro_mutex_lock(&scene.mutex, CORO_FOREVER), 0);
    struct role a = {.scene = &scene, .number = 1, .timeout_ms = CORO_FOREVER};
    struct role b = {.scene = &scene, .number = 2, .timeout_ms = CORO_FOREVER};
    spawn(enter_and_leave, &a);
    spawn(enter_and_leave, &b);
    coro_yield();
    /* Cancelled before the hand-over but not run yet: the lock must go to the other one. */
    coro_cancel(a.coro);
    coro_mutex_unlock(&scene.mutex);
    for (int i = 0; i < 5; i++)
        coro_yield();
    CHECK_INT(a.result, FAIL_CANCELLED);
    CHECK_INT(b.result, 0);
    CHECK(!scene.mutex.locked);

    /* Cancelled after the hand-over: it has the lock, and lets go of it. */
    struct role c = {.scene = &scene, .number = 3, .timeout_ms = CORO_FOREVER};
    CHECK_INT(coro_mutex_lock(&scene.mutex, CORO_FOREVER), 0);
    spawn(enter_and_leave, &c);
    coro_yield();
    coro_mutex_unlock(&scene.mutex);
    coro_cancel(c.coro);
    for (int i = 0; i < 5; i++)
        coro_yield();
    CHECK_INT(c.result, 0);
    CHECK(c.ended && !scene.mutex.locked);
    stop();
}

TEST(no_lock_is_lost_to_a_cancelled_waiter)
{
    run_in_loop(granted_and_cancelled, NULL);
}

static void lock_times_out(void *arg)
{
    (void)arg;
    struct scene scene = {0};
    coro_mutex_init(&scene.mutex);
    CHECK_INT(coro_mutex_lock(&scene.mutex, CORO_FOREVER), 0);
    struct role a = {.scene = &scene, .timeout_ms = 2};
    spawn(enter_and_leave, &a);
    for (int i = 0; i < 1000 && !a.ended; i++)
        CHECK_INT(coro_sleep(1), 0);
    CHECK_INT(a.result, FAIL_TIMEOUT);
    /* A wake that belongs to nobody here does not end the wait. */
    struct role b = {.scene = &scene, .number = 2, .timeout_ms = CORO_FOREVER};
    spawn(enter_and_leave, &b);
    coro_yield();
    coro_wake(b.coro, 77);
    coro_yield();
    CHECK(!b.ended);
    coro_mutex_unlock(&scene.mutex);
    for (int i = 0; i < 5; i++)
        coro_yield();
    CHECK(b.ended && b.result == 0);
    stop();
}

TEST(waiting_for_a_mutex_times_out)
{
    run_in_loop(lock_times_out, NULL);
}

static void wait_for_signal(void *arg)
{
    struct role *role = arg;
    role->coro = coro_current();
    role->result = coro_cond_wait(&role->scene->cond, role->timeout_ms);
    if (role->result == 0)
        role->scene->order[role->scene->count++] = role->number;
    role->ended = true;
}

static void signals(void *arg)
{
    (void)arg;
    struct scene scene = {0};
    coro_cond_init(&scene.cond);
    coro_cond_signal(&scene.cond); /* nobody there: not kept */
    struct role roles[6];
    for (int i = 0; i < 6; i++) {
        roles[i] = (struct role){.scene = &scene, .number = i, .timeout_ms = CORO_FOREVER};
        spawn(wait_for_signal, &roles[i]);
    }
    coro_yield();
    coro_cond_signal(&scene.cond);
    coro_cond_signal(&scene.cond);
    coro_yield();
    CHECK_INT(scene.count, 2);
    CHECK_INT(scene.order[0], 0);
    CHECK_INT(scene.order[1], 1);
    coro_cancel(roles[2].coro);
    coro_cond_signal(&scene.cond); /* goes to the next one who can take it */
    coro_yield();
    CHECK_INT(roles[2].result, FAIL_CANCELLED);
    CHECK_INT(scene.order[2], 3);
    coro_cond_broadcast(&scene.cond);
    coro_yield();
    CHECK_INT(scene.count, 5);
    CHECK_INT(coro_cond_wait(&scene.cond, 1), FAIL_TIMEOUT);
    stop();
}

TEST(a_condition_wakes_in_order)
{
    run_in_loop(signals, NULL);
}
