/* What waits to be sent on one socket: references to frames, the first perhaps partly gone.
 *
 * One frame is held in place; a ring is allocated for the second and given back when the queue has
 * drained, so that an idle socket holds nothing.
 */
#ifndef PARLEY_IO_CONN_QUEUE_H
#define PARLEY_IO_CONN_QUEUE_H

#include <sys/types.h>

#include "base/base.h"

struct frame;

struct conn_queue {
    union {
        struct frame *single;
        struct frame **ring; /* 1 << ring_bits places */
    };
    uint32_t head, count;
    uint32_t sent;      /* bytes of the first frame that have been sent */
    uint32_t ring_bits; /* 0: `single` */
};

/* Takes over the caller's reference. */
void conn_queue_push(struct conn_queue *queue, struct frame *frame);
/* One system call. Returns the bytes that left, or -errno. `ret_full`: the socket took all it was
 * given, so that it may take more. */
ssize_t conn_queue_send(struct conn_queue *queue, int fd, bool *ret_full);
/* Removes the frames that drop() names, but not one that is partly sent. Returns their bytes. */
size_t conn_queue_drop(struct conn_queue *queue, bool (*drop)(const struct frame *frame, void *arg),
                       void *arg);
void conn_queue_clear(struct conn_queue *queue);

#endif
