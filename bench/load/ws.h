/* A small WebSocket client on links (RFC 6455): handshake, masked text frames out, unfragmented
 * frames in, pings answered. No extensions are offered. */
#ifndef BENCH_LOAD_WS_H
#define BENCH_LOAD_WS_H

#include "link.h"

struct ws;
struct ws_ops {
    void (*on_open)(struct ws *ws); /* 101 received */
    void (*on_message)(struct ws *ws, struct piece message);
    void (*on_close)(struct ws *ws, unsigned code); /* 1006 without a close frame */
};

struct ws {
    struct link link; /* first: the callbacks get back from it */
    const struct ws_ops *ops;
    const char *path, *token; /* borrowed */
    bool upgraded;
    unsigned index; /* the scenario's own */
    unsigned close_code;
};

/* token NULL: no sign-in. */
void ws_connect(struct ws *ws, struct hub *hub, const struct ws_ops *ops, const char *path,
                const char *token);
/* Queues a text frame; ws_flush (or the end of a callback) sends what is queued in one write. */
void ws_send(struct ws *ws, const char *data, size_t len);
void ws_flush(struct ws *ws);
void ws_close(struct ws *ws);

#endif
