/* Signing and verifying over EVP.
 *
 * OpenSSL 3 looks an algorithm up by name, under a lock, whenever it is not handed a fetched one;
 * and setting up an HMAC costs more than a short HMAC itself. So the digests are fetched once per
 * process, and each thread keeps its own contexts, the HMAC one still holding its last key.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <pthread.h>
#include <stdlib.h>

#include "kit/jwk_openssl.h"

enum { HS256_BYTES = 32, ES256_BYTES = 64, EDDSA_BYTES = 64 };

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC *hmac;
static pthread_key_t thread_key;

struct contexts {
    EVP_MD_CTX *md;
    EVP_MAC_CTX *mac;
    uint64_t mac_serial; /* key that mac was last set up with; 0: none */
};

static void free_contexts(void *arg)
{
    struct contexts *c = arg;
    EVP_MD_CTX_free(c->md);
    EVP_MAC_CTX_free(c->mac);
    free(c);
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    panic_if(sha256 == NULL || hmac == NULL, "libcrypto has no SHA-256 or HMAC");
    panic_if(pthread_key_create(&thread_key, free_contexts) != 0, "no thread key left");
}

static struct contexts *contexts(void)
{
    pthread_once(&fetched, fetch);
    struct contexts *c = pthread_getspecific(thread_key);
    if (LIKELY(c != NULL))
        return c;
    c = xcalloc(1, sizeof *c);
    c->md = EVP_MD_CTX_new();
    c->mac = EVP_MAC_CTX_new(hmac);
    panic_if(c->md == NULL || c->mac == NULL || pthread_setspecific(thread_key, c) != 0,
             "out of memory");
    return c;
}

void jwk_crypto_sha256(struct slice input, uint8_t ret_digest[32])
{
    struct contexts *c = contexts();
    panic_if(EVP_DigestInit_ex2(c->md, sha256, NULL) != 1 ||
                 EVP_DigestUpdate(c->md, input.ptr, input.len) != 1 ||
                 EVP_DigestFinal_ex(c->md, ret_digest, NULL) != 1,
             "SHA-256 failed");
}

static bool hmac_sha256(const struct jwk_crypto *key, struct slice input,
                        uint8_t ret_tag[HS256_BYTES])
{
    struct contexts *c = contexts();
    bool good;
    if (c->mac_serial == key->serial) {
        good = EVP_MAC_init(c->mac, NULL, 0, NULL) == 1;
    } else {
        char name[] = "SHA256";
        OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 6),
                               OSSL_PARAM_END};
        good = EVP_MAC_init(c->mac, key->secret, key->secret_len, params) == 1;
    }
    c->mac_serial = good ? key->serial : 0;
    size_t len = 0;
    return good && EVP_MAC_update(c->mac, (const uint8_t *)input.ptr, input.len) == 1 &&
           EVP_MAC_final(c->mac, ret_tag, &len, HS256_BYTES) == 1 && len == HS256_BYTES;
}

/* r and s (RFC 7518 section 3.4) to the DER that EVP wants. Returns its length, 0 when it fails. */
static int der_of_raw(const uint8_t *raw, uint8_t **ret_der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(pair);
        return 0;
    }
    int len = i2d_ECDSA_SIG(pair, ret_der);
    ECDSA_SIG_free(pair);
    return len > 0 ? len : 0;
}

static bool verify_pkey(const struct jwk_crypto *key, struct slice input, const uint8_t *signature,
                        size_t len)
{
    EVP_MD_CTX *md = contexts()->md;
    const EVP_MD *digest = key->alg == JWT_EDDSA ? NULL : sha256;
    bool good = EVP_DigestVerifyInit(md, NULL, digest, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(md, signature, len, (const uint8_t *)input.ptr, input.len) == 1;
    EVP_MD_CTX_reset(md);
    return good;
}

static bool verify_es256(const struct jwk_crypto *key, struct slice input, const uint8_t *raw)
{
    uint8_t *der = NULL;
    int len = der_of_raw(raw, &der);
    bool good = len > 0 && verify_pkey(key, input, der, (size_t)len);
    OPENSSL_free(der);
    return good;
}

bool jwk_crypto_verify(const struct jwk_crypto *key, struct slice input, struct slice signature)
{
    const uint8_t *bytes = (const uint8_t *)signature.ptr;
    uint8_t tag[HS256_BYTES];
    switch (key->alg) {
    case JWT_HS256:
        return signature.len == HS256_BYTES && hmac_sha256(key, input, tag) &&
               CRYPTO_memcmp(tag, bytes, HS256_BYTES) == 0;
    case JWT_ES256: return signature.len == ES256_BYTES && verify_es256(key, input, bytes);
    case JWT_EDDSA:
        return signature.len == EDDSA_BYTES && verify_pkey(key, input, bytes, signature.len);
    case JWT_RS256:
        return signature.len == key->modulus_len && verify_pkey(key, input, bytes, signature.len);
    }
    return false;
}

static bool sign_pkey(const struct jwk_crypto *key, struct slice input, uint8_t *ret_signature,
                      size_t *len)
{
    EVP_MD_CTX *md = contexts()->md;
    const EVP_MD *digest = key->alg == JWT_EDDSA ? NULL : sha256;
    bool good = EVP_DigestSignInit(md, NULL, digest, NULL, key->pkey) == 1 &&
                EVP_DigestSign(md, ret_signature, len, (const uint8_t *)input.ptr, input.len) == 1;
    EVP_MD_CTX_reset(md);
    return good;
}

static bool raw_of_der(const uint8_t *der, size_t len, uint8_t ret_raw[ES256_BYTES])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_raw, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_raw + 32, 32) == 32;
    ECDSA_SIG_free(pair);
    return good;
}

int jwk_crypto_sign(const struct jwk_crypto *key, struct slice input, struct buf *ret_signature,
                    struct error *err)
{
    uint8_t made[128], raw[ES256_BYTES];
    size_t len = sizeof made;
    bool good = false;
    if (key->can_sign && key->alg == JWT_HS256) {
        len = HS256_BYTES;
        good = hmac_sha256(key, input, made);
    } else if (key->can_sign && key->alg == JWT_EDDSA) {
        good = sign_pkey(key, input, made, &len);
    } else if (key->can_sign && key->alg == JWT_ES256) {
        good = sign_pkey(key, input, made, &len) && raw_of_der(made, len, raw);
        memcpy(made, raw, sizeof raw);
        len = sizeof raw;
    }
    if (!good)
        return error_set(err, FAIL_INTERNAL, "signing_failed", "The token could not be signed.");
    buf_append(ret_signature, made, len);
    return 0;
}
