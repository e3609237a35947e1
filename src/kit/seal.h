/* Small cryptographic tools over fixed algorithms: SHA-256, HMAC-SHA-256, AES-256-GCM. */
#ifndef PARLEY_KIT_SEAL_H
#define PARLEY_KIT_SEAL_H

#include "base/buf.h"
#include "base/error.h"

#define SEAL_KEY_BYTES 32

void seal_sha256(struct slice bytes, uint8_t ret_digest[32]);
void seal_mac(const uint8_t key[SEAL_KEY_BYTES], struct slice bytes, uint8_t ret_tag[32]);
/* In time that does not depend on the bytes. */
bool seal_equal(const void *a, const void *b, size_t len);
/* Appends a random nonce, the encrypted bytes and a tag. */
int seal_close(const uint8_t key[SEAL_KEY_BYTES], struct slice plain, struct buf *out,
               struct error *err) MUSTCHECK;
/* False when the key is another or a bit has changed; then nothing is appended. */
bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct slice sealed, struct buf *out) MUSTCHECK;

#endif
