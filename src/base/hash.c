/* SipHash-1-3 (Aumasson and Bernstein, 2012; the 1-3 variant). */
#include "base/hash.h"

#include <pthread.h>

#include "base/random.h"

static inline uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

uint64_t siphash13(const uint8_t key[16], const void *bytes, size_t len)
{
    uint64_t k0, k1, word;
    memcpy(&k0, key, 8);
    memcpy(&k1, key + 8, 8);
    struct sip s = {k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
                    k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL};
    const uint8_t *in = bytes;
    size_t left = len;
    for (; left >= 8; left -= 8, in += 8) {
        memcpy(&word, in, 8);
        s.v3 ^= word;
        sip_round(&s);
        s.v0 ^= word;
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)in[i] << (8 * i);
    s.v3 ^= word;
    sip_round(&s);
    s.v0 ^= word;
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static uint8_t process_key[16];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
    random_bytes(process_key, sizeof process_key);
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
    pthread_once(&key_once, draw_key);
    return siphash13(process_key, bytes, len);
}
