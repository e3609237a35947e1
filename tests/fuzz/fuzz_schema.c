/* Any bytes through schema_decode with a rich table. What it accepts is encoded, decoded and
 * encoded again to the same text. */
#include "rich_schema.h"

static const struct schema_field fields[] = {
    RICH_FLAT_FIELDS,
    {"raw", "d", SCHEMA_RAW, 0, SCHEMA_AT(struct rich, raw)},
    {"part", "d", SCHEMA_OBJECT, 0, SCHEMA_AT(struct rich, part), .of = &rich_part_schema},
    {"raws", "d", SCHEMA_LIST, 0, SCHEMA_AT(struct rich, raws), .element = SCHEMA_RAW},
};
static SCHEMA_DEF(rich_schema, struct rich, "Rich", NULL, fields);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err;
    struct rich value, again;
    struct buf first, second;
    arena_init(&arena, 8 << 20);
    buf_init(&first, 8 << 20);
    buf_init(&second, 8 << 20);
    error_init(&err);
    int rc = schema_decode(&rich_schema, slice_of((const char *)data, size), &arena, &value, &err);
    panic_if((rc != 0) != (err.kind != 0) || rc != err.kind, "the record says otherwise");
    if (rc == 0) {
        schema_encode(&rich_schema, &value, &first);
        panic_if(!buf_ok(&first), "no room");
        rc = schema_decode(&rich_schema, buf_view(&first), &arena, &again, &err);
        /* Members that were absent are written as zero, which may be below their minimum. */
        if (rc == 0) {
            schema_encode(&rich_schema, &again, &second);
            panic_if(!slice_eq(buf_view(&first), buf_view(&second)), "the text changed");
        } else {
            panic_if(rc != FAIL_INVALID, "%s", err.detail);
        }
    }
    buf_done(&first);
    buf_done(&second);
    arena_done(&arena);
    return 0;
}
