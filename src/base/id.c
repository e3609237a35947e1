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

/* The four bytes of eight digits in a word whose first byte in memory is the first digit; false
 * when one is no digit. Eight lanes of one byte: a sum sets a lane's top bit when the character is
 * at least, or above, a bound; no lane overflows into the next, as all are below 0x80. */
static bool parse_word(uint64_t word, uint8_t ret_bytes[4])
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t lower = word | ones * 0x20;
    if ((word & tops) != 0)
        return false;
    uint64_t digit = (word + ones * (0x80 - '0')) & ~(word + ones * (0x7f - '9'));
    uint64_t letter = (lower + ones * (0x80 - 'a')) & ~(lower + ones * (0x7f - 'f'));
    if (((digit | letter) & tops) != tops)
        return false;
    /* Letters are those with bit 6: 'a' is 0x61, and 1 + 9 = 10. */
    uint64_t x = (word & ones * 0x0f) + (word >> 6 & ones) * 9;
    x = (x << 4 | x >> 8) & 0x00ff00ff00ff00ff; /* two digits to a byte, in every 16 bits */
    x = (x | x >> 8) & 0x0000ffff0000ffff;
    uint32_t bytes = (uint32_t)(x | x >> 16);
    memcpy(ret_bytes, &bytes, 4);
    return true;
}

bool id_parse(struct slice text, struct id *ret_id)
{
    const char *t = text.ptr;
    if (text.len != ID_TEXT_LEN || t[8] != '-' || t[13] != '-' || t[18] != '-' || t[23] != '-')
        return false;
    uint64_t digits[4];
    memcpy(&digits[0], t, 8);
    memcpy(&digits[1], t + 9, 4);
    memcpy((char *)&digits[1] + 4, t + 14, 4);
    memcpy(&digits[2], t + 19, 4);
    memcpy((char *)&digits[2] + 4, t + 24, 4);
    memcpy(&digits[3], t + 28, 8);
    struct id id;
    for (size_t i = 0; i < 4; i++)
        if (!parse_word(digits[i], id.bytes + 4 * i))
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
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");

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
