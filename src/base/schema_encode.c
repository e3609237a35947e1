/* Struct to JSON text. Each member's key and value are written into room that is asked for once;
 * only strings, which may grow by escapes, ask again. */
#include "base/json.h"
#include "base/schema_rules.h"

/* The longest fixed-size value: a quoted id with the terminator that id_format writes. */
enum { SCALAR_BYTES = ID_TEXT_LEN + 3 };

static void encode_object(const struct schema *schema, const char *value, struct buf *out);

static char *put_i64(char *at, int64_t value)
{
    char digits[20];
    size_t first = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--first] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        *at++ = '-';
    memcpy(at, digits + first, sizeof digits - first);
    return at + (sizeof digits - first);
}

static char *put_word(char *at, const char *word, size_t len)
{
    memcpy(at, word, len);
    return at + len;
}

static char *put_id(char *at, const struct id *id)
{
    *at = '"';
    id_format(id, at + 1);
    at[ID_TEXT_LEN + 1] = '"';
    return at + ID_TEXT_LEN + 2;
}

static char *put_time(char *at, int64_t wall_ms)
{
    *at = '"';
    time_format(wall_ms, at + 1);
    at[TIME_TEXT_LEN + 1] = '"';
    return at + TIME_TEXT_LEN + 2;
}

static int64_t load_i64(const char *at)
{
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static int load_int(const char *at)
{
    int value;
    memcpy(&value, at, sizeof value);
    return value;
}

static struct slice load_slice(const char *at)
{
    struct slice value;
    memcpy(&value, at, sizeof value);
    return value;
}

static const void *load_pointer(const char *at)
{
    const void *value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Whether the member holds what stands for null, whatever its flags say. */
static bool is_null(const struct schema_field *f, const char *at)
{
    switch (f->type) {
    case SCHEMA_STRING:
    case SCHEMA_RAW: return load_slice(at).ptr == NULL;
    case SCHEMA_ID: return id_is_nil((const struct id *)(const void *)at);
    case SCHEMA_TIME: return load_i64(at) == 0;
    case SCHEMA_ENUM: return load_int(at) < 0;
    case SCHEMA_INT:
        return (f->flags & SCHEMA_NULLABLE) != 0 &&
               load_i64(at) == ((f->flags & SCHEMA_COUNT) != 0 ? -1 : 0);
    case SCHEMA_LIST: return load_pointer(at) == NULL;
    case SCHEMA_OBJECT: return (f->flags & SCHEMA_POINTER) != 0 && load_pointer(at) == NULL;
    default: return false;
    }
}

/* These have no other way to be written than null when they hold nothing. */
static bool always_nullable(const struct schema_field *f)
{
    return f->type == SCHEMA_RAW || f->type == SCHEMA_ENUM || f->type == SCHEMA_OBJECT;
}

static void encode_list(const struct schema_field *f, const char *at, struct buf *out);

static void encode_enum(const struct schema_field *f, int index, struct buf *out)
{
    json_write_string(out, slice_str(f->names[index]));
}

/* The value at out's end, where SCALAR_BYTES are reserved already. */
static void encode_value(const struct schema_field *f, const char *at, struct buf *out)
{
    char *end = out->ptr + out->len;
    switch (f->type) {
    case SCHEMA_BOOL: end = *at != 0 ? put_word(end, "true", 4) : put_word(end, "false", 5); break;
    case SCHEMA_INT: end = put_i64(end, load_i64(at)); break;
    case SCHEMA_ID: end = put_id(end, (const struct id *)(const void *)at); break;
    case SCHEMA_TIME: end = put_time(end, load_i64(at)); break;
    case SCHEMA_STRING: json_write_string(out, load_slice(at)); return;
    case SCHEMA_ENUM: encode_enum(f, load_int(at), out); return;
    case SCHEMA_RAW: buf_slice(out, load_slice(at)); return;
    case SCHEMA_LIST: encode_list(f, at, out); return;
    case SCHEMA_OBJECT:
        encode_object(f->of, (f->flags & SCHEMA_POINTER) != 0 ? load_pointer(at) : at, out);
        return;
    }
    out->len = (size_t)(end - out->ptr);
}

static void encode_list(const struct schema_field *f, const char *at, struct buf *out)
{
    struct schema_list list;
    memcpy(&list, at, sizeof list);
    const struct schema_field element = schema_element(f);
    size_t size = schema_element_size(f);
    buf_char(out, '[');
    for (size_t i = 0; i < list.count; i++) {
        if (!buf_reserve(out, SCALAR_BYTES + 1))
            return;
        if (i != 0)
            out->ptr[out->len++] = ',';
        const char *item = (const char *)list.items + i * size;
        if (is_null(&element, item) && always_nullable(&element))
            buf_lit(out, "null");
        else
            encode_value(&element, item, out);
    }
    buf_char(out, ']');
}

static void encode_object(const struct schema *schema, const char *value, struct buf *out)
{
    char before = '{';
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *f = &schema->fields[i];
        const char *at = value + f->offset;
        bool null = ((f->flags & (SCHEMA_NULLABLE | SCHEMA_OMIT)) != 0 || always_nullable(f)) &&
                    is_null(f, at);
        if (null && (f->flags & SCHEMA_OMIT) != 0)
            continue;
        size_t name_len = strlen(f->name);
        if (!buf_reserve(out, name_len + 4 + SCALAR_BYTES))
            return;
        char *end = out->ptr + out->len;
        *end++ = before;
        *end++ = '"';
        end = put_word(end, f->name, name_len);
        end = put_word(end, "\":", 2);
        if (null)
            end = put_word(end, "null", 4);
        out->len = (size_t)(end - out->ptr);
        if (!null)
            encode_value(f, at, out);
        before = ',';
    }
    if (before == '{')
        buf_char(out, '{');
    buf_char(out, '}');
}

void schema_encode(const struct schema *schema, const void *value, struct buf *out)
{
    encode_object(schema, value, out);
}
