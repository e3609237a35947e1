/* Signing up and in: who gets tokens, and every refusal. */
#include <stdio.h>

#include "account_rig.h"

static int sign_up(struct rig *r, struct auth_signup in)
{
    struct auth_grant grant;
    bool pending;
    if (in.password.ptr == NULL)
        in.password = SLICE("a good password");
    return auth_sign_up(rig_auth(r), rig_call(r), &in, &grant, &pending, &r->err);
}

static const struct error_field *field(const struct rig *r, const char *name)
{
    for (unsigned i = 0; i < r->err.field_count; i++)
        if (strcmp(r->err.fields[i].field, name) == 0)
            return &r->err.fields[i];
    static const struct error_field none = {.code = "(no such field)"};
    return &none;
}

TEST(sign_up_gives_tokens_and_a_profile)
{
    struct rig r;
    rig_open(&r, NULL);
    struct auth_grant grant = rig_sign_up(&r, "Alice.B", "Alice@Example.com", "+4915112345678");
    CHECK_STR(grant.token_type, "Bearer");
    CHECK_INT(grant.expires_in, 900);
    CHECK_STR(grant.user->username, "alice.b");
    CHECK_STR(grant.user->email, "Alice@Example.com");
    CHECK_STR(grant.user->phone, "+4915112345678");
    struct principal who = rig_principal(&r, grant.access_token);
    CHECK(id_eq(&who.user, &grant.user->id));
    CHECK_INT(who.role, ROLE_USER);
    CHECK_INT(rig_count_events(&r, &auth_user_created_event, NULL), 1);
    rig_close(&r);
}

TEST(sign_in_by_any_name)
{
    static const char *const logins[] = {"alice", "ALICE", "alice@example.com", "ALICE@EXAMPLE.COM",
                                         "+4915112345678"};
    struct rig r;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    rig_sign_up(&r, "alice", "Alice@example.com", "+4915112345678");
    for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
        struct auth_grant grant = {0};
        CHECK_OK(rig_sign_in(&r, logins[i], "password of alice", &grant), &r.err);
        rig_clear(&r);
    }
    rig_close(&r);
}

TEST(what_is_taken_is_refused_with_every_field)
{
    struct rig r;
    rig_open(&r, NULL);
    rig_sign_up(&r, "alice", "alice@example.com", "+4915112345678");
    CHECK_CODE(&r, sign_up(&r, (struct auth_signup){.username = SLICE("ALICE")}), FAIL_CONFLICT,
               "username_taken");
    CHECK_CODE(&r,
               sign_up(&r, (struct auth_signup){.username = SLICE("bob"),
                                                .email = SLICE("ALICE@example.COM")}),
               FAIL_CONFLICT, "email_taken");
    CHECK_CODE(&r,
               sign_up(&r, (struct auth_signup){.username = SLICE("bob"),
                                                .phone = SLICE("+4915112345678")}),
               FAIL_CONFLICT, "phone_taken");
    CHECK_INT(sign_up(&r, (struct auth_signup){.username = SLICE("alice"),
                                               .email = SLICE("alice@example.com")}),
              FAIL_CONFLICT);
    CHECK_INT(r.err.field_count, 2);
    CHECK_STR(slice_str(field(&r, "email")->code), "email_taken");
    rig_clear(&r);
    CHECK_INT(rig_count_events(&r, &auth_user_created_event, NULL), 1);
    rig_close(&r);
}

TEST(bad_fields_are_told_together)
{
    struct rig r;
    rig_open(&r, NULL);
    CHECK_INT(sign_up(&r, (struct auth_signup){.username = SLICE("a b"),
                                               .email = SLICE("no"),
                                               .phone = SLICE("123"),
                                               .password = SLICE("short")}),
              FAIL_INVALID);
    CHECK_STR(slice_str(field(&r, "username")->code), "not_allowed");
    CHECK_STR(slice_str(field(&r, "email")->code), "invalid_email");
    CHECK_STR(slice_str(field(&r, "phone")->code), "invalid_phone");
    CHECK_STR(slice_str(field(&r, "password")->code), "too_short");
    rig_clear(&r);
    char longer[73];
    memset(longer, 'x', sizeof longer);
    CHECK_INT(sign_up(&r, (struct auth_signup){.username = SLICE("bob"),
                                               .password = slice_of(longer, 73)}),
              FAIL_INVALID);
    CHECK_STR(slice_str(field(&r, "password")->code), "too_long");
    rig_clear(&r);
    CHECK_INT(sign_up(&r, (struct auth_signup){.username = SLICE("Root")}), FAIL_INVALID);
    CHECK_STR(slice_str(field(&r, "username")->code), "reserved");
    rig_close(&r);
}

TEST(refusals_do_not_tell_whether_the_account_exists)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    rig_sign_up(&r, "alice", NULL, NULL);
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "wrong password", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_CODE(&r, rig_sign_in(&r, "nobody", "wrong password", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_CODE(&r, rig_sign_in(&r, "no body!", "wrong password", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_CODE(&r, rig_sign_in(&r, "alice@", "wrong password", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    rig_close(&r);
}

TEST(five_attempts_for_an_account_whatever_the_address)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    rig_sign_up(&r, "alice", "alice@example.com", NULL);
    for (int i = 0; i < 5; i++)
        CHECK_CODE(&r,
                   rig_sign_in(&r, i % 2 ? "alice" : "alice@example.com", "wrong password", &grant),
                   FAIL_UNAUTHENTICATED, "invalid_credentials");
    /* Also the right password: an attacker must not learn that it was right. */
    for (int i = 0; i < 3; i++)
        CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_UNAUTHENTICATED,
                   "invalid_credentials");
    CHECK_INT(rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_LIMITED);
    CHECK_STR(slice_str(r.err.code), "too_many_attempts");
    CHECK(r.err.retry_after_ms > 0);
    rig_clear(&r);
    clock_fake_advance(&r.clock, 30 * MINUTE);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    rig_close(&r);
}

/* The answer to a first try, headers and all; the status in front. */
static struct slice first_try(struct rig *r, const char *login, const char *password)
{
    struct auth_grant grant;
    struct buf answer;
    struct auth_call call = *rig_call(r);
    struct auth_login in = {.login = slice_str(login), .password = slice_str(password)};
    buf_init(&answer, 1024);
    call.headers = &answer;
    int rc = auth_sign_in(rig_auth(r), &call, &in, &grant, &r->err);
    buf_printf(&answer, "%d %s %lld", rc, r->err.code, (long long)r->err.retry_after_ms);
    error_init(&r->err);
    struct slice copy = arena_copy(&r->arena, buf_view(&answer));
    buf_done(&answer);
    return copy;
}

/* After five misses by the user name a single try by an address told that it was the same
 * person's. */
TEST(bug_attempts_told_whose_an_address_is)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    rig_sign_up(&r, "alice", "alice@example.com", "+4915112345678");
    for (int i = 0; i < 5; i++)
        CHECK_CODE(&r, rig_sign_in(&r, "alice", "wrong password", &grant), FAIL_UNAUTHENTICATED,
                   "invalid_credentials");
    struct slice nobodys = first_try(&r, "nobody@example.com", "password of alice");
    CHECK(slice_find(nobodys, 'r') >= 0); /* it has a limit in it */
    CHECK(slice_eq(first_try(&r, "alice@example.com", "wrong password"), nobodys));
    CHECK(slice_eq(first_try(&r, "+4915112345678", "password of alice"), nobodys));
    clock_fake_advance(&r.clock, 30 * MINUTE);
    CHECK_OK(rig_sign_in(&r, "alice@example.com", "password of alice", &grant), &r.err);
    rig_close(&r);
}

TEST(a_success_forgives_the_account)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    rig_sign_up(&r, "alice", NULL, NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            CHECK_CODE(&r, rig_sign_in(&r, "alice", "wrong password", &grant), FAIL_UNAUTHENTICATED,
                       "invalid_credentials");
        CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
        rig_clear(&r);
    }
    rig_close(&r);
}

TEST(five_attempts_from_an_address_whoever_is_meant)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, NULL);
    rig_sign_up(&r, "alice", NULL, NULL);
    for (int i = 0; i < 5; i++) {
        char login[16];
        snprintf(login, sizeof login, "user%d", i);
        CHECK_CODE(&r, rig_sign_in(&r, login, "wrong password", &grant), FAIL_UNAUTHENTICATED,
                   "invalid_credentials");
    }
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_LIMITED,
               "too_many_attempts");
    rig_outside(&r)->address.s6_addr[7] = 2; /* another network of 64 bits */
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    rig_close(&r);
}

TEST(ten_sign_ups_from_an_address)
{
    struct rig r;
    rig_open(&r, NULL);
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%d", i);
        CHECK_OK(sign_up(&r, (struct auth_signup){.username = slice_str(name)}), &r.err);
        rig_clear(&r);
    }
    CHECK_CODE(&r, sign_up(&r, (struct auth_signup){.username = SLICE("user10")}), FAIL_LIMITED,
               "too_many_signups");
    rig_close(&r);
}

static int never_there(struct auth *auth, struct auth_expected *expected, struct error *err)
{
    return error_set(err, FAIL_TIMEOUT, "timeout", "Not within two seconds.");
}

TEST(a_profile_that_is_late_leaves_the_account_pending)
{
    struct rig r;
    struct auth_grant grant;
    bool pending = false;
    rig_open(&r, NULL);
    rig_auth(&r)->wait_registered = never_there;
    struct auth_signup in = {.username = SLICE("alice"), .password = SLICE("password of alice")};
    CHECK_OK(auth_sign_up(rig_auth(&r), rig_call(&r), &in, &grant, &pending, &r.err), &r.err);
    CHECK(pending);
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_FORBIDDEN,
               "account_pending");
    rig_pump(&r);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    rig_close(&r);
}

TEST(a_disabled_account)
{
    struct rig r;
    struct auth_grant grant, old;
    struct principal who;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    old = rig_sign_up(&r, "alice", NULL, NULL);
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("alice"), false, &r.err), &r.err);
    CHECK_INT(token_check(r.kit.tokens, old.access_token, &who, &r.err), FAIL_UNAUTHENTICATED);
    error_init(&r.err);
    CHECK_INT(auth_refresh(rig_auth(&r), rig_call(&r), old.refresh_token, &grant, &r.err),
              FAIL_FORBIDDEN);
    CHECK_STR(slice_str(r.err.code), "account_disabled");
    rig_clear(&r);
    /* Only who knows the password learns that it is disabled. */
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "wrong password", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_FORBIDDEN,
               "account_disabled");
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("alice"), true, &r.err), &r.err);
    clock_fake_advance(&r.clock, 1);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    rig_principal(&r, grant.access_token);
    rig_close(&r);
}

TEST(bug_enabling_an_account_brought_its_old_sessions_back)
{
    struct rig r;
    struct auth_grant old, grant;
    rig_open(&r, NULL);
    old = rig_sign_up(&r, "alice", NULL, NULL);
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("alice"), false, &r.err), &r.err);
    CHECK_INT(rig_number(&r, "SELECT count(*) FROM session WHERE ended_at IS NULL"), 0);
    clock_fake_advance(&r.clock, 1);
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("alice"), true, &r.err), &r.err);
    clock_fake_advance(&r.clock, 1);
    CHECK_INT(auth_refresh(rig_auth(&r), rig_call(&r), old.refresh_token, &grant, &r.err),
              FAIL_UNAUTHENTICATED);
    CHECK_STR(slice_str(r.err.code), "session_ended");
    error_init(&r.err);
    /* Another role ends none. */
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    CHECK_OK(auth_user_set_role(&r.kit, SLICE("alice"), ROLE_ADMIN, &r.err), &r.err);
    CHECK_INT(rig_number(&r, "SELECT count(*) FROM session WHERE ended_at IS NULL"), 1);
    rig_close(&r);
}

static int stored_hash_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct rig *r = arg;
    struct auth_account account;
    bool found;
    int rc = auth_store_find_account(tx, AUTH_BY_USERNAME, SLICE("alice"), &r->arena, &account,
                                     &found, err);
    CHECK(slice_starts(account.password_hash, SLICE("$2b$05$")));
    return rc;
}

TEST(a_raised_cost_hashes_again_at_sign_in)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, NULL);
    rig_sign_up(&r, "alice", NULL, NULL);
    rig_auth(&r)->bcrypt_cost = 5;
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    CHECK_OK(db_read(r.kit.main_db, stored_hash_tx, &r, &r.err), &r.err);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    rig_close(&r);
}

TEST(a_changed_password_ends_the_other_sessions)
{
    struct rig r;
    struct auth_grant here, there, grant;
    struct principal other;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    here = rig_sign_up(&r, "alice", NULL, NULL);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &there), &r.err);
    struct principal who = rig_principal(&r, here.access_token);
    CHECK_INT(auth_change_password(rig_auth(&r), rig_call(&r), &who, SLICE("wrong"),
                                   SLICE("a new password"), &r.err),
              FAIL_FORBIDDEN);
    CHECK_STR(slice_str(r.err.code), "wrong_password");
    error_init(&r.err);
    CHECK_INT(auth_change_password(rig_auth(&r), rig_call(&r), &who, SLICE("password of alice"),
                                   SLICE("short"), &r.err),
              FAIL_INVALID);
    CHECK_STR(slice_str(field(&r, "new_password")->code), "too_short");
    error_init(&r.err);
    CHECK_OK(auth_change_password(rig_auth(&r), rig_call(&r), &who, SLICE("password of alice"),
                                  SLICE("a new password"), &r.err),
             &r.err);
    rig_principal(&r, here.access_token);
    CHECK_INT(token_check(r.kit.tokens, there.access_token, &other, &r.err), FAIL_UNAUTHENTICATED);
    CHECK_STR(slice_str(r.err.code), "token_revoked");
    rig_clear(&r);
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_OK(rig_sign_in(&r, "alice", "a new password", &grant), &r.err);
    rig_close(&r);
}

TEST(guessing_the_current_password_is_limited_too)
{
    struct rig r;
    rig_open(&r, NULL);
    struct auth_grant grant = rig_sign_up(&r, "alice", NULL, NULL);
    struct principal who = rig_principal(&r, grant.access_token);
    for (int i = 0; i < 5; i++)
        CHECK_CODE(&r,
                   auth_change_password(rig_auth(&r), rig_call(&r), &who, SLICE("wrong"),
                                        SLICE("a new password"), &r.err),
                   FAIL_FORBIDDEN, "wrong_password");
    CHECK_CODE(&r,
               auth_change_password(rig_auth(&r), rig_call(&r), &who, SLICE("password of alice"),
                                    SLICE("a new password"), &r.err),
               FAIL_LIMITED, "too_many_attempts");
    rig_close(&r);
}

TEST(operators_make_and_promote_accounts)
{
    struct rig r;
    struct id user;
    struct auth_grant grant;
    rig_open(&r, NULL);
    struct auth_signup in = {.username = SLICE("boss"), .password = SLICE("password of boss")};
    CHECK_OK(auth_user_create(&r.kit, &in, ROLE_ADMIN, &user, &r.err), &r.err);
    CHECK_CODE(&r, auth_user_create(&r.kit, &in, ROLE_ADMIN, &user, &r.err), FAIL_CONFLICT,
               "username_taken");
    rig_pump(&r);
    CHECK_OK(rig_sign_in(&r, "boss", "password of boss", &grant), &r.err);
    CHECK_INT(rig_principal(&r, grant.access_token).role, ROLE_ADMIN);
    CHECK_OK(auth_user_set_role(&r.kit, SLICE("BOSS"), ROLE_USER, &r.err), &r.err);
    struct principal who;
    CHECK_INT(token_check(r.kit.tokens, grant.access_token, &who, &r.err), FAIL_UNAUTHENTICATED);
    error_init(&r.err);
    clock_fake_advance(&r.clock, 1);
    /* The session goes on, with the new role. */
    CHECK_OK(auth_refresh(rig_auth(&r), rig_call(&r), grant.refresh_token, &grant, &r.err), &r.err);
    CHECK_INT(rig_principal(&r, grant.access_token).role, ROLE_USER);
    CHECK_CODE(&r, auth_user_set_role(&r.kit, SLICE("nobody"), ROLE_USER, &r.err), FAIL_NOT_FOUND,
               "user_not_found");
    rig_close(&r);
}
