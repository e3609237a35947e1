/* Registration: two ends, whichever comes first, and nothing left of a sign-up that was given up.
 */
#include "account_rig.h"
#include "service/auth/auth_registration.h"

static int never(struct auth *auth, struct auth_expected *expected, struct error *err)
{
    (void)auth, (void)expected;
    return error_set(err, FAIL_TIMEOUT, "timeout", "Not within two seconds.");
}

/* Alice has signed up, and the chat room does not do its part. */
static void open_pending(struct rig *r)
{
    struct auth_grant grant;
    bool pending = false;
    rig_open(r, NULL);
    rig_outside(r)->no_chat = true;
    rig_auth(r)->wait_registered = never;
    struct auth_signup in = {.username = SLICE("alice"),
                             .email = SLICE("alice@example.org"),
                             .password = SLICE("password of alice")};
    CHECK_OK(auth_sign_up(rig_auth(r), rig_call(r), &in, &grant, &pending, &r->err), &r->err);
    CHECK(pending);
    rig_pump(r);
}

static int try_sign_in(struct rig *r)
{
    struct auth_grant grant;
    rig_clear(r);
    return rig_sign_in(r, "alice", "password of alice", &grant);
}

static void check_pending(struct rig *r)
{
    CHECK_INT(try_sign_in(r), FAIL_FORBIDDEN);
    CHECK_STR(slice_str(r->err.code), "account_pending");
}

static void check_gone(struct rig *r)
{
    struct user_profile profile;
    CHECK_INT(try_sign_in(r), FAIL_UNAUTHENTICATED);
    CHECK_STR(slice_str(r->err.code), "invalid_credentials");
    rig_clear(r);
    CHECK_INT(user_get_by_name(rig_users(r), SLICE("alice"), &r->arena, &profile, &r->err),
              FAIL_NOT_FOUND);
    rig_clear(r);
}

static void give_up_overdue(struct rig *r)
{
    rig_clear(r);
    CHECK_OK(auth_give_up_overdue(rig_auth(r), &r->err), &r->err);
}

TEST(an_account_is_pending_until_both_parts_are_there)
{
    struct rig r;
    open_pending(&r);
    check_pending(&r);
    rig_outside(&r)->no_chat = false;
    rig_rewind(&r, "chat.profiles"); /* the chat room comes to it late */
    rig_pump(&r);
    CHECK_OK(try_sign_in(&r), &r.err);
    rig_close(&r);
}

TEST(the_deadline_undoes_it_and_not_a_moment_sooner)
{
    struct rig r;
    struct auth_grant grant;
    bool pending;
    open_pending(&r);
    clock_fake_advance(&r.clock, 59999);
    give_up_overdue(&r);
    check_pending(&r);
    clock_fake_advance(&r.clock, 1);
    give_up_overdue(&r);
    rig_pump(&r);
    check_gone(&r);
    give_up_overdue(&r); /* nothing is left to give up */
    struct auth_signup again = {.username = SLICE("alice"),
                                .email = SLICE("alice@example.org"),
                                .password = SLICE("another password")};
    rig_outside(&r)->no_chat = false;
    CHECK_OK(auth_sign_up(rig_auth(&r), rig_call(&r), &again, &grant, &pending, &r.err), &r.err);
    rig_pump(&r);
    rig_clear(&r);
    CHECK_OK(rig_sign_in(&r, "alice", "another password", &grant), &r.err);
    rig_close(&r);
}

TEST(a_part_that_comes_after_the_deadline_brings_nothing_back)
{
    struct rig r;
    open_pending(&r);
    clock_fake_advance(&r.clock, 60000);
    give_up_overdue(&r);
    rig_outside(&r)->no_chat = false;
    rig_rewind(&r, "chat.profiles");
    rig_pump(&r);
    rig_pump(&r);
    check_gone(&r);
    rig_close(&r);
}

TEST(a_deadline_after_the_last_part_takes_nothing_away)
{
    struct rig r;
    open_pending(&r);
    rig_outside(&r)->no_chat = false;
    rig_rewind(&r, "chat.profiles");
    clock_fake_advance(&r.clock, 120000);
    rig_pump(&r);
    give_up_overdue(&r);
    rig_pump(&r);
    CHECK_OK(try_sign_in(&r), &r.err);
    rig_close(&r);
}

TEST(events_that_come_again_change_nothing)
{
    struct rig r;
    open_pending(&r);
    rig_outside(&r)->no_chat = false;
    for (int i = 0; i < 2; i++) {
        rig_rewind(&r, NULL);
        rig_pump(&r);
        CHECK_OK(try_sign_in(&r), &r.err);
    }
    rig_close(&r);
}

struct failing {
    struct rig *r;
    struct id user;
    int said;
};

static int fail_chat_part(struct db_tx *tx, void *arg, struct error *err)
{
    struct failing *f = arg;
    f->said = registration_fail(&f->r->kit, tx, &f->user, REGISTRATION_CHAT_PROFILE,
                                SLICE("No room."), err);
    return f->said < 0 ? f->said : 0;
}

TEST(a_part_that_cannot_be_done_undoes_all_of_it)
{
    struct rig r;
    struct user_profile profile;
    open_pending(&r);
    rig_clear(&r);
    CHECK_OK(user_get_by_name(rig_users(&r), SLICE("alice"), &r.arena, &profile, &r.err), &r.err);
    struct failing f = {.r = &r, .user = profile.id};
    CHECK_OK(db_write(r.kit.main_db, fail_chat_part, &f, &r.err), &r.err);
    CHECK_INT(f.said, 1);
    rig_pump(&r);
    check_gone(&r);
    rig_close(&r);
}

TEST(an_account_that_an_operator_makes_waits_for_nobody)
{
    struct rig r;
    struct auth_signup in = {.username = SLICE("alice"), .password = SLICE("password of alice")};
    struct id user;
    rig_open(&r, NULL);
    rig_outside(&r)->no_chat = true;
    CHECK_OK(auth_user_create(&r.kit, &in, ROLE_USER, &user, &r.err), &r.err);
    clock_fake_advance(&r.clock, 120000);
    give_up_overdue(&r);
    CHECK_OK(try_sign_in(&r), &r.err);
    rig_close(&r);
}
