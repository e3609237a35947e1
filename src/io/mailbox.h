/* Mail from many threads to one loop: the intrusive queue of Dmitry Vyukov (many producers, one
 * consumer, no locks, one atomic exchange to post).
 *
 * A sender exchanges `head` and then links its predecessor to itself; between the two steps the
 * chain is broken for a moment and the consumer sees "nothing yet". That sender is still on its
 * way to look whether the loop sleeps, so the loop may go to sleep in that moment.
 */
#ifndef PARLEY_IO_MAILBOX_H
#define PARLEY_IO_MAILBOX_H

#include <stdatomic.h>

#include "io/loop.h"

struct mailbox {
    _Alignas(64) struct mail *_Atomic head; /* senders: the newest */
    _Alignas(64) struct mail *tail;         /* consumer: the oldest */
    struct mail stub;                       /* keeps the chain from ever being empty */
};

void mailbox_init(struct mailbox *box);
/* Any thread. Sequentially consistent: a store before this and a load after it are not swapped
 * with it. */
void mailbox_push(struct mailbox *box, struct mail *mail);
/* Consumer only. NULL: nothing that can be taken now. */
struct mail *mailbox_pop(struct mailbox *box);
/* Consumer only: pop would give something. */
bool mailbox_waiting(struct mailbox *box);

#endif
