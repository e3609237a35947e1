#include "io/coro_mail.h"

static void arrive(struct mail *mail)
{
    struct coro_mail *m = CONTAINER_OF(mail, struct coro_mail, mail);
    m->arrived = true;
    coro_wake(m->coro, 0);
}

void coro_mail_init(struct coro_mail *mail)
{
    *mail =
        (struct coro_mail){.mail.deliver = arrive, .loop = loop_current(), .coro = coro_current()};
}

void coro_mail_post(struct coro_mail *mail)
{
    loop_post(mail->loop, &mail->mail);
}

void coro_mail_await(struct coro_mail *mail)
{
    bool cancelled = false;
    while (!mail->arrived)
        cancelled |= coro_park(CORO_FOREVER) == FAIL_CANCELLED;
    if (cancelled)
        coro_cancel(mail->coro); /* the next wait returns it */
}

int coro_mail_wait(struct coro_mail *mail, int64_t timeout_ms, coro_mail_withdraw_fn *withdraw,
                   void *arg)
{
    int64_t until_ms;
    if (__builtin_add_overflow(loop_now_ms(mail->loop), timeout_ms, &until_ms))
        until_ms = INT64_MAX;
    while (!mail->arrived) {
        int rc =
            coro_park(until_ms == INT64_MAX ? CORO_FOREVER : until_ms - loop_now_ms(mail->loop));
        if (rc != FAIL_TIMEOUT && rc != FAIL_CANCELLED)
            continue; /* the mail, or a wake that was meant for an earlier wait */
        if (!mail->arrived && withdraw(mail, arg))
            return rc;
        coro_mail_await(mail);
        if (rc == FAIL_CANCELLED)
            coro_cancel(mail->coro); /* the next wait returns it */
    }
    return 0;
}
