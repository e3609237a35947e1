#include "kit/paging.h"

#include "kit/jwt.h"

const struct schema_field page_query_fields[2] = {
    {"limit", "Items in a page.", SCHEMA_INT, SCHEMA_AT(struct page_query, limit), .min = 1,
     .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     SCHEMA_AT(struct page_query, cursor), .min = 1, .max = 200},
};
SCHEMA_DEF(page_query_schema, struct page_query, "PageQuery", "Which part of a list.",
           page_query_fields);

enum { CURSOR_BYTES = 8 + 16 };

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
    return error_set(err, FAIL_BAD_REQUEST, "invalid_cursor",
                     "The cursor is not one that this server gave.");
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
