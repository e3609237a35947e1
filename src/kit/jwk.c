/* One key, as the house handles it: a name (kid), exactly one algorithm, and the numbers.
 *
 * The algorithm is fixed by the kind of key when it is read: P-256 is ES256, Ed25519 is EdDSA, RSA
 * is RS256, a secret is HS256. A JWK that says anything else about itself is refused, so that no
 * token can ever choose (RFC 8725 section 3.1).
 */
#include "kit/jwk.h"

#include <stdlib.h>

static const char *const alg_names[] = {
    [JWT_HS256] = "HS256", [JWT_ES256] = "ES256", [JWT_EDDSA] = "EdDSA", [JWT_RS256] = "RS256"};

const char *jwt_alg_name(enum jwt_alg alg)
{
    return alg_names[alg];
}

static struct jwk *wrap(struct jwk_crypto *crypto)
{
    struct jwk *key = xcalloc(1, sizeof *key);
    atomic_init(&key->refs, 1);
    key->alg = jwk_crypto_alg(crypto);
    key->crypto = crypto;
    return key;
}

struct jwk *jwk_ref(struct jwk *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void jwk_unref(struct jwk *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1)
        return;
    jwk_crypto_free(key->crypto);
    free(key);
}

const char *jwk_kid(const struct jwk *key)
{
    return key->kid;
}

enum jwt_alg jwk_alg(const struct jwk *key)
{
    return key->alg;
}

bool jwk_can_sign(const struct jwk *key)
{
    return jwk_crypto_can_sign(key->crypto);
}

static void write_number(struct buf *out, const char *name, struct slice bytes)
{
    buf_printf(out, "\"%s\":\"", name);
    base64url_encode(bytes, out);
    buf_char(out, '"');
}

/* The required members in lexical order, without blanks: what RFC 7638 section 3.2 hashes. */
static void write_required(const struct jwk *key, struct buf *out)
{
    struct jwk_numbers public = jwk_crypto_public(key->crypto);
    if (key->alg == JWT_RS256) {
        buf_char(out, '{');
        write_number(out, "e", public.e);
        buf_lit(out, ",\"kty\":\"RSA\",");
        write_number(out, "n", public.n);
    } else if (key->alg == JWT_ES256) {
        buf_lit(out, "{\"crv\":\"P-256\",\"kty\":\"EC\",");
        write_number(out, "x", public.x);
        buf_char(out, ',');
        write_number(out, "y", public.y);
    } else {
        buf_lit(out, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
        write_number(out, "x", public.x);
    }
    buf_char(out, '}');
}

void jwk_write_public(const struct jwk *key, struct buf *out)
{
    panic_if(key->alg == JWT_HS256, "a shared secret has no public part");
    write_required(key, out);
    if (!buf_ok(out))
        return;
    out->len--; /* reopens the object */
    buf_printf(out, ",\"alg\":\"%s\",\"use\":\"sig\"", alg_names[key->alg]);
    if (key->kid[0] != 0) {
        buf_lit(out, ",\"kid\":");
        json_write_string(out, slice_str(key->kid));
    }
    buf_char(out, '}');
}

static void name_by_thumbprint(struct jwk *key)
{
    struct buf text, kid;
    buf_init(&text, 4096);
    buf_init(&kid, JWK_KID_MAX);
    uint8_t digest[32];
    write_required(key, &text);
    jwk_crypto_sha256(buf_view(&text), digest);
    base64url_encode(slice_of((const char *)digest, sizeof digest), &kid);
    panic_if(!copy_str(key->kid, sizeof key->kid, buf_view(&kid)), "a thumbprint has 43 letters");
    buf_done(&text);
    buf_done(&kid);
}

int jwk_generate(enum jwt_alg alg, struct jwk **ret_key, struct error *err)
{
    struct jwk_crypto *crypto;
    int rc = jwk_crypto_generate(alg, &crypto, err);
    if (rc < 0)
        return rc;
    *ret_key = wrap(crypto);
    name_by_thumbprint(*ret_key);
    return 0;
}

int jwk_from_pkcs8(struct slice bytes, struct jwk **ret_key, struct error *err)
{
    struct jwk_crypto *crypto;
    int rc = jwk_crypto_from_pkcs8(bytes, &crypto, err);
    if (rc < 0)
        return rc;
    *ret_key = wrap(crypto);
    name_by_thumbprint(*ret_key);
    return 0;
}

int jwk_from_secret(struct slice secret, struct jwk **ret_key, struct error *err)
{
    struct jwk_crypto *crypto;
    struct jwk_numbers numbers = {.k = secret};
    int rc = jwk_crypto_from_numbers(JWT_HS256, &numbers, &crypto, err);
    if (rc < 0)
        return rc;
    *ret_key = wrap(crypto); /* nameless: a name made from the secret would help to guess it */
    return 0;
}

int jwk_to_pkcs8(const struct jwk *key, struct buf *out, struct error *err)
{
    return jwk_crypto_to_pkcs8(key->crypto, out, err);
}

/* --- reading a JWK ---------------------------------------------------------------------------- */

static int invalid(struct error *err, const char *why)
{
    return error_set(err, FAIL_INVALID, "invalid_key", "The JWK cannot be used: %s.", why);
}

static bool text_is(const struct json_value *object, const char *member, const char *want)
{
    return slice_eq(json_member_text(object, member), slice_str(want));
}

static int alg_of(const struct json_value *object, enum jwt_alg *ret_alg, struct error *err)
{
    enum jwt_alg alg;
    if (text_is(object, "kty", "EC") && text_is(object, "crv", "P-256"))
        alg = JWT_ES256;
    else if (text_is(object, "kty", "OKP") && text_is(object, "crv", "Ed25519"))
        alg = JWT_EDDSA;
    else if (text_is(object, "kty", "RSA"))
        alg = JWT_RS256;
    else if (text_is(object, "kty", "oct"))
        alg = JWT_HS256;
    else
        return invalid(err, "kty and crv name no kind of key that is known here");
    if (json_member(object, "alg") != NULL && !text_is(object, "alg", alg_names[alg]))
        return invalid(err, "alg is another than the one for this kind of key");
    *ret_alg = alg;
    return 0;
}

/* RFC 7517 sections 4.2 and 4.3: a key for encryption must not check signatures. */
static bool meant_for_signatures(const struct json_value *object)
{
    const struct json_value *use = json_member(object, "use");
    if (use != NULL && !text_is(object, "use", "sig"))
        return false;
    const struct json_value *ops = json_member(object, "key_ops");
    if (ops == NULL)
        return true;
    if (ops->type != JSON_ARRAY)
        return false;
    for (const struct json_value *op = ops->first; op != NULL; op = op->next)
        if (op->type == JSON_STRING &&
            (slice_eq(op->text, SLICE("verify")) || slice_eq(op->text, SLICE("sign"))))
            return true;
    return false;
}

/* Decodes the member into bytes[] at *used. Absent slice when the member is missing. */
static bool number_of(const struct json_value *object, const char *member, struct buf *bytes,
                      struct slice *ret_number)
{
    const struct json_value *v = json_member(object, member);
    *ret_number = (struct slice){0};
    if (v == NULL)
        return true;
    size_t start = bytes->len;
    if (v->type != JSON_STRING || v->text.len == 0 || !base64url_decode(v->text, bytes))
        return false;
    *ret_number = slice_of(bytes->ptr + start, bytes->len - start);
    return true;
}

enum { NUMBERS_BYTES_MAX = 4096 };

static int read_numbers(const struct json_value *object, enum jwt_alg alg,
                        struct jwk_crypto **ret_crypto, struct error *err)
{
    struct buf bytes;
    buf_init(&bytes, NUMBERS_BYTES_MAX);
    /* All of it at once: the slices below must not move. */
    bool good = buf_reserve(&bytes, NUMBERS_BYTES_MAX);
    struct jwk_numbers numbers = {0};
    if (alg == JWT_HS256)
        good = good && number_of(object, "k", &bytes, &numbers.k);
    else if (alg == JWT_RS256)
        good = good && number_of(object, "n", &bytes, &numbers.n) &&
               number_of(object, "e", &bytes, &numbers.e);
    else
        good = good && number_of(object, "x", &bytes, &numbers.x) &&
               number_of(object, "d", &bytes, &numbers.d) &&
               (alg != JWT_ES256 || number_of(object, "y", &bytes, &numbers.y));
    int rc = good ? jwk_crypto_from_numbers(alg, &numbers, ret_crypto, err)
                  : invalid(err, "a number of it is not canonical base64url or too long");
    if (bytes.ptr != NULL)
        explicit_bzero(bytes.ptr, bytes.cap);
    buf_done(&bytes);
    return rc;
}

static int kid_of(const struct json_value *object, char ret_kid[JWK_KID_MAX + 1], struct error *err)
{
    const struct json_value *kid = json_member(object, "kid");
    ret_kid[0] = 0;
    if (kid == NULL)
        return 0;
    if (kid->type != JSON_STRING || memchr(kid->text.ptr, 0, kid->text.len) != NULL ||
        !copy_str(ret_kid, JWK_KID_MAX + 1, kid->text))
        return invalid(err, "kid is a text of at most 128 bytes");
    return 0;
}

int jwk_parse(const struct json_value *object, struct jwk **ret_key, struct error *err)
{
    char kid[JWK_KID_MAX + 1];
    enum jwt_alg alg = JWT_HS256;
    struct jwk_crypto *crypto;
    if (object == NULL || object->type != JSON_OBJECT)
        return invalid(err, "it is no JSON object");
    if (!meant_for_signatures(object))
        return invalid(err, "use or key_ops say that it is not for signatures");
    int rc = alg_of(object, &alg, err);
    if (rc == 0)
        rc = kid_of(object, kid, err);
    if (rc == 0)
        rc = read_numbers(object, alg, &crypto, err);
    if (rc < 0)
        return rc;
    *ret_key = wrap(crypto);
    memcpy((*ret_key)->kid, kid, sizeof kid);
    return 0;
}
