/* See stack_pool.h. A region is one reservation without access; stacks become usable one by one, so
 * that a pool that never needs them has no mappings for them either.
 *
 * Stacks are a multiple of a page apart, so the same frame of all of them would fall into the same
 * few sets of the processor's caches, and thousands of parked coroutines would drive each other
 * out. Each begins a cache line lower than its neighbour: they use all sets alike. */
#include "io/stack_pool.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/coro_sanitizer.h"

#define REGION_STACKS 64u
#define COLOUR_BYTES 64u /* a cache line; a region's colours fill a page */
#define TRIM_AT_ONCE 512u

struct stack_region {
    struct list link;
    char *base;
    size_t bytes;
    unsigned made; /* stacks handed out at least once */
    struct coro coros[REGION_STACKS];
};

void stack_pool_init(struct stack_pool *pool, size_t max, size_t stack_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *pool = (struct stack_pool){
        .max = max, .stack_bytes = (stack_bytes + page - 1) / page * page, .guard_bytes = page};
    list_init(&pool->warm);
    list_init(&pool->cold);
    list_init(&pool->regions);
}

static struct stack_region *newest_region(struct stack_pool *pool)
{
    struct list *first = pool->regions.next;
    if (first != &pool->regions) {
        struct stack_region *region = CONTAINER_OF(first, struct stack_region, link);
        if (region->made < REGION_STACKS)
            return region;
    }
    size_t bytes = (pool->stack_bytes + pool->guard_bytes) * REGION_STACKS;
    void *base = mmap(NULL, bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    struct stack_region *region = xcalloc(1, sizeof *region);
    region->base = base;
    region->bytes = bytes;
    list_add_head(&pool->regions, &region->link);
    return region;
}

static struct coro *make_stack(struct stack_pool *pool, struct loop *loop)
{
    struct stack_region *region = newest_region(pool);
    if (region == NULL)
        return NULL;
    char *guard = region->base + region->made * (pool->stack_bytes + pool->guard_bytes);
    char *stack = guard + pool->guard_bytes;
    if (mprotect(stack, pool->stack_bytes, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    struct coro *coro = &region->coros[region->made];
    coro->colour_bytes = region->made++ * COLOUR_BYTES;
    list_init(&coro->link);
    coro->loop = loop;
    coro->stack = stack;
    coro->stack_bytes = pool->stack_bytes;
    sanitizer_stack_made(coro);
    pool->total++;
    return coro;
}

struct coro *stack_pool_take(struct stack_pool *pool, struct loop *loop)
{
    if (pool->busy >= pool->max)
        return NULL;
    struct list *link = list_pop(&pool->warm);
    if (link != NULL)
        pool->warm_count--;
    else
        link = list_pop(&pool->cold);
    struct coro *coro =
        link != NULL ? CONTAINER_OF(link, struct coro, link) : make_stack(pool, loop);
    if (coro == NULL)
        return NULL;
    /* For the next calls: the next one's frames, and the record of the one behind it. */
    if (!list_empty(&pool->warm)) {
        coro_prefetch_resume(CONTAINER_OF(pool->warm.next, struct coro, link));
        __builtin_prefetch(pool->warm.next->next, 1);
    }
    pool->busy++;
    if (pool->busy > pool->busy_peak)
        pool->busy_peak = pool->busy;
    return coro;
}

void stack_pool_give(struct stack_pool *pool, struct coro *coro)
{
    pool->busy--;
    pool->warm_count++;
    list_add_head(&pool->warm, &coro->link);
}

static void cool(struct stack_pool *pool, struct coro *coro)
{
    sanitizer_context_gone(coro);
    coro->started = false;
    /* Fails only on addresses that are not ours; the pages would stay, nothing else. */
    (void)madvise(coro->stack, coro->stack_bytes, MADV_DONTNEED);
    list_remove(&coro->link);
    list_add_tail(&pool->cold, &coro->link);
    pool->warm_count--;
}

bool stack_pool_trim(struct stack_pool *pool)
{
    size_t keep = pool->busy_peak - pool->busy;
    if (keep < STACK_POOL_KEEP_WARM)
        keep = STACK_POOL_KEEP_WARM;
    for (unsigned i = 0; i < TRIM_AT_ONCE && pool->warm_count > keep; i++)
        cool(pool, CONTAINER_OF(pool->warm.prev, struct coro, link));
    pool->busy_peak = pool->busy;
    return pool->warm_count > STACK_POOL_KEEP_WARM;
}

struct coro *stack_pool_guarded(const struct stack_pool *pool, const void *address)
{
    uintptr_t at = (uintptr_t)address;
    for (struct list *l = pool->regions.next; l != &pool->regions; l = l->next) {
        struct stack_region *region = CONTAINER_OF(l, struct stack_region, link);
        uintptr_t base = (uintptr_t)region->base;
        if (at < base || at >= base + region->bytes)
            continue;
        size_t stride = pool->stack_bytes + pool->guard_bytes;
        size_t number = (at - base) / stride;
        if ((at - base) % stride < pool->guard_bytes && number < region->made)
            return &region->coros[number];
    }
    return NULL;
}

void stack_pool_done(struct stack_pool *pool)
{
    struct list *link;
    while ((link = list_pop(&pool->regions)) != NULL) {
        struct stack_region *region = CONTAINER_OF(link, struct stack_region, link);
        for (unsigned i = 0; i < region->made; i++) {
            sanitizer_context_gone(&region->coros[i]);
            sanitizer_stack_gone(&region->coros[i]);
        }
        munmap(region->base, region->bytes);
        free(region);
    }
}
