/* What became of a signal, step by step. */
#include "service/signal/signal_store.h"

struct reading {
    const struct id *signal;
    struct signal_call *call;
    struct cursor after;
    size_t max;
    struct signal_history *page;
};

static int history_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct reading *r = arg;
    return signal_store_history(tx, r->signal, r->after.number, r->max, r->call->arena,
                                r->page->items, &r->page->count, err);
}

int signal_history(struct signal_call *call, const struct id *signal,
                   const struct page_query *query, struct signal_history *ret_history)
{
    struct trade_signal what;
    struct signal_history page = {0};
    struct reading r = {
        .signal = signal, .call = call, .max = (size_t)query->limit + 1, .page = &page};
    bool given;
    int rc = cursor_decode(query->cursor, &r.after, &given, call->err);
    if (rc == 0)
        rc = signal_get(call, signal, &what);
    if (rc < 0)
        return rc;
    page.items = arena_array(call->arena, r.max, sizeof *page.items);
    if (page.items == NULL)
        return error_set(call->err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    rc = db_read(call->room->db, history_tx, &r, call->err);
    if (rc < 0)
        return rc;
    page.more = page.count > (size_t)query->limit;
    if (page.more)
        page.next = (struct cursor){.number = page.items[--page.count - 1].step};
    *ret_history = page;
    return 0;
}
