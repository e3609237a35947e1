/* The line for a coroutine: what waits while clients have as many as they may. It moves at the end
 * of a turn in which a coroutine has ended. */
#include "io/loop_private.h"

/* The house's own coroutines (relays, jobs, sessions that open) always find a stack. */
enum { RESERVED_SHARE = 16 };

static bool some_left(const struct loop *loop)
{
    const struct stack_pool *pool = &loop->stacks;
    return pool->busy + loop->places < pool->max - pool->max / RESERVED_SHARE;
}

size_t coro_max(const struct loop *loop)
{
    return loop->stacks.max;
}

void coro_place_keep(struct loop *loop)
{
    loop->places++;
}

void coro_place_return(struct loop *loop)
{
    loop->places--;
    coro_line_look(loop);
}

bool coro_room(const struct loop *loop)
{
    return some_left(loop) && (loop->line_calls || list_empty(&loop->line));
}

void coro_ticket_init(struct coro_ticket *ticket, void (*turn)(struct coro_ticket *ticket))
{
    list_init(&ticket->link);
    ticket->turn = turn;
}

void coro_line_up(struct loop *loop, struct coro_ticket *ticket)
{
    if (list_empty(&ticket->link))
        list_add_tail(&loop->line, &ticket->link);
}

void coro_ticket_return(struct coro_ticket *ticket)
{
    list_remove(&ticket->link);
}

void coro_line_look(struct loop *loop)
{
    if (UNLIKELY(!list_empty(&loop->line)))
        loop_defer(loop, &loop->line_moves);
}

void coro_line_move(struct task *task)
{
    struct loop *loop = CONTAINER_OF(task, struct loop, line_moves);
    struct list *link;
    while (some_left(loop) && (link = list_pop(&loop->line)) != NULL) {
        struct coro_ticket *ticket = CONTAINER_OF(link, struct coro_ticket, link);
        loop->line_calls = true;
        ticket->turn(ticket);
        loop->line_calls = false;
    }
}
