/* UTF-8 by RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
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
