/* The scanner under json_read.c and schema_decode.c: one cursor over the text, one function per
 * token. Internal to base/.
 *
 * Each token function starts with the cursor on the token's first byte and leaves it behind the
 * last one. On failure it fills the error record (FAIL_BAD_REQUEST) and the cursor means nothing
 * any more. Strings without escapes are slices of the input; only those with escapes are copied.
 */
#ifndef PARLEY_BASE_JSON_SCAN_H
#define PARLEY_BASE_JSON_SCAN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json.h"

struct json_scan {
    const char *start, *at, *end;
    struct arena *arena;
    struct error *err;
    unsigned depth; /* of arrays and objects that are open, at most JSON_DEPTH_MAX */
};

/* The lowest set bit of the result lies in the first byte of the eight that a JSON string cannot
 * hold as it stands or that needs a look: quote, backslash, control character, non-ASCII. Bits
 * above that one may be wrong (a borrow). */
static inline uint64_t json_special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * ' ') & ~word) |
            word) &
           high;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte must be the lowest");

static inline bool json_special(unsigned char c)
{
    return c < ' ' || c == '"' || c == '\\' || c >= 0x80;
}

/* Sixteen bytes of text, for what compares all of them at once; compilers make of it what the
 * machine has. A comparison gives lanes of 0 or -1. */
typedef int8_t json_block __attribute__((vector_size(16)));

static inline json_block json_block_at(const char *p)
{
    json_block block;
    memcpy(&block, p, sizeof block);
    return block;
}

/* Position of the first lane that is not 0, or 16. */
static inline size_t json_first_lane(json_block lanes)
{
#ifdef __SSE2__
    unsigned mask = (unsigned)_mm_movemask_epi8((__m128i)lanes);
    return (size_t)__builtin_ctz(mask | 1u << 16);
#else
    typedef uint64_t halves __attribute__((vector_size(16)));
    halves h = (halves)lanes;
    if (h[0] != 0)
        return (size_t)__builtin_ctzll(h[0]) / 8;
    return h[1] != 0 ? 8 + (size_t)__builtin_ctzll(h[1]) / 8 : 16;
#endif
}

/* As json_special_bytes, all lanes right. Below ' ' are the non-ASCII bytes too: a lane is signed.
 */
static inline json_block json_special_lanes(json_block b)
{
    return (b < ' ') | (b == '"') | (b == '\\');
}

/* Position of the first special byte in [p, end), or end. */
static inline const char *json_plain_end(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        size_t first = json_first_lane(json_special_lanes(json_block_at(p)));
        if (first != 16)
            return p + first;
    }
    if (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        uint64_t special = json_special_bytes(word);
        if (special != 0)
            return p + __builtin_ctzll(special) / 8;
        p += 8;
    }
    while (p < end && !json_special((unsigned char)*p))
        p++;
    return p;
}

/* json_string_end from its first special byte on. */
const char *json_string_rest(const char *p, const char *end, bool *ret_escapes);
/* Where the string whose text begins at p ends: on its closing quote, on the first control
 * character or invalid UTF-8, or at end. What the escapes say is not looked at. */
static inline const char *json_string_end(const char *p, const char *end, bool *ret_escapes)
{
    *ret_escapes = false;
    p = json_plain_end(p, end);
    if (LIKELY(p < end && *p == '"'))
        return p;
    return json_string_rest(p, end, ret_escapes);
}

static inline void json_skip_space(struct json_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

/* Takes the character if it stands here. */
static inline bool json_take(struct json_scan *s, char c)
{
    if (s->at >= s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* FAIL_BAD_REQUEST "invalid_json" with the offset, as from every function here; replaces field
 * errors found so far, because text that is no JSON is 400 whatever its fields hold. */
int json_scan_full(struct json_scan *s);     /* the arena's cap is reached */
int json_scan_expected(struct json_scan *s); /* something else should stand at the cursor */
/* FAIL_BAD_REQUEST "duplicate_key". */
int json_scan_duplicate(struct json_scan *s, const char *at, struct slice key);

/* Whether all escapes in the text of a string that json_string_end passed are JSON's. */
bool json_escapes_valid(struct slice raw);
/* On the opening quote. */
int json_scan_string(struct json_scan *s, struct slice *ret_text) MUSTCHECK;
/* On '-' or a digit. *ret_integral: no fraction and no exponent; *ret_fits: *ret_integer holds
 * it. */
int json_scan_number(struct json_scan *s, struct slice *ret_text, bool *ret_integral,
                     bool *ret_fits, int64_t *ret_integer) MUSTCHECK;
int json_scan_literal(struct json_scan *s, const char *word) MUSTCHECK;
/* Any value, as a tree in the arena. */
int json_scan_value(struct json_scan *s, struct json_value **ret_value) MUSTCHECK;
/* The text of any value, from its first byte to its last: passes what json_scan_value passes and
 * fails as it does, but takes no memory for what is small and simple. */
int json_scan_raw(struct json_scan *s, struct slice *ret_raw) MUSTCHECK;
/* Only white space may follow. */
int json_scan_end(struct json_scan *s) MUSTCHECK;
/* Steps over the opening bracket; refuses past JSON_DEPTH_MAX. The caller counts depth down. */
int json_scan_open(struct json_scan *s) MUSTCHECK;

/* Bytes of the valid UTF-8 sequence at p (RFC 3629), or 0. p < end. */
size_t utf8_step(const char *p, const char *end);
/* U+2028 and U+2029 end a line in JavaScript source. `step` is what utf8_step says of p. */
static inline bool utf8_is_line_end(const char *p, size_t step)
{
    return step == 3 && memcmp(p, "\xe2\x80", 2) == 0 && ((unsigned char)p[2] & 0xfe) == 0xa8;
}

/* From the start of a character on over ASCII that is not special and over valid UTF-8. Stops at
 * the first special ASCII byte, at the start of the first sequence that is wrong or that the end
 * cuts off, at U+2028 and U+2029, which the writer escapes, or at end. */
const char *utf8_plain_end(const char *p, const char *end);
/* C0, DEL and C1 controls, and the two Unicode line separators. Valid UTF-8 only. */
bool utf8_has_control(struct slice text);

#endif
