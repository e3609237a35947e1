/* Trade signals and their approval (X01 to X03).
 *
 *     pending ── approved ── closed        decided by admins, each with a reason in the history
 *        └────── rejected                  (a rejection needs one); an author's edit makes a
 *                   └── pending            rejected signal pending again
 *
 * Approved and closed signals are public and stay as they are; nobody but the author and the admins
 * sees the others: for anybody else they do not exist (FAIL_NOT_FOUND "signal_not_found"). Text in
 * results lives in the arena given; rules may wait.
 */
#ifndef PARLEY_SERVICE_SIGNAL_H
#define PARLEY_SERVICE_SIGNAL_H

#include "contract/signal.h"
#include "kit/module.h"
#include "kit/paging.h"

enum {
    SIGNAL_SYMBOL_CHARS_MAX = 20,
    SIGNAL_PRICE_CHARS_MAX = 64, /* as given; what is kept has 18 digits on either side */
    SIGNAL_NOTE_CHARS_MAX = 2000,
    SIGNAL_REASON_CHARS_MAX = 500,
};

struct signal_room;
extern const struct module signal_module;

struct signal_call {
    struct signal_room *room;
    const struct principal *principal; /* NULL: nobody is signed in */
    struct slice correlation_id;
    struct arena *arena;
    struct buf *headers; /* of the answer: RateLimit; may be NULL */
    struct error *err;
};

/* What a signal says. */
struct signal_terms {
    struct slice symbol;
    int side;
    struct slice entry_price, stop_loss, take_profit, note;
};
/* What PATCH may change; `present` tells absent from null. */
struct signal_patch {
    uint64_t present;
    struct signal_terms terms;
};
enum { /* bits of present */
       SIGNAL_PATCH_SYMBOL,
       SIGNAL_PATCH_SIDE,
       SIGNAL_PATCH_ENTRY_PRICE,
       SIGNAL_PATCH_STOP_LOSS,
       SIGNAL_PATCH_TAKE_PROFIT,
       SIGNAL_PATCH_NOTE,
};

/* Upper-cases the symbol and shortens the prices, in the arena. FAIL_INVALID with field errors:
 * invalid_symbol; invalid_decimal, too_many_digits, not_positive; not_below_entry, not_above_entry.
 */
int signal_check(const struct signal_terms *given, struct arena *arena,
                 struct signal_terms *ret_terms, struct error *err) MUSTCHECK;

/* What signal_check says; 429 too_many_signals. */
int signal_create(struct signal_call *call, const struct signal_terms *terms,
                  struct trade_signal *ret_signal) MUSTCHECK;
int signal_get(struct signal_call *call, const struct id *signal,
               struct trade_signal *ret_signal) MUSTCHECK;
/* The author's, while pending or rejected. expected_updated_at: 412 stale when the signal has
 * another by now; 0: whatever it is. 403 not_author, 409 signal_decided, 422. */
int signal_update(struct signal_call *call, const struct id *signal,
                  const struct signal_patch *patch, int64_t expected_updated_at,
                  struct trade_signal *ret_signal) MUSTCHECK;
/* The author's, while pending or rejected. 403 not_author, 409 signal_decided, 412 as above. */
int signal_delete(struct signal_call *call, const struct id *signal,
                  int64_t expected_updated_at) MUSTCHECK;

struct signal_decision {
    int status;          /* enum signal_status */
    struct slice reason; /* may be absent, but not when rejecting */
};
/* By an admin. 409 invalid_transition, 412 stale, 422. */
int signal_decide(struct signal_call *call, const struct id *signal,
                  const struct signal_decision *decision, int64_t expected_updated_at,
                  struct trade_signal *ret_signal) MUSTCHECK;

enum signal_list {
    SIGNAL_LIST_OWN,
    SIGNAL_LIST_ALL,
    SIGNAL_LIST_STATUS,
    SIGNAL_LIST_APPROVED, /* the public board, by when they were approved */
};
struct signal_query {
    enum signal_list list;
    int status; /* of SIGNAL_LIST_STATUS */
    const struct page_query *page;
};
struct signal_page {
    struct slice *items; /* encoded already */
    size_t count;
    bool more;
    struct cursor next;
};
/* Newest first. The board is without authors who are switched off, and without those whom a block
 * stands between when somebody is signed in. */
int signal_page(struct signal_call *call, const struct signal_query *query,
                struct signal_page *ret_page) MUSTCHECK;

struct signal_step {
    int64_t step;
    int status;
    struct slice reason;
    struct id by_user_id; /* nil: somebody who is gone */
    int64_t at;
};
struct signal_history {
    struct signal_step *items;
    size_t count;
    bool more;
    struct cursor next;
};
/* Oldest first, for those who may see the signal. */
int signal_history(struct signal_call *call, const struct id *signal,
                   const struct page_query *query, struct signal_history *ret_history) MUSTCHECK;

#endif
