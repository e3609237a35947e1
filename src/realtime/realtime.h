/* Realtime: one event vocabulary, three transports, resume by position (API.md, F01). */
#ifndef PARLEY_REALTIME_REALTIME_H
#define PARLEY_REALTIME_REALTIME_H

#include "kit/module.h"
#include "realtime/hub.h"

struct realtime {
    struct kit *kit;
    struct hub **hubs;  /* by loop index */
    int64_t started_ms; /* wall clock */
    uint32_t epoch;     /* of the log: changes when a backup is restored */
    size_t queue_bytes_max;
    size_t recent_bytes_max;
    uint32_t message_bytes_max;
    uint32_t ops_per_second; /* of one session; 0: no limit */
    int64_t heartbeat_ms, auth_timeout_ms;
    struct map ops; /* by name */
    struct op_entry *op_entries;
    struct metric *sessions_opened, *sessions_failed, *sessions_slow, *ops_total, *ops_failed,
        *resyncs, *resumed;
};

/* The module: /ws, /api/v1/stream, /api/v1/stream/ticket, /api/v1/updates and its tables. */
extern const struct module realtime_module;
extern const struct event_type realtime_ready_event, realtime_resync_event;

/* After all modules have started, before traffic: collects ops and follows the log. */
void realtime_go(struct realtime *realtime);
struct hub *realtime_hub(struct realtime *realtime); /* of the calling loop */
/* Closes sockets at a set pace and returns when none is left or time is up. From a coroutine. */
void realtime_drain(struct realtime *realtime, int64_t timeout_ms);
size_t realtime_sessions(struct realtime *realtime);
/* Since the start; for session->connected_s. */
uint32_t realtime_seconds(const struct realtime *realtime);

#endif
