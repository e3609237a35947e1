/* Decimals: exact in, exact out, exactly compared. */
#include <stdio.h>

#include "base/decimal.h"
#include "base/random.h"
#include "harness.h"

#define NINES "999999999999999999" /* 18 */

static const char *again(const char *text, char ret_text[DECIMAL_TEXT_LEN + 1])
{
    struct decimal decimal;
    if (decimal_parse(slice_str(text), &decimal) != DECIMAL_GOOD)
        return "refused";
    size_t len = decimal_format(&decimal, ret_text);
    CHECK_INT(len, strlen(ret_text));
    return ret_text;
}

TEST(superfluous_zeros_go_and_nothing_else)
{
    static const struct {
        const char *given, *kept;
    } samples[] = {
        {"1", "1"},
        {"0", "0"},
        {"0.0", "0"},
        {"000", "0"},
        {"1.50", "1.5"},
        {"007.070", "7.07"},
        {"100", "100"},
        {"100.000", "100"},
        {"0.000000000000000001", "0.000000000000000001"},
        {"0.100000000000000000000", "0.1"},
        {"0000000000000000000000012", "12"},
        {NINES "." NINES, NINES "." NINES},
        {"64250.12345678", "64250.12345678"},
    };
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        char text[DECIMAL_TEXT_LEN + 1];
        CHECK_STR(slice_str(again(samples[i].given, text)), samples[i].kept);
    }
}

TEST(anything_else_is_refused)
{
    static const char *const malformed[] = {
        "",     ".",   "1.",  ".5",    "-1",   "+1", " 1",    "1 ",       "1,5", "1e5", "1E-5",
        "0x10", "NaN", "inf", "1.2.3", "1..2", "..", "1_000", "\xd9\xa1", "1/2", ":"};
    static const char *const too_long[] = {"1" NINES, "0.1" NINES, "1000000000000000000",
                                           "0.0000000000000000001"};
    struct decimal decimal = {7, 7};
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
        CHECK_INT(decimal_parse(slice_str(malformed[i]), &decimal), DECIMAL_MALFORMED);
    for (size_t i = 0; i < ARRAY_LEN(too_long); i++)
        CHECK_INT(decimal_parse(slice_str(too_long[i]), &decimal), DECIMAL_TOO_LONG);
    CHECK(decimal.whole == 7 && decimal.fraction == 7); /* untouched */
}

TEST(the_last_digit_decides)
{
    static const char *const rising[] = {"0",
                                         "0.000000000000000001",
                                         "0.000000000000000002",
                                         "0.1",
                                         "0.11",
                                         "0.2",
                                         "1",
                                         "9007199254740992.999999999999999998",
                                         "9007199254740992.999999999999999999",
                                         "9007199254740993",
                                         NINES ".999999999999999998",
                                         NINES "." NINES};
    for (size_t i = 0; i < ARRAY_LEN(rising); i++)
        for (size_t j = 0; j < ARRAY_LEN(rising); j++) {
            struct decimal a, b;
            CHECK_INT(decimal_parse(slice_str(rising[i]), &a), DECIMAL_GOOD);
            CHECK_INT(decimal_parse(slice_str(rising[j]), &b), DECIMAL_GOOD);
            CHECK_INT(decimal_cmp(&a, &b), (i > j) - (i < j));
            CHECK(decimal_is_zero(&a) == (i == 0));
        }
}

TEST(what_is_written_is_read_again)
{
    for (int i = 0; i < 20000; i++) {
        const uint64_t bound = 1000000000000000000;
        struct decimal decimal = {random_u64() % bound >> random_below(60),
                                  random_below(4) == 0 ? 0 : random_u64() % bound},
                       back;
        char text[DECIMAL_TEXT_LEN + 1], longer[DECIMAL_TEXT_LEN + 10];
        decimal_format(&decimal, text);
        CHECK_INT(decimal_parse(slice_str(text), &back), DECIMAL_GOOD);
        CHECK_INT(decimal_cmp(&decimal, &back), 0);
        snprintf(longer, sizeof longer, "00%s%s", text, strchr(text, '.') != NULL ? "00" : ".00");
        CHECK_INT(decimal_parse(slice_str(longer), &back), DECIMAL_GOOD);
        CHECK_INT(decimal_cmp(&decimal, &back), 0);
    }
}
