/* Tokens and keys that must be refused. */
#include "harness.h"
#include "jwt_samples.h"
#include "kit/jwt.h"

static int parse_jwk(struct arena *arena, const char *text, struct jwk **ret_key, struct error *err)
{
    struct json_value *v;
    error_init(err);
    CHECK_OK(json_parse(slice_str(text), arena, &v, err), err);
    return jwk_parse(v, ret_key, err);
}

/* Whether the token is refused by this key, with the one code that says so. */
static bool refused(const char *jwk, struct slice token)
{
    struct arena arena;
    struct error err;
    struct jwt jwt;
    struct jwk *key = NULL;
    arena_init(&arena, 1 << 20);
    CHECK_OK(parse_jwk(&arena, jwk, &key, &err), &err);
    int rc = jwt_verify(token, &key, 1, &arena, &jwt, &err);
    if (rc != 0) {
        CHECK_INT(rc, FAIL_UNAUTHENTICATED);
        CHECK_STR(slice_str(err.code), "invalid_token");
    }
    jwk_unref(key);
    arena_done(&arena);
    return rc != 0;
}

/* Signs header and payload with the secret of A.1 whatever the header says: an attacker who knows
 * the secret cannot be stopped, so what is refused here is refused for its form. */
static void sign_hs256(const char *header, const char *payload, struct buf *out)
{
    struct arena arena;
    struct error err;
    struct jwk *key = NULL;
    struct buf signed_token;
    arena_init(&arena, 1 << 20);
    buf_init(&signed_token, 16384);
    CHECK_OK(parse_jwk(&arena, HS256_JWK, &key, &err), &err);
    /* jwt_sign writes its own header, so the header under test is smuggled in through typ. */
    struct buf typ;
    buf_init(&typ, 4096);
    buf_printf(&typ, "JWT\",%s\"x\":\"", header);
    buf_char(&typ, 0);
    CHECK_OK(jwt_sign(key, typ.ptr, slice_str(payload), &signed_token, &err), &err);
    buf_slice(out, buf_view(&signed_token));
    buf_done(&typ);
    buf_done(&signed_token);
    jwk_unref(key);
    arena_done(&arena);
}

static bool header_refused(const char *members)
{
    struct buf token;
    buf_init(&token, 16384);
    sign_hs256(members, "{}", &token);
    bool was = refused(HS256_JWK, buf_view(&token));
    buf_done(&token);
    return was;
}

TEST(header_members_that_change_the_meaning)
{
    CHECK(!header_refused("")); /* the helper itself makes good tokens */
    CHECK(!header_refused("\"jku\":\"https://evil.example\","));
    CHECK(header_refused("\"crit\":[\"exp\"],"));
    CHECK(header_refused("\"crit\":[],"));
    CHECK(header_refused("\"b64\":false,"));
    CHECK(header_refused("\"b64\":true,"));
    CHECK(header_refused("\"zip\":\"DEF\","));
    CHECK(header_refused("\"enc\":\"A128GCM\","));
    CHECK(header_refused("\"cty\":\"JWT\","));
    CHECK(header_refused("\"cty\":\"jwt\","));
    CHECK(header_refused("\"cty\":7,"));
    CHECK(header_refused("\"kid\":7,"));
    CHECK(header_refused("\"typ\":\"JWT\",")); /* stands twice */
    CHECK(header_refused("\"a\":1,\"a\":1,"));
    CHECK(header_refused("\"alg\":\"none\","));
}

TEST(alg_none_in_any_spelling)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"None\"}",
                                          "{\"alg\":\"NONE\"}",
                                          "{\"alg\":\"\"}",
                                          "{}",
                                          "{\"alg\":null}",
                                          "[]",
                                          "7"};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct buf token;
        buf_init(&token, 4096);
        base64url_encode(slice_str(headers[i]), &token);
        buf_lit(&token, "." RFC7515_PAYLOAD ".");
        CHECK(refused(HS256_JWK, buf_view(&token)));
        CHECK(refused(ES256_JWK, buf_view(&token)));
        buf_lit(&token, "AA");
        CHECK(refused(HS256_JWK, buf_view(&token)));
        buf_done(&token);
    }
}

/* The classic: a token signed by HMAC with the public key as the secret. */
TEST(hs256_keyed_with_a_public_key)
{
    static const char *const publics[] = {RS256_JWK, ES256_JWK, ED25519_JWK};
    for (size_t i = 0; i < ARRAY_LEN(publics); i++) {
        struct error err;
        struct buf token;
        struct jwk *secret = NULL;
        error_init(&err);
        buf_init(&token, 4096);
        CHECK_OK(jwk_from_secret(slice_str(publics[i]), &secret, &err), &err);
        CHECK_OK(jwt_sign(secret, "at+jwt", SLICE("{}"), &token, &err), &err);
        CHECK(refused(publics[i], buf_view(&token)));
        jwk_unref(secret);
        buf_done(&token);
    }
}

TEST(the_wrong_key_or_algorithm)
{
    CHECK(refused(ES256_JWK, SLICE(RS256_JWS)));
    CHECK(refused(RS256_JWK, SLICE(ES256_JWS)));
    CHECK(refused(ED25519_JWK, SLICE(ES256_JWS)));
    CHECK(refused(HS256_JWK, SLICE(ED25519_JWS)));
    CHECK(refused("{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
                  SLICE(HS256_JWS)));
    struct error err;
    struct jwk *other = NULL;
    struct buf token;
    error_init(&err);
    buf_init(&token, 4096);
    CHECK_OK(jwk_generate(JWT_ES256, &other, &err), &err);
    CHECK_OK(jwt_sign(other, "at+jwt", SLICE("{}"), &token, &err), &err);
    CHECK(refused(ES256_JWK, buf_view(&token)));
    jwk_unref(other);
    buf_done(&token);
}

TEST(a_kid_that_names_another_key)
{
    static const char named[] = "{" ES256_XY ",\"d\":\"" ES256_D "\",\"kid\":\"one\"}";
    static const char renamed[] = "{" ES256_XY ",\"kid\":\"two\"}";
    struct arena arena;
    struct error err;
    struct buf token;
    struct jwk *key = NULL;
    arena_init(&arena, 1 << 20);
    buf_init(&token, 4096);
    CHECK_OK(parse_jwk(&arena, named, &key, &err), &err);
    CHECK_OK(jwt_sign(key, "at+jwt", SLICE("{}"), &token, &err), &err);
    CHECK(!refused(named, buf_view(&token)));
    CHECK(!refused(ES256_JWK, buf_view(&token))); /* nameless keys answer to any name */
    CHECK(refused(renamed, buf_view(&token)));
    jwk_unref(key);
    buf_done(&token);
    arena_done(&arena);
}

/* Each example with each character changed in turn must fail, or be no change at all. */
TEST(every_altered_character)
{
    static const struct {
        const char *jwk, *jws;
    } samples[] = {{HS256_JWK, HS256_JWS}, {ES256_JWK, ES256_JWS}, {ED25519_JWK, ED25519_JWS}};
    for (size_t s = 0; s < ARRAY_LEN(samples); s++) {
        char token[512];
        CHECK(copy_str(token, sizeof token, slice_str(samples[s].jws)));
        for (size_t i = 0; i < strlen(samples[s].jws); i += 3) {
            char was = token[i];
            token[i] = was == 'A' ? 'B' : 'A';
            if (!refused(samples[s].jwk, slice_str(token)))
                test_fail(__FILE__, __LINE__, "sample %zu, byte %zu", s, i);
            token[i] = was;
        }
    }
}

TEST(forms_that_are_not_three_canonical_parts)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        HS256_INPUT,
        HS256_INPUT ".",
        HS256_JWS ".",
        HS256_JWS ".AA",
        HS256_JWS "=",
        HS256_JWS "==",
        HS256_JWS "\n",
        " " HS256_JWS,
        HS256_JWS "A",
        /* the same signature with a spare bit set in its last character: k is 100100, l 100101 */
        HS256_INPUT ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl",
        /* base64 instead of base64url */
        HS256_INPUT ".dBjftJeZ4CVP+mB92K27uhbUJU1p1r/wW1gFWFOEjXk",
        ".eyJpc3MiOiJqb2UifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    };
    CHECK(!refused(HS256_JWK, SLICE(HS256_JWS)));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(refused(HS256_JWK, slice_str(bad[i])));
    CHECK(refused(HS256_JWK, slice_of(HS256_JWS "\0", sizeof HS256_JWS)));
}

TEST(a_token_over_eight_kilobytes)
{
    struct buf token;
    buf_init(&token, 1 << 20);
    buf_lit(&token, "eyJhbGciOiJIUzI1NiJ9.");
    while (token.len <= JWT_BYTES_MAX)
        buf_lit(&token, "AAAA");
    buf_lit(&token, ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    CHECK(refused(HS256_JWK, buf_view(&token)));
    buf_done(&token);
}

static bool es256_signature_refused(const uint8_t *signature, size_t len)
{
    struct buf token;
    buf_init(&token, 4096);
    buf_lit(&token, ES256_INPUT ".");
    base64url_encode(slice_of((const char *)signature, len), &token);
    bool was = refused(ES256_JWK, buf_view(&token));
    buf_done(&token);
    return was;
}

TEST(es256_signatures_of_zeroes_and_of_the_group_order)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                      0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint8_t raw[64] = {0};
    CHECK(es256_signature_refused(raw, 64)); /* CVE-2022-21449 */
    memcpy(raw, order, 32);
    memcpy(raw + 32, order, 32);
    CHECK(es256_signature_refused(raw, 64));
    memset(raw, 0xff, sizeof raw);
    CHECK(es256_signature_refused(raw, 64));
    memset(raw, 0, sizeof raw);
    raw[31] = 1;
    CHECK(es256_signature_refused(raw, 64));
    CHECK(es256_signature_refused(raw, 63));
    CHECK(es256_signature_refused(raw, 0));
}

TEST(es256_signature_as_der)
{
    /* The good r and s of A.3, written as DER. */
    struct buf raw, der;
    buf_init(&raw, 64);
    buf_init(&der, 128);
    CHECK(base64url_decode(slice_str(&ES256_JWS[sizeof ES256_INPUT]), &raw));
    CHECK_INT(raw.len, 64);
    CHECK(!es256_signature_refused((const uint8_t *)raw.ptr, 64));
    static const uint8_t head[] = {0x30, 0x45, 0x02, 0x20}, middle[] = {0x02, 0x21, 0x00};
    buf_append(&der, head, sizeof head);
    buf_append(&der, raw.ptr, 32);
    buf_append(&der, middle, sizeof middle);
    buf_append(&der, raw.ptr + 32, 32);
    CHECK(es256_signature_refused((const uint8_t *)der.ptr, der.len));
    buf_done(&raw);
    buf_done(&der);
}

TEST(keys_that_cannot_be_used)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"kty\":\"oct\"}",
        "{\"kty\":\"oct\",\"k\":\"\"}",
        "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", /* under 32 bytes */
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        /* not on the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{" ES256_XY ",\"alg\":\"ES384\"}",
        "{" ES256_XY ",\"alg\":\"HS256\"}",
        "{" ES256_XY ",\"use\":\"enc\"}",
        "{" ES256_XY ",\"key_ops\":[\"encrypt\"]}",
        "{" ES256_XY ",\"key_ops\":\"verify\"}",
        "{" ES256_XY ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}", /* another pair */
        "{" ES256_XY ",\"kid\":7}",
        "{" ES256_XY ",\"kid\":\"0123456789012345678901234567890123456789012345678901234567890123"
        "01234567890123456789012345678901234567890123456789012345678901234\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED25519_X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "=\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\",\"d\":\"" ED25519_X "\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS256_N "\",\"e\":\"AQ\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS256_N "\",\"e\":\"Ag\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS256_N "\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS256_N "\",\"e\":\"AQAB\",\"alg\":\"RS512\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS256_N "\",\"e\":\"AQAB\",\"alg\":\"PS256\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct arena arena;
        struct error err;
        struct jwk *key = NULL;
        arena_init(&arena, 1 << 20);
        if (parse_jwk(&arena, bad[i], &key, &err) == 0) {
            test_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
            jwk_unref(key);
        } else {
            CHECK_STR(slice_str(err.code), "invalid_key");
        }
        arena_done(&arena);
    }
}

TEST(private_keys_that_are_no_pkcs8_of_ours)
{
    static const char *const bad[] = {
        "", "x", "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err;
        struct jwk *key = NULL;
        error_init(&err);
        CHECK_INT(jwk_from_pkcs8(slice_str(bad[i]), &key, &err), FAIL_INVALID);
    }
    struct error err;
    struct jwk *key = NULL;
    error_init(&err);
    CHECK_INT(jwk_from_secret(SLICE("too short"), &key, &err), FAIL_INVALID);
}

TEST(base64url_is_canonical)
{
    struct buf out;
    buf_init(&out, 64);
    CHECK(base64url_decode(SLICE(""), &out) && out.len == 0);
    CHECK(base64url_decode(SLICE("Zg"), &out) && base64url_decode(SLICE("Zm8"), &out));
    CHECK(base64url_decode(SLICE("Zm9v"), &out));
    CHECK_STR(buf_view(&out), "ffofoo");
    static const char *const bad[] = {
        "Z", "Zh", "Zm9", "Zm9vY", "Zg==", "Zm 8", "Zm+8", "Zm/8", "Zm9\xc3"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!base64url_decode(slice_str(bad[i]), &out));
    buf_clear(&out);
    base64url_encode(SLICE("f"), &out);
    base64url_encode(SLICE("fo"), &out);
    base64url_encode(SLICE("foo"), &out);
    CHECK_STR(buf_view(&out), "ZgZm8Zm9v");
    struct buf small;
    buf_init(&small, 4);
    CHECK(!base64url_decode(SLICE("Zm9vYmFyZm9v"), &small));
    buf_done(&small);
    buf_done(&out);
}
