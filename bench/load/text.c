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

struct piece json_member(struct piece object, const char *key)
{
    const char *at = object.data, *end = object.data + object.len;
    size_t key_len = strlen(key);
    if (!at || (at = memchr(at, '{', object.len)) == NULL)
        return (struct piece){0};
    for (at++;;) {
        at = skip_blank(at, end);
        if (at >= end || *at != '"')
            return (struct piece){0};
        const char *name = at + 1, *name_end = skip_string(name, end);
        at = name_end < end ? skip_blank(name_end + 1, end) : end;
        if (at >= end || *at != ':')
            return (struct piece){0};
        at = skip_blank(at + 1, end);
        if (at >= end)
            return (struct piece){0};
        struct piece value;
        if (*at == '"') {
            const char *close = skip_string(at + 1, end);
            value = (struct piece){at + 1, (size_t)(close - at - 1)};
            at = close < end ? close + 1 : end;
        } else {
            const char *start = at;
            at = skip_value(at, end);
            value = (struct piece){start, (size_t)(at - start)};
        }
        if ((size_t)(name_end - name) == key_len && memcmp(name, key, key_len) == 0)
            return value;
        at = skip_blank(at, end);
        if (at < end && *at == ',')
            at++;
    }
}
