/* A growing byte buffer that knows its cap from birth.
 *
 * Appending past the cap (or out of memory) sets `failed` and leaves the content as it was from
 * there on: a writer appends a whole answer and asks once, buf_ok, whether all of it is there.
 * Never a shorter string in silence.
 */
#ifndef PARLEY_BASE_BUF_H
#define PARLEY_BASE_BUF_H

#include "base/base.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap; /* allocated */
    size_t max; /* never grows past this */
    bool failed;
};

void buf_init(struct buf *b, size_t max_bytes); /* allocates nothing */
void buf_done(struct buf *b);
/* Makes room for `more` bytes; false (and failed) past the cap. */
bool buf_reserve_slow(struct buf *b, size_t more);

static inline bool buf_reserve(struct buf *b, size_t more)
{
    if (LIKELY(b->cap - b->len >= more && !b->failed))
        return true;
    return buf_reserve_slow(b, more);
}

static inline void buf_append(struct buf *b, const void *bytes, size_t len)
{
    if (buf_reserve(b, len) && len != 0) {
        memcpy(b->ptr + b->len, bytes, len);
        b->len += len;
    }
}

static inline void buf_slice(struct buf *b, struct slice s)
{
    buf_append(b, s.ptr, s.len);
}

#define buf_lit(b, literal) buf_append((b), "" literal, sizeof(literal) - 1)

static inline void buf_char(struct buf *b, char c)
{
    if (buf_reserve(b, 1))
        b->ptr[b->len++] = c;
}

void buf_str(struct buf *b, const char *text);
void buf_u64(struct buf *b, uint64_t value); /* decimal */
void buf_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops the first `count` bytes (memmove). */
void buf_consume(struct buf *b, size_t count);

static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

static inline bool MUSTCHECK buf_ok(const struct buf *b)
{
    return !b->failed;
}

static inline struct slice buf_view(const struct buf *b)
{
    return (struct slice){b->ptr != NULL ? b->ptr : "", b->len};
}

#endif
