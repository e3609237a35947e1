/* What a key is made of; for jwk_crypto.c and jwk_sign.c, which share OpenSSL's types. */
#ifndef PARLEY_KIT_JWK_OPENSSL_H
#define PARLEY_KIT_JWK_OPENSSL_H

#include <openssl/evp.h>

#include "kit/jwk_crypto.h"

struct jwk_crypto {
    enum jwt_alg alg;
    bool can_sign;
    EVP_PKEY *pkey;       /* NULL for HS256 */
    uint8_t x[32], y[32]; /* public numbers of ES256 and EdDSA (x) */
    uint8_t *modulus;     /* RS256, owned */
    size_t modulus_len;
    uint8_t exponent[8];
    size_t exponent_len;
    uint64_t serial; /* HS256: never used twice; names the key in per-thread contexts */
    size_t secret_len;
    uint8_t secret[];
};

#endif
