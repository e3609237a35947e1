/* Sessions: refresh, its grace, reuse, endings, and what a restart remembers. */
#include <stdlib.h>

#include "account_rig.h"
#include "service/auth/auth_store_session.h"

/* The grant outlives rig_clear here. */
struct kept {
    char access[1024], refresh[128];
};

static struct kept keep(struct auth_grant grant)
{
    struct kept k;
    CHECK(copy_str(k.access, sizeof k.access, grant.access_token));
    CHECK(copy_str(k.refresh, sizeof k.refresh, grant.refresh_token));
    return k;
}

static int refresh(struct rig *r, const char *token, struct kept *ret_kept)
{
    struct auth_grant grant;
    int rc = auth_refresh(rig_auth(r), rig_call(r), slice_str(token), &grant, &r->err);
    if (rc == 0 && ret_kept != NULL)
        *ret_kept = keep(grant);
    return rc;
}

static const char *token_code(struct rig *r, const char *access)
{
    struct principal who;
    struct error err;
    error_init(&err);
    return token_check(r->kit.tokens, slice_str(access), &who, &err) == 0 ? "accepted" : err.code;
}

TEST(each_refresh_token_serves_once)
{
    struct rig r;
    struct kept first, second, third;
    rig_open(&r, NULL);
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    clock_fake_advance(&r.clock, MINUTE);
    CHECK_OK(refresh(&r, first.refresh, &second), &r.err);
    CHECK(strcmp(first.refresh, second.refresh) != 0);
    CHECK(strcmp(first.access, second.access) != 0);
    clock_fake_advance(&r.clock, MINUTE);
    CHECK_OK(refresh(&r, second.refresh, &third), &r.err);
    CHECK(id_eq(&(struct id[]){rig_principal(&r, slice_str(first.access)).session}[0],
                &(struct id[]){rig_principal(&r, slice_str(third.access)).session}[0]));
    rig_close(&r);
}

TEST(the_same_token_within_ten_seconds_gives_the_same_answer)
{
    struct rig r;
    struct kept first, second, again;
    rig_open(&r, NULL);
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    CHECK_OK(refresh(&r, first.refresh, &second), &r.err);
    clock_fake_advance(&r.clock, 9999);
    CHECK_OK(refresh(&r, first.refresh, &again), &r.err);
    CHECK_STR(slice_str(again.refresh), second.refresh);
    CHECK_STR(slice_str(again.access), second.access);
    /* Also when the answer has been used in the meantime. */
    CHECK_OK(refresh(&r, second.refresh, NULL), &r.err);
    CHECK_OK(refresh(&r, second.refresh, NULL), &r.err);
    rig_close(&r);
}

TEST(reuse_after_the_grace_ends_the_session)
{
    struct rig r;
    struct kept first, second;
    rig_open(&r, NULL);
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    CHECK_OK(refresh(&r, first.refresh, &second), &r.err);
    clock_fake_advance(&r.clock, 10000);
    CHECK_CODE(&r, refresh(&r, first.refresh, NULL), FAIL_UNAUTHENTICATED, "refresh_token_reused");
    CHECK_STR(slice_str(token_code(&r, second.access)), "token_revoked");
    CHECK_CODE(&r, refresh(&r, second.refresh, NULL), FAIL_UNAUTHENTICATED, "session_ended");
    CHECK_INT(rig_count_events(&r, &auth_session_revoked_event, NULL), 1);
    rig_close(&r);
}

TEST(an_invented_token_ends_nothing)
{
    struct rig r;
    struct kept first;
    rig_open(&r, NULL);
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    for (size_t i = 0; i < strlen(first.refresh); i++) {
        char was = first.refresh[i];
        first.refresh[i] = was == 'A' ? 'B' : 'A';
        CHECK_CODE(&r, refresh(&r, first.refresh, NULL), FAIL_UNAUTHENTICATED,
                   "invalid_refresh_token");
        first.refresh[i] = was;
    }
    CHECK_CODE(&r, refresh(&r, "", NULL), FAIL_UNAUTHENTICATED, "invalid_refresh_token");
    CHECK_CODE(&r, refresh(&r, first.access, NULL), FAIL_UNAUTHENTICATED, "invalid_refresh_token");
    CHECK_OK(refresh(&r, first.refresh, NULL), &r.err);
    rig_close(&r);
}

TEST(a_session_that_is_not_refreshed_for_seven_days)
{
    struct rig r;
    struct kept first;
    rig_open(&r, NULL);
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    clock_fake_advance(&r.clock, 7 * 24 * 60 * MINUTE - 1);
    CHECK_OK(refresh(&r, first.refresh, &first), &r.err); /* seven more days */
    clock_fake_advance(&r.clock, 7 * 24 * 60 * MINUTE);
    CHECK_CODE(&r, refresh(&r, first.refresh, NULL), FAIL_UNAUTHENTICATED, "session_ended");
    rig_close(&r);
}

TEST(signing_out_ends_one_session)
{
    struct rig r;
    struct kept here, there;
    struct auth_grant grant;
    rig_open(&r, NULL);
    here = keep(rig_sign_up(&r, "alice", NULL, NULL));
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    there = keep(grant);
    struct principal who = rig_principal(&r, slice_str(here.access));
    CHECK_OK(auth_end_session(rig_auth(&r), rig_call(&r), &who.user, &who.session, &r.err), &r.err);
    CHECK_STR(slice_str(token_code(&r, here.access)), "token_revoked");
    CHECK_STR(slice_str(token_code(&r, there.access)), "accepted");
    CHECK_CODE(&r, auth_end_session(rig_auth(&r), rig_call(&r), &who.user, &who.session, &r.err),
               FAIL_NOT_FOUND, "session_not_found");
    CHECK_OK(auth_end_by_refresh(rig_auth(&r), rig_call(&r), slice_str(there.refresh), &r.err),
             &r.err);
    CHECK_STR(slice_str(token_code(&r, there.access)), "token_revoked");
    rig_close(&r);
}

TEST(nobody_ends_the_session_of_another)
{
    struct rig r;
    rig_open(&r, NULL);
    struct principal alice = rig_principal(&r, rig_sign_up(&r, "alice", NULL, NULL).access_token);
    struct principal bob = rig_principal(&r, rig_sign_up(&r, "bob", NULL, NULL).access_token);
    CHECK_CODE(&r, auth_end_session(rig_auth(&r), rig_call(&r), &bob.user, &alice.session, &r.err),
               FAIL_NOT_FOUND, "session_not_found");
    CHECK(token_still_valid(r.kit.tokens, &alice));
    rig_close(&r);
}

TEST(signing_out_everywhere)
{
    struct rig r;
    struct kept here, there, later;
    struct auth_grant grant;
    rig_open(&r, NULL);
    here = keep(rig_sign_up(&r, "alice", NULL, NULL));
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    there = keep(grant);
    struct id user = rig_principal(&r, slice_str(here.access)).user;
    CHECK_OK(auth_end_all(rig_auth(&r), rig_call(&r), &user, &r.err), &r.err);
    CHECK_STR(slice_str(token_code(&r, here.access)), "token_revoked");
    CHECK_STR(slice_str(token_code(&r, there.access)), "token_revoked");
    CHECK_CODE(&r, refresh(&r, there.refresh, NULL), FAIL_UNAUTHENTICATED, "session_ended");
    clock_fake_advance(&r.clock, 1);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    later = keep(grant);
    CHECK_STR(slice_str(token_code(&r, later.access)), "accepted");
    rig_close(&r);
}

TEST(a_restart_remembers_what_was_revoked)
{
    struct rig r;
    struct kept alice, bob, carol;
    rig_open(&r, NULL);
    alice = keep(rig_sign_up(&r, "alice", NULL, NULL));
    bob = keep(rig_sign_up(&r, "bob", NULL, NULL));
    carol = keep(rig_sign_up(&r, "carol", NULL, NULL));
    struct principal a = rig_principal(&r, slice_str(alice.access));
    struct principal b = rig_principal(&r, slice_str(bob.access));
    CHECK_OK(auth_end_session(rig_auth(&r), rig_call(&r), &a.user, &a.session, &r.err), &r.err);
    CHECK_OK(auth_end_all(rig_auth(&r), rig_call(&r), &b.user, &r.err), &r.err);
    rig_reopen(&r);
    CHECK_STR(slice_str(token_code(&r, alice.access)), "token_revoked");
    CHECK_STR(slice_str(token_code(&r, bob.access)), "token_revoked");
    CHECK_STR(slice_str(token_code(&r, carol.access)), "accepted");
    CHECK_OK(refresh(&r, carol.refresh, NULL), &r.err);
    rig_close(&r);
}

/* Its entry left the block list when a token of the present length would have been over; nor was it
 * read again at a start. */
TEST(bug_a_revoked_token_came_back_when_access_ttl_had_been_lowered)
{
    struct rig r;
    struct kept old;
    struct auth_grant grant;
    rig_open(&r, (const char *const[]){"auth.access_ttl=1h", NULL});
    old = keep(rig_sign_up(&r, "alice", NULL, NULL));
    rig_stop(&r);
    config_free(r.config);
    struct config_source source = {
        .settings = (const char *const[]){"auth.access_ttl=5s", "auth.bcrypt_cost=4", NULL}};
    const struct config_key *tables[] = {kit_config, auth_module.config, social_module.config,
                                         NULL};
    CHECK_OK(config_load(tables, &source, &r.config, &r.err), &r.err);
    rig_start(&r);
    struct principal who = rig_principal(&r, slice_str(old.access));
    CHECK_OK(auth_end_session(rig_auth(&r), rig_call(&r), &who.user, &who.session, &r.err), &r.err);
    for (int i = 0; i < 3; i++) { /* each adds to the list, and has it forget what is over */
        clock_fake_advance(&r.clock, 15 * MINUTE);
        CHECK_STR(slice_str(token_code(&r, old.access)), "token_revoked");
        CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
        CHECK_OK(auth_end_by_refresh(rig_auth(&r), rig_call(&r), grant.refresh_token, &r.err),
                 &r.err);
        rig_clear(&r);
    }
    rig_reopen(&r);
    CHECK_STR(slice_str(token_code(&r, old.access)), "token_revoked");
    rig_close(&r);
}

TEST(the_list_of_sessions_newest_first_in_pages)
{
    struct rig r;
    struct auth_grant grant;
    struct auth_session *list = NULL;
    static const struct id from_newest;
    size_t count = 0;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    rig_sign_up(&r, "alice", NULL, NULL);
    for (int i = 0; i < 4; i++) {
        rig_clear(&r);
        clock_fake_advance(&r.clock, 1000);
        CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    }
    struct principal who = rig_principal(&r, grant.access_token);
    CHECK_OK(
        auth_sessions(rig_auth(&r), rig_call(&r), &who, &from_newest, 3, &list, &count, &r.err),
        &r.err);
    CHECK_INT(count, 4); /* one more than asked for: there is another page */
    CHECK(list[0].current && !list[1].current);
    CHECK_STR(list[0].device_name, "test");
    struct id third = list[2].id;
    CHECK_OK(auth_sessions(rig_auth(&r), rig_call(&r), &who, &third, 3, &list, &count, &r.err),
             &r.err);
    CHECK_INT(count, 2);
    CHECK(list[1].device_name.ptr == NULL);
    CHECK_INT(list[1].created_at, NOW);
    rig_close(&r);
}

TEST(the_oldest_session_ends_when_there_are_too_many)
{
    struct rig r;
    struct kept first;
    struct auth_grant grant;
    rig_open(&r, (const char *const[]){"limits.per_address=off", NULL});
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    for (int i = 0; i < AUTH_SESSIONS_MAX; i++) {
        rig_clear(&r);
        clock_fake_advance(&r.clock, 1);
        CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    }
    CHECK_CODE(&r, refresh(&r, first.refresh, NULL), FAIL_UNAUTHENTICATED, "session_ended");
    CHECK_INT(rig_count_events(&r, &auth_session_revoked_event, NULL), 1);
    rig_close(&r);
}

static int count_rows_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct db_sql sql = {
        "SELECT (SELECT count(*) FROM session WHERE ?1), (SELECT count(*) FROM refresh_answer)"};
    struct db_rows rows;
    int64_t *counts = arg;
    int rc = db_query(tx, &sql, &rows, err, db_int(1));
    if (rc == 0)
        rc = db_next(&rows, err);
    counts[0] = db_col_int(&rows, 0);
    counts[1] = db_col_int(&rows, 1);
    db_rows_close(&rows);
    return rc < 0 ? rc : 0;
}

TEST(the_sweep_removes_what_is_over)
{
    struct rig r;
    struct kept first;
    int64_t counts[2];
    rig_open(&r, NULL);
    first = keep(rig_sign_up(&r, "alice", NULL, NULL));
    keep(rig_sign_up(&r, "bob", NULL, NULL));
    CHECK_OK(refresh(&r, first.refresh, &first), &r.err);
    CHECK_OK(auth_end_by_refresh(rig_auth(&r), rig_call(&r), slice_str(first.refresh), &r.err),
             &r.err);
    clock_fake_advance(&r.clock, 11000);
    CHECK_OK(auth_sweep(rig_auth(&r), &r.err), &r.err);
    CHECK_OK(db_read(r.kit.main_db, count_rows_tx, counts, &r.err), &r.err);
    CHECK_INT(counts[0], 2); /* kept for a day */
    CHECK_INT(counts[1], 0);
    clock_fake_advance(&r.clock, 25 * 60 * MINUTE);
    CHECK_OK(auth_sweep(rig_auth(&r), &r.err), &r.err);
    CHECK_OK(db_read(r.kit.main_db, count_rows_tx, counts, &r.err), &r.err);
    CHECK_INT(counts[0], 1);
    rig_close(&r);
}
