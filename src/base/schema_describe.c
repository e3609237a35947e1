/* The table as JSON Schema 2020-12, the dialect of OpenAPI 3.1.
 *
 * Our string bounds count bytes, JSON Schema's count characters: a text of at most n bytes has at
 * most n characters and at least a quarter as many as bytes, so the bounds written are those that
 * every valid value meets; the exact ones stand beside them as x-min-bytes and x-max-bytes. Bounds
 * that count characters here, too (SCHEMA_CHARACTERS), are written as they are.
 * Only bounds that the table names are written: the defaults guard requests, while answers that
 * come from our own tables may be larger.
 */
#include "base/json.h"
#include "base/schema_rules.h"

static void key(struct buf *out, const char *name)
{
    buf_lit(out, ",\"");
    buf_str(out, name);
    buf_lit(out, "\":");
}

static void text_member(struct buf *out, const char *name, const char *text)
{
    key(out, name);
    json_write_string(out, slice_str(text));
}

static void number_member(struct buf *out, const char *name, int64_t value)
{
    key(out, name);
    buf_i64(out, value);
}

static bool can_be_null(const struct schema_field *f)
{
    return (f->flags & SCHEMA_NULLABLE) != 0 && f->type != SCHEMA_BOOL && f->type != SCHEMA_RAW;
}

static void describe_type(const struct schema_field *f, const char *name, struct buf *out)
{
    buf_printf(out, can_be_null(f) ? "\"type\":[\"%s\",\"null\"]" : "\"type\":\"%s\"", name);
}

static void describe_int(const struct schema_field *f, struct buf *out)
{
    describe_type(f, "integer", out);
    text_member(out, "format", "int64");
    if (f->min == 0 && f->max == 0)
        return;
    number_member(out, "minimum", f->min);
    number_member(out, "maximum", f->max);
}

static void describe_string(const struct schema_field *f, struct buf *out)
{
    describe_type(f, "string", out);
    if ((f->flags & SCHEMA_SECRET) != 0)
        text_member(out, "format", "password");
    else if (f->format != NULL)
        text_member(out, "format", f->format);
    bool characters = (f->flags & SCHEMA_CHARACTERS) != 0;
    if (f->min > 0)
        number_member(out, "minLength", characters ? f->min : (f->min + 3) / 4);
    if (f->min > 0 && !characters)
        number_member(out, "x-min-bytes", f->min);
    if (f->max != 0)
        number_member(out, "maxLength", f->max);
    if (f->max != 0 && !characters)
        number_member(out, "x-max-bytes", f->max);
}

static void describe_enum(const struct schema_field *f, struct buf *out)
{
    describe_type(f, "string", out);
    key(out, "enum");
    for (size_t i = 0; f->names[i] != NULL; i++) {
        buf_char(out, i == 0 ? '[' : ',');
        json_write_string(out, slice_str(f->names[i]));
    }
    buf_str(out, can_be_null(f) ? ",null]" : "]");
}

static void describe_list(const struct schema_field *f, struct buf *out)
{
    describe_type(f, "array", out);
    const struct schema_field element = schema_element(f);
    key(out, "items");
    schema_describe_field(&element, out);
    if (f->min > 0)
        number_member(out, "minItems", f->min);
    if (f->max != 0)
        number_member(out, "maxItems", f->max);
}

static void describe_object(const struct schema_field *f, struct buf *out)
{
    const char *form = "\"$ref\":\"#/components/schemas/%s\"";
    if (!can_be_null(f)) {
        buf_printf(out, form, f->of->name);
        return;
    }
    buf_lit(out, "\"anyOf\":[{");
    buf_printf(out, form, f->of->name);
    buf_lit(out, "},{\"type\":\"null\"}]");
}

static void describe_default(const struct schema_field *f, struct buf *out)
{
    if (f->fallback == 0)
        return;
    if (f->type == SCHEMA_INT)
        number_member(out, "default", f->fallback);
    if (f->type == SCHEMA_BOOL) {
        key(out, "default");
        buf_lit(out, "true");
    }
    if (f->type == SCHEMA_ENUM && f->fallback > 0)
        text_member(out, "default", f->names[f->fallback]);
}

void schema_describe_field(const struct schema_field *f, struct buf *out)
{
    buf_char(out, '{');
    switch (f->type) {
    case SCHEMA_BOOL: describe_type(f, "boolean", out); break;
    case SCHEMA_INT: describe_int(f, out); break;
    case SCHEMA_STRING: describe_string(f, out); break;
    case SCHEMA_ENUM: describe_enum(f, out); break;
    case SCHEMA_LIST: describe_list(f, out); break;
    case SCHEMA_OBJECT: describe_object(f, out); break;
    case SCHEMA_RAW: buf_lit(out, "\"title\":\"Any JSON value\""); break;
    case SCHEMA_ID:
        describe_type(f, "string", out);
        text_member(out, "format", "uuid");
        break;
    case SCHEMA_TIME:
        describe_type(f, "string", out);
        text_member(out, "format", "date-time");
        break;
    }
    if (f->doc != NULL)
        text_member(out, "description", f->doc);
    describe_default(f, out);
    if (f->example != NULL) {
        key(out, "examples");
        buf_printf(out, "[%s]", f->example);
    }
    buf_char(out, '}');
}

static bool always_there(const struct schema_field *f)
{
    return (f->flags & (SCHEMA_REQUIRED | SCHEMA_ADDED)) != 0;
}

void schema_describe(const struct schema *schema, struct buf *out)
{
    buf_lit(out, "{\"type\":\"object\"");
    if (schema->doc != NULL)
        text_member(out, "description", schema->doc);
    key(out, "properties");
    buf_char(out, '{');
    size_t required = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        if (i != 0)
            buf_char(out, ',');
        json_write_string(out, slice_str(schema->fields[i].name));
        buf_char(out, ':');
        schema_describe_field(&schema->fields[i], out);
        required += always_there(&schema->fields[i]);
    }
    buf_char(out, '}');
    if (required != 0)
        key(out, "required");
    char before = '[';
    for (size_t i = 0; i < schema->field_count; i++) {
        if (!always_there(&schema->fields[i]))
            continue;
        buf_char(out, before);
        json_write_string(out, slice_str(schema->fields[i].name));
        before = ',';
    }
    buf_str(out, required != 0 ? "],\"additionalProperties\":false}"
                               : ",\"additionalProperties\":false}");
}

/* Schemas on the way from the first to here: a schema may contain itself through a pointer. */
struct step {
    const struct step *up;
    const struct schema *schema;
};

static void walk(const struct schema *schema, const struct step *up,
                 void (*fn)(const struct schema *, void *), void *arg)
{
    for (const struct step *s = up; s != NULL; s = s->up)
        if (s->schema == schema)
            return;
    fn(schema, arg);
    struct step here = {up, schema};
    for (size_t i = 0; i < schema->field_count; i++)
        if (schema->fields[i].of != NULL)
            walk(schema->fields[i].of, &here, fn, arg);
}

void schema_walk(const struct schema *schema, void (*fn)(const struct schema *, void *), void *arg)
{
    walk(schema, NULL, fn, arg);
}
