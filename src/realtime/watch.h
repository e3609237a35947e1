/* Watching: a session's own choice of topics, for as long as it looks at something (kit/topic.h).
 *
 * What is watched is not resumed: after a reconnect the client names its topics again and reads
 * what it looks at once more. The kinds that are watched and the streams that rooms make people
 * follow are different ones, so that neither takes the other away.
 */
#ifndef PARLEY_REALTIME_WATCH_H
#define PARLEY_REALTIME_WATCH_H

#include "kit/topic.h"
#include "realtime/realtime.h"

enum { WATCH_TOPICS_MAX = 20, WATCH_TOPIC_BYTES_MAX = 100 };

/* A topic that somebody may watch, or might until something changed. */
struct watched_topic {
    const struct topic *topic;
    void *room;
    struct id of, stream; /* of is nil for a topic that stands alone */
};

/* "post:<id>" or "signals" to its topic, when this person may watch it. FAIL_NOT_FOUND
 * "unknown_topic", FAIL_FORBIDDEN "forbidden", or what the room says. May wait. */
int watch_resolve(struct realtime *realtime, const struct principal *principal, struct slice text,
                  struct watched_topic *ret_topic, struct error *err) MUSTCHECK;
/* The same for a topic that was resolved before. */
int watch_check(const struct watched_topic *topic, const struct principal *principal,
                struct error *err) MUSTCHECK;
/* The session watches these from now on, and nothing else. Nothing happens to a closed session. */
void watch_set(struct realtime_session *session, const struct watched_topic *topics,
               unsigned count);
/* What it watches; *ret_topics is borrowed until the next watch_set. */
unsigned watch_list(const struct realtime_session *session,
                    const struct watched_topic **ret_topics);
/* kit->recheck_watches: whoever follows or watches the stream (NULL: everybody) is asked after
 * again; what a person may not watch any more is silent at once. */
void watch_recheck(struct kit *kit, const struct id *stream);
/* After the session's follows were made anew: what is watched is followed again. */
void watch_follow_again(struct realtime_session *session);
void watch_done(struct realtime_session *session);
unsigned watch_count(const struct realtime_session *session);

/* The op `watch`. */
extern const struct schema watch_schema, watch_answer_schema;
int watch_op(struct request *req);

#endif
