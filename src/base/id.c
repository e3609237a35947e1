/* UUIDv7 by RFC 9562: section 5.7 for the layout, section 6.2 method 1 (12-bit counter) for order.
 */
#include "base/id.h"

#include "base/random.h"

struct generator {
    int64_t ms;
    unsigned counter; /* 12 bits, starts random below 2048 in every new millisecond */
};

static _Thread_local struct generator generator;

struct id id_new(const struct clock *clock)
{
    int64_t now = clock_wall_ms(clock);
    if (now > generator.ms) {
        generator.ms = now;
        generator.counter = (unsigned)(random_u64() & 0x7ff);
    } else if (++generator.counter > 0xfff) {
        /* The millisecond is used up, or the clock was set back: run ahead of it. */
        generator.ms++;
        generator.counter = 0;
    }
    struct id id;
    uint64_t ms = (uint64_t)generator.ms;
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | generator.counter >> 8);
    id.bytes[7] = (uint8_t)generator.counter;
    random_bytes(id.bytes + 8, 8);
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

/* Digit value with a mark in bit 4; 0 for what is no hexadecimal digit. */
static const uint8_t hex_of[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
    ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b,
    ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f, ['A'] = 0x1a, ['B'] = 0x1b,
    ['C'] = 0x1c, ['D'] = 0x1d, ['E'] = 0x1e, ['F'] = 0x1f,
};

bool id_parse(struct slice text, struct id *ret_id)
{
    /* Where the two digits of each byte stand. */
    static const uint8_t places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    if (text.len != ID_TEXT_LEN || text.ptr[8] != '-' || text.ptr[13] != '-' ||
        text.ptr[18] != '-' || text.ptr[23] != '-')
        return false;
    struct id id;
    uint8_t all = 0x10;
    for (size_t i = 0; i < 16; i++) {
        uint8_t high = hex_of[(uint8_t)text.ptr[places[i]]];
        uint8_t low = hex_of[(uint8_t)text.ptr[places[i] + 1]];
        all &= high & low;
        id.bytes[i] = (uint8_t)(high << 4 | (low & 15));
    }
    if (all == 0)
        return false;
    *ret_id = id;
    return true;
}

/* Eight digits of four bytes, in a word whose first byte in memory is the first digit. */
static uint64_t hex_word(const uint8_t bytes[4])
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    uint64_t x = word;
    x = (x | x << 16) & 0x0000ffff0000ffff; /* spread: one byte in every 16 bits */
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x >> 4 & 0x000f000f000f000f) | (x & 0x000f000f000f000f) << 8;
    uint64_t letter = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
    return x + 0x3030303030303030 + letter * ('a' - '0' - 10);
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hex_word counts on it");

void id_format(const struct id *id, char ret_text[ID_TEXT_LEN + 1])
{
    uint64_t digits[4];
    for (size_t i = 0; i < 4; i++)
        digits[i] = hex_word(id->bytes + 4 * i);
    memcpy(ret_text, &digits[0], 8);
    memcpy(ret_text + 9, &digits[1], 4);
    memcpy(ret_text + 14, (char *)&digits[1] + 4, 4);
    memcpy(ret_text + 19, &digits[2], 4);
    memcpy(ret_text + 24, (char *)&digits[2] + 4, 4);
    memcpy(ret_text + 28, &digits[3], 8);
    ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
    ret_text[ID_TEXT_LEN] = 0;
}

int64_t id_time_ms(const struct id *id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}
