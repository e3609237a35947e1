/* What openapi.c and asyncapi.c share: the set of schemas in use, the error object, and a few words
 * for writing JSON members. */
#ifndef PARLEY_GATEWAY_REFERENCE_H
#define PARLEY_GATEWAY_REFERENCE_H

#include "base/schema.h"

/* Schemas in the order of their first use, each once. */
struct reference_set {
    const struct schema **schemas;
    size_t count;
};

/* Adds the schema and all it contains; NULL adds nothing. */
void reference_add(struct reference_set *set, const struct schema *schema);
void reference_done(struct reference_set *set);
/* `"Name":{...},...,"Problem":{...}`: the members of components/schemas. */
void reference_write(const struct reference_set *set, struct buf *out);

/* `"name":"text"` with both escaped; `reference_optional` writes `,"name":"text"` unless text is
 * NULL. */
void reference_text(struct buf *out, const char *name, const char *text);
void reference_optional(struct buf *out, const char *name, const char *text);
/* {"$ref":"#/components/schemas/<name>"} */
void reference_to(struct buf *out, const char *schema_name);

#endif
