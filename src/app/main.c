/* The command line: parley <command> [flags]. One row per command. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/commands.h"
#include "app/crash.h"
#include "app/memory.h"
#include "app/serve.h"
#include "base/fault.h"

struct command {
    const char *name, *args, *about, *more;
    int (*run)(const struct options *options);
};

static const struct command commands[] = {
    {"serve", "", "run the platform",
     "Stays in the foreground, logs JSON to standard error, and prints one line with its address\n"
     "when it is ready. SIGTERM or Ctrl-C drains and ends it.\n",
     serve_command},
    {"migrate", "[--move ROOM=NAME]", "bring the databases to this program's schema",
     "A step of its own for deployments that start servers with db.migrate=off.\n"
     "  --move ROOM=NAME   moves the room's tables to NAME.db, with the server stopped; set\n"
     "                     database.rooms to match. May be repeated after a crash.\n",
     migrate_command},
    {"config", "print|check", "show or check the configuration",
     "print writes every key with its present value and what it is for; secrets are masked.\n",
     config_command},
    {"openapi", "", "print the OpenAPI 3.1 description of the API", "", openapi_command},
    {"asyncapi", "", "print the AsyncAPI 3.0 description of the realtime interface", "",
     asyncapi_command},
    {"user", "create|promote|disable", "manage accounts of a stopped or running data folder",
     "  user create USERNAME        reads the password from standard input\n"
     "  user promote USERNAME ROLE  ROLE is user, moderator or admin\n"
     "  user disable USERNAME       signs the user out everywhere\n"
     "While a server runs on the folder it does the work itself.\n",
     user_command},
    {"keys", "rotate", "make a new signing key; tokens signed before stay valid",
     "While a server runs on the folder it does the work itself; it also rotates keys in time.\n",
     keys_command},
    {"audit", "verify", "check that nobody has touched the audit log",
     "  audit verify [NUMBER:HASH]  walks the whole chain; prints its end, which is good to keep\n"
     "                              elsewhere: given back later, it shows what was cut off.\n"
     "Works with the server running or stopped.\n",
     audit_command},
    {"dead-letters", "list|requeue|discard", "deal with events that a consumer has given up on",
     "  dead-letters list           the newest hundred\n"
     "  dead-letters requeue ID     gives it to its consumer once more: handled and gone, or "
     "neither\n"
     "  dead-letters discard ID     throws it away\n"
     "Works with the server running or stopped.\n",
     dead_letters_command},
    {"backup", "FILE", "copy the data folder's databases to FILE while nothing is lost",
     "With a running server use --url and an admin's token, or stop the server first.\n",
     backup_command},
    {"restore", "FILE", "put a backup back into an empty data folder", "", restore_command},
    {"demo", "", "fill an empty data folder with people and chats to look at", "", demo_command},
    {"debug", "verify-jws", "engineers' tools",
     "  debug verify-jws   reads lines {\"jwk\": ... or \"keys\": [...], \"jws\": \"...\"} and "
     "answers\n"
     "                     ok or fail for each, with the verifier that the server uses\n",
     debug_command},
    {"version", "", "print the version", "", version_command},
};

static void print_usage(FILE *out)
{
    fprintf(out, "Parley: a self-hosted backend for chat and social applications.\n\n"
                 "usage: parley COMMAND [flags]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-12s %-22s%s\n", commands[i].name, commands[i].args, commands[i].about);
    fprintf(out, "\nparley COMMAND --help says more about one.\n");
}

static void print_command(const struct command *c)
{
    printf(
        "usage: parley %s %s [flags]\n\n%s.\n%s\n"
        "  --config FILE      configuration, YAML\n"
        "  --set key=value    one key (parley config print lists them); may be repeated\n"
        "  --data DIR         data folder (default: data)\n"
        "  --listen ADDR:PORT (default: 127.0.0.1:8080)\n"
        "  --roles all        parts to run\n"
        "  --pid-file FILE    write the process id; a stale file is overwritten\n\n"
        "Every key is also an environment variable: PARLEY_ and the key in capitals, with dots as\n"
        "underscores.\n",
        c->name, c->args, c->about, c->more);
}

/* Tests make something fail, stall or die at a named place (base/fault.h). */
static bool set_faults(void)
{
    const char *list = getenv("PARLEY_FAULTS");
    if (list == NULL || list[0] == 0 || fault_set(list))
        return true;
    fprintf(stderr, "parley: PARLEY_FAULTS is malformed: %s\n", list);
    return false;
}

int main(int argc, char **argv)
{
    umask(077); /* whatever is made holds people's messages and keys */
    if (argc > 1 && slice_eq(slice_str(argv[1]), SLICE("serve")))
        memory_tune(argv);
    crash_report_install();
    if (!set_faults())
        return 2;
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    struct slice name = slice_str(argv[1]);
    if (slice_eq(name, SLICE("--help")) || slice_eq(name, SLICE("-h")) ||
        slice_eq(name, SLICE("help"))) {
        print_usage(stdout);
        return 0;
    }
    if (slice_eq(name, SLICE("--version")))
        name = SLICE("version");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!slice_eq(name, slice_str(commands[i].name)))
            continue;
        static struct options options;
        struct error err;
        error_init(&err);
        if (options_parse(argc - 2, argv + 2, &options, &err) < 0) {
            options_complain(commands[i].name, &err);
            return 2;
        }
        if (options.help) {
            print_command(&commands[i]);
            return 0;
        }
        return commands[i].run(&options);
    }
    fprintf(stderr, "parley: there is no command \"%s\"\n\n", argv[1]);
    print_usage(stderr);
    return 2;
}
