#include "realtime/connections.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "io/coro_mail.h"
#include "realtime/watch.h"

/* --- asking a loop -----------------------------------------------------------------------------
 */

struct question {
    struct mail mail;
    struct coro_mail answer;
    struct hub *hub;
    void (*run)(struct hub *hub, void *arg);
    void *arg;
};

static void take_question(struct mail *mail)
{
    struct question *q = CONTAINER_OF(mail, struct question, mail);
    q->run(q->hub, q->arg);
    coro_mail_post(&q->answer);
}

static void ask(struct hub *hub, void (*run)(struct hub *hub, void *arg), void *arg)
{
    struct question q = {.mail = {.deliver = take_question}, .hub = hub, .run = run, .arg = arg};
    if (hub->loop == loop_current()) {
        run(hub, arg);
        return;
    }
    coro_mail_init(&q.answer);
    loop_post(hub->loop, &q.mail);
    coro_mail_await(&q.answer);
}

/* --- listing -----------------------------------------------------------------------------------
 */

struct listing {
    const struct id *user; /* NULL: everybody */
    uint32_t from;         /* first handle to look at */
    unsigned limit, count;
    struct connection_view *views;
    uint32_t next; /* handle to go on with */
    bool more;
};

static void print_peer(const struct realtime_session *s, char ret_text[CONNECTION_PEER_MAX])
{
    struct in6_addr address;
    ret_text[0] = 0;
    if (s->ops->peer == NULL || !s->ops->peer(s, &address))
        return;
    if (IN6_IS_ADDR_V4MAPPED(&address))
        inet_ntop(AF_INET, &address.s6_addr[12], ret_text, CONNECTION_PEER_MAX);
    else
        inet_ntop(AF_INET6, &address, ret_text, CONNECTION_PEER_MAX);
}

static void describe(const struct hub *hub, const struct realtime_session *s,
                     struct connection_view *view)
{
    *view = (struct connection_view){
        .user = s->principal.user,
        .session = s->principal.session,
        .transport = s->ops->transport != NULL ? s->ops->transport : "",
        .connected_ms = hub->realtime->started_ms + (int64_t)s->connected_s * 1000,
        .queued_bytes = s->ops->queued(s),
        .follows = s->follow_count,
        .watches = watch_count(s)};
    snprintf(view->id, sizeof view->id, "%u-%u-%u", loop_index(hub->loop), s->handle,
             (unsigned)s->connected_s);
    print_peer(s, view->peer);
}

/* One user's sessions come in no order that holds: the lowest handles from `from` on. */
static void list_user(struct hub *hub, struct listing *l)
{
    struct realtime_session *sessions[CONNECTIONS_OF_USER_MAX];
    unsigned count = hub_sessions_of(hub, l->user, sessions, ARRAY_LEN(sessions));
    while (!l->more) {
        struct realtime_session *lowest = NULL;
        for (unsigned i = 0; i < count; i++)
            if (sessions[i]->handle >= l->from &&
                (lowest == NULL || sessions[i]->handle < lowest->handle))
                lowest = sessions[i];
        if (lowest == NULL)
            return;
        l->more = l->count == l->limit;
        l->next = lowest->handle;
        if (!l->more)
            describe(hub, lowest, &l->views[l->count++]);
        l->from = lowest->handle + 1;
    }
}

static void list_all(struct hub *hub, struct listing *l)
{
    for (uint32_t i = l->from; i < hub->sessions.top && !l->more; i++) {
        const struct realtime_session *s = handle_peek(&hub->sessions, i);
        if (s == NULL)
            continue;
        l->more = l->count == l->limit;
        l->next = i;
        if (!l->more)
            describe(hub, s, &l->views[l->count++]);
    }
}

static void list_on_loop(struct hub *hub, void *arg)
{
    struct listing *l = arg;
    if (l->user != NULL)
        list_user(hub, l);
    else
        list_all(hub, l);
}

/* A cursor is a loop and a handle there. */
void connections_list(struct realtime *realtime, const struct id *user, const struct cursor *after,
                      unsigned limit, struct connection_view *ret_views, unsigned *ret_count,
                      struct cursor *ret_next, bool *ret_more)
{
    uint64_t place = (uint64_t)after->number;
    struct listing l = {.user = user, .from = (uint32_t)place, .limit = limit, .views = ret_views};
    unsigned loop = (unsigned)(place >> 32);
    for (; loop < realtime->kit->loop_count && !l.more; loop++) {
        ask(realtime->hubs[loop], list_on_loop, &l);
        l.from = 0;
        if (l.more)
            break;
    }
    *ret_count = l.count;
    *ret_more = l.more;
    *ret_next = (struct cursor){.number = (int64_t)((uint64_t)loop << 32 | l.next)};
}

/* --- closing -----------------------------------------------------------------------------------
 */

struct closing {
    uint32_t handle, connected_s;
    bool found;
};

static void close_on_loop(struct hub *hub, void *arg)
{
    struct closing *c = arg;
    if (c->handle >= hub->sessions.top)
        return;
    struct realtime_session *s = handle_peek(&hub->sessions, c->handle);
    c->found = s != NULL && s->connected_s == c->connected_s;
    if (c->found)
        s->ops->close(s, 4009, "{\"retry_after\":1}");
}

bool connections_close(struct realtime *realtime, struct slice id)
{
    uint64_t numbers[3];
    for (int i = 0; i < 3; i++) {
        struct slice part;
        bool more = slice_cut(&id, '-', &part);
        if (more != (i < 2) || !slice_to_u64(part, &numbers[i]) || numbers[i] > UINT32_MAX)
            return false;
    }
    struct closing c = {(uint32_t)numbers[1], (uint32_t)numbers[2], false};
    if (numbers[0] < realtime->kit->loop_count)
        ask(realtime->hubs[numbers[0]], close_on_loop, &c);
    return c.found;
}
