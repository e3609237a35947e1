/* The command line: parley <command> [flags]. One row per command. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/commands.h"
#include "app/crash.h"
#include "app/memory.h"
#include "app/serve.h"
#include "base/fault.h"

/* Which flags its help names. */
enum flags { FLAGS_NONE, FLAGS_DATA, FLAGS_SERVE };

struct command {
    const char *name, *args, *about, *more;
    int (*run)(const struct options *options);
    enum flags flags;
};

static const struct command commands[] = {
    {"serve", "", "run the platform",
     "Stays in the foreground, logs JSON to standard error, and prints one line with its address\n"
     "when it is ready. SIGTERM or Ctrl-C drains and ends it.\n"
     "  --pid-file FILE    write the process id; a stale file is overwritten\n",
     serve_command, FLAGS_SERVE},
    {"migrate", "[--move ROOM=NAME]", "bring the databases to this program's schema",
     "A step of its own for deployments that start servers with db.migrate=off; the server has to\n"
     "be stopped.\n"
     "  --move ROOM=NAME   moves the room's tables to NAME.db; set database.rooms to match. May "
     "be\n"
     "                     repeated after a crash.\n",
     migrate_command, FLAGS_DATA},
    {"config", "print|check", "show or check the configuration",
     "print writes every key with its present value and what it is for; secrets are masked.\n"
     "check says what serve would refuse, also about the files that settings name.\n",
     config_command, FLAGS_SERVE},
    {"openapi", "", "print the OpenAPI 3.1 description of the API", "", openapi_command,
     FLAGS_NONE},
    {"asyncapi", "", "print the AsyncAPI 3.0 description of the realtime interface", "",
     asyncapi_command, FLAGS_NONE},
    {"user", "create|promote|disable", "manage accounts of a stopped or running data folder",
     "  user create USERNAME        reads the password from standard input\n"
     "  user promote USERNAME ROLE  ROLE is user, moderator or admin\n"
     "  user disable USERNAME       signs the user out everywhere\n"
     "While a server runs on the folder it does the work itself.\n",
     user_command, FLAGS_DATA},
    {"keys", "rotate", "make a new signing key; tokens signed before stay valid",
     "While a server runs on the folder it does the work itself; it also rotates keys in time.\n",
     keys_command, FLAGS_DATA},
    {"audit", "verify", "check that nobody has touched the audit log",
     "  audit verify [NUMBER:HASH]  walks the whole chain; prints its end, which is good to keep\n"
     "                              elsewhere: given back later, it shows what was cut off.\n"
     "Works with the server running or stopped.\n",
     audit_command, FLAGS_DATA},
    {"dead-letters", "list|requeue|discard", "deal with events that a consumer has given up on",
     "  dead-letters list           the newest hundred\n"
     "  dead-letters requeue ID     gives it to its consumer once more: handled and gone, or "
     "neither\n"
     "  dead-letters discard ID     throws it away\n"
     "Works with the server running or stopped.\n",
     dead_letters_command, FLAGS_DATA},
    {"backup", "FILE", "copy the data folder's databases into one FILE",
     "Works with the server running or stopped. FILE, a tar archive with checksums, must not be\n"
     "there yet, and not be inside the data folder.\n",
     backup_command, FLAGS_DATA},
    {"restore", "FILE", "put a backup back into an empty data folder",
     "The folder must be empty or not be there. What the backup holds is checked; a restore that\n"
     "fails leaves nothing behind.\n",
     restore_command, FLAGS_DATA},
    {"demo", "", "fill an empty data folder with people and chats to look at",
     "The server has to be stopped.\n", demo_command, FLAGS_DATA},
    {"debug", "verify-jws", "engineers' tools",
     "  debug verify-jws   reads lines {\"jwk\": ... or \"keys\": [...], \"jws\": \"...\"} and "
     "answers\n"
     "                     ok or fail for each, with the verifier that the server uses\n",
     debug_command, FLAGS_NONE},
    {"version", "", "print the version", "", version_command, FLAGS_NONE},
};

static void print_usage(FILE *out)
{
    fprintf(out, "Parley: a self-hosted backend for chat and social applications.\n\n"
                 "usage: parley COMMAND [flags]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-12s %-22s %s\n", commands[i].name, commands[i].args, commands[i].about);
    fprintf(out, "\nparley COMMAND --help says more about one.\n");
}

static void print_command(const struct command *c)
{
    printf("usage: parley %s%s%s%s\n\n%s.\n%s", c->name, c->args[0] != 0 ? " " : "", c->args,
           c->flags != FLAGS_NONE ? " [flags]" : "", c->about, c->more);
    if (c->flags == FLAGS_NONE)
        return;
    printf("\n"
           "  --config FILE      configuration, YAML\n"
           "  --set key=value    one key (parley config print lists them); may be repeated\n"
           "  --data DIR         data folder (default: data)\n");
    if (c->flags == FLAGS_SERVE)
        printf("  --listen ADDR:PORT (default: 127.0.0.1:8080)\n"
               "  --roles all        parts to run\n");
    printf("\n"
           "Every key is also an environment variable: PARLEY_ and the key in capitals, with dots "
           "as\nunderscores.\n");
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

/* What a script did not get must not look like success. */
static int all_printed(int code)
{
    if (code != 0 || (fflush(stdout) == 0 && !ferror(stdout)))
        return code;
    fprintf(stderr, "parley: the output could not be written\n");
    return 1;
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
        return all_printed(0);
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
            return all_printed(0);
        }
        /* What serve has printed is long read, or nobody reads it. */
        int code = commands[i].run(&options);
        return slice_eq(name, SLICE("serve")) ? code : all_printed(code);
    }
    fprintf(stderr, "parley: there is no command \"%s\"\n\n", argv[1]);
    print_usage(stderr);
    return 2;
}
