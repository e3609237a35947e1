/* See text.h. The JSON part walks one level of an object and steps over nested values; it trusts
 * the server to send well-formed JSON (tests/api checks that) and only never runs past the end. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("parley-bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void text_reserve(struct text *t, size_t more)
{
    if (t->cap - t->len >= more)
        return;
    size_t cap = t->cap ? t->cap : 256;
    while (cap - t->len < more)
        cap *= 2;
    t->data = realloc(t->data, cap);
    if (!t->data)
        die("out of memory");
    t->cap = cap;
}

void text_add(struct text *t, const char *data, size_t len)
{
    text_reserve(t, len);
    memcpy(t->data + t->len, data, len);
    t->len += len;
}

void text_number(struct text *t, uint64_t number)
{
    char digits[20];
    size_t len = 0;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
    } while ((number /= 10) != 0);
    text_add(t, digits + sizeof digits - len, len);
}

void text_printf(struct text *t, const char *fmt, ...)
{
    text_reserve(t, 64);
    for (;;) {
        size_t room = t->cap - t->len;
        va_list args;
        va_start(args, fmt);
        int need = vsnprintf(t->data + t->len, room, fmt, args);
        va_end(args);
        if (need < 0)
            die("cannot format text");
        if ((size_t)need < room) {
            t->len += (size_t)need;
            return;
        }
        text_reserve(t, (size_t)need + 1);
    }
}

void text_free(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

bool piece_is(struct piece p, const char *word)
{
    return p.data && strlen(word) == p.len && memcmp(p.data, word, p.len) == 0;
}

bool piece_number(struct piece p, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (p.len == 0 || p.len > 19)
        return false;
    for (size_t i = 0; i < p.len; i++) {
        if (p.data[i] < '0' || p.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(p.data[i] - '0');
    }
    *ret_number = number;
    return true;
}

char *piece_copy(struct piece p)
{
    char *copy = malloc(p.len + 1);
    if (!copy)
        die("out of memory");
    if (p.len)
        memcpy(copy, p.data, p.len);
    copy[p.len] = 0;
    return copy;
}

/* at: just behind an opening quote. Returns the closing quote, or end. */
static const char *skip_string(const char *at, const char *end)
{
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote)
            return end;
        size_t slashes = 0;
        while (quote - slashes > at && quote[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return quote;
        at = quote + 1;
    }
}

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* Steps over a value that is no string: up to the comma or bracket that ends it. */
static const char *skip_value(const char *at, const char *end)
{
    unsigned depth = 0;
    for (; at < end; at++) {
        switch (*at) {
        case '"':
            at = skip_string(at + 1, end);
            if (at == end)
                return end;
            break;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
            if (depth == 0)
                return at;
            if (--depth == 0)
                return at + 1;
            break;
        case ',':
            if (depth == 0)
                return at;
            break;
        default: break;
        }
    }
    return end;
}

/* at: behind the bracket or a value. Returns the next member's value, or NULL when there is none.
 */
static const char *next_member(const char *at, const char *end, struct piece *ret_name)
{
    at = skip_blank(at, end);
    if (at < end && *at == ',')
        at = skip_blank(at + 1, end);
    if (at >= end || *at != '"')
        return NULL;
    const char *name = ++at;
    at = skip_string(name, end);
    *ret_name = (struct piece){name, (size_t)(at - name)};
    at = at < end ? skip_blank(at + 1, end) : end;
    if (at >= end || *at != ':')
        return NULL;
    at = skip_blank(at + 1, end);
    return at < end ? at : NULL;
}

/* Returns what is behind the value. */
static const char *take_value(const char *at, const char *end, struct piece *ret_value)
{
    if (*at == '"') {
        const char *close = skip_string(at + 1, end);
        *ret_value = (struct piece){at + 1, (size_t)(close - at - 1)};
        return close < end ? close + 1 : end;
    }
    const char *start = at;
    at = skip_value(at, end);
    *ret_value = (struct piece){start, (size_t)(at - start)};
    return at;
}

static const char *inside(struct piece object)
{
    const char *open = object.data ? memchr(object.data, '{', object.len) : NULL;
    return open ? open + 1 : NULL;
}

static bool same(struct piece a, struct piece b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

void json_members(struct piece object, unsigned count, const struct piece keys[],
                  struct piece ret_values[])
{
    const char *at = inside(object), *end = object.data + object.len;
    struct piece name, value;
    unsigned missing = count;
    for (unsigned i = 0; i < count; i++)
        ret_values[i] = (struct piece){0};
    while (missing && at && (at = next_member(at, end, &name)) != NULL) {
        at = take_value(at, end, &value);
        for (unsigned i = 0; i < count; i++) {
            if (!ret_values[i].data && same(name, keys[i])) {
                ret_values[i] = value;
                missing--;
                break;
            }
        }
    }
}

struct piece json_member(struct piece object, const char *key)
{
    struct piece value;
    json_members(object, 1, &(struct piece){key, strlen(key)}, &value);
    return value;
}

struct piece json_member_on(struct piece object, const char *key)
{
    const char *at = inside(object), *end = object.data + object.len;
    struct piece name, wanted = {key, strlen(key)}, value;
    while (at && (at = next_member(at, end, &name)) != NULL) {
        if (same(name, wanted))
            return (struct piece){at, (size_t)(end - at)};
        at = take_value(at, end, &value);
    }
    return (struct piece){0};
}
