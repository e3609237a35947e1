/* Profiles: they follow the accounts, the cache never shows what is over, edits are guarded. */
#include <stdio.h>

#include "account_rig.h"
#include "service/user/user_store.h"

static struct user_profile get(struct rig *r, const struct id *user)
{
    struct user_profile profile = {0};
    CHECK_OK(user_get(rig_users(r), user, &r->arena, &profile, &r->err), &r->err);
    return profile;
}

static int update(struct rig *r, const struct id *user, struct user_patch patch, int64_t expected,
                  struct user_profile *ret)
{
    return user_update(rig_users(r), user, &patch, expected, (struct slice){0}, &r->arena, ret,
                       &r->err);
}

TEST(the_profile_follows_the_account)
{
    struct rig r;
    struct auth_grant grant;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", "a@b.example", NULL).user->id;
    struct user_profile p = get(&r, &user);
    CHECK_STR(p.username, "alice");
    CHECK(p.is_active && !p.is_verified);
    CHECK_INT(p.role, ROLE_USER);
    CHECK_INT(p.last_login, NOW);
    clock_fake_advance(&r.clock, MINUTE);
    CHECK_OK(rig_sign_in(&r, "alice", "password of alice", &grant), &r.err);
    CHECK_OK(auth_user_set_role(&r.kit, SLICE("alice"), ROLE_MODERATOR, &r.err), &r.err);
    rig_pump(&r);
    p = get(&r, &user);
    CHECK_INT(p.last_login, NOW + MINUTE);
    CHECK_INT(p.role, ROLE_MODERATOR);
    rig_close(&r);
}

TEST(by_name_in_any_case_and_nobody)
{
    struct rig r;
    struct user_profile p;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", NULL, NULL).user->id;
    CHECK_OK(user_get_by_name(rig_users(&r), SLICE("ALICE"), &r.arena, &p, &r.err), &r.err);
    CHECK(id_eq(&p.id, &user));
    CHECK_CODE(&r, user_get_by_name(rig_users(&r), SLICE("bob"), &r.arena, &p, &r.err),
               FAIL_NOT_FOUND, "user_not_found");
    struct id nobody = id_new(&r.clock.clock);
    CHECK_CODE(&r, user_get(rig_users(&r), &nobody, &r.arena, &p, &r.err), FAIL_NOT_FOUND,
               "user_not_found");
    rig_close(&r);
}

TEST(a_patch_changes_what_it_names)
{
    struct rig r;
    struct user_profile p;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", NULL, NULL).user->id;
    CHECK_OK(update(&r, &user,
                    (struct user_patch){.present = 1 << USER_PATCH_FULL_NAME | 1 << USER_PATCH_BIO,
                                        .full_name = SLICE("Alice"),
                                        .bio = SLICE("hello")},
                    0, &p),
             &r.err);
    CHECK_STR(p.full_name, "Alice");
    CHECK_OK(update(&r, &user, (struct user_patch){.present = 1 << USER_PATCH_BIO}, 0, &p), &r.err);
    p = get(&r, &user);
    CHECK_STR(p.full_name, "Alice");
    CHECK(p.bio.ptr == NULL);
    CHECK_OK(update(&r, &user, (struct user_patch){0}, 0, &p), &r.err); /* says nothing */
    CHECK_INT(rig_count_events(&r, &user_updated_event, NULL), 2);
    rig_close(&r);
}

TEST(edits_that_are_refused)
{
    static const char *const bad_urls[] = {"http://x.example/a.png",
                                           "javascript:alert(1)",
                                           "//evil.example/x",
                                           "https://",
                                           "https:///x",
                                           "x.png",
                                           "/",
                                           "https://x.example/a b",
                                           "/a\\b",
                                           ""};
    struct rig r;
    struct user_profile p;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", NULL, NULL).user->id;
    for (size_t i = 0; i < ARRAY_LEN(bad_urls); i++) {
        CHECK_INT(update(&r, &user,
                         (struct user_patch){.present = 1 << USER_PATCH_AVATAR_URL,
                                             .avatar_url = slice_str(bad_urls[i])},
                         0, &p),
                  FAIL_INVALID);
        CHECK_STR(slice_str(r.err.fields[0].code), "invalid_url");
        rig_clear(&r);
    }
    CHECK_OK(update(&r, &user,
                    (struct user_patch){.present = 1 << USER_PATCH_AVATAR_URL,
                                        .avatar_url = SLICE("/media/1.png")},
                    0, &p),
             &r.err);
    char name[101];
    memset(name, 'x', sizeof name);
    CHECK_INT(update(&r, &user, (struct user_patch){.present = 1, .full_name = slice_of(name, 101)},
                     0, &p),
              FAIL_INVALID);
    CHECK_STR(slice_str(r.err.fields[0].code), "too_long");
    rig_close(&r);
}

TEST(a_stale_edit_is_refused_also_within_a_millisecond)
{
    struct rig r;
    struct user_profile p;
    rig_open(&r, NULL);
    struct id user = rig_sign_up(&r, "alice", NULL, NULL).user->id;
    int64_t version = get(&r, &user).updated_at;
    struct user_patch patch = {.present = 1 << USER_PATCH_BIO, .bio = SLICE("one")};
    CHECK_OK(update(&r, &user, patch, version, &p), &r.err);
    CHECK(p.updated_at > version);
    patch.bio = SLICE("two");
    CHECK_CODE(&r, update(&r, &user, patch, version, &p), FAIL_STALE, "stale");
    CHECK_STR(get(&r, &user).bio, "one");
    rig_close(&r);
}

TEST(the_event_of_an_edit_hides_what_is_private)
{
    struct rig r;
    struct user_profile p;
    struct auth_grant grant;
    rig_open(&r, NULL);
    grant = rig_sign_up(&r, "alice", "secret@b.example", "+4915112345678");
    p = *grant.user;
    user_profile_hide(&p);
    CHECK(p.email.ptr == NULL && p.phone.ptr == NULL && p.last_login == 0);
    struct buf own, others;
    char etag[REQUEST_ETAG_MAX];
    buf_init(&own, 65536);
    buf_init(&others, 65536);
    CHECK(user_cache_json(rig_users(&r)->cache, &p.id, USER_VIEW_OWN, &own, etag));
    CHECK(user_cache_json(rig_users(&r)->cache, &p.id, USER_VIEW_OTHERS, &others, etag));
    CHECK(memmem(own.ptr, own.len, "secret@", 7) != NULL);
    CHECK(memmem(others.ptr, others.len, "secret@", 7) == NULL);
    CHECK(memmem(others.ptr, others.len, "+4915", 5) == NULL);
    buf_done(&own);
    buf_done(&others);
    rig_close(&r);
}

TEST(other_rooms_ask_for_many_at_once)
{
    struct rig r;
    rig_open(&r, NULL);
    struct id ids[3] = {rig_sign_up(&r, "alice", NULL, NULL).user->id,
                        rig_sign_up(&r, "bob", NULL, NULL).user->id, id_new(&r.clock.clock)};
    struct id missing;
    const struct user_calls *calls = kit_calls(&r.kit, "user");
    rig_reopen(&r); /* nothing in memory */
    calls = kit_calls(&r.kit, "user");
    CHECK_OK(calls->check_all(calls->room, ids, 2, &missing, &r.err), &r.err);
    CHECK_OK(calls->check_all(calls->room, ids, 0, &missing, &r.err), &r.err);
    CHECK_INT(calls->check_all(calls->room, ids, 3, &missing, &r.err), FAIL_NOT_FOUND);
    CHECK(id_eq(&missing, &ids[2]));
    rig_clear(&r);
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("bob"), false, &r.err), &r.err);
    rig_pump(&r);
    CHECK_INT(calls->check_all(calls->room, ids, 2, &missing, &r.err), FAIL_NOT_FOUND);
    CHECK(id_eq(&missing, &ids[1]));
    rig_close(&r);
}

/* --- the cache by itself -----------------------------------------------------------------------
 */

static struct user_profile sample(const struct clock *clock)
{
    return (struct user_profile){
        .id = id_new(clock), .username = SLICE("alice"), .bio = SLICE("bio"), .is_active = true};
}

static bool cached(struct user_cache *cache, const struct id *user)
{
    struct buf out;
    char etag[REQUEST_ETAG_MAX];
    buf_init(&out, 65536);
    bool there = user_cache_json(cache, user, USER_VIEW_OWN, &out, etag);
    buf_done(&out);
    return there;
}

TEST(cache_entries_end_after_their_time)
{
    struct clock_fake clock;
    clock_fake_init(&clock, NOW);
    struct user_cache *cache = user_cache_new(&clock.clock, 1000, 5 * MINUTE);
    struct user_profile p = sample(&clock.clock);
    user_cache_put(cache, user_cache_ticket(cache, &p.id), &p);
    clock_fake_advance(&clock, 5 * MINUTE - 1);
    CHECK(cached(cache, &p.id));
    clock_fake_advance(&clock, 1);
    CHECK(!cached(cache, &p.id));
    user_cache_free(cache);
}

TEST(what_was_read_before_a_change_is_not_put_in_after_it)
{
    struct clock_fake clock;
    clock_fake_init(&clock, NOW);
    struct user_cache *cache = user_cache_new(&clock.clock, 1000, 5 * MINUTE);
    struct user_profile p = sample(&clock.clock);
    uint64_t ticket = user_cache_ticket(cache, &p.id);
    user_cache_forget(cache, &p.id);
    user_cache_put(cache, ticket, &p);
    CHECK(!cached(cache, &p.id));
    user_cache_put(cache, user_cache_ticket(cache, &p.id), &p);
    CHECK(cached(cache, &p.id));
    user_cache_forget(cache, &p.id);
    CHECK(!cached(cache, &p.id));
    user_cache_free(cache);
}

TEST(the_cache_is_bounded)
{
    struct clock_fake clock;
    struct id first = {{0}};
    unsigned kept = 0;
    struct id ids[500];
    clock_fake_init(&clock, NOW);
    struct user_cache *cache = user_cache_new(&clock.clock, 160, 5 * MINUTE);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct user_profile p = sample(&clock.clock);
        ids[i] = p.id;
        if (i == 0)
            first = p.id;
        user_cache_put(cache, user_cache_ticket(cache, &p.id), &p);
        CHECK(cached(cache, &first)); /* always in use: it stays */
    }
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        kept += cached(cache, &ids[i]);
    CHECK(kept <= 160 && kept >= 100);
    user_cache_free(cache);
}
