/* Tokens, keys and claims from a stranger. The input is a line of `parley debug verify-jws`, or a
 * token for the authority; both must end in a refusal or a clean answer. */
#include "kit/jwt_debug.h"
#include "kit/token.h"

static struct token_authority *authority;

static void start(void)
{
    struct error err;
    struct jwk *key = NULL;
    struct token_config config = {.clock = &clock_system,
                                  .issuer = "parley",
                                  .audience = "parley",
                                  .access_ttl_ms = 900000,
                                  .leeway_ms = 30000,
                                  .cache_ms = 60000};
    error_init(&err);
    panic_if(jwk_from_secret(SLICE("0123456789abcdef0123456789abcdef"), &key, &err) < 0 ||
                 token_authority_new(&config, &authority, &err) < 0,
             "%s", err.detail);
    token_set_keys(authority, &key, 1);
    jwk_unref(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (authority == NULL)
        start();
    struct slice input = slice_of((const char *)data, size);
    struct principal principal;
    struct error err;
    struct buf out;
    error_init(&err);
    buf_init(&out, 16);
    (void)jws_debug_line(input, &out);
    int rc = token_check(authority, input, &principal, &err);
    panic_if(rc != 0 && err.code == NULL, "a refusal without a code");
    /* The decoder is canonical: what it accepts, the encoder gives back. */
    struct buf bytes, text;
    buf_init(&bytes, 1 << 20);
    buf_init(&text, 1 << 21);
    if (base64url_decode(input, &bytes)) {
        base64url_encode(buf_view(&bytes), &text);
        panic_if(!slice_eq(buf_view(&text), input), "two texts for the same bytes");
    }
    buf_done(&bytes);
    buf_done(&text);
    buf_done(&out);
    return 0;
}
