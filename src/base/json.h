/* JSON by RFC 8259, exact and bounded.
 *
 * Reader: one pass over a slice; integers stay 64-bit exact (a number with a fraction, an exponent
 * or beyond int64 is JSON_NUMBER and keeps its text); invalid UTF-8, lone surrogates, control
 * characters in strings, duplicate keys, trailing text, depth over 64 and input over the limit
 * are refused with FAIL_BAD_REQUEST, code "invalid_json" ("duplicate_key" for that case), and the
 * byte offset in the detail. Writer: appends to a buf; it never emits invalid UTF-8 (an invalid
 * byte becomes U+FFFD) and escapes nothing but what must be, plus U+2028 and U+2029.
 */
#ifndef PARLEY_BASE_JSON_H
#define PARLEY_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 64

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INT,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* A parsed value; everything borrowed from the arena (or, for strings without escapes, from the
 * input, which must live as long). Members of an array and an object are linked in input order. */
struct json_value {
    enum json_type type;
    struct slice key;  /* name inside an object, else ptr NULL */
    struct slice text; /* JSON_STRING: unescaped bytes; JSON_NUMBER and JSON_INT: as written */
    struct slice raw;  /* this value's bytes in the input */
    int64_t integer;   /* JSON_INT */
    size_t count;      /* JSON_ARRAY, JSON_OBJECT */
    struct json_value *first, *next;
};

/* Parses the whole of `text` into a tree. Source: RFC 8259. */
int json_parse(struct slice text, struct arena *arena, struct json_value **ret_value,
               struct error *err) MUSTCHECK;
/* Member of an object by name, or NULL (also when v is NULL or no object). */
const struct json_value *json_member(const struct json_value *v, const char *name);
/* The text of a JSON_STRING member, or an absent slice. */
struct slice json_member_text(const struct json_value *v, const char *name);

/* Of a text that was refused: the member of the object at its top by name, as written, if it stands
 * there whole before the first thing that is no JSON. Absent also when it stands there twice. What
 * comes behind the fault is not looked at. */
struct slice json_member_before_fault(struct slice text, const char *name, struct arena *arena);

void json_write_string(struct buf *out, struct slice text); /* with quotes */
bool utf8_valid(struct slice text);
/* Number of code points of valid UTF-8. */
size_t utf8_length(struct slice text);

#endif
