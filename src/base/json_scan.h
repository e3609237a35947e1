/* The scanner under json_read.c and schema_decode.c: one cursor over the text, one function per
 * token. Internal to base/.
 *
 * Each token function starts with the cursor on the token's first byte and leaves it behind the
 * last one. On failure it fills the error record (FAIL_BAD_REQUEST) and the cursor means nothing
 * any more. Strings without escapes are slices of the input; only those with escapes are copied.
 */
#ifndef PARLEY_BASE_JSON_SCAN_H
#define PARLEY_BASE_JSON_SCAN_H

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

/* Position of the first special byte in [p, end), or end. */
static inline const char *json_plain_end(const char *p, const char *end)
{
    while (end - p >= 8) {
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

/* FAIL_BAD_REQUEST "invalid_json" with the offset of `at`; replaces field errors found so far,
 * because text that is no JSON is 400 whatever its fields hold. */
int json_scan_fail(struct json_scan *s, const char *at, const char *what);
int json_scan_full(struct json_scan *s);     /* the arena's cap is reached */
int json_scan_expected(struct json_scan *s); /* something else should stand at the cursor */
/* FAIL_BAD_REQUEST "duplicate_key". */
int json_scan_duplicate(struct json_scan *s, const char *at, struct slice key);

/* On the opening quote. */
int json_scan_string(struct json_scan *s, struct slice *ret_text) MUSTCHECK;
/* On '-' or a digit. *ret_integral: no fraction and no exponent; *ret_fits: *ret_integer holds
 * it. */
int json_scan_number(struct json_scan *s, struct slice *ret_text, bool *ret_integral,
                     bool *ret_fits, int64_t *ret_integer) MUSTCHECK;
int json_scan_literal(struct json_scan *s, const char *word) MUSTCHECK;
/* Any value, as a tree in the arena. */
int json_scan_value(struct json_scan *s, struct json_value **ret_value) MUSTCHECK;
/* Only white space may follow. */
int json_scan_end(struct json_scan *s) MUSTCHECK;
/* Steps over the opening bracket; refuses past JSON_DEPTH_MAX. The caller counts depth down. */
int json_scan_open(struct json_scan *s) MUSTCHECK;

/* Bytes of the valid UTF-8 sequence at p (RFC 3629), or 0. p < end. */
size_t utf8_step(const char *p, const char *end);
/* C0, DEL and C1 controls, and the two Unicode line separators. Valid UTF-8 only. */
bool utf8_has_control(struct slice text);

#endif
