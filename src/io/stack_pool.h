/* Stacks for the coroutines of one loop, and the records of the coroutines that stand on them.
 *
 * Stacks come in regions of 64 with an unmapped guard page below each. Address space is reserved,
 * memory is taken by touching. A stack that is given back stays warm (its pages and its first frame
 * are kept, so that the next coroutine costs one switch); what is warm beyond recent need is
 * trimmed once a second: pages back to the system, address space kept. Regions live as long as the
 * loop. Each stack costs two of the process's vm.max_map_count mappings.
 */
#ifndef PARLEY_IO_STACK_POOL_H
#define PARLEY_IO_STACK_POOL_H

#include "base/error.h"
#include "base/list.h"

struct coro;
struct loop;

struct stack_pool {
    size_t max, stack_bytes, guard_bytes;
    size_t total;     /* stacks that have been made */
    size_t busy;      /* coroutines that live */
    size_t busy_peak; /* since the last trim */
    size_t warm_count;
    struct list warm; /* idle coroutines, the last used first */
    struct list cold; /* idle, no pages */
    struct list regions;
};

void stack_pool_init(struct stack_pool *pool, size_t max, size_t stack_bytes);
/* NULL when `max` coroutines live, or the system gives no more mappings. */
struct coro *stack_pool_take(struct stack_pool *pool, struct loop *loop);
void stack_pool_give(struct stack_pool *pool, struct coro *coro);
/* Gives pages of surplus warm stacks back; true while some surplus is left for the next time. */
bool stack_pool_trim(struct stack_pool *pool);
#define STACK_POOL_KEEP_WARM 32u
/* The coroutine in whose guard page the address lies, or NULL. Safe in a signal handler of the
 * pool's own thread. */
struct coro *stack_pool_guarded(const struct stack_pool *pool, const void *address);
void stack_pool_done(struct stack_pool *pool);

#endif
