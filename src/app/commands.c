/* Commands that need no running rooms: documents, configuration, migrations, engineers' tools. */
#include "app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/engines.h"
#include "app/move.h"
#include "app/roles.h"
#include "app/serve.h"
#include "app/settings.h"
#include "gateway/openapi.h"
#include "kit/jwt_debug.h"

enum { DOCUMENT_MAX = 8 << 20 };

static int usage(const char *text)
{
    fprintf(stderr, "usage: parley %s\n", text);
    return 2;
}

static int print_buf(const struct buf *text)
{
    bool good = buf_ok(text) && fwrite(text->ptr, 1, text->len, stdout) == text->len &&
                fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    return good ? 0 : 1;
}

static int takes_no_words(const struct options *options, const char *name)
{
    if (options->arg_count == 0)
        return 0;
    fprintf(stderr, "parley: %s takes flags only, not \"%s\"; see parley %s --help\n", name,
            options->args[0], name);
    return 2;
}

int version_command(const struct options *options)
{
    if (takes_no_words(options, "version") != 0)
        return 2;
    printf("parley %s\n", PARLEY_VERSION);
    return 0;
}

int openapi_command(const struct options *options)
{
    if (takes_no_words(options, "openapi") != 0)
        return 2;
    struct buf text;
    buf_init(&text, DOCUMENT_MAX);
    openapi_write(all_modules, PARLEY_VERSION, &text);
    int code = print_buf(&text);
    buf_done(&text);
    return code;
}

int asyncapi_command(const struct options *options)
{
    if (takes_no_words(options, "asyncapi") != 0)
        return 2;
    struct buf text;
    buf_init(&text, DOCUMENT_MAX);
    asyncapi_write(all_modules, PARLEY_VERSION, &text);
    int code = print_buf(&text);
    buf_done(&text);
    return code;
}

int config_command(const struct options *options)
{
    struct slice what = slice_str(options->arg_count == 1 ? options->args[0] : "");
    bool print = slice_eq(what, SLICE("print"));
    if (!print && !slice_eq(what, SLICE("check")))
        return usage("config print|check [flags]");
    struct config *config;
    struct error err;
    error_init(&err);
    if (options_config(options, &config, &err) < 0)
        return options_complain("configuration", &err);
    int code = 0;
    if (!print && settings_check(config, &err) < 0) {
        code = options_complain("configuration", &err);
    } else if (print) {
        struct buf text;
        buf_init(&text, DOCUMENT_MAX);
        config_print(config, &text);
        code = print_buf(&text);
        buf_done(&text);
    } else {
        printf("the configuration is good\n");
    }
    config_free(config);
    return code;
}

int migrate_command(const struct options *options)
{
    if (takes_no_words(options, "migrate") != 0)
        return 2;
    struct config *config;
    struct error err;
    error_init(&err);
    if (options_config(options, &config, &err) < 0)
        return options_complain("configuration", &err);
    if (options->move != NULL) {
        int code = move_room(config, options->move);
        config_free(config);
        return code;
    }
    struct engines engines = {0};
    unsigned applied;
    int rc = engines_open_databases(&engines, config, ENGINES_APPLY, &applied, &err);
    engines_close(&engines);
    config_free(config);
    if (rc < 0)
        return options_complain("migrate", &err);
    printf("%u migrations applied; the databases are up to date\n", applied);
    return 0;
}

static int verify_lines(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int code = 0;
    struct buf out;
    buf_init(&out, 4096);
    while (code == 0 && (len = getline(&line, &size, stdin)) >= 0) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        buf_clear(&out);
        jws_debug_line(slice_of(line, (size_t)len), &out);
        code = print_buf(&out);
    }
    buf_done(&out);
    free(line);
    return code;
}

int debug_command(const struct options *options)
{
    if (options->arg_count == 1 && strcmp(options->args[0], "verify-jws") == 0)
        return verify_lines();
    return usage("debug verify-jws");
}
