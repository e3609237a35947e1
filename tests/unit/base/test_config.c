/* Configuration: three sources and their order, every type and its refusals, YAML's traps, and
 * that what is printed is read back. */
#include "base/config.h"

#include <stdio.h>

#include "harness.h"

static const char *const color_names[] = {"red", "green", NULL};

static const struct config_key main_keys[] = {
    {"listen", CONFIG_STRING, "127.0.0.1:8080", .doc = "Address and port."},
    {"limits.per_user", CONFIG_INT, "100", 0, 1000, .doc = "Requests a minute."},
    {"limits.wait", CONFIG_DURATION, "30s", 100, 3600000},
    {"limits.body", CONFIG_SIZE, "64k", 0, 1 << 30},
    {"limits.big", CONFIG_SIZE, "0"},
    {"on-off", CONFIG_BOOL, "no"},
    {NULL},
};
static const struct config_key room_keys[] = {
    {"chat.color", CONFIG_ENUM, "red", .names = color_names},
    {"chat.s3.bucket", CONFIG_STRING, ""},
    {"chat.s3.secret_key", CONFIG_STRING, "", .secret = true, .doc = "Never shown."},
    {"origins", CONFIG_LIST, "http://a, http://b"},
    {"any", CONFIG_INT, "0"},
    {NULL},
};
static const struct config_key *const tables[] = {main_keys, room_keys, NULL};

static struct error err;

static int load(const char *yaml, const char *const *environment, const char *const *settings,
                struct config **ret_config)
{
    char path[200];
    snprintf(path, sizeof path, "%s/c.yaml", test_dir());
    FILE *f = fopen(path, "w");
    fputs(yaml, f);
    fclose(f);
    struct config_source source = {path, (char *const *)(uintptr_t)environment, settings};
    error_init(&err);
    *ret_config = NULL;
    return config_load(tables, &source, ret_config, &err);
}

TEST(without_sources_the_defaults_hold)
{
    struct config *c;
    struct config_source none = {0};
    error_init(&err);
    CHECK_OK(config_load(tables, &none, &c, &err), &err);
    CHECK_STR(slice_str(config_string(c, "listen")), "127.0.0.1:8080");
    CHECK_INT(config_int(c, "limits.per_user"), 100);
    CHECK_INT(config_int(c, "limits.wait"), 30000);
    CHECK_INT(config_int(c, "limits.body"), 65536);
    CHECK(!config_bool(c, "on-off"));
    CHECK_INT(config_enum(c, "chat.color"), 0);
    CHECK_INT(config_list_count(c, "origins"), 2);
    CHECK_STR(slice_str(config_list_item(c, "origins", 1)), "http://b");
    config_free(c);
    config_free(NULL);
}

TEST(the_command_line_beats_the_environment_beats_the_file)
{
    static const char *const environment[] = {"PATH=/bin",        "PARLEY_LISTEN=env",
                                              "PARLEY_ON_OFF=on", "PARLEY_CHAT_S3_BUCKET=a=b",
                                              "PARLEY_FAULTS=x",  "PARLEY_TEST_ANYTHING=1",
                                              "PARLEYX=1",        NULL};
    static const char *const settings[] = {"listen=first", "listen=flag", "origins=", NULL};
    struct config *c;
    CHECK_OK(load("listen: file\nlimits: {per_user: 7, wait: 1500ms}\nchat:\n  s3:\n"
                  "    bucket: file\n  color: green\non-off: no\norigins: [x, \"y,z\"]\n",
                  environment, settings, &c),
             &err);
    if (c == NULL)
        return;
    CHECK_STR(slice_str(config_string(c, "listen")), "flag");
    CHECK_STR(slice_str(config_string(c, "chat.s3.bucket")), "a=b");
    CHECK(config_bool(c, "on-off"));
    CHECK_INT(config_int(c, "limits.per_user"), 7);
    CHECK_INT(config_int(c, "limits.wait"), 1500);
    CHECK_INT(config_enum(c, "chat.color"), 1);
    CHECK_INT(config_list_count(c, "origins"), 0);
    config_free(c);
}

TEST(yaml_that_is_fine)
{
    static const char *const good[] = {
        "",
        "---\n",
        "# only a comment\n",
        "{}\n",
        "listen: x",
        "limits.per_user: 5\n",
        "limits:\n  # per_user: 5\nlisten: a\n",
        "chat:\n  s3:\n",
        "origins:\n- a\n- b\n",
        "listen: 'no'\non-off: no\n",
        "listen: \"caf\xc3\xa9\"\n",
        "on-off: YES\n",
        "any: -5\n",
        "listen: >-\n  folded\n  text\n",
        "\xef\xbb\xbflisten: x\n",
        "listen:\n",
        "origins: []\n",
        "%YAML 1.1\n---\nlisten: x\n...\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct config *c;
        if (load(good[i], NULL, NULL, &c) != 0)
            test_fail(__FILE__, __LINE__, "%s: %s %s", good[i], err.fields[0].field,
                      err.fields[0].detail);
        config_free(c);
    }
}

struct wrong {
    const char *yaml, *key, *code, *detail;
};

static const struct wrong wrong_files[] = {
    {"listne: x\n", "listne", "unknown_key", ":1: no such key; did you mean \"listen\"?"},
    {"\nlimits:\n  per_usr: 1\n", "limits.per_usr", "unknown_key",
     ":3: no such key; did you mean \"limits.per_user\"?"},
    {"zzzzzzz: 1\n", "zzzzzzz", "unknown_key", "no such key"},
    {"zzzzzzz: {a: [1, {b: 2}]}\n", "zzzzzzz", "unknown_key", ""},
    {"limits: 5\n", "limits", "unknown_key", ""},
    {"limits: [1]\n", "limits", "unknown_key", ""},
    {"listen: {a: 1}\n", "listen", "invalid_value", "not a map"},
    {"listen: [a]\n", "listen", "invalid_value", "not a list"},
    {"origins: {a: 1}\n", "origins", "invalid_value", "not a map"},
    {"origins: [a, [b]]\n", "origins", "invalid_yaml", "plain values"},
    {"origins: [a, '']\n", "origins", "invalid_value", "empty"},
    {"origins: a,,b\n", "origins", "invalid_value", "empty"},
    {"listen: a\nlisten: b\n", "listen", "duplicate_key", ":2: this key stands twice"},
    {"limits: {wait: 1s}\nlimits: {body: 1}\n", "limits", "duplicate_key", ""},
    {"limits: {wait: 1s}\nlimits.wait: 2s\n", "limits.wait", "duplicate_key", ""},
    {"listen: &a x\n", "listen", "invalid_yaml", "anchors"},
    {"&a listen: x\n", "(file)", "invalid_yaml", "anchors"},
    {"listen: *a\n", "listen", "invalid_yaml", "anchors"},
    {"limits: &a {wait: 1s}\n", "limits", "invalid_yaml", "anchors"},
    {"listen: !!str x\n", "listen", "invalid_yaml", "tags"},
    {"listen: !x y\n", "listen", "invalid_yaml", "tags"},
    {"origins: !!seq [a]\n", "origins", "invalid_yaml", "tags"},
    {"--- a\n--- b\n", "(file)", "invalid_yaml", "map"},
    {"listen: a\n---\nlisten: b\n", "(file)", "invalid_yaml", "one document"},
    {"- listen\n", "(file)", "invalid_yaml", "map"},
    {"just text\n", "(file)", "invalid_yaml", "map"},
    {"? [a]\n: b\n", "(file)", "invalid_yaml", "key"},
    {"'': b\n", "(file)", "invalid_yaml", "key"},
    {"listen: [a\n", "listen", "invalid_yaml", ""},
    {"listen: \"\\q\"\n", "listen", "invalid_yaml", ""},
    {"\tlisten: a\n", "(file)", "invalid_yaml", ""},
    {"listen: \"a\\nb\"\n", "listen", "invalid_value", "control"},
    {"listen: \"a\\0b\"\n", "listen", "invalid_value", "control"},
    {"listen: \xff\n", "(file)", "invalid_yaml", ""},
    {"limits.per_user: 1001\n", "limits.per_user", "out_of_range", "0..1000"},
    {"limits.per_user: -1\n", "limits.per_user", "out_of_range", "0..1000"},
    {"limits.per_user: 1.5\n", "limits.per_user", "invalid_value", "integer"},
    {"limits.per_user: 0x10\n", "limits.per_user", "invalid_value", "integer"},
    {"limits.per_user:\n", "limits.per_user", "invalid_value", "integer"},
    {"limits.per_user: 99999999999999999999\n", "limits.per_user", "invalid_value", "integer"},
    {"on-off: 1\n", "on-off", "invalid_value", "true or false"},
    {"on-off: y\n", "on-off", "invalid_value", "true or false"},
    {"chat.color: blue\n", "chat.color", "not_allowed", "red, green"},
    {"limits.wait: 30\n", "limits.wait", "invalid_value", "duration"},
    {"limits.wait: s\n", "limits.wait", "invalid_value", "duration"},
    {"limits.wait: 1h30m\n", "limits.wait", "invalid_value", "duration"},
    {"limits.wait: -1s\n", "limits.wait", "invalid_value", "duration"},
    {"limits.wait: 1.5s\n", "limits.wait", "invalid_value", "duration"},
    {"limits.wait: 99ms\n", "limits.wait", "out_of_range", "100..3600000 ms"},
    {"limits.wait: 2h\n", "limits.wait", "out_of_range", ""},
    {"limits.wait: 9223372036854775807d\n", "limits.wait", "invalid_value", "duration"},
    {"limits.body: 2g\n", "limits.body", "out_of_range", ""},
    {"limits.body: 1t\n", "limits.body", "invalid_value", "size"},
    {"limits.body: k\n", "limits.body", "invalid_value", "size"},
    {"limits.body: 9223372036854775807k\n", "limits.body", "invalid_value", "size"},
};

TEST(wrong_files_are_refused_with_key_line_and_reason)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_files); i++) {
        const struct wrong *w = &wrong_files[i];
        struct config *c;
        CHECK_INT(load(w->yaml, NULL, NULL, &c), FAIL_INVALID);
        CHECK(c == NULL);
        if (strcmp(err.fields[0].field, w->key) != 0 || strcmp(err.fields[0].code, w->code) != 0 ||
            strstr(err.fields[0].detail, w->detail) == NULL)
            test_fail(__FILE__, __LINE__, "%s: %s %s %s", w->yaml, err.fields[0].field,
                      err.fields[0].code, err.fields[0].detail);
    }
}

TEST(durations_and_sizes_by_unit)
{
    static const struct {
        const char *text;
        int64_t value;
    } durations[] = {{"250ms", 250},
                     {"30s", 30000},
                     {"15m", 900000},
                     {"1h", 3600000},
                     {"2S", 2000}},
      sizes[] = {{"512", 512}, {"64k", 65536}, {"16M", 16777216}, {"3g", 3LL << 30}, {"0", 0}};
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        char setting[64], size[64];
        snprintf(setting, sizeof setting, "limits.wait=%s", durations[i].text);
        snprintf(size, sizeof size, "limits.big=%s", sizes[i].text);
        const char *const settings[] = {setting, size, NULL};
        struct config *c;
        CHECK_OK(load("", NULL, settings, &c), &err);
        CHECK_INT(config_int(c, "limits.wait"), durations[i].value);
        CHECK_INT(config_int(c, "limits.big"), sizes[i].value);
        config_free(c);
    }
}

TEST(variables_with_a_slip_and_wrong_settings_are_refused_foreign_ones_are_not)
{
    static const char *const environment[] = {"PARLEY_LISTNE=x",     "PARLEY_=1",
                                              "PARLEY_PORT_8080=1",  "PARLEY_LIMITS_WAIT=soon",
                                              "PARLEY_ORIGINS=\xff", NULL};
    static const char *const settings[] = {"lisen=1", "listen", "=1", "any=x", NULL};
    struct config *c;
    CHECK_INT(load("", environment, settings, &c), FAIL_INVALID);
    CHECK_INT(err.field_count, 7);
    CHECK_STR(slice_str(err.fields[0].field), "PARLEY_LISTNE");
    CHECK(strstr(err.fields[0].detail, "did you mean PARLEY_LISTEN?") != NULL);
    CHECK_STR(slice_str(err.fields[1].field), "limits.wait");
    CHECK(strstr(err.fields[1].detail, "PARLEY_LIMITS_WAIT: must be a duration") != NULL);
    CHECK_STR(slice_str(err.fields[2].code), "invalid_value");
    CHECK(strstr(err.fields[3].detail, "did you mean \"listen\"?") != NULL);
    CHECK(strstr(err.fields[4].detail, "--set: must be key=value") != NULL);
    CHECK_STR(slice_str(err.fields[6].field), "any");
}

TEST(bug_a_byte_order_mark_was_printed_so_that_nobody_could_read_it)
{
    static const char *const wrong[] = {"listen: \"a\\uFEFF\"", "listen: \"\\uFFFEb\"",
                                        "origins: [a, \"\\uFFFF\"]", "origins: \"\\uFEFFa\"",
                                        "chat: {s3: {secret_key: \"\\uFEFF\"}}"};
    struct config *c;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CHECK_INT(load(wrong[i], NULL, NULL, &c), FAIL_INVALID);
        CHECK_INT(err.field_count, 1);
        CHECK_STR(slice_str(err.fields[0].code), "invalid_value");
        CHECK(strstr(err.fields[0].detail, "byte order mark") != NULL);
    }
    static const char *const environment[] = {"PARLEY_LISTEN=\xef\xbb\xbf:1", NULL};
    static const char *const settings[] = {"origins=a,b\xef\xbf\xbe", NULL};
    CHECK_INT(load("", environment, settings, &c), FAIL_INVALID);
    CHECK_INT(err.field_count, 2);
    static const char *const beside[] = {"listen=\xef\xbb\xbe\xef\xbf\xbd\xef\xbc\xbf", NULL};
    CHECK_OK(load("", NULL, beside, &c), &err);
    config_free(c);
}

TEST(bug_a_list_with_commas_could_be_longer_than_one_that_can_be_printed)
{
    struct buf yaml;
    buf_init(&yaml, 1 << 16);
    buf_lit(&yaml, "origins: a");
    for (int i = 1; i < 1000; i++)
        buf_lit(&yaml, ",a");
    buf_char(&yaml, 0);
    struct config *c;
    CHECK_OK(load(yaml.ptr, NULL, NULL, &c), &err);
    CHECK_INT((int)config_list_count(c, "origins"), 1000);
    config_free(c);
    yaml.len--;
    buf_lit(&yaml, ",a");
    buf_char(&yaml, 0);
    CHECK_INT(load(yaml.ptr, NULL, NULL, &c), FAIL_INVALID);
    CHECK(strstr(err.fields[0].detail, "more than 1000 items") != NULL);
    buf_done(&yaml);
}

TEST(a_file_full_of_nonsense_is_given_up)
{
    struct buf yaml;
    buf_init(&yaml, 1 << 20);
    for (int i = 0; i < 5000; i++)
        buf_printf(&yaml, "nonsense%d: 1\n", i);
    buf_char(&yaml, 0);
    struct config *c;
    CHECK_INT(load(yaml.ptr, NULL, NULL, &c), FAIL_INVALID);
    CHECK_INT(err.field_count, ERROR_FIELDS_MAX);
    buf_done(&yaml);
}

TEST(files_that_cannot_be_read)
{
    struct config *c;
    struct config_source source = {"/nonexistent/parley.yaml", NULL, NULL};
    error_init(&err);
    CHECK(config_load(tables, &source, &c, &err) < 0);
    CHECK_STR(slice_str(err.code), "config_unreadable");
    source.file = test_dir();
    error_init(&err);
    CHECK(config_load(tables, &source, &c, &err) < 0);
    struct buf yaml;
    buf_init(&yaml, 4 << 20);
    for (int i = 0; i < 200000; i++)
        buf_lit(&yaml, "# a comment\n");
    buf_char(&yaml, 0);
    CHECK_INT(load(yaml.ptr, NULL, NULL, &c), FAIL_TOO_LARGE);
    buf_done(&yaml);
}

TEST(what_is_printed_is_read_back_without_the_secrets)
{
    static const char *const settings[] = {"listen=a: \"b\" # {c} \xc3\xa9\xf0\x9f\x98\x80\\",
                                           "chat.s3.secret_key=hush",
                                           "origins=x y,- z",
                                           "limits.wait=2s",
                                           "on-off=yes",
                                           "chat.color=green",
                                           NULL};
    struct config *c, *again;
    CHECK_OK(load("", NULL, settings, &c), &err);
    struct buf first, second;
    buf_init(&first, 1 << 16);
    buf_init(&second, 1 << 16);
    config_print(c, &first);
    buf_char(&first, 0);
    CHECK(strstr(first.ptr, "hush") == NULL);
    CHECK(strstr(first.ptr, "# secret_key: \"********\"") != NULL);
    CHECK(strstr(first.ptr, "chat:\n  color: \"green\"\n  s3:\n    bucket: \"\"\n") != NULL);
    CHECK(strstr(first.ptr, "# Address and port.\nlisten: ") != NULL);
    CHECK_OK(load(first.ptr, NULL, NULL, &again), &err);
    if (again != NULL) {
        CHECK_STR(slice_str(config_string(again, "listen")), config_string(c, "listen"));
        CHECK_STR(slice_str(config_list_item(again, "origins", 1)), "- z");
        config_print(again, &second);
        buf_char(&second, 0);
        CHECK(slice_eq(buf_view(&first), buf_view(&second)));
    }
    buf_done(&first);
    buf_done(&second);
    config_free(c);
    config_free(again);
}
