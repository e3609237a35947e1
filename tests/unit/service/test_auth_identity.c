/* Names of accounts: what is accepted, and what counts as the same. */
#include "harness.h"
#include "service/auth/auth_identity.h"

static const char *username_code(const char *given)
{
    struct arena arena;
    struct error err;
    struct slice name;
    arena_init(&arena, 65536);
    error_init(&err);
    int rc = auth_username(slice_str(given), &arena, &name, &err);
    arena_done(&arena);
    return rc == 0 ? "ok" : err.fields[0].code;
}

TEST(usernames)
{
    CHECK_STR(slice_str(username_code("abc")), "ok");
    CHECK_STR(slice_str(username_code("A.b_9")), "ok");
    CHECK_STR(slice_str(username_code("abcdefghijklmnopqrstuvwxyz012345")), "ok");
    CHECK_STR(slice_str(username_code("ab")), "too_short");
    CHECK_STR(slice_str(username_code("")), "too_short");
    CHECK_STR(slice_str(username_code("abcdefghijklmnopqrstuvwxyz0123456")), "too_long");
    CHECK_STR(slice_str(username_code("a-b")), "not_allowed");
    CHECK_STR(slice_str(username_code("a b c")), "not_allowed");
    CHECK_STR(slice_str(username_code("\xc3\xa4nne")), "not_allowed");
    CHECK_STR(slice_str(username_code("admin")), "reserved");
    CHECK_STR(slice_str(username_code("Parley")), "reserved");
    CHECK_STR(slice_str(username_code("me")), "too_short"); /* refused either way */
}

TEST(bug_names_that_look_like_the_house_or_like_nobody)
{
    static const char *const names[] = {"moderator", "Administrator", "OFFICIAL",  "security",
                                        "support",   "null",          "undefined", "...",
                                        "___",       "._.",           "..______.."};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        CHECK_STR(slice_str(username_code(names[i])), "reserved");
    CHECK_STR(slice_str(username_code("_a_")), "ok");
    CHECK_STR(slice_str(username_code("moderator1")), "ok");
}

static bool email_key(const char *given, char *ret_key, size_t size)
{
    struct arena arena;
    struct error err;
    struct slice key;
    arena_init(&arena, 65536);
    error_init(&err);
    bool good = auth_email_key(slice_str(given), &arena, &key, &err) == 0;
    if (good)
        CHECK(copy_str(ret_key, size, key));
    arena_done(&arena);
    return good;
}

static void check_email(const char *given, const char *want)
{
    char key[512] = "";
    CHECK(email_key(given, key, sizeof key));
    CHECK_STR(slice_str(key), want);
}

TEST(emails_that_are_the_same)
{
    check_email("Alice@Example.COM", "alice@example.com");
    check_email("a+b.c@x.example", "a+b.c@x.example");
    check_email("STRASSE@b\xc3\xbc"
                "cher.example",
                "strasse@b\xc3\xbc"
                "cher.example");
    check_email("stra\xc3\x9f"
                "e@x.example",
                "strasse@x.example");
    check_email("u\xcc\x88@x.example", "\xc3\xbc@x.example"); /* composed */
    check_email("\xef\xbd\x81@x.example", "a@x.example");     /* full width */
    check_email("a\xe2\x80\x8b"
                "b@x.example",
                "ab@x.example"); /* zero width space */
}

TEST(what_is_no_email)
{
    static const char *const bad[] = {
        "",
        "a",
        "@",
        "a@",
        "@b.c",
        "a@b",
        "a@b.",
        "a@.b",
        "a@b..c",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "a b@c.d",
        "a@b c.d",
        "a@-b.c",
        "a@b-.c",
        "a@b@c.d",
        "a@b_c.d",
        "a\n@b.c",
        "\"a b\"@c.d",
        "a@[127.0.0.1]",
        "a@b.c\xff",
        "a\xef\xbc\xa0"
        "b@c.d", /* a full width @ becomes a second @ */
        "a\xe3\x80\x80"
        "b@c.d", /* so does an ideographic space a blank */
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm@c.d",
    };
    char key[512];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (email_key(bad[i], key, sizeof key))
            test_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
}

TEST(phones)
{
    static const char *const good[] = {"+1234567", "+4915112345678", "+123456789012345"};
    static const char *const bad[] = {"",
                                      "+",
                                      "1234567",
                                      "+123456",
                                      "+0123456789",
                                      "+1234567890123456",
                                      "+49 151 1234567",
                                      "+49-1511234567"};
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        error_init(&err);
        CHECK_OK(auth_phone(slice_str(good[i]), &err), &err);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        error_init(&err);
        CHECK_INT(auth_phone(slice_str(bad[i]), &err), FAIL_INVALID);
    }
}

TEST(what_somebody_types_to_sign_in)
{
    static const struct {
        const char *login;
        bool good;
        enum auth_login_kind kind;
        const char *key;
    } cases[] = {
        {"Alice", true, AUTH_BY_USERNAME, "alice"},
        {"admin", true, AUTH_BY_USERNAME, "admin"},
        {"A@B.example", true, AUTH_BY_EMAIL, "a@b.example"},
        {"+4915112345678", true, AUTH_BY_PHONE, "+4915112345678"},
        {"+49", false, 0, NULL},
        {"a@", false, 0, NULL},
        {"", false, 0, NULL},
        {"no such thing", false, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        enum auth_login_kind kind;
        struct slice key;
        arena_init(&arena, 65536);
        bool good = auth_login_key(slice_str(cases[i].login), &arena, &kind, &key);
        CHECK_INT(good, cases[i].good);
        if (good && cases[i].good) {
            CHECK_INT(kind, cases[i].kind);
            CHECK_STR(key, cases[i].key);
        }
        arena_done(&arena);
    }
}
