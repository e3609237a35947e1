/* Idempotency-Key on POST (API.md, Conventions): the first answer is kept for 24 hours and given
 * again to the same request of the same owner. Another body under the same key is refused with
 * 422, a first request that is still running with 409. */
#ifndef PARLEY_KIT_IDEMPOTENCY_H
#define PARLEY_KIT_IDEMPOTENCY_H

#include "kit/module.h"

struct idempotency {
    struct id owner;   /* user, or derived from what the client shows */
    struct slice key;  /* 1..128 visible ASCII characters */
    struct id request; /* 128-bit hash of path, query and body */
    bool secret;       /* kept in the ephemeral store instead of the database */
    size_t headers_at; /* set by idempotency_begin: what the request itself adds starts here */
};
/* Looks the key up and claims it. Returns 0: go on (then idempotency_end must follow); 1: the kept
 * answer stands in req; negative: refused. Waits for the database. */
int idempotency_begin(struct request *req, struct idempotency *call) MUSTCHECK;
/* Keeps the answer of a success; forgets the claim when the request failed, so that it can be
 * tried again. Of a secret answer the header lines that the request added are kept too (cookies);
 * other answers have none worth it. Waits for the database, and a little longer when it is full. */
void idempotency_end(struct request *req, const struct idempotency *call, bool success);
/* Makes the hash of the request and the owner of a request without a user. */
struct id idempotency_hash(struct slice a, struct slice b, struct slice c);
int idempotency_clean(struct kit *kit, struct error *err) MUSTCHECK; /* drops what is too old */

#endif
