/* Timers, deferred tasks, descriptors, stopping: one loop on one thread, most on a fake clock. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "io/coro.h"
#include "io/loop.h"

static struct loop *new_loop(const struct clock *clock)
{
    struct loop *loop = NULL;
    struct error err = {0};
    CHECK_OK(loop_new(&(struct loop_config){.clock = clock}, &loop, &err), &err);
    return loop;
}

/* A driver that moves the fake clock on by a step in every turn, from inside the loop. */
struct drive {
    struct loop *loop;
    struct clock_fake clock;
    int64_t step_ms, until_ms;
};

static void drive_on(void *arg)
{
    struct drive *drive = arg;
    while (clock_mono_ms(&drive->clock.clock) < drive->until_ms) {
        clock_fake_advance(&drive->clock, drive->step_ms);
        coro_yield();
    }
    coro_yield();
    loop_stop(drive->loop);
}

static void drive_start(struct drive *drive, int64_t step_ms, int64_t until_ms)
{
    clock_fake_init(&drive->clock, 1700000000000);
    drive->step_ms = step_ms;
    drive->until_ms = until_ms;
    drive->loop = new_loop(&drive->clock.clock);
}

static void drive_run(struct drive *drive)
{
    struct error err = {0};
    CHECK_OK(coro_spawn(drive->loop, drive_on, drive, &err), &err);
    loop_run(drive->loop);
    loop_free(drive->loop);
}

struct alarm {
    struct timer timer;
    struct loop *loop;
    int64_t fired_at_ms, again_ms;
    int fired, fire_max;
    struct timer *stop_other;
};
static int64_t last_due;
static bool order_broken;

static void ring(struct timer *timer)
{
    struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
    CHECK(!timer_active(timer));
    alarm->fired++;
    alarm->fired_at_ms = loop_now_ms(alarm->loop);
    order_broken |= timer->due_ms < last_due;
    last_due = timer->due_ms;
    if (alarm->stop_other != NULL)
        timer_stop(alarm->stop_other);
    if (alarm->fired < alarm->fire_max)
        timer_start(alarm->loop, timer, alarm->again_ms);
}

static void alarm_init(struct alarm *alarm, struct loop *loop)
{
    *alarm = (struct alarm){.loop = loop};
    timer_init(&alarm->timer, ring);
    last_due = 0;
    order_broken = false;
}

struct exact {
    struct clock_fake clock;
    struct alarm alarm;
    int64_t delay_ms, start_ms;
};

static void move_clock(struct exact *e, int64_t ms)
{
    clock_fake_advance(&e->clock, ms);
    coro_yield();
    coro_yield();
}

static void not_before_and_not_after(void *arg)
{
    struct exact *e = arg;
    move_clock(e, e->start_ms); /* the wheel starts at different places of its rounds */
    timer_start(loop_current(), &e->alarm.timer, e->delay_ms);
    if (e->delay_ms > 1) {
        move_clock(e, e->delay_ms / 2);
        move_clock(e, e->delay_ms - 1 - e->delay_ms / 2);
    }
    CHECK(e->delay_ms == 0 || timer_active(&e->alarm.timer));
    CHECK_INT(e->alarm.fired, 0);
    move_clock(e, e->delay_ms != 0);
    CHECK_INT(e->alarm.fired, 1);
    CHECK_INT(e->alarm.fired_at_ms, e->start_ms + e->delay_ms);
    loop_stop(loop_current());
}

/* Every level of the wheel, the borders between them, and past its end, each to the millisecond. */
TEST(timers_fire_at_their_time_on_every_level)
{
    static const int64_t delays[] = {0,         1,           2,           1023,        1024,
                                     1025,      2047,        2048,        262143,      262144,
                                     262145,    67108863,    67108864,    67108865,    86400000,
                                     604800000, 17179869183, 17179869184, 17179869185, 40000000000};
    static const int64_t starts[] = {0, 1, 1023, 1024, 262143, 262144, 67108863, 1700000000123};
    struct error err = {0};
    for (size_t i = 0; i < ARRAY_LEN(delays) * ARRAY_LEN(starts); i++) {
        struct exact e = {.delay_ms = delays[i / ARRAY_LEN(starts)],
                          .start_ms = starts[i % ARRAY_LEN(starts)]};
        clock_fake_init(&e.clock, 0);
        struct loop *loop = new_loop(&e.clock.clock);
        alarm_init(&e.alarm, loop);
        CHECK_OK(coro_spawn(loop, not_before_and_not_after, &e, &err), &err);
        loop_run(loop);
        loop_free(loop);
    }
}

TEST(many_timers_fire_once_in_the_order_of_their_times)
{
    enum { COUNT = 20000 };
    struct drive drive;
    drive_start(&drive, 7, 400000);
    struct alarm *alarms = calloc(COUNT, sizeof *alarms);
    uint64_t seed = 1;
    for (int i = 0; i < COUNT; i++) {
        alarm_init(&alarms[i], drive.loop);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        timer_start(drive.loop, &alarms[i].timer, (int64_t)(seed >> 33) % 390000);
    }
    for (int i = 0; i < COUNT; i += 10)
        timer_stop(&alarms[i].timer);
    for (int i = 5; i < COUNT; i += 10)
        timer_start(drive.loop, &alarms[i].timer, 200000 + i % 7); /* restarted */
    drive_run(&drive);
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        int64_t late = alarms[i].fired_at_ms - alarms[i].timer.due_ms;
        wrong += i % 10 == 0 ? alarms[i].fired != 0 : alarms[i].fired != 1 || late < 0 || late > 6;
    }
    CHECK_INT(wrong, 0);
    CHECK(!order_broken);
    free(alarms);
}

TEST(a_timer_may_restart_itself_and_stop_others_while_firing)
{
    struct drive drive;
    drive_start(&drive, 1, 5000);
    struct alarm periodic, killer, victim, at_once;
    alarm_init(&periodic, drive.loop);
    alarm_init(&killer, drive.loop);
    alarm_init(&victim, drive.loop);
    alarm_init(&at_once, drive.loop);
    periodic.again_ms = 10;
    periodic.fire_max = 100;
    killer.stop_other = &victim.timer;
    at_once.fire_max = 50; /* restarts with 0 ms: once a turn, not for ever in one */
    timer_start(drive.loop, &periodic.timer, 10);
    timer_start(drive.loop, &killer.timer, 1500); /* the same tick, before the victim */
    timer_start(drive.loop, &victim.timer, 1500);
    timer_start(drive.loop, &at_once.timer, 0);
    drive_run(&drive);
    CHECK_INT(periodic.fired, 100);
    CHECK_INT(periodic.fired_at_ms, 1000);
    CHECK_INT(killer.fired, 1);
    CHECK_INT(victim.fired, 0);
    CHECK_INT(at_once.fired, 50);
}

TEST(a_jump_of_a_day_fires_everything_in_between_once)
{
    struct drive drive;
    drive_start(&drive, 86400000, 86400000 * 3);
    struct alarm alarms[200];
    for (int i = 0; i < 200; i++) {
        alarm_init(&alarms[i], drive.loop);
        timer_start(drive.loop, &alarms[i].timer, (int64_t)i * 431999);
    }
    last_due = 0;
    drive_run(&drive);
    for (int i = 0; i < 200; i++)
        CHECK_INT(alarms[i].fired, 1);
    CHECK(!order_broken);
}

static void stop_loop(struct timer *timer)
{
    loop_stop(CONTAINER_OF(timer, struct alarm, timer)->loop);
}

TEST(the_loop_sleeps_until_the_timer_on_the_real_clock)
{
    struct loop *loop = new_loop(NULL);
    struct alarm alarm = {.loop = loop};
    timer_init(&alarm.timer, stop_loop);
    timer_start(loop, &alarm.timer, 30);
    int64_t before = clock_mono_ms(&clock_system);
    loop_run(loop);
    CHECK(clock_mono_ms(&clock_system) - before >= 29);
    struct loop_stats stats;
    loop_stats(loop, &stats);
    CHECK(stats.turns < 20); /* it slept, it did not spin */
    CHECK_INT(stats.timers_fired, 1);
    loop_free(loop);
}

/* --- tasks ----------------------------------------------------------------------------------- */

struct note {
    struct task task;
    struct loop *loop;
    struct note *also;
    int runs;
    uint64_t turn;
};

static uint64_t turns(struct loop *loop)
{
    struct loop_stats stats;
    loop_stats(loop, &stats);
    return stats.turns;
}

static void take_note(struct task *task)
{
    struct note *note = CONTAINER_OF(task, struct note, task);
    note->runs++;
    note->turn = turns(note->loop);
    if (note->also != NULL)
        loop_defer(note->loop, &note->also->task);
}

struct defer_twice {
    struct loop *loop;
    struct note *first, *second, *cancelled;
};

static void defer_twice(void *arg)
{
    struct defer_twice *d = arg;
    loop_defer(d->loop, &d->first->task);
    loop_defer(d->loop, &d->first->task);
    loop_defer(d->loop, &d->cancelled->task);
    task_cancel(&d->cancelled->task);
    CHECK_INT(d->first->runs, 0);
    coro_yield();
    CHECK_INT(d->first->runs, 1);
    CHECK_INT(d->second->runs, 1);
    loop_stop(d->loop);
}

TEST(a_deferred_task_runs_once_at_the_end_of_the_turn)
{
    struct loop *loop = new_loop(NULL);
    struct note first = {.loop = loop}, second = {.loop = loop}, cancelled = {.loop = loop};
    first.also = &second;
    task_init(&first.task, take_note);
    task_init(&second.task, take_note);
    task_init(&cancelled.task, take_note);
    struct defer_twice d = {loop, &first, &second, &cancelled};
    struct error err = {0};
    CHECK_OK(coro_spawn(loop, defer_twice, &d, &err), &err);
    loop_run(loop);
    CHECK_INT(first.turn, (long long)second.turn);
    CHECK_INT(cancelled.runs, 0);
    loop_free(loop);
}

static void again(struct task *task)
{
    struct note *note = CONTAINER_OF(task, struct note, task);
    note->runs++;
    loop_defer(note->loop, task);
}

static void let_turns_pass(void *arg)
{
    for (int i = 0; i < 3; i++)
        coro_yield();
    loop_stop(arg);
}

TEST(a_task_that_defers_itself_for_ever_starves_nobody)
{
    struct loop *loop = new_loop(NULL);
    struct note note = {.loop = loop};
    task_init(&note.task, again);
    loop_defer(loop, &note.task);
    struct error err = {0};
    CHECK_OK(coro_spawn(loop, let_turns_pass, loop, &err), &err);
    loop_run(loop);
    CHECK(note.runs > 3); /* and nobody has waited for it to end */
    task_cancel(&note.task);
    loop_free(loop);
}

/* --- descriptors ----------------------------------------------------------------------------- */

struct pair_watch {
    struct watch watch;
    struct loop *loop;
    struct pair_watch *other;
    unsigned seen;
    int calls;
};

static void see(struct watch *watch, unsigned events)
{
    struct pair_watch *w = CONTAINER_OF(watch, struct pair_watch, watch);
    w->seen |= events;
    w->calls++;
}

static void unwatch_other(struct watch *watch, unsigned events)
{
    struct pair_watch *w = CONTAINER_OF(watch, struct pair_watch, watch);
    w->seen |= events;
    w->calls++;
    loop_unwatch(w->loop, &w->other->watch);
    loop_stop(w->loop);
}

TEST(unwatching_drops_events_of_the_same_turn)
{
    struct loop *loop = new_loop(NULL);
    struct error err = {0};
    struct pair_watch w[2];
    for (int i = 0; i < 2; i++) {
        w[i] = (struct pair_watch){.loop = loop, .other = &w[1 - i]};
        w[i].watch = (struct watch){eventfd(1, EFD_NONBLOCK), unwatch_other};
        CHECK_OK(loop_watch_level(loop, &w[i].watch, &err), &err);
    }
    int fds[2] = {w[0].watch.fd, w[1].watch.fd};
    loop_run(loop);
    CHECK_INT(w[0].calls + w[1].calls, 1);
    for (int i = 0; i < 2; i++) {
        loop_unwatch(loop, &w[i].watch);
        CHECK_INT(w[i].watch.fd, -1);
        close(fds[i]);
    }
    loop_free(loop);
}

static void yield_and_stop(void *arg)
{
    for (int i = 0; i < 5; i++)
        coro_yield();
    loop_stop(arg);
}

TEST(edge_triggered_reports_once_and_hang_up_is_told)
{
    struct loop *loop = new_loop(NULL);
    struct error err = {0};
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    struct pair_watch w = {.watch = {fds[0], see}, .loop = loop};
    CHECK_OK(loop_watch(loop, &w.watch, &err), &err);
    CHECK(write(fds[1], "x", 1) == 1);
    CHECK_OK(coro_spawn(loop, yield_and_stop, loop, &err), &err);
    loop_run(loop);
    CHECK_INT(w.calls, 1);
    CHECK_INT(w.seen, WATCH_READ | WATCH_WRITE);
    loop_watch_again(loop, &w.watch);
    CHECK_OK(coro_spawn(loop, yield_and_stop, loop, &err), &err);
    loop_run(loop);
    CHECK_INT(w.calls, 2);
    close(fds[1]);
    CHECK_OK(coro_spawn(loop, yield_and_stop, loop, &err), &err);
    loop_run(loop);
    CHECK(w.seen & WATCH_HANGUP);
    CHECK(w.calls > 2 && w.calls <= 4);
    loop_unwatch(loop, &w.watch);
    close(fds[0]);
    loop_free(loop);
}

TEST(watching_a_closed_descriptor_is_refused)
{
    struct loop *loop = new_loop(NULL);
    struct error err = {0};
    struct watch watch = {987654, see};
    CHECK_INT(loop_watch(loop, &watch, &err), FAIL_INTERNAL);
    CHECK_STR(slice_str(err.code), "watch_failed");
    loop_free(loop);
}

TEST(a_stop_before_the_run_is_kept)
{
    struct loop *loop = new_loop(NULL);
    loop_stop(loop);
    loop_run(loop);
    CHECK(loop_current() == NULL);
    loop_free(loop);
}

TEST(the_wall_clock_is_that_of_the_turn)
{
    struct drive drive;
    drive_start(&drive, 1000, 10000);
    drive_run(&drive);
    CHECK_INT(drive.clock.wall_ms, 1700000010000);
}
