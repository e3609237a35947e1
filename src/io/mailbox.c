#include "io/mailbox.h"

void mailbox_init(struct mailbox *box)
{
    atomic_init(&box->stub.next, NULL);
    atomic_init(&box->head, &box->stub);
    box->tail = &box->stub;
}

void mailbox_push(struct mailbox *box, struct mail *mail)
{
    atomic_store_explicit(&mail->next, NULL, memory_order_relaxed);
    struct mail *before = atomic_exchange(&box->head, mail);
    /* Not just a release: loop_post goes on to ask whether the loop sleeps, and the loop asks for
     * this link after saying so. One of the two must see the other. */
    atomic_store(&before->next, mail);
}

struct mail *mailbox_pop(struct mailbox *box)
{
    struct mail *oldest = box->tail;
    struct mail *next = atomic_load_explicit(&oldest->next, memory_order_acquire);
    if (oldest == &box->stub) {
        if (next == NULL)
            return NULL;
        box->tail = oldest = next;
        next = atomic_load_explicit(&oldest->next, memory_order_acquire);
    }
    if (next == NULL) {
        /* The last one can only leave when something stands behind it: the stub. */
        if (oldest != atomic_load(&box->head))
            return NULL;
        mailbox_push(box, &box->stub);
        next = atomic_load_explicit(&oldest->next, memory_order_acquire);
        if (next == NULL)
            return NULL;
    }
    box->tail = next;
    return oldest;
}

bool mailbox_waiting(struct mailbox *box)
{
    if (atomic_load(&box->tail->next) != NULL)
        return true;
    return box->tail != &box->stub && atomic_load(&box->head) == box->tail;
}
