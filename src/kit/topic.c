#include "kit/topic.h"

/* FNV-1a, 64 bits: kinds are a handful of short constants. */
static uint64_t kind_bits(const char *kind)
{
    uint64_t bits = UINT64_C(0xcbf29ce484222325);
    for (; *kind != '\0'; kind++)
        bits = (bits ^ (uint8_t)*kind) * UINT64_C(0x100000001b3);
    return bits;
}

struct id topic_stream(const char *kind, const struct id *of)
{
    struct id stream = of != NULL ? *of : (struct id){{0}};
    uint64_t bits = kind_bits(kind);
    for (unsigned i = 0; i < 7; i++)
        stream.bytes[15 - i] ^= (uint8_t)(bits >> (8 * i));
    stream.bytes[6] = (uint8_t)(0x80 | (stream.bytes[6] & 0x0f));
    stream.bytes[8] = (uint8_t)(0x80 | (stream.bytes[8] & 0x3f));
    return stream;
}
