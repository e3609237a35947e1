/* The commands beside serve; each returns the exit code. */
#ifndef PARLEY_APP_COMMANDS_H
#define PARLEY_APP_COMMANDS_H

#include "app/options.h"

int migrate_command(const struct options *options);
int config_command(const struct options *options);
int openapi_command(const struct options *options);
int asyncapi_command(const struct options *options);
int user_command(const struct options *options);
int keys_command(const struct options *options);
int audit_command(const struct options *options);
int dead_letters_command(const struct options *options);
int backup_command(const struct options *options);
int restore_command(const struct options *options);
int demo_command(const struct options *options);
int debug_command(const struct options *options);
int version_command(const struct options *options);

#endif
