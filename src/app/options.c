#include "app/options.h"

#include <stdio.h>
#include <unistd.h>

#include "app/placement.h"
#include "app/roles.h"
#include "gateway/edge.h"
#include "kit/limit.h"

static const char *const environments[] = {"development", "production", NULL};
static const char *const syncs[] = {"full", "normal", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

const struct config_key app_config[] = {
    {"listen", CONFIG_STRING, "127.0.0.1:8080", .doc = "Address and port of the one listener."},
    {"data", CONFIG_STRING, "data", .doc = "Folder of the embedded engines."},
    {"roles", CONFIG_STRING, "all",
     .doc = "Which parts this process runs. The embedded engines belong to one process: all."},
    {"environment", CONFIG_ENUM, "development", .names = environments,
     .doc = "production refuses settings that are for tests only."},
    {"loops", CONFIG_INT, "0", 0, 256,
     .doc = "Event loops; 0: one per core, but one on two cores."},
    {"conformance.listen", CONFIG_STRING, "",
     .doc =
         "Address of a second listener for protocol suites: echo only, no data. Off when empty."},
    {"db.sync", CONFIG_ENUM, "full", .names = syncs,
     .doc =
         "full: what is acknowledged survives power loss. normal: it may lose the last moments."},
    {"db.readers", CONFIG_INT, "2", 1, 8, .doc = "Threads that read a database file."},
    {"database.rooms", CONFIG_LIST, "",
     .doc = "Rooms whose tables live in a database of their own, as room=name: social=graph is in "
            "<data>/graph.db. Several may share one. All others are in main.db."},
    {"db.migrate", CONFIG_BOOL, "on",
     .doc =
         "Apply missing migrations at start; off: refuse to start until parley migrate has run."},
    {"events.retention", CONFIG_DURATION, "7d", 60000, INT64_MAX,
     .doc = "How long a client may stay away and still get every event it missed."},
    {"events.retention_bytes", CONFIG_SIZE, "8g", 1 << 20, INT64_MAX,
     .doc = "The log is trimmed above this size, even before its time; never what a consumer has "
            "still to handle."},
    {"mail.from", CONFIG_STRING, "parley@localhost", .doc = "Sender address of e-mail."},
    {"mail.spool_files", CONFIG_INT, "1000", 1, 1000000,
     .doc = "Messages kept as files in <data>/spool; the oldest go first."},
    {"mail.spool_age", CONFIG_DURATION, "7d", 60000, INT64_C(31536000000),
     .doc = "How long messages are kept in <data>/spool."},
    {"log.level", CONFIG_ENUM, "info", .names = levels, .doc = "Least level of log lines."},
    {"drain.timeout", CONFIG_DURATION, "10s", 100, 600000,
     .doc = "Longest time between SIGTERM and the end."},
    {0},
};

static int add_setting(struct options *o, const char *setting, struct error *err)
{
    if (o->setting_count == OPTION_SETTINGS_MAX)
        return error_set(err, FAIL_INVALID, "too_many", "At most %d settings.",
                         OPTION_SETTINGS_MAX);
    o->settings[o->setting_count++] = setting;
    return 0;
}

/* --data DIR is --set data=DIR with another spelling. */
static int add_flag(struct options *o, const char *key, const char *value, struct error *err)
{
    char *at = o->text + o->text_len;
    size_t left = sizeof o->text - o->text_len;
    int len = snprintf(at, left, "%s=%s", key, value);
    if (len < 0 || (size_t)len >= left)
        return error_set(err, FAIL_INVALID, "too_long", "The command line is too long.");
    o->text_len += (size_t)len + 1;
    return add_setting(o, at, err);
}

static const char *const flag_keys[] = {"data", "listen", "roles"};

static bool is_flag(struct slice name)
{
    static const char *const others[] = {"config", "pid-file", "move", "set"};
    for (size_t i = 0; i < ARRAY_LEN(flag_keys); i++)
        if (slice_eq(name, slice_str(flag_keys[i])))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (slice_eq(name, slice_str(others[i])))
            return true;
    return false;
}

static int take_flag(struct options *o, struct slice name, const char *value, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(flag_keys); i++)
        if (slice_eq(name, slice_str(flag_keys[i])))
            return add_flag(o, flag_keys[i], value, err);
    if (slice_eq(name, SLICE("config")))
        o->config_file = value;
    else if (slice_eq(name, SLICE("pid-file")))
        o->pid_file = value;
    else if (slice_eq(name, SLICE("move")))
        o->move = value;
    else /* --set */
        return add_setting(o, value, err);
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options, struct error *err)
{
    struct options *o = ret_options;
    memset(o, 0, sizeof *o);
    for (int i = 0; i < argc; i++) {
        struct slice rest = slice_str(argv[i]), name;
        if (slice_eq(rest, SLICE("--help")) || slice_eq(rest, SLICE("-h"))) {
            o->help = true;
            continue;
        }
        if (!slice_starts(rest, SLICE("--"))) {
            if (o->arg_count == ARRAY_LEN(o->args))
                return error_set(err, FAIL_INVALID, "too_many", "Too many arguments.");
            o->args[o->arg_count++] = argv[i];
            continue;
        }
        rest = slice_of(rest.ptr + 2, rest.len - 2);
        const char *value;
        bool joined = slice_cut(&rest, '=', &name);
        if (!joined)
            name = slice_str(argv[i] + 2);
        if (!is_flag(name))
            return error_set(err, FAIL_INVALID, "unknown_flag",
                             "There is no flag --%.*s; see --help.", SLICE_FMT(name));
        if (joined)
            value = rest.ptr;
        else
            value = ++i < argc ? argv[i] : NULL;
        if (value == NULL)
            return error_set(err, FAIL_INVALID, "value_missing", "--%.*s needs a value.",
                             SLICE_FMT(name));
        int rc = take_flag(o, name, value, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int options_config(const struct options *options, struct config **ret_config, struct error *err)
{
    const struct config_key *tables[32] = {app_config, edge_config, kit_config};
    size_t count = 3;
    for (size_t i = 0; i < all_module_count; i++)
        if (all_modules[i]->config != NULL) {
            panic_if(count + 1 == ARRAY_LEN(tables), "too many configuration tables");
            tables[count++] = all_modules[i]->config;
        }
    struct config_source source = {
        .file = options->config_file, .environment = environ, .settings = options->settings};
    int rc = config_load(tables, &source, ret_config, err);
    if (rc < 0)
        return rc;
    if (strcmp(config_string(*ret_config, "roles"), "all") != 0)
        rc = error_field(err, "roles", "not_allowed",
                         "The embedded engines belong to one process: roles must be \"all\".");
    if (config_enum(*ret_config, "environment") == ENVIRONMENT_PRODUCTION &&
        config_string(*ret_config, "conformance.listen")[0] != 0)
        rc = error_field(err, "conformance.listen", "not_allowed",
                         "The conformance listener is refused with environment=production.");
    struct placement placement;
    int placed = placement_read(*ret_config, &placement, err);
    if (rc == 0)
        rc = placed;
    if (rc < 0)
        config_free(*ret_config);
    return rc;
}

void options_explain(const struct error *err, struct buf *out)
{
    buf_printf(out, "%s\n", err->detail);
    for (unsigned i = 0; i < err->field_count; i++)
        buf_printf(out, "  %s: %s\n", err->fields[i].field, err->fields[i].detail);
    if (err->fields_cut)
        buf_lit(out, "  and more\n");
}

int options_complain(const char *what, const struct error *err)
{
    struct buf text;
    buf_init(&text, OPTIONS_EXPLAIN_MAX);
    options_explain(err, &text);
    fprintf(stderr, "parley: %s: %.*s", what, SLICE_FMT(buf_view(&text)));
    buf_done(&text);
    return 1;
}
