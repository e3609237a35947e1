#include "gateway/reference.h"

#include <stdlib.h>

#include "base/json.h"

/* kit/problem.c writes it; the shape is RFC 9457 with our code, correlation id and field errors. */
static const char problem_schema[] =
    "\"Problem\":{\"type\":\"object\",\"description\":\"What went wrong (RFC 9457). `code` is "
    "stable; `detail` is for people.\",\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
    "\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
    "\"detail\":{\"type\":\"string\"},"
    "\"code\":{\"type\":\"string\"},"
    "\"correlation_id\":{\"type\":[\"string\",\"null\"]},"
    "\"errors\":{\"type\":\"array\",\"description\":\"The fields that are wrong.\",\"items\":{"
    "\"type\":\"object\",\"properties\":{"
    "\"field\":{\"type\":\"string\",\"description\":\"Path of the field: title, "
    "member_ids[3].\"},"
    "\"code\":{\"type\":\"string\",\"description\":\"required, wrong_type, too_short, too_long, "
    "too_small, too_large, too_few, too_many, blank, control_character, invalid_id, invalid_time, "
    "not_allowed; rooms add codes of their own.\"},"
    "\"detail\":{\"type\":\"string\"}},"
    "\"required\":[\"field\",\"code\",\"detail\"]}}},"
    "\"required\":[\"type\",\"title\",\"status\",\"detail\",\"code\",\"correlation_id\"]}";

static void add_one(const struct schema *schema, void *arg)
{
    struct reference_set *set = arg;
    for (size_t i = 0; i < set->count; i++) {
        if (set->schemas[i] == schema)
            return;
        /* Two tables of one name: the document can hold one of them only. */
        if (should_not(strcmp(set->schemas[i]->name, schema->name) == 0))
            return;
    }
    set->schemas = xrealloc(set->schemas, (set->count + 1) * sizeof(const struct schema *));
    set->schemas[set->count++] = schema;
}

void reference_add(struct reference_set *set, const struct schema *schema)
{
    if (schema != NULL)
        schema_walk(schema, add_one, set);
}

void reference_done(struct reference_set *set)
{
    free(set->schemas);
    *set = (struct reference_set){0};
}

void reference_write(const struct reference_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->count; i++) {
        json_write_string(out, slice_str(set->schemas[i]->name));
        buf_char(out, ':');
        schema_describe(set->schemas[i], out);
        buf_char(out, ',');
    }
    buf_str(out, problem_schema);
}

void reference_text(struct buf *out, const char *name, const char *text)
{
    json_write_string(out, slice_str(name));
    buf_char(out, ':');
    json_write_string(out, slice_str(text));
}

void reference_optional(struct buf *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_char(out, ',');
    reference_text(out, name, text);
}

void reference_to(struct buf *out, const char *schema_name)
{
    buf_printf(out, "{\"$ref\":\"#/components/schemas/%s\"}", schema_name);
}
