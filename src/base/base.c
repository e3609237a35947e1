/* Slices, checked conversions, the assertion words, and allocation that never returns NULL. */
#include "base/base.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool slice_ieq(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

ptrdiff_t slice_find(struct slice s, char c)
{
    const char *at = s.len != 0 ? memchr(s.ptr, c, s.len) : NULL;
    return at != NULL ? at - s.ptr : -1;
}

bool slice_cut(struct slice *s, char c, struct slice *ret_head)
{
    ptrdiff_t at = slice_find(*s, c);
    if (at < 0) {
        *ret_head = *s;
        *s = slice_of(s->ptr + s->len, 0);
        return false;
    }
    *ret_head = slice_of(s->ptr, (size_t)at);
    *s = slice_of(s->ptr + at + 1, s->len - (size_t)at - 1);
    return true;
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

bool slice_to_u64(struct slice s, uint64_t *ret_value)
{
    if (s.len == 0 || s.len > 20 || (s.len > 1 && s.ptr[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool slice_to_i64(struct slice s, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    if (negative)
        s = slice_of(s.ptr + 1, s.len - 1);
    uint64_t value;
    if (!slice_to_u64(s, &value) || value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

void panic(const char *file, int line, const char *fmt, ...)
{
    char text[512];
    int at = snprintf(text, sizeof text, "parley: panic at %s:%d: ", file, line);
    va_list args;
    va_start(args, fmt);
    int more = vsnprintf(text + at, sizeof text - (size_t)at - 1, fmt, args);
    va_end(args);
    size_t len = (size_t)at + (size_t)(more > 0 ? more : 0);
    if (len > sizeof text - 2)
        len = sizeof text - 2;
    text[len++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, text, len);
    (void)ignored;
    abort();
}

static _Atomic uint64_t should_not_happened;

void should_not_count(const char *file, int line, const char *what)
{
    /* The first few are written out; the count alone goes on after that. */
    if (atomic_fetch_add_explicit(&should_not_happened, 1, memory_order_relaxed) < 20)
        dprintf(STDERR_FILENO,
                "{\"level\":\"error\",\"msg\":\"should not happen\",\"at\":\"%s:%d\"}\n", file,
                line);
    (void)what;
}

uint64_t should_not_total(void)
{
    return atomic_load_explicit(&should_not_happened, memory_order_relaxed);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size != 0 ? size : 1);
    panic_if(p == NULL, "out of memory (%zu bytes)", size);
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count != 0 ? count : 1, size != 0 ? size : 1);
    panic_if(p == NULL, "out of memory (%zu x %zu bytes)", count, size);
    return p;
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size != 0 ? size : 1);
    panic_if(p == NULL, "out of memory (%zu bytes)", size);
    return p;
}

char *xstrndup(const char *text, size_t len)
{
    char *p = xmalloc(len + 1);
    if (len != 0)
        memcpy(p, text, len);
    p[len] = 0;
    return p;
}

bool copy_str(char *dst, size_t dst_size, struct slice src)
{
    if (src.len >= dst_size)
        return false;
    if (src.len != 0)
        memcpy(dst, src.ptr, src.len);
    dst[src.len] = 0;
    return true;
}
