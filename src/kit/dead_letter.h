/* Dead letters (B04): events that a consumer has given up on (kit/consumer.h puts them aside).
 * Whoever runs the house looks at them, hands one to its consumer again, or throws it away. The
 * rules are here for the API, the command line and the admin page alike.
 *
 * A consumer's dead letters are in its own database; a list goes through all of them. All functions
 * wait, or block outside a coroutine.
 */
#ifndef PARLEY_KIT_DEAD_LETTER_H
#define PARLEY_KIT_DEAD_LETTER_H

#include "kit/kit.h"
#include "kit/paging.h"

struct dead_letter {
    struct id id;
    struct slice consumer, event_type;
    struct slice event_pos; /* decimal: beyond what every JSON reader can hold as a number */
    struct id subject;      /* stream of the event; may be nil */
    struct slice error;     /* of the last attempt */
    int64_t attempts;
    struct slice data; /* JSON of the event */
    int64_t created_at;
};
extern const struct schema dead_letter_schema;

/* Newest first; a zeroed cursor begins at the newest. The array is in the arena, at most limit + 1:
 * one more than asked for says that there are more. */
int dead_letter_list(struct kit *kit, const struct cursor *after, unsigned limit,
                     struct arena *arena, struct dead_letter **ret_letters, size_t *ret_count,
                     struct error *err) MUSTCHECK;

/* What came of it, for the audit log; text in the arena. */
struct dead_letter_taken {
    struct slice consumer, event_type, event_pos;
};
/* `done` (may be NULL) is called in a transaction on the main database: the same one when the
 * consumer's database is that, else one after it. */
typedef int dead_letter_done_fn(void *arg, struct db_tx *tx, const struct dead_letter_taken *letter,
                                struct error *err);
/* Gives the event to its consumer once more, in one transaction with the letter's removal: handled
 * and gone, or neither. FAIL_NOT_FOUND "dead_letter_not_found"; FAIL_CONFLICT "consumer_gone",
 * "requeue_failed" (the letter stays, with the new error). */
int dead_letter_requeue(struct kit *kit, const struct id *id, dead_letter_done_fn *done, void *arg,
                        struct arena *arena, struct error *err) MUSTCHECK;
int dead_letter_discard(struct kit *kit, const struct id *id, dead_letter_done_fn *done, void *arg,
                        struct arena *arena, struct error *err) MUSTCHECK;

#endif
