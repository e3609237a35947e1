/* UTF-8 by RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Text that is not English is mostly not ASCII, so utf8_plain_end judges sixteen bytes at a time;
 * its first three bytes and what is left at the end go character by character.
 */
#include "base/json_scan.h"

static bool continues(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

size_t utf8_step(const char *p, const char *end)
{
    unsigned char a = (unsigned char)p[0];
    if (a < 0x80)
        return 1;
    if (a < 0xc2 || a > 0xf4)
        return 0;
    size_t len = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
    if ((size_t)(end - p) < len)
        return 0;
    /* Only the second byte has a range of its own, and only after these first bytes. */
    unsigned char b = (unsigned char)p[1];
    unsigned char low = a == 0xe0 ? 0xa0 : a == 0xf0 ? 0x90 : 0x80;
    unsigned char high = a == 0xed ? 0x9f : a == 0xf4 ? 0x8f : 0xbf;
    if (b < low || b > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!continues(p + i))
            return 0;
    return len;
}

/* The lanes at which the sequence of bytes up to there is no UTF-8 any more: a byte that should go
 * on with a character and does not, or the other way round, or one that no character can have
 * there. Looks at the three bytes before p, which must be valid as far as they go. */
static inline json_block wrong_lanes(const char *p)
{
    typedef uint8_t bytes __attribute__((vector_size(16)));
    bytes at = (bytes)json_block_at(p), one = (bytes)json_block_at(p - 1);
    bytes two = (bytes)json_block_at(p - 2), three = (bytes)json_block_at(p - 3);
    json_block follows = (json_block)at < -64; /* 0x80 to 0xbf */
    json_block wrong = follows ^ ((one >= 0xc0) | (two >= 0xe0) | (three >= 0xf0));
    /* The ranges of utf8_step. */
    wrong |= ((at & 0xfe) == 0xc0) | (at >= 0xf5);
    wrong |= ((one == 0xe0) & (at < 0xa0)) | ((one == 0xed) & (at >= 0xa0));
    wrong |= ((one == 0xf0) & (at < 0x90)) | ((one == 0xf4) & (at >= 0x90));
    return wrong;
}

static inline json_block line_end_lanes(const char *p)
{
    return (json_block_at(p - 2) == (int8_t)0xe2) & (json_block_at(p - 1) == (int8_t)0x80) &
           ((json_block_at(p) & (int8_t)0xfe) == (int8_t)0xa8);
}

/* Back from p to the start of the character that p stands in. What stands before p is valid as far
 * as it goes, and at least three bytes long. */
static const char *character_start(const char *p)
{
    for (ptrdiff_t back = 1; back <= 3; back++) {
        unsigned char c = (unsigned char)p[-back];
        if (c < 0x80)
            break;
        if (c >= 0xc0)
            return back < (c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4) ? p - back : p;
    }
    return p;
}

/* As utf8_plain_end, one character after the other; stops as soon as it has come to `stop`. */
static const char *plain_characters(const char *p, const char *stop, const char *end)
{
    while (p < stop) {
        if ((unsigned char)*p < 0x80) {
            if (json_special((unsigned char)*p))
                break;
            p++;
            continue;
        }
        size_t step = utf8_step(p, end);
        if (step == 0 || utf8_is_line_end(p, step))
            break;
        p += step;
    }
    return p;
}

const char *utf8_plain_end(const char *p, const char *end)
{
    if (end - p >= 3 + 16) {
        const char *looked_back_at = p + 3;
        p = plain_characters(p, looked_back_at, end);
        if (p < looked_back_at)
            return p;
        for (; end - p >= 16; p += 16) {
            json_block b = json_block_at(p);
            json_block special = ((b < ' ') & (b >= 0)) | (b == '"') | (b == '\\');
            size_t first = json_first_lane(special | wrong_lanes(p) | line_end_lanes(p));
            if (first != 16)
                return character_start(p + first);
        }
        p = character_start(p);
    }
    return plain_characters(p, end, end);
}

static const char *ascii_end(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        if ((word & 0x8080808080808080) != 0)
            break;
    }
    while (p < end && (unsigned char)*p < 0x80)
        p++;
    return p;
}

bool utf8_valid(struct slice text)
{
    if (text.len == 0)
        return true;
    const char *end = text.ptr + text.len;
    for (const char *p = ascii_end(text.ptr, end); p < end; p = ascii_end(p, end)) {
        size_t step = utf8_step(p, end);
        if (step == 0)
            return false;
        p += step;
    }
    return true;
}

size_t utf8_length(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += !continues(text.ptr + i);
    return count;
}

bool utf8_has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char *p = (const unsigned char *)text.ptr + i;
        size_t left = text.len - i;
        if (*p < ' ' || *p == 0x7f)
            return true;
        if (*p == 0xc2 && left > 1 && p[1] < 0xa0)
            return true;
        if (*p == 0xe2 && left > 2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8)
            return true;
    }
    return false;
}
