/* Codes and letters: how long they serve, for whom, and what a mailer that is away costs. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account_rig.h"
#include "service/auth/auth_code.h"
#include "service/auth/auth_letter.h"
#include "service/auth/auth_store_account.h"

#define EMAIL "alice@b.example"

static void send_letters(struct rig *r)
{
    CHECK_OK(auth_send_letters(rig_auth(r), &r->err), &r->err);
}

static int is_letter(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* How many letters there are; the digits of the newest one's code, "" without. */
static int letters(char ret_code[AUTH_CODE_DIGITS + 1])
{
    char path[1024], text[4096] = "";
    struct dirent **names = NULL;
    snprintf(path, sizeof path, "%s/spool", test_dir());
    int count = scandir(path, &names, is_letter, alphasort);
    if (count > 0) {
        snprintf(path, sizeof path, "%s/spool/%s", test_dir(), names[count - 1]->d_name);
        FILE *file = fopen(path, "r");
        CHECK(file != NULL);
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    const char *at = strstr(text, "\r\n    ");
    ret_code[0] = 0;
    if (at != NULL)
        CHECK(copy_str(ret_code, AUTH_CODE_DIGITS + 1, slice_of(at + 6, AUTH_CODE_DIGITS)));
    return count;
}

static int ask(struct rig *r, const struct id *user)
{
    return auth_ask_verification(rig_auth(r), rig_call(r), user, AUTH_CHANNEL_EMAIL, &r->err);
}

static int verify(struct rig *r, const struct id *user, const char *code)
{
    return auth_verify(rig_auth(r), rig_call(r), user, AUTH_CHANNEL_EMAIL, slice_str(code),
                       &r->err);
}

/* A signed-up person, with the code that has just gone to them. */
static struct id person_with_code(struct rig *r, char ret_code[AUTH_CODE_DIGITS + 1])
{
    struct id user = rig_sign_up(r, "alice", EMAIL, NULL).user->id;
    CHECK_OK(ask(r, &user), &r->err);
    send_letters(r);
    CHECK_INT(letters(ret_code), 1);
    CHECK_INT(strlen(ret_code), AUTH_CODE_DIGITS);
    return user;
}

TEST(a_code_serves_for_ten_minutes_and_once)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    struct id user = person_with_code(&r, code);
    clock_fake_advance(&r.clock, AUTH_CODE_TTL_MS);
    CHECK_CODE(&r, verify(&r, &user, code), FAIL_FORBIDDEN, "invalid_code");
    CHECK_OK(ask(&r, &user), &r.err);
    send_letters(&r);
    letters(code);
    clock_fake_advance(&r.clock, AUTH_CODE_TTL_MS - 1);
    CHECK_OK(verify(&r, &user, code), &r.err);
    CHECK_CODE(&r, verify(&r, &user, code), FAIL_CONFLICT, "already_verified");
    rig_close(&r);
}

TEST(what_is_no_code_takes_no_try)
{
    static const char *const odd[] = {"", "1", "1234567", "abcdefg", "12345678901234567890"};
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    struct id user = person_with_code(&r, code);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < ARRAY_LEN(odd); i++)
            CHECK_CODE(&r, verify(&r, &user, odd[i]), FAIL_FORBIDDEN, "invalid_code");
    CHECK_OK(verify(&r, &user, code), &r.err);
    rig_close(&r);
}

static int move_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct db_sql sql = {
        "UPDATE account SET email = 'new@b.example', email_key = 'new@b.example'"
        " WHERE user_id = ?1"};
    return db_exec(tx, &sql, err, db_id(arg));
}

TEST(a_code_is_bound_to_the_address_it_went_to)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    struct id user = person_with_code(&r, code);
    CHECK_OK(db_write(r.kit.main_db, move_tx, &user, &r.err), &r.err);
    CHECK_CODE(&r, verify(&r, &user, code), FAIL_FORBIDDEN, "invalid_code");
    rig_close(&r);
}

TEST(codes_are_limited_by_the_quarter_of_an_hour_and_by_the_day)
{
    struct rig r;
    int sent = 0;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", EMAIL, NULL).user->id;
    for (int quarter = 0; quarter < 8; quarter++) {
        while (ask(&r, &user) == 0)
            sent++;
        CHECK_STR(slice_str(r.err.code), "too_many_codes");
        CHECK(r.err.retry_after_ms > 0);
        rig_clear(&r);
        if (quarter == 0)
            CHECK_INT(sent, 5);
        clock_fake_advance(&r.clock, 30 * MINUTE);
    }
    CHECK_INT(sent, 20);
    rig_close(&r);
}

/* By each of its names an account got as many as it may have. */
TEST(bug_an_account_with_three_names_got_three_times_the_codes)
{
    static const char *const logins[] = {"alice", EMAIL, "+4915112345678"};
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    rig_sign_up(&r, "alice", EMAIL, "+4915112345678");
    for (size_t i = 0; i < 15; i++)
        CHECK_OK(auth_forgot_password(rig_auth(&r), rig_call(&r), slice_str(logins[i % 3]), &r.err),
                 &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 5);
    CHECK_INT(rig_number(&r, "SELECT count(*) FROM auth_letter"), 0);
    /* The last one that went out serves still. */
    CHECK_INT(rig_number(&r, "SELECT count(*) FROM auth_code"), 1);
    clock_fake_advance(&r.clock, 30 * MINUTE);
    CHECK_OK(auth_forgot_password(rig_auth(&r), rig_call(&r), SLICE("alice"), &r.err), &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 6);
    rig_close(&r);
}

static int move(struct rig *r, const struct id *user, const char *email)
{
    return auth_set_contact(rig_auth(r), rig_call(r), user, AUTH_CHANNEL_EMAIL, slice_str(email),
                            SLICE("password of alice"), &r->err);
}

/* Forty changes in a row went through, and told whose addresses have accounts. */
TEST(bug_addresses_could_be_changed_without_end)
{
    struct rig r;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", EMAIL, NULL).user->id;
    rig_sign_up(&r, "bob", "bob@b.example", NULL);
    for (int i = 0; i < 5; i++)
        if (i % 2 == 0)
            CHECK_OK(move(&r, &user, i % 4 == 0 ? "one@b.example" : "two@b.example"), &r.err);
        else
            CHECK_CODE(&r, move(&r, &user, "bob@b.example"), FAIL_CONFLICT, "email_taken");
    CHECK_INT(move(&r, &user, "three@b.example"), FAIL_LIMITED);
    CHECK_STR(slice_str(r.err.code), "too_many_changes");
    CHECK(r.err.retry_after_ms > 0 && r.err.retry_after_ms <= HOUR);
    error_init(&r.err);
    clock_fake_advance(&r.clock, 2 * HOUR);
    CHECK_OK(move(&r, &user, "three@b.example"), &r.err);
    rig_close(&r);
}

TEST(bug_a_stranger_was_told_that_an_address_had_changed)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", "a.stranger@b.example", NULL).user->id;
    CHECK_OK(move(&r, &user, EMAIL), &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 0);
    CHECK_OK(ask(&r, &user), &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 1);
    CHECK_OK(verify(&r, &user, code), &r.err);
    CHECK_OK(move(&r, &user, "another@b.example"), &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 2);
    rig_close(&r);
}

TEST(resetting_ends_everything_and_takes_another_password)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    struct auth_grant grant;
    rig_open(&r, NULL);
    struct auth_grant before = rig_sign_up(&r, "alice", EMAIL, NULL);
    struct principal who = rig_principal(&r, before.access_token);
    CHECK_OK(auth_forgot_password(rig_auth(&r), rig_call(&r), SLICE("ALICE"), &r.err), &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 1);
    CHECK_OK(auth_reset_password(rig_auth(&r), rig_call(&r), SLICE(EMAIL), slice_str(code),
                                 SLICE("a new password"), &r.err),
             &r.err);
    CHECK(!token_still_valid(r.kit.tokens, &who));
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_OK(rig_sign_in(&r, "alice", "a new password", &grant), &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 2);
    CHECK_STR(slice_str(code), ""); /* that it was changed, and no code */
    rig_close(&r);
}

TEST(nobody_is_written_to_who_does_not_exist_or_is_disabled)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    rig_sign_up(&r, "alice", EMAIL, NULL);
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("alice"), false, &r.err), &r.err);
    CHECK_OK(auth_forgot_password(rig_auth(&r), rig_call(&r), SLICE(EMAIL), &r.err), &r.err);
    CHECK_OK(auth_forgot_password(rig_auth(&r), rig_call(&r), SLICE("nobody@b.example"), &r.err),
             &r.err);
    send_letters(&r);
    CHECK_INT(letters(code), 0);
    rig_close(&r);
}

static void close_spool(bool away)
{
    char path[512], other[512];
    snprintf(path, sizeof path, "%s/spool", test_dir());
    snprintf(other, sizeof other, "%s/elsewhere", test_dir());
    CHECK(rename(away ? path : other, away ? other : path) == 0);
}

TEST(a_letter_waits_for_a_mailer_that_is_away_and_outlives_a_restart)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", EMAIL, NULL).user->id;
    close_spool(true);
    CHECK_OK(ask(&r, &user), &r.err);
    send_letters(&r);
    clock_fake_advance(&r.clock, 5000);
    send_letters(&r);
    close_spool(false);
    CHECK_INT(letters(code), 0);
    rig_reopen(&r);
    clock_fake_advance(&r.clock, 9999);
    send_letters(&r);
    CHECK_INT(letters(code), 0); /* not its time yet */
    clock_fake_advance(&r.clock, 5001);
    send_letters(&r);
    CHECK_INT(letters(code), 1);
    CHECK_OK(verify(&r, &user, code), &r.err);
    rig_close(&r);
}

TEST(a_letter_that_nobody_takes_is_given_up)
{
    struct rig r;
    char code[AUTH_CODE_DIGITS + 1];
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", EMAIL, NULL).user->id;
    close_spool(true);
    CHECK_OK(ask(&r, &user), &r.err);
    for (int i = 0; i < 8; i++) {
        send_letters(&r);
        clock_fake_advance(&r.clock, 15 * MINUTE);
    }
    close_spool(false);
    send_letters(&r);
    CHECK_INT(letters(code), 0);
    rig_close(&r);
}

TEST(a_deleted_account_leaves_no_name_and_nobody_gets_it)
{
    struct rig r;
    struct auth_grant grant;
    bool pending;
    rig_open(&r, NULL);
    struct auth_grant mine = rig_sign_up(&r, "alice", EMAIL, NULL);
    struct principal who = rig_principal(&r, mine.access_token);
    clock_fake_advance(&r.clock, 10 * MINUTE + 1);
    CHECK_CODE(&r, auth_delete(rig_auth(&r), rig_call(&r), &who, (struct slice){0}, &r.err),
               FAIL_FORBIDDEN, "password_required");
    CHECK_OK(auth_delete(rig_auth(&r), rig_call(&r), &who, SLICE("password of alice"), &r.err),
             &r.err);
    CHECK_INT(rig_count_events(&r, &auth_user_deleted_event, NULL), 1);
    struct auth_signup again = {.username = SLICE("Alice"), .password = SLICE("another password")};
    CHECK_CODE(&r, auth_sign_up(rig_auth(&r), rig_call(&r), &again, &grant, &pending, &r.err),
               FAIL_CONFLICT, "username_taken");
    rig_sign_up(&r, "bob", EMAIL, NULL); /* the address is free */
    rig_close(&r);
}
