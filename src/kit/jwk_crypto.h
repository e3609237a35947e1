/* Keys and signatures in OpenSSL's hands; inside kit/jwk.c and kit/jwt.c only. Knows numbers and
 * bytes, no JSON. Keys are immutable: any thread may use one at any time. */
#ifndef PARLEY_KIT_JWK_CRYPTO_H
#define PARLEY_KIT_JWK_CRYPTO_H

#include "kit/jwt.h"

#define JWK_RSA_BYTES_MIN 256   /* RFC 7518 section 3.3: 2048 bits or more */
#define JWK_RSA_BYTES_MAX 1024  /* verification time grows with the square */
#define JWK_SECRET_BYTES_MIN 32 /* RFC 7518 section 3.2: as long as the hash */
#define JWK_SECRET_BYTES_MAX 1024
#define JWK_SIGNATURE_BYTES_MAX JWK_RSA_BYTES_MAX

/* The numbers of a JWK (RFC 7518 section 6, RFC 8037 section 2), big-endian bytes. */
struct jwk_numbers {
    struct slice x, y; /* ES256: 32 bytes each; EdDSA: x only */
    struct slice d;    /* private part; absent in a public key */
    struct slice n, e; /* RS256 */
    struct slice k;    /* HS256 */
};

struct jwk_crypto;
int jwk_crypto_generate(enum jwt_alg alg, struct jwk_crypto **ret_key, struct error *err) MUSTCHECK;
/* FAIL_INVALID "invalid_key" when the numbers are no key: wrong lengths, a point that is not on the
 * curve, a private part that belongs to another public one. */
int jwk_crypto_from_numbers(enum jwt_alg alg, const struct jwk_numbers *numbers,
                            struct jwk_crypto **ret_key, struct error *err) MUSTCHECK;
int jwk_crypto_from_pkcs8(struct slice bytes, struct jwk_crypto **ret_key,
                          struct error *err) MUSTCHECK;
int jwk_crypto_to_pkcs8(const struct jwk_crypto *key, struct buf *out, struct error *err) MUSTCHECK;
void jwk_crypto_free(struct jwk_crypto *key);
enum jwt_alg jwk_crypto_alg(const struct jwk_crypto *key);
bool jwk_crypto_can_sign(const struct jwk_crypto *key);
/* The public numbers, borrowed from the key; all absent for HS256. */
struct jwk_numbers jwk_crypto_public(const struct jwk_crypto *key);

/* JWS signatures (RFC 7518 section 3): ES256 is r and s of 32 bytes each, never DER. */
int jwk_crypto_sign(const struct jwk_crypto *key, struct slice input, struct buf *ret_signature,
                    struct error *err) MUSTCHECK;
bool jwk_crypto_verify(const struct jwk_crypto *key, struct slice input,
                       struct slice signature) MUSTCHECK;
void jwk_crypto_sha256(struct slice input, uint8_t ret_digest[32]);

#endif
