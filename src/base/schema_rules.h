/* What the JSON decoder and the query decoder share: the rules of a field's value, and how a wrong
 * one is reported. Internal to base/. */
#ifndef PARLEY_BASE_SCHEMA_RULES_H
#define PARLEY_BASE_SCHEMA_RULES_H

#include "base/schema.h"

/* One decoding. Field errors are collected: the caller sees all that is wrong at once. */
struct schema_check {
    struct arena *arena;
    struct error *err;
    bool wrong; /* a field error was reported */
};

/* Where we are, from the inside out; lives on the stack of the decoder and becomes text only when
 * something is wrong. */
struct schema_path {
    const struct schema_path *up;
    const char *name; /* NULL: element `index` of a list */
    size_t index;
};

void schema_refuse(struct schema_check *c, const struct schema_path *path, const char *code,
                   const char *fmt, ...) PRINTF_LIKE(4, 5);
/* FAIL_BAD_REQUEST "unknown_field"; replaces field errors found so far. */
int schema_unknown(struct schema_check *c, const struct schema *schema,
                   const struct schema_path *path, struct slice key);

/* Check the value by the field's rules and store it at `at`, or refuse it. */
void schema_store_int(struct schema_check *c, const struct schema_field *f,
                      const struct schema_path *path, int64_t value, void *at);
/* STRING, ID, TIME, ENUM. */
void schema_store_text(struct schema_check *c, const struct schema_field *f,
                       const struct schema_path *path, struct slice text, void *at);

/* The rules of a scalar list's elements, as a field. */
struct schema_field schema_element(const struct schema_field *list);
size_t schema_element_size(const struct schema_field *list);
size_t schema_list_max(const struct schema_field *list);

/* A list that grows in the arena. */
struct schema_growth {
    struct schema_list list;
    size_t capacity, item_size;
};
/* Room for one more item, zeroed, or NULL when the arena's cap is reached. */
void *schema_grow(struct schema_growth *g, struct arena *arena);
void schema_check_count(struct schema_check *c, const struct schema_field *f,
                        const struct schema_path *path, size_t count);

/* After the last member: required fields, fallbacks, presence bits. */
void schema_finish(struct schema_check *c, const struct schema *schema,
                   const struct schema_path *path, uint64_t seen, void *value);
/* Index of the field of that name, or field_count. */
size_t schema_find(const struct schema *schema, struct slice name);

#endif
