/* Tokens that must verify: the published examples, and whatever we sign ourselves. */
#include "harness.h"
#include "jwt_samples.h"
#include "kit/jwt.h"
#include "kit/jwt_debug.h"

static struct jwk *read_jwk(struct arena *arena, const char *text)
{
    struct json_value *v;
    struct jwk *key = NULL;
    struct error err;
    error_init(&err);
    CHECK_OK(json_parse(slice_str(text), arena, &v, &err), &err);
    CHECK_OK(jwk_parse(v, &key, &err), &err);
    return key;
}

static void check_example(const char *jwk, const char *jws, const char *payload_start)
{
    struct arena arena;
    struct error err;
    struct jwt jwt = {0};
    arena_init(&arena, 1 << 20);
    error_init(&err);
    struct jwk *key = read_jwk(&arena, jwk);
    CHECK_OK(jwt_verify(slice_str(jws), &key, 1, &arena, &jwt, &err), &err);
    CHECK(slice_starts(jwt.payload_json, slice_str(payload_start)));
    jwk_unref(key);
    arena_done(&arena);
}

TEST(rfc7515_a1_hs256)
{
    check_example(HS256_JWK, HS256_JWS, "{\"iss\":\"joe\",\r\n \"exp\":1300819380");
}

TEST(rfc7515_a2_rs256)
{
    check_example(RS256_JWK, RS256_JWS, "{\"iss\":\"joe\"");
}

TEST(rfc7515_a3_es256)
{
    check_example(ES256_JWK, ES256_JWS, "{\"iss\":\"joe\"");
}

TEST(rfc8037_a4_ed25519)
{
    check_example(ED25519_JWK, ED25519_JWS, "Example of Ed25519 signing");
}

TEST(rfc8037_a4_ed25519_signature_is_the_published_one)
{
    struct arena arena;
    struct error err;
    struct buf out;
    struct json_value *v;
    struct jwk *key = NULL;
    arena_init(&arena, 1 << 20);
    error_init(&err);
    buf_init(&out, 4096);
    CHECK_OK(json_parse(SLICE("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"" ED25519_D
                              "\",\"x\":\"" ED25519_X "\"}"),
                        &arena, &v, &err),
             &err);
    CHECK_OK(jwk_parse(v, &key, &err), &err);
    CHECK(jwk_can_sign(key));
    CHECK_OK(jwt_sign(key, "at+jwt", SLICE("{}"), &out, &err), &err);
    struct jwt jwt;
    CHECK_OK(jwt_verify(buf_view(&out), &key, 1, &arena, &jwt, &err), &err);
    CHECK_STR(jwt.typ, "at+jwt");
    CHECK_STR(jwt.header_json, "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\"}");
    jwk_unref(key);
    buf_done(&out);
    arena_done(&arena);
}

static void check_round_trip(struct jwk *key)
{
    struct arena arena;
    struct error err;
    struct buf out;
    struct jwt jwt = {0};
    arena_init(&arena, 1 << 20);
    error_init(&err);
    buf_init(&out, JWT_BYTES_MAX);
    CHECK_OK(jwt_sign(key, "at+jwt", SLICE("{\"sub\":\"x\"}"), &out, &err), &err);
    CHECK_OK(jwt_verify(buf_view(&out), &key, 1, &arena, &jwt, &err), &err);
    CHECK_STR(jwt.payload_json, "{\"sub\":\"x\"}");
    buf_done(&out);
    arena_done(&arena);
}

TEST(made_keys_sign_and_survive_pkcs8)
{
    static const enum jwt_alg algs[] = {JWT_ES256, JWT_EDDSA};
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct error err;
        struct buf pem, pub1, pub2;
        struct jwk *key = NULL, *again = NULL;
        error_init(&err);
        buf_init(&pem, 4096);
        buf_init(&pub1, 4096);
        buf_init(&pub2, 4096);
        CHECK_OK(jwk_generate(algs[i], &key, &err), &err);
        CHECK_INT(strlen(jwk_kid(key)), 43);
        check_round_trip(key);
        CHECK_OK(jwk_to_pkcs8(key, &pem, &err), &err);
        CHECK(slice_starts(buf_view(&pem), SLICE("-----BEGIN PRIVATE KEY-----\n")));
        CHECK_OK(jwk_from_pkcs8(buf_view(&pem), &again, &err), &err);
        jwk_write_public(key, &pub1);
        jwk_write_public(again, &pub2);
        CHECK(slice_eq(buf_view(&pub1), buf_view(&pub2)));
        CHECK(memmem(pub1.ptr, pub1.len, "\"d\"", 3) == NULL);
        check_round_trip(again);
        jwk_unref(key);
        jwk_unref(again);
        buf_done(&pem);
        buf_done(&pub1);
        buf_done(&pub2);
    }
}

TEST(a_secret_signs_without_a_name)
{
    struct error err;
    struct jwk *key = NULL;
    error_init(&err);
    CHECK_OK(jwk_from_secret(SLICE("0123456789abcdef0123456789abcdef"), &key, &err), &err);
    CHECK_INT(strlen(jwk_kid(key)), 0);
    check_round_trip(key);
    struct jwk *other = NULL;
    CHECK_OK(jwk_from_secret(SLICE("another secret of thirty-two byte"), &other, &err), &err);
    /* The thread's HMAC context holds one key at a time: going back and forth must not mix them. */
    check_round_trip(other);
    check_round_trip(key);
    jwk_unref(key);
    jwk_unref(other);
}

TEST(the_kid_picks_the_key_and_a_nameless_token_tries_those_of_its_algorithm)
{
    struct arena arena;
    struct error err;
    struct buf out;
    struct jwk *keys[3] = {0};
    struct jwt jwt;
    arena_init(&arena, 1 << 20);
    error_init(&err);
    buf_init(&out, JWT_BYTES_MAX);
    CHECK_OK(jwk_generate(JWT_EDDSA, &keys[0], &err), &err);
    CHECK_OK(jwk_generate(JWT_ES256, &keys[1], &err), &err);
    keys[2] = read_jwk(&arena, ES256_JWK);
    CHECK_OK(jwt_sign(keys[1], "JWT", SLICE("{}"), &out, &err), &err);
    CHECK_OK(jwt_verify(buf_view(&out), keys, 3, &arena, &jwt, &err), &err);
    CHECK_OK(jwt_verify(SLICE(ES256_JWS), keys, 3, &arena, &jwt, &err), &err);
    for (int i = 0; i < 3; i++)
        jwk_unref(keys[i]);
    buf_done(&out);
    arena_done(&arena);
}

TEST(published_thumbprint_rfc8037_a3)
{
    /* A key read from PKCS#8 is named by its thumbprint: the DER of RFC 8037's key. */
    static const uint8_t head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                   0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    struct error err;
    struct buf der;
    struct jwk *key = NULL;
    error_init(&err);
    buf_init(&der, 64);
    buf_append(&der, head, sizeof head);
    CHECK(base64url_decode(SLICE(ED25519_D), &der));
    CHECK_OK(jwk_from_pkcs8(buf_view(&der), &key, &err), &err);
    CHECK_STR(slice_str(jwk_kid(key)), ED25519_THUMBPRINT);
    jwk_unref(key);
    buf_done(&der);
}

/* As long as a thumbprint by SHA-512. */
#define LONG_KID                                                                                   \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234a"

static bool verifies(struct arena *arena, struct slice token, size_t count, struct jwk *const *keys)
{
    struct jwt jwt;
    struct error err;
    error_init(&err);
    return jwt_verify(token, keys, count, arena, &jwt, &err) == 0;
}

/* Only eight keys that could fit were tried, in the order of the set. */
TEST(bug_a_key_far_behind_in_the_set_was_not_tried)
{
    enum { COUNT = 40 };
    struct arena arena;
    struct error err;
    struct buf named;
    struct jwk *keys[COUNT];
    arena_init(&arena, 1 << 20);
    error_init(&err);
    buf_init(&named, JWT_BYTES_MAX);
    for (int i = 0; i < COUNT; i++) /* the curve's base point: nobody's signature here */
        keys[i] =
            read_jwk(&arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"axfR8uEsQkf4vOblY6RA8ncD"
                             "fYEt6zOg9KE5RdiYwpY\",\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7"
                             "ZAaDe_UfU\"}");
    jwk_unref(keys[10]);
    keys[10] = read_jwk(&arena, ES256_JWK);
    CHECK(verifies(&arena, SLICE(ES256_JWS), 11, keys));
    /* There is an end to it, but not for a key that the token names. */
    jwk_unref(keys[COUNT - 1]);
    keys[COUNT - 1] = keys[10];
    keys[10] = jwk_ref(keys[9]);
    CHECK(!verifies(&arena, SLICE(ES256_JWS), COUNT, keys));
    jwk_unref(keys[COUNT - 1]);
    keys[COUNT - 1] =
        read_jwk(&arena, "{" ES256_XY ",\"d\":\"" ES256_D "\",\"kid\":\"" LONG_KID "\"}");
    CHECK_OK(jwt_sign(keys[COUNT - 1], "JWT", SLICE("{}"), &named, &err), &err);
    CHECK(verifies(&arena, buf_view(&named), COUNT, keys));
    for (int i = 0; i < COUNT; i++)
        jwk_unref(keys[i]);
    buf_done(&named);
    arena_done(&arena);
}

static void check_line(const char *line, const char *want)
{
    struct buf out;
    buf_init(&out, 16);
    int rc = jws_debug_line(slice_str(line), &out);
    CHECK_STR(buf_view(&out), want);
    CHECK_INT(rc, 0);
    buf_done(&out);
}

TEST(debug_lines_say_ok_or_fail)
{
    check_line("{\"jwk\":" HS256_JWK ",\"jws\":\"" HS256_JWS "\"}", "ok");
    check_line("{\"jws\":\"" ES256_JWS "\",\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\"}," ES256_JWK
               "]}",
               "ok");
    check_line("{\"jwk\":" ES256_JWK ",\"jws\":\"" HS256_JWS "\"}", "fail");
    check_line("{\"jwk\":" ES256_JWK "}", "fail");
    check_line("{\"jws\":\"" ES256_JWS "\"}", "fail");
    check_line("{\"keys\":7,\"jws\":\"" ES256_JWS "\"}", "fail");
    check_line("not json", "fail");
    check_line("", "fail");
}
