#include "realtime/watch.h"

#include <stdlib.h>

struct watched {
    unsigned count;
    struct watched_topic topics[];
};

/* --- the op ------------------------------------------------------------------------------------
 */

struct watch_data {
    struct schema_list topics; /* struct slice */
};
static const struct schema_field watch_fields[] = {
    {"topics", "\"post:<id>\", \"signals\": all that is to be watched from now on; may be empty.",
     SCHEMA_LIST, SCHEMA_REQUIRED, SCHEMA_AT(struct watch_data, topics), .max = WATCH_TOPICS_MAX,
     .element = SCHEMA_STRING, .element_min = 1, .element_max = WATCH_TOPIC_BYTES_MAX},
};
SCHEMA_DEF(watch_schema, struct watch_data, "Watch", "What the client looks at.", watch_fields);

struct watch_refusal {
    struct slice topic, code;
};
static const struct schema_field refusal_fields[] = {
    {"topic", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct watch_refusal, topic)},
    {"code", "As of the error that reading it would give.", SCHEMA_STRING, SCHEMA_REQUIRED,
     SCHEMA_AT(struct watch_refusal, code)},
};
static SCHEMA_DEF(watch_refusal_schema, struct watch_refusal, "WatchRefusal",
                  "A topic that is not watched.", refusal_fields);

struct watch_answer {
    struct schema_list topics;  /* struct slice */
    struct schema_list refused; /* struct watch_refusal */
};
static const struct schema_field answer_fields[] = {
    {"topics", "What is watched now.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct watch_answer, topics), .max = WATCH_TOPICS_MAX, .element = SCHEMA_STRING},
    {"refused", "What is not there or not for this person.", SCHEMA_LIST, SCHEMA_REQUIRED,
     SCHEMA_AT(struct watch_answer, refused), .max = WATCH_TOPICS_MAX, .of = &watch_refusal_schema},
};
SCHEMA_DEF(watch_answer_schema, struct watch_answer, "Watching", "What became of a watch.",
           answer_fields);

int watch_op(struct request *req)
{
    const struct watch_data *data = req->body;
    const struct slice *topics = data->topics.items;
    struct watched_topic allowed[WATCH_TOPICS_MAX];
    struct slice watched[WATCH_TOPICS_MAX];
    struct watch_refusal refused[WATCH_TOPICS_MAX];
    struct watch_answer answer = {.topics = {watched, 0}, .refused = {refused, 0}};
    for (size_t i = 0; i < data->topics.count; i++) {
        struct error err;
        error_init(&err);
        if (watch_resolve(req->room, req->principal, topics[i], &allowed[answer.topics.count],
                          &err) == 0)
            watched[answer.topics.count++] = topics[i];
        else if (err.kind == FAIL_NOT_FOUND || err.kind == FAIL_FORBIDDEN ||
                 err.kind == FAIL_INVALID)
            refused[answer.refused.count++] =
                (struct watch_refusal){topics[i], slice_str(err.code)};
        else {
            req->error = err;
            return err.kind;
        }
    }
    watch_set(req->session, allowed, (unsigned)answer.topics.count);
    return request_reply(req, 200, &watch_answer_schema, &answer);
}

/* --- which topics there are --------------------------------------------------------------------
 */

static const struct topic *find_topic(const struct kit *kit, struct slice kind, bool alone,
                                      void **ret_room)
{
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->topic_count; i++) {
            const struct topic *topic = &kit->modules[m]->topics[i];
            if (topic->alone != alone || !slice_eq(slice_str(topic->kind), kind))
                continue;
            *ret_room = kit->rooms[m];
            return topic;
        }
    return NULL;
}

int watch_resolve(struct realtime *realtime, const struct principal *principal, struct slice text,
                  struct watched_topic *ret_topic, struct error *err)
{
    struct slice kind, rest = text;
    struct watched_topic found = {.topic = NULL};
    bool alone = !slice_cut(&rest, ':', &kind);
    found.topic = find_topic(realtime->kit, alone ? text : kind, alone, &found.room);
    if (found.topic == NULL)
        return error_set(err, FAIL_NOT_FOUND, "unknown_topic", "There is no topic \"%.*s\".",
                         SLICE_FMT(text));
    if (!alone && !id_parse(rest, &found.of))
        return error_set(err, FAIL_INVALID, "invalid_id", "\"%.*s\" does not end with an id.",
                         SLICE_FMT(text));
    int rc = watch_check(&found, principal, err);
    if (rc < 0)
        return rc;
    found.stream = topic_stream(found.topic->kind, alone ? NULL : &found.of);
    *ret_topic = found;
    return 0;
}

int watch_check(const struct watched_topic *watched, const struct principal *principal,
                struct error *err)
{
    const struct topic *topic = watched->topic;
    if ((topic->scopes & ~principal->scopes) != 0)
        return error_set(err, FAIL_FORBIDDEN, "forbidden", "This topic is not for your role.");
    return topic->check != NULL
               ? topic->check(watched->room, principal, topic->alone ? NULL : &watched->of, err)
               : 0;
}

/* --- a session's set ---------------------------------------------------------------------------
 */

static bool in_hub(const struct realtime_session *session)
{
    return session->state == SESSION_LOADING || session->state == SESSION_LIVE;
}

void watch_follow_again(struct realtime_session *session)
{
    const struct watched *watched = session->watched;
    for (unsigned i = 0; watched != NULL && i < watched->count; i++)
        hub_follow(session, &watched->topics[i].stream);
}

void watch_set(struct realtime_session *session, const struct watched_topic *topics, unsigned count)
{
    if (session->state == SESSION_CLOSED)
        return;
    const struct watched *before = session->watched;
    for (unsigned i = 0; before != NULL && in_hub(session) && i < before->count; i++)
        hub_unfollow(session, &before->topics[i].stream);
    watch_done(session);
    if (count == 0)
        return;
    struct watched *watched = xmalloc(sizeof *watched + count * sizeof *topics);
    watched->count = count;
    memcpy(watched->topics, topics, count * sizeof *topics);
    session->watched = watched;
    if (in_hub(session))
        watch_follow_again(session);
}

void watch_done(struct realtime_session *session)
{
    free(session->watched);
    session->watched = NULL;
}

unsigned watch_list(const struct realtime_session *session, const struct watched_topic **ret_topics)
{
    *ret_topics = session->watched != NULL ? session->watched->topics : NULL;
    return watch_count(session);
}

unsigned watch_count(const struct realtime_session *session)
{
    return session->watched != NULL ? session->watched->count : 0;
}
