/* The only file that knows OpenSSL's keys. Making and reading them is here, signing and verifying
 * in jwk_sign.c. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "kit/jwk_openssl.h"

static int invalid_key(struct error *err, const char *why)
{
    return error_set(err, FAIL_INVALID, "invalid_key", "The key cannot be used: %s.", why);
}

/* Keeps the public numbers beside the key, so that publishing it needs no OpenSSL call. */
static bool keep_public(struct jwk_crypto *key)
{
    if (key->alg == JWT_EDDSA) {
        size_t len = sizeof key->x;
        return EVP_PKEY_get_raw_public_key(key->pkey, key->x, &len) == 1 && len == sizeof key->x;
    }
    BIGNUM *x = NULL, *y = NULL;
    bool good = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
                BN_bn2binpad(x, key->x, sizeof key->x) == sizeof key->x &&
                BN_bn2binpad(y, key->y, sizeof key->y) == sizeof key->y;
    BN_free(x);
    BN_free(y);
    return good;
}

/* Takes over pkey, also when it fails. */
static int wrap_pkey(EVP_PKEY *pkey, enum jwt_alg alg, bool can_sign, struct jwk_crypto **ret_key,
                     struct error *err)
{
    struct jwk_crypto *key = xcalloc(1, sizeof *key);
    key->alg = alg;
    key->can_sign = can_sign;
    key->pkey = pkey;
    if (alg != JWT_RS256 && !keep_public(key)) {
        jwk_crypto_free(key);
        return invalid_key(err, "its public part cannot be read");
    }
    *ret_key = key;
    return 0;
}

static int wrap_secret(struct slice secret, struct jwk_crypto **ret_key, struct error *err)
{
    if (secret.len < JWK_SECRET_BYTES_MIN || secret.len > JWK_SECRET_BYTES_MAX)
        return invalid_key(err, "a shared secret has 32 to 1024 bytes");
    static _Atomic uint64_t serial;
    struct jwk_crypto *key = xcalloc(1, sizeof *key + secret.len);
    key->alg = JWT_HS256;
    key->can_sign = true;
    key->serial = ++serial;
    key->secret_len = secret.len;
    memcpy(key->secret, secret.ptr, secret.len);
    *ret_key = key;
    return 0;
}

void jwk_crypto_free(struct jwk_crypto *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    OPENSSL_cleanse(key->secret, key->secret_len);
    free(key->modulus);
    free(key);
}

int jwk_crypto_generate(enum jwt_alg alg, struct jwk_crypto **ret_key, struct error *err)
{
    EVP_PKEY *pkey = NULL;
    if (alg == JWT_ES256)
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    else if (alg == JWT_EDDSA)
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (pkey == NULL)
        return error_set(err, FAIL_INTERNAL, "key_generation_failed",
                         "A signing key could not be made.");
    return wrap_pkey(pkey, alg, true, ret_key, err);
}

static EVP_PKEY *from_params(const char *type, int selection, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

/* Point on the curve and, for a private key, both halves of one pair. */
static bool check_pair(EVP_PKEY *pkey, bool private)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1 &&
                (!private || EVP_PKEY_pairwise_check(ctx) == 1);
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static int from_ec(const struct jwk_numbers *numbers, struct jwk_crypto **ret_key,
                   struct error *err)
{
    bool private = numbers->d.ptr != NULL;
    /* RFC 7518 section 6.2.1.2: the full size of a coordinate, leading zeroes included. */
    if (numbers->x.len != 32 || numbers->y.len != 32 || (private && numbers->d.len != 32))
        return invalid_key(err, "P-256 numbers have 32 bytes");
    uint8_t point[65] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, numbers->x.ptr, 32);
    memcpy(point + 33, numbers->y.ptr, 32);
    BIGNUM *d = private ? BN_bin2bn((const uint8_t *)numbers->d.ptr, 32, NULL) : NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (builder != NULL && OSSL_PARAM_BLD_push_utf8_string(builder, "group", "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, "pub", point, sizeof point) == 1 &&
        (d == NULL || OSSL_PARAM_BLD_push_BN(builder, "priv", d) == 1))
        pkey = from_params("EC", private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, builder);
    OSSL_PARAM_BLD_free(builder);
    BN_clear_free(d);
    if (pkey == NULL || !check_pair(pkey, private)) {
        EVP_PKEY_free(pkey);
        return invalid_key(err, "its numbers are no point and key of P-256");
    }
    return wrap_pkey(pkey, JWT_ES256, private, ret_key, err);
}

static int from_ed25519(const struct jwk_numbers *numbers, struct jwk_crypto **ret_key,
                        struct error *err)
{
    bool private = numbers->d.ptr != NULL;
    if (numbers->x.len != 32 || (private && numbers->d.len != 32))
        return invalid_key(err, "Ed25519 numbers have 32 bytes");
    EVP_PKEY *pkey = private ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL,
                                                               (const uint8_t *)numbers->d.ptr, 32)
                             : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL,
                                                              (const uint8_t *)numbers->x.ptr, 32);
    if (pkey == NULL)
        return invalid_key(err, "its bytes are no Ed25519 key");
    struct jwk_crypto *key;
    int rc = wrap_pkey(pkey, JWT_EDDSA, private, &key, err);
    if (rc < 0)
        return rc;
    if (memcmp(key->x, numbers->x.ptr, 32) != 0) {
        jwk_crypto_free(key);
        return invalid_key(err, "d and x are not one pair");
    }
    *ret_key = key;
    return 0;
}

static struct slice without_leading_zeroes(struct slice number)
{
    while (number.len > 0 && number.ptr[0] == 0)
        number = slice_of(number.ptr + 1, number.len - 1);
    return number;
}

static int from_rsa(const struct jwk_numbers *numbers, struct jwk_crypto **ret_key,
                    struct error *err)
{
    struct slice n = without_leading_zeroes(numbers->n), e = without_leading_zeroes(numbers->e);
    if (n.len < JWK_RSA_BYTES_MIN || n.len > JWK_RSA_BYTES_MAX || (n.ptr[n.len - 1] & 1) == 0)
        return invalid_key(err, "an RSA modulus has 2048 to 8192 bits and is odd");
    if (e.len < 1 || e.len > 8 || (e.ptr[e.len - 1] & 1) == 0 || (e.len == 1 && e.ptr[0] == 1))
        return invalid_key(err, "an RSA exponent is odd, above 1 and below 2^64");
    BIGNUM *modulus = BN_bin2bn((const uint8_t *)n.ptr, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const uint8_t *)e.ptr, (int)e.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (builder != NULL && modulus != NULL && exponent != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, "n", modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, "e", exponent) == 1)
        pkey = from_params("RSA", EVP_PKEY_PUBLIC_KEY, builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    if (pkey == NULL)
        return invalid_key(err, "its numbers are no RSA key");
    int rc = wrap_pkey(pkey, JWT_RS256, false, ret_key, err);
    if (rc < 0)
        return rc;
    struct jwk_crypto *key = *ret_key;
    key->modulus = xmalloc(n.len);
    memcpy(key->modulus, n.ptr, n.len);
    key->modulus_len = n.len;
    memcpy(key->exponent, e.ptr, e.len);
    key->exponent_len = e.len;
    return 0;
}

int jwk_crypto_from_numbers(enum jwt_alg alg, const struct jwk_numbers *numbers,
                            struct jwk_crypto **ret_key, struct error *err)
{
    switch (alg) {
    case JWT_HS256: return wrap_secret(numbers->k, ret_key, err);
    case JWT_ES256: return from_ec(numbers, ret_key, err);
    case JWT_EDDSA: return from_ed25519(numbers, ret_key, err);
    case JWT_RS256: return from_rsa(numbers, ret_key, err);
    }
    return invalid_key(err, "its algorithm is unknown");
}

static PKCS8_PRIV_KEY_INFO *read_pkcs8(struct slice bytes)
{
    if (bytes.len == 0 || bytes.len > 65536)
        return NULL;
    if (!slice_starts(slice_trim(bytes), SLICE("-----BEGIN "))) {
        const uint8_t *in = (const uint8_t *)bytes.ptr;
        return d2i_PKCS8_PRIV_KEY_INFO(NULL, &in, (long)bytes.len);
    }
    BIO *bio = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    PKCS8_PRIV_KEY_INFO *info =
        bio != NULL ? PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return info;
}

int jwk_crypto_from_pkcs8(struct slice bytes, struct jwk_crypto **ret_key, struct error *err)
{
    PKCS8_PRIV_KEY_INFO *info = read_pkcs8(bytes);
    EVP_PKEY *pkey = info != NULL ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (pkey == NULL)
        return invalid_key(err, "it is no unencrypted PKCS#8 private key, PEM or DER");
    char group[32] = "";
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return wrap_pkey(pkey, JWT_EDDSA, true, ret_key, err);
    if (EVP_PKEY_is_a(pkey, "EC") &&
        EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
        strcmp(group, "prime256v1") == 0)
        return wrap_pkey(pkey, JWT_ES256, true, ret_key, err);
    EVP_PKEY_free(pkey);
    return invalid_key(err, "it is neither Ed25519 nor P-256");
}

int jwk_crypto_to_pkcs8(const struct jwk_crypto *key, struct buf *out, struct error *err)
{
    if (key->pkey == NULL || !key->can_sign)
        return invalid_key(err, "it has no private part of its own");
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL &&
                PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1;
    if (good) {
        char *text = NULL;
        long len = BIO_get_mem_data(bio, &text);
        buf_append(out, text, (size_t)len);
        good = buf_ok(out);
    }
    BIO_free(bio);
    if (!good)
        return error_set(err, FAIL_INTERNAL, "key_export_failed", "The key cannot be written out.");
    return 0;
}

enum jwt_alg jwk_crypto_alg(const struct jwk_crypto *key)
{
    return key->alg;
}

bool jwk_crypto_can_sign(const struct jwk_crypto *key)
{
    return key->can_sign;
}

struct jwk_numbers jwk_crypto_public(const struct jwk_crypto *key)
{
    struct jwk_numbers numbers = {0};
    if (key->alg == JWT_RS256) {
        numbers.n = slice_of((const char *)key->modulus, key->modulus_len);
        numbers.e = slice_of((const char *)key->exponent, key->exponent_len);
    } else if (key->alg != JWT_HS256) {
        numbers.x = slice_of((const char *)key->x, sizeof key->x);
        if (key->alg == JWT_ES256)
            numbers.y = slice_of((const char *)key->y, sizeof key->y);
    }
    return numbers;
}
