/* Where the control socket of a data folder is. */
#ifndef PARLEY_APP_CONTROL_PATH_H
#define PARLEY_APP_CONTROL_PATH_H

#include <sys/un.h>

#include "base/base.h"

/* False when the path does not fit into a socket address (108 bytes). */
bool control_address(const char *data_dir, struct sockaddr_un *ret_address) MUSTCHECK;

#endif
