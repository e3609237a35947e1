/* Text to typed value, one function per type. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/config_parts.h"
#include "base/json_scan.h"
#include "base/nearest.h"

void config_refuse(struct config *c, const char *key, const char *code, const char *source,
                   const char *fmt, ...)
{
    c->wrong++;
    if (c->err == NULL)
        return;
    char why[96];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    (void)error_field(c->err, key, code, "%s: %s", source, why);
}

void config_unknown(struct config *c, struct slice name, const char *source)
{
    struct nearest near;
    nearest_init(&near, name);
    for (size_t i = 0; i < c->count; i++)
        nearest_offer(&near, c->values[i].key->name);
    char key[80];
    snprintf(key, sizeof key, "%.*s%s", name.len > 64 ? 64 : (int)name.len, name.ptr,
             name.len > 64 ? "..." : "");
    if (near.name != NULL)
        config_refuse(c, key, "unknown_key", source, "no such key; did you mean \"%s\"?",
                      near.name);
    else
        config_refuse(c, key, "unknown_key", source, "no such key");
}

void config_value_done(struct config_value *v)
{
    free(v->text);
    for (size_t i = 0; i < v->count; i++)
        free(v->items[i]);
    free(v->items);
    *v = (struct config_value){.key = v->key};
}

static bool is_word(struct slice text, const char *a, const char *b, const char *c)
{
    return slice_ieq(text, slice_str(a)) || slice_ieq(text, slice_str(b)) ||
           slice_ieq(text, slice_str(c));
}

static const char *parse_bool(struct slice text, int64_t *ret_number)
{
    *ret_number = is_word(text, "true", "on", "yes");
    if (*ret_number == 0 && !is_word(text, "false", "off", "no"))
        return "must be true or false";
    return NULL;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* Digits and a unit of the table, which ends with a NULL name. */
static bool parse_units(struct slice text, const struct unit *units, int64_t *ret_number)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    struct slice unit = slice_of(text.ptr + digits, text.len - digits);
    int64_t number;
    if (!slice_to_i64(slice_of(text.ptr, digits), &number))
        return false;
    for (; units->name != NULL; units++)
        if (slice_ieq(unit, slice_str(units->name)))
            return !__builtin_mul_overflow(number, units->factor, ret_number);
    return false;
}

static const char *parse_duration(struct slice text, int64_t *ret_number)
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    if (slice_eq(text, SLICE("0"))) {
        *ret_number = 0;
        return NULL;
    }
    return parse_units(text, units, ret_number)
               ? NULL
               : "must be a duration like 250ms, 30s, 15m, 24h, 7d";
}

static const char *parse_size(struct slice text, int64_t *ret_number)
{
    static const struct unit units[] = {
        {"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {NULL, 0}};
    return parse_units(text, units, ret_number) ? NULL : "must be a size like 512, 64k, 16m, 1g";
}

static const char *parse_enum(const struct config_key *key, struct slice text, int64_t *ret_number)
{
    for (int i = 0; key->names[i] != NULL; i++) {
        if (slice_eq(text, slice_str(key->names[i]))) {
            *ret_number = i;
            return NULL;
        }
    }
    return "is none of the allowed names";
}

/* NULL, or why not. */
static const char *parse_scalar(const struct config_key *key, struct slice text,
                                int64_t *ret_number)
{
    switch (key->type) {
    case CONFIG_BOOL: return parse_bool(text, ret_number);
    case CONFIG_DURATION: return parse_duration(text, ret_number);
    case CONFIG_SIZE: return parse_size(text, ret_number);
    case CONFIG_ENUM: return parse_enum(key, text, ret_number);
    case CONFIG_INT: return slice_to_i64(text, ret_number) ? NULL : "must be an integer";
    default: return NULL;
    }
}

static bool ranged(const struct config_key *key)
{
    return (key->min != 0 || key->max != 0) &&
           (key->type == CONFIG_INT || key->type == CONFIG_DURATION || key->type == CONFIG_SIZE);
}

static void refuse_enum(struct config *c, const struct config_key *key, const char *source)
{
    char names[80] = "";
    for (size_t i = 0; key->names[i] != NULL; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i != 0 ? ", " : "", key->names[i]);
    }
    config_refuse(c, key->name, "not_allowed", source, "must be one of %s", names);
}

static void assign_scalar(struct config *c, struct config_value *v, struct slice text,
                          const char *source)
{
    const struct config_key *key = v->key;
    int64_t number = 0;
    const char *why = parse_scalar(key, text, &number);
    if (why != NULL && key->type == CONFIG_ENUM) {
        refuse_enum(c, key, source);
    } else if (why != NULL) {
        config_refuse(c, key->name, "invalid_value", source, "%s", why);
    } else if (ranged(key) && (number < key->min || number > key->max)) {
        const char *unit = key->type == CONFIG_DURATION ? " ms" : "";
        config_refuse(c, key->name, "out_of_range", source, "must be %lld..%lld%s",
                      (long long)key->min, (long long)key->max, unit);
    } else {
        config_value_done(v);
        v->text = xstrndup(text.ptr, text.len);
        v->number = number;
    }
}

/* NULL, or why not. */
static const char *add_item(struct config_value *v, struct slice item)
{
    if (item.len == 0)
        return "a list item is empty";
    if (v->count == CONFIG_ITEMS_MAX)
        return "a list has more than 1000 items";
    v->items = xrealloc(v->items, (v->count + 1) * sizeof *v->items);
    v->items[v->count++] = xstrndup(item.ptr, item.len);
    return NULL;
}

/* The new list, or why it is wrong. */
static const char *build_list(struct config_value *v, const struct config_input *input)
{
    const char *why = NULL;
    if (input->sequence) {
        for (size_t i = 0; i < input->count && why == NULL; i++)
            why = add_item(v, input->items[i]);
        return why;
    }
    struct slice text = input->text, item;
    for (bool more = slice_trim(text).len != 0; more && why == NULL;) {
        more = slice_cut(&text, ',', &item);
        why = add_item(v, slice_trim(item));
    }
    return why;
}

static void assign_list(struct config *c, struct config_value *v, const struct config_input *input,
                        const char *source)
{
    struct config_value fresh = {.key = v->key};
    const char *why = build_list(&fresh, input);
    if (why != NULL) {
        config_refuse(c, v->key->name, "invalid_value", source, "%s", why);
        config_value_done(&fresh);
        return;
    }
    config_value_done(v);
    *v = fresh;
}

/* U+FEFF, which nobody sees in what they pasted, and U+FFFE and U+FFFF, which are no characters.
 * The YAML reader knows them as escapes only, so a print-out with one of them could not be read. */
static bool has_mark(struct slice text)
{
    for (size_t i = 0; i + 3 <= text.len; i++)
        if (memcmp(text.ptr + i, "\xef\xbb\xbf", 3) == 0 ||
            (memcmp(text.ptr + i, "\xef\xbf", 2) == 0 && (unsigned char)text.ptr[i + 2] >= 0xbe))
            return true;
    return false;
}

static const char *text_fault(struct slice text)
{
    if (!utf8_valid(text) || utf8_has_control(text))
        return "must be UTF-8 without control characters";
    return has_mark(text) ? "must be without byte order marks (U+FEFF), U+FFFE and U+FFFF" : NULL;
}

void config_assign(struct config *c, struct config_value *v, const struct config_input *input,
                   const char *source)
{
    const char *why = input->sequence ? NULL : text_fault(input->text);
    for (size_t i = 0; input->sequence && why == NULL && i < input->count; i++)
        why = text_fault(input->items[i]);
    if (why != NULL)
        config_refuse(c, v->key->name, "invalid_value", source, "%s", why);
    else if (v->key->type == CONFIG_LIST)
        assign_list(c, v, input, source);
    else if (input->sequence)
        config_refuse(c, v->key->name, "invalid_value", source, "must be one value, not a list");
    else
        assign_scalar(c, v, input->text, source);
}
