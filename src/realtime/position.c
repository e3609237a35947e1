#include "realtime/position.h"

static const char digits[] = "0123456789abcdef";

size_t position_format(struct position position, char ret_text[POSITION_TEXT_MAX])
{
    for (int i = 0; i < 8; i++)
        ret_text[i] = digits[position.epoch >> (28 - 4 * i) & 15];
    ret_text[8] = '-';
    size_t len = 9;
    int shift = 60;
    while (shift > 0 && (position.pos >> shift & 15) == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        ret_text[len++] = digits[position.pos >> shift & 15];
    return len;
}

static bool hex(struct slice text, uint64_t *ret_value)
{
    if (text.len == 0 || text.len > 16 || (text.len > 1 && text.len != 8 && text.ptr[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *ret_value = value;
    return true;
}

int position_parse(struct slice text, struct position *ret_position, struct error *err)
{
    uint64_t epoch, pos;
    if (text.len >= 10 && text.ptr[8] == '-' && hex(slice_of(text.ptr, 8), &epoch) &&
        hex(slice_of(text.ptr + 9, text.len - 9), &pos)) {
        *ret_position = (struct position){(uint32_t)epoch, pos};
        return 0;
    }
    return error_set(err, FAIL_BAD_REQUEST, "invalid_pos",
                     "pos is not a position that this server gave.");
}
