/* Decimal numbers kept exactly as people write them: prices and amounts. Not negative, at most 18
 * digits before and 18 after the point; no sign, no exponent, no rounding anywhere. */
#ifndef PARLEY_BASE_DECIMAL_H
#define PARLEY_BASE_DECIMAL_H

#include "base/base.h"

enum { DECIMAL_DIGITS_MAX = 18, DECIMAL_TEXT_LEN = 2 * DECIMAL_DIGITS_MAX + 1 };

struct decimal {
    uint64_t whole;
    uint64_t fraction; /* in units of 10^-18 */
};

enum decimal_fault {
    DECIMAL_GOOD,
    DECIMAL_MALFORMED, /* not digits, or digits, a point and digits */
    DECIMAL_TOO_LONG,  /* more digits than are kept; superfluous zeros do not count */
};
enum decimal_fault decimal_parse(struct slice text, struct decimal *ret_decimal) MUSTCHECK;
/* The shortest text that means the same: no zeros in front but one before the point, none at the
 * end after it, no point without digits behind it. Returns its length. */
size_t decimal_format(const struct decimal *decimal, char ret_text[DECIMAL_TEXT_LEN + 1]);

static inline int decimal_cmp(const struct decimal *a, const struct decimal *b)
{
    if (a->whole != b->whole)
        return a->whole < b->whole ? -1 : 1;
    return (a->fraction > b->fraction) - (a->fraction < b->fraction);
}
static inline bool decimal_is_zero(const struct decimal *decimal)
{
    return decimal->whole == 0 && decimal->fraction == 0;
}

#endif
