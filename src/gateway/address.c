#include "gateway/address.h"

#include <arpa/inet.h>

static bool parse_address(struct slice text, struct in6_addr *ret_addr)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (!copy_str(copy, sizeof copy, text))
        return false;
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        memset(ret_addr, 0, sizeof *ret_addr);
        ret_addr->s6_addr[10] = ret_addr->s6_addr[11] = 0xff;
        memcpy(ret_addr->s6_addr + 12, &v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, copy, ret_addr) == 1;
}

bool network_parse(const char *text, struct network *ret_network)
{
    struct slice bits_text = slice_str(text), addr_text;
    bool has_bits = slice_cut(&bits_text, '/', &addr_text);
    struct network n = {.bits = 128};
    if (!parse_address(addr_text, &n.base))
        return false;
    bool v4 = slice_find(addr_text, ':') < 0;
    uint64_t bits = v4 ? 32 : 128;
    if (has_bits && (!slice_to_u64(bits_text, &bits) || bits > (v4 ? 32 : 128)))
        return false;
    n.bits = (unsigned)bits + (v4 ? 96 : 0);
    *ret_network = n;
    return true;
}

bool network_has(const struct network *network, const struct in6_addr *addr)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->base.s6_addr, addr->s6_addr, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return ((network->base.s6_addr[whole] ^ addr->s6_addr[whole]) & mask) == 0;
}

static bool is_trusted(const struct network *trusted, size_t count, const struct in6_addr *addr)
{
    for (size_t i = 0; i < count; i++)
        if (network_has(&trusted[i], addr))
            return true;
    return false;
}

/* Takes the last item off the list; false when there is none. */
static bool take_last(struct slice *list, struct slice *ret_item)
{
    if (list->len == 0)
        return false;
    size_t start = list->len;
    while (start > 0 && list->ptr[start - 1] != ',')
        start--;
    *ret_item = slice_trim(slice_of(list->ptr + start, list->len - start));
    list->len = start > 0 ? start - 1 : 0;
    return true;
}

struct in6_addr address_client(const struct network *trusted, size_t trusted_count,
                               const struct in6_addr *peer, const struct http_head *head)
{
    struct in6_addr client = *peer, addr;
    for (unsigned i = head->header_count; i-- > 0;) {
        struct slice list = head->headers[i].value, item;
        if (!slice_ieq(head->headers[i].name, SLICE("x-forwarded-for")))
            continue;
        while (take_last(&list, &item)) {
            if (!is_trusted(trusted, trusted_count, &client) || !parse_address(item, &addr))
                return client;
            client = addr;
        }
    }
    return client;
}
