/* Any bytes as a configuration file; what is accepted is printed and must be accepted again. */
#include "base/config_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"red", "green", NULL};
static const struct config_key keys[] = {
    {"listen", CONFIG_STRING, "x", .doc = "Text."},
    {"a.int", CONFIG_INT, "1", -5, 5},
    {"a.bool", CONFIG_BOOL, "no"},
    {"a.b.wait", CONFIG_DURATION, "1s", 1, 1000000},
    {"a.b.size", CONFIG_SIZE, "1k"},
    {"a.b.color", CONFIG_ENUM, "red", .names = names},
    {"list", CONFIG_LIST, "a,b"},
    {"z.secret", CONFIG_STRING, "", .secret = true},
    {NULL},
};
static const struct config_key *const tables[] = {keys, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    error_init(&err);
    struct config *c = config_new(tables, &err);
    config_read_yaml(c, slice_of((const char *)data, size), "a/file.yaml");
    panic_if((c->wrong != 0) != (err.kind == FAIL_INVALID), "the record says otherwise");
    if (c->wrong == 0) {
        struct buf text;
        buf_init(&text, 1 << 20);
        config_print(c, &text);
        struct config *again = config_new(tables, &err);
        config_read_yaml(again, buf_view(&text), "printed");
        panic_if(again->wrong != 0, "%s: %s", err.fields[0].field, err.fields[0].detail);
        panic_if(config_int(c, "a.b.wait") != config_int(again, "a.b.wait") ||
                     strcmp(config_string(c, "listen"), config_string(again, "listen")) != 0 ||
                     config_list_count(c, "list") != config_list_count(again, "list"),
                 "what was printed reads otherwise");
        config_free(again);
        buf_done(&text);
    }
    config_free(c);
    return 0;
}
