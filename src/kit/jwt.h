/* JSON Web Tokens and Keys (RFC 7515, 7517, 7518, 7519, 8037, 9068) over OpenSSL's EVP.
 *
 * The algorithm comes from the key, never from the token: each key has exactly one. `none`, `crit`,
 * `b64`, `zip`, nested tokens, tokens over 8 KiB, non-canonical base64url and duplicate header
 * members are refused.
 */
#ifndef PARLEY_KIT_JWT_H
#define PARLEY_KIT_JWT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

#define JWT_BYTES_MAX 8192
#define JWK_KID_MAX 128 /* a thumbprint by SHA-512 (RFC 7638) has 86 */

enum jwt_alg { JWT_HS256 = 1, JWT_ES256, JWT_EDDSA, JWT_RS256 };
const char *jwt_alg_name(enum jwt_alg alg);

struct jwk; /* one key, immutable, reference-counted, any thread */
struct jwk *jwk_ref(struct jwk *key);
void jwk_unref(struct jwk *key);
int jwk_generate(enum jwt_alg alg, struct jwk **ret_key, struct error *err) MUSTCHECK;
/* From a JWK object (public or private). RS256 verifies only. */
int jwk_parse(const struct json_value *object, struct jwk **ret_key, struct error *err) MUSTCHECK;
/* PKCS#8 PEM or DER, Ed25519 or P-256; kid = RFC 7638 thumbprint. */
int jwk_from_pkcs8(struct slice bytes, struct jwk **ret_key, struct error *err) MUSTCHECK;
int jwk_from_secret(struct slice secret, struct jwk **ret_key, struct error *err) MUSTCHECK;
int jwk_to_pkcs8(const struct jwk *key, struct buf *out, struct error *err) MUSTCHECK; /* PEM */
const char *jwk_kid(const struct jwk *key);
enum jwt_alg jwk_alg(const struct jwk *key);
bool jwk_can_sign(const struct jwk *key);
void jwk_write_public(const struct jwk *key, struct buf *out); /* never of an HS256 key */

/* Compact serialisation; `claims` is the payload JSON, typ e.g. "at+jwt". */
int jwt_sign(const struct jwk *key, const char *typ, struct slice claims, struct buf *out,
             struct error *err) MUSTCHECK;
struct jwt {
    struct slice header_json, payload_json; /* arena */
    struct slice typ;                       /* absent when the header has none */
};
/* Checks form and signature with the key of `keys` that the header's kid names, then with those
 * that have no name; without kid with each of the header's alg. 32 of them at most are tried.
 * FAIL_UNAUTHENTICATED with code "invalid_token". */
int jwt_verify(struct slice token, struct jwk *const *keys, size_t key_count, struct arena *arena,
               struct jwt *ret_jwt, struct error *err) MUSTCHECK;

void base64url_encode(struct slice bytes, struct buf *out); /* without padding */
/* Canonical only (no padding, zero spare bits). */
bool base64url_decode(struct slice text, struct buf *out) MUSTCHECK;

#endif
