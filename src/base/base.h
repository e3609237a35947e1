/* The few words every file of the house uses: slices, checked arithmetic, assertion words.
 *
 * Three words for three wrongs:
 *   panic_if(cond, ...)   cannot happen: abort with a report (also in release builds);
 *   should_not(cond)      should not happen: counted, reported by the edge, the program goes on;
 *   debug_assert(cond)    checked in debug and sanitizer builds only.
 */
#ifndef PARLEY_BASE_BASE_H
#define PARLEY_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUSTCHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Borrowed bytes; not terminated. A slice whose ptr is NULL stands for "absent" (JSON null). */
struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_FMT(s) (int)(s).len, (s).ptr /* for "%.*s" */

static inline struct slice slice_of(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case-insensitive equality, for header names and tokens. */
bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
/* Position of c in s, or -1. */
ptrdiff_t slice_find(struct slice s, char c);
/* Cuts s at the first c: *ret_head is what stands before it, s becomes what stands after.
 * Without c the whole of s is the head and s becomes empty. Returns whether c was there. */
bool slice_cut(struct slice *s, char c, struct slice *ret_head);
struct slice slice_trim(struct slice s); /* without blanks and tabs at both ends */
/* Decimal digits only, no sign, no blanks, no leading zero but "0" itself; false on overflow. */
bool slice_to_u64(struct slice s, uint64_t *ret_value) MUSTCHECK;
/* Optional leading '-', then as slice_to_u64. */
bool slice_to_i64(struct slice s, int64_t *ret_value) MUSTCHECK;

/* Aborts the process after writing one line to standard error; the crash report (src/app) adds
 * the backtrace. */
_Noreturn void panic(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define panic_if(cond, ...)                                                                        \
    do {                                                                                           \
        if (UNLIKELY(cond))                                                                        \
            panic(__FILE__, __LINE__, __VA_ARGS__);                                                \
    } while (0)

/* Counts the places where something happened that should not have; read by /metrics. */
void should_not_count(const char *file, int line, const char *what);
uint64_t should_not_total(void);
#define should_not(cond)                                                                           \
    (UNLIKELY(cond) ? (should_not_count(__FILE__, __LINE__, #cond), true) : false)

#ifdef PARLEY_DEBUG
#define debug_assert(cond) panic_if(!(cond), "assertion failed: %s", #cond)
#else
#define debug_assert(cond) ((void)0)
#endif

/* Brings memory on its way into the cache, where thousands of things take turns and none of them is
 * there any more. A hint: p may be anything. `change`, a constant: it will be written to. */
#define CACHE_LINE_BYTES 64
static inline void prefetch(const void *p, size_t bytes, bool change)
{
    for (uintptr_t at = (uintptr_t)p; at < (uintptr_t)p + bytes; at += CACHE_LINE_BYTES) {
        if (change)
            __builtin_prefetch((const void *)at, 1);
        else
            __builtin_prefetch((const void *)at);
    }
}

/* malloc family that aborts when the system has no memory left: for small allocations whose
 * number is bounded elsewhere. Anything whose size a client chooses goes through arena or buf,
 * which refuse instead. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

/* Copies src into the fixed array dst, terminated; false (dst untouched) when it does not fit. */
bool copy_str(char *dst, size_t dst_size, struct slice src) MUSTCHECK;

#endif
