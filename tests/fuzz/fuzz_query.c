/* Any bytes as a query string. */
#include "base/json.h"
#include "rich_schema.h"

static const struct schema_field fields[] = {RICH_FLAT_FIELDS};
static SCHEMA_DEF_PATCH(flat_schema, struct rich_flat, "Flat", NULL, fields);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err;
    struct rich_flat value;
    struct buf out;
    arena_init(&arena, 1 << 20);
    buf_init(&out, 1 << 20);
    error_init(&err);
    int rc =
        schema_decode_query(&flat_schema, slice_of((const char *)data, size), &arena, &value, &err);
    panic_if(rc != err.kind, "the record says otherwise");
    if (rc == 0) {
        struct json_value *v;
        panic_if(!utf8_valid(value.s), "a string is not UTF-8");
        schema_encode(&flat_schema, &value, &out);
        panic_if(json_parse(buf_view(&out), &arena, &v, &err) != 0, "%s", err.detail);
    }
    buf_done(&out);
    arena_done(&arena);
    return 0;
}
