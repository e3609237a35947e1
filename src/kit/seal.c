#include "kit/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "base/random.h"
#include "kit/jwk_crypto.h"

enum { NONCE_BYTES = 12, TAG_BYTES = 16, PLAIN_MAX = 1 << 20 };

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_CIPHER *gcm;

static void fetch(void)
{
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    panic_if(gcm == NULL, "libcrypto has no AES-256-GCM");
}

void seal_sha256(struct slice bytes, uint8_t ret_digest[32])
{
    jwk_crypto_sha256(bytes, ret_digest);
}

void seal_mac(const uint8_t key[SEAL_KEY_BYTES], struct slice bytes, uint8_t ret_tag[32])
{
    size_t len = 0;
    panic_if(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, SEAL_KEY_BYTES,
                       (const uint8_t *)bytes.ptr, bytes.len, ret_tag, 32, &len) == NULL ||
                 len != 32,
             "HMAC failed");
}

bool seal_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

int seal_close(const uint8_t key[SEAL_KEY_BYTES], struct slice plain, struct buf *out,
               struct error *err)
{
    pthread_once(&fetched, fetch);
    size_t start = out->len;
    if (plain.len > PLAIN_MAX || !buf_reserve(out, NONCE_BYTES + plain.len + TAG_BYTES))
        return error_set(err, FAIL_TOO_LARGE, "too_large", "%zu bytes cannot be sealed.",
                         plain.len);
    uint8_t *nonce = (uint8_t *)out->ptr + start, *body = nonce + NONCE_BYTES;
    random_bytes(nonce, NONCE_BYTES);
    int len = 0, last = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good =
        ctx != NULL && EVP_EncryptInit_ex2(ctx, gcm, key, nonce, NULL) == 1 &&
        EVP_EncryptUpdate(ctx, body, &len, (const uint8_t *)plain.ptr, (int)plain.len) == 1 &&
        EVP_EncryptFinal_ex(ctx, body + len, &last) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, body + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!good)
        return error_set(err, FAIL_INTERNAL, "sealing_failed", "Bytes could not be sealed.");
    out->len = start + NONCE_BYTES + plain.len + TAG_BYTES;
    return 0;
}

bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct slice sealed, struct buf *out)
{
    pthread_once(&fetched, fetch);
    if (sealed.len < NONCE_BYTES + TAG_BYTES || sealed.len > PLAIN_MAX + NONCE_BYTES + TAG_BYTES)
        return false;
    size_t plain = sealed.len - NONCE_BYTES - TAG_BYTES;
    if (!buf_reserve(out, plain + 1))
        return false;
    const uint8_t *nonce = (const uint8_t *)sealed.ptr, *body = nonce + NONCE_BYTES;
    uint8_t *to = (uint8_t *)out->ptr + out->len, tag[TAG_BYTES];
    memcpy(tag, body + plain, TAG_BYTES);
    int len = 0, last = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = ctx != NULL && EVP_DecryptInit_ex2(ctx, gcm, key, nonce, NULL) == 1 &&
                EVP_DecryptUpdate(ctx, to, &len, body, (int)plain) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
                EVP_DecryptFinal_ex(ctx, to + len, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (good)
        out->len += plain;
    return good;
}
