/* Schemas as data: one constant table per struct decodes (strictly, with field errors), validates,
 * encodes, and prints JSON Schema 2020-12 for OpenAPI 3.1. Documentation cannot drift from
 * behaviour because both are this table.
 *
 * C members by type:
 *   SCHEMA_BOOL    bool                        SCHEMA_INT   int64_t, min..max inclusive
 *   SCHEMA_STRING  struct slice (valid UTF-8, no U+0000), min..max counted in BYTES
 *   SCHEMA_ID      struct id                   SCHEMA_TIME  int64_t wall ms <-> RFC 3339 text
 *   SCHEMA_ENUM    int, index into `names` (NULL-terminated)
 *   SCHEMA_OBJECT  the nested struct, by `of`; with SCHEMA_POINTER a `const struct x *` (NULL =
 *                  null)
 *   SCHEMA_LIST    struct schema_list of elements by `of` (objects) or `element` (scalars),
 *                  min..max counts elements
 *   SCHEMA_RAW     struct slice holding encoded JSON; encoded as it stands (NULL ptr = null);
 *                  decoding keeps the raw text of any valid value
 * Null: a field with SCHEMA_NULLABLE accepts null and encodes null for: a slice with NULL ptr, a
 * nil id, time 0, a NULL pointer, enum -1, INT 0 (so its min is at least 1; with SCHEMA_COUNT -1),
 * a list whose items are NULL; for BOOL there is no null. SCHEMA_OMIT leaves the key out in the
 * same cases. Presence: if the struct has a `uint64_t present` member (schema.present_offset >= 0),
 * bit i says that field i of the table stood in the input; that is how PATCH tells absent from null
 * or zero. Absent optional fields leave zeroes (or `fallback` for INT, BOOL and ENUM).
 */
#ifndef PARLEY_BASE_SCHEMA_H
#define PARLEY_BASE_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"

enum schema_type {
    SCHEMA_BOOL = 1,
    SCHEMA_INT,
    SCHEMA_STRING,
    SCHEMA_ID,
    SCHEMA_TIME,
    SCHEMA_ENUM,
    SCHEMA_OBJECT,
    SCHEMA_LIST,
    SCHEMA_RAW,
};

enum schema_flag {
    SCHEMA_REQUIRED = 1 << 0,
    SCHEMA_NULLABLE = 1 << 1,
    SCHEMA_POINTER = 1 << 2,    /* OBJECT member is a pointer */
    SCHEMA_OMIT = 1 << 3,       /* encode: leave the key out instead of writing null */
    SCHEMA_SECRET = 1 << 4,     /* never in a log; format "password" in the description */
    SCHEMA_NO_BLANK = 1 << 5,   /* STRING: refuse text that is only white space */
    SCHEMA_ONE_LINE = 1 << 6,   /* STRING: refuse control characters */
    SCHEMA_CHARACTERS = 1 << 7, /* STRING: min and max count code points instead of bytes */
    SCHEMA_COUNT = 1 << 8,      /* INT with NULLABLE: 0 is a number, -1 stands for null */
    SCHEMA_ADDED = 1 << 9,      /* always written; missing in events of the log that are older */
};

struct schema;

struct schema_list {
    void *items; /* array of elements, in the arena when decoded */
    size_t count;
};

struct schema_field {
    const char *name;
    const char *doc; /* one sentence for the reference; may be NULL */
    enum schema_type type;
    unsigned flags;
    size_t offset;    /* of the member in the struct */
    int64_t min, max; /* see above; both 0: no bound (INT: whole int64; STRING: 64 KiB;
                         LIST: 1000) */
    int64_t fallback;
    const char *const *names; /* ENUM */
    const struct schema *of;  /* OBJECT, LIST of objects */
    enum schema_type element; /* LIST of scalars: its type; names, element_min/max apply */
    int64_t element_min, element_max;
    const char *format; /* extra JSON Schema format for STRING: "email", "uri", ... documentation */
    const char *example; /* JSON text, may be NULL */
};

struct schema {
    const char *name; /* "Message": component name in OpenAPI */
    const char *doc;
    size_t size;              /* of the struct */
    ptrdiff_t present_offset; /* -1 without */
    const struct schema_field *fields;
    size_t field_count;
};

#define SCHEMA_AT(type, member) .offset = offsetof(type, member)
#define SCHEMA_DEF(var, type, title, about, table)                                                 \
    const struct schema var = {.name = title,                                                      \
                               .doc = about,                                                       \
                               .size = sizeof(type),                                               \
                               .present_offset = -1,                                               \
                               .fields = table,                                                    \
                               .field_count = ARRAY_LEN(table)}
#define SCHEMA_DEF_PATCH(var, type, title, about, table)                                           \
    const struct schema var = {.name = title,                                                      \
                               .doc = about,                                                       \
                               .size = sizeof(type),                                               \
                               .present_offset = offsetof(type, present),                          \
                               .fields = table,                                                    \
                               .field_count = ARRAY_LEN(table)}

/* Decodes a JSON object into *ret_value (schema->size bytes, zeroed first, filled also partly when
 * it fails: do not use it then). Not JSON: FAIL_BAD_REQUEST "invalid_json"; JSON but
 * no object: FAIL_INVALID "invalid_fields" with an empty field name;
 * duplicate key: FAIL_BAD_REQUEST "duplicate_key"; unknown key: FAIL_BAD_REQUEST "unknown_field"
 * with the nearest known name in the detail; wrong fields: FAIL_INVALID "invalid_fields" with up
 * to ERROR_FIELDS_MAX field errors (codes: required, wrong_type, too_short, too_long, too_small,
 * too_large, too_few, too_many, blank, control_character, invalid_id, invalid_time, not_allowed).
 * Strings are borrowed from `json` or the arena. */
int schema_decode(const struct schema *schema, struct slice json, struct arena *arena,
                  void *ret_value, struct error *err) MUSTCHECK;
/* The same from an application/x-www-form-urlencoded query ("limit=50&before=7"); lists of scalars
 * are comma-separated; a repeated key is refused; bad escapes and invalid UTF-8 are
 * FAIL_BAD_REQUEST "invalid_query". */
int schema_decode_query(const struct schema *schema, struct slice query, struct arena *arena,
                        void *ret_value, struct error *err) MUSTCHECK;
/* Appends the JSON object. Failure only through the buf's cap (asked for in pieces: it may refuse
 * up to 48 bytes before the cap). */
void schema_encode(const struct schema *schema, const void *value, struct buf *out);
static inline bool schema_has(uint64_t present, unsigned field_index)
{
    return (present >> field_index & 1) != 0;
}
/* Appends the JSON Schema of the struct itself (type object, properties, required,
 * additionalProperties false). Nested objects become {"$ref": "#/components/schemas/<name>"}. */
void schema_describe(const struct schema *schema, struct buf *out);
/* JSON Schema of one field, for query parameters. */
void schema_describe_field(const struct schema_field *field, struct buf *out);
/* Calls fn for the schema and every schema reachable from it, each at least once. */
void schema_walk(const struct schema *schema, void (*fn)(const struct schema *, void *), void *arg);

#endif
