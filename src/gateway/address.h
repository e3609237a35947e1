/* Client addresses and networks (CIDR); X-Forwarded-For counts only from listed proxies (G16). */
#ifndef PARLEY_GATEWAY_ADDRESS_H
#define PARLEY_GATEWAY_ADDRESS_H

#include <netinet/in.h>

#include "net/http1.h"

struct network {
    struct in6_addr base; /* IPv4 mapped */
    unsigned bits;        /* 0..128 */
};
/* "10.0.0.0/8", "::1", "127.0.0.1". */
bool network_parse(const char *text, struct network *ret_network) MUSTCHECK;
bool network_has(const struct network *network, const struct in6_addr *addr);
/* Walks X-Forwarded-For from the right while the address before it is a trusted proxy. Several
 * lines are one list (RFC 9110, 5.3): a proxy may add a line of its own behind the client's. What
 * is no address ends the walk. */
struct in6_addr address_client(const struct network *trusted, size_t trusted_count,
                               const struct in6_addr *peer, const struct http_head *head);

#endif
