/* See timer_wheel.h. The invariant that everything hangs on: `tick` never passes the beginning of
 * an occupied slot of any level without visiting it. */
#include "io/timer_wheel.h"

struct level {
    unsigned first, slots; /* range in wheel->slots, whole words of the bitmap */
    unsigned shift;        /* a slot spans 1 << shift milliseconds */
};

static const struct level levels[] = {
    {0, 1024, 0}, {1024, 256, 10}, {1280, 256, 18}, {1536, 256, 26}};

static const int64_t reach_ms = (int64_t)1 << 34;

void timer_wheel_init(struct timer_wheel *wheel, int64_t now_ms)
{
    wheel->tick = now_ms;
    wheel->next = INT64_MAX;
    list_init(&wheel->overdue);
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        list_init(&wheel->slots[i]);
    memset(wheel->used, 0, sizeof wheel->used);
}

void timer_wheel_add(struct timer_wheel *wheel, struct timer *timer)
{
    int64_t due = timer->due_ms;
    if (due <= wheel->tick) {
        list_add_tail(&wheel->overdue, &timer->link);
        return;
    }
    /* What lies beyond the last level waits in its farthest slot and is put in again from there. */
    if (due - wheel->tick >= reach_ms)
        due = wheel->tick + reach_ms - 1;
    const struct level *level = levels;
    while (due - wheel->tick >= (int64_t)level->slots << level->shift)
        level++;
    int64_t number = due >> level->shift;
    unsigned slot = level->first + ((unsigned)number & (level->slots - 1));
    list_add_tail(&wheel->slots[slot], &timer->link);
    wheel->used[slot / 64] |= (uint64_t)1 << slot % 64;
    if (number << level->shift < wheel->next)
        wheel->next = number << level->shift;
}

/* When the next occupied slot of a level begins. The current slot of a level stands for a full
 * round later: it was emptied when its time began. */
static int64_t level_next(struct timer_wheel *wheel, const struct level *level)
{
    int64_t now = wheel->tick >> level->shift;
    unsigned step = 1;
    while (step <= level->slots) {
        unsigned slot = level->first + ((unsigned)(now + step) & (level->slots - 1));
        uint64_t word = wheel->used[slot / 64] >> slot % 64;
        if (word == 0) {
            step += 64 - slot % 64;
            continue;
        }
        unsigned skip = (unsigned)__builtin_ctzll(word);
        step += skip;
        slot += skip;
        if (step > level->slots)
            break;
        if (!list_empty(&wheel->slots[slot]))
            return (now + step) << level->shift;
        wheel->used[slot / 64] &= ~((uint64_t)1 << slot % 64);
        step++;
    }
    return INT64_MAX;
}

static int64_t find_next(struct timer_wheel *wheel)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        int64_t at = level_next(wheel, &levels[i]);
        if (at < next)
            next = at;
    }
    return next;
}

static void take_slot(struct timer_wheel *wheel, unsigned slot, struct list *ret_timers)
{
    struct list *from = &wheel->slots[slot];
    list_init(ret_timers);
    wheel->used[slot / 64] &= ~((uint64_t)1 << slot % 64);
    if (list_empty(from))
        return;
    list_add_tail(from, ret_timers);
    list_remove(from);
}

/* Deals out the slots of higher levels whose time begins at this tick, the highest first. */
static void deal_out(struct timer_wheel *wheel)
{
    for (size_t i = ARRAY_LEN(levels) - 1; i > 0; i--) {
        const struct level *level = &levels[i];
        int64_t number = wheel->tick >> level->shift;
        if (number << level->shift != wheel->tick)
            continue;
        struct list timers, *link;
        take_slot(wheel, level->first + ((unsigned)number & (level->slots - 1)), &timers);
        while ((link = list_pop(&timers)) != NULL) {
            struct timer *timer = CONTAINER_OF(link, struct timer, link);
            if (timer->due_ms <= wheel->tick) /* into the slot that is fired next */
                list_add_tail(&wheel->slots[(unsigned)wheel->tick & (levels[0].slots - 1)], link);
            else
                timer_wheel_add(wheel, timer);
        }
    }
}

static size_t fire_all(struct list *timers)
{
    size_t fired = 0;
    struct list *link;
    while ((link = list_pop(timers)) != NULL) {
        struct timer *timer = CONTAINER_OF(link, struct timer, link);
        timer->fire(timer);
        fired++;
    }
    return fired;
}

size_t timer_wheel_advance(struct timer_wheel *wheel, int64_t now_ms)
{
    struct list timers;
    list_init(&timers);
    if (!list_empty(&wheel->overdue)) {
        list_add_tail(&wheel->overdue, &timers);
        list_remove(&wheel->overdue);
    }
    size_t fired = fire_all(&timers);
    while (wheel->next <= now_ms) {
        wheel->next = find_next(wheel);
        if (wheel->next > now_ms)
            break;
        wheel->tick = wheel->next;
        deal_out(wheel);
        take_slot(wheel, (unsigned)wheel->tick & (levels[0].slots - 1), &timers);
        wheel->next = wheel->tick + 1;
        fired += fire_all(&timers);
    }
    if (now_ms > wheel->tick)
        wheel->tick = now_ms;
    return fired;
}

int64_t timer_wheel_next(struct timer_wheel *wheel)
{
    if (!list_empty(&wheel->overdue))
        return wheel->tick;
    return wheel->next;
}
