/* Tokens of RFC 8259. Strict: what the grammar does not have is refused, with the byte offset. */
#include "base/json_scan.h"

static int fail(struct json_scan *s, const char *code, const char *what, const char *at)
{
    if (s->err != NULL)
        error_init(s->err);
    return error_set(s->err, FAIL_BAD_REQUEST, code, "%s at byte %td.", what, at - s->start);
}

static int refuse(struct json_scan *s, const char *at, const char *what)
{
    return fail(s, "invalid_json", what, at);
}

int json_scan_full(struct json_scan *s)
{
    return refuse(s, s->at, "The JSON text needs more memory than a request may take");
}

int json_scan_expected(struct json_scan *s)
{
    if (s->at >= s->end)
        return refuse(s, s->end, "The JSON text ends too early");
    return refuse(s, s->at, "This is not JSON: unexpected character");
}

int json_scan_duplicate(struct json_scan *s, const char *at, struct slice key)
{
    char what[120] = "The same key stands twice";
    struct buf text;
    buf_init(&text, 64);
    json_write_string(&text, key);
    if (buf_ok(&text)) {
        struct slice quoted = buf_view(&text);
        memcpy(what, "Duplicate key ", 14);
        bool fits = copy_str(what + 14, sizeof what - 14, quoted);
        debug_assert(fits);
        (void)fits;
    }
    buf_done(&text);
    return fail(s, "duplicate_key", what, at);
}

const char *json_string_rest(const char *p, const char *end, bool *ret_escapes)
{
    for (; p < end && *p != '"'; p = json_plain_end(p, end)) {
        size_t step = 2;
        if (*p == '\\') {
            *ret_escapes = true;
        } else if ((unsigned char)*p < ' ') {
            return p;
        } else {
            p = utf8_plain_end(p, end);
            if (p == end || (unsigned char)*p < 0x80)
                continue;
            if ((step = utf8_step(p, end)) == 0)
                return p;
        }
        if ((size_t)(end - p) < step)
            return end;
        p += step;
    }
    return p;
}

/* Finds the closing quote; checks everything but the escapes. */
static int find_quote(struct json_scan *s, bool *ret_escapes)
{
    const char *p = json_string_end(s->at, s->end, ret_escapes);
    if (p == s->end)
        return refuse(s, p, "A string is not closed");
    if (*p != '"')
        return refuse(s, p,
                      (unsigned char)*p < ' '
                          ? "A string holds a control character that is not escaped"
                          : "A string holds invalid UTF-8");
    s->at = p;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at p, or -1. */
static int hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *put_utf8(char *out, int code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

/* Code point of the \u escape whose digits start at *p, which moves behind it; also over the
 * second half of a surrogate pair (RFC 8259 section 7). -1: no hexadecimal digits or a half
 * without its other half. */
static int unicode_escape(const char **p, const char *end)
{
    int code = hex4(*p, end);
    if (code < 0 || (code >= 0xdc00 && code <= 0xdfff))
        return -1;
    *p += 4;
    if (code < 0xd800 || code > 0xdbff)
        return code;
    if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return -1;
    int low = hex4(*p + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    *p += 6;
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static char simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

bool json_escapes_valid(struct slice raw)
{
    const char *end = raw.ptr + raw.len, *p = raw.ptr;
    while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        char letter = p[1];
        p += 2;
        if (letter == 'u' ? unicode_escape(&p, end) < 0 : simple_escape(letter) == 0)
            return false;
    }
    return true;
}

/* The text is never longer unescaped than escaped, so raw.len bytes do. */
static int unescape(struct json_scan *s, struct slice raw, struct slice *ret_text)
{
    char *copy = arena_alloc(s->arena, raw.len);
    if (copy == NULL)
        return json_scan_full(s);
    char *out = copy;
    const char *end = raw.ptr + raw.len;
    for (const char *p = raw.ptr; p < end;) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((slash != NULL ? slash : end) - p);
        memcpy(out, p, plain);
        out += plain;
        p += plain;
        if (slash == NULL)
            break;
        if (p[1] == 'u') {
            p += 2;
            int code = unicode_escape(&p, end);
            if (code < 0)
                return refuse(s, slash, "A string holds a bad \\u escape");
            out = put_utf8(out, code);
            continue;
        }
        *out = simple_escape(p[1]);
        if (*out++ == 0)
            return refuse(s, slash, "A string holds an escape that JSON does not have");
        p += 2;
    }
    *ret_text = slice_of(copy, (size_t)(out - copy));
    return 0;
}

int json_scan_string(struct json_scan *s, struct slice *ret_text)
{
    const char *first = ++s->at;
    bool escapes;
    int rc = find_quote(s, &escapes);
    if (rc != 0)
        return rc;
    struct slice raw = slice_of(first, (size_t)(s->at - first));
    s->at++;
    if (escapes)
        return unescape(s, raw, ret_text);
    *ret_text = raw;
    return 0;
}

static bool is_digit(const struct json_scan *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool skip_digits(struct json_scan *s)
{
    if (!is_digit(s))
        return false;
    while (is_digit(s))
        s->at++;
    return true;
}

int json_scan_number(struct json_scan *s, struct slice *ret_text, bool *ret_integral,
                     bool *ret_fits, int64_t *ret_integer)
{
    const char *first = s->at;
    json_take(s, '-');
    bool zero = s->at < s->end && *s->at == '0';
    if (!skip_digits(s))
        return json_scan_expected(s);
    struct slice integer = slice_of(first, (size_t)(s->at - first));
    if (zero && integer.len > (*first == '-' ? 2 : 1))
        return refuse(s, first, "A number has a leading zero");
    *ret_integral = true;
    if (json_take(s, '.')) {
        *ret_integral = false;
        if (!skip_digits(s))
            return json_scan_expected(s);
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        *ret_integral = false;
        s->at++;
        if (!json_take(s, '-'))
            json_take(s, '+');
        if (!skip_digits(s))
            return json_scan_expected(s);
    }
    *ret_text = slice_of(first, (size_t)(s->at - first));
    *ret_fits = *ret_integral && slice_to_i64(integer, ret_integer);
    return 0;
}

int json_scan_literal(struct json_scan *s, const char *word)
{
    for (; *word != 0; word++)
        if (!json_take(s, *word))
            return json_scan_expected(s);
    return 0;
}

int json_scan_open(struct json_scan *s)
{
    if (s->depth == JSON_DEPTH_MAX)
        return refuse(s, s->at, "Arrays and objects are nested more than 64 deep");
    s->depth++;
    s->at++;
    return 0;
}

int json_scan_end(struct json_scan *s)
{
    json_skip_space(s);
    if (s->at != s->end)
        return refuse(s, s->at, "Something stands behind the end of the JSON text");
    return 0;
}
