/* What struct jwk is made of; for jwk.c and jwt.c. */
#ifndef PARLEY_KIT_JWK_H
#define PARLEY_KIT_JWK_H

#include <stdatomic.h>

#include "kit/jwk_crypto.h"

struct jwk {
    _Atomic unsigned refs;
    enum jwt_alg alg;
    char kid[JWK_KID_MAX + 1]; /* "": nameless, then a token may call it what it likes */
    struct jwk_crypto *crypto; /* owned */
};

#endif
