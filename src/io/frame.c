/* Frames: a counter, a length, the bytes. Small ones are kept for reuse in size classes, a cache
 * for each thread, because the same sizes come and go with every message.
 *
 * AddressSanitizer builds keep none, so that a use after the last unref is seen.
 */
#include <pthread.h>
#include <stdlib.h>

#include "io/conn.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define KEEP_NONE true
#else
#define KEEP_NONE false
#endif

#define CLASSES 8             /* 128 bytes .. 16 KiB, header included */
#define CLASS_BYTES_MIN 128   /* two cache lines */
#define KEEP_BYTES (1u << 20) /* of each class: what a commit of a thousand messages sends */

struct idle_frame {
    struct idle_frame *next;
};

struct frame_cache {
    struct idle_frame *idle[CLASSES];
    unsigned count[CLASSES];
    bool registered; /* frame_cache_done runs when the thread ends */
};

static _Thread_local struct frame_cache cache;
static pthread_key_t cache_key;
static pthread_once_t cache_key_made = PTHREAD_ONCE_INIT;

static void cache_done(void *arg)
{
    struct frame_cache *own = arg;
    for (unsigned i = 0; i < CLASSES; i++) {
        while (own->idle[i] != NULL) {
            struct idle_frame *idle = own->idle[i];
            own->idle[i] = idle->next;
            free(idle);
        }
        own->count[i] = 0;
    }
    own->registered = false;
}

static void make_key(void)
{
    panic_if(pthread_key_create(&cache_key, cache_done) != 0, "no thread key for the frame cache");
}

static unsigned class_of(size_t bytes)
{
    if (bytes <= CLASS_BYTES_MIN)
        return 0;
    return (unsigned)(64 - __builtin_clzll((bytes - 1) / CLASS_BYTES_MIN));
}

static size_t class_bytes(unsigned class)
{
    return (size_t)CLASS_BYTES_MIN << class;
}

struct frame *frame_new(size_t len)
{
    panic_if(len > UINT32_MAX - sizeof(struct frame), "a frame of %zu bytes", len);
    size_t bytes = sizeof(struct frame) + len;
    unsigned class = class_of(bytes);
    struct frame *frame;
    if (class >= CLASSES) {
        frame = xmalloc(bytes);
    } else if (cache.idle[class] != NULL) {
        struct idle_frame *idle = cache.idle[class];
        cache.idle[class] = idle->next;
        cache.count[class]--;
        __builtin_prefetch(idle->next, 1); /* for the next call */
        frame = (struct frame *)idle;
    } else {
        frame = xmalloc(class_bytes(class));
    }
    frame->refs = 1;
    frame->len = (uint32_t)len;
    return frame;
}

struct frame *frame_copy(struct slice bytes)
{
    struct frame *frame = frame_new(bytes.len);
    if (bytes.len != 0)
        memcpy(frame->bytes, bytes.ptr, bytes.len);
    return frame;
}

static bool keep(struct frame *frame)
{
    unsigned class = class_of(sizeof(struct frame) + frame->len);
    if (KEEP_NONE || class >= CLASSES || cache.count[class] >= KEEP_BYTES / class_bytes(class))
        return false;
    if (!cache.registered) {
        pthread_once(&cache_key_made, make_key);
        if (pthread_setspecific(cache_key, &cache) != 0)
            return false;
        cache.registered = true;
    }
    struct idle_frame *idle = (struct idle_frame *)frame;
    idle->next = cache.idle[class];
    cache.idle[class] = idle;
    cache.count[class]++;
    return true;
}

void frame_unref(struct frame *frame)
{
    if (--frame->refs == 0 && !keep(frame))
        free(frame);
}
