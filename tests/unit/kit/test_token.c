/* Access tokens: what they say, when they are refused, and that revocation beats the cache. */
#include <stdlib.h>

#include "harness.h"
#include "io/loop.h"
#include "kit/token.h"
#include "kit/token_block.h"
#include "kit/token_cache.h"

#define NOW INT64_C(1795000000000)
#define MINUTE INT64_C(60000)

struct fixture {
    struct clock_fake clock;
    struct token_authority *authority;
    struct jwk *key;
    struct principal principal;
    struct buf token;
    struct error err;
};

static void setup(struct fixture *f, enum jwt_alg alg)
{
    clock_fake_init(&f->clock, NOW);
    error_init(&f->err);
    buf_init(&f->token, JWT_BYTES_MAX);
    struct token_config config = {.clock = &f->clock.clock,
                                  .issuer = "https://parley.test",
                                  .audience = "parley",
                                  .access_ttl_ms = 15 * MINUTE,
                                  .leeway_ms = 30000,
                                  .cache_ms = MINUTE};
    CHECK_OK(token_authority_new(&config, &f->authority, &f->err), &f->err);
    if (alg == JWT_HS256)
        CHECK_OK(jwk_from_secret(SLICE("0123456789abcdef0123456789abcdef"), &f->key, &f->err),
                 &f->err);
    else
        CHECK_OK(jwk_generate(alg, &f->key, &f->err), &f->err);
    token_set_keys(f->authority, &f->key, 1);
    f->principal = (struct principal){.user = id_new(&f->clock.clock),
                                      .session = id_new(&f->clock.clock),
                                      .role = ROLE_MODERATOR};
    CHECK_OK(token_issue(f->authority, &f->principal, &f->token, &f->err), &f->err);
}

static void teardown(struct fixture *f)
{
    token_authority_free(f->authority);
    jwk_unref(f->key);
    buf_done(&f->token);
}

/* NULL when the token is good, else the code it was refused with. */
static const char *refusal_of(struct fixture *f, struct slice token)
{
    struct principal got;
    error_init(&f->err);
    int rc = token_check(f->authority, token, &got, &f->err);
    if (rc == 0)
        return NULL;
    CHECK_INT(rc, FAIL_UNAUTHENTICATED);
    return f->err.code;
}

static const char *refusal(struct fixture *f)
{
    return refusal_of(f, buf_view(&f->token));
}

static void check_code(const char *got, const char *want)
{
    CHECK_STR(slice_str(got != NULL ? got : "accepted"), want);
}

TEST(a_token_tells_who_it_is)
{
    static const enum jwt_alg algs[] = {JWT_HS256, JWT_ES256, JWT_EDDSA};
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct fixture f;
        struct principal got = {0};
        setup(&f, algs[i]);
        CHECK_OK(token_check(f.authority, buf_view(&f.token), &got, &f.err), &f.err);
        CHECK(id_eq(&got.user, &f.principal.user));
        CHECK(id_eq(&got.session, &f.principal.session));
        CHECK_INT(got.role, ROLE_MODERATOR);
        CHECK_INT(got.scopes, SCOPE_MODERATE);
        CHECK_INT(got.issued_ms, NOW);
        CHECK_INT(got.expires_ms, NOW + 15 * MINUTE);
        teardown(&f);
    }
}

TEST(expiry_has_thirty_seconds_of_leeway)
{
    struct fixture f;
    setup(&f, JWT_HS256);
    clock_fake_advance(&f.clock, 15 * MINUTE + 29999);
    CHECK(refusal(&f) == NULL);
    clock_fake_advance(&f.clock, 1);
    check_code(refusal(&f), "token_expired");
    f.clock.wall_ms = NOW - 30000;
    CHECK(refusal(&f) == NULL);
    f.clock.wall_ms = NOW - 30001;
    check_code(refusal(&f), "token_not_yet_valid");
    teardown(&f);
}

/* Signs claims as they stand, with the fixture's key. */
static const char *refusal_of_claims(struct fixture *f, const char *typ, const char *claims)
{
    struct buf token;
    buf_init(&token, JWT_BYTES_MAX);
    error_init(&f->err);
    CHECK_OK(jwt_sign(f->key, typ, slice_str(claims), &token, &f->err), &f->err);
    const char *code = refusal_of(f, buf_view(&token));
    buf_done(&token);
    return code;
}

#define ISS "\"iss\":\"https://parley.test\","
#define AUD "\"aud\":\"parley\","
#define SUB "\"sub\":\"01890000-0000-7000-8000-000000000001\","
#define SID "\"sid\":\"01890000-0000-7000-8000-000000000002\","
#define TIMES "\"iat\":1795000000,\"exp\":1795000900,"
#define ROLE "\"role\":\"user\""

TEST(claims_that_are_refused)
{
    static const struct {
        const char *typ, *claims, *code;
    } cases[] = {
        {"at+jwt", "{" ISS AUD SUB SID TIMES ROLE "}", NULL},
        {"application/AT+jwt", "{" ISS AUD SUB SID TIMES ROLE "}", NULL},
        {"at+jwt", "{" ISS "\"aud\":[\"x\",\"parley\"]," SUB SID TIMES ROLE "}", NULL},
        {"JWT", "{" ISS AUD SUB SID TIMES ROLE "}", "invalid_token"},
        {"", "{" ISS AUD SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" AUD SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{\"iss\":\"https://other\"," AUD SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS "\"aud\":[]," SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS "\"aud\":[[\"parley\"]]," SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS "\"aud\":\"parley2\"," SUB SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS AUD "\"sub\":\"alice\"," SID TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB TIMES ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID TIMES "\"role\":\"root\"}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID TIMES "\"role\":2}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID "\"iat\":1795000000," ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID "\"iat\":1795000000,\"exp\":\"1795000900\"," ROLE "}",
         "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID "\"iat\":1795000000,\"exp\":1e99," ROLE "}",
         "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID "\"iat\":1795000000,\"exp\":9223372036854775807," ROLE "}",
         "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID "\"iat\":-1,\"exp\":1795000900," ROLE "}", "invalid_token"},
        {"at+jwt", "{" ISS AUD SUB SID "\"iat\":1794990000,\"exp\":1794999970," ROLE "}",
         "token_expired"},
        {"at+jwt", "{" ISS AUD SUB SID TIMES "\"nbf\":1795000031," ROLE "}", "token_not_yet_valid"},
        {"at+jwt", "{" ISS AUD SUB SID TIMES ROLE "," ROLE "}", "invalid_token"},
        {"at+jwt", "[]", "invalid_token"},
        {"at+jwt", "", "invalid_token"},
    };
    struct fixture f;
    setup(&f, JWT_HS256);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = refusal_of_claims(&f, cases[i].typ, cases[i].claims);
        if ((got == NULL) != (cases[i].code == NULL) ||
            (got != NULL && strcmp(got, cases[i].code) != 0))
            test_fail(__FILE__, __LINE__, "case %zu: %s", i, got != NULL ? got : "accepted");
    }
    teardown(&f);
}

TEST(an_empty_or_endless_token)
{
    struct fixture f;
    setup(&f, JWT_HS256);
    check_code(refusal_of(&f, (struct slice){0}), "invalid_token");
    char *endless = xcalloc(1, JWT_BYTES_MAX + 1);
    check_code(refusal_of(&f, slice_of(endless, JWT_BYTES_MAX + 1)), "invalid_token");
    free(endless);
    teardown(&f);
}

TEST(a_revoked_session)
{
    struct fixture f;
    setup(&f, JWT_ES256);
    struct id other = id_new(&f.clock.clock);
    token_revoke_session(f.authority, &other);
    CHECK(refusal(&f) == NULL);
    CHECK(token_still_valid(f.authority, &f.principal));
    token_revoke_session(f.authority, &f.principal.session);
    check_code(refusal(&f), "token_revoked");
    CHECK(!token_still_valid(f.authority, &f.principal));
    teardown(&f);
}

TEST(a_revoked_user_may_sign_in_again)
{
    struct fixture f;
    setup(&f, JWT_ES256);
    token_revoke_user(f.authority, &f.principal.user, NOW + 1);
    check_code(refusal(&f), "token_revoked");
    clock_fake_advance(&f.clock, 1); /* in the same second: iat alone could not tell */
    buf_clear(&f.token);
    CHECK_OK(token_issue(f.authority, &f.principal, &f.token, &f.err), &f.err);
    CHECK(refusal(&f) == NULL);
    teardown(&f);
}

TEST(keys_are_replaced_whole)
{
    struct fixture f;
    struct buf jwks;
    setup(&f, JWT_ES256);
    struct jwk *next = NULL;
    CHECK_OK(jwk_generate(JWT_EDDSA, &next, &f.err), &f.err);
    token_set_keys(f.authority, (struct jwk *[]){next, f.key}, 2);
    CHECK(refusal(&f) == NULL); /* the old key still verifies */
    buf_init(&jwks, 4096);
    token_write_jwks(f.authority, &jwks);
    CHECK(memmem(jwks.ptr, jwks.len, jwk_kid(next), 43) != NULL);
    CHECK(memmem(jwks.ptr, jwks.len, jwk_kid(f.key), 43) != NULL);
    token_set_keys(f.authority, &next, 1);
    check_code(refusal(&f), "invalid_token");
    jwk_unref(next);
    buf_done(&jwks);
    teardown(&f);
}

TEST(a_shared_secret_is_never_published)
{
    struct fixture f;
    struct buf jwks;
    setup(&f, JWT_HS256);
    buf_init(&jwks, 4096);
    token_write_jwks(f.authority, &jwks);
    CHECK_STR(buf_view(&jwks), "{\"keys\":[]}");
    buf_done(&jwks);
    teardown(&f);
}

TEST(without_keys_nothing_is_signed)
{
    struct fixture f;
    setup(&f, JWT_HS256);
    token_set_keys(f.authority, NULL, 0);
    buf_clear(&f.token);
    CHECK_INT(token_issue(f.authority, &f.principal, &f.token, &f.err), FAIL_INTERNAL);
    teardown(&f);
}

/* --- on a loop: the cached path --------------------------------------------------------------- */

struct on_loop {
    struct mail mail;
    struct fixture *f;
    struct loop *loop;
};

static void check_on_loop(struct mail *mail)
{
    struct on_loop *t = CONTAINER_OF(mail, struct on_loop, mail);
    struct fixture *f = t->f;
    CHECK(refusal(f) == NULL);
    CHECK(refusal(f) == NULL);
    /* Another text is another token, whatever the cache holds. */
    f->token.ptr[f->token.len - 2] ^= 1;
    check_code(refusal(f), "invalid_token");
    f->token.ptr[f->token.len - 2] ^= 1;
    CHECK(refusal(f) == NULL);
    /* A cached token is refused at once, and stays so. */
    token_revoke_session(f->authority, &f->principal.session);
    check_code(refusal(f), "token_revoked");
    check_code(refusal(f), "token_revoked");
    /* A cached token of a removed key is refused. */
    f->principal.session = id_new(&f->clock.clock);
    buf_clear(&f->token);
    CHECK_OK(token_issue(f->authority, &f->principal, &f->token, &f->err), &f->err);
    CHECK(refusal(f) == NULL);
    /* The cache does not outlive the token: cached in its last ten seconds, over after them. */
    clock_fake_advance(&f->clock, 15 * MINUTE + 20000);
    CHECK(refusal(f) == NULL);
    clock_fake_advance(&f->clock, 10000);
    check_code(refusal(f), "token_expired");
    buf_clear(&f->token);
    CHECK_OK(token_issue(f->authority, &f->principal, &f->token, &f->err), &f->err);
    CHECK(refusal(f) == NULL);
    token_set_keys(f->authority, NULL, 0);
    check_code(refusal(f), "invalid_token");
    loop_stop(t->loop);
}

TEST(the_cache_never_says_more_than_the_verifier)
{
    struct fixture f;
    struct loop_config config = {0};
    setup(&f, JWT_ES256);
    struct on_loop t = {.mail.deliver = check_on_loop, .f = &f};
    CHECK_OK(loop_new(&config, &t.loop, &f.err), &f.err);
    loop_post(t.loop, &t.mail);
    loop_run(t.loop);
    loop_free(t.loop);
    teardown(&f);
}

/* --- the parts -------------------------------------------------------------------------------- */

TEST(cache_keeps_what_fits_and_forgets_what_is_over)
{
    struct token_cache cache;
    token_cache_init(&cache);
    struct token_digest first = token_cache_digest(&cache, SLICE("token 0"));
    CHECK(token_cache_find(&cache, first, 0) == NULL);
    for (int i = 0; i < 100000; i++) {
        struct token_entry entry = {.until_ms = 1000 + i};
        entry.digest = token_cache_digest(&cache, slice_of((const char *)&i, sizeof i));
        token_cache_put(&cache, &entry, 500);
        CHECK(token_cache_find(&cache, entry.digest, 500) != NULL);
        CHECK(token_cache_find(&cache, entry.digest, 1000 + i) == NULL);
    }
    CHECK_INT(cache.mask, 16383);
    token_cache_clear(&cache);
    CHECK_INT(cache.used, 0);
    token_cache_done(&cache);
}

TEST(digests_differ_in_every_byte_and_key)
{
    struct token_cache one, two;
    token_cache_init(&one);
    token_cache_init(&two);
    char text[100] = {0};
    struct token_digest base = token_cache_digest(&one, slice_of(text, sizeof text));
    struct token_digest other = token_cache_digest(&two, slice_of(text, sizeof text));
    for (int w = 0; w < 4; w++)
        CHECK(base.words[w] != other.words[w]);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = 1;
        struct token_digest changed = token_cache_digest(&one, slice_of(text, sizeof text));
        CHECK(memcmp(&changed.words[0], &base.words[0], 16) != 0);
        CHECK(memcmp(&changed.words[2], &base.words[2], 16) != 0);
        text[i] = 0;
        struct token_digest shorter = token_cache_digest(&one, slice_of(text, i));
        CHECK(memcmp(&shorter, &base, sizeof base) != 0);
    }
    token_cache_done(&one);
    token_cache_done(&two);
}

static size_t entries_of(const struct token_block *block)
{
    return block->sessions.count + block->users.count;
}

TEST(block_list_forgets_what_has_expired)
{
    struct token_block block;
    token_block_init(&block, 1000);
    struct principal p = {.user = id_new(&clock_system), .session = id_new(&clock_system)};
    for (int i = 0; i < 100; i++) {
        struct id id = id_new(&clock_system);
        token_block_session(&block, &id, i);
    }
    CHECK_INT(entries_of(&block), 100);
    token_block_session(&block, &p.session, TOKEN_BLOCK_KEEP_MS + 50);
    CHECK_INT(entries_of(&block), 50);
    CHECK(token_block_has(&block, &p));
    token_block_user(&block, &p.user, 7, 2 * TOKEN_BLOCK_KEEP_MS + 5000);
    CHECK_INT(entries_of(&block), 1);
    p.issued_ms = 6;
    CHECK(token_block_has(&block, &p));
    p.issued_ms = 7;
    CHECK(!token_block_has(&block, &p));
    token_block_user(&block, &p.user, 5,
                     2 * TOKEN_BLOCK_KEEP_MS +
                         5000); /* an older line never takes back a newer one */
    p.issued_ms = 6;
    CHECK(token_block_has(&block, &p));
    token_block_done(&block);
}
