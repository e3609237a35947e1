/* Socket ops: an envelope's `op` becomes a request like any other, answered with its id. */
#ifndef PARLEY_REALTIME_OPS_H
#define PARLEY_REALTIME_OPS_H

#include "realtime/realtime.h"

struct op_entry {
    struct map_node node;
    const struct op *op;
    void *room;
    struct metric *latency;
};

/* Collects the ops of all modules; aborts on two of one name: a bug. */
void ops_collect(struct realtime *realtime);
void ops_free(struct realtime *realtime);
const struct op_entry *ops_find(const struct realtime *realtime, struct slice name);

/* Where the answer goes. `answer` is called once, on the loop, also for a session that has closed
 * meanwhile (the transport holds a reference for each call under way). */
struct op_source {
    struct realtime *realtime;
    struct realtime_session *session;
    const struct principal *principal;
    struct in6_addr peer;
    void (*answer)(struct realtime_session *session, struct slice id, bool failed,
                   struct slice json);
};
enum { OP_ID_MAX = 64 };
/* Starts the op in a coroutine; id and data are copied. Every outcome is an answer. */
void ops_call(const struct op_source *source, const struct op_entry *entry, struct slice id,
              struct slice data);
/* Answers with a problem at once. */
void ops_refuse(const struct op_source *source, struct slice id, const struct error *err);

#endif
