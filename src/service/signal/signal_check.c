/* What a signal may say: a symbol, and prices that make sense together, exactly. */
#include "base/decimal.h"
#include "service/signal/signal.h"

static bool symbol_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '/' || c == '-' ||
           c == ':';
}

static int check_symbol(struct slice given, struct arena *arena, struct slice *ret_symbol,
                        struct error *err)
{
    struct slice symbol = arena_copy(arena, given);
    char *text = (char *)symbol.ptr; /* our own copy */
    bool good = given.len >= 1 && given.len <= SIGNAL_SYMBOL_CHARS_MAX;
    if (text == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    for (size_t i = 0; i < symbol.len; i++) {
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 'a' + 'A');
        good = good && symbol_char(text[i]);
    }
    if (!good)
        return error_field(err, "symbol", "invalid_symbol",
                           "1 to %d of A-Z, 0-9 and . / - : make a symbol.",
                           SIGNAL_SYMBOL_CHARS_MAX);
    *ret_symbol = symbol;
    return 0;
}

struct price {
    bool given;
    struct decimal value;
};

static int read_price(const char *field, struct slice text, struct price *ret_price,
                      struct error *err)
{
    if (text.ptr == NULL)
        return 0;
    switch (decimal_parse(text, &ret_price->value)) {
    case DECIMAL_MALFORMED:
        return error_field(err, field, "invalid_decimal",
                           "A decimal number such as \"64250.5\": no sign, no exponent.");
    case DECIMAL_TOO_LONG:
        return error_field(err, field, "too_many_digits",
                           "At most %d digits before and after the point.", DECIMAL_DIGITS_MAX);
    case DECIMAL_GOOD: break;
    }
    if (decimal_is_zero(&ret_price->value))
        return error_field(err, field, "not_positive", "A price is more than 0.");
    ret_price->given = true;
    return 0;
}

/* Below or above the entry price, never the same. */
static int check_against(const char *field, const struct price *price, const struct price *entry,
                         bool below, struct error *err)
{
    if (!price->given || !entry->given)
        return 0;
    int order = decimal_cmp(&price->value, &entry->value);
    if (below && order >= 0)
        return error_field(err, field, "not_below_entry", "Must be below the entry price here.");
    if (!below && order <= 0)
        return error_field(err, field, "not_above_entry", "Must be above the entry price here.");
    return 0;
}

static int keep_price(const struct price *price, struct arena *arena, struct slice *ret_text,
                      struct error *err)
{
    char text[DECIMAL_TEXT_LEN + 1];
    *ret_text = (struct slice){0};
    if (!price->given)
        return 0;
    size_t len = decimal_format(&price->value, text);
    *ret_text = arena_copy(arena, slice_of(text, len));
    return ret_text->ptr != NULL
               ? 0
               : error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
}

int signal_check(const struct signal_terms *given, struct arena *arena,
                 struct signal_terms *ret_terms, struct error *err)
{
    struct signal_terms terms = *given;
    struct price entry = {0}, stop = {0}, target = {0};
    bool buy = given->side == SIGNAL_BUY;
    int rc = check_symbol(given->symbol, arena, &terms.symbol, err);
    rc |= read_price("entry_price", given->entry_price, &entry, err);
    rc |= read_price("stop_loss", given->stop_loss, &stop, err);
    rc |= read_price("take_profit", given->take_profit, &target, err);
    rc |= check_against("stop_loss", &stop, &entry, buy, err);
    rc |= check_against("take_profit", &target, &entry, !buy, err);
    if (rc != 0)
        return err->kind;
    rc = keep_price(&entry, arena, &terms.entry_price, err);
    if (rc == 0)
        rc = keep_price(&stop, arena, &terms.stop_loss, err);
    if (rc == 0)
        rc = keep_price(&target, arena, &terms.take_profit, err);
    if (rc == 0)
        *ret_terms = terms;
    return rc;
}
