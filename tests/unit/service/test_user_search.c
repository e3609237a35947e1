/* Finding people: words and beginnings of words, ranked, in pages; never by what is private. */
#include <stdio.h>

#include "account_rig.h"

/* Usernames of what is found, joined by blanks. */
static struct slice found(struct rig *r, const char *query, unsigned skip, unsigned limit)
{
    struct id ids[PAGE_LIMIT_MAX + 1];
    struct user_profile profiles[PAGE_LIMIT_MAX + 1];
    size_t count = 0;
    struct buf names;
    CHECK_OK(
        user_search(rig_users(r), slice_str(query), skip, limit, &r->arena, ids, &count, &r->err),
        &r->err);
    CHECK_OK(user_get_many(rig_users(r), ids, count, &r->arena, profiles, &r->err), &r->err);
    buf_init(&names, 65536);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&names, ' ');
        buf_slice(&names, profiles[i].username);
    }
    struct slice text = arena_copy(&r->arena, buf_view(&names));
    buf_done(&names);
    return text;
}

static void person(struct rig *r, const char *username, const char *full_name)
{
    struct id user = rig_sign_up(r, username, NULL, NULL).user->id;
    struct user_patch patch = {.present = 1 << USER_PATCH_FULL_NAME,
                               .full_name = slice_str(full_name)};
    struct user_profile p;
    CHECK_OK(user_update(rig_users(r), &user, &patch, 0, (struct slice){0}, &r->arena, &p, &r->err),
             &r->err);
    rig_clear(r);
}

static void people(struct rig *r)
{
    person(r, "annabel", "Carla Neumann");
    person(r, "anna", "Anna M\xc3\xbcller");
    person(r, "joe.anna", "Joe Smith");
    person(r, "zoe", "Anna Anna Anna");
    rig_pump(r);
}

TEST(exact_username_then_prefix_then_rank)
{
    struct rig r;
    rig_open(&r, NULL);
    people(&r);
    struct slice names = found(&r, "anna", 0, 50);
    CHECK(slice_starts(names, SLICE("anna annabel ")));
    CHECK_INT(names.len, sizeof "anna annabel joe.anna zoe" - 1);
    CHECK(slice_starts(found(&r, "ANNA", 0, 50), SLICE("anna annabel ")));
    rig_close(&r);
}

TEST(beginnings_accents_and_several_words)
{
    struct rig r;
    rig_open(&r, NULL);
    people(&r);
    CHECK_STR(found(&r, "mul", 0, 50), "anna");
    CHECK_STR(found(&r, "M\xc3\x9cLLER", 0, 50), "anna");
    CHECK_STR(found(&r, "smi jo", 0, 50), "joe.anna");
    CHECK_STR(found(&r, "smi carla", 0, 50), "");
    CHECK_STR(found(&r, "z", 0, 50), "zoe");
    CHECK_STR(found(&r, "nna", 0, 50), ""); /* not in the middle of a word */
    rig_close(&r);
}

TEST(what_people_type_is_no_query_language)
{
    static const char *const odd[] = {"\"",
                                      "\"\"",
                                      "anna\"",
                                      "anna OR joe",
                                      "NOT anna",
                                      "(anna",
                                      "anna*",
                                      "*",
                                      "-",
                                      "username:anna",
                                      "NEAR(a b)",
                                      "a AND",
                                      "^anna",
                                      "{username}:x",
                                      "'; DROP TABLE user_document; --",
                                      "   ",
                                      "\t",
                                      ",",
                                      "anna + joe",
                                      "\xf0\x9f\x98\x80"};
    struct rig r;
    rig_open(&r, NULL);
    people(&r);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        found(&r, odd[i], 0, 50);
        rig_clear(&r);
    }
    CHECK(found(&r, "anna", 0, 50).len > 0);
    rig_close(&r);
}

TEST(pages_join_without_gaps)
{
    struct rig r;
    char all[4096] = "", paged[4096] = "";
    rig_open(&r, NULL);
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "tim%02d", i);
        rig_sign_up(&r, name, NULL, NULL);
        rig_clear(&r);
    }
    rig_pump(&r);
    CHECK(copy_str(all, sizeof all, found(&r, "tim", 0, 50)));
    for (unsigned skip = 0; skip < 12; skip += 5) {
        struct slice page = found(&r, "tim", skip, 4); /* five: one more than the page */
        size_t at = strlen(paged);
        snprintf(paged + at, sizeof paged - at, "%s%.*s", at > 0 ? " " : "", SLICE_FMT(page));
    }
    CHECK_STR(slice_str(paged), all);
    rig_close(&r);
}

TEST(the_index_follows_edits_and_disabled_accounts)
{
    struct rig r;
    struct user_profile p;
    rig_open(&r, NULL);
    people(&r);
    CHECK_STR(found(&r, "neumann", 0, 50), "annabel");
    CHECK_OK(user_get_by_name(rig_users(&r), SLICE("annabel"), &r.arena, &p, &r.err), &r.err);
    struct id user = p.id;
    struct user_patch patch = {.present = 1 << USER_PATCH_FULL_NAME, .full_name = SLICE("Altmann")};
    CHECK_OK(user_update(rig_users(&r), &user, &patch, 0, (struct slice){0}, &r.arena, &p, &r.err),
             &r.err);
    rig_pump(&r);
    CHECK_STR(found(&r, "neumann", 0, 50), "");
    CHECK_STR(found(&r, "altmann", 0, 50), "annabel");
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("annabel"), false, &r.err), &r.err);
    rig_pump(&r);
    CHECK_STR(found(&r, "altmann", 0, 50), "");
    CHECK_OK(auth_user_set_active(&r.kit, SLICE("annabel"), true, &r.err), &r.err);
    rig_pump(&r);
    CHECK_STR(found(&r, "altmann", 0, 50), "annabel");
    rig_close(&r);
}

static int wipe_tx(struct db_tx *tx, void *arg, struct error *err)
{
    static const struct db_sql sql = {"DELETE FROM user_document WHERE ?1"};
    return db_exec(tx, &sql, err, db_int(1));
}

/* The index is emptied behind the room's back, so whatever is still found comes from memory. */
TEST(a_search_is_kept_for_a_minute_and_no_longer_than_the_index)
{
    struct rig r;
    rig_open(&r, NULL);
    people(&r);
    CHECK_STR(found(&r, "zoe", 0, 50), "zoe");
    CHECK_OK(db_write(kit_db(&r.kit, "user.search"), wipe_tx, NULL, &r.err), &r.err);
    CHECK_STR(found(&r, "zoe", 0, 50), "zoe");
    clock_fake_advance(&r.clock, MINUTE);
    CHECK_STR(found(&r, "zoe", 0, 50), "");
    CHECK_STR(found(&r, "zoey", 0, 50), "");
    rig_sign_up(&r, "zoey", NULL, NULL);
    rig_pump(&r);
    CHECK_STR(found(&r, "zoey", 0, 50), "zoey"); /* finding nobody was kept too, but is over */
    rig_close(&r);
}

TEST(email_and_phone_find_nobody)
{
    struct rig r;
    rig_open(&r, NULL);
    rig_sign_up(&r, "alice", "findme@example.com", "+4915112345678");
    rig_pump(&r);
    CHECK_STR(found(&r, "findme@example.com", 0, 50), "");
    CHECK_STR(found(&r, "+4915112345678", 0, 50), "");
    CHECK_STR(found(&r, "findme", 0, 50), "");
    rig_close(&r);
}

TEST(a_query_that_is_too_long)
{
    struct rig r;
    struct id ids[2];
    size_t count;
    char query[101];
    rig_open(&r, NULL);
    memset(query, 'x', sizeof query);
    CHECK_INT(user_search(rig_users(&r), slice_of(query, 101), 0, 1, &r.arena, ids, &count, &r.err),
              FAIL_INVALID);
    CHECK_STR(slice_str(r.err.fields[0].field), "q");
    rig_clear(&r);
    CHECK_OK(user_search(rig_users(&r), slice_of(query, 100), 0, 1, &r.arena, ids, &count, &r.err),
             &r.err);
    rig_close(&r);
}
