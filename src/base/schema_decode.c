/* JSON text to struct in one pass: the scanner's tokens go straight to the members, no tree is
 * built. Memory is taken only for strings with escapes, lists and pointed-to objects.
 *
 * Members mostly come in the order of the table, so a key is compared with the names as it stands,
 * from the field after the last one on; the string reader sees only what matches none.
 */
#include "base/json_scan.h"
#include "base/schema_rules.h"

enum { FIELDS_MAX = 64 }; /* bits of `present` */

struct reader {
    struct json_scan scan;
    struct schema_check check;
};

static int read_object(struct reader *r, const struct schema *schema,
                       const struct schema_path *path, void *value);
static int read_value(struct reader *r, const struct schema_field *f,
                      const struct schema_path *path, void *at);

static bool stands(const struct reader *r, char c)
{
    return r->scan.at < r->scan.end && *r->scan.at == c;
}

/* The value has the wrong type: it is still read to the end, so that the rest can be judged. */
static int mismatch(struct reader *r, const struct schema_path *path, const char *what)
{
    struct slice ignored;
    int rc = json_scan_raw(&r->scan, &ignored);
    if (rc == 0)
        schema_refuse(&r->check, path, "wrong_type", "must be %s", what);
    return rc;
}

static int read_bool(struct reader *r, const struct schema_path *path, void *at)
{
    bool value = stands(r, 't');
    if (!value && !stands(r, 'f'))
        return mismatch(r, path, "true or false");
    int rc = json_scan_literal(&r->scan, value ? "true" : "false");
    memcpy(at, &value, sizeof value);
    return rc;
}

static int read_int(struct reader *r, const struct schema_field *f, const struct schema_path *path,
                    void *at)
{
    bool digit = r->scan.at < r->scan.end && *r->scan.at >= '0' && *r->scan.at <= '9';
    if (!digit && !stands(r, '-'))
        return mismatch(r, path, "an integer");
    struct slice text;
    bool integral, fits;
    int64_t value = 0;
    int rc = json_scan_number(&r->scan, &text, &integral, &fits, &value);
    if (rc != 0)
        return rc;
    if (fits)
        schema_store_int(&r->check, f, path, value, at);
    else if (!integral)
        schema_refuse(&r->check, path, "wrong_type", "must be an integer");
    else if (text.ptr[0] == '-')
        schema_refuse(&r->check, path, "too_small", "must fit 64 bits");
    else
        schema_refuse(&r->check, path, "too_large", "must fit 64 bits");
    return 0;
}

static int read_text(struct reader *r, const struct schema_field *f, const struct schema_path *path,
                     void *at)
{
    if (!stands(r, '"'))
        return mismatch(r, path, "a string");
    struct slice text;
    int rc = json_scan_string(&r->scan, &text);
    if (rc == 0)
        schema_store_text(&r->check, f, path, text, at);
    return rc;
}

static int read_raw(struct reader *r, void *at)
{
    struct slice raw;
    int rc = json_scan_raw(&r->scan, &raw);
    if (rc == 0)
        memcpy(at, &raw, sizeof raw);
    return rc;
}

static int read_nested(struct reader *r, const struct schema_field *f,
                       const struct schema_path *path, void *at)
{
    if (!stands(r, '{'))
        return mismatch(r, path, "an object");
    if ((f->flags & SCHEMA_POINTER) == 0)
        return read_object(r, f->of, path, at);
    void *object = arena_zalloc(r->scan.arena, f->of->size);
    if (object == NULL)
        return json_scan_full(&r->scan);
    int rc = read_object(r, f->of, path, object);
    memcpy(at, &object, sizeof object);
    return rc;
}

/* Elements past the limit are read but not kept. */
static int read_element(struct reader *r, const struct schema_field *element, size_t max,
                        const struct schema_path *path, struct schema_growth *g)
{
    struct schema_path here = {path, NULL, g->list.count};
    if (g->list.count >= max) {
        struct slice ignored;
        g->list.count = max + 1;
        return json_scan_raw(&r->scan, &ignored);
    }
    void *item = schema_grow(g, r->scan.arena);
    if (item == NULL)
        return json_scan_full(&r->scan);
    return read_value(r, element, &here, item);
}

static int read_list(struct reader *r, const struct schema_field *f, const struct schema_path *path,
                     void *at)
{
    if (!stands(r, '['))
        return mismatch(r, path, "an array");
    int rc = json_scan_open(&r->scan);
    if (rc != 0)
        return rc;
    const struct schema_field element = schema_element(f);
    struct schema_growth g = {.item_size = schema_element_size(f)};
    size_t max = schema_list_max(f);
    /* Not NULL, which would stand for null. */
    g.list.items = at;
    json_skip_space(&r->scan);
    for (bool more = !json_take(&r->scan, ']'); more;) {
        if ((rc = read_element(r, &element, max, path, &g)) != 0)
            return rc;
        json_skip_space(&r->scan);
        more = json_take(&r->scan, ',');
        if (!more && !json_take(&r->scan, ']'))
            return json_scan_expected(&r->scan);
    }
    r->scan.depth--;
    schema_check_count(&r->check, f, path, g.list.count);
    memcpy(at, &g.list, sizeof g.list);
    return 0;
}

/* BOOL has no value that stands for null; RAW without SCHEMA_NULLABLE keeps the word. */
static int read_null(struct reader *r, const struct schema_field *f, const struct schema_path *path,
                     void *at)
{
    int rc = json_scan_literal(&r->scan, "null");
    if (rc != 0)
        return rc;
    if ((f->flags & SCHEMA_NULLABLE) == 0 || f->type == SCHEMA_BOOL)
        schema_refuse(&r->check, path, "wrong_type", "must not be null");
    else if (f->type == SCHEMA_ENUM)
        memcpy(at, &(int){-1}, sizeof(int));
    else if ((f->flags & SCHEMA_COUNT) != 0)
        memcpy(at, &(int64_t){-1}, sizeof(int64_t));
    return 0;
}

static int read_value(struct reader *r, const struct schema_field *f,
                      const struct schema_path *path, void *at)
{
    json_skip_space(&r->scan);
    if (stands(r, 'n') && (f->type != SCHEMA_RAW || (f->flags & SCHEMA_NULLABLE) != 0))
        return read_null(r, f, path, at);
    switch (f->type) {
    case SCHEMA_BOOL: return read_bool(r, path, at);
    case SCHEMA_INT: return read_int(r, f, path, at);
    case SCHEMA_STRING:
    case SCHEMA_ID:
    case SCHEMA_TIME:
    case SCHEMA_ENUM: return read_text(r, f, path, at);
    case SCHEMA_OBJECT: return read_nested(r, f, path, at);
    case SCHEMA_LIST: return read_list(r, f, path, at);
    case SCHEMA_RAW: return read_raw(r, at);
    }
    panic(__FILE__, __LINE__, "field \"%s\" has no type", f->name);
}

/* Takes `name"` if exactly that stands behind the quote here. */
static inline bool take_name(struct json_scan *s, const char *name)
{
    const char *p = s->at + 1;
    for (; *name != 0 && p < s->end && *p == *name; name++)
        p++;
    if (*name != 0 || p >= s->end || *p != '"')
        return false;
    s->at = p + 1;
    return true;
}

/* A key that is none of the names as they stand: with escapes, unknown, or no JSON. */
static int read_other_key(struct reader *r, const struct schema *schema,
                          const struct schema_path *path, size_t *ret_index)
{
    struct slice key;
    int rc = json_scan_string(&r->scan, &key);
    if (rc != 0)
        return rc;
    *ret_index = schema_find(schema, key);
    if (*ret_index == schema->field_count)
        return schema_unknown(&r->check, schema, path, key);
    return 0;
}

/* The key at the cursor as a field index; the fields are tried from `guess` on. */
static int read_key(struct reader *r, const struct schema *schema, const struct schema_path *path,
                    size_t guess, size_t *ret_index)
{
    if (!stands(r, '"'))
        return json_scan_expected(&r->scan);
    for (size_t tried = 0; tried < schema->field_count; tried++, guess++) {
        if (guess >= schema->field_count)
            guess = 0;
        if (take_name(&r->scan, schema->fields[guess].name)) {
            *ret_index = guess;
            return 0;
        }
    }
    return read_other_key(r, schema, path, ret_index);
}

static int read_member(struct reader *r, const struct schema *schema,
                       const struct schema_path *path, size_t *index, uint64_t *seen, void *value)
{
    json_skip_space(&r->scan);
    const char *at = r->scan.at;
    int rc = read_key(r, schema, path, *index, index);
    if (rc != 0)
        return rc;
    const struct schema_field *f = &schema->fields[*index];
    if ((*seen >> *index & 1) != 0)
        return json_scan_duplicate(&r->scan, at, slice_str(f->name));
    *seen |= 1ULL << *index;
    ++*index;
    json_skip_space(&r->scan);
    if (!json_take(&r->scan, ':'))
        return json_scan_expected(&r->scan);
    struct schema_path here = {path, f->name, 0};
    return read_value(r, f, &here, (char *)value + f->offset);
}

static int read_object(struct reader *r, const struct schema *schema,
                       const struct schema_path *path, void *value)
{
    panic_if(schema->field_count > FIELDS_MAX, "schema \"%s\" has too many fields", schema->name);
    int rc = json_scan_open(&r->scan);
    if (rc != 0)
        return rc;
    uint64_t seen = 0;
    size_t index = 0;
    json_skip_space(&r->scan);
    for (bool more = !json_take(&r->scan, '}'); more;) {
        if ((rc = read_member(r, schema, path, &index, &seen, value)) != 0)
            return rc;
        json_skip_space(&r->scan);
        more = json_take(&r->scan, ',');
        if (!more && !json_take(&r->scan, '}'))
            return json_scan_expected(&r->scan);
    }
    r->scan.depth--;
    schema_finish(&r->check, schema, path, seen, value);
    return 0;
}

/* Not JSON, or JSON of another type: two different wrongs. */
static int no_object(struct slice json, struct arena *arena, struct error *err)
{
    struct json_value *value;
    int rc = json_parse(json, arena, &value, err);
    if (rc != 0)
        return rc;
    return error_field(err, "", "wrong_type", "The JSON text must be an object.");
}

int schema_decode(const struct schema *schema, struct slice json, struct arena *arena,
                  void *ret_value, struct error *err)
{
    struct reader r = {.scan = {.arena = arena, .err = err}, .check = {.arena = arena, .err = err}};
    r.scan.start = r.scan.at = json.ptr != NULL ? json.ptr : "";
    r.scan.end = r.scan.start + json.len;
    memset(ret_value, 0, schema->size);
    json_skip_space(&r.scan);
    if (!stands(&r, '{'))
        return no_object(json, arena, err);
    int rc = read_object(&r, schema, NULL, ret_value);
    if (rc == 0)
        rc = json_scan_end(&r.scan);
    return rc != 0 ? rc : r.check.wrong ? FAIL_INVALID : 0;
}
