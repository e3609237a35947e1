/* Strings out. Copies sixteen bytes at a time as long as none of them is special, and runs of valid
 * non-ASCII text as a whole; a character that must be escaped or replaced is looked at alone. */
#include "base/json_scan.h"

/* Bytes one input byte can grow to: \u0000. */
enum { ESCAPE_BYTES = 6 };

static char *put_escape(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btn fr"; /* from U+0008 on; U+000B has no letter */
    *out++ = '\\';
    if (c == '"' || c == '\\') {
        *out++ = (char)c;
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        *out++ = letters[c - '\b'];
    } else {
        memcpy(out, "u00", 3);
        out[3] = hex[c >> 4];
        out[4] = hex[c & 15];
        out += 5;
    }
    return out;
}

/* The non-ASCII character at *p, which moves behind it. */
static char *put_wide(char *out, const char **p, const char *end)
{
    size_t step = utf8_step(*p, end);
    if (step == 0) {
        memcpy(out, "\xef\xbf\xbd", 3); /* U+FFFD */
        *p += 1;
        return out + 3;
    }
    /* U+2028 and U+2029 end a line in JavaScript source, where JSON is often pasted. */
    if (utf8_is_line_end(*p, step)) {
        memcpy(out, (unsigned char)(*p)[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
        *p += 3;
        return out + 6;
    }
    memcpy(out, *p, step);
    *p += step;
    return out + step;
}

/* Copies ASCII bytes until a special one; room for end - *p bytes at out. */
static inline char *copy_ascii(char *out, const char **p, const char *end)
{
    const char *in = *p;
    for (; end - in >= 16; in += 16, out += 16) {
        json_block block = json_block_at(in);
        memcpy(out, &block, 16);
        size_t plain = json_first_lane(json_special_lanes(block));
        if (plain != 16) {
            *p = in + plain;
            return out + plain;
        }
    }
    for (; end - in >= 8; in += 8, out += 8) {
        uint64_t word;
        memcpy(&word, in, 8);
        memcpy(out, &word, 8);
        uint64_t special = json_special_bytes(word);
        if (special != 0) {
            size_t plain = (size_t)__builtin_ctzll(special) / 8;
            *p = in + plain;
            return out + plain;
        }
    }
    while (in < end && !json_special((unsigned char)*in))
        *out++ = *in++;
    *p = in;
    return out;
}

/* Copies until a byte that must be written in another way; room for end - *p bytes at out. */
static inline char *copy_plain(char *out, const char **p, const char *end)
{
    out = copy_ascii(out, p, end);
    if (*p == end || (unsigned char)**p < 0x80)
        return out;
    const char *stop = utf8_plain_end(*p, end);
    size_t len = (size_t)(stop - *p);
    memcpy(out, *p, len);
    *p = stop;
    return out + len;
}

void json_write_string(struct buf *out, struct slice text)
{
    const char *p = text.ptr != NULL ? text.ptr : "", *end = p + text.len;
    if (!buf_reserve(out, text.len + 2))
        return;
    char *at = out->ptr + out->len;
    *at++ = '"';
    at = copy_plain(at, &p, end);
    while (p < end) {
        char special[ESCAPE_BYTES];
        bool ascii = (unsigned char)*p < 0x80;
        char *stop = ascii ? put_escape(special, (unsigned char)*p++) : put_wide(special, &p, end);
        size_t grown = (size_t)(stop - special);
        /* Room for this one, what is left if all of it is plain, and the quote. */
        out->len = (size_t)(at - out->ptr);
        if (!buf_reserve(out, grown + (size_t)(end - p) + 1))
            return;
        at = out->ptr + out->len;
        memcpy(at, special, grown);
        at = copy_plain(at + grown, &p, end);
    }
    *at++ = '"';
    out->len = (size_t)(at - out->ptr);
}
