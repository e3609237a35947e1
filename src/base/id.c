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

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool id_parse(struct slice text, struct id *ret_id)
{
    if (text.len != ID_TEXT_LEN)
        return false;
    struct id id;
    size_t nibble = 0;
    for (size_t i = 0; i < ID_TEXT_LEN; i++) {
        if (is_dash(i)) {
            if (text.ptr[i] != '-')
                return false;
            continue;
        }
        int value = hex_value(text.ptr[i]);
        if (value < 0)
            return false;
        if (nibble % 2 == 0)
            id.bytes[nibble / 2] = (uint8_t)(value << 4);
        else
            id.bytes[nibble / 2] |= (uint8_t)value;
        nibble++;
    }
    *ret_id = id;
    return true;
}

void id_format(const struct id *id, char ret_text[ID_TEXT_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *out = ret_text;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[id->bytes[i] >> 4];
        *out++ = digits[id->bytes[i] & 15];
    }
    *out = 0;
}

int64_t id_time_ms(const struct id *id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}
