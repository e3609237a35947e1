/* The one place that turns an error record into problem+json (RFC 9457). */
#ifndef PARLEY_KIT_PROBLEM_H
#define PARLEY_KIT_PROBLEM_H

#include "base/buf.h"
#include "base/error.h"

/* Appends {"type", "title", "status", "detail", "code", "correlation_id", "errors"?}. `type` is
 * "about:blank#<code>": stable, and nothing has to answer there. correlation_id may be absent. The
 * detail of a 500 says nothing of what went wrong inside: the log does. */
void problem_write(const struct error *err, struct slice correlation_id, struct buf *out);
/* Retry-After in whole seconds, rounded up, for a record that has retry_after_ms; else 0. */
int64_t problem_retry_after_s(const struct error *err);

#endif
