/* Asking again whether people may watch what they watch: a block was set, somebody is followed no
 * longer, a thing is for fewer people than before.
 *
 * On each loop, at once: the sessions concerned stop watching. What was sent before this is theirs,
 * what is sent after it is not. Then a coroutine asks the rooms, and gives back what is still
 * theirs to watch; a session that has named its topics anew meanwhile is left as it is.
 */
#include <stdlib.h>

#include "base/log.h"
#include "realtime/hub_private.h"
#include "realtime/watch.h"

/* One session as it was when its topics were taken. */
struct suspect {
    struct realtime_session *session;
    uint32_t handle;
    struct principal principal;
    unsigned count;
    struct watched_topic topics[WATCH_TOPICS_MAX];
};

struct recheck {
    struct mail mail;
    struct hub *hub;
    struct id stream; /* nil: everybody's */
    unsigned count, cap;
    struct suspect *suspects;
};

static void take(struct recheck *r, struct realtime_session *session)
{
    const struct watched_topic *topics;
    unsigned count = watch_list(session, &topics);
    if (count == 0)
        return;
    if (r->count == r->cap) {
        r->cap = r->cap != 0 ? r->cap * 2 : 4;
        r->suspects = xrealloc(r->suspects, r->cap * sizeof *r->suspects);
    }
    struct suspect *s = &r->suspects[r->count++];
    *s = (struct suspect){.session = session,
                          .handle = session->handle,
                          .principal = session->principal,
                          .count = count};
    memcpy(s->topics, topics, count * sizeof *topics);
}

static void take_all(struct recheck *r)
{
    struct hub *hub = r->hub;
    for (uint32_t i = 0; id_is_nil(&r->stream) && i < hub->sessions.top; i++) {
        struct realtime_session *session = handle_peek(&hub->sessions, i);
        if (session != NULL)
            take(r, session);
    }
    struct hub_stream *stream = id_is_nil(&r->stream) ? NULL : hub_find_stream(hub, &r->stream);
    for (uint32_t i = 0; stream != NULL && i < stream->count; i++)
        take(r, session_at(hub, followers(stream)[i].session));
}

/* Still the session that it was, and it has not chosen anew. */
static bool waits(const struct hub *hub, const struct suspect *s)
{
    return handle_peek(&hub->sessions, s->handle) == s->session &&
           id_eq(&s->session->principal.session, &s->principal.session) &&
           watch_count(s->session) == 0;
}

static void give_back(struct hub *hub, struct suspect *s)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < s->count; i++) {
        struct error err;
        error_init(&err);
        int rc = watch_check(&s->topics[i], &s->principal, &err);
        if (rc == 0)
            s->topics[kept++] = s->topics[i];
        else if (rc != FAIL_NOT_FOUND && rc != FAIL_FORBIDDEN)
            log_warn("a watch was dropped", LOG_S("topic", s->topics[i].topic->kind),
                     LOG_S("detail", err.detail));
    }
    if (waits(hub, s))
        watch_set(s->session, s->topics, kept);
}

static void recheck_main(void *arg)
{
    struct recheck *r = arg;
    for (unsigned i = 0; i < r->count; i++)
        give_back(r->hub, &r->suspects[i]);
    free(r->suspects);
    free(r);
}

static void deliver(struct mail *mail)
{
    struct recheck *r = CONTAINER_OF(mail, struct recheck, mail);
    struct error err;
    error_init(&err);
    take_all(r);
    for (unsigned i = 0; i < r->count; i++)
        watch_set(r->suspects[i].session, NULL, 0);
    if (r->count > 0 && coro_spawn(r->hub->loop, recheck_main, r, &err) == 0)
        return;
    if (r->count > 0) /* no coroutine: rather silent than told too much */
        log_warn("watches were dropped", LOG_S("detail", err.detail));
    free(r->suspects);
    free(r);
}

void watch_recheck(struct kit *kit, const struct id *stream)
{
    struct realtime *rt = kit->realtime;
    for (unsigned i = 0; i < kit->loop_count; i++) {
        struct recheck *r = xcalloc(1, sizeof *r);
        r->mail.deliver = deliver;
        r->hub = rt->hubs[i];
        if (stream != NULL)
            r->stream = *stream;
        loop_post(kit->loops[i], &r->mail);
    }
}
