#include "service/auth/auth_refresh_token.h"

#include "base/random.h"
#include "kit/jwt.h"

enum { ID_BYTES = 16, SECRET_BYTES = 24, TAG_BYTES = 16, SIGNED_BYTES = ID_BYTES + SECRET_BYTES };

/* One key serves several purposes; the first byte keeps them apart. */
enum { PURPOSE_TAG = 't', PURPOSE_ANSWER = 'a' };

static void mac_for(const uint8_t key[SEAL_KEY_BYTES], char purpose, struct slice bytes,
                    uint8_t ret_mac[32])
{
    char text[1 + 128];
    panic_if(bytes.len > sizeof text - 1, "a refresh token is shorter");
    text[0] = purpose;
    memcpy(text + 1, bytes.ptr, bytes.len);
    seal_mac(key, slice_of(text, bytes.len + 1), ret_mac);
}

static void finish(struct auth_refresh_token *token, const char bytes[SIGNED_BYTES + TAG_BYTES])
{
    struct buf text;
    buf_init(&text, sizeof token->text);
    base64url_encode(slice_of(bytes, SIGNED_BYTES + TAG_BYTES), &text);
    panic_if(!copy_str(token->text, sizeof token->text, buf_view(&text)),
             "56 bytes are 75 letters");
    buf_done(&text);
    memcpy(token->session.bytes, bytes, ID_BYTES);
    seal_sha256(slice_of(token->text, AUTH_REFRESH_TEXT), token->hash);
}

void auth_refresh_token_make(const uint8_t key[SEAL_KEY_BYTES], const struct id *session,
                             struct auth_refresh_token *ret_token)
{
    char bytes[SIGNED_BYTES + TAG_BYTES];
    uint8_t mac[32];
    memcpy(bytes, session->bytes, ID_BYTES);
    random_bytes(bytes + ID_BYTES, SECRET_BYTES);
    mac_for(key, PURPOSE_TAG, slice_of(bytes, SIGNED_BYTES), mac);
    memcpy(bytes + SIGNED_BYTES, mac, TAG_BYTES);
    finish(ret_token, bytes);
}

bool auth_refresh_token_read(const uint8_t key[SEAL_KEY_BYTES], struct slice text,
                             struct auth_refresh_token *ret_token)
{
    struct buf bytes;
    uint8_t mac[32];
    buf_init(&bytes, SIGNED_BYTES + TAG_BYTES);
    bool good = text.len == AUTH_REFRESH_TEXT && base64url_decode(text, &bytes);
    if (good) {
        mac_for(key, PURPOSE_TAG, slice_of(bytes.ptr, SIGNED_BYTES), mac);
        good = seal_equal(mac, bytes.ptr + SIGNED_BYTES, TAG_BYTES);
    }
    if (good)
        finish(ret_token, bytes.ptr);
    buf_done(&bytes);
    return good;
}

void auth_refresh_answer_key(const uint8_t key[SEAL_KEY_BYTES],
                             const struct auth_refresh_token *token,
                             uint8_t ret_key[SEAL_KEY_BYTES])
{
    mac_for(key, PURPOSE_ANSWER, slice_of(token->text, AUTH_REFRESH_TEXT), ret_key);
}
