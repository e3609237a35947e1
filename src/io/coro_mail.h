/* Mail to a coroutine that waits for it: how another thread ends the wait.
 *
 * The mail stands on the coroutine's stack. Whoever has the mail posts it, once; from then on, and
 * until it has arrived, the stack must stay, whatever else wakes the coroutine meanwhile. Both
 * waits see to that. A cancellation that did not end the wait is there for the next one.
 */
#ifndef PARLEY_IO_CORO_MAIL_H
#define PARLEY_IO_CORO_MAIL_H

#include "io/coro.h"

struct coro_mail {
    struct mail mail;
    struct loop *loop;
    struct coro *coro;
    bool arrived; /* only on the coroutine's loop */
};

void coro_mail_init(struct coro_mail *mail); /* from the coroutine that will wait */
void coro_mail_post(struct coro_mail *mail); /* any thread; the mail may be gone when it returns */

/* Waits until it has arrived. */
void coro_mail_await(struct coro_mail *mail);
/* The same, for at most timeout_ms. When these have passed, or the coroutine is told to end, it
 * asks `withdraw`, which takes the mail back from whoever has it (under their lock) and says
 * whether it could: then the wait ends with FAIL_TIMEOUT or FAIL_CANCELLED, and nobody posts any
 * more. When it could not, the mail is on its way, and the wait goes on until it is there. 0: it
 * has arrived. */
typedef bool coro_mail_withdraw_fn(struct coro_mail *mail, void *arg);
int coro_mail_wait(struct coro_mail *mail, int64_t timeout_ms, coro_mail_withdraw_fn *withdraw,
                   void *arg) MUSTCHECK;

#endif
