/* Signing keys: made once, rotated without a refused token, given by configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account_rig.h"
#include "service/social/social.h"

static const char *verdict(struct rig *r, struct slice token)
{
    struct principal who;
    struct error err;
    error_init(&err);
    return token_check(r->kit.tokens, token, &who, &err) == 0 ? "accepted" : err.code;
}

static struct slice issue(struct rig *r)
{
    struct principal who = {.user = id_new(&r->clock.clock), .session = id_new(&r->clock.clock)};
    struct buf token;
    buf_init(&token, JWT_BYTES_MAX);
    CHECK_OK(token_issue(r->kit.tokens, &who, &token, &r->err), &r->err);
    struct slice copy = arena_copy(&r->arena, buf_view(&token));
    buf_done(&token);
    return copy;
}

static size_t published(struct rig *r)
{
    struct buf jwks;
    size_t count = 0;
    buf_init(&jwks, 65536);
    token_write_jwks(r->kit.tokens, &jwks);
    for (size_t i = 0; i + 6 <= jwks.len; i++)
        count += memcmp(jwks.ptr + i, "\"kid\":", 6) == 0;
    buf_done(&jwks);
    return count;
}

TEST(the_first_key_stays_over_restarts)
{
    struct rig r;
    rig_open(&r, NULL);
    struct slice token = issue(&r);
    CHECK_INT(published(&r), 1);
    rig_reopen(&r);
    CHECK_INT(published(&r), 1);
    CHECK_STR(slice_str(verdict(&r, token)), "accepted");
    rig_close(&r);
}

/* Every half minute of a rotation: what was signed is accepted for its whole life, and every
 * signing key has been published for ten minutes before it signs. */
TEST(no_token_is_refused_while_keys_rotate)
{
    struct rig r;
    struct slice tokens[200];
    rig_open(&r, NULL);
    CHECK_INT(published(&r), 1);
    CHECK_OK(auth_keys_rotate(&r.kit, &r.err), &r.err);
    CHECK_INT(published(&r), 2);
    char before[JWK_KID_MAX + 1];
    memcpy(before, rig_auth(&r)->keys.loaded[0], sizeof before);
    for (int i = 0; i < 120; i++) {
        CHECK_OK(auth_tend_keys(rig_auth(&r), &r.err), &r.err);
        tokens[i] = issue(&r);
        for (int j = i >= 29 ? i - 29 : 0; j <= i; j++)
            CHECK_STR(slice_str(verdict(&r, tokens[j])), "accepted");
        CHECK_INT(strcmp(rig_auth(&r)->keys.loaded[0], before) == 0, i < 20);
        clock_fake_advance(&r.clock, MINUTE / 2);
    }
    CHECK_INT(published(&r), 1); /* the old one has done its time */
    rig_close(&r);
}

/* So many rotations in a row that the signing key was not among the newest any more. */
TEST(bug_sixteen_rotations_signed_everybody_out)
{
    struct rig r;
    rig_open(&r, NULL);
    struct slice token = issue(&r);
    CHECK_OK(auth_keys_rotate(&r.kit, &r.err), &r.err);
    for (int i = 0; i < 40; i++) {
        CHECK_INT(auth_keys_rotate(&r.kit, &r.err), FAIL_CONFLICT);
        CHECK_STR(slice_str(r.err.code), "key_pending");
        CHECK(strstr(r.err.detail, "2026-11-18T11:16:40.000Z") != NULL);
        error_init(&r.err);
    }
    CHECK_STR(slice_str(verdict(&r, token)), "accepted");
    clock_fake_advance(&r.clock, 10 * MINUTE);
    CHECK_OK(auth_keys_rotate(&r.kit, &r.err), &r.err);
    CHECK_STR(slice_str(verdict(&r, token)), "accepted");
    rig_close(&r);
}

TEST(bug_keys_that_sign_at_once_pushed_out_those_before)
{
    struct rig r;
    int rc = 0;
    rig_open(&r, (const char *const[]){"auth.key_publish_ahead=0s", NULL});
    struct slice token = issue(&r);
    for (int i = 0; i < 100 && rc == 0; i++) {
        clock_fake_advance(&r.clock, 1000);
        rc = auth_keys_rotate(&r.kit, &r.err);
        CHECK_STR(slice_str(verdict(&r, token)), "accepted");
    }
    CHECK_CODE(&r, rc, FAIL_CONFLICT, "too_many_keys");
    clock_fake_advance(&r.clock, 16 * MINUTE + 1000);
    CHECK_OK(auth_keys_rotate(&r.kit, &r.err), &r.err);
    rig_close(&r);
}

TEST(keys_of_a_certain_age_are_followed_by_new_ones)
{
    struct rig r;
    rig_open(&r, (const char *const[]){"auth.key_lifetime=30d", NULL});
    clock_fake_advance(&r.clock, 30 * 24 * 60 * MINUTE - 1);
    CHECK_OK(auth_tend_keys(rig_auth(&r), &r.err), &r.err);
    CHECK_INT(published(&r), 1);
    clock_fake_advance(&r.clock, 1);
    CHECK_OK(auth_tend_keys(rig_auth(&r), &r.err), &r.err);
    CHECK_INT(published(&r), 2);
    CHECK_OK(auth_tend_keys(rig_auth(&r), &r.err), &r.err);
    CHECK_INT(published(&r), 2); /* one at a time */
    rig_close(&r);
}

TEST(another_algorithm_takes_over_at_the_next_start)
{
    struct rig r;
    rig_open(&r, NULL);
    struct slice token = issue(&r);
    config_free(r.config);
    struct config_source source = {
        .settings = (const char *const[]){"auth.algorithm=ed25519", "auth.bcrypt_cost=4", NULL}};
    const struct config_key *tables[] = {kit_config, auth_module.config, social_module.config,
                                         NULL};
    CHECK_OK(config_load(tables, &source, &r.config, &r.err), &r.err);
    clock_fake_advance(&r.clock, 1);
    rig_reopen(&r);
    CHECK_INT(published(&r), 2);
    CHECK_STR(slice_str(verdict(&r, token)), "accepted");
    CHECK_STR(slice_str(verdict(&r, issue(&r))), "accepted");
    rig_close(&r);
}

TEST(a_shared_secret_signs_and_is_not_published)
{
    struct rig r;
    rig_open(&r, (const char *const[]){"auth.algorithm=hs256",
                                       "auth.secret=0123456789abcdef0123456789abcdef", NULL});
    CHECK_INT(published(&r), 0);
    CHECK_STR(slice_str(verdict(&r, issue(&r))), "accepted");
    rig_close(&r);
}

TEST(a_key_file_signs)
{
    char path[512], setting[600];
    struct error err;
    struct buf pem;
    struct jwk *key = NULL;
    struct rig r;
    error_init(&err);
    buf_init(&pem, 4096);
    CHECK_OK(jwk_generate(JWT_EDDSA, &key, &err), &err);
    CHECK_OK(jwk_to_pkcs8(key, &pem, &err), &err);
    snprintf(path, sizeof path, "%s/key.pem", test_dir());
    snprintf(setting, sizeof setting, "auth.signing_key=%s", path);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fwrite(pem.ptr, 1, pem.len, file) == pem.len);
    if (file != NULL)
        fclose(file);
    rig_open(&r, (const char *const[]){setting, NULL});
    CHECK_STR(slice_str(rig_auth(&r)->keys.loaded[0]), jwk_kid(key));
    CHECK_STR(slice_str(verdict(&r, issue(&r))), "accepted");
    rig_close(&r);
    jwk_unref(key);
    buf_done(&pem);
}

TEST(unusable_keys_are_refused_at_start)
{
    static const char *const bad[][3] = {
        {"auth.algorithm=hs256", "auth.secret=too short", NULL},
        {"auth.algorithm=hs256", NULL, NULL},
        {"auth.signing_key=/nonexistent/key.pem", NULL, NULL},
        {"auth.signing_key=/etc/passwd", NULL, NULL},
    };
    struct rig r;
    rig_open(&r, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct config_source source = {.settings = bad[i]};
        const struct config_key *tables[] = {kit_config, auth_module.config, NULL};
        struct config *config = NULL, *mine = r.config;
        struct auth_keys keys = {.count = 0};
        error_init(&r.err);
        CHECK_OK(config_load(tables, &source, &config, &r.err), &r.err);
        r.kit.config = config;
        CHECK(auth_keys_load(&r.kit, r.kit.main_db, &keys, &r.err) < 0);
        CHECK_INT(keys.count, 0);
        r.kit.config = mine;
        config_free(config);
    }
    error_init(&r.err);
    rig_close(&r);
}
