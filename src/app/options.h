/* The command line and the configuration it leads to. */
#ifndef PARLEY_APP_OPTIONS_H
#define PARLEY_APP_OPTIONS_H

#include "base/buf.h"
#include "base/config.h"

enum { OPTION_SETTINGS_MAX = 256 };

struct options {
    const char *config_file, *pid_file;
    const char *move;                              /* ROOM=NAME of migrate; NULL: not given */
    const char *settings[OPTION_SETTINGS_MAX + 1]; /* "key=value", NULL-terminated */
    unsigned setting_count;
    const char *args[16]; /* what is left, in order */
    unsigned arg_count;
    bool help;
    char text[4096]; /* settings made of flags live here */
    size_t text_len;
};

/* Flags of every command: --config FILE, --set key=value, --data DIR, --listen ADDR:PORT,
 * --roles LIST, --pid-file FILE, --move ROOM=NAME, --help; also --flag=value. FAIL_INVALID says
 * which is wrong. */
int options_parse(int argc, char **argv, struct options *ret_options, struct error *err) MUSTCHECK;
/* Reads file, environment and settings by the tables of all layers and rooms. */
int options_config(const struct options *options, struct config **ret_config,
                   struct error *err) MUSTCHECK;
/* Appends an error for people: its sentence, and a line for each wrong field. */
enum { OPTIONS_EXPLAIN_MAX = 8 << 10 };
void options_explain(const struct error *err, struct buf *out);
/* Prints an error with its fields to standard error, for people. Returns the exit code 1. */
int options_complain(const char *what, const struct error *err);

extern const struct config_key app_config[];
enum environment { ENVIRONMENT_DEVELOPMENT, ENVIRONMENT_PRODUCTION };

#endif
