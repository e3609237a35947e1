/* Request targets and hosts; inside src/net only. */
#ifndef PARLEY_NET_HTTP1_TARGET_H
#define PARLEY_NET_HTTP1_TARGET_H

#include "net/http1.h"

/* Splits the target of head->method_text into path, query and (absolute-form) host. */
int http1_target(struct slice target, struct http_head *head, struct error *err) MUSTCHECK;
/* uri-host [ ":" port ], not empty. */
bool http1_host_valid(struct slice host) MUSTCHECK;

#endif
