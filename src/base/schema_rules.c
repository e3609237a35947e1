/* The rules of values, one function per type; limits and their defaults as schema.h says. */
#include "base/schema_rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_scan.h"
#include "base/nearest.h"

enum { STRING_MAX_DEFAULT = 65536, LIST_MAX_DEFAULT = 1000 };

static size_t path_text(const struct schema_path *path, char *out, size_t size)
{
    if (path == NULL)
        return 0;
    size_t at = path_text(path->up, out, size);
    if (at >= size)
        return at;
    int more = path->name == NULL
                   ? snprintf(out + at, size - at, "[%zu]", path->index)
                   : snprintf(out + at, size - at, "%s%s", at != 0 ? "." : "", path->name);
    return at + (size_t)(more > 0 ? more : 0);
}

void schema_refuse(struct schema_check *c, const struct schema_path *path, const char *code,
                   const char *fmt, ...)
{
    c->wrong = true;
    if (c->err == NULL)
        return;
    char field[sizeof c->err->fields[0].field] = "";
    path_text(path, field, sizeof field);
    char detail[sizeof c->err->fields[0].detail];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    (void)error_field(c->err, field, code, "%s", detail);
}

/* A key as somebody sent it, short enough for a sentence, never cut inside a character. */
static void quote_key(struct slice key, char *out, size_t size)
{
    size_t len = key.len;
    bool cut = len > 64;
    if (cut)
        for (len = 64; len > 0 && ((unsigned char)key.ptr[len] & 0xc0) == 0x80;)
            len--;
    snprintf(out, size, "\"%.*s%s\"", (int)len, key.ptr, cut ? "..." : "");
}

int schema_unknown(struct schema_check *c, const struct schema *schema,
                   const struct schema_path *path, struct slice key)
{
    if (c->err == NULL)
        return FAIL_BAD_REQUEST;
    struct nearest near;
    nearest_init(&near, key);
    for (size_t i = 0; i < schema->field_count; i++)
        nearest_offer(&near, schema->fields[i].name);
    char name[80], inside[112] = "", hint[112] = "";
    quote_key(key, name, sizeof name);
    if (path != NULL) {
        memcpy(inside, " in ", 5);
        path_text(path, inside + 4, sizeof inside - 4);
    }
    if (near.name != NULL)
        snprintf(hint, sizeof hint, " Did you mean \"%s\"?", near.name);
    error_init(c->err);
    return error_set(c->err, FAIL_BAD_REQUEST, "unknown_field", "Unknown field %s%s.%s", name,
                     inside, hint);
}

void schema_store_int(struct schema_check *c, const struct schema_field *f,
                      const struct schema_path *path, int64_t value, void *at)
{
    bool bounded = f->min != 0 || f->max != 0;
    if (bounded && value < f->min)
        schema_refuse(c, path, "too_small", "must be at least %lld", (long long)f->min);
    else if (bounded && value > f->max)
        schema_refuse(c, path, "too_large", "must be at most %lld", (long long)f->max);
    else
        memcpy(at, &value, sizeof value);
}

/* White space by Unicode's White_Space property, plus the zero-width ones that look like none. */
static size_t blank_step(const char *p, const char *end)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\x8b",
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
        "\xef\xbb\xbf",
    };
    unsigned char first = (unsigned char)*p;
    if (first < 0x80) /* nearly always: none of the wide ones is worth a look */
        return first == ' ' || (first >= '\t' && first <= '\r');
    for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
        size_t len = strlen(wide[i]);
        if ((size_t)(end - p) >= len && memcmp(p, wide[i], len) == 0)
            return len;
    }
    return 0;
}

static bool is_blank(struct slice text)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    for (size_t step; p < end; p += step)
        if ((step = blank_step(p, end)) == 0)
            return false;
    return true;
}

static void store_string(struct schema_check *c, const struct schema_field *f,
                         const struct schema_path *path, struct slice text, void *at)
{
    bool characters = (f->flags & SCHEMA_CHARACTERS) != 0;
    const char *unit = characters ? "characters" : "bytes";
    int64_t len = (int64_t)(characters ? utf8_length(text) : text.len);
    int64_t max = f->max != 0 ? f->max : STRING_MAX_DEFAULT;
    if (len < f->min)
        schema_refuse(c, path, "too_short", "must be at least %lld %s long", (long long)f->min,
                      unit);
    else if (len > max)
        schema_refuse(c, path, "too_long", "must be at most %lld %s long", (long long)max, unit);
    else if (memchr(text.ptr, 0, text.len) != NULL)
        schema_refuse(c, path, "control_character", "must not hold U+0000");
    else if ((f->flags & SCHEMA_ONE_LINE) != 0 && utf8_has_control(text))
        schema_refuse(c, path, "control_character", "must be one line without control characters");
    else if ((f->flags & SCHEMA_NO_BLANK) != 0 && is_blank(text))
        schema_refuse(c, path, "blank", "must not be blank");
    else
        memcpy(at, &text, sizeof text);
}

static void refuse_enum(struct schema_check *c, const struct schema_field *f,
                        const struct schema_path *path)
{
    char allowed[96] = "";
    for (int i = 0; f->names[i] != NULL; i++) {
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", i != 0 ? ", " : "", f->names[i]);
    }
    schema_refuse(c, path, "not_allowed", "must be one of: %s", allowed);
}

static void store_enum(struct schema_check *c, const struct schema_field *f,
                       const struct schema_path *path, struct slice text, void *at)
{
    for (int i = 0; f->names[i] != NULL; i++) {
        if (slice_eq(text, slice_str(f->names[i]))) {
            memcpy(at, &i, sizeof i);
            return;
        }
    }
    refuse_enum(c, f, path);
}

void schema_store_text(struct schema_check *c, const struct schema_field *f,
                       const struct schema_path *path, struct slice text, void *at)
{
    switch (f->type) {
    case SCHEMA_STRING: store_string(c, f, path, text, at); break;
    case SCHEMA_ENUM: store_enum(c, f, path, text, at); break;
    case SCHEMA_ID:
        if (!id_parse(text, at))
            schema_refuse(c, path, "invalid_id", "must be a UUID");
        break;
    case SCHEMA_TIME:
        if (!time_parse(text, at))
            schema_refuse(c, path, "invalid_time",
                          "must be an RFC 3339 time, e.g. 2026-01-31T12:00:00.000Z");
        break;
    default: panic(__FILE__, __LINE__, "field \"%s\" is not text", f->name);
    }
}

struct schema_field schema_element(const struct schema_field *list)
{
    if (list->of != NULL)
        return (struct schema_field){.name = list->name, .type = SCHEMA_OBJECT, .of = list->of};
    return (struct schema_field){
        .name = list->name,
        .type = list->element,
        .flags = list->flags & (SCHEMA_NO_BLANK | SCHEMA_ONE_LINE | SCHEMA_SECRET),
        .min = list->element_min,
        .max = list->element_max,
        .names = list->names,
        .format = list->format,
    };
}

size_t schema_element_size(const struct schema_field *list)
{
    if (list->of != NULL)
        return list->of->size;
    switch (list->element) {
    case SCHEMA_BOOL: return sizeof(bool);
    case SCHEMA_INT:
    case SCHEMA_TIME: return sizeof(int64_t);
    case SCHEMA_ENUM: return sizeof(int);
    case SCHEMA_ID: return sizeof(struct id);
    case SCHEMA_STRING:
    case SCHEMA_RAW: return sizeof(struct slice);
    default: panic(__FILE__, __LINE__, "list \"%s\" has no element type", list->name);
    }
}

size_t schema_list_max(const struct schema_field *list)
{
    return list->max != 0 ? (size_t)list->max : LIST_MAX_DEFAULT;
}

void *schema_grow(struct schema_growth *g, struct arena *arena)
{
    if (g->list.count == g->capacity) {
        size_t capacity = g->capacity != 0 ? g->capacity * 2 : 8;
        void *items = arena_array(arena, capacity, g->item_size);
        if (items == NULL)
            return NULL;
        if (g->list.count != 0)
            memcpy(items, g->list.items, g->list.count * g->item_size);
        g->list.items = items;
        g->capacity = capacity;
    }
    char *item = (char *)g->list.items + g->list.count++ * g->item_size;
    memset(item, 0, g->item_size);
    return item;
}

void schema_check_count(struct schema_check *c, const struct schema_field *f,
                        const struct schema_path *path, size_t count)
{
    if (count > schema_list_max(f))
        schema_refuse(c, path, "too_many", "must have at most %zu elements", schema_list_max(f));
    else if ((int64_t)count < f->min)
        schema_refuse(c, path, "too_few", "must have at least %lld elements", (long long)f->min);
}

static void set_fallback(const struct schema_field *f, void *at)
{
    bool flag = f->fallback != 0;
    int number = (int)f->fallback;
    switch (f->type) {
    case SCHEMA_BOOL: memcpy(at, &flag, sizeof flag); break;
    case SCHEMA_INT: memcpy(at, &f->fallback, sizeof f->fallback); break;
    case SCHEMA_ENUM: memcpy(at, &number, sizeof number); break;
    default: break;
    }
}

void schema_finish(struct schema_check *c, const struct schema *schema,
                   const struct schema_path *path, uint64_t seen, void *value)
{
    uint64_t all = schema->field_count < 64 ? (1ULL << schema->field_count) - 1 : UINT64_MAX;
    for (uint64_t missing = all & ~seen; missing != 0; missing &= missing - 1) {
        const struct schema_field *f = &schema->fields[__builtin_ctzll(missing)];
        struct schema_path here = {path, f->name, 0};
        if ((f->flags & SCHEMA_REQUIRED) != 0)
            schema_refuse(c, &here, "required", "is required");
        if (f->fallback != 0)
            set_fallback(f, (char *)value + f->offset);
    }
    if (schema->present_offset >= 0)
        memcpy((char *)value + schema->present_offset, &seen, sizeof seen);
}

size_t schema_find(const struct schema *schema, struct slice name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const char *known = schema->fields[i].name;
        if (name.len != 0 && known[0] == name.ptr[0] && slice_eq(name, slice_str(known)))
            return i;
    }
    return schema->field_count;
}
