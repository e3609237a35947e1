/* Rules that hash, read or sign before they write: what becomes of them when the account changes
 * in between. The change is made by a call that stands between the two: a sign-in and a refresh
 * read the profile there, a confirmed password clears the counter of attempts. */
#include <pthread.h>

#include "account_rig.h"
#include "service/auth/auth_admin.h"

/* --- what happens in between ------------------------------------------------------------------
 */

static struct {
    struct rig *rig;
    void (*act)(struct rig *rig); /* once; NULL afterwards */
    const struct kv_ops *kv_ops;
    struct user_calls users;
    pthread_t thread;
    int64_t (*wall_ms)(const struct clock *clock);
} meanwhile;

static void act_once(void)
{
    void (*act)(struct rig *) = meanwhile.act;
    struct error before = meanwhile.rig->err;
    meanwhile.act = NULL;
    error_init(&meanwhile.rig->err);
    if (act != NULL)
        act(meanwhile.rig);
    meanwhile.rig->err = before;
}

static int get_user(void *room, const struct id *user, struct arena *arena,
                    struct user_profile *ret_profile, struct error *err)
{
    int rc = meanwhile.users.get(room, user, arena, ret_profile, err);
    act_once();
    return rc;
}

static const void *slow_users(void *room)
{
    static struct user_calls calls;
    meanwhile.users = calls = *(const struct user_calls *)user_module.calls(room);
    calls.get = get_user;
    return &calls;
}

static int remove_key(struct kv *kv, struct slice key, struct error *err)
{
    act_once();
    return meanwhile.kv_ops->remove(kv, key, err);
}

/* The next sign-in, refresh or confirmed password finds that `act` has been before it writes. */
static void rig_meanwhile(struct rig *r, void (*act)(struct rig *rig))
{
    static const struct module *modules[RIG_MODULES_MAX + 1];
    static struct module users;
    static struct kv_ops ops;
    if (meanwhile.rig == NULL) {
        users = user_module;
        users.calls = slow_users;
        for (size_t i = 0; r->kit.modules[i] != NULL; i++)
            modules[i] = r->kit.modules[i] == &user_module ? &users : r->kit.modules[i];
        r->kit.modules = modules;
        meanwhile.kv_ops = r->kit.kv->ops;
        ops = *r->kit.kv->ops;
        ops.remove = remove_key;
        r->kit.kv->ops = &ops;
    }
    meanwhile.rig = r;
    meanwhile.act = act;
}

static int64_t wall_and_act(const struct clock *clock)
{
    int64_t now_ms = meanwhile.wall_ms(clock);
    if (pthread_equal(pthread_self(), meanwhile.thread)) /* not within a transaction */
        act_once();
    return now_ms;
}

/* As soon as the rule has looked at the clock, and before its transaction runs: time passes and
 * `act` is done. A rule that looks at it in the transaction only has `act` come afterwards. */
static void rig_after_the_clock(struct rig *r, void (*act)(struct rig *rig))
{
    meanwhile.wall_ms = r->clock.clock.wall_ms;
    r->clock.clock.wall_ms = wall_and_act;
    meanwhile.thread = pthread_self();
    meanwhile.rig = r;
    meanwhile.act = act;
}

static void done(struct rig *r)
{
    CHECK(meanwhile.act == NULL);
    meanwhile.rig = NULL;
    rig_close(r);
}

static struct auth_grant first;

static void open_with_alice(struct rig *r)
{
    rig_open(r, (const char *const[]){"limits.per_address=off", NULL});
    first = rig_sign_up(r, "alice", "alice@example.com", NULL);
}

static void another_password(struct rig *r)
{
    struct principal who = rig_principal(r, first.access_token);
    CHECK_OK(auth_change_password(rig_auth(r), rig_call(r), &who, SLICE("password of alice"),
                                  SLICE("a new password"), &r->err),
             &r->err);
}

static void disable(struct rig *r)
{
    clock_fake_advance(&r->clock, 5);
    CHECK_OK(auth_user_set_active(&r->kit, SLICE("alice"), false, &r->err), &r->err);
}

static void promote(struct rig *r)
{
    CHECK_OK(auth_user_set_role(&r->kit, SLICE("alice"), ROLE_ADMIN, &r->err), &r->err);
    clock_fake_advance(&r->clock, 5);
}

static void demote(struct rig *r)
{
    CHECK_OK(auth_user_set_role(&r->kit, SLICE("alice"), ROLE_USER, &r->err), &r->err);
    clock_fake_advance(&r->clock, 5);
}

static void leave_for_good(struct rig *r)
{
    struct principal who = rig_principal(r, first.access_token);
    CHECK_OK(auth_delete(rig_auth(r), rig_call(r), &who, (struct slice){0}, &r->err), &r->err);
}

static void raised_cost_at_another_sign_in(struct rig *r)
{
    struct auth_grant grant;
    CHECK_OK(rig_sign_in(r, "alice", "password of alice", &grant), &r->err);
}

static int64_t open_sessions(struct rig *r)
{
    return rig_number(r, "SELECT count(*) FROM session WHERE ended_at IS NULL");
}

static int change_password(struct rig *r, const struct principal *who)
{
    return auth_change_password(rig_auth(r), rig_call(r), who, SLICE("password of alice"),
                                SLICE("another new password"), &r->err);
}

/* --- signing in ------------------------------------------------------------------------------- */

TEST(bug_a_sign_in_undid_a_changed_password)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    rig_auth(&r)->bcrypt_cost = 5; /* so that the sign-in has a hash to write */
    rig_meanwhile(&r, another_password);
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_INT(open_sessions(&r), 1); /* that which changed the password */
    CHECK_OK(rig_sign_in(&r, "alice", "a new password", &grant), &r.err);
    done(&r);
}

TEST(bug_a_sign_in_enabled_a_disabled_account)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    rig_meanwhile(&r, disable);
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_FORBIDDEN,
               "account_disabled");
    rig_pump(&r);
    CHECK_INT(rig_number(&r, "SELECT is_active FROM profile"), 0);
    done(&r);
}

TEST(bug_a_sign_in_gave_back_a_role)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    promote(&r);
    rig_meanwhile(&r, demote);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    CHECK_INT(rig_principal(&r, grant.access_token).role, ROLE_USER);
    rig_pump(&r);
    CHECK_INT(rig_number(&r, "SELECT role FROM profile"), ROLE_USER);
    done(&r);
}

TEST(a_sign_in_to_an_account_that_is_deleted_meanwhile)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    rig_meanwhile(&r, leave_for_good);
    CHECK_CODE(&r, rig_sign_in(&r, "alice", "password of alice", &grant), FAIL_UNAUTHENTICATED,
               "invalid_credentials");
    CHECK_INT(open_sessions(&r), 0);
    done(&r);
}

/* Both are right: the second finds another hash of the same password. */
TEST(two_sign_ins_at_once_after_the_cost_was_raised)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    rig_auth(&r)->bcrypt_cost = 5;
    rig_meanwhile(&r, raised_cost_at_another_sign_in);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    CHECK_INT(open_sessions(&r), 3);
    done(&r);
}

/* --- what a confirmed password is for --------------------------------------------------------- */

TEST(bug_a_change_of_password_undid_another)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    struct principal who = rig_principal(&r, first.access_token);
    rig_meanwhile(&r, another_password);
    CHECK_CODE(&r, change_password(&r, &who), FAIL_UNAVAILABLE, "busy");
    CHECK_CODE(&r, change_password(&r, &who), FAIL_FORBIDDEN, "wrong_password");
    CHECK_OK(rig_sign_in(&r, "alice", "a new password", &grant), &r.err);
    done(&r);
}

TEST(bug_an_address_was_changed_by_a_password_that_was_none_any_more)
{
    struct rig r;
    open_with_alice(&r);
    struct id user = rig_principal(&r, first.access_token).user;
    rig_meanwhile(&r, another_password);
    CHECK_CODE(&r,
               auth_set_contact(rig_auth(&r), rig_call(&r), &user, AUTH_CHANNEL_EMAIL,
                                SLICE("thief@example.com"), SLICE("password of alice"), &r.err),
               FAIL_UNAVAILABLE, "busy");
    CHECK_INT(rig_number(&r, "SELECT count(*) FROM account WHERE email_key = 'alice@example.com'"),
              1);
    done(&r);
}

TEST(bug_leaving_told_a_role_that_was_taken_meanwhile)
{
    struct rig r;
    struct auth_grant grant;
    open_with_alice(&r);
    promote(&r);
    struct auth_signup boss = {.username = SLICE("boss"), .password = SLICE("password of boss")};
    struct id ignored;
    CHECK_OK(auth_user_create(&r.kit, &boss, ROLE_ADMIN, &ignored, &r.err), &r.err);
    rig_pump(&r);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    struct principal who = rig_principal(&r, grant.access_token);
    rig_meanwhile(&r, demote);
    CHECK_CODE(
        &r, auth_deactivate(rig_auth(&r), rig_call(&r), &who, SLICE("password of alice"), &r.err),
        FAIL_UNAVAILABLE, "busy");
    rig_meanwhile(&r, demote);
    CHECK_OK(auth_delete(rig_auth(&r), rig_call(&r), &who, SLICE("password of alice"), &r.err),
             &r.err);
    done(&r);
}

/* --- refreshing ------------------------------------------------------------------------------- */

static char refreshed[1024]; /* the access token */

static int refresh(struct rig *r)
{
    struct auth_grant grant;
    int rc = auth_refresh(rig_auth(r), rig_call(r), first.refresh_token, &grant, &r->err);
    CHECK(copy_str(refreshed, sizeof refreshed, rc == 0 ? grant.access_token : SLICE("none")));
    return rc;
}

static void refresh_a_little_later(struct rig *r)
{
    clock_fake_advance(&r->clock, 5);
    CHECK_OK(refresh(r), &r->err);
}

static bool is_admin_token(struct rig *r)
{
    struct principal who = {0};
    int rc = token_check(r->kit.tokens, slice_str(refreshed), &who, &r->err);
    rig_clear(r);
    return rc == 0 && who.role == ROLE_ADMIN;
}

static void open_with_an_admin(struct rig *r)
{
    open_with_alice(r);
    promote(r);
    CHECK_OK(rig_sign_in(r, "alice", "password of alice", &first), &r->err);
}

TEST(bug_a_refresh_kept_a_role_that_was_taken_meanwhile)
{
    struct rig r;
    open_with_an_admin(&r);
    rig_meanwhile(&r, demote);
    CHECK_OK(refresh(&r), &r.err);
    CHECK_INT(rig_principal(&r, slice_str(refreshed)).role, ROLE_USER);
    done(&r);
}

TEST(bug_a_refresh_went_through_while_the_account_was_disabled)
{
    struct rig r;
    open_with_alice(&r);
    rig_meanwhile(&r, disable);
    CHECK_CODE(&r, refresh(&r), FAIL_FORBIDDEN, "account_disabled");
    done(&r);
}

/* Signed after the change was asked for, written before the change was. */
TEST(bug_a_token_outlived_a_change_that_was_queued)
{
    struct rig r;
    open_with_an_admin(&r);
    rig_after_the_clock(&r, refresh_a_little_later);
    demote(&r);
    CHECK(!is_admin_token(&r));
    done(&r);
}

TEST(bug_a_token_outlived_an_administrators_change_that_was_queued)
{
    struct rig r;
    open_with_an_admin(&r);
    struct auth_signup boss = {.username = SLICE("boss"), .password = SLICE("password of boss")};
    struct auth_alteration what = {.set_role = true, .role = ROLE_USER};
    struct id actor, user = rig_principal(&r, first.access_token).user;
    CHECK_OK(auth_user_create(&r.kit, &boss, ROLE_ADMIN, &actor, &r.err), &r.err);
    rig_after_the_clock(&r, refresh_a_little_later);
    CHECK_OK(auth_admin_alter(rig_auth(&r), rig_call(&r), &actor, &user, &what, &r.err), &r.err);
    CHECK(!is_admin_token(&r));
    done(&r);
}
