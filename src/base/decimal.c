#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

static uint64_t number_of(struct slice digits)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++)
        number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
    return number;
}

enum decimal_fault decimal_parse(struct slice text, struct decimal *ret_decimal)
{
    struct slice whole, fraction = text;
    bool point = slice_cut(&fraction, '.', &whole);
    if (!all_digits(whole) || (point && !all_digits(fraction)))
        return DECIMAL_MALFORMED;
    for (; whole.len > 0 && whole.ptr[0] == '0'; whole.len--)
        whole.ptr++;
    while (fraction.len > 0 && fraction.ptr[fraction.len - 1] == '0')
        fraction.len--;
    if (whole.len > DECIMAL_DIGITS_MAX || fraction.len > DECIMAL_DIGITS_MAX)
        return DECIMAL_TOO_LONG;
    struct decimal decimal = {number_of(whole), number_of(fraction)};
    for (size_t i = fraction.len; i < DECIMAL_DIGITS_MAX; i++)
        decimal.fraction *= 10;
    *ret_decimal = decimal;
    return DECIMAL_GOOD;
}

size_t decimal_format(const struct decimal *decimal, char ret_text[DECIMAL_TEXT_LEN + 1])
{
    int written = snprintf(ret_text, DECIMAL_TEXT_LEN + 1, "%" PRIu64 ".%018" PRIu64,
                           decimal->whole, decimal->fraction);
    panic_if(written < 0 || written > DECIMAL_TEXT_LEN, "a decimal of more than 36 digits");
    size_t len = (size_t)written;
    while (ret_text[len - 1] == '0')
        len--;
    if (ret_text[len - 1] == '.')
        len--;
    ret_text[len] = '\0';
    return len;
}
