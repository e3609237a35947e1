/* Character classes of RFC 9110 and RFC 3986 and the scanners over them; inside src/net only.
 *
 * Every scanner returns the first position that is not of the class, or `end`. None reads at or
 * past `end`.
 */
#ifndef PARLEY_NET_HTTP1_SCAN_H
#define PARLEY_NET_HTTP1_SCAN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/base.h"

enum {
    CHAR_TOKEN = 1, /* tchar, RFC 9110 section 5.6.2 */
    CHAR_PATH = 2,  /* pchar and '/', RFC 3986 section 3.3 */
    CHAR_QUERY = 4, /* RFC 3986 section 3.4, and what browsers leave as it is: []{}|^`\ */
    CHAR_HOST = 8,  /* reg-name, RFC 3986 section 3.2.2 */
    CHAR_VALUE = 16 /* field-vchar, blank and tab, RFC 9110 section 5.5 */
};

extern const uint8_t http1_class[256];

static inline bool http1_is(char c, int class)
{
    return (http1_class[(uint8_t)c] & class) != 0;
}

static inline const char *http1_scan(const char *p, const char *end, int class)
{
    while (p < end && http1_is(*p, class))
        p++;
    return p;
}

/* As http1_scan of CHAR_VALUE, sixteen bytes at a time. */
static inline const char *http1_scan_value(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i highest_control = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7f);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, highest_control), x);
        control = _mm_andnot_si128(_mm_cmpeq_epi8(x, tab), control);
        unsigned bad = (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_cmpeq_epi8(x, del)));
        if (bad != 0)
            return p + __builtin_ctz(bad);
        p += 16;
    }
#endif
    return http1_scan(p, end, CHAR_VALUE);
}

/* The value of a hexadecimal digit, or -1. */
static inline int http1_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

#endif
