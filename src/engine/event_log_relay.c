/* The relay: every committed batch goes to every subscribed loop, in order and without gaps. A loop
 * gets one mail per batch. When delivery is made to fail (fault point log.relay) the batch is held
 * and goes out before the next one: late, never lost.
 */
#include <stdlib.h>

#include "base/fault.h"
#include "engine/event_log_private.h"

struct relay_mail {
    struct mail mail;
    struct event_subscription *subscription;
    struct event_batch *batch;
};

static void deliver(struct mail *mail)
{
    struct relay_mail *m = CONTAINER_OF(mail, struct relay_mail, mail);
    m->subscription->deliver(m->subscription, m->batch);
    event_batch_unref(m->batch);
    free(m);
}

static void post(struct event_subscription *sub, struct event_batch *batch)
{
    struct relay_mail *mail = xmalloc(sizeof *mail);
    *mail = (struct relay_mail){.mail = {.deliver = deliver}, .subscription = sub, .batch = batch};
    event_batch_ref(batch);
    loop_post(sub->loop, &mail->mail);
}

void log_relay_held(struct event_log *log)
{
    pthread_mutex_lock(&log->relay_lock);
    for (unsigned i = 0; i < log->held_count; i++) {
        struct event_batch *batch = log->held[i];
        for (struct event_subscription *s = log->subscriptions; s != NULL; s = s->next)
            post(s, batch);
        log->relayed_head = batch->head;
        event_batch_unref(batch);
    }
    log->held_count = 0;
    pthread_mutex_unlock(&log->relay_lock);
}

void log_relay(struct event_log *log, struct event_batch *batch)
{
    log->held[log->held_count++] = batch;
    if (fault("log.relay") && log->held_count < ARRAY_LEN(log->held))
        return;
    log_relay_held(log);
}

/* Between two batches: a subscriber joins exactly at relayed_head. */
void event_log_subscribe(struct event_log *log, struct event_subscription *sub)
{
    pthread_mutex_lock(&log->relay_lock);
    sub->joined = log->relayed_head;
    sub->next = NULL;
    struct event_subscription **end = &log->subscriptions;
    while (*end != NULL)
        end = &(*end)->next;
    *end = sub;
    pthread_mutex_unlock(&log->relay_lock);
}
