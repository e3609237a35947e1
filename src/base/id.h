/* UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, 12 bits of counter, 62 random.
 * Ids of one thread are strictly increasing, also when the clock is set back. */
#ifndef PARLEY_BASE_ID_H
#define PARLEY_BASE_ID_H

#include "base/base.h"
#include "base/clock.h"

struct id {
    uint8_t bytes[16];
};

#define ID_TEXT_LEN 36

struct id id_new(const struct clock *clock);
/* 8-4-4-4-12 hexadecimal, either case, any version. */
bool id_parse(struct slice text, struct id *ret_id) MUSTCHECK;
void id_format(const struct id *id, char ret_text[ID_TEXT_LEN + 1]); /* lower case, terminated */
int64_t id_time_ms(const struct id *id);                             /* of a version 7 id */

static inline bool id_eq(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, 16) == 0;
}
static inline bool id_is_nil(const struct id *id)
{
    static const struct id nil;
    return id_eq(id, &nil);
}
static inline int id_cmp(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, 16);
}

#endif
