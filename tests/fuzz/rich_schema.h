/* A table with every type, flag and bound, for the targets that decode by schema. */
#ifndef PARLEY_TESTS_RICH_SCHEMA_H
#define PARLEY_TESTS_RICH_SCHEMA_H

#include "base/schema.h"

static const char *const rich_names[] = {"red", "green", "blue", NULL};

struct rich_part {
    uint64_t present;
    struct slice s;
    int64_t n;
    struct schema_list l;
    const struct rich_part *p;
};
extern const struct schema rich_part_schema;
static const struct schema_field rich_part_fields[] = {
    {"s", "d", SCHEMA_STRING, SCHEMA_NO_BLANK, SCHEMA_AT(struct rich_part, s), 0, 30},
    {"n", "d", SCHEMA_INT, SCHEMA_NULLABLE, SCHEMA_AT(struct rich_part, n), 1, 99},
    {"l", "d", SCHEMA_LIST, 0, SCHEMA_AT(struct rich_part, l), 0, 5, .of = &rich_part_schema},
    {"p", "d", SCHEMA_OBJECT, SCHEMA_NULLABLE | SCHEMA_POINTER | SCHEMA_OMIT,
     SCHEMA_AT(struct rich_part, p), .of = &rich_part_schema},
};
SCHEMA_DEF_PATCH(rich_part_schema, struct rich_part, "Part", NULL, rich_part_fields);

/* What a query can hold too. */
struct rich_flat {
    uint64_t present;
    bool b;
    int64_t i, limit, t, tn;
    struct slice s, line;
    struct id id, idn;
    int e, en;
    struct schema_list ids, texts, enums, flags, numbers, times;
};
#define AT(member) SCHEMA_AT(struct rich_flat, member)
#define RICH_FLAT_FIELDS                                                                           \
    {"b", "d", SCHEMA_BOOL, 0, AT(b)}, {"i", "d", SCHEMA_INT, 0, AT(i)},                           \
        {"limit", "d", SCHEMA_INT, 0, AT(limit), 1, 100, .fallback = 50},                          \
        {"t", "d", SCHEMA_TIME, 0, AT(t)}, {"tn", "d", SCHEMA_TIME, SCHEMA_NULLABLE, AT(tn)},      \
        {"s", "d", SCHEMA_STRING, SCHEMA_NULLABLE, AT(s), 2, 50},                                  \
        {"line", "d", SCHEMA_STRING, SCHEMA_ONE_LINE | SCHEMA_OMIT | SCHEMA_SECRET, AT(line)},     \
        {"id", "d", SCHEMA_ID, 0, AT(id)}, {"idn", "d", SCHEMA_ID, SCHEMA_NULLABLE, AT(idn)},      \
        {"e", "d", SCHEMA_ENUM, 0, AT(e), .names = rich_names, .fallback = 2},                     \
        {"en", "d", SCHEMA_ENUM, SCHEMA_NULLABLE, AT(en), .names = rich_names},                    \
        {"ids", "d", SCHEMA_LIST, 0, AT(ids), 0, 4, .element = SCHEMA_ID},                         \
        {"texts", "d", SCHEMA_LIST, 0, AT(texts), .element = SCHEMA_STRING, .element_max = 9},     \
        {"enums", "d", SCHEMA_LIST, 0, AT(enums), .element = SCHEMA_ENUM, .names = rich_names},    \
        {"flags", "d", SCHEMA_LIST, 0, AT(flags), .element = SCHEMA_BOOL},                         \
        {"numbers", "d", SCHEMA_LIST, SCHEMA_NULLABLE, AT(numbers), .element = SCHEMA_INT},        \
    {                                                                                              \
        "times", "d", SCHEMA_LIST, 0, AT(times), .element = SCHEMA_TIME                            \
    }

struct rich {
    struct rich_flat flat; /* first member: the flat fields' offsets hold here too */
    struct slice raw;
    struct rich_part part;
    struct schema_list raws;
};

#endif
