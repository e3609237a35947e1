/* A committed group in memory, immutable and counted, shared by the tail and by every loop. Its
 * events point into the memory they were emitted to; read back from rows at the start, they come
 * with their bytes in one allocation. */
#include <stdlib.h>

#include "engine/event_log_private.h"

void event_batch_ref(struct event_batch *batch)
{
    atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);
}

void event_batch_unref(struct event_batch *batch)
{
    if (atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < batch->memory_count; i++)
        event_memory_unref(batch->memory[i]);
    free(batch);
}

struct event_batch *log_batch_over(struct log_memory *memory, size_t events, uint64_t prev_head)
{
    size_t own = sizeof(struct event_batch) + events * sizeof(struct event) +
                 memory->count * sizeof(struct event_memory *);
    struct event_batch *batch = xmalloc(own);
    *batch = (struct event_batch){
        .prev_head = prev_head, .head = prev_head, .bytes = own + memory->taken};
    atomic_init(&batch->refs, 1);
    batch->events = (struct event *)(void *)(batch + 1);
    batch->memory = (struct event_memory **)(void *)(batch->events + events);
    batch->memory_count = log_memory_give(memory, batch->memory);
    return batch;
}

void log_batch_start(struct log_batch_maker *maker, struct log_bytes_needed needed,
                     uint64_t prev_head)
{
    size_t bytes = sizeof(struct event_batch) + needed.events * sizeof(struct event) +
                   needed.links * sizeof(struct event_link) + needed.bytes;
    struct event_batch *batch = xmalloc(bytes);
    *batch = (struct event_batch){.prev_head = prev_head, .head = prev_head, .bytes = bytes};
    atomic_init(&batch->refs, 1);
    batch->events = (struct event *)(void *)(batch + 1);
    maker->batch = batch;
    maker->links = (struct event_link *)(void *)(batch->events + needed.events);
    maker->bytes = (char *)(maker->links + needed.links);
}

static struct slice keep(struct log_batch_maker *maker, struct slice bytes)
{
    if (bytes.ptr == NULL)
        return bytes;
    struct slice kept = slice_of(maker->bytes, bytes.len);
    memcpy(maker->bytes, bytes.ptr, bytes.len);
    maker->bytes += bytes.len;
    return kept;
}

void log_batch_add(struct log_batch_maker *maker, const struct event *event)
{
    struct event *kept = &maker->batch->events[maker->batch->count++];
    *kept = *event;
    kept->data = keep(maker, event->data);
    kept->correlation_id = keep(maker, event->correlation_id);
    if (event->link_count != 0) {
        memcpy(maker->links, event->links, event->link_count * sizeof *event->links);
        kept->links = maker->links;
        maker->links += event->link_count;
    }
    maker->batch->head = event->pos;
}
