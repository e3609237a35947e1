/* Hashes for tables. siphash (SipHash-1-3, keyed per process) for keys that a client can choose;
 * hash_mix for numbers that only we choose. */
#ifndef PARLEY_BASE_HASH_H
#define PARLEY_BASE_HASH_H

#include "base/base.h"
#include "base/id.h"

uint64_t siphash13(const uint8_t key[16], const void *bytes, size_t len);
/* siphash13 under a key drawn once per process. */
uint64_t hash_bytes(const void *bytes, size_t len);

static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return x ^ (x >> 32);
}

/* For ids made by this server only: the random half of a UUIDv7. An id given by a client is looked
 * up with this only in tables whose entries the server made. */
static inline uint64_t hash_id(const struct id *id)
{
    uint64_t hi, lo;
    memcpy(&hi, id->bytes, 8);
    memcpy(&lo, id->bytes + 8, 8);
    return hash_mix(hi ^ (lo * 0x9e3779b97f4a7c15ULL));
}

#endif
