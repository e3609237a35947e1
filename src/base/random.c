#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

struct block {
    uint8_t bytes[4096];
    size_t left;
    unsigned generation; /* a child of fork must not repeat what its parent gives out */
};

static _Thread_local struct block block;

static void fill(void *bytes, size_t len)
{
    char *at = bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        panic_if(got <= 0, "getrandom failed: %s", strerror(errno));
        at += got;
        len -= (size_t)got;
    }
}

static _Atomic unsigned generation = 1; /* grows in every child of fork */

static void forked(void)
{
    generation++;
}

__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forked);
}

static void take(uint8_t *out, size_t len)
{
    while (len > 0) {
        if (block.left == 0 || block.generation != generation) {
            fill(block.bytes, sizeof block.bytes);
            block.left = sizeof block.bytes;
            block.generation = generation;
        }
        size_t n = len < block.left ? len : block.left;
        uint8_t *from = block.bytes + sizeof block.bytes - block.left;
        memcpy(out, from, n);
        explicit_bzero(from, n);
        block.left -= n;
        out += n;
        len -= n;
    }
}

void random_bytes(void *ret_bytes, size_t len)
{
    if (len > sizeof block.bytes / 4)
        fill(ret_bytes, len);
    else
        take(ret_bytes, len);
}

uint64_t random_u64(void)
{
    uint64_t value;
    take((uint8_t *)&value, sizeof value);
    return value;
}

uint64_t random_below(uint64_t bound)
{
    panic_if(bound == 0, "random_below(0)");
    uint64_t reject = (0 - bound) % bound; /* 2^64 mod bound */
    for (;;) {
        uint64_t value = random_u64();
        if (value >= reject)
            return value % bound;
    }
}
