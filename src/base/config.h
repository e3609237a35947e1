/* Configuration from one typed table: YAML file < environment < command line.
 *
 * A module declares its keys as a constant array; `config_load` reads all sources into an
 * immutable snapshot. Unknown keys are refused with the nearest known name; every bad value is
 * reported with its key, its source (file:line, variable, flag) and why. Environment: PARLEY_ +
 * key in capitals with dots and dashes as underscores; a variable that is
 * no key and not nearly one is not ours. Scalars only; YAML is nested maps of
 * scalars (aliases, anchors, tags and duplicate keys are refused); LIST values are comma-separated
 * text or a YAML sequence of scalars.
 */
#ifndef PARLEY_BASE_CONFIG_H
#define PARLEY_BASE_CONFIG_H

#include "base/buf.h"
#include "base/error.h"

enum config_type {
    CONFIG_STRING,
    CONFIG_INT,      /* min..max */
    CONFIG_BOOL,     /* true false on off yes no */
    CONFIG_DURATION, /* 250ms 30s 15m 24h 7d -> milliseconds, min..max in ms */
    CONFIG_SIZE,     /* 512 64k 16m 1g -> bytes */
    CONFIG_ENUM,     /* names */
    CONFIG_LIST,     /* comma-separated strings */
};

struct config_key {
    const char *name; /* "chat.message_bytes_max" */
    enum config_type type;
    const char *fallback; /* default, as text */
    int64_t min, max;     /* both 0: none */
    const char *const *names;
    bool secret;     /* masked by config print */
    const char *doc; /* one sentence */
};

struct config;

struct config_source {
    const char *file;            /* YAML path or NULL */
    char *const *environment;    /* environ, or NULL */
    const char *const *settings; /* NULL-terminated "key=value" from --set */
};

/* `tables`: NULL-terminated array of key arrays, each ended by a key with name NULL.
 * FAIL_INVALID with one field error per wrong key. */
int config_load(const struct config_key *const *tables, const struct config_source *source,
                struct config **ret_config, struct error *err) MUSTCHECK;
void config_free(struct config *config);

/* Asking for a key that no table declares, or by the wrong type, aborts: a bug. Text is borrowed
 * from the config. */
const char *config_string(const struct config *c, const char *name);
int64_t config_int(const struct config *c, const char *name); /* also DURATION ms, SIZE */
bool config_bool(const struct config *c, const char *name);
int config_enum(const struct config *c, const char *name); /* index into names */
size_t config_list_count(const struct config *c, const char *name);
const char *config_list_item(const struct config *c, const char *name, size_t index);
/* YAML that config_load reads back, with the doc sentences as comments; secrets masked. */
void config_print(const struct config *c, struct buf *out);

#endif
