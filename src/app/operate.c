/* The operator's commands: user, keys, audit, dead-letters, backup. Where a server runs on the data
 * folder they ask it through its control socket; where none does they do the same work themselves.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/control.h"
#include "app/house.h"

enum { INPUT_MAX = 4096 };

static int usage(const char *text)
{
    fprintf(stderr, "usage: parley %s\n", text);
    return 2;
}

static int run_here(const struct config *config, const struct control_action *action,
                    struct control_call *call, struct error *err)
{
    struct house house = {0};
    int rc = action->makes_folder ? 0 : engines_require(config, err);
    if (rc == 0)
        rc = house_open(&house, config, &clock_system, err);
    if (rc < 0)
        return rc;
    call->kit = &house.kit;
    rc = action->run(call, err);
    house_close(&house);
    return rc;
}

static int run_action(const struct config *config, const struct control_action *action,
                      struct control_call *call, bool *ret_refused, struct error *err)
{
    char dir[PATH_MAX];
    int rc = 0;
    if (realpath(config_string(config, "data"), dir) != NULL)
        rc = control_send(dir, action->name, call->args, call->input, call->out, ret_refused, err);
    if (rc == 0)
        return run_here(config, action, call, err);
    return rc < 0 ? rc : 0;
}

static int operate(const struct options *options, const char *name, struct control_call *call)
{
    struct error err;
    error_init(&err);
    struct config *config;
    if (options_config(options, &config, &err) < 0)
        return options_complain("configuration", &err);
    struct buf out;
    buf_init(&out, 256 << 10);
    call->out = &out;
    bool refused = false; /* by the server; out says why */
    int rc = run_action(config, control_find(slice_str(name)), call, &refused, &err);
    if (rc == 0 && refused)
        fprintf(stderr, "parley: %s: %.*s", name, SLICE_FMT(buf_view(&out)));
    else if (rc == 0)
        fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
    config_free(config);
    if (rc < 0)
        return options_complain(name, &err);
    return refused ? 1 : 0;
}

int user_command(const struct options *options)
{
    static const char text[] = "user create USERNAME | promote USERNAME ROLE | disable USERNAME";
    char name[32], input[INPUT_MAX];
    if (options->arg_count < 2)
        return usage(text);
    snprintf(name, sizeof name, "user-%s", options->args[0]);
    const struct control_action *action = control_find(slice_str(name));
    struct control_call call = {.arg_count = options->arg_count - 1, .input = {"", 0}};
    if (action == NULL || call.arg_count < action->args_min || call.arg_count > action->args_max)
        return usage(text);
    for (unsigned i = 0; i < call.arg_count; i++)
        call.args[i] = options->args[i + 1];
    if (action->reads_input) {
        if (isatty(STDIN_FILENO))
            fprintf(stderr, "password: ");
        size_t len = fread(input, 1, sizeof input - 1, stdin);
        call.input = slice_of(input, len);
    }
    return operate(options, name, &call);
}

int keys_command(const struct options *options)
{
    if (options->arg_count != 1 || strcmp(options->args[0], "rotate") != 0)
        return usage("keys rotate");
    struct control_call call = {.input = {"", 0}};
    return operate(options, "keys-rotate", &call);
}

/* Words after the command: the name of the action behind `group`, and its arguments. */
static int operate_words(const struct options *options, const char *group, const char *text)
{
    char name[48];
    if (options->arg_count < 1)
        return usage(text);
    snprintf(name, sizeof name, "%s-%s", group, options->args[0]);
    const struct control_action *action = control_find(slice_str(name));
    struct control_call call = {.arg_count = options->arg_count - 1, .input = {"", 0}};
    if (action == NULL || call.arg_count < action->args_min || call.arg_count > action->args_max)
        return usage(text);
    for (unsigned i = 0; i < call.arg_count; i++)
        call.args[i] = options->args[i + 1];
    return operate(options, name, &call);
}

int audit_command(const struct options *options)
{
    return operate_words(options, "audit", "audit verify [NUMBER:HASH]");
}

int dead_letters_command(const struct options *options)
{
    return operate_words(options, "dead-letters", "dead-letters list | requeue ID | discard ID");
}

int backup_command(const struct options *options)
{
    char dir[PATH_MAX], path[PATH_MAX + 256];
    if (options->arg_count != 1)
        return usage("backup FILE");
    /* The server may run in another folder: it is given the whole path. */
    if (options->args[0][0] == '/' || getcwd(dir, sizeof dir) == NULL)
        snprintf(path, sizeof path, "%s", options->args[0]);
    else
        snprintf(path, sizeof path, "%s/%s", dir, options->args[0]);
    struct control_call call = {.args = {path}, .arg_count = 1, .input = {"", 0}};
    return operate(options, "backup", &call);
}
