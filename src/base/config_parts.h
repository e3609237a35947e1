/* What the files of config share. Internal to base/. */
#ifndef PARLEY_BASE_CONFIG_PARTS_H
#define PARLEY_BASE_CONFIG_PARTS_H

#include "base/config.h"

enum { CONFIG_ITEMS_MAX = 1000 }; /* of a list, from whatever source */

/* One key and what it is set to. */
struct config_value {
    const struct config_key *key;
    char *text;     /* as given; NULL for a LIST */
    int64_t number; /* INT, BOOL, DURATION, SIZE, ENUM */
    char **items;   /* LIST */
    size_t count;
};

struct config {
    struct config_value *values; /* sorted by name */
    size_t count;
    struct error *err; /* while loading */
    unsigned wrong;    /* keys and values refused so far */
};

/* Text from one source. `items`: a sequence; else `text` counts. */
struct config_input {
    struct slice text;
    const struct slice *items;
    size_t count;
    bool sequence;
};

struct config_value *config_find(const struct config *c, struct slice name);

/* Reads `input` by the value's type into it; reports what is wrong under the key's name with
 * `source` ("parley.yaml:12", "PARLEY_X", "--set"). */
void config_assign(struct config *c, struct config_value *v, const struct config_input *input,
                   const char *source);
void config_value_done(struct config_value *v);

/* One wrong key or value. */
void config_refuse(struct config *c, const char *key, const char *code, const char *source,
                   const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The same for a name that no table has: with the nearest one. */
void config_unknown(struct config *c, struct slice name, const char *source);

/* A YAML document; `file` is for the reports. Stops early once the error record is full. */
void config_read_yaml(struct config *c, struct slice text, const char *file);

/* An empty snapshot of the tables, all keys at their fallback. */
struct config *config_new(const struct config_key *const *tables, struct error *err);

#endif
