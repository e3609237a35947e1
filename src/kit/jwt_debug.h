/* `parley debug verify-jws`: the server's own verifier, one line at a time. */
#ifndef PARLEY_KIT_JWT_DEBUG_H
#define PARLEY_KIT_JWT_DEBUG_H

#include "base/buf.h"

/* {"jwk": {...}, "jws": "..."} or {"keys": [...], "jws": "..."} appends "ok" or "fail", without a
 * line end; a line that is no such object is "fail" too. Always 0. */
int jws_debug_line(struct slice line, struct buf *out);

#endif
