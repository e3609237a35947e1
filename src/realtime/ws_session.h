/* Starts a WebSocket session on a socket whose handshake has been answered. */
#ifndef PARLEY_REALTIME_WS_SESSION_H
#define PARLEY_REALTIME_WS_SESSION_H

#include "realtime/realtime.h"

struct ws_session_config {
    struct slice token;   /* from the handshake; absent: a first frame `auth` must bring one */
    struct slice rest;    /* bytes that came behind the handshake; writable memory */
    struct position from; /* when has_from */
    bool has_from;
    uint8_t deflate_bits; /* as ws_accept gave it */
    struct in6_addr peer;
};
/* On the conn's loop. Owns the conn from here on. */
void ws_session_start(struct realtime *realtime, struct conn *conn,
                      const struct ws_session_config *config);

extern const struct schema ws_auth_schema; /* data of the op `auth` */

#endif
