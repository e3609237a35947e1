/* application/x-www-form-urlencoded text to struct: queries; the edge
 * hands the parameters of a path over in the same form.
 *
 * A value is text, so the types that need structure (OBJECT, RAW, lists of objects) cannot stand in
 * such a schema; using one is a bug and aborts.
 */
#include "base/json.h"
#include "base/schema_rules.h"

struct reader {
    struct schema_check check;
    const struct schema *schema;
    uint64_t seen;
    void *value;
};

static int bad_query(struct reader *r, const char *why)
{
    if (r->check.err != NULL)
        error_init(r->check.err);
    return error_set(r->check.err, FAIL_BAD_REQUEST, "invalid_query", "%s", why);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoding into the arena; text without escapes is borrowed. */
static int decode(struct reader *r, struct slice raw, struct slice *ret_text)
{
    if (slice_find(raw, '%') >= 0 || slice_find(raw, '+') >= 0) {
        char *copy = arena_alloc(r->check.arena, raw.len);
        if (copy == NULL)
            return bad_query(r, "The query needs more memory than a request may take.");
        char *out = copy;
        for (size_t i = 0; i < raw.len; i++) {
            char c = raw.ptr[i];
            if (c == '%') {
                int high = i + 2 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
                int low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
                if (high < 0 || low < 0)
                    return bad_query(r, "The query holds a bad percent escape.");
                c = (char)(high << 4 | low);
                i += 2;
            } else if (c == '+') {
                c = ' ';
            }
            *out++ = c;
        }
        raw = slice_of(copy, (size_t)(out - copy));
    }
    if (!utf8_valid(raw))
        return bad_query(r, "The query holds invalid UTF-8.");
    *ret_text = raw;
    return 0;
}

static void take_bool(struct reader *r, const struct schema_path *path, struct slice text, void *at)
{
    bool value = slice_eq(text, SLICE("true"));
    if (value || slice_eq(text, SLICE("false")))
        memcpy(at, &value, sizeof value);
    else
        schema_refuse(&r->check, path, "wrong_type", "must be true or false");
}

static void take_int(struct reader *r, const struct schema_field *f, const struct schema_path *path,
                     struct slice text, void *at)
{
    int64_t value;
    bool negative = text.len > 1 && text.ptr[0] == '-';
    if (slice_to_i64(text, &value)) {
        schema_store_int(&r->check, f, path, value, at);
        return;
    }
    size_t digits = negative ? 1 : 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (text.len < 19 || digits < text.len)
        schema_refuse(&r->check, path, "wrong_type", "must be an integer");
    else
        schema_refuse(&r->check, path, negative ? "too_small" : "too_large", "must fit 64 bits");
}

static void take_scalar(struct reader *r, const struct schema_field *f,
                        const struct schema_path *path, struct slice text, void *at)
{
    if (f->type == SCHEMA_BOOL)
        take_bool(r, path, text, at);
    else if (f->type == SCHEMA_INT)
        take_int(r, f, path, text, at);
    else
        schema_store_text(&r->check, f, path, text, at);
}

/* Comma-separated; empty text is the empty list. */
static int take_list(struct reader *r, const struct schema_field *f, const struct schema_path *path,
                     struct slice text, void *at)
{
    const struct schema_field element = schema_element(f);
    struct schema_growth g = {.list = {.items = at}, .item_size = schema_element_size(f)};
    size_t max = schema_list_max(f);
    for (bool more = text.len != 0; more && g.list.count <= max;) {
        struct slice part;
        struct schema_path here = {path, NULL, g.list.count};
        more = slice_cut(&text, ',', &part);
        void *item = schema_grow(&g, r->check.arena);
        if (item == NULL)
            return bad_query(r, "The query needs more memory than a request may take.");
        take_scalar(r, &element, &here, part, item);
    }
    schema_check_count(&r->check, f, path, g.list.count);
    memcpy(at, &g.list, sizeof g.list);
    return 0;
}

static int take_pair(struct reader *r, struct slice name, struct slice value)
{
    size_t i = schema_find(r->schema, name);
    if (i == r->schema->field_count)
        return schema_unknown(&r->check, r->schema, NULL, name);
    const struct schema_field *f = &r->schema->fields[i];
    if ((r->seen >> i & 1) != 0) {
        if (r->check.err != NULL)
            error_init(r->check.err);
        return error_set(r->check.err, FAIL_BAD_REQUEST, "duplicate_key",
                         "\"%s\" stands more than once.", f->name);
    }
    r->seen |= 1ULL << i;
    struct schema_path here = {NULL, f->name, 0};
    void *at = (char *)r->value + f->offset;
    if (f->type == SCHEMA_LIST)
        return take_list(r, f, &here, value, at);
    take_scalar(r, f, &here, value, at);
    return 0;
}

int schema_decode_query(const struct schema *schema, struct slice query, struct arena *arena,
                        void *ret_value, struct error *err)
{
    struct reader r = {.check = {.arena = arena, .err = err}, .schema = schema, .value = ret_value};
    panic_if(schema->field_count > 64, "schema \"%s\" has too many fields", schema->name);
    memset(ret_value, 0, schema->size);
    for (bool more = query.len != 0; more;) {
        struct slice value, name;
        more = slice_cut(&query, '&', &value);
        if (value.len == 0)
            continue;
        slice_cut(&value, '=', &name);
        int rc = decode(&r, name, &name);
        if (rc == 0)
            rc = decode(&r, value, &value);
        if (rc == 0)
            rc = take_pair(&r, name, value);
        if (rc != 0)
            return rc;
    }
    schema_finish(&r.check, schema, NULL, r.seen, ret_value);
    return r.check.wrong ? FAIL_INVALID : 0;
}
