/* Where the numbers live: each thread has pages of slots that only it writes; a series is a range
 * of slot numbers, the same in every thread. A page is made when its thread first touches it. When
 * a thread ends, its pages go to the next new thread, values and all: sums must not shrink.
 */
#include "base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/metric_series.h"

enum { PAGE_SLOTS = 512, PAGES_MAX = METRIC_SERIES_MAX * METRIC_HISTOGRAM_SLOTS / PAGE_SLOTS };

struct page {
    _Alignas(64) _Atomic int64_t slots[PAGE_SLOTS];
};

struct block {
    struct block *next, *next_free;
    struct page *_Atomic pages[PAGES_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_exit;
static struct block *_Atomic blocks; /* of all threads that ever were */
static struct block *free_blocks;
static _Thread_local struct block *own;

static void give_back(void *arg)
{
    struct block *block = arg;
    pthread_mutex_lock(&lock);
    block->next_free = free_blocks;
    free_blocks = block;
    pthread_mutex_unlock(&lock);
    own = NULL;
}

static void make_key(void)
{
    int rc = pthread_key_create(&at_thread_exit, give_back);
    panic_if(rc != 0, "no thread-specific key left");
}

static struct block *take_block(void)
{
    pthread_once(&once, make_key);
    pthread_mutex_lock(&lock);
    struct block *block = free_blocks;
    if (block != NULL) {
        free_blocks = block->next_free;
    } else {
        block = xcalloc(1, sizeof *block);
        block->next = atomic_load(&blocks);
        atomic_store(&blocks, block);
    }
    pthread_mutex_unlock(&lock);
    pthread_setspecific(at_thread_exit, block);
    own = block;
    return block;
}

static struct page *new_page(struct block *block, size_t number)
{
    struct page *page = aligned_alloc(_Alignof(struct page), sizeof *page);
    panic_if(page == NULL, "out of memory (metrics)");
    memset(page, 0, sizeof *page);
    atomic_store_explicit(&block->pages[number], page, memory_order_release);
    return page;
}

static void add(unsigned slot, int64_t delta)
{
    struct block *block = own != NULL ? own : take_block();
    size_t number = slot / PAGE_SLOTS;
    struct page *page = atomic_load_explicit(&block->pages[number], memory_order_relaxed);
    if (UNLIKELY(page == NULL))
        page = new_page(block, number);
    /* No other thread writes this slot, so a load and a store do. */
    _Atomic int64_t *at = &page->slots[slot % PAGE_SLOTS];
    int64_t value = atomic_load_explicit(at, memory_order_relaxed);
    atomic_store_explicit(at, value + delta, memory_order_relaxed);
}

int64_t metric_slot_sum(unsigned slot)
{
    int64_t sum = 0;
    for (struct block *b = atomic_load(&blocks); b != NULL; b = b->next) {
        struct page *page =
            atomic_load_explicit(&b->pages[slot / PAGE_SLOTS], memory_order_acquire);
        if (page != NULL)
            sum += atomic_load_explicit(&page->slots[slot % PAGE_SLOTS], memory_order_relaxed);
    }
    return sum;
}

void metric_add(struct metric *m, int64_t delta)
{
    debug_assert(m->kind == METRIC_GAUGE || (m->kind == METRIC_COUNTER && delta >= 0));
    add(m->slot, delta);
}

const int64_t metric_bounds_ns[METRIC_BUCKETS] = {
    500000,    1000000,   2500000,   5000000,    10000000,   25000000,   50000000,
    100000000, 250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000};

void metric_observe_ns(struct metric *m, int64_t ns)
{
    debug_assert(m->kind == METRIC_HISTOGRAM);
    unsigned bucket = 0;
    while (bucket < METRIC_BUCKETS && ns > metric_bounds_ns[bucket])
        bucket++;
    add(m->slot + bucket, 1);
    add(m->slot + METRIC_SUM_SLOT, ns);
}

int64_t metric_value(const struct metric *m)
{
    if (m->fn != NULL)
        return m->fn(m->arg);
    if (m->kind != METRIC_HISTOGRAM)
        return metric_slot_sum(m->slot);
    int64_t count = 0;
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
        count += metric_slot_sum(m->slot + i);
    return count;
}
