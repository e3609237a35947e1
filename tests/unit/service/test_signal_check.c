/* What a trade signal may say. */
#include <stdio.h>

#include "base/decimal.h"
#include "base/random.h"
#include "harness.h"
#include "service/signal/signal.h"

static struct arena arena;
static struct error err;

static int check(const struct signal_terms *given, struct signal_terms *ret_terms)
{
    arena_done(&arena);
    arena_init(&arena, 65536);
    error_init(&err);
    return signal_check(given, &arena, ret_terms, &err);
}

static struct signal_terms terms_of(int side, const char *entry, const char *stop,
                                    const char *target)
{
    return (struct signal_terms){.symbol = SLICE("btc/usd"),
                                 .side = side,
                                 .entry_price = slice_str(entry),
                                 .stop_loss = slice_str(stop),
                                 .take_profit = slice_str(target)};
}

TEST(symbols_are_upper_case_and_prices_short)
{
    struct signal_terms terms = terms_of(SIGNAL_BUY, "010.50", "10.49999999999999999900", NULL);
    CHECK_OK(check(&terms, &terms), &err); /* the result may replace what was given */
    CHECK_STR(terms.symbol, "BTC/USD");
    CHECK_STR(terms.entry_price, "10.5");
    CHECK_STR(terms.stop_loss, "10.499999999999999999");
    CHECK(terms.take_profit.ptr == NULL);
}

TEST(every_field_that_is_wrong_is_named)
{
    struct signal_terms terms = terms_of(SIGNAL_SELL, "-1", "0", "1.0000000000000000001"), result;
    terms.symbol = SLICE("no spaces");
    CHECK_INT(check(&terms, &result), FAIL_INVALID);
    CHECK_INT(err.field_count, 4);
    static const char *const want[][2] = {{"symbol", "invalid_symbol"},
                                          {"entry_price", "invalid_decimal"},
                                          {"stop_loss", "not_positive"},
                                          {"take_profit", "too_many_digits"}};
    for (unsigned i = 0; i < err.field_count; i++) {
        CHECK_STR(slice_str(err.fields[i].field), want[i][0]);
        CHECK_STR(slice_str(err.fields[i].code), want[i][1]);
    }
}

/* Whatever the numbers: a signal passes exactly when they lie on the right sides. */
TEST(the_sides_of_the_entry_price)
{
    for (int i = 0; i < 5000; i++) {
        char text[3][DECIMAL_TEXT_LEN + 1];
        struct decimal price[3];
        for (int p = 0; p < 3; p++) {
            price[p] = (struct decimal){1 + random_below(2), random_below(3)};
            decimal_format(&price[p], text[p]);
        }
        int side = (int)random_below(2);
        struct signal_terms terms = terms_of(side, text[0], text[1], text[2]), result;
        int stop = decimal_cmp(&price[1], &price[0]), target = decimal_cmp(&price[2], &price[0]);
        bool good = side == SIGNAL_BUY ? stop < 0 && target > 0 : stop > 0 && target < 0;
        CHECK_INT(check(&terms, &result) == 0, good);
    }
    arena_done(&arena);
}
