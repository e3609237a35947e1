#include "io/conn_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "io/conn.h"

#define RING_BITS_FIRST 3
#define JOIN_BYTES 4096     /* small frames: copying them costs less than a list of parts */
#define FRAMES_PER_WRITE 64 /* a write of more gains nothing: 0.09 us a frame already */

static inline struct frame **place(const struct conn_queue *queue, uint32_t index)
{
    return &queue->ring[(queue->head + index) & (((uint32_t)1 << queue->ring_bits) - 1)];
}

static inline struct frame *frame_at(const struct conn_queue *queue, uint32_t index)
{
    return queue->ring_bits == 0 ? queue->single : *place(queue, index);
}

static void grow(struct conn_queue *queue)
{
    uint32_t bits = queue->ring_bits == 0 ? RING_BITS_FIRST : queue->ring_bits + 1;
    struct frame **ring = xmalloc(((size_t)1 << bits) * sizeof *ring);
    for (uint32_t i = 0; i < queue->count; i++)
        ring[i] = frame_at(queue, i);
    if (queue->ring_bits != 0)
        free(queue->ring);
    queue->ring = ring;
    queue->ring_bits = bits;
    queue->head = 0;
}

void conn_queue_push(struct conn_queue *queue, struct frame *frame)
{
    if (queue->count == 0 && queue->ring_bits == 0) {
        queue->single = frame;
        queue->count = 1;
        return;
    }
    if (queue->count == (uint32_t)1 << queue->ring_bits)
        grow(queue);
    *place(queue, queue->count) = frame;
    queue->count++;
}

static void give_ring_back(struct conn_queue *queue)
{
    if (queue->ring_bits != 0)
        free(queue->ring);
    *queue = (struct conn_queue){0};
}

static void sent_bytes(struct conn_queue *queue, size_t bytes)
{
    while (queue->count > 0) {
        struct frame *first = frame_at(queue, 0);
        size_t rest = first->len - queue->sent;
        if (bytes < rest) {
            queue->sent += (uint32_t)bytes;
            return;
        }
        bytes -= rest;
        queue->sent = 0;
        queue->head++;
        queue->count--;
        frame_unref(first);
    }
    give_ring_back(queue);
}

/* The frames of one write. Returns their number. */
static uint32_t collect(const struct conn_queue *queue, struct iovec *parts, size_t *ret_bytes)
{
    uint32_t count = queue->count < FRAMES_PER_WRITE ? queue->count : FRAMES_PER_WRITE;
    size_t bytes = 0, skip = queue->sent;
    for (uint32_t i = 0; i < count; i++) {
        struct frame *frame = frame_at(queue, i);
        parts[i] = (struct iovec){frame->bytes + skip, frame->len - skip};
        bytes += parts[i].iov_len;
        skip = 0;
    }
    *ret_bytes = bytes;
    return count;
}

static ssize_t send_many(const struct conn_queue *queue, int fd, size_t *ret_asked)
{
    struct iovec parts[FRAMES_PER_WRITE];
    uint32_t count = collect(queue, parts, ret_asked);
    if (*ret_asked > JOIN_BYTES) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    char joined[JOIN_BYTES];
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(joined + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    return send(fd, joined, at, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t conn_queue_send(struct conn_queue *queue, int fd, bool *ret_full)
{
    size_t asked;
    ssize_t n;
    if (queue->count == 1) {
        struct frame *frame = frame_at(queue, 0);
        asked = frame->len - queue->sent;
        n = send(fd, frame->bytes + queue->sent, asked, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
        n = send_many(queue, fd, &asked);
    }
    if (n < 0)
        return -errno;
    *ret_full = (size_t)n == asked;
    sent_bytes(queue, (size_t)n);
    return n;
}

size_t conn_queue_drop(struct conn_queue *queue, bool (*drop)(const struct frame *frame, void *arg),
                       void *arg)
{
    size_t dropped = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < queue->count; i++) {
        struct frame *frame = frame_at(queue, i);
        if ((i == 0 && queue->sent != 0) || !drop(frame, arg)) {
            if (queue->ring_bits != 0)
                *place(queue, kept) = frame;
            kept++;
            continue;
        }
        dropped += frame->len;
        frame_unref(frame);
    }
    queue->count = kept;
    if (kept == 0)
        give_ring_back(queue);
    return dropped;
}

void conn_queue_clear(struct conn_queue *queue)
{
    for (uint32_t i = 0; i < queue->count; i++)
        frame_unref(frame_at(queue, i));
    give_ring_back(queue);
}
