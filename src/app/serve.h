/* parley serve: the platform, from options to exit code. */
#ifndef PARLEY_APP_SERVE_H
#define PARLEY_APP_SERVE_H

#include "app/options.h"

#define PARLEY_VERSION "0.1.0"

int serve_command(const struct options *options);

#endif
