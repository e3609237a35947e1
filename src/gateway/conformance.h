/* The conformance listener (API.md): the real parsers, framing, limits and compression for protocol
 * suites that know nothing of accounts. Off by default, refused in production. */
#ifndef PARLEY_GATEWAY_CONFORMANCE_H
#define PARLEY_GATEWAY_CONFORMANCE_H

#include "net/http_server.h"

extern const struct http_server_ops conformance_ops; /* config.arg is not used */

#endif
