/* bcrypt at the lowest cost: the rules are the same, the waiting is not. */
#include <crypt.h>

#include "harness.h"
#include "kit/password.h"

#define COST 4

/* In the place of the library's: counts the rounds that its callers spend. */
static unsigned long rounds;

char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    if (strncmp(setting, "$2", 2) == 0)
        rounds += 1ul << (10 * (setting[4] - '0') + setting[5] - '0');
    char *hash = crypt_r(phrase, setting, data);
    return size >= (int)sizeof(struct crypt_data) && hash != NULL && hash[0] != '*' ? hash : NULL;
}

static void hash_of(const char *password, char ret_hash[PASSWORD_HASH_MAX])
{
    struct error err;
    error_init(&err);
    CHECK_OK(password_hash(NULL, slice_str(password), COST, ret_hash, &err), &err);
}

static bool matches(struct slice password, const char *hash)
{
    struct error err;
    bool match = false;
    error_init(&err);
    CHECK_OK(password_verify(NULL, password, slice_str(hash), COST, &match, &err), &err);
    return match;
}

TEST(a_hash_matches_its_password_only)
{
    char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];
    hash_of("correct horse", hash);
    hash_of("correct horse", again);
    CHECK(slice_starts(slice_str(hash), SLICE("$2b$04$")));
    CHECK(strcmp(hash, again) != 0); /* salted */
    CHECK(matches(SLICE("correct horse"), hash));
    CHECK(!matches(SLICE("correct horsE"), hash));
    CHECK(!matches(SLICE("correct hors"), hash));
    CHECK(!matches(SLICE(""), hash));
    CHECK(!matches((struct slice){0}, hash));
}

TEST(published_vector)
{
    /* Openwall's crypt_blowfish test vectors. */
    CHECK(matches(SLICE("U*U*"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
    CHECK(matches(SLICE("U*U"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

TEST(seventy_two_bytes_and_not_one_more)
{
    char text[74], hash[PASSWORD_HASH_MAX];
    memset(text, 'x', sizeof text);
    struct error err;
    error_init(&err);
    CHECK_OK(password_hash(NULL, slice_of(text, 72), COST, hash, &err), &err);
    CHECK(matches(slice_of(text, 72), hash));
    /* bcrypt itself would call these two equal. */
    CHECK(!matches(slice_of(text, 73), hash));
    CHECK_INT(password_hash(NULL, slice_of(text, 73), COST, hash, &err), FAIL_INVALID);
    CHECK_STR(slice_str(err.fields[0].code), "too_long");
    CHECK_STR(slice_str(err.fields[0].field), "password");
}

TEST(length_counts_characters_below_and_bytes_above)
{
    struct error err;
    error_init(&err);
    CHECK_OK(password_check_new(SLICE("12345678"), "password", &err), &err);
    CHECK_OK(password_check_new(SLICE("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
                                      "aeio"),
                                "password", &err),
             &err);
    CHECK_INT(password_check_new(SLICE("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"), "new_password", &err),
              FAIL_INVALID);
    CHECK_STR(slice_str(err.fields[0].code), "too_short");
    CHECK_STR(slice_str(err.fields[0].field), "new_password");
    error_init(&err);
    CHECK_INT(password_check_new(SLICE("1234567"), "password", &err), FAIL_INVALID);
    error_init(&err);
    CHECK_INT(password_check_new(SLICE("12345678\n"), "password", &err), FAIL_INVALID);
    CHECK_STR(slice_str(err.fields[0].code), "control_character");
}

TEST(a_nul_does_not_cut_the_password)
{
    char hash[PASSWORD_HASH_MAX];
    hash_of("password", hash);
    CHECK(!matches(slice_of("password\0more", 13), hash));
}

TEST(nobody_takes_as_long_and_never_matches)
{
    struct error err;
    bool match = true;
    error_init(&err);
    CHECK_OK(password_verify(NULL, SLICE("whatever"), (struct slice){0}, COST, &match, &err), &err);
    CHECK(!match);
}

/* The rounds of a wrong password, with the cost that is configured now. */
static unsigned long rounds_of(struct slice stored, unsigned cost)
{
    struct error err;
    bool match = true;
    error_init(&err);
    rounds = 0;
    CHECK_OK(password_verify(NULL, SLICE("wrong password"), stored, cost, &match, &err), &err);
    CHECK(!match);
    return rounds;
}

TEST(bug_a_raised_cost_told_by_time_who_has_an_account)
{
    char hash[PASSWORD_HASH_MAX];
    hash_of("correct horse", hash);
    for (unsigned cost = COST; cost <= COST + 4; cost++) {
        CHECK_INT(rounds_of((struct slice){0}, cost), 1l << cost);
        CHECK_INT(rounds_of(slice_str(hash), cost), 1l << cost);
    }
}

TEST(costs_out_of_range)
{
    char hash[PASSWORD_HASH_MAX];
    struct error err;
    error_init(&err);
    CHECK(password_hash(NULL, SLICE("12345678"), 3, hash, &err) < 0);
    error_init(&err);
    CHECK(password_hash(NULL, SLICE("12345678"), 16, hash, &err) < 0);
}

TEST(a_damaged_stored_hash_is_an_error_not_a_match)
{
    struct error err;
    bool match = false;
    error_init(&err);
    CHECK_INT(password_verify(NULL, SLICE("x"), SLICE("*0"), COST, &match, &err), FAIL_INTERNAL);
    CHECK(!match);
    error_init(&err);
    CHECK_INT(password_verify(NULL, SLICE("x"), SLICE(""), COST, &match, &err), FAIL_INTERNAL);
}

TEST(weaker_hashes_are_made_again)
{
    CHECK(password_hash_is_weak(SLICE("$2b$04$abc"), 12));
    CHECK(password_hash_is_weak(SLICE("$2b$11$abc"), 12));
    CHECK(!password_hash_is_weak(SLICE("$2b$12$abc"), 12));
    CHECK(!password_hash_is_weak(SLICE("$2b$13$abc"), 12));
    CHECK(password_hash_is_weak(SLICE("$2a$12$abc"), 12));
    CHECK(password_hash_is_weak(SLICE("$y$j9T$abc"), 12));
    CHECK(password_hash_is_weak(SLICE(""), 12));
}
