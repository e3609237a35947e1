#include "service/auth/auth_code.h"

#include <stdio.h>

#include "base/random.h"
#include "service/auth/auth_store_account.h"

enum { HASHED_BYTES_MAX = 512 };

struct slice auth_address(const struct auth_account *account, enum auth_channel channel)
{
    return channel == AUTH_CHANNEL_EMAIL ? account->email_key : account->phone;
}

void auth_code_make(char ret_digits[AUTH_CODE_DIGITS + 1])
{
    snprintf(ret_digits, AUTH_CODE_DIGITS + 1, "%06u", (unsigned)random_below(1000000));
}
_Static_assert(AUTH_CODE_DIGITS == 6, "auth_code_make writes six");

static void hash_code(const uint8_t key[SEAL_KEY_BYTES], const struct auth_account *account,
                      enum auth_code_purpose purpose, enum auth_channel channel,
                      struct slice digits, uint8_t ret_hash[32])
{
    struct buf text;
    buf_init(&text, HASHED_BYTES_MAX);
    buf_char(&text, (char)purpose);
    buf_append(&text, account->user.bytes, sizeof account->user.bytes);
    buf_slice(&text, digits);
    buf_char(&text, 0); /* neither digits nor addresses have it */
    buf_slice(&text, auth_address(account, channel));
    panic_if(!buf_ok(&text), "an address has at most %d bytes", AUTH_EMAIL_MAX);
    seal_mac(key, buf_view(&text), ret_hash);
    buf_done(&text);
}

int auth_code_put(struct db_tx *tx, const uint8_t key[SEAL_KEY_BYTES],
                  const struct auth_account *account, enum auth_code_purpose purpose,
                  enum auth_channel channel, const char *digits, int64_t now_ms, struct error *err)
{
    struct auth_code_row row = {
        .channel = channel, .expires_at = now_ms + AUTH_CODE_TTL_MS, .tries_left = AUTH_CODE_TRIES};
    hash_code(key, account, purpose, channel, slice_str(digits), row.hash);
    return auth_store_put_code(tx, &account->user, purpose, &row, err);
}

/* A clock that was set back gives a code at most once more of the time that it had. */
static bool in_time(const struct auth_code_row *row, int64_t now_ms)
{
    int64_t left_ms = row->expires_at - now_ms;
    return left_ms > 0 && left_ms <= 2 * AUTH_CODE_TTL_MS;
}

int auth_code_use(struct db_tx *tx, const uint8_t key[SEAL_KEY_BYTES],
                  const struct auth_account *account, enum auth_code_purpose purpose,
                  struct slice digits, int64_t now_ms, bool *ret_good, struct error *err)
{
    struct auth_code_row row;
    uint8_t hash[32];
    bool found = false;
    *ret_good = false;
    int rc = auth_store_get_code(tx, &account->user, purpose, &row, &found, err);
    if (rc < 0 || !found || !in_time(&row, now_ms) || row.tries_left <= 0 ||
        digits.len != AUTH_CODE_DIGITS)
        return rc;
    hash_code(key, account, purpose, row.channel, digits, hash);
    *ret_good =
        seal_equal(hash, row.hash, sizeof hash) && auth_address(account, row.channel).ptr != NULL;
    return *ret_good ? auth_store_delete_code(tx, &account->user, purpose, err)
                     : auth_store_take_try(tx, &account->user, purpose, err);
}
