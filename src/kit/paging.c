#include "kit/paging.h"

#include "base/hash.h"
#include "kit/jwt.h"
#include "kit/module.h"

const struct schema_field page_query_fields[2] = {
    {"limit", "Items in a page.", SCHEMA_INT, SCHEMA_AT(struct page_query, limit), .min = 1,
     .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     SCHEMA_AT(struct page_query, cursor), .min = 1, .max = 200},
};
SCHEMA_DEF(page_query_schema, struct page_query, "PageQuery", "Which part of a list.",
           page_query_fields);

enum { CURSOR_BYTES = 8 + 16 };

/* --- which list ---------------------------------------------------------------------------------
 *
 * Equal on every node and in every run, like entity tags.
 */

enum { CHECK_BYTES = 6, CHECK_CHARS = 8 }; /* whole groups of base64, so the rest stands alone */

static int invalid_cursor(struct error *err)
{
    (void)error_set(err, FAIL_BAD_REQUEST, "invalid_cursor",
                    "The cursor is not one that this list gave; begin again without it.");
    (void)error_field(err, "cursor", "invalid_cursor", "It is not one that this list gave.");
    return FAIL_BAD_REQUEST;
}

static uint64_t mix(uint64_t list, const void *bytes, size_t len)
{
    uint8_t key[16] = "of list:";
    for (int i = 0; i < 8; i++)
        key[8 + i] = (uint8_t)(list >> 8 * i);
    return siphash13(key, bytes, len);
}

static uint64_t mix_number(uint64_t list, uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    return mix(list, bytes, sizeof bytes);
}

static uint64_t mix_text(uint64_t list, struct slice text)
{
    return mix(mix_number(list, text.ptr != NULL ? text.len : UINT64_MAX), text.ptr, text.len);
}

static bool is_cursor(const struct schema_field *field)
{
    return field->type == SCHEMA_STRING && strcmp(field->name, "cursor") == 0;
}

/* A number or a time says where one is in a list, not which it is. */
static bool chooses(const struct schema_field *field)
{
    return field->type == SCHEMA_ID || field->type == SCHEMA_ENUM || field->type == SCHEMA_BOOL ||
           (field->type == SCHEMA_STRING && !is_cursor(field));
}

static uint64_t mix_field(uint64_t list, const struct schema_field *field, const char *member)
{
    switch (field->type) {
    case SCHEMA_ID: return mix(list, member, sizeof(struct id));
    case SCHEMA_STRING: return mix_text(list, *(const struct slice *)(const void *)member);
    case SCHEMA_ENUM:
        return mix_number(list, (uint64_t)(int64_t) * (const int *)(const void *)member);
    default: return mix_number(list, *(const bool *)(const void *)member);
    }
}

static uint64_t mix_fields(uint64_t list, const struct schema *schema, const char *value)
{
    uint64_t present = 0;
    if (schema->present_offset >= 0)
        memcpy(&present, value + schema->present_offset, sizeof present);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];
        if (!chooses(field))
            continue;
        list = mix_field(list, field, value + field->offset);
        list = mix_number(list, present >> i & 1);
    }
    return list;
}

/* Six bytes of it are plenty against a mistake. */
static void put_check(uint64_t list, struct slice columns, struct buf *out)
{
    uint64_t check = mix(list, columns.ptr, columns.len);
    char bytes[CHECK_BYTES];
    for (int i = 0; i < CHECK_BYTES; i++)
        bytes[i] = (char)(check >> 8 * i);
    base64url_encode(slice_of(bytes, sizeof bytes), out);
}

static int take_check(uint64_t list, struct slice *cursor, struct error *err)
{
    struct buf columns, check;
    if (cursor->len <= CHECK_CHARS)
        return invalid_cursor(err);
    struct slice rest = slice_of(cursor->ptr + CHECK_CHARS, cursor->len - CHECK_CHARS);
    buf_init(&columns, PAGE_CURSOR_BYTES_MAX + 40);
    buf_init(&check, 2 * CHECK_CHARS);
    bool good = base64url_decode(rest, &columns);
    if (good)
        put_check(list, buf_view(&columns), &check);
    good = good && slice_eq(buf_view(&check), slice_of(cursor->ptr, CHECK_CHARS));
    buf_done(&check);
    buf_done(&columns);
    *cursor = rest;
    return good ? 0 : invalid_cursor(err);
}

int page_open(struct request *req, const struct route *route, const void *params, void *query)
{
    int rc = 0;
    req->list = mix_text(0, slice_str(route->path));
    if (params != NULL)
        req->list = mix_fields(req->list, route->params, params);
    if (query == NULL)
        return 0;
    req->list = mix_fields(req->list, route->query, query);
    for (size_t i = 0; rc == 0 && i < route->query->field_count; i++) {
        struct slice *text = (void *)((char *)query + route->query->fields[i].offset);
        if (is_cursor(&route->query->fields[i]) && text->ptr != NULL)
            rc = take_check(req->list, text, &req->error);
    }
    return rc;
}

/* --- cursors -----------------------------------------------------------------------------------
 */

int cursor_decode_bytes(struct slice text, size_t size, uint8_t *ret_bytes, bool *ret_given,
                        struct error *err)
{
    *ret_given = false;
    if (text.ptr == NULL)
        return 0;
    struct buf bytes;
    buf_init(&bytes, PAGE_CURSOR_BYTES_MAX + 40);
    *ret_given = base64url_decode(text, &bytes) && bytes.len == size;
    if (*ret_given)
        memcpy(ret_bytes, bytes.ptr, size);
    buf_done(&bytes);
    if (*ret_given)
        return 0;
    return invalid_cursor(err);
}

int cursor_decode(struct slice text, struct cursor *ret_cursor, bool *ret_given, struct error *err)
{
    uint8_t bytes[CURSOR_BYTES];
    *ret_cursor = (struct cursor){0};
    int rc = cursor_decode_bytes(text, sizeof bytes, bytes, ret_given, err);
    if (rc < 0 || !*ret_given)
        return rc;
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    ret_cursor->number = (int64_t)number;
    memcpy(ret_cursor->id.bytes, bytes + 8, 16);
    return 0;
}

static void put_cursor(const struct cursor *cursor, uint8_t ret_bytes[CURSOR_BYTES])
{
    for (int i = 0; i < 8; i++)
        ret_bytes[i] = (uint8_t)((uint64_t)cursor->number >> (56 - 8 * i));
    memcpy(ret_bytes + 8, cursor->id.bytes, 16);
}

void cursor_encode(const struct cursor *cursor, struct buf *out)
{
    uint8_t bytes[CURSOR_BYTES];
    put_cursor(cursor, bytes);
    base64url_encode(slice_of((const char *)bytes, sizeof bytes), out);
}

static int end_page(struct request *req, struct slice next)
{
    buf_lit(&req->answer, "],\"next_cursor\":");
    if (next.ptr != NULL) {
        buf_char(&req->answer, '"');
        put_check(req->list, next, &req->answer);
        base64url_encode(next, &req->answer);
        buf_lit(&req->answer, "\"}");
    } else {
        buf_lit(&req->answer, "null}");
    }
    if (buf_ok(&req->answer))
        return 0;
    return error_set(&req->error, FAIL_TOO_LARGE, "answer_too_large",
                     "The page is larger than %zu bytes; ask for fewer items.", req->answer.max);
}

int request_reply_page_bytes(struct request *req, const struct schema *schema, const void *items,
                             size_t count, struct slice next)
{
    req->status = 200;
    buf_lit(&req->answer, "{\"items\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&req->answer, ',');
        schema_encode(schema, (const char *)items + i * schema->size, &req->answer);
    }
    return end_page(req, next);
}

static struct slice cursor_bytes(const struct cursor *cursor, uint8_t bytes[CURSOR_BYTES])
{
    if (cursor == NULL)
        return (struct slice){0};
    put_cursor(cursor, bytes);
    return slice_of((const char *)bytes, CURSOR_BYTES);
}

int request_reply_page(struct request *req, const struct schema *schema, const void *items,
                       size_t count, const struct cursor *next)
{
    uint8_t bytes[CURSOR_BYTES];
    return request_reply_page_bytes(req, schema, items, count, cursor_bytes(next, bytes));
}

int request_reply_page_json(struct request *req, const struct slice *items, size_t count,
                            const struct cursor *next)
{
    req->status = 200;
    buf_lit(&req->answer, "{\"items\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&req->answer, ',');
        buf_slice(&req->answer, items[i]);
    }
    uint8_t bytes[CURSOR_BYTES];
    return end_page(req, cursor_bytes(next, bytes));
}
