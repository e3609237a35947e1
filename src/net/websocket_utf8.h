/* UTF-8 checked piece by piece (RFC 3629 section 4); inside src/net only. */
#ifndef PARLEY_NET_WEBSOCKET_UTF8_H
#define PARLEY_NET_WEBSOCKET_UTF8_H

#include "base/base.h"

/* *state is 0 before the first piece and again whenever no character is cut; otherwise the number
 * of continuation bytes to come, and the least and largest value of the next one, a byte each.
 * False at the first byte that cannot be. */
bool ws_utf8_feed(uint32_t *state, struct slice piece) MUSTCHECK;

#endif
