/* Over a value of which only the text is wanted.
 *
 * The quick way reads the grammar of json_read.c without a tree and without memory of its own. It
 * says yes, or that it does not know: to whatever is wrong, and to what needs more than it has (an
 * escape in a key, many keys). Then the tree reader has the word, from the value's first byte on,
 * so there is one place that refuses. That happens at most once for a value: nothing is read more
 * than twice.
 */
#include "base/json_scan.h"

/* Of all objects that are open, together: few, because each is compared with those before it. */
enum { KEYS_MAX = 32 };

struct skipper {
    const char *end;
    unsigned depth;
    size_t key_count;
    struct slice keys[KEYS_MAX];
};

/* Each takes the first byte of what it steps over and returns the byte behind it, NULL: do not
 * know. */
static const char *skip_value(struct skipper *k, const char *p);

static inline const char *skip_space(const struct skipper *k, const char *p)
{
    while (p < k->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

static inline bool stands(const struct skipper *k, const char *p, char c)
{
    return p < k->end && *p == c;
}

static inline bool is_digit(const struct skipper *k, const char *p)
{
    return p < k->end && *p >= '0' && *p <= '9';
}

static const char *skip_string(const struct skipper *k, const char *p)
{
    bool escapes;
    const char *quote = json_string_end(p + 1, k->end, &escapes);
    if (!stands(k, quote, '"') ||
        (escapes && !json_escapes_valid(slice_of(p + 1, (size_t)(quote - p - 1)))))
        return NULL;
    return quote + 1;
}

static const char *skip_digits(const struct skipper *k, const char *p)
{
    if (!is_digit(k, p))
        return NULL;
    while (is_digit(k, p))
        p++;
    return p;
}

static const char *skip_number(const struct skipper *k, const char *p)
{
    p += *p == '-';
    bool zero = stands(k, p, '0');
    const char *digits = p;
    if ((p = skip_digits(k, p)) == NULL || (zero && p - digits > 1))
        return NULL;
    if (stands(k, p, '.') && (p = skip_digits(k, p + 1)) == NULL)
        return NULL;
    if (p < k->end && (*p == 'e' || *p == 'E')) {
        p++;
        p += stands(k, p, '-') || stands(k, p, '+');
        p = skip_digits(k, p);
    }
    return p;
}

static const char *skip_word(const struct skipper *k, const char *p, struct slice word)
{
    bool same = (size_t)(k->end - p) >= word.len && memcmp(p, word.ptr, word.len) == 0;
    return same ? p + word.len : NULL;
}

static const char *skip_array(struct skipper *k, const char *p)
{
    if (++k->depth > JSON_DEPTH_MAX)
        return NULL;
    p = skip_space(k, p + 1);
    bool more = !stands(k, p, ']');
    while (more) {
        if ((p = skip_value(k, p)) == NULL)
            return NULL;
        p = skip_space(k, p);
        more = stands(k, p, ',');
        if (!more && !stands(k, p, ']'))
            return NULL;
        p += more;
    }
    k->depth--;
    return p + 1;
}

/* A key of an object whose keys begin at `first`; it is kept. */
static const char *skip_key(struct skipper *k, const char *p, size_t first)
{
    if (!stands(k, p, '"') || k->key_count == KEYS_MAX)
        return NULL;
    bool escapes;
    const char *quote = json_string_end(p + 1, k->end, &escapes);
    if (escapes || !stands(k, quote, '"'))
        return NULL;
    struct slice key = slice_of(p + 1, (size_t)(quote - p - 1));
    for (size_t i = first; i < k->key_count; i++)
        /* Behind a key stands its quote at least, so even an empty one has a first byte. */
        if (k->keys[i].ptr[0] == key.ptr[0] && slice_eq(k->keys[i], key))
            return NULL;
    k->keys[k->key_count++] = key;
    return quote + 1;
}

static const char *skip_object(struct skipper *k, const char *p)
{
    if (++k->depth > JSON_DEPTH_MAX)
        return NULL;
    size_t first_key = k->key_count;
    p = skip_space(k, p + 1);
    bool more = !stands(k, p, '}');
    while (more) {
        if ((p = skip_key(k, skip_space(k, p), first_key)) == NULL)
            return NULL;
        p = skip_space(k, p);
        if (!stands(k, p, ':') || (p = skip_value(k, p + 1)) == NULL)
            return NULL;
        p = skip_space(k, p);
        more = stands(k, p, ',');
        if (!more && !stands(k, p, '}'))
            return NULL;
        p += more;
    }
    k->depth--;
    k->key_count = first_key;
    return p + 1;
}

static const char *skip_value(struct skipper *k, const char *p)
{
    p = skip_space(k, p);
    if (p >= k->end)
        return NULL;
    switch (*p) {
    case '{': return skip_object(k, p);
    case '[': return skip_array(k, p);
    case '"': return skip_string(k, p);
    case 't': return skip_word(k, p, SLICE("true"));
    case 'f': return skip_word(k, p, SLICE("false"));
    case 'n': return skip_word(k, p, SLICE("null"));
    default: return skip_number(k, p);
    }
}

int json_scan_raw(struct json_scan *s, struct slice *ret_raw)
{
    json_skip_space(s);
    struct skipper k;
    k.end = s->end;
    k.depth = s->depth;
    k.key_count = 0; /* the keys are left as they are: clearing them costs as much as a value */
    const char *first = s->at, *behind = skip_value(&k, first);
    if (LIKELY(behind != NULL)) {
        *ret_raw = slice_of(first, (size_t)(behind - first));
        s->at = behind;
        return 0;
    }
    struct json_value *value;
    int rc = json_scan_value(s, &value);
    if (rc == 0)
        *ret_raw = value->raw;
    return rc;
}
