/* base64url without padding (RFC 4648 section 5, RFC 7515 section 2).
 *
 * Decoding is canonical: no padding, no blanks, no line ends, and the bits that the last character
 * leaves over are zero. So each byte string has exactly one text, and a token cannot be written in
 * a second way that a block list or cache would miss.
 */
#include "kit/jwt.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(struct slice bytes, struct buf *out)
{
    const uint8_t *in = (const uint8_t *)bytes.ptr;
    size_t left = bytes.len;
    if (left > SIZE_MAX / 2 || !buf_reserve(out, left / 3 * 4 + 3))
        return;
    char *to = out->ptr + out->len;
    for (; left >= 3; left -= 3, in += 3) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        *to++ = alphabet[v >> 6 & 63];
        *to++ = alphabet[v & 63];
    }
    if (left == 1) {
        *to++ = alphabet[in[0] >> 2];
        *to++ = alphabet[(in[0] & 3) << 4];
    } else if (left == 2) {
        *to++ = alphabet[in[0] >> 2];
        *to++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *to++ = alphabet[(in[1] & 15) << 2];
    }
    out->len = (size_t)(to - out->ptr);
}

/* 0..63, or 64 for a character outside the alphabet. */
static inline uint32_t value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0' + 52);
    return c == '-' ? 62 : c == '_' ? 63 : 64;
}

bool base64url_decode(struct slice text, struct buf *out)
{
    size_t tail = text.len % 4;
    if (text.len == 0)
        return true;
    if (tail == 1 || !buf_reserve(out, text.len / 4 * 3 + (tail > 0 ? tail - 1 : 0)))
        return false;
    char *to = out->ptr + out->len;
    uint32_t bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t v = value_of(text.ptr[i]);
        if (v == 64)
            return false;
        bits = bits << 6 | v;
        if (i % 4 == 3) {
            *to++ = (char)(bits >> 16 & 0xff);
            *to++ = (char)(bits >> 8 & 0xff);
            *to++ = (char)(bits & 0xff);
            bits = 0;
        }
    }
    if ((tail == 2 && (bits & 15) != 0) || (tail == 3 && (bits & 3) != 0))
        return false;
    if (tail == 2)
        *to++ = (char)(bits >> 4 & 0xff);
    if (tail == 3) {
        *to++ = (char)(bits >> 10 & 0xff);
        *to++ = (char)(bits >> 2 & 0xff);
    }
    out->len = (size_t)(to - out->ptr);
    return true;
}
