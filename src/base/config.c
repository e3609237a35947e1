/* The three sources in their order, the getters, and printing. */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config_parts.h"
#include "base/json.h"
#include "base/nearest.h"

enum { FILE_BYTES_MAX = 1 << 20, NAME_BYTES_MAX = 128 };

static int by_name(const void *a, const void *b)
{
    const struct config_value *x = a, *y = b;
    return strcmp(x->key->name, y->key->name);
}

struct config *config_new(const struct config_key *const *tables, struct error *err)
{
    struct config *c = xcalloc(1, sizeof *c);
    size_t count = 0;
    for (size_t t = 0; tables[t] != NULL; t++)
        for (const struct config_key *k = tables[t]; k->name != NULL; k++)
            count++;
    c->values = xcalloc(count, sizeof *c->values);
    for (size_t t = 0; tables[t] != NULL; t++)
        for (const struct config_key *k = tables[t]; k->name != NULL; k++)
            c->values[c->count++].key = k;
    qsort(c->values, count, sizeof *c->values, by_name);
    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = c->values[i].key;
        panic_if(i != 0 && strcmp(key->name, c->values[i - 1].key->name) == 0,
                 "configuration key \"%s\" is declared twice", key->name);
        struct config_input input = {.text = slice_str(key->fallback)};
        config_assign(c, &c->values[i], &input, "default");
        panic_if(c->wrong != 0, "the default of configuration key \"%s\" is wrong", key->name);
    }
    c->err = err;
    return c;
}

struct config_value *config_find(const struct config *c, struct slice name)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct slice other = slice_str(c->values[mid].key->name);
        size_t common = other.len < name.len ? other.len : name.len;
        int order = memcmp(name.ptr, other.ptr, common);
        if (order == 0 && name.len == other.len)
            return &c->values[mid];
        if (order < 0 || (order == 0 && name.len < other.len))
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static int read_file(const char *path, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "config_unreadable", "Cannot open %s", path);
    ssize_t n = 0;
    do {
        if (!buf_reserve(out, 4096))
            break;
        n = read(fd, out->ptr + out->len, 4096);
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    int read_errno = errno;
    close(fd);
    if (!buf_ok(out))
        return error_set(err, FAIL_TOO_LARGE, "config_too_large", "%s is larger than 1 MiB.", path);
    return n < 0 ? error_errno(err, read_errno, "config_unreadable", "Cannot read %s", path) : 0;
}

static int load_file(struct config *c, const char *path)
{
    struct buf text;
    buf_init(&text, FILE_BYTES_MAX + 4096);
    int rc = read_file(path, &text, c->err);
    if (rc == 0)
        config_read_yaml(c, buf_view(&text), path);
    buf_done(&text);
    return rc;
}

/* "chat.message_bytes_max" -> "PARLEY_CHAT_MESSAGE_BYTES_MAX" */
static void variable_name(const char *key, char out[NAME_BYTES_MAX])
{
    int len = snprintf(out, NAME_BYTES_MAX, "PARLEY_%s", key);
    panic_if(len >= NAME_BYTES_MAX, "configuration key \"%s\" is too long", key);
    for (char *c = out; *c != 0; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 32);
        else if (*c == '.' || *c == '-')
            *c = '_';
    }
}

/* A variable that looks like a key with a slip in it is refused; others are somebody else's:
 * Kubernetes, for one, sets PARLEY_PORT and its like beside a service called parley. */
static void unknown_variable(struct config *c, struct slice name)
{
    struct nearest near;
    char known[NAME_BYTES_MAX], best[NAME_BYTES_MAX] = "";
    nearest_init(&near, name);
    for (size_t i = 0; i < c->count; i++) {
        variable_name(c->values[i].key->name, known);
        near.name = NULL;
        nearest_offer(&near, known);
        if (near.name != NULL)
            memcpy(best, known, sizeof best);
    }
    char text[72];
    snprintf(text, sizeof text, "%.*s", name.len > 64 ? 64 : (int)name.len, name.ptr);
    if (best[0] != 0)
        config_refuse(c, text, "unknown_key", "environment", "no such key; did you mean %s?", best);
}

static void load_variable(struct config *c, struct slice name, struct slice text)
{
    if (slice_eq(name, SLICE("PARLEY_FAULTS")) || slice_starts(name, SLICE("PARLEY_TEST_")))
        return;
    struct config_value *found = NULL;
    for (size_t i = 0; i < c->count; i++) {
        char known[NAME_BYTES_MAX];
        variable_name(c->values[i].key->name, known);
        if (!slice_eq(name, slice_str(known)))
            continue;
        panic_if(found != NULL, "two configuration keys share the variable %s", known);
        found = &c->values[i];
    }
    if (found == NULL) {
        unknown_variable(c, name);
        return;
    }
    char source[NAME_BYTES_MAX];
    variable_name(found->key->name, source);
    config_assign(c, found, &(struct config_input){.text = text}, source);
}

static void load_environment(struct config *c, char *const *environment)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        struct slice text = slice_str(*environment), name;
        if (slice_starts(text, SLICE("PARLEY_")) && slice_cut(&text, '=', &name))
            load_variable(c, name, text);
    }
}

static void load_settings(struct config *c, const char *const *settings)
{
    for (; settings != NULL && *settings != NULL; settings++) {
        struct slice text = slice_str(*settings), name;
        bool complete = slice_cut(&text, '=', &name);
        struct config_value *v = config_find(c, name);
        if (v == NULL)
            config_unknown(c, name, "--set");
        else if (!complete)
            config_refuse(c, v->key->name, "invalid_value", "--set", "must be key=value");
        else
            config_assign(c, v, &(struct config_input){.text = text}, "--set");
    }
}

int config_load(const struct config_key *const *tables, const struct config_source *source,
                struct config **ret_config, struct error *err)
{
    struct config *c = config_new(tables, err);
    int rc = source->file != NULL ? load_file(c, source->file) : 0;
    if (rc == 0) {
        load_environment(c, source->environment);
        load_settings(c, source->settings);
        rc = c->wrong != 0 ? FAIL_INVALID : 0;
    }
    c->err = NULL; /* the caller's; it ends with this call */
    if (rc != 0) {
        config_free(c);
        return rc;
    }
    *ret_config = c;
    return 0;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->count; i++)
        config_value_done(&config->values[i]);
    free(config->values);
    free(config);
}
